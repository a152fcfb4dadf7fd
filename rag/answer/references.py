"""Texts that a question refers to by name: 《…》, 甬医保发〔2029〕118号, 社会保险法第一百五十六条.

Knows how a question names a text, and whether the cited sources are or mention it. That an answer says so where they
don't is the job of `rendering`: a rule that nobody has seen is neither confirmed nor denied by what others say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.verifying.slots import slots
from rag.domain import Citation
from rag.text import fold

_TITLE = re.compile(r"《([^《》]{2,60})》")


def unseen_reference(question: str, citations: Sequence[Citation]) -> bool:
    """Whether the question names a text, or an article of one, that no cited source is or mentions."""
    shown = "\n".join(part for c in citations for part in (c.document_title, c.section, c.quote))
    key, numbers = fold(shown), _numbers(shown)
    titles = (fold(title) for title in _TITLE.findall(question))
    return any(title not in key for title in titles) or not _numbers(question) <= numbers


def _numbers(text: str) -> frozenset[str]:
    """Document numbers and numbers of articles."""
    return frozenset(slot.value for slot in slots(text) if slot.kind == "document")
