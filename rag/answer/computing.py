"""Sums that a question asks for, done by code on cited figures and the user's own: a claim that shows its formula.

Knows the order in which the kinds of sum are tried, each of which is a file in `sums`. What a unit says, for whom and
where, is read by `sayings`; where the claim goes is the pipeline's job. No language model is asked. Where a second
reading is possible there is no sum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.composing import ComposedClaim
from rag.answer.sums.asked import Asked, spelled_out
from rag.answer.sums.comparing import compared
from rag.answer.sums.contributing import contributed
from rag.answer.sums.reimbursing import reimbursed
from rag.domain import EvidenceUnit

# What is not so, or not the asker's.
_NOT_OWN = re.compile(
    r"如果|假如|假设|假使|要是|倘若|万一|比如|例如|打个?比方|举例|要花|得花|需花|预[计估]|估计|不是|并非|除了"
    r"|邻居|同事|朋友|别人|人家|网友|听说|据说|新闻|有人|同学|亲戚|病友|闺蜜|表[姐妹哥弟]|某"
)


def computed(question: str, units: Sequence[EvidenceUnit]) -> ComposedClaim | None:
    """The sum that `question` asks for, as a claim on the units whose figures it uses; None where it is not safe.

    Amounts are in yuan to the cent, differences of ratios in 个百分点. Every figure of the text stands in the question
    or in the units, or is a result behind “=”.
    """
    text = spelled_out(question)
    if _NOT_OWN.search(text):
        return None
    asked = Asked(text)
    return reimbursed(asked, units) or contributed(asked, units) or compared(asked, units)
