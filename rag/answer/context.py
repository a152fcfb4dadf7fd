"""Ranked units to what a model is shown: numbered lines below the headings of their sources, within a budget of tokens.

Knows the lines and their order. Which units bear on a question is the job of `retrieve.evidence`, which contradict each
other that of `conflicts`, and what a model is asked to do with them that of `drafting`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence

from rag import places, qualifiers
from rag.answer.conflicts import FoundConflict, conflict_units
from rag.answer.verifying.checking import check
from rag.answer.verifying.slots import slots
from rag.domain import Document, EvidenceUnit, Value
from rag.ports import Tokenizer
from rag.text import bigrams, same_words
from rag.tokens import topic_words

_TITLES_SHOWN = 2
# An answer draws on so many units at most: where they rank, the ranking is not corrected.
_FOREMOST = 5
# What of a document with sections stands in none.
_BEGINNING = "篇首"
# The share of pairs of characters, last titles included, that two units have in common which may say the same.
_ALIKE = 0.8


class Context(Value):
    """What a model is shown: the lines, and the units by their numbers, of which the first is 1.

    `tokens` are those of the lines with their line breaks.
    """

    units: tuple[EvidenceUnit, ...]
    lines: tuple[str, ...]
    tokens: int


def one_line(text: str) -> str:
    """`text` without line breaks, which would let it pose as the next line of a prompt."""
    return " ".join(text.split())


def listed(units: Sequence[EvidenceUnit], tokenizer: Tokenizer, budget: int) -> Context:
    """A line a unit with its own titles, first ones first: as many as the budget holds of their texts, at least one."""
    shown: list[EvidenceUnit] = []
    spent = 0
    for unit in units:
        spent += tokenizer.count(unit.text)
        if shown and spent > budget:
            break
        shown.append(unit)
    titled = (f"（{' / '.join(unit.title_path[-_TITLES_SHOWN:])}）{unit.text}" for unit in shown)
    lines = tuple(one_line(f"[{n}]{text}") for n, text in enumerate(titled, 1))
    return Context(tuple(shown), lines, _tokens(lines, tokenizer))


def assembled(
    units: Sequence[EvidenceUnit],
    documents: Mapping[str, Document],
    conflicts: Sequence[FoundConflict],
    tokenizer: Tokenizer,
    budget: int,
) -> Context:
    """The units of a ranking by source, without those that only repeat another.

    Sources come in the order of their best unit; behind those of the foremost units articles come before excerpts. The
    units of a conflict are shown together or not at all. No more tokens than `budget`, unless the best unit alone costs
    more. Of a unit whose document is not in `documents` only the titles are known.
    """
    bundles = _bundles(_distinct(units, documents, conflicts), conflicts)
    foremost = {unit.document_id for unit in (*units[:_FOREMOST], *conflict_units(conflicts))}
    sources = _sources([unit for bundle in bundles for unit in bundle], documents, foremost)
    shown = _within(budget, bundles, sources, tokenizer)
    return _laid_out([source.only(shown) for source in sources], tokenizer)


class _Source(Value):
    """A document's units below its heading, best first."""

    heading: str
    units: tuple[EvidenceUnit, ...]
    is_parted: bool

    def only(self, ids: Collection[str]) -> _Source:
        """The source without its other units."""
        return _Source(self.heading, tuple(unit for unit in self.units if unit.id in ids), self.is_parted)

    def sections(self) -> Iterator[tuple[str, list[EvidenceUnit]]]:
        """The headings of sections, in the order of their best unit, each with its units; none where nothing is parted.

        The best unit stands first, the others in the order of the text.
        """
        paths: dict[tuple[str, ...], list[EvidenceUnit]] = {}
        for unit in self.units:
            paths.setdefault(unit.title_path[1:], []).append(unit)
        for path, (best, *others) in paths.items():
            heading = one_line(f"小节：{' / '.join(path) or _BEGINNING}") if self.is_parted else ""
            yield heading, [best, *sorted(others, key=lambda unit: unit.span.start)]


def _distinct(
    units: Sequence[EvidenceUnit], documents: Mapping[str, Document], conflicts: Sequence[FoundConflict]
) -> list[EvidenceUnit]:
    """One of those that say the same, where the first of them stood; what code shows itself is not taken away."""
    fixed = {unit.id for unit in (*units[:1], *conflict_units(conflicts))}
    same: list[list[EvidenceUnit]] = []
    for unit in units:
        twins = next((own for own in same if _say_the_same(own[0], unit, documents)), None)
        if twins is None:
            same.append([unit])
        else:
            twins.append(unit)
    return [kept for own in same for kept in [u for u in own if u.id in fixed] or [_foremost(own, documents)]]


def _foremost(same: Sequence[EvidenceUnit], documents: Mapping[str, Document]) -> EvidenceUnit:
    """The official one, an article, the newer one, else the better ranked."""

    def standing(unit: EvidenceUnit) -> tuple[bool, bool, dt.date]:
        document = documents.get(unit.document_id)
        if document is None:
            return False, False, dt.date.min
        return document.origin.authority == "official", document.kind != "excerpt", document.published or dt.date.min

    return max(same, key=standing)


def _say_the_same(one: EvidenceUnit, other: EvidenceUnit, documents: Mapping[str, Document]) -> bool:
    """Whether two differ in nothing but small words and marks, and each proves the other: some small words deny."""
    if not _are_alike(one, other) or _signature(one, documents) != _signature(other, documents):
        return False
    return not check(one.text, [other.text], _titles(other)) and not check(other.text, [one.text], _titles(one))


def _are_alike(one: EvidenceUnit, other: EvidenceUnit) -> bool:
    """Whether the wording is nearly one; the shorter a text, the more its title counts."""
    mine, its = (_pairs("".join((*unit.title_path[-1:], unit.text))) for unit in (one, other))
    shared = len(mine & its)
    return shared >= _ALIKE * (len(mine) + len(its) - shared)


@functools.lru_cache(maxsize=512)  # every unit of a pool is compared with every other
def _pairs(text: str) -> frozenset[str]:
    return bigrams(text)


def _signature(unit: EvidenceUnit, documents: Mapping[str, Document]) -> tuple[object, ...]:
    """What may not differ: words and figures in their order; with what stands above them places, people and figures."""
    text, titles = unit.text, _titles(unit)
    whole, document = titles + "\n" + text, documents.get(unit.document_id)
    return (
        topic_words(same_words(text)),
        {slot.key for slot in slots(titles)},
        {*places.find(whole), *(document.places if document else ())},
        qualifiers.mentioned(whole),
    )


def _bundles(units: Sequence[EvidenceUnit], conflicts: Sequence[FoundConflict]) -> list[tuple[EvidenceUnit, ...]]:
    """The units in order, each with those that contradict it, be it by way of others."""
    together = {unit.id: frozenset({unit.id}) for unit in units}
    for conflict in conflicts:
        ids = frozenset(i for _, unit in conflict.sides for i in together[unit.id])
        together |= dict.fromkeys(ids, ids)
    return list(dict.fromkeys(tuple(u for u in units if u.id in together[unit.id]) for unit in units))


def _sources(
    units: Sequence[EvidenceUnit], documents: Mapping[str, Document], foremost: Collection[str]
) -> list[_Source]:
    """The units by document, in the order of their best one; of other documents than the foremost, articles first."""
    own: dict[str, list[EvidenceUnit]] = {}
    for unit in units:
        own.setdefault(unit.document_id, []).append(unit)

    def place(name: str) -> int:
        if name in foremost:
            return 0
        return 2 if name in documents and documents[name].kind == "excerpt" else 1

    return [_source(own[name], documents.get(name)) for name in sorted(own, key=place)]


def _source(units: Sequence[EvidenceUnit], document: Document | None) -> _Source:
    return _Source(_heading(units[0], document), tuple(units), any(unit.title_path[1:] for unit in units))


def _heading(unit: EvidenceUnit, document: Document | None) -> str:
    """What code knows of a source stands before what the source says of itself."""
    title = f"《{unit.title_path[0]}》" if unit.title_path else ""
    if document is None:
        return one_line(f"来源：{title}")
    standing = "官方" if document.origin.authority == "official" else "第三方"
    told = "，".join(part for part in (standing, _date(document), "、".join(document.places)) if part)
    return one_line(f"来源（{told}）：{document.origin.publisher or ''}{title}")


def _date(document: Document) -> str:
    if document.published:
        return document.published.isoformat()
    return f"{document.effective_from.isoformat()}起施行" if document.effective_from else "未注明日期"


def _within(
    budget: int, bundles: Sequence[tuple[EvidenceUnit, ...]], sources: Sequence[_Source], tokenizer: Tokenizer
) -> frozenset[str]:
    """The ids of what is shown: bundles in order, past those that do not fit; the best unit in any case."""
    needs = _needs(sources, tokenizer)
    shown = [unit.id for bundle in bundles[:1] for unit in bundle[:1]]
    spent = {line: cost for i in shown for line, cost in needs[i].items()}
    for bundle in bundles:
        more = spent | {line: cost for unit in bundle for line, cost in needs[unit.id].items()}
        if sum(more.values()) <= budget:
            spent = more
            shown += [unit.id for unit in bundle]
    return frozenset(shown)


def _needs(sources: Sequence[_Source], tokenizer: Tokenizer) -> dict[str, dict[tuple[int, str], int]]:
    """For each unit the lines without which it is not shown, with their tokens; units may share headings."""
    highest = sum(len(source.units) for source in sources)
    needs: dict[str, dict[tuple[int, str], int]] = {}
    for n, source in enumerate(sources):
        for section, units in source.sections():
            heads = {(n, head): _tokens([head], tokenizer) for head in (source.heading, section) if head}
            for unit in units:
                needs[unit.id] = heads | {(n, unit.id): _tokens([_numbered(highest, unit)], tokenizer)}
    return needs


def _laid_out(sources: Sequence[_Source], tokenizer: Tokenizer) -> Context:
    units: list[EvidenceUnit] = []
    lines: list[str] = []
    for source in sources:
        lines += [source.heading] if source.units else []
        for section, own in source.sections():
            lines += [section] if section else []
            lines += [_numbered(len(units) + n, unit) for n, unit in enumerate(own, 1)]
            units += own
    return Context(tuple(units), tuple(lines), _tokens(lines, tokenizer))


def _numbered(number: int, unit: EvidenceUnit) -> str:
    return one_line(f"[{number}]{unit.text}")


def _tokens(lines: Sequence[str], tokenizer: Tokenizer) -> int:
    return sum(tokenizer.count(line + "\n") for line in lines)


def _titles(unit: EvidenceUnit) -> str:
    return "：".join(unit.title_path)
