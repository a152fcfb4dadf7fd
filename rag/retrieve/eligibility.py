"""Which documents may answer a question at all: those in force, of the place asked for or of no place.

Knows dates and the chain of places. How well an eligible document fits is the job of `passages` and `evidence`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from rag import places
from rag.domain import Document


def eligible(document: Document, asked_places: Collection[str], as_of: dt.date) -> bool:
    """Whether the document's rules hold at `as_of`, somewhere that has to do with the places asked for."""
    if document.effective_from and as_of < document.effective_from:
        return False
    if document.effective_to and as_of > document.effective_to:
        return False
    if document.superseded_by is not None and document.effective_to is None:
        return False  # replaced, and nobody knows since when
    if not asked_places or not document.places:
        return True
    return any(places.related(asked, own) for asked in asked_places for own in document.places)
