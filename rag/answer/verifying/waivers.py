"""What a claim leaves to choice where its evidence demands it, and demands where its evidence leaves the choice.

Knows the words that waive a duty, from 无需 to 愿意就, and those that impose one. What is permitted or refused is the
job of `modality`.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag import qualifiers
from rag.answer.verifying import polarity
from rag.answer.verifying.clauses import MIRROR, alike, clauses, content, share
from rag.answer.verifying.problems import Problem

_SENTENCE_END = re.compile(r"[。；！!;\n]")
# What stands before the thing that it waives, and what behind it.
_FREE_OF = r"无需|无须|不需要?|不用(?!于)|不必|不要求|免于"
_LEFT = (
    r"可以?不(?![\u4e00-\u9fff]?超|[高低多少])|自愿|"
    r"(?:自己|自行|自主)(?:拿主意|做主|决定|选择|说了算|看着办)|(?:愿意?|想|肯)[\u4e00-\u9fff]{1,4}就[\u4e00-\u9fff]{1,4}|"
    r"不[\u4e00-\u9fff]{1,4}也(?:行|可以|能办|没关系|不要紧|无妨)|(?<=[不没未])[\u4e00-\u9fff]{1,8}也?(?:没关系|不要紧|无妨|无所谓)"
)
_WAIVED = re.compile(f"{_FREE_OF}|{_LEFT}")
_AHEAD = re.compile(_FREE_OF)
_DEMANDED = re.compile(
    r"必须|务必|应当|应该|(?<![无不必])须|(?<![对相适供反响不本])应(?![对用急收付缴交])|(?<![根据按照有所不只仅])需要?(?!求)|(?<![不需主只重])要(?![求么])|"
    r"得(?=[先要在向由])|强制|前提(?!下)"
)
_STRICT = re.compile(r"必须|强制|务必|应当|应该|一定[要得]")
_VOLUNTARY = re.compile(r"自愿")
_ABSENT = re.compile(r"(?:没有|不设置?|没设)(?P<what>[\u4e00-\u9fff]{2,6}?)(?=[，。；,;]|$|的?限制|要求)")
_CARRIED_ON = re.compile(r"并(?!非|不)|且|以及|同时")
_CHOICE = re.compile(r"自愿|自主|自行决定|(?<!不)可以|(?<![许认])可(?![能行靠])")


def waived(claim: str, told: str) -> list[Problem]:
    """Clauses of the claim that waive what the evidence demands."""
    return [
        Problem("polarity", clause, demand)
        for sentence in _SENTENCE_END.split(claim)
        for clause in clauses(sentence)
        if _WAIVED.search(clause) and (demand := _demand(clause, sentence, told))
    ]


def _demand(clause: str, sentence: str, told: str) -> str:
    """The clause of the evidence that demands what a clause of the claim waives; empty if there is none."""
    what, there = _what(clause, sentence), clauses(told)
    like = alike(what, there) or alike(what, ["，".join(pair) for pair in pairwise(there)])
    demands = [other for other in like if _demands(other, told) and not _denies(other, told)]
    if mirrored := [other for other in demands if _mirrors(clause, other)]:
        return mirrored[0]
    free = any(_WAIVED.search(other) or _CHOICE.search(other) or _denies(other, told) for other in like)
    return demands[0] if demands and not free else ""


def _mirrors(clause: str, demand: str) -> bool:
    """Whether a clause has all that a demand says, and speaks of the same people."""
    others = qualifiers.excluded(qualifiers.mentioned(clause), qualifiers.mentioned(demand))
    return not others and share(content(_DEMANDED.sub("，", demand)), clause) >= MIRROR


def _demands(clause: str, told: str) -> bool:
    """Whether a clause demands something, and leaves no choice; 并 carries the duty on from what stands before."""
    if _WAIVED.search(clause):
        return False
    before = told[: told.find(clause)] if _CARRIED_ON.match(clause) else ""
    return bool(_DEMANDED.search(clause) or _DEMANDED.search(_SENTENCE_END.split(before)[-1]))


def _what(clause: str, sentence: str) -> frozenset[str]:
    """The words for what a clause waives: those behind 无需, those around 愿意…就, those of the sentence if none."""
    behind = _AHEAD.split(clause)[-1] if _AHEAD.search(clause) else ""
    return content(behind) or content(_WAIVED.sub("，", clause)) or content(_WAIVED.sub("，", sentence))


def _denies(clause: str, told: str) -> bool:
    """Whether a clause, or what follows from it in its sentence, denies something; a condition (未缴费的) may."""
    sentence = next((part for part in _SENTENCE_END.split(told) if clause in part), clause)
    return any(polarity.negations(part) for part in clauses(sentence) if not part.endswith(("的", "者")))


def imposed(claim: str, told: str) -> list[Problem]:
    """Clauses of the claim that make a duty of what the evidence says is voluntary, or of what it says there is not."""
    voluntary = _words_behind(_VOLUNTARY, told)
    absent = [match["what"] for match in _ABSENT.finditer(told)]
    return [
        Problem("polarity", clause)
        for clause in clauses(claim)
        if not _VOLUNTARY.search(claim) and not polarity.negations(clause)
        if (_STRICT.search(clause) and voluntary & content(clause))
        or (_DEMANDED.search(clause) and any(name in clause for name in absent))
    ]


def _words_behind(word: re.Pattern[str], told: str) -> frozenset[str]:
    """The content words that stand right behind a word, in its clause."""
    behind = [content(word.split(clause)[-1]) for clause in clauses(told) if word.search(clause)]
    return frozenset().union(*behind)
