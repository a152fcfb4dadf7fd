"""What may be asked: the standard figures and rules of medical insurance, how people ask for each, how sources name it.

Knows words and nothing of units, scopes or values; what a source says with them is read by `sayings`.
"""

from __future__ import annotations

import re
from typing import Literal

from rag.domain import Value
from rag.text import same_words


class Aspect(Value):
    """What a figure may be of: its kind, how sources name it, how people ask for it (patterns).

    Of a limit, words like 最高 or 至少 are part of the name and no bound.
    """

    name: str
    kind: str
    named: str
    asked: str
    is_limit: bool = False


class Rule(Value):
    """A question with a few answers: how people ask it, and how sources give each.

    Of an `either` rule a clause gives the first answer whose words it holds: 无需办理备案 holds 需办理备案. A `which`
    rule may be answered by several at once. An `open` rule is an `either` that fits any matter.
    `decides` is the dimension that the answer is a value of, and so no part of its scope.
    """

    name: str
    asked: str
    answers: tuple[str, ...]
    form: Literal["either", "which", "open"] = "either"
    decides: str | None = None


# Of a kind, the more special name stands first. The last of a kind is what a figure is of that nothing names.
ASPECTS = (
    Aspect(
        "起付线",
        "amount",
        named=r"起付(?:线|标准|金额)?|门槛费|免赔额",
        asked=r"起付(?!线?(?:以上|[以之]?后))|门槛|免赔",
        is_limit=True,
    ),
    Aspect("缴费基数", "amount", named=r"缴费基数(?:[上下]限)?", asked=r"基数", is_limit=True),
    Aspect(
        "封顶线",
        "amount",
        named=r"(?:最高)?支付限额|限额|封顶线?|上限|最[高多][可能]?(?:支付|报销|补助|给付|报)?|不超过",
        asked=r"限额|封顶|上限|最[高多]|额度",
        is_limit=True,
    ),
    Aspect(
        "缴费标准",
        "amount",
        named=r"[缴交][费纳](?:标准|金额)?|每[人月年][^，。]{0,4}[缴交]|保费",
        asked=r"[交缴].{0,4}(?:多少|几)(?!个?月|年|天)|缴费标准|保费",
        is_limit=True,
    ),
    Aspect(
        "报销金额",
        "amount",
        named=r"报销|补贴|津贴|补助|给付|支付|定额",
        asked=r"(?:报销?|[补领]|津贴|补贴|支付).{0,4}(?:多少|几[百千万]?)(?:钱|元)|补[贴助]?多少|津贴多少|定额",
    ),
    Aspect("划入金额", "amount", named=r"划入|计入|划拨|返还", asked=r"[划打返][入进给拨]?.{0,4}(?:多少|几)"),
    Aspect("缴费比例", "ratio", named=r"[缴交]费(?:比例|费率)|费率", asked=r"缴费比例|费率"),
    Aspect(
        "自付比例",
        "ratio",
        named=r"(?:个人)?(?:自付|自负|负担|承担)(?:比例)?|自费|(?:个人|自己)支付",
        asked=r"自[付负]|个人(?:负担|承担|要?出)|自己[掏出付]|[降少]低?.{0,4}[多几]少?个?(?:百分)?[点成]",
    ),
    Aspect(
        "报销比例",
        "ratio",
        named=r"(?:基金)?(?:报销|支付|补助|给付|补偿)(?:比例|率)?",
        asked=r"(?<!缴费)比例|几成|百分|报销?[多几]|付多少|报销率|多少报",
    ),
    Aspect(
        "报销比例的增减",
        "change",
        named=r"(?:降低|下降|下调|减少|提高|上调|增加)",
        asked=r"(?:降|少|减|下调|提高|上浮)低?[了掉报]*(?:多少|几)|低多少|高多少|百分点|几个点",
    ),
    Aspect(
        "缴费时长",
        "period",
        named=r"连续(?:足额)?(?:参保)?缴[费纳]*|缴[费纳]?满|缴费年限|等待期|(?:开始)?生效|[起后][就即才方]?(?:可以?|能)?享受|恢复",
        asked=r"连[续着]?.{0,2}[缴交]|[缴交][费纳]?(?:满|够|足|多久|几个?月|上)|等待期|生效|恢复|开始.{0,6}报|多久.{0,4}能?报",
        is_limit=True,
    ),
    Aspect("有效期", "period", named=r"有效(?:期限?)?", asked=r"有效|失效|[能可]?管(?:多久|几)", is_limit=True),
    Aspect(
        "办理时限",
        "period",
        named=r"办[结完]|办理(?:时限|时间)|审核|到账|拨付|发放|打款|转移|完成",
        asked=r"(?:[办审转]|到账).{0,8}(?:多久|多长|几天|工作日)|(?:多久|多长|几天|工作日).{0,8}(?:[办审转接]|到账|[打拨付]款|打钱|下来)",
        is_limit=True,
    ),
    Aspect(
        "报销时限",
        "period",
        named=r"(?:出院|就诊|结算|费用发生|入院|分娩)(?:之日)?[之以]?[后起]",
        asked=r"时限|期限|过期|(?:多久|几天).{0,2}[之以]?内|最[晚迟].{0,4}(?:什么时候|何时|多久|几)",
        is_limit=True,
    ),
    Aspect(
        "期限",
        "period",
        named=r"(?!)",
        asked=r"多久|多长时间|什么时候|何时|几时|(?:几|多少)个?(?:工作日|[天日月年])",
        is_limit=True,
    ),
    Aspect("日期", "date", named=r"(?!)", asked=r"什么时候|何时|哪天|几月|几号|日期|截止|截至"),
    Aspect("电话", "phone", named=r"(?!)", asked=r"电话|热线|号码"),
    Aspect("数量", "count", named=r"(?!)", asked=r"(?:几|多少)个?[家个次所座档种名人位项倍类]", is_limit=True),
)
_KINDS = {kind: [a for a in ASPECTS if a.kind == kind] for kind in dict.fromkeys(a.kind for a in ASPECTS)}
UNNAMED = {kind: known[-1] for kind, known in _KINDS.items() if kind != "amount"}
NAMED = {
    kind: re.compile("|".join(f"(?P<a{n}>{a.named})" for n, a in enumerate(ASPECTS) if a.kind == kind))
    for kind in _KINDS
}
NAMED_BY = {aspect.name: re.compile(aspect.named) for aspect in ASPECTS}
RULES = (
    Rule(
        "备案",
        asked=r"[要用需得须].{0,6}备案|备不备案|备案.{0,6}(?:吗|(?<![什怎])么|不)",
        answers=(
            r"(?:无[需须]|不需要?|不[用必]|免|(?:已|全面)取消|取消了|视[同为](?:已经?)?)(?:于|予|去|再|另行|提前|事先)*(?:办理?|申请|做)?(?:异地|就医|跨省|转诊|长期|居住|临时|外出|的|手续)*备案",
            r"(?:[需须先]|应当?|(?<!主)要)[^，。；：]{0,16}备案|^(?:\d+[.、]\s*)?先?办[理好]?[^，。；：]{0,8}备案|备案(?:手续|登记)?[以之]?[后才]",
        ),
    ),
    Rule(
        "直接结算",
        asked=r"(?:直接|当场|现场|即时|联网|能).{0,8}[结刷]|[要得需先用].{0,6}垫(?!付?[后了的])|自己.{0,6}垫(?!付?[后了的])"
        r"|[卡码](?=[在到去]).{2,8}[能可好](?:不能|不可)?以?使?用",
        answers=(
            r"(?:(?<!不)可以?(?!能)|(?<![不可])能够?|实现|(?<!不)支持)[^，。；]{0,12}(?:(?:直接|即时|联网)[^，。；]{0,2}结算|刷|扫码)(?![^，。；]{0,6}的)|互[通认]|(?:无[需须]|不[用必再]|不需要?)[^，。；]{0,6}垫",
            r"(?:(?<!不)[需要]|须|只能|由)[^，。；]{0,10}垫[付钱]|(?:无法|不能|不可以?|不支持)[^，。；]{0,8}(?:直接(?:结算|使用)|刷卡)",
        ),
    ),
    Rule(
        "异地使用",
        asked=r"全国.{0,4}(?:通用|能用|都能)|只能.{0,8}用|(?:(?:别的|外|异)(?:城市|地方|省|地)|跨[省市]).{0,4}用",
        answers=(
            r"[只仅][能可限][^，。；]{0,4}(?:参保|本地|当地|本[省市]|统筹区)|[外异]地[^，。；]{0,4}(?:不能|无法)使?用",
            r"全国[^，。；]{0,6}(?:通用|可以?使用|能使?用|互通)|(?:[外异]地|跨[省市])[^，。；]{0,4}(?:可以?|能)使?用",
        ),
    ),
    Rule(
        "全额报销",
        asked=r"全额|百分之?百|全报|全部.{0,2}报|一分.{0,2}不",
        answers=(
            r"按[^，。；]{0,6}比例[^，。；]{0,4}(?:报销|支付)|部分自付|自付一定比例",
            r"(?:全额|全部|百分之?百|100%)(?:予以)?(?:报销|支付)",
        ),
    ),
    Rule(
        "由谁办理",
        asked=r"[由让]谁.{0,3}[去来]?[办申领代]|谁(?:来|去|可以|能)?(?:办|申|领|代)"
        r"|(?:单位|公司|医院|学校|社区).{0,4}还是.{0,4}(?:自己|本人|个人)|(?:自己|本人|个人).{0,4}还是.{0,4}(?:单位|公司|医院|学校|社区)",
        answers=(
            r"(?:由|向|须|需)[^，。；]{0,2}单位[^，。；]{0,6}(?:申[请领]|办理|代办)",
            r"(?:由|向|须|需)[^，。；]{0,6}(?:医院|医疗机构|学校|社区)[^，。；]{0,6}(?:申[请领]|办理|代办)",
            r"(?<!无需)(?<!不需要)(?<!不用)(?:本人|个人|自行)[^，。；]{0,6}(?:申[请领]|办理)",
        ),
        form="which",
        decides="insured_type",
    ),
    Rule(
        "到账账户",
        asked=r"(?:[打汇转发拨]|到账).{0,6}(?:哪|什么|谁)",
        answers=(
            r"[打汇转发拨划存][^，。；]{0,16}(?:社保卡|医保卡|社会保障卡|医保账户)",
            r"[打汇转发拨划存][^，。；]{0,16}(?:银行卡|银行账户|存折)",
        ),
        form="which",
    ),
    Rule(
        "执行哪里的规定",
        asked=r"(?:就医地|参保地).{0,4}还是|按(?:照)?哪[里个儿边]|看哪边",
        answers=(r"(?:按|执行|适用|以)[^，。；]{0,4}就医地", r"(?:按|执行|适用|以)[^，。；]{0,4}参保地"),
        form="which",
    ),
    Rule(
        "办理渠道",
        asked=r"(?:线上|网上|手机|APP|窗口|现场).{0,8}(?:吗|(?<![什怎])么)|(?:能|可以|能不能)(?:在)?(?:线上|网上|手机)|线上还是|线下还是",
        answers=(
            r"(?:只能|[只仅]限|必?须|限)[^，。；]{0,10}(?:窗口|现场|线下)|(?:不支持|不能|无法)[^，。；]{0,4}(?:线上|网上)",
            r"(?:可以?|能|支持|通过)[^，。；]{0,16}(?:线上|网上|APP|小程序|手机|网站)",
        ),
        decides="channel",
    ),
    Rule(
        "能否",
        asked=r"可不可以|是否(?:可以|能)|能否|(?:可以|能|给).{0,16}(?:吗|(?<![什怎])么|不(?:$|[？?，]))|[出管][吗么]|(?P<verb>[^不要用需])不(?P=verb)|[^要吗么]{2}报.{0,2}[吗么]",
        answers=(
            r"(?<!并非)(?<!不是)不(?:可以?|能)(?!抗|避)|不得(?!不)|无法|不(?:允许|支持|予|给|享受|属于|包[括含]|报|支付|承担|负担|[纳列]入|再[^要需])|未(?:[纳列]入|开通|实现|放开)|[尚暂]未|(?:属于?|均?为|是)自费|自费(?:项目|药)|不在[^，。；]{1,12}(?:范围|之列)|禁止|严禁",
            r"可以|(?<![功性只])能(?!否|力)|(?<![不许认])可(?![能行靠是])|允许|支持|[纳列]入|予以|享受|属于|通用|包[括含]|由[^，。；]{0,4}(?:基金|医保|统筹)[^，。；]{0,2}(?:支付|承担|报销)",
        ),
        form="open",
    ),
    Rule(
        "是否需要",
        asked=r"要不要|需不需要|用不用|是否(?:需要|必须)|(?:需要|必须|一定要|[要用]).{1,12}(?:吗|(?<![什怎])么|不)(?:$|[？?，])",
        answers=(
            r"无[需须]|毋[需须]|不需要?|不[用必]|不再|不要求|免(?=[交缴备提收带予于])|非必[需要须]|(?:已|全面)?取消(?!后)|不强制|自愿",
            r"(?<![供])需(?!求)|须|必[须需]|要求|(?<![相对反])应当?(?![用急])|要(?![是么求点素])|(?:^|[，；：时])(?:提供|提交|出示|携带)",
        ),
        form="open",
    ),
)
# Who asks just how long may be told so by the words of any period.
_PERIODS = frozenset(aspect.name for aspect in _KINDS["period"])
OPEN = frozenset(rule.name for rule in RULES if rule.form == "open")
WHICH = frozenset(rule.name for rule in RULES if rule.form == "which")


def aspect_called(name: str) -> Aspect:
    """The aspect of that name."""
    return next(aspect for aspect in ASPECTS if aspect.name == name)


def rule_called(name: str) -> Rule:
    """The rule of that name."""
    return next(rule for rule in RULES if rule.name == name)


def named_by(match: re.Match[str]) -> Aspect:
    """The aspect whose words a pattern of `NAMED` has found."""
    return ASPECTS[int(str(match.lastgroup)[1:])]


def asked_aspects(question: str) -> frozenset[str]:
    """The names of the figures and rules that a question asks for."""
    found = frozenset(known.name for known in (*ASPECTS, *RULES) if re.search(known.asked, question))
    return found | _PERIODS if found & _PERIODS == {UNNAMED["period"].name} else found


def plain(text: str) -> str:
    """`text` with one word for each everyday thing that has several, for comparison only."""
    for pattern, word in _SAME:
        text = pattern.sub(word, text)
    return same_words(text)


_SAME = tuple(
    (re.compile(words), word)
    for words, word in (
        (r"(未|没有?)(?:办理|进行|按规定|办)?", "未"),
        (r"看病|就诊|看医生", "就医"),
        (r"外地|外省市", "异地"),
        (r"买药|配药", "购药"),
        (r"爸爸?妈妈?|爹妈", "父母"),
        (r"岳父母|公婆", "配偶父母"),
        (r"老公|老婆|丈夫|妻子|爱人", "配偶"),
        (r"家里人|家人|家属|亲属", "家庭成员"),
        (r"生(?:小?孩子?|娃)|分娩", "生育"),
        (r"提取现金|提现|取出来", "取现"),
        (r"保健食品|营养品", "保健品"),
        (r"耗材", "材料"),
        (r"药房", "药店"),
        (r"转院|转外", "转诊"),
        (r"(?:缴纳?|(?<![提递社外成转])交[纳钱]?(?=[^易通给]|$))费?", "缴费"),
        (r"种牙", "种植牙"),
        (r"急救车", "救护车"),
        (r"个账", "个人账户"),
        (r"网上|在线", "线上"),
        (r"零星报销", "手工报销"),
        (r"落户|上户口|户口", "户籍"),
        (r"宝宝|婴儿|刚出生的孩子", "新生儿"),
        (r"中断(?:缴费)?|断保", "断缴"),
        (r"医疗机构", "医院"),
        (r"(?<!直接)支付|给付|补偿|报(?=不报|[多几吗么]|$)", "报销"),
    )
)
