"""Many claims from a file, checked one by one: what `rag check` does.

Knows the lines of the file. How a claim is checked is the job of `checking`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from rag.answer.verifying.checking import check
from rag.answer.verifying.problems import Problem
from rag.domain import Value
from rag.errors import InvalidRequest


class ClaimLine(msgspec.Struct, frozen=True):
    """One line: a claim, the evidence that it cites, and the title path above the evidence."""

    id: str
    claim: str
    evidence: str
    title: str = ""


class CheckedClaim(Value):
    """Whether a claim stands, and if not, why."""

    id: str
    supported: bool
    problems: tuple[Problem, ...]


def check_lines(lines: Iterable[str]) -> list[CheckedClaim]:
    """The results in the order of the lines; blank lines are passed over.

    Raises:
        InvalidRequest: a line is not a claim; it is named by its number.
    """
    decoder = msgspec.json.Decoder(ClaimLine)
    results = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"line {number}", str(error)) from error
        problems = check(given.claim, [given.evidence], given.title)
        results.append(CheckedClaim(given.id, supported=not problems, problems=problems))
    return results
