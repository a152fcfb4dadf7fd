"""What has to be asked back: whose rule is meant, where the evidence holds those of several places for one figure.

Knows when the evidence parts by place. How the question back reads is the job of `rendering`; that it is asked only
once, of the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag import places
from rag.domain import Document, EvidenceUnit

INSURED_PLACE = "参保地"


def missing(units: Sequence[EvidenceUnit], documents: Mapping[str, Document]) -> tuple[str, ...]:
    """What decides between the units, of a question that names no place: the insured place, or nothing."""
    told = [_places(unit, documents) for unit in units]
    named = [one for one in told if one]
    apart = any(not places.any_related(one, other) for n, one in enumerate(named) for other in named[:n])
    return (INSURED_PLACE,) if apart else ()


def general(units: Sequence[EvidenceUnit], documents: Mapping[str, Document]) -> tuple[EvidenceUnit, ...]:
    """The units that hold whatever the place."""
    return tuple(unit for unit in units if not _places(unit, documents))


def _places(unit: EvidenceUnit, documents: Mapping[str, Document]) -> tuple[str, ...]:
    document = documents.get(unit.document_id)
    return (document.places if document else ()) or places.find("\n".join((*unit.title_path, unit.text)))
