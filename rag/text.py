"""Pure Chinese text: width, comparison keys, sentences.

Knows characters. What they mean (numbers, places, headings) is someone else's job.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

from rag.domain import Span

_SENTENCE_END = "。！？!?"
_CLOSERS = "”’」』）)】》\"'"
_SPACE = re.compile(r"\s+")


@functools.lru_cache(maxsize=16_384)  # the same sentences are compared for every question
def fold(text: str) -> str:
    """A key for comparison: NFKC, lower case, no white space. Lengths are not kept."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).lower()


def squeeze(text: str) -> str:
    """`text` with every run of white space as one space, none at the ends."""
    return _SPACE.sub(" ", text).strip()


def strip_span(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def sentence_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences of `text[start:end]`, in order, without the white space around them.

    A sentence ends with 。！？ (and quotes or brackets closing right after) or a line break.
    """
    begin = position = start
    while position < end:
        character = text[position]
        position += 1
        if character in _SENTENCE_END and not _inside_address(text, position, end):
            while position < end and text[position] in _SENTENCE_END + _CLOSERS:
                position += 1
        elif character != "\n":
            continue
        span = strip_span(text, begin, position)
        if span.start < span.end:
            yield span
        begin = position
    span = strip_span(text, begin, end)
    if span.start < span.end:
        yield span


def _inside_address(text: str, position: int, end: int) -> bool:
    """Whether the ASCII mark before `position` goes on without a space, as in https://a.cn/p?id=1."""
    return text[position - 1] in "!?" and position < end and text[position].isascii() and text[position].isalnum()


def line_spans(text: str, start: int, end: int) -> Iterator[Span]:
    """Lines of `text[start:end]` as they stand, without the line break; blank ones too."""
    begin = start
    while begin <= end:
        stop = text.find("\n", begin, end)
        stop = end if stop < 0 else stop
        yield Span(begin, stop)
        begin = stop + 1


def bigrams(text: str) -> frozenset[str]:
    """Character bigrams of the folded text: a rough measure of shared wording."""
    key = fold(text)
    return frozenset(key[i : i + 2] for i in range(len(key) - 1))


# Different words for the same thing, so that a rewording may use either; nothing here is merely similar.
_SAME = (
    ("医疗保险", "医保"),
    ("社会保障卡", "社保卡"),
    ("社会保险", "社保"),
    ("医保电子凭证", "医保码"),
    ("剖腹产", "剖宫产"),
    ("门(急)诊", "门急诊"),
    ("门（急）诊", "门急诊"),
)


def same_words(text: str) -> str:
    """`text` with one word for each thing that has several: 医疗保险 and 医保."""
    for long, short in _SAME:
        text = text.replace(long, short)
    return text
