"""What a claim names against what its evidence names: is there its like, and does the evidence say this of it?

Knows when two mentions are alike and which of several in the evidence a claim's mention stands for. What a text names
is the job of `mentions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag import places
from rag.answer.verifying import polarity
from rag.answer.verifying.fit import SCOPES, STRICT, fits
from rag.answer.verifying.mentions import DENYING, FIGURES, POLARITY, POSITION, Mention
from rag.answer.verifying.missing import missing
from rag.answer.verifying.problems import Problem, kind_of
from rag.answer.verifying.wording import words

# Too common to be told apart by what stands around; seen where sentences line up.
_ALIGNED_ONLY = frozenset({"money", "copy", "exceed", "full"})
_BEFORE_VERBS = frozenset({"need"})
# A claim that names one of these, and its evidence only another that the claim leaves out, speaks of something else.
_EXCLUSIVE = frozenset(
    (
        "joining whose base authority "  # of rules
        "account payer threshold role near border city settling provider designated owner drug class tier "  # of care
        "insurance benefit money contract wait party fault cause harm severity penalty agent "  # of contracts
        "sex grown kin state "  # whose
        "times every day month year since length early above break transfer sum "  # when
        "order direction step most copy form usual sure"  # how
    ).split()
)
# When it counts: a claim may not name one where the evidence names none.
_DAYS = frozenset({"day", "month", "year"})
_GENERAL = "医疗保险"  # may stand for each of its kinds
# Fitted on development pairs: how well a mention has to fit to be the one meant, and how much better than another.
MIN_FIT = 0.3
FIGURE_MARGIN = 0.12
WORD_MARGIN = 0.3
DENIAL_MARGIN = 0.5


def turned(claim: Sequence[Mention], told: Sequence[Mention], titles: Sequence[Mention]) -> list[Problem]:
    """Each mention of the claim that the evidence does not carry."""
    by_dimension: dict[str, list[Mention]] = {}
    for mention in told:
        by_dimension.setdefault(mention.dimension, []).append(mention)
    found = []
    for mention in claim:
        rivals = by_dimension.get(mention.dimension, [])
        if mention.dimension in _ALIGNED_ONLY and (
            mention.dimension not in _EXCLUSIVE or any(_same(mention, other) for other in rivals)
        ):
            continue
        if mention.dimension.startswith(POLARITY):
            found.append(_denial(mention, claim, by_dimension))
            continue
        above = titles if mention.dimension in {"place", "date"} or (mention.dimension in STRICT and not rivals) else ()
        above = [title for title in above if title.dimension == mention.dimension]
        listed = [other for other in claim if other.text == mention.text and other.group == mention.group]
        named = frozenset(other.value for other in claim if other.dimension == mention.dimension)
        found.append(_problem(mention, rivals, above, told, listed, named))
    return [problem for problem in dict.fromkeys(found) if problem]


def _denial(mention: Mention, claim: Sequence[Mention], told: Mapping[str, Sequence[Mention]]) -> Problem | None:
    """A word that the claim denies and the evidence does not, or the other way round."""
    if mention.value.startswith("~"):
        return None
    if mention.value == "+":
        return _turned_denial(mention, told)
    beside = [other for other in claim if other.text == mention.text and other.value == mention.value]
    if mention is not beside[0]:
        return None
    problems = [(_turned_denial(other, told), other.dimension in told) for other in beside]
    if any(known and problem is None for problem, known in problems):
        return None
    return next((problem for problem, _ in problems[:2] if problem), None)


def _turned_denial(mention: Mention, told: Mapping[str, Sequence[Mention]]) -> Problem | None:
    rivals = told.get(mention.dimension, ())
    against = [other for other in rivals if _denies_the_other(mention, other)]
    if not against:
        return None
    fitting = fits(mention, rivals)
    like = [fitting[id(other)] for other in rivals if other not in against]
    unlike = max(fitting[id(other)] for other in against)
    if unlike > max(like) + DENIAL_MARGIN if like else unlike >= MIN_FIT:
        return Problem("polarity", mention.text, ("不" if mention.value == "+" else "") + mention.shown)
    return None


def _denies_the_other(mention: Mention, other: Mention) -> bool:
    """Whether one of two mentions of a word is denied, and its part of the statement with it."""
    opposite = {mention.value[0], other.value[0]} == {"+", "-"}
    if polarity.of_the_rest(other.text) and not polarity.of_the_rest(mention.text):
        return False
    return opposite and other.denied != mention.denied and not polarity.contraposed(mention.text, other.text)


def _may_stand_above(mention: Mention) -> bool:
    return mention.dimension == "place" or mention.dimension in STRICT or mention.dimension in _DAYS


def _problem(
    mention: Mention,
    rivals: Sequence[Mention],
    above: Sequence[Mention],
    told: Sequence[Mention],
    listed: Sequence[Mention],
    named: frozenset[str],
) -> Problem | None:
    same = [other for other in (*rivals, *above) if _same(mention, other)]
    like = [other for other in same if _open_alike(mention, other)]
    if not same and mention.dimension in FIGURES:
        return missing(mention, rivals, told)
    if same and not like:
        return Problem("bound", _shown(mention), _shown(same[0]))
    beside = {(other.text, other.group) for other in like}
    unlike = [
        o
        for o in rivals
        if o not in like and (o.text, o.group) not in beside and _in_place_of(mention, o)
        if all(o.value != other.value or o.bound != other.bound for other in listed if other is not mention)
    ]
    if like and (not unlike or _told_by_figure(mention)):
        return None
    fitting = fits(mention, [*like, *unlike])
    best = max(unlike, key=lambda other: fitting[id(other)], default=None)
    if not like:
        if mention.dimension == "since" and not _is_told(mention, told):
            return _named(mention, best)
        if _may_stand_above(mention):
            return _named(mention, best)
        if _is_exclusive(mention) and (left := [o for o in rivals if o.value not in named]):
            return _named(mention, best or left[0])
        return _named(mention, best) if best is not None and fitting[id(best)] >= MIN_FIT else None
    own = max(fitting[id(other)] for other in like)
    figure = best is not None and mention.dimension in FIGURES and best.value != mention.value
    margin = FIGURE_MARGIN if figure else WORD_MARGIN
    return _named(mention, best) if best is not None and fitting[id(best)] > own + margin else None


def _is_told(mention: Mention, told: Sequence[Mention]) -> bool:
    """Whether the evidence has the word at all from which something counts."""
    return any(mention.value == word for text in {o.text for o in told} for word, _, _ in words(text))


def _is_exclusive(mention: Mention) -> bool:
    return mention.value != _GENERAL and (mention.dimension in _EXCLUSIVE or mention.dimension.startswith(POSITION))


def _told_by_figure(mention: Mention) -> bool:
    """Whose a figure is, the figure tells."""
    return mention.dimension in SCOPES - {"place"} and bool({"ratio", "amount"} & mention.said_of.keys())


def _in_place_of(mention: Mention, other: Mention) -> bool:
    """Whether the other could stand where the mention does: dates as precise, other words beside the same words."""
    if mention.dimension == "date":
        return [p == "?" for p in mention.value.split("-")] == [p == "?" for p in other.value.split("-")]
    if mention.dimension in FIGURES or mention.dimension == "place":
        return True
    if mention.dimension == "change":
        return bool((mention.before | mention.behind) & (other.before | other.behind))
    if mention.dimension == "need" and mention.value in DENYING:
        return False  # `_denial` sees to these
    if mention.dimension in _BEFORE_VERBS:
        return bool(mention.behind & other.behind)
    if mention.dimension == "order":
        return bool(mention.before & other.before)
    return bool(mention.before & other.before or mention.behind & other.behind)


def _shown(mention: Mention) -> str:
    return {"": "", "up": "≥", "down": "≤"}[mention.bound[0]] + mention.shown


def _named(mention: Mention, other: Mention | None) -> Problem:
    return Problem(kind_of(mention.dimension), _shown(mention), _shown(other) if other else "")


def _same(mention: Mention, other: Mention) -> bool:
    if mention.dimension == "place":
        return places.holds_in(other.value, mention.value)
    if mention.dimension == "date":
        known = zip(mention.value.split("-"), other.value.split("-"), strict=True)
        return all(own in ("?", there) for own, there in known)
    if mention.dimension == "count":
        return _counted(mention.value) == _counted(other.value)
    return mention.value == other.value


def _counted(value: str) -> str:
    """家, 所 and 个 count alike; 次 and 倍 do not."""
    number = value.rstrip("家所座间处个种类项样件份条名人位")
    unit = value[len(number) :]
    return number + ("人" if unit in {"名", "人", "位"} else "个") if unit else value


def _open_alike(mention: Mention, other: Mention) -> bool:
    """Whether the bounds agree: none may be turned, an express one may be neither dropped nor brought in.

    A denial on one side turns the bound: 不满6个月不能享受 says what 满6个月可以享受 says.
    """
    if mention.dimension not in FIGURES or mention.bound[0] == other.bound[0]:
        return True
    if mention.bound[0] and other.bound[0]:
        if mention.refused != other.refused:
            return True
        turned_round = mention.unfulfilled and polarity.unmet(mention.text)
        return (turned_round or other.unfulfilled) and polarity.contraposed(mention.text, other.text)
    return not (mention.bound[1] or other.bound[1]) or mention.dimension in {"period", "count", "date", "number"}
