"""A claim against the evidence that it cites: every figure there, nothing turned, nothing added, nothing lost?

Knows how claim and evidence are compared. No language model is asked. What happens to a claim that
fails is the job of `answer.composing`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from rag import places, qualifiers
from rag.answer.verifying.slots import Slot, slots
from rag.domain import Value
from rag.text import bigrams, fold, same_words
from rag.tokens import topic_terms

ProblemKind = Literal[
    "number", "unit", "bound", "place", "person", "qualifier", "polarity", "date", "unsupported", "incomplete"
]

_NEGATION = re.compile(
    r"不(?!少于|低于|超过|同|限于|仅|足|良)|无需|无须|无法|没(?!收)有?|未|非(?!急诊|定点|公立|营利)|除外|禁止|拒绝|免(?=备案|缴)"
)
_HEDGES = tuple(
    re.compile(words)
    for words in (
        "可能|或许|也许",
        "一般|通常|原则上|往往|大多",
        "部分(?!负担|自付|费用)|有些|某些|一些|个别",
        "例如|比如|譬如|举例|某地",
        "约(?!定)|左右|大概|大约",
        "因地区|各地|以当地|以参保地",
        "可以|可(?=在|凭|持|到|向|由|按|经|通过|直接|选择)|允许|能够",  # a permission is no duty and no fact
    )
)
_CLAUSE_END = re.compile(r"[，。；！？,;!?\n]")
_SENTENCE_END = re.compile(r"[。！；!;\n]")
_SHORTEST_CLAUSE = 4
_MIN_ALIKE = 0.4
_QUESTION = re.compile(r"[？?]|[吗呢]\s*$|^(?:怎么|如何|为什么)")
_NO_NEED = re.compile(r"无需|无须|不需要?|不用|不必")
_AT_LEAST = re.compile(r"不低于|不少于|至少|最低|最少|以上|起码|大于|(?<!不)(?:超过|多于|高于)")
_AT_MOST = re.compile(r"不高于|不超过|不多于|至多|最高|最多|以内|以下|上限|封顶|小于|不满|未满|(?<!不)(?:低于|少于)")
_NAMES = frozenset({"phone", "document", "url"})
_LEADING = re.compile(r"[\d.]+")
_ALIGNED_KINDS = ("ratio", "amount")
_PERSON_DIMENSIONS = frozenset({"insured_type", "employment"})
_STRICT_KINDS = frozenset({"ratio", "amount", "period", "age", "count", "date", "phone", "document", "url"})
# Shares of a claim's topic terms that must stand in its evidence, and of the evidence's that a rewording keeps.
MIN_SUPPORT = 0.85
MIN_SENTENCE_SUPPORT = 0.7
MIN_KEPT = 0.3
MIN_KEPT_WHOLE = 0.75


class Problem(Value):
    """What is wrong with a claim: the part of it, and what the evidence has there."""

    kind: ProblemKind
    claim: str
    evidence: str = ""


def check(claim: str, evidence: Sequence[str], title: str = "") -> tuple[Problem, ...]:
    """Everything in `claim` that its evidence (with the title path above it) does not carry; empty when it stands."""
    claim, told, title = same_words(claim), same_words("\n".join(evidence)), same_words(title)
    problems = [
        *_figures(claim, told),
        *_order(claim, told),
        *_bounds(claim, told),
        *_scopes(claim, told, title),
        *_places_moved(claim, told, title),
        *_polarity(claim, told),
        *_support(claim, told, title),
    ]
    return tuple(problems)


def completeness(
    claim: str, evidence: Sequence[str], question: str, title: str = "", *, whole: bool = False
) -> tuple[Problem, ...]:
    """What a rewording of the evidence lost or brought in.

    It may drop words, never a figure, a hedge or a group, and it has no content word of its own: 可以反复用 would
    otherwise pass where the evidence says 只能使用一次. With `whole` most of the evidence has to be kept.
    """
    claim, told, title = same_words(claim), same_words("\n".join(evidence)), same_words(title)
    around = fold(told + title)
    if novel := [term for term in _words(claim) if len(term) > 1 and term not in around]:
        return tuple(Problem("unsupported", term) for term in novel)
    if hardened := _hardened(claim, told):
        return tuple(hardened)
    own = [slot.key for slot in slots(claim) if slot.kind in _STRICT_KINDS]
    wanted = [slot for slot in slots(told) if slot.kind in _STRICT_KINDS]
    lost = tuple(Problem("incomplete", "", _shown(told, slot)) for slot in wanted if slot.key not in own)
    if lost:
        return lost
    if own != [slot.key for slot in wanted if slot.key in own] and len(own) > 1:
        return (Problem("incomplete", "the order of figures differs"),)
    own_groups, groups = qualifiers.mentioned(claim), qualifiers.mentioned(told)
    if qualifiers.excluded(qualifiers.mentioned(question), own_groups):
        return (Problem("person", "speaks of others than those asked about"),)
    for dimension, values in groups.items():
        missing = values - own_groups.get(dimension, frozenset())
        if len(values) > 1 and missing:  # what tells two rules apart must stay with them
            return (Problem("incomplete", "", "、".join(sorted(missing))),)
    kept = _share(topic_terms(told), claim)
    return (
        ()
        if kept >= (MIN_KEPT_WHOLE if whole else MIN_KEPT)
        else (Problem("incomplete", f"keeps {kept:.2f} of the evidence"),)
    )


def _figures(claim: str, told: str) -> list[Problem]:
    there = slots(told)
    keys = {slot.key for slot in there}
    values = {_magnitude(_shown(told, slot)): slot for slot in there if slot.kind not in _NAMES}
    problems = []
    for slot in slots(claim):
        if slot.key in keys:
            continue
        other = None if slot.kind in _NAMES else values.get(_magnitude(_shown(claim, slot)))
        kind: ProblemKind = "date" if slot.kind == "date" else "unit" if other else "number"
        problems.append(Problem(kind, _shown(claim, slot), _shown(told, other) if other else ""))
    return problems


def _magnitude(shown: str) -> str:
    """A figure without its unit: 3 of 3个工作日."""
    match = _LEADING.match(shown)
    return match.group() if match else shown


def _order(claim: str, told: str) -> list[Problem]:
    """Figures that change places change whose they are: 在职85%、退休90% is not 在职90%、退休85%."""
    for kind in _ALIGNED_KINDS:
        own = [slot.value for slot in slots(claim) if slot.kind == kind]
        there = iter(slot.value for slot in slots(told) if slot.kind == kind)
        if len(own) > 1 and not all(value in there for value in own):
            return [Problem("qualifier", "、".join(own), "the same figures in another order")]
    return []


def _bounds(claim: str, told: str) -> list[Problem]:
    """不低于 turned into 不超过, or put where the evidence has the other."""
    problems = []
    for bound, opposite in ((_AT_LEAST, _AT_MOST), (_AT_MOST, _AT_LEAST)):
        if (own := bound.search(claim)) and not bound.search(told) and (there := opposite.search(told)):
            problems.append(Problem("bound", own.group(), there.group()))
    return problems


def _scopes(claim: str, told: str, title: str) -> list[Problem]:
    around = title + "\n" + told
    problems: list[Problem] = []
    named = places.find(around)
    strange = [p for p in places.find(claim) if not any(own == p or own in places.within(p) for own in named)]
    problems += [Problem("place", place, "、".join(named)) for place in strange]
    there = qualifiers.mentioned(around)
    for dimension, values in qualifiers.mentioned(claim).items():
        missing = values - there.get(dimension, frozenset())
        if missing:
            kind: ProblemKind = "person" if dimension in _PERSON_DIMENSIONS else "qualifier"
            problems.append(Problem(kind, "、".join(sorted(missing)), "、".join(sorted(there.get(dimension, ())))))
    return problems


def _places_moved(claim: str, told: str, title: str) -> list[Problem]:
    """What a place is said of must be said of it in the evidence: 杭州的三甲医院 is not 宁波的三甲医院.

    The words behind each place are looked for in the clauses that hold most of them. A clause that names no place
    goes on about that of the clause before it.
    """
    there = _placed_clauses(told, title)
    problems = []
    for clause in _CLAUSE_END.split(claim):
        mentions = places.located(clause)
        for n, (place, _, end) in enumerate(mentions):
            said = topic_terms(clause[end : mentions[n + 1][1] if n + 1 < len(mentions) else len(clause)])
            alike = [(sum(term in text for term in said), named) for text, named in there]
            most = max((shared for shared, _ in alike), default=0)
            if 2 * most < len(said) or not said:
                continue  # too little in common to tell; support is another check
            of = [named for shared, named in alike if shared == most]
            if all(named and not any(places.related(place, other) for other in named) for named in of):
                problems.append(Problem("place", place, "、".join(dict.fromkeys(p for named in of for p in named))))
    return problems


def _placed_clauses(told: str, title: str) -> list[tuple[str, tuple[str, ...]]]:
    """The evidence's clauses, folded, each with the places that it is about."""
    found = []
    about = places.find(title)
    for clause in _CLAUSE_END.split(told):
        about = places.find(clause) or about
        found.append((fold(clause), about))
    return found


def _polarity(claim: str, told: str) -> list[Problem]:
    """Each clause of the claim against the clause of the evidence that is most like it: 无法取现 is not 可以取现."""
    problems = []
    claim, told = _NO_NEED.sub("无需", claim), _NO_NEED.sub("无需", told)
    there = [(clause, bigrams(clause)) for clause in _clauses(told)]
    for clause in _clauses(claim):
        own, negations = bigrams(clause), len(_NEGATION.findall(clause))
        # Of clauses that are equally like, the one of the same polarity is what the claim says.
        shared, same, nearest = max(
            ((len(own & b), len(_NEGATION.findall(c)) == negations, c) for c, b in there), default=(0, True, "")
        )
        if shared >= _MIN_ALIKE * len(own) and not same:  # 没有备案的不予 has two
            problems.append(Problem("polarity", clause, nearest))
    if not problems and bool(_NEGATION.search(claim)) != bool(_NEGATION.search(told)):
        problems.append(Problem("polarity", claim, told))
    return problems


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE_END.split(text) if len(clause) >= _SHORTEST_CLAUSE]


def _hardened(claim: str, told: str) -> list[Problem]:
    """A hedge of the evidence that the claim dropped: 可能降低10% is not 降低10%."""
    return [
        Problem("polarity", "no " + hedge.pattern.split("|")[0], found.group())
        for hedge in _HEDGES
        if (found := hedge.search(told)) and not hedge.search(claim)
    ]


def _support(claim: str, told: str, title: str) -> list[Problem]:
    if _QUESTION.search(claim.strip()):
        return [Problem("unsupported", "a question is no claim")]
    share = _share(_words(claim), told + title)
    if share < MIN_SUPPORT:
        return [Problem("unsupported", f"{share:.2f} of its terms stand in the evidence")]
    # A sentence of its own invention must not hide behind true ones.
    sentences = [part for part in _SENTENCE_END.split(claim) if len(part) >= _SHORTEST_CLAUSE]
    alien = (part for part in sentences if _share(_words(part), told + title) < MIN_SENTENCE_SUPPORT)
    return [Problem("unsupported", part) for part in alien]


def _words(text: str) -> list[str]:
    """Topic terms without figures, bounds and words of need: those are compared by meaning, not by spelling."""
    plain = unicodedata.normalize("NFKC", text)
    for slot in reversed(slots(plain)):
        plain = plain[: slot.start] + "，" + plain[slot.end :]
    for other in (_NO_NEED, _AT_LEAST, _AT_MOST):
        plain = other.sub("，", plain)
    return topic_terms(plain)


def _share(terms: Sequence[str], text: str) -> float:
    key = fold(text)
    return sum(len(t) for t in terms if t in key) / sum(map(len, terms)) if terms else 1.0


def _shown(text: str, slot: Slot) -> str:
    return unicodedata.normalize("NFKC", text)[slot.start : slot.end]
