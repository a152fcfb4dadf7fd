"""How much of a claim's wording its evidence carries, and which hedges of the evidence the claim dropped.

Knows words and their synonyms, not what they bind to: that is the job of `binding`.
"""

from __future__ import annotations

import re
import unicodedata

from rag.answer.verifying.problems import Problem
from rag.answer.verifying.slots import slots
from rag.answer.verifying.wording import words
from rag.text import fold

_SENTENCE_END = re.compile(r"[。！；!;\n]")
_CLAUSE_END = re.compile(r"[，。；：！？,;:!?\n]")
_QUESTION = re.compile(r"[？?]|[吗呢]\s*$|^(?:怎么|如何|为什么)")
_HEDGE = re.compile(
    r"可能(?!性)|或许|也许|大概|大约|不一定|未必|一般(?!诊|疾|险|人|保|贫)|通常|原则上|往往|大多|多数|多为|常见|有些|有的|部分(?!负担|自付|费用)|"
    r"某些|一些|个别|例如|比如|譬如|举例|约(?!定|束)|左右|或(?=许|会|将)"
)
_POSSIBLE = re.compile(r"可能(?!性)|或许|也许|不一定|未必")
_SHORTEST = 4
_SHORT = 24
_ALIKE = 0.7
_HAN = re.compile(r"[\u4e00-\u9fffA-Za-z]")
_STOP = frozenset(
    (
        "的 了 是 在 有 和 与 要 能 会 就 都 也 还 可以 把 被 给 对 从 等 为 以 及 其 该 此 这 那 这个 那个 里 "
        "上 下 时 后 前 再 先 着 过 个 种 类 项 之 者 人 按 由 向 到 去 来 得 须 需 应 应当 必须 需要 能够 自己 "
        "时候 就是 的话 才 只 只要 如果 若 因 因为 所以 而 而且 并 并且 但 但是 不过 同时 另外 仍 仍然 均 已 "
        "已经 将 跟 让 用 使用 做 办理 进行 情形 一个 一种 包括 方式 以后 之后 并非 不 没 没有 无 未 无需 不能 "
        "无法 不用 不必 或者 还是 比较 相关 有关 具体 主要 其中 属于 算 管 花 钱 费用 比如 超过 "
        "高于 多于 大于 低于 少于 小于 晚于 不到 它 他 她 您 我们 什么 "
        "怎么 多少 哪些 如何 行 不行 可 不可"
    ).split()
)
# Shares of what a claim says, weighed by length, that its evidence has to carry. Fitted on development pairs.
MIN_SUPPORT = 0.48
MIN_SENTENCE_SUPPORT = 0.36
MIN_ITEM_SUPPORT = 0.28
_PARTLY = 0.6
_SHORTEST_ITEM = 4
_BETWEEN_ITEMS = re.compile(r"、|以及|和|与|及|或者?")


def unsupported(claim: str, told: str) -> list[Problem]:
    """The claim, or a sentence of it, if too little of its wording stands in the evidence."""
    if _QUESTION.search(claim.strip()):
        return [Problem("unsupported", "a question is no claim")]
    if not told.strip():
        return [Problem("unsupported", claim)]
    if (share := support(claim, told)) < (MIN_SUPPORT if len(claim) >= _SHORT else MIN_SENTENCE_SUPPORT):
        return [Problem("unsupported", f"{share:.2f} of its wording stands in the evidence")]
    if strange := [item for item in _items(claim) if support(item, told) < MIN_ITEM_SUPPORT]:
        return [Problem("unsupported", item) for item in strange]
    parts = [part for part in _SENTENCE_END.split(claim) if sum(len(own) for _, own in _content(part)) >= _SHORTEST]
    return [Problem("unsupported", part) for part in parts if support(part, told) < MIN_SENTENCE_SUPPORT]


def _items(claim: str) -> list[str]:
    """What the claim lists: a thing named beside true ones is not true for it."""
    lists = [clause for clause in _CLAUSE_END.split(claim) if "、" in clause]
    items = [item for clause in lists for item in _BETWEEN_ITEMS.split(clause)]
    return [item for item in items if sum(len(own) for _, own in _content(item)) >= _SHORTEST_ITEM]


def support(claim: str, told: str) -> float:
    """The share of the claim's content words that stand in the evidence, as such, as a synonym, or in part; 0 to 1."""
    key = fold(told)
    known = {word for word, _, _ in words(told)}
    content = _content(claim)
    total = sum(len(word) for word, _ in content)
    return sum(len(word) * _carried(word, own, known, key) for word, own in content) / total if total else 1.0


def _content(text: str) -> list[tuple[str, str]]:
    """The content words without figures, each as its synonym and as it is written."""
    for slot in reversed(slots(text)):
        text = text[: slot.start] + "，" + text[slot.end :]
    folded = unicodedata.normalize("NFKC", text)
    pairs = [(word, fold(folded[start : start + length])) for word, start, length in words(folded)]
    return [(word, own) for word, own in pairs if own not in _STOP and word not in _STOP and _HAN.match(own)]


def _carried(word: str, own: str, known: set[str], key: str) -> float:
    if word in known or own in key or word in key:
        return 1.0
    characters = [character for character in own if character in key]
    return _PARTLY * len(characters) / len(own) if len(own) > 1 else 0.0


def hardened(claim: str, told: str) -> list[Problem]:
    """A hedge of the evidence that the claim dropped where it says the same: 可能降低10% is not 降低10%."""
    for clause in _CLAUSE_END.split(told):
        hedge = _POSSIBLE.search(clause)
        if hedge is None:
            continue
        hedged = clause[hedge.end() :]
        figures = {slot.key for slot in slots(clause)}
        for part in _SENTENCE_END.split(claim):
            if not _HEDGE.search(part) and figures <= {slot.key for slot in slots(part)} and _repeats(part, hedged):
                return [Problem("polarity", part, hedge.group())]
    return []


def _repeats(part: str, hedged: str) -> bool:
    return sum(len(own) for _, own in _content(hedged)) >= _SHORTEST and support(hedged, part) >= _ALIKE
