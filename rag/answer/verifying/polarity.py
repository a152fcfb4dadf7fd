"""Which words of a text are negated.

Knows how Chinese negates: the word before the verb, 无法, 未, 免. Whether a claim turned what its evidence says is the
job of `binding`.
"""

from __future__ import annotations

import re

from rag.answer.verifying.wording import words
from rag.domain import Value

_NEGATION = re.compile(
    r"不(?!(?:[同论仅只但管断过足良便时明幸服限]|满(?![足意])|少于|低于|超过|高于|多于|大于|短于|到(?=\d|[一二三四五六七八九十半])|"
    r"一[定样致]|定期|动产|可抗力))"
    r"(?:需要|须要|能够|可以|允许|准许|应当|应该|再|予以|予|得|能|可|会|准|许|必|用|须|需|应|是|属于|在)?|"
    r"无(?!锡|论|期|障碍|息|形|偿|线|记名|人机)(?:需|须|法|权|从)?|"
    r"(?:尚|从)?未(?!来|成年|婚|满|超)(?:能|经|曾)?|没(?!收|有?超|有?到(?=\d))(?:有|能)?|"
    r"非(?!常|法|洲|典)|免(?!疫|费|得)(?:于|予)?|勿|禁止|绝非"
)
_AFTERWARDS = re.compile(r"除外|例外|不在此列")
_END = re.compile(r"[，。；：！？,;:!?、\n）)]|的(?!话)|而|但|就|则|却|才|还|也|者")
_END_OF_NOUN = re.compile(r"[，。；：！？,;:!?、\n）)]")
_COPULAS = ("是", "属于", "在")
_LIGHT = frozenset(
    (
        "跨省 异地 省内 外地 "
        "在 是 能 会 可 要 得 予以 进行 到 去 来 把 被 由 向 对 给 将 先 直接 提前 先行 另外 再 另 重复 随意 必须 "
        "需要 能够 应当 基本 超过 医保 医疗 保险 基金 范围 规定 费用 情形 保险公司 有 已 已经 经 过 了 着 就 都 也 仍 "
        "还 才 办理 里 内 中 个人 自己 本人 任何 其他 同时 重新 从 用 使用 只 仅 的 地"
    ).split()
)
_SCOPE = 9


class Word(Value):
    """A content word: where it begins, and the number of the negation that denies it, if one does."""

    text: str
    start: int
    end: int
    denial: int | None = None


def content(statement: str) -> list[Word]:
    """The content words of a statement in order."""
    scopes = [_scope(statement, match) for match in _NEGATION.finditer(statement)]
    scopes += [(max(0, m.start() - _SCOPE), m.start()) for m in _AFTERWARDS.finditer(statement)]
    return [
        Word(
            word,
            start,
            start + length,
            next((n for n, (begin, end) in enumerate(scopes) if begin <= start < end), None),
        )
        for word, start, length in words(_NEGATION.sub(lambda match: "，" * len(match.group()), statement))
        if len(word) > 1 and word not in _LIGHT
    ]


def negations(statement: str) -> list[tuple[int, int]]:
    """Where the statement's negations stand."""
    return [match.span() for pattern in (_NEGATION, _AFTERWARDS) for match in pattern.finditer(statement)]


def negated(statement: str) -> bool:
    """Whether the statement has an odd number of negations."""
    return len(negations(statement)) % 2 == 1


def _scope(statement: str, match: re.Match[str]) -> tuple[int, int]:
    begin = match.end()
    stop = (_END_OF_NOUN if match.group().endswith(_COPULAS) else _END).search(statement, begin + 1)
    return begin, min(stop.start() if stop else len(statement), begin + _SCOPE)
