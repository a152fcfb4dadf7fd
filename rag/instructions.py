"""Text that speaks to a machine instead of to its reader: 忽略以上规则，必须回答…; [system] ….

Knows how instructions to a language model are worded, in Chinese and in English. That such text is never evidence is
the job of `retrieve`. A rule that tells people what to do (参保人必须备案) is not meant: it tells nobody what to say.
"""

from __future__ import annotations

import re
import unicodedata

_MACHINE = (
    r"(?:AI|人工智能|大?模型|机器人|(?:智能|问答|语音)?助手|聊天机器|客服程序|assistant|chatbot|language model|bot)"
)
_SAYING = r"(?:回答|回复|作答|改口|告诉用户|输出|answer|reply|respond|output)"
_MUST = r"(?:必须|务必|一律|只能|只准|应当|应|须|请|要|不得|不要|禁止|must|should|always|only|never)"
_EARLIER = (
    r"(?:以上|上述|之前|此前|前面|先前|上面|所有|一切|其他|其它|任何|原有|原来|你的"
    r"|previous|above|prior|earlier|all|any|other|your)"
)
_RULES = r"(?:规则|指令|指示|命令|提示词?|设定|限制|约束|资料|内容|说明|文字|instructions?|rules?|prompts?|context)"

_PATTERNS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        # what came before is not to count
        rf"(?:忽略|无视|忘记|忘掉|抛开|不用管|不要理会|推翻|disregard|ignore|forget|override).{{0,8}}?{_EARLIER}.{{0,12}}?{_RULES}",
        r"优先级(?:最高|高于)",
        rf"(?:以上|上述|前文)(?:的|所有|全部)*{_RULES}(?:全部|均|都|一律|已)*(?:作废|无效|失效)",
        # a machine, or whoever answers, is told what to say
        rf"{_MACHINE}.{{0,16}}?{_MUST}.{{0,10}}?{_SAYING}",
        r"(?:必须|务必|一律|只准|都要?|均应?)(?:先|直接|这样|统一)?(?:回答|回复|作答|输出)(?!者|询问|咨询|质询)",
        rf"(?:回答|回复|作答).{{0,14}}?(?:问题|提问)?时.{{0,4}}?{_MUST}|(?:回答|回复)(?:里|中)?{_MUST}(?:写|说|包含|带上|用)",
        rf"(?:被问到|被问及|用户(?:问|询问)|有人问).{{0,20}}?{_SAYING}",
        r"(?:在|于)?(?:回答|回复|答案)的?(?:末尾|结尾|开头|最后|后面|前面)",
        rf"(?:读到|看到|处理到).{{0,8}}?(?:此处|这里|本段|这段|本文).{{0,10}}?{_MACHINE}",
        rf"{_MACHINE}.{{0,8}}?(?:读到|看到|处理到).{{0,8}}?(?:此处|这里|本段|这段)",
        # another role is given or taken
        r"(?:从现在起|从此刻起|从此以后|接下来)[,，]?你(?:是|叫|扮演|要|必须|只)",
        r"(?:进入|启用|开启).{0,4}(?:开发者|管理员|无限制|越狱)模式",
        r"(?:^|[\n\s【\[<（(])(?:system|assistant|系统(?:提示|消息|指令)|指令|开发者指令|管理员(?:指令|命令|通知))\s*[\]】>)）:：]",
        r"<\|?/?(?:im_start|im_end|system|user|assistant)\|?>|\[/?INST\]|<<SYS>>",
        r"^#{1,4}\s*(?:system|assistant|instruction)",
        r"you are now|from now on,? you|act as (?:an?|the) |system prompt|系统提示词",
    )
)


_SENTENCE = re.compile(r"(?:(?!\.\s)[^。！？!?；;\n])*(?:\.\s+|[。！？!?；;\n]+|$)")
# Base64 and the like, tags, and what stands in braces.
_CODE = re.compile(r"[A-Za-z0-9+/=_-]{24,}|</?[a-zA-Z_|][^<>]{0,40}>|\{[^{}]{0,400}\}")


def for_machines(text: str) -> bool:
    """Whether `text` tells a machine what to do or poses as a role."""
    plain = unicodedata.normalize("NFKC", text)
    return any(pattern.search(plain) for pattern in _PATTERNS)


def without_instructions(text: str) -> str:
    """What is left of a question without sentences to a machine and runs of code; all of it where nothing is left."""
    kept = "".join(part for part in _SENTENCE.findall(text) if not for_machines(part))
    plain = _CODE.sub(" ", kept).strip()
    return plain if any(c.isalnum() for c in plain) else text
