"""Whom to turn to when the service can't answer: a curated table, never the model's words.

Knows the table. When it is shown is the job of `triage` and `rendering`.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib

from rag.domain import TriageReason


def hotline() -> str:
    """The number of the national hotline for medical insurance."""
    return _table()["hotline"]["number"]


def triage_text(reason: TriageReason, *, english: bool) -> str:
    """What is said instead of an answer, in lines: what to do now, whom to turn to, what can wait."""
    return _table()["triage_en" if english else "triage_zh"][reason].strip()


@functools.cache
def _table() -> dict[str, dict[str, str]]:
    packed = (importlib.resources.files("rag.answer") / "contacts.toml").read_text("utf-8")
    return tomllib.loads(packed)
