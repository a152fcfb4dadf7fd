"""Persons and bodies: a claim names none that its evidence does not name.

Knows by their last syllables which words name a person or a body, and which of them are one. Which of several that the
evidence names a claim speaks of is the job of `binding` and `alignment`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import rjieba

from rag.answer.verifying.problems import Problem
from rag.answer.verifying.wording import words
from rag.domain import Value

# What the dictionary's name of a person or a body ends with.
_PERSON = re.compile(r"人员|.*公众|.+(?:人士|[人者员民生师士户工妻妇亲友属童儿女母])$|家属|配偶|职工|邻居|同事|同学")
_BODY = re.compile(r".+(?:部门|机构|机关|单位|[局厅委署关])$|法院|银行|学校")
# What says only that a person or a body is meant; the name is what stands before it.
_HEAD = re.compile(
    r"(?:(?<!社会)(?:工作人员|从业人员|人员|人士|人群|对象|(?<=..)职工)|行政部门|主管部门|经办机构|部门|机构|机关|成员|[人者员局们])$"
)
_KINDS = frozenset("nljib")
_MODIFIERS = frozenset("nljibva")
# Whoever is spoken of may be called so; and words that only end like a name.
_ANYBODY = frozenset(
    (
        "人 人员 个人 本人 自己 他人 别人 患者 病人 参加人 参保人 当事人 申请人 消费者 市民 群众 公民 人民 工作人员 "
        "成员 家庭 对象 医疗机构 机构 部门 机关 单位 有关 相关 产生"
    ).split()
)
# One person or body under several names, on a line; each may be called by any of its line's names.
_SAME = """
老人 老年人 老年 高龄
子女 孩子 儿女 小孩 儿子 女儿
儿童 少儿 小孩 孩子 少年儿童
婴儿 新生儿 宝宝 婴幼儿
爱人 配偶 丈夫 妻子 夫妻 老公 老婆
家属 家人 亲属 家庭成员 近亲属
职工 员工 职员 雇员 工人 劳动者 从业人员
学生 在校生 就读 读书 上学
医生 医师 大夫
投保人 您 客户 投保单位
保险人 我们 本公司 保险公司 保险机构
受益人 领取人
成年人 成年 成人
警察 公安 派出所
社保 社会保险 社会保障
个体户 个体工商户
医保 医疗保障 医疗保险
残疾人 残疾 残障
"""


class Name(Value):
    """A person or a body as it is named, and by what it is told from others: 失业 of 失业人员."""

    shown: str
    core: str
    person: bool


def somebody(word: str) -> bool:
    """Whether a word is a name of a person or a body by its last syllables."""
    return bool(_PERSON.fullmatch(word) or _BODY.fullmatch(word))


def unknown(claim: str, told: str) -> list[Problem]:
    """Each person or body that the claim names and its evidence does not."""
    known = {word for word, _, _ in words(told)}
    return [
        Problem("person" if name.person else "qualifier", name.shown)
        for name in _names(claim)
        if not (_told(name.shown, told, known) or _told(name.core, told, known))
    ]


def _told(part: str, told: str, known: set[str]) -> bool:
    """Whether it stands in the evidence, as such or under another name."""
    chosen = words(part)[0][0]
    return part in told or chosen in known or any(other in told for other in _SAME_AS.get(part, ()))


@functools.lru_cache(maxsize=1024)
def _names(text: str) -> tuple[Name, ...]:
    tagged = [(str(word), str(kind)) for word, kind in rjieba.tag(text)]
    return tuple(name for i in range(len(tagged)) if (name := _name(tagged, i)))


def _name(tagged: Sequence[tuple[str, str]], i: int) -> Name | None:
    """The name that the i-th word is, or that it ends."""
    word, kind = tagged[i]
    if kind[0] not in _KINDS or not somebody(word):
        return None
    person, core = bool(_PERSON.fullmatch(word)), _HEAD.sub("", word)
    if not core and i and tagged[i - 1][1][0] in _MODIFIERS and len(tagged[i - 1][0]) > 1:
        return Name(tagged[i - 1][0] + word, tagged[i - 1][0], person)
    if {word, core} & _ANYBODY:
        return None
    return Name(word, core if len(core) > 1 else word, person)


def _table() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _SAME.split("\n"):
        for word in line.split():
            found.setdefault(word, []).extend(line.split())
    return found


_SAME_AS = _table()
