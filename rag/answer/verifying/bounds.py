"""How a figure is open: 不低于60% and 60%以上 go up from it, 最高60% and 60%以内 down to it.

Knows the words of bounds and of ranges, and from where they reach a figure. Whether a claim's bound agrees with its
evidence's is the job of `binding`.
"""

from __future__ import annotations

import re
from typing import Literal

Direction = Literal["", "up", "down"]

# A noun or an adverb says how a figure is open from afar, a verb only right before it.
_BOUNDS: tuple[tuple[Direction, re.Pattern[str], re.Pattern[str]], ...] = (
    (
        "up",
        re.compile(r"不低于|不少于|至少|最低|最少|最短|最小|下限|起码|超过多少|满多少|起付线?|起报"),
        re.compile(
            r"(?:不小于|不早于|不(?:会|能|得|可|应)?(?:低于|少于|短于|低过|少过)|[>≥]=?|(?<![不未没])(?<!不[会能得可应])(?:超过|超出|高于|多于|大于|达到|突破|高出|过了|超)|起步就?[得要]?|(?<![不未没])(?<![不未没][缴交付])满|[花用交缴][到够]|自|从)"
            r"[了到为是：:约人民币]*$"
        ),
    ),
    (
        "down",
        re.compile(r"不高于|不超过|至多|最高|最多|最长|最大|上限|封顶线?|限额|额度|高达"),
        re.compile(
            r"(?:[未没]有?超[过出]|不(?:会|能|得|可|应)?(?:超[过出]|高于|多于|大于|长于|晚于|迟于|高过|多过)|[<≤]=?|(?<!不)(?:低于|少于|小于|短于)|[不未没]有?[缴交付]?满|不足|[不未没]有?到|"
            r"达不到|[未没]有?达到?|不够)[了到为是：:约人民币]*$"
        ),
    ),
)
_AFTER: tuple[tuple[Direction, re.Pattern[str]], ...] = (
    ("up", re.compile(r"[)）]?[及或（(]?(?:以上|起(?!付)|以后|之后|后|[以之开]外)")),
    ("down", re.compile(r"[)）]?[及或（(]?(?:以下|以内|之内|内|封顶|为限|为上限|之前|前|以前)")),
)
_SAID_AFTER: tuple[tuple[Direction, re.Pattern[str]], ...] = (
    ("up", re.compile(r"^[可能会或]*[是为]?[^，。；]{0,6}?(?:起付线?|下限|起报)|^的最[低少]")),
    ("down", re.compile(r"^[可能会或]*[是为]?[^，。；]{0,6}?(?:封顶线?|上限|限额)|^的最[高多]")),
)
_WEAK = re.compile(
    r"[到够]|上限|下限|封顶|达到|满(?!多少)|自|从|过了|起付|起报|超过多少|起|以后|之后|后|以内|之内|内|限额|额度|为限|之前|前|以前|突破|高达"
)
_AT_LEAST = re.compile(r"(?:最少|至少|起码|不少于)$")
_LATER = re.compile(r"[以之]?后")
_RANGE_LEFT = re.compile(r"(?:至|到|-|~|—|–|以上)+$")
_RANGE_RIGHT = re.compile(r"(?:至|到|-|~|—|–)")
_CLAUSE = re.compile(r"[，。；;,]")


def bound(before: str, after: str) -> tuple[Direction, bool]:
    """Which way a figure is open, and whether a word says so expressly.

    `before` and `after` are the text around the figure, up to the next figures.
    """
    if _RANGE_RIGHT.match(after):
        return "up", False
    if before and _RANGE_LEFT.fullmatch(before):
        return ("up" if _LATER.match(after) else "down"), False
    clause = _CLAUSE.split(before)[-1]
    for direction, pattern in _AFTER:
        if match := pattern.match(after):
            if _WEAK.search(match.group()):
                return _right_before(clause) or direction, False
            return direction, True
    return _said_before(clause) or _said_after(after) or _said_before(before) or ("", False)


def _right_before(clause: str) -> Direction | None:
    """未超过1300元后 says less and 最少3天内 more, whatever 后 and 内 say of a period."""
    if _AT_LEAST.search(clause):
        return "up"
    return next((direction for direction, _, close in _BOUNDS if close.search(clause)), None)


def _said_before(before: str) -> tuple[Direction, bool] | None:
    hits = [
        (match.end(), direction, match.group())
        for direction, afar, close in _BOUNDS
        for match in (*afar.finditer(before), *close.finditer(before))
    ]
    if not hits:
        return None
    _, direction, word = max(hits)
    return direction, not _WEAK.search(word)


def _said_after(after: str) -> tuple[Direction, bool] | None:
    for direction, pattern in _SAID_AFTER:
        if pattern.match(after):
            return direction, False
    return None
