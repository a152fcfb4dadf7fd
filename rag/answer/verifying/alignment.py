"""A claim that nearly repeats a sentence of its evidence: which of its words took the place of which?

Knows how two sentences line up. It sees what no count of words sees, 故意或者过失 turned into 过失或者过失; sentences
that differ more are left to `binding`.
"""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Iterator, Sequence

from rag import places
from rag.answer.verifying import polarity
from rag.answer.verifying.mentions import DENYING, FIGURES, Statement
from rag.answer.verifying.names import somebody
from rag.answer.verifying.problems import Problem, kind_of
from rag.answer.verifying.wording import word_class, words
from rag.domain import Value

# The share of a claim's words that have to line up with one sentence. Fitted on development pairs.
MIN_ALIGNED = 0.75
_NEGATION = "negation"
_SHORT = 2
_TURNING = frozenset({"full", "exceed"})
_HEDGES = frozenset({"可能", "一般"})
# Classes of words in the dictionary: names and nouns, words of time and place, adjectives, distinctions (省级).
_NAMING = frozenset("nstfabjl")
_POSITIONS = frozenset("前后内外上下")
_LOOSE = frozenset({"need", _NEGATION})
_EMPTY = frozenset("的了着过之其该本此这那我您你他它等")
_LONGEST_NAME = 3
_LIGHT = frozenset("是 就 就是 并 也 都 又 还".split())


class _Token(Value):
    dimension: str
    value: str
    shown: str
    figure: bool = False
    compound: bool = False

    @property
    def key(self) -> str:
        return f"{self.dimension}={self.value}"

    @property
    def empty(self) -> bool:
        """Whether the word has no meaning of its own."""
        return not self.dimension and self.shown in _EMPTY

    @property
    def position(self) -> str:
        """前, 后, 内 or the like, if that is what the word says."""
        return self.shown[-1] if self.shown[-1] in _POSITIONS and self.dimension in {"", "order"} else ""

    @property
    def telling(self) -> bool:
        """Whether the word names something, or a position. Verbs have too many synonyms to be told apart."""
        if self.figure or self.dimension in _LOOSE:
            return False
        return bool(self.dimension or self.position) or (len(self.shown) > 1 and word_class(self.shown) in _NAMING)

    def excludes(self, other: _Token) -> bool:
        """Whether the one stands for something else than the other.

        Without the last syllables that both share they have none in common: 当月 and 次月, 财政部门 and 税务部门.
        """
        if self.position or other.position:
            return bool(self.position and other.position) and self.position != other.position
        if self.value == other.value or (self.dimension and self.dimension == other.dimension):
            return False  # `_exchanged` sees to words of one dimension
        own, its = _without_common_end(self.shown, other.shown)
        if self.compound or other.compound:  # only of phrases of a kind does one exclude the other
            of_a_kind = own != self.shown or (somebody(self.shown) and somebody(other.shown))
            return of_a_kind and min(len(own), len(its)) > 1 and not set(own) & set(its)
        return bool(own and its) and not set(own) & set(its)


def _without_common_end(one: str, other: str) -> tuple[str, str]:
    """What comes before the last syllables that both share: 财政 and 税务 of 财政部门 and 税务部门."""
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one, other


def substituted(claim: Statement, there: Sequence[Statement]) -> list[Problem]:
    """Words of the claim that stand where its evidence has others that exclude them."""
    own = _tokens(claim)
    other = max((_tokens(statement) for statement in there), key=functools.partial(_common, own), default=[])
    matcher = difflib.SequenceMatcher(None, [t.key for t in own], [t.key for t in other], autojunk=False)
    if sum(block.size for block in matcher.get_matching_blocks()) < max(1, MIN_ALIGNED * len(own)):
        return []
    if swapped := _reordered(own, other):
        return [swapped]
    hedged = any(token.value in _HEDGES for token in own)
    codes = [(own[a:b], other[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
    beforehand = any(token.position == "前" for mine, its in codes for token in (*mine, *its))  # 还没生效 is 生效前
    turns = _denials(own) % 2 != _denials(other) % 2 and not beforehand
    found = [
        problem
        for mine, its in codes
        for problem in (
            *_exchanged(mine, its, turns=turns),
            *(_denied(mine, its) if turns else ()),
            *_dropped(mine, its, hedged=hedged),
        )
    ]
    return found or [problem for mine, its in codes for problem in _replaced(mine, its, own, other)]


def _replaced(
    mine: Sequence[_Token], its: Sequence[_Token], own: Sequence[_Token], other: Sequence[_Token]
) -> Iterator[Problem]:
    """One name for another that is no synonym, while neither stands anywhere else in the two sentences."""
    brought, left = _name(mine), _name(its)
    if brought is None or left is None or not brought.excludes(left):
        return
    if brought.shown not in "".join(t.shown for t in other) and left.shown not in "".join(t.shown for t in own):
        yield Problem("qualifier", brought.shown, left.shown)


def _name(tokens: Sequence[_Token]) -> _Token | None:
    """The one name, of one word or of a few, that some words come to; words without meaning of their own aside."""
    told = [token for token in tokens if not token.empty]
    if len(told) == 1:
        return told[0] if told[0].telling else None
    if not 1 < len(told) <= _LONGEST_NAME or not told[-1].telling:
        return None
    if any(t.figure or t.dimension in _LOOSE or len(t.shown) == 1 for t in told):
        return None
    shown = "".join(token.shown for token in told)
    return _Token("", shown, shown, compound=True)


def _common(own: Sequence[_Token], other: Sequence[_Token]) -> int:
    return (Counter(token.key for token in own) & Counter(token.key for token in other)).total()


def _reordered(own: Sequence[_Token], other: Sequence[_Token]) -> Problem | None:
    """The same words, with the same figures in another order."""
    words_alike = [t.key for t in own if not t.figure] == [t.key for t in other if not t.figure]
    mine, its = [t.key for t in own if t.figure], [t.key for t in other if t.figure]
    if words_alike and mine != its and sorted(mine) == sorted(its):
        return Problem("qualifier", "the same figures in another order")
    return None


def _exchanged(mine: Sequence[_Token], its: Sequence[_Token], *, turns: bool) -> Iterator[Problem]:
    """Words that exclude each other. Where a denial turns the sentence, 满 and 不满 may stand for each other."""
    there = {token.dimension: token for token in its if token.dimension}
    for token in mine:
        other = there.get(token.dimension)
        if other is None or token.dimension == _NEGATION or (turns and token.dimension in _TURNING):
            continue
        if token.dimension == "place" and places.holds_in(other.value, token.value):
            continue  # a city's rule holds in its counties
        if all(own.value != token.value for own in its):
            yield Problem(kind_of(token.dimension), token.shown, other.shown)


def _denied(mine: Sequence[_Token], its: Sequence[_Token]) -> Iterator[Problem]:
    """A negation brought in, or left out, and nothing else there."""
    said = [token for token in (*mine, *its) if token.shown not in _LIGHT]
    if _denials(mine) % 2 != _denials(its) % 2 and len(said) <= _SHORT:
        yield Problem("polarity", "".join(t.shown for t in mine), "".join(t.shown for t in its))


def _dropped(mine: Sequence[_Token], its: Sequence[_Token], *, hedged: bool) -> Iterator[Problem]:
    """A hedge left out, and nothing else there."""
    if not mine and len(its) <= _SHORT and not hedged:
        yield from (Problem("polarity", "", token.shown) for token in its if token.value in _HEDGES)


def _denials(tokens: Sequence[_Token]) -> int:
    return sum(token.dimension == _NEGATION for token in tokens)


@functools.lru_cache(maxsize=1024)
def _tokens(statement: Statement) -> list[_Token]:
    text, tokens, done = statement.text, [], 0
    spans = [
        (item.start, item.end, item.dimension, item.value) for item in statement.found if item.value not in DENYING
    ]
    spans += [(start, end, _NEGATION, "-") for start, end in polarity.negations(text)]
    for start, end, dimension, value in sorted(spans, key=lambda s: (s[0], -s[1], s[2] not in _TURNING)):
        if start < done:
            continue
        tokens += _plain(text[done:start])
        figure = dimension in FIGURES
        tokens.append(_Token("" if figure else dimension, value, text[start:end], figure))
        done = end
    return tokens + _plain(text[done:])


def _plain(text: str) -> list[_Token]:
    return [_Token("", word, word) for word, _, _ in words(text) if any(c.isalnum() for c in word)]
