"""The sentences that code writes around claims, in the language of the question.

Knows the wording (`frames.toml`). Which sentence is said when is the job of `rendering`; what a source says is quoted
as it stands, in Chinese.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from typing import Literal

import msgspec

from rag.domain import AbstentionReason, Value


class Phrases(Value, forbid_unknown_fields=True):
    """The frame of an outcome in one language. Names in braces are filled in by `str.format`.

    `disclaimers` begins with the Chinese sentence that is on every outcome; an English frame adds its own.
    `joint` stands between two sentences of one line.
    """

    joint: str
    disclaimers: tuple[str, ...]
    ai_label: str
    declined: Mapping[AbstentionReason, str]
    nearest: str  # {title}
    where_to_ask: str  # {name} {number} {office}
    hotline: str
    office_of_place: str  # {place}
    office_of_insured_place: str
    source: str  # {marker} {standing} {age} {old}
    third_party: str
    official: str
    published: str  # {date}
    undated: str
    older_than_a_year: str
    unseen_reference: str
    text_unseen: str
    disagree: str  # {slot} {sides}
    general_special: str  # {slot} {sides}
    side: str  # {value} {marker} {standing} {date}
    between_sides: str
    third_party_side: str
    official_side: str
    undated_side: str
    missing_scope: str  # {fields}
    fields: Mapping[str, str]
    between_fields: str
    general_rule: str


@functools.cache
def phrases(language: Literal["zh", "en"]) -> Phrases:
    """The wording in one language."""
    packed = (importlib.resources.files("rag.answer") / "frames.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(packed), dict[str, Phrases])[language]
