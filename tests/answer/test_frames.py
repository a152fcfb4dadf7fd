"""The frame of an outcome speaks the language of the question, and says the same in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from rag.answer.frames import Phrases, phrases
from rag.domain import DISCLAIMER, AbstentionReason
from rag.languages import Language, language
from rag.settings import AI_LABEL

_SLOT = re.compile(r"\{\w+\}")


def _sentences(frame: Phrases) -> Iterator[tuple[str, str]]:
    """Each sentence by the name of its field."""
    for name, value in msgspec.structs.asdict(frame).items():
        if isinstance(value, str) and value.strip():
            yield name, value
    yield from frame.declined.items()


def _slots(sentence: str) -> set[str]:
    return set(_SLOT.findall(sentence))


@pytest.mark.parametrize("spoken", get_args(Language))
def test_every_frame_begins_its_disclaimers_with_the_chinese_one(spoken: Language) -> None:
    """The sentence that the rules ask for is on every outcome, whatever the language."""
    assert phrases(spoken).disclaimers[0] == DISCLAIMER


def test_an_english_frame_has_an_english_disclaimer_too() -> None:
    """A warning that is not understood is none."""
    assert phrases("en").disclaimers[1:] == (
        "This is no substitute for seeing a doctor in person; if you feel unwell, seek medical care promptly.",
    )
    assert phrases("zh").disclaimers == (DISCLAIMER,)


def test_every_reason_to_decline_is_said_in_both_languages() -> None:
    """No abstention is without its sentence."""
    reasons = set(get_args(AbstentionReason))
    assert set(phrases("zh").declined) == reasons
    assert set(phrases("en").declined) == reasons


def test_both_languages_fill_in_the_same() -> None:
    """A title, a place or a date that one frame shows, the other shows too."""
    english = dict(_sentences(phrases("en")))
    assert [name for name, said in _sentences(phrases("zh")) if _slots(said) != _slots(english[name])] == []


def test_an_english_frame_is_english() -> None:
    """Whoever asks in English can read it; Chinese stands there in brackets, as it stands on the counter."""
    spoken: Language
    for spoken in get_args(Language):
        said = [_SLOT.sub("", sentence) for _, sentence in _sentences(phrases(spoken))]
        worded = [sentence for sentence in said if any(c.isalpha() for c in sentence)]
        assert [sentence for sentence in worded if language(sentence) != spoken] == []


@pytest.mark.parametrize("spoken", get_args(Language))
def test_no_figure_is_written_into_a_frame(spoken: Language) -> None:
    """Figures come from cited spans, metadata and the table of contacts alone."""
    frame = phrases(spoken)
    assert [said for _, said in _sentences(frame) if any(c.isdigit() for c in said)] == []


def test_the_chinese_label_is_that_of_the_settings() -> None:
    """One wording for the label, wherever it is read."""
    assert phrases("zh").ai_label == AI_LABEL
