"""What kind of answer a question wants: a ratio, an amount, a period ..., or a list.

Knows question words and the shape of figures. What a figure means is the job of `answer.verifying`.
"""

from __future__ import annotations

import re

from rag.domain import Value

_LIST = re.compile(
    r"哪些|材料|流程|步骤|怎么|怎样|如何|咋|要带|手续|条件|方式|渠道|什么东西|程序|办法|途径|带啥|带什么"
)
_QUESTION_MARK = re.compile(r"[？?]")
_SEVERAL = re.compile(r"分别|各|以及|还有|另外")
# Not the year in a document's number: 〔2022〕22号.
_YEAR = re.compile(r"(?<![\d〔\[【(（])(?:19|20)\d{2}(?=年|\D|$)")
_COUNT = r"\d+\s*(?:多|余)?(?:家|个|次|所|座|项|档|种|市)"
# 几 as a question, not as a rough count: 要几天 asks, 住了几天 and 有几个月没交 tell; 哪几个 asks which.
_HOW_MANY = r"(?<![了过近前上这那好十哪第])(?<!还有)几(?!(?:天|个?月|年)(?:没|未|不))"
_HAN = r"[一二三四五六七八九十两半]"
_RATIO = r"\d\s*[%％]|[一二三四五六七八九]成|百分之"
_AMOUNT = r"\d\s*[万千百]?元"
_NO_AMOUNT = r"(?:没有|不设|无|取消)起付"


# Words of asking and telling: that they are not in a document says nothing.
SPOKEN = frozenset(
    (
        "我 我妈 我爸 我们 老婆 老公 爸 妈 听说 说 报 钱 多少 几 大概 最多 一般 请问 能报 能 医保 报销 看病 "
        "那个 这个 现在 怎么 什么 哪里 去 在 需要 可以 应该 一个 是不是 能不能 多久"
    ).split()
)


class AnswerType(Value):
    """A kind of figure: how it is asked for, and how it looks."""

    name: str
    asked: str
    shape: str


_TYPES = (
    AnswerType(
        "amount",
        rf"多少钱|多少元|{_HOW_MANY}[块百千万]|起付|封顶|限额|额度|上限|自付多少|掏多少|补贴多少|津贴多少|基数|花费"
        r"|费用是多少|[交缴花垫掏付]多少|一截是多少",
        rf"{_AMOUNT}|{_NO_AMOUNT}",
    ),
    AnswerType(
        "ratio",
        r"(?<!按)比例(?!会?(?:提高|降低|上升|下降|升|降|低|高))|几成|百分之(?:几|多少)|百分几|几个(?:百分)?点|费率|报销率",
        _RATIO,
    ),
    AnswerType(
        "paid", r"报(?:销)?多少|报(?:销)?几(?!成)|多少报|[付给]多少", rf"{_RATIO}|{_AMOUNT}|全额|不予支付|不能报"
    ),
    AnswerType(
        "period",
        rf"多久|多长|{_HOW_MANY}(?:天|个月|年|日|个工作日)|何时|什么时候|期限|有效期|时限|时间|哪年|哪天|月份|多少天|多少年"
        r"|截止",
        r"\d\s*(?:[-~至到]\s*\d+\s*)?(?:个)?(?:工作日|天|日|月|年|小时|周)|次月|当月|长期有效|即时"
        rf"|{_HAN}+(?:个?(?:月|年|工作日|小时)|天|日|周)",
    ),
    AnswerType("count", rf"(?:多少|{_HOW_MANY})[家次档种项所座]|多少个|{_HOW_MANY}个(?!百分|点|月|工作)", _COUNT),
    AnswerType("phone", r"电话|热线|号码", r"\d{5,}"),
)
_COMPILED = tuple((t.name, re.compile(t.asked), re.compile(t.shape)) for t in _TYPES)


def answer_types(question: str) -> frozenset[str]:
    """The kinds of figure that the question asks for; empty when it asks for none."""
    return frozenset(name for name, asked, _ in _COMPILED if asked.search(question))


def has_figure(text: str, types: frozenset[str]) -> bool:
    """Whether `text` holds a figure of one of the kinds."""
    return any(name in types and shape.search(text) for name, _, shape in _COMPILED)


def years(question: str) -> frozenset[str]:
    """The years that the question names."""
    return frozenset(_YEAR.findall(question))


def asks_one_thing(question: str) -> bool:
    """Whether one sentence can answer: neither a list nor several questions in one."""
    return not wants_list(question) and len(_QUESTION_MARK.findall(question)) <= 1 and not _SEVERAL.search(question)


def wants_list(question: str) -> bool:
    """Whether the question asks for materials, steps or ways."""
    return bool(_LIST.search(question))
