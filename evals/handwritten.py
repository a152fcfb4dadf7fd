"""Claims written by hand beside the evidence that they were written from: paraphrases, and look-alikes that are false.

Knows their files (`evals/gold/mutate`) and how a line finds its evidence. What is asked about them is the job of
`mutate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from evals.library import Library

Split = Literal["dev", "test"]
Source = Literal["corpus", "insqa_clause", "regulations"]
Wrong = Literal["number", "unit", "date", "bound", "qualifier", "place", "person", "polarity", "unsupported"]


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a file: a claim and where its evidence stands.

    Without a `kind` it is true; a look-alike says one thing else than its evidence, and `kind` and `why` say which.
    """

    id: str
    split: Split
    origin: Source
    document: str
    claim: str
    style: str
    title: str = ""
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    kind: Wrong | None = None
    why: str = ""


def read(folder: Path) -> Iterator[Written]:
    """The lines of all files.

    Raises:
        ValueError: a line is malformed; file and line are named.
    """
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                yield msgspec.json.decode(line, type=Written)
            except msgspec.DecodeError as error:
                raise ValueError(f"{file}:{number}: {error}") from error


def evidence(line: Written, library: Library, texts: Mapping[str, str]) -> str | None:
    """What a claim was written from; None where its document is absent.

    Raises:
        ValueError: the quote is not in its document.
    """
    if line.origin != "corpus":
        text = texts.get(line.document)
        return text[line.start : line.end] if text is not None else None
    document = library.documents.get(line.document)
    if document is None or line.quote is None or line.quote not in library.text(document.path):
        raise ValueError(f"{line.id}: not in {line.document}: {line.quote!r}")
    return line.quote
