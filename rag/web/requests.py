"""What a request may say: the body of `POST /chat`, checked field by field.

Knows limits. How an error looks over HTTP is the job of `problems`.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

import msgspec

from rag import places
from rag.domain import Scope, Turn
from rag.errors import InvalidRequest

MAX_QUESTION = 2_000
MAX_TURN = 8_000
MAX_TURNS = 50
_PLACES = frozenset({"insured_place", "care_place"})
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # NUL and lone halves of surrogate pairs


class ScopeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`scope` as a caller may state it; every field may be left out."""

    insured_place: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    care_place: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    insured_type: str | None = None
    person: str | None = None
    care_type: str | None = None


class ChatBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /chat`."""

    question: str
    conversation: Annotated[tuple[Turn, ...], msgspec.Meta(max_length=MAX_TURNS)] = ()
    scope: ScopeBody | None = None
    as_of: dt.date | None = None
    stream: bool = False


def checked_question(question: str) -> str:
    """The question without the white space around it.

    Raises:
        InvalidRequest: it is empty, too long, or holds characters that are no text.
    """
    words = question.strip()
    if not words:
        raise InvalidRequest("question", "must not be empty")
    if len(words) > MAX_QUESTION:
        raise InvalidRequest("question", f"must not be longer than {MAX_QUESTION} characters")
    if _NO_TEXT.search(words):
        raise InvalidRequest("question", "holds characters that are no text")
    return words


def checked_scope(body: ScopeBody | None) -> Scope:
    """The scope, its values compared with those that there are.

    Raises:
        InvalidRequest: a value is not one of them; the field is named.
    """
    given = {k: v for k, v in msgspec.structs.asdict(body or ScopeBody()).items() if v is not None}
    for field, value in given.items():
        if field in _PLACES and not _is_place(value):
            raise InvalidRequest(f"scope.{field}", f"no province, city or county is known by the name {value!r}")
        try:
            msgspec.convert({field: value}, Scope)
        except msgspec.ValidationError as error:
            raise InvalidRequest(f"scope.{field}", str(error).split(" - at")[0]) from error
    return msgspec.convert(given, Scope)


def _is_place(value: str) -> bool:
    """Whether `value` names places and says nothing else: it is repeated in an answer."""
    rest = value
    for _, start, end in reversed(places.located(value)):
        rest = rest[:start] + rest[end:]
    return rest != value and not rest.strip(" 省市区县州、，,·-/")


def checked_conversation(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The conversation.

    Raises:
        InvalidRequest: a turn is too long; it is named by its number.
    """
    for n, turn in enumerate(turns):
        if len(turn.content) > MAX_TURN:
            raise InvalidRequest(f"conversation[{n}].content", f"must not be longer than {MAX_TURN} characters")
    return turns
