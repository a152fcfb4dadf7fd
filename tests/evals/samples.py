"""Samples for tests of the evaluation: a small library, answers rendered by the service's code, ways to spoil them.

Knows how a sample is put together; promises are in the tests. The rules in the documents are made up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evals.dataset import GoldExample, QuoteRef, resolve
from evals.domain import Observation, Sample
from evals.library import Library, read_library
from rag.answer.composing import ComposedClaim, readable
from rag.answer.rendering import Frame, render_abstention
from rag.domain import DISCLAIMER, Abstention, Answer, Document, EvidenceUnit, Outcome, Scope, Span, Triage
from rag.web.passages import PassageRow
from tests.fakes.tokenizer import CharacterTokenizer
from tests.samples import render_answer

CORPUS = Path(__file__).parents[2] / "corpus" / "documents"
LABEL = "本回答由人工智能生成。"
QUESTION = "宁波职工医保的陪护床费能报销多少？"
BEDS = "宁波职工医保参保人员住院期间的陪护床费，由统筹基金按70%的比例报销，每日最高40元。"
MEALS = "宁波陪护人员的餐费和停车费不在支付范围内。"
ROW = "| 6周岁以下 | 300元 | 2次 |"
RECORDS = "长期异地居住人员的备案自办理之日起12个月内有效，期满后可以续办。"

_DOCUMENTS = {
    "beds": f"""---
id: beds
title: 陪护床费怎么报
publisher: 测试日报
authority: third-party
published: 2023-05-04
places: [宁波]
---

# 陪护床费怎么报

## 报销比例

{BEDS}

## 不予报销的项目

{MEALS}
""",
    "glasses": f"""---
id: glasses
title: 无锡儿童配镜补助
authority: official
published: 2026-03-01
places: [无锡]
---

# 无锡儿童配镜补助

| 年龄 | 每副补助 | 每年次数 |
| --- | --- | --- |
{ROW}
| 6至14周岁 | 450元 | 1次 |
""",
    "records": f"""---
id: records
title: 退休人员备案的有效期
authority: third-party
---

# 退休人员备案的有效期

{RECORDS}
""",
}


def a_library(folder: Path) -> Library:
    """Three made-up documents: of Ningbo, of Wuxi and of no place."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _DOCUMENTS.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    return read_library([folder], CharacterTokenizer())


def the_corpus() -> Library:
    """The documents of `corpus/`."""
    return read_library([CORPUS], CharacterTokenizer())


class Shelf:
    """What rendering needs of a catalogue, over a library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def document(self, document_id: str) -> Document | None:
        return self._library.documents.get(document_id)

    def text(self, document_id: str) -> str:
        return self._library.text(self._library.documents[document_id].path)


def unit_with(library: Library, words: str) -> EvidenceUnit:
    """The smallest unit of the first document that holds `words`."""
    for document in library.documents.values():
        start = library.text(document.path).find(words)
        if start >= 0:
            span = Span(start, start + len(words))
            units = [u for u in library.units_on(document.path, span) if u.span.contains(span)]
            return min(units, key=lambda unit: len(unit.span))
    raise LookupError(words)


def units_of(library: Library) -> list[EvidenceUnit]:
    """All units of a library."""
    return [
        unit
        for document in library.documents.values()
        for unit in library.units_on(document.path, document.extent)
        if unit.document_id == document.id
    ]


def quoting(library: Library, *units: EvidenceUnit) -> Answer:
    """An answer in the units' own words, a claim each."""
    return saying_of(library, *((readable(unit.text), unit) for unit in units))


def saying_of(library: Library, *claims: tuple[str, EvidenceUnit]) -> Answer:
    """An answer that makes these claims, each with the unit that it cites."""
    composed = [ComposedClaim(text, (unit,), "quoted") for text, unit in claims]
    return render_answer(composed, Shelf(library), _frame())  # type: ignore[arg-type]


def an_abstention(reason: Any = "weak_evidence", **fields: Any) -> Abstention:  # noqa: ANN401 - fields of an outcome
    """A refusal as the service words it."""
    return msgspec.structs.replace(render_abstention(reason, None, _frame()), **fields)


def a_triage(reason: Any = "emergency") -> Triage:  # noqa: ANN401 - one of a few words
    """A question sent to 120."""
    return Triage(
        text=f"请立即拨打120。\n\n{DISCLAIMER}\n{LABEL}",
        reason=reason,
        id="ans_2",
        as_of=dt.date(2026, 11, 23),
        ai_label=LABEL,
        mode="extractive",
        model="extractive",
    )


def an_example(question: str = QUESTION, **fields: Any) -> GoldExample:  # noqa: ANN401 - the fields of GoldExample
    """An answerable question; `fields` go before what is invented here."""
    told: dict[str, Any] = {
        "id": "number-001",
        "split": "test",
        "category": "number",
        "question": question,
        "conversation": (),
        "as_of": None,
        "kind": "answer",
        "reason": None,
        "facts": (),
        "forbidden": (),
        "evidence": (),
        "also": (),
        "why": "",
    }
    return GoldExample(**(told | fields))


def a_sample(
    library: Library, example: GoldExample, outcome: Outcome | None, retrieved: Iterable[PassageRow] = ()
) -> Sample:
    """What came out for the example, beside its gold."""
    observation = Observation(example.id, outcome, tuple(retrieved))
    return Sample(example, observation, resolve(example, library), library)


def gold(library: Library, *words: str) -> tuple[QuoteRef, ...]:
    """References to the units that hold the words."""
    units = [unit_with(library, one) for one in words]
    return tuple(QuoteRef(u.document_id, library.quote(u.document_id, u.span.start, u.span.end)) for u in units)


def passages(*units: EvidenceUnit) -> tuple[PassageRow, ...]:
    """Retrieved passages of just these units, in this order."""
    return tuple(
        PassageRow(rank, 1 / rank, u.document_id, "", "", "article", (), None, u.text, u.span.start, u.span.end)
        for rank, u in enumerate(units, 1)
    )


def reworded(answer: Answer, old: str, new: str) -> Answer:
    """The answer with other words in its claims and its text, as if the service had said so."""
    claims = tuple(msgspec.structs.replace(claim, text=claim.text.replace(old, new)) for claim in answer.claims)
    return msgspec.structs.replace(answer, claims=claims, text=answer.text.replace(old, new))


def recited(answer: Answer, **fields: Any) -> Answer:  # noqa: ANN401 - the fields of Citation
    """The answer with something else in its first citation."""
    first, *others = answer.citations
    return msgspec.structs.replace(answer, citations=(msgspec.structs.replace(first, **fields), *others))


def with_markers(answer: Answer, markers: Sequence[tuple[int, ...]]) -> Answer:
    """The answer with other markers behind its claims, in the text as well."""
    text, claims = answer.text, []
    for claim, own in zip(answer.claims, markers, strict=True):
        shown = claim.text[:-1]
        text = text.replace(shown + _marks(claim.citations), shown + _marks(own))
        claims.append(msgspec.structs.replace(claim, citations=own))
    return msgspec.structs.replace(answer, claims=tuple(claims), text=text)


def _marks(markers: Iterable[int]) -> str:
    return "".join(f"[{marker}]" for marker in markers)


def _frame() -> Frame:
    return Frame("ans_1", Scope(), dt.date(2026, 11, 23), LABEL, "extractive", "extractive")
