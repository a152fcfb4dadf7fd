"""A query as it is searched and answered: without personal numbers, in simplified Chinese, whole, with its scope.

Reads top-down: what was said, what it means in the conversation, whose rule it asks for. How a text is masked, put into
Chinese or completed is the job of `masking`, `languages` and `retrieve`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from rag.domain import Query, Scope, Turn, Value
from rag.instructions import without_instructions
from rag.languages import Language, language, simplified, to_chinese
from rag.masking import mask
from rag.retrieve.asks import without_asides
from rag.retrieve.followups import completed
from rag.retrieve.roles import roles
from rag.retrieve.scope import asked_places, read_scope, scoped_question
from rag.retrieve.spelling import respelled

# How `answer.frames` opens a question back.
_ASKED_BACK = re.compile(r"^(?:请补充：|Please add:)")


# A question leans on what was said shortly before it, and on no more of it than a question holds.
_RECALLED_TURNS = 10
_RECALLED = 500


class Asked(Value):
    """What is asked. `said` are the user's own words, masked and simplified; `question` is what they mean when whole.

    `searched` is the question with what only the caller stated of person and care; `places` are those whose rules may
    answer; `asked_back` says that the service has asked back in this conversation already.
    """

    said: str
    question: str
    searched: str
    language: Language
    scope: Scope
    places: tuple[str, ...]
    asked_back: bool


def understood(query: Query) -> Asked:
    """The query, ready to be searched."""
    said = simplified(mask(query.question))
    spoken = language(said)
    recalled = [turn for turn in query.conversation if turn.role == "user"][-_RECALLED_TURNS:]
    turns = [Turn(turn.role, _chinese(simplified(_beginning(turn.content)))) for turn in recalled]
    question = completed(_chinese(without_asides(without_instructions(said))), turns)
    stated = _with_place_of(turns, query.scope) if not roles(question) else query.scope
    return Asked(
        said=said,
        question=question,
        searched=scoped_question(question, query.scope),
        language=spoken,
        scope=read_scope(question, stated),
        places=asked_places(question, stated),
        asked_back=any(turn.role == "assistant" and _ASKED_BACK.search(turn.content) for turn in query.conversation),
    )


def _beginning(text: str) -> str:
    """As much of a turn as a question has, masked before it is cut: half a number is no number any more."""
    return mask(text)[:_RECALLED]


def _chinese(text: str) -> str:
    return to_chinese(text) if language(text) == "en" else respelled(text)


def _with_place_of(turns: Sequence[Turn], stated: Scope) -> Scope:
    """The scope with the place that the user called their own earlier, if the caller states none."""
    own = [
        role.name
        for turn in turns
        if turn.role == "user"
        for role in roles(turn.content)
        if role.signs & {"self", "family"}
    ]
    return msgspec.structs.replace(stated, insured_place=own[-1]) if own and not stated.insured_place else stated
