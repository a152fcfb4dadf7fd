"""Which questions belong to 120, to a help line or to a doctor, and which are not about insurance and care at all.

Knows how questions of insurance that only mention danger, despair or illness differ from those that are about them;
the wordings themselves stand in `triage.toml`. What is then said is the job of `contacts`; when, of the pipeline.

A sign of danger is weighed in the clause that it stands in. What only a witness would say (叫不醒) is enough by itself;
a symptom needs a person; an accident or a diagnosis must be told as breaking in. None counts in a tale of the past, in
a supposition, as a label (胸痛中心) or when doctors have the person already, unless its clause says that it is so now.
Complaints that are no sign of danger still go to a doctor, and what is then said names 120 too: wordings have no end.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping

from rag.domain import TriageReason, Value

_CLAUSE_END = re.compile(r"[,!?;:.](?!\d)|[。、\n]")
_HAN_GAP = re.compile(r"(?<=[\u4e00-\u9fff])[ \t]+(?=[\u4e00-\u9fff])")
_APOSTROPHE = re.compile(r"['’]")

_ACUTE, _SYMPTOM, _ACCIDENT, _DIAGNOSIS = _STRONG = tuple(
    f"emergency.{name}" for name in ("acute", "symptom", "accident", "diagnosis")
)
# What must be told as breaking in: beside a person only it may as well be long over, or long known.
_EVENTS = (_ACCIDENT, _DIAGNOSIS)
# So many different small signs are as good as a symptom.
_ENOUGH = 2
_DOMAIN = ("domain.care", "domain.money", "medical.illness")


class _Sign(Value):
    """A wording of danger: the list that it is of, the clause around it, and all that was said before it."""

    kind: str
    clause: str
    before: str

    @property
    def is_now(self) -> bool:
        """Whether the clause says that it is so now; 现在 tells nothing where insurance is asked about an accident."""
        if not _has("frame.now", self.clause) or _has("frame.aftermath", self.clause):
            return False
        return self.kind not in _EVENTS or not _has("insurance.money", self.clause)


def assess(question: str) -> TriageReason | None:
    """Why a person or 120 must answer instead of this service; None for questions that it may answer.

    `question` is in simplified Chinese or English, of any width and case.
    """
    text = _plain(question)
    clauses = _clauses(text)
    if _self_harm(text, clauses):
        return "self_harm"
    if _emergency(text, clauses):
        return "emergency"
    return "medical_advice" if _wants_judgement(text) or _complains(text, clauses) else None


def in_domain(question: str) -> bool:
    """Whether a question has to do with medical or social insurance, or with care; orders to the model left aside."""
    asked = [clause for clause in _clauses(_plain(question)) if not _has("domain.order", clause)]
    return any(_has(words, clause) for words in _DOMAIN for clause in asked)


def _plain(question: str) -> str:
    """NFKC and lower case, no apostrophes; a space between two Chinese characters is a pause."""
    folded = unicodedata.normalize("NFKC", question).lower()
    return _HAN_GAP.sub(",", _APOSTROPHE.sub("", folded))


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE_END.split(text) if clause.strip()]


def _self_harm(text: str, clauses: list[str]) -> bool:
    """Whether somebody wishes to die, or means or has just done what ends a life."""
    if any(_has("self_harm.wish", clause) and not _has("self_harm.idiom", clause) for clause in clauses):
        return True
    return not _has("frame.aftermath", text) and any(_is_meant(clause, text) for clause in clauses)


def _is_meant(clause: str, text: str) -> bool:
    """Whether a person means the deed, or has done it; not what a rule says of it."""
    if _has("frame.past", clause) or not any(_found("self_harm.deed", clause)):
        return False
    intended = _has("self_harm.intent", clause) and not _has("insurance.money", clause)
    return intended or not _has("insurance.money", text)


def _emergency(text: str, clauses: list[str]) -> bool:
    """Whether one sign of danger is somebody's and present, or as many small ones as make one."""
    signs = [sign for sign in _signs(clauses) if _is_present(sign, text)]
    if any(sign.kind in _STRONG and _is_told_of_somebody(sign, text) for sign in signs):
        return True
    if _has("medical.ask", text):
        return False
    small = [sign for sign in signs if sign.kind not in _STRONG and _is_told_of_somebody(sign, text)]
    sudden = any(_has("frame.sudden", sign.clause) for sign in small)
    return len({sign.kind for sign in small}) >= _ENOUGH - sudden


def _signs(clauses: list[str]) -> Iterator[_Sign]:
    """Every wording of danger, in order of the clauses."""
    for n, clause in enumerate(clauses):
        if _has("frame.figurative", clause) or _has("frame.general", clause):
            continue
        for kind in _kinds():
            for start in _found(kind, clause):
                yield _Sign(kind, clause, ",".join([*clauses[:n], clause[:start]]))


def _is_present(sign: _Sign, text: str) -> bool:
    """Whether the sign is said to be so now, or is at least neither over, nor usual, nor supposed."""
    if _has("frame.supposed", sign.before):
        return False
    if sign.is_now:
        return True
    return not (_has("frame.past", sign.clause) or _has("frame.chronic", sign.clause) or _has("frame.aftermath", text))


def _is_told_of_somebody(sign: _Sign, text: str) -> bool:
    """Whether the sign is told as a person's own, breaking in; all but the acute ones stand on bills as well."""
    if sign.kind == _ACUTE or sign.is_now:
        return True
    told = _has("frame.onset", sign.clause) or (sign.kind not in _EVENTS and _has("frame.person", sign.clause))
    if _has("insurance.money", text):
        return told and not _has("insurance.money", sign.clause) and not _has("frame.past", text)
    if told or _has("frame.onset", text):
        return True
    return not (_has("medical.ask", text) if sign.kind == _ACCIDENT else _wants_judgement(text))


def _wants_judgement(text: str) -> bool:
    """Whether a diagnosis, a drug, a dose or a reading of findings is asked for, and not what insurance pays."""
    if _has("insurance.money", text):
        return False
    if _has("medical.ask", text):
        return True
    asked = _has("medical.weak_ask", text) and not _has("medical.service", text)
    return asked and (_has("medical.illness", text) or _has("medical.symptom", text))


def _complains(text: str, clauses: list[str]) -> bool:
    """Whether somebody's body is complained of, and nothing is asked that insurance could answer."""
    if _has("insurance.money", text) or _has("medical.service", text):
        return False
    words = ("medical.symptom", *_kinds())
    told = (c for c in clauses if _has("frame.person", c) and not _has("frame.figurative", c))
    return any(_has(name, clause) for clause in told for name in words)


def _found(name: str, clause: str) -> Iterator[int]:
    """Where the wordings of a list begin that are no label on something else."""
    label = _patterns()["emergency.label"]
    return (m.start() for m in _patterns()[name].finditer(clause) if not label.match(clause, m.end()))


def _has(name: str, text: str) -> bool:
    return _patterns()[name].search(text) is not None


@functools.cache
def _kinds() -> tuple[str, ...]:
    """The lists of signs, strongest first."""
    return (*_STRONG, *(name for name in _patterns() if name.startswith("minor.")))


@functools.cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    packed = (importlib.resources.files("rag.answer") / "triage.toml").read_text("utf-8")
    return {
        f"{table}.{name}": re.compile("|".join(lines), re.ASCII)
        for table, lists in tomllib.loads(packed).items()
        for name, lines in lists.items()
    }
