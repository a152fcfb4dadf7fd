"""A term typed with a character that sounds the same: 门珍 is 门诊.

Knows the terms that a question is searched by, and when what stands in it is no word of its own. Everyday names of
things are the job of `wording`.

People type Chinese by sound and pick a character, so that most slips are homophones; `pypinyin` (kept since 2012, the
standard of its field) tells what sounds the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import pypinyin
import rjieba

_TERMS = (
    "医保 社保 报销 备案 门诊 住院 急诊 转诊 异地 参保 缴费 断缴 补缴 结算 起付线 封顶线 统筹 津贴 生育 退休 职工 居民 "
    "自费 自付 发票 手续 药店 账户 比例 待遇 材料 经办 定点 目录 大病 慢病 救助 护理"
).split()


def respelled(text: str) -> str:
    """`text`, in simplified Chinese, with the terms in it that are one homophone off put right."""
    for start, term in _slips(text):
        text = text[:start] + term + text[start + len(term) :]
    return text


def _slips(text: str) -> Iterator[tuple[int, str]]:
    """Where a term is meant and not written: as many characters, one of them right, none of them part of a word."""
    single = _single(text)
    for term, sounds in _sounds().items():
        for start in range(len(text) - len(term) + 1):
            window = text[start : start + len(term)]
            if not all(single[start : start + len(term)]):
                continue
            right = sum(one == other for one, other in zip(window, term, strict=True))
            if right == len(term) - 1 and _sound(window) == sounds:
                yield start, term


def _single(text: str) -> list[bool]:
    """Of each character, whether the dictionary knows it here only by itself."""
    return [len(word) == 1 for word in rjieba.cut(text, hmm=False) for _ in word]


@functools.cache
def _sounds() -> Mapping[str, tuple[str, ...]]:
    return {term: _sound(term) for term in _TERMS}


def _sound(text: str) -> tuple[str, ...]:
    """Syllables without tones."""
    return tuple(pypinyin.lazy_pinyin(text))
