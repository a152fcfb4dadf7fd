"""What the evidence excepts from its rule, and a claim includes with 也, 就算 or 照样.

Knows the words of exception. Rules that a claim makes absolute are the job of `absolutes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answer.verifying import polarity
from rag.answer.verifying.clauses import SAME, clauses, content, share
from rag.answer.verifying.problems import Problem

_SENTENCE_END = re.compile(r"[。；！!;\n]")
_EXCEPTED = re.compile(
    r"(?:^|但是?|[（(，,。；;：:])(?P<what>[^，。；;：:（()）,]{2,40}?)的?(?:除外|例外|不在此限|不在此列)"
)
_ALSO = re.compile(r"(?<!可以)也(?!可)|就算|即使|即便|哪怕|照样|照旧|同样|一样")
_EXCEPTING = re.compile(r"除|例外|不在|以外|之外|不受")
_REFUSING = re.compile(r"责任免除|免除")


def included(claim: str, told: str) -> list[Problem]:
    """Sentences of the claim that say of what is excepted what the evidence says of the rest."""
    own = [s for s in _SENTENCE_END.split(claim) if _ALSO.search(s) and not _EXCEPTING.search(s)]
    return [
        Problem("polarity", sentence, what)
        for sentence in own
        for what, refused in _excepted(told)
        if share(content(what), sentence) >= SAME and polarity.negated(clauses(sentence)[-1]) == refused
    ]


def _excepted(told: str) -> Iterator[tuple[str, bool]]:
    """What the evidence excepts, and whether it refuses what it excepts that from."""
    for match in _EXCEPTED.finditer(told):
        rule = told[: match.start()]
        yield match["what"].lstrip("但是"), bool(_REFUSING.search(rule)) or any(map(polarity.refused, clauses(rule)))
