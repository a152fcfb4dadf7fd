"""What a sentence may not bring along: letters, signs and shares that its evidence lacks, and orders.

Knows characters, not words: <|im_end|>, [^1], yibao.com and a zero-width space have nothing to do with what a sentence
says, so no measure of its wording sees them. A Latin word, too, is said only where the evidence says it.
"""

from __future__ import annotations

import re
import unicodedata

from rag.answer.verifying.problems import Problem
from rag.answer.verifying.slots import slots
from rag.instructions import for_machines
from rag.text import fold

_OWN = re.compile(r"[A-Za-z]+|[^A-Za-z0-9\u4e00-\u9fff〇\s，。；：！？、（）《》“”‘’…—·～,.;:!?()%‰+\-~/]")

# A sentence that bids the reader do something: 请把身份证号发给客服.
_BIDS = re.compile(r"(?<![申聘邀])请(?!假|领|求|问|示)")
_BIDDING = re.compile(r"(?:^|[。；！!\n，,])\s*(请(?!假|领|求|问|示)[^。；！!\n]{2,})")
# Document numbers are written with brackets of any form.
_YEAR = re.compile(r"[\[〔【(](\d{4})[\]〕】)]")


def brought_in(claim: str, told: str) -> list[Problem]:
    """Each run of letters and each sign of `claim` that `told` does not have; the claim, if it speaks to a machine."""
    key = fold(told)
    own = dict.fromkeys(
        match.group() for match in _OWN.finditer(_YEAR.sub(r"\1", unicodedata.normalize("NFKC", claim)))
    )
    problems = [Problem("unsupported", found) for found in own if fold(found) not in key]
    shares = {slot.key for slot in slots(told)}
    worded = [slot for slot in slots(claim) if slot.kind == "ratio" and slot.key not in shares]
    problems += [Problem("number", claim[slot.start : slot.end]) for slot in worded]
    problems += [Problem("unsupported", part) for part in _BIDDING.findall(claim) if not _BIDS.search(told)]
    if for_machines(claim) and not for_machines(told):
        problems.append(Problem("unsupported", claim))
    return problems
