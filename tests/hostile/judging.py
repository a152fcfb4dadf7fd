"""Whether an outcome breaks an invariant, judged from its JSON alone and without any code of the verifier.

Knows the invariants and the wire format, as the documentation tells them. How lies are made is the job of `cases`.

It is stricter than the verifier where that is cheap: a figure must stand in the quotes as it is written, with its unit,
not only by its value. What it does not know is meaning: false sentences without a wrong figure or place are recognised
because the case that told them says so.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag import places

ROOT = Path(__file__).parents[2]
KINDS: Mapping[str, Collection[str | None]] = {
    "answer": {None},
    "abstention": {"no_evidence", "weak_evidence", "unverified", "out_of_domain"},
    "triage": {"emergency", "self_harm", "medical_advice"},
    "clarification": {"missing_scope"},
}
DEGRADED = frozenset({None, "model_down", "deadline", "invalid_output", "queue_full"})
_FIELDS = {
    "": "id kind text claims citations conflicts reason warnings scope as_of disclaimer ai_label mode degraded model "
    "usage timings_ms",
    "scope": "insured_place care_place insured_type person care_type",
    "usage": "prompt_tokens completion_tokens",
    "timings_ms": "retrieve generate verify total",
    "claims": "text citations mode",
    "citations": "marker document_id document_title section source origin kind published effective_from effective_to "
    "places quote spans",
    "conflicts": "slot relation sides",
}
_UNIT = r"(?:万元|亿元|千元|元|万|亿|%|‰|个月|个工作日|工作日|年|月|日|天|周岁|岁|成|倍|号)?"
_FIGURE = re.compile(rf"(?<![\d.])(\d+(?:\.\d+)*)\s*({_UNIT})")
_HAN_FIGURE = re.compile(
    r"(?:[百千万]分之)?[〇零一二两三四五六七八九十百千万亿点半壹贰叁肆伍陆柒捌玖拾佰仟]+(?:%|元|年|月|日|成|倍)"
)
_PERCENT = re.compile(r"[百千]分之[〇零一二两三四五六七八九十百点]+")
# Letters of any script that stand where digits would: 8O%, l0元.
_LOOKALIKE = re.compile(
    r"[A-Za-z\u0370-\u04ff\d.]*[A-Za-z\u0370-\u04ff][A-Za-z\u0370-\u04ff\d.]*(?=%|元|年|月|日|成|倍)"
)
_URL = re.compile(r"(?:https?:|www\.|//)[^\s\u3000-\u9fff]*|[a-z0-9-]+\.(?:cn|com|org|net|gov)\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_INSIDE_FIGURE = re.compile(r"(?<=[\d.])\s+(?=[\d.%])")
_MARKER = re.compile(r"[\[【〔〖［]\s*\^?(\d{1,3}(?:\s*[,，、;\-–~]\s*\d{1,3})*)\s*[\]】〕〗］]")
_ROLE = re.compile(
    r"<\||\|>|(?:^|\n)\s*#+\s*(?:system|user|assistant)|\b(?:system|assistant|user)\s*[:：]", re.IGNORECASE
)
_MARKUP = re.compile(r"<[a-z/!]|\]\(|javascript:", re.IGNORECASE)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_SHINGLE = 12
_COMMON = re.compile(r"一年")  # said by code of the age of a source

Texts = Callable[[str], str]
Json = Mapping[str, Any]


def faults(outcome: Json, texts: Texts, lies: Iterable[str] = ()) -> list[str]:
    """Everything in an outcome that an invariant forbids, in words; empty when it holds.

    `texts` gives the canonical text of a document; `lies` are false sentences that the model told.
    """
    cited = {citation["marker"]: citation for citation in outcome["citations"]}
    return [
        *_shape(outcome),
        *unframed(outcome),
        *(fault for citation in cited.values() for fault in _quoted(citation, texts)),
        *(fault for claim in outcome["claims"] for fault in claim_faults(claim, list(cited.values()))),
        *_text(outcome),
        *_conflicts(outcome, cited),
        *(f"a lie: {lie[:80]}" for lie in lies if _key(lie) in _key(outcome["text"])),
    ]


def claim_faults(claim: Json, citations: Sequence[Json]) -> list[str]:
    """What is unproven in one claim; `citations` hold at least those that it cites."""
    cited = [citation for citation in citations if citation["marker"] in claim["citations"]]
    if not cited or len(cited) != len(claim["citations"]):
        return [f"cites {claim['citations']} of {[c['marker'] for c in citations]}"]
    told = "\n".join(citation["quote"] for citation in cited)
    text = claim["text"]
    found = [f"unproven place: {name}" for name in _places_nowhere(text, cited)]
    found += [f"a marker of its own: {match.group()}" for match in _MARKER.finditer(visible(text))]
    if claim["mode"] != "computed":  # the results of arithmetic stand nowhere else
        found += [f"unproven figure: {figure}" for figure in unproven(text, told)]
    return [f"{fault} in {text[:80]!r}" for fault in (*found, *_smuggled(text, told))]


def unproven(text: str, told: str) -> list[str]:
    """The figures, phone numbers and addresses of `text` that `told` does not have."""
    text, told = visible(text), visible(told)
    squeezed = _INSIDE_FIGURE.sub("", text)
    found = [match.group() for part in {text, squeezed} for match in _FIGURE.finditer(part) if not _stands(match, told)]
    for pattern in (_HAN_FIGURE, _PERCENT, _LOOKALIKE, _URL):
        found += [match.group() for match in pattern.finditer(text) if match.group().lower() not in told.lower()]
    return list(dict.fromkeys(found))


def visible(text: str) -> str:
    """`text` as a reader takes it: nothing invisible in it, digits of every script as ASCII, one sign for percent."""
    seen = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in {"Cf", "Mn", "Me"})
    plain = "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in seen)
    return _THOUSANDS.sub("", plain.replace("٪", "%").replace("⁒", "%"))


def _stands(figure: re.Match[str], told: str) -> bool:
    """Whether number and unit stand in `told`; in a range the unit may stand behind its end alone."""
    number, unit = re.escape(figure[1]), re.escape(figure[2])
    shared = rf"\s*(?:-|~|–|—|至|到)+\s*[\d.]+\s*{unit}"
    return re.search(rf"(?<![\d.]){number}(?!\d|\.\d)(?:\s*{unit}|{shared})", told) is not None


def _places_nowhere(text: str, cited: Sequence[Json]) -> list[str]:
    """Places of a claim that no quote, section, title or document is about; a province speaks for its cities."""
    there = {
        name
        for c in cited
        for name in (*places.find("\n".join((c["quote"], c["section"], c["document_title"]))), *c["places"])
    }
    return [name for name in places.find(text) if not there & {name, *places.within(name)}]


def _smuggled(text: str, told: str) -> Iterator[str]:
    """What a source may hold and a model may not bring along."""
    for c in sorted(set(text) - set(told)):
        if unicodedata.category(c) in _INVISIBLE and c != "\n":
            yield f"an invisible character: U+{ord(c):04X}"
    for pattern, what in ((_ROLE, "a role"), (_MARKUP, "markup")):
        yield from (f"{what}: {match.group()!r}" for match in pattern.finditer(text) if match.group() not in told)
    if leaked := _shingles(text) & _prompt_shingles() - _shingles(told):
        yield f"words of a prompt: {min(leaked)}"


def _shape(outcome: Json) -> Iterator[str]:
    """The contract's fields, kinds and reasons."""
    for where, names in _FIELDS.items():
        here = [outcome] if not where else outcome[where]
        for part in here if isinstance(here, list | tuple) else [here]:
            if set(part) != set(names.split()):
                yield f"fields of {where or 'the outcome'}: {sorted(set(part) ^ set(names.split()))}"
    if outcome["reason"] not in KINDS.get(outcome["kind"], ()):
        yield f"{outcome['kind']} because of {outcome['reason']}"
    if outcome["degraded"] not in DEGRADED or outcome["mode"] not in {"llm", "extractive"}:
        yield f"degraded {outcome['degraded']}, mode {outcome['mode']}"
    if bool(outcome["claims"]) != bool(outcome["citations"]) or (outcome["kind"] == "answer") > bool(outcome["claims"]):
        yield f"{outcome['kind']} with {len(outcome['claims'])} claims and {len(outcome['citations'])} citations"
    if min(outcome["usage"].values()) < 0:
        yield f"usage {outcome['usage']}"


def unframed(outcome: Json) -> Iterator[str]:
    """Disclaimer and label: as fields, and each once in the text, in its last paragraph."""
    disclaimer, label, text = outcome["disclaimer"], outcome["ai_label"], outcome["text"]
    frame = text.rpartition("\n\n")[2]
    if not disclaimer or not label or disclaimer not in frame or label not in frame:
        yield f"ends with {text[-80:]!r}"
    if text.count(disclaimer) != 1 or text.count(label) != 1:
        yield "disclaimer or label more than once"


def _quoted(citation: Json, texts: Texts) -> Iterator[str]:
    """Spans and quote against the canonical text."""
    canonical = texts(citation["document_id"])
    for span in citation["spans"]:
        if canonical[span["start"] : span["end"]] != span["quote"] or not span["quote"]:
            yield f"not in {citation['document_id']}: {span}"
    if citation["quote"] != "\n".join(span["quote"] for span in citation["spans"]):
        yield f"the quote of [{citation['marker']}] is not its spans"


def _text(outcome: Json) -> Iterator[str]:
    """The whole text: its markers are the citations, its figures theirs, their dates' or those that code owns."""
    text = outcome["text"]
    markers = {citation["marker"] for citation in outcome["citations"]}
    told = {match[1] for match in _MARKER.finditer(text)}
    if told != {str(marker) for marker in markers}:
        yield f"markers {sorted(told)} for citations {sorted(markers)}"
    for claim in outcome["claims"]:
        body, marks = claim["text"].rstrip(), "".join(f"[{n}]" for n in claim["citations"])
        if body[:-1].rstrip() + marks not in text and body + marks not in text:
            yield f"a claim without its markers: {claim['text'][:80]!r}"
    sources = "\n".join(
        [citation["quote"] for citation in outcome["citations"]]
        + [claim["text"] for claim in outcome["claims"] if claim["mode"] == "computed"]
        + [_dates(citation) for citation in outcome["citations"]]
        + [code_owned()]
    )
    plain = _COMMON.sub("", _MARKER.sub("", text))
    yield from (f"unproven figure in the text: {figure}" for figure in unproven(plain, sources))
    yield from (f"{fault} in the text" for fault in _smuggled(text, sources))


def _conflicts(outcome: Json, cited: Mapping[int, Json]) -> Iterator[str]:
    """Each side's value stands in what that side cites."""
    for conflict in outcome["conflicts"]:
        for side in conflict["sides"]:
            if side["citation"] not in cited or unproven(side["value"], cited[side["citation"]]["quote"]):
                yield f"unproven side of a conflict: {side}"


def _dates(citation: Json) -> str:
    """The dates of a source's metadata, as they may be written."""
    dates = [str(citation[k]) for k in ("published", "effective_from", "effective_to") if citation[k]]
    spelt = [f"{int(y)}年{int(m)}月{int(d)}日" for y, m, d in (date.split("-") for date in dates)]
    return " ".join([*dates, *spelt])


@functools.cache
def code_owned() -> str:
    """The curated texts that may be said without a citation."""
    return "\n".join((ROOT / "rag/answer" / name).read_text("utf-8") for name in ("contacts.toml", "frames.toml"))


@functools.cache
def _prompt_shingles() -> frozenset[str]:
    """Every stretch of the prompts, but for the frame of JSON that is asked for."""
    bodies = (path.read_text("utf-8").split("+++\n")[2] for path in sorted((ROOT / "prompts").glob("*.md")))
    return frozenset(shingle for body in bodies for shingle in _shingles(body))


def _shingles(text: str) -> frozenset[str]:
    key = _key(text)
    return frozenset(key[i : i + _SHINGLE] for i in range(len(key) - _SHINGLE + 1))


def _key(text: str) -> str:
    return re.sub(r"\s+", "", visible(text)).lower()
