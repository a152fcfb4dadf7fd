"""Whose rule a question asks for, read from its words; what the caller states wins.

Knows the roles of places (参保地, 就医地) and of people. Which documents that admits is the job of `eligibility`.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rag import places, qualifiers
from rag.domain import Scope
from rag.retrieve.roles import governing, roles

_STUDENT = re.compile(r"学生|大学|在校")
_NEWBORN = re.compile(r"新生儿|刚出生|宝宝|婴儿")
_ASKS_NATIONWIDE = re.compile(
    r"全国(?:范围内?|层面|平均|一般|普遍|大致)?(?:来说|来看|上)?(?:[，。；？?、,]|$)|国家层面"
)
_NATIONWIDE = ("全国",)
_CARE_TYPES = (
    ("urgency", "急诊", "急诊"),
    ("chronic", "慢特病", "慢特病"),
    ("care", "生育", "生育"),
    ("care", "购药", "购药"),
    ("care", "住院", "住院"),
    ("care", "门诊", "门诊"),
)


def read_scope(question: str, stated: Scope) -> Scope:
    """The scope of a question; a field stays null when neither the caller nor the question says."""
    told = qualifiers.mentioned(question)
    insured, care = _places(question)
    read: dict[str, Any] = {
        "insured_place": insured,
        "care_place": care,
        "insured_type": _only(told.get("insured_type")),
        "person": _person(question, told.get("employment")),
        "care_type": next((name for dim, value, name in _CARE_TYPES if value in told.get(dim, ())), None),
    }
    given = {k: v for k, v in msgspec.structs.asdict(stated).items() if v is not None}
    return Scope(**(read | given))


def asked_places(question: str, stated: Scope) -> tuple[str, ...]:
    """The places whose rules may answer; none when the question is about no place.

    What the caller states is the insured place goes before what the question says; a stated place of care counts where
    nothing says who insures. Who asks of the whole country is answered by no city's rule.
    """
    governed = governing(question)
    told = (stated.insured_place,) if stated.insured_place else (stated.care_place,) if not governed else ()
    known = [name for text in told if text for name in (places.find(text) or (text,))]
    if not (known or governed) and _ASKS_NATIONWIDE.search(question):
        return _NATIONWIDE
    return tuple(dict.fromkeys(known or governed))


def scoped_question(question: str, stated: Scope) -> str:
    """The question with what it leaves unsaid: what only the caller stated of person and care, and what follows.

    能报多少 -> 能报多少 居民医保; 杭州医保在南京住院 -> 杭州医保在南京住院 跨省; 杭州转南京 -> 杭州转南京 转诊.
    """
    values = {"insured_type": "{}医保", "person": "{}人员", "care_type": "{}"}
    told = [shape.format(v) for field, shape in values.items() if (v := getattr(stated, field)) and v not in question]
    referred = ["转诊"] if "转诊" not in question and any("referred" in role.signs for role in roles(question)) else []
    return " ".join([question, *told, *referred, *_area(question, read_scope(question, stated))])


def _area(question: str, scope: Scope) -> tuple[str, ...]:
    """Whether care is sought in another province or in one's own, where the places tell and the question does not."""
    if not scope.insured_place or not scope.care_place or "area" in qualifiers.mentioned(question):
        return ()
    if places.province(scope.insured_place) != places.province(scope.care_place):
        return ("跨省",)
    return () if places.related(scope.insured_place, scope.care_place) else ("省内",)


def _places(question: str) -> tuple[str | None, str | None]:
    """Where one is insured and where one is treated."""
    told, governed = roles(question), governing(question)
    treating = [role.name for role in told if role.treats]
    insuring = [name for name in governed if name not in treating]
    return next(iter(insuring), None), next(iter(treating), None)


def _person(question: str, employment: frozenset[str] | None) -> str | None:
    if employment and len(employment) == 1:
        return _only(employment)
    if _NEWBORN.search(question):
        return "新生儿"
    return "学生" if _STUDENT.search(question) else None


def _only(values: frozenset[str] | None) -> str | None:
    return next(iter(values)) if values and len(values) == 1 else None
