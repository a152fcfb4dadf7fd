"""What a claim permits, demands or refuses, against the part of its evidence that speaks of the same.

Knows the words of permission, duty and refusal, and which clause of the evidence a clause of the claim repeats. A word
denied here and not there is found by `binding`, one word in another's place by `alignment`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from rag.answer.verifying import polarity
from rag.answer.verifying.problems import Problem
from rag.answer.verifying.wording import words

_CLAUSE_END = re.compile(r"[，。；：！？,;:!?|\n]")
_REFUSAL = re.compile(r"不能(?!力)|不可(?!抗|避)(?:以)?|不得(?!不)|不予|不准|不许|无权|禁止|严禁|不再")
_PERMISSION = re.compile(
    r"(?<!不)可以|(?<![不许认])可(?![能行靠是以用])|(?<![不功性])能(?![力])|允许|准许|有权|得以"
)
_DUTY = re.compile(r"必须|务必|应当|应该|(?<![不无])必需|(?<![无不必])须|(?<![对相适供反响不])应(?![对用急收])|需要?(?!求)|得(?=[先要在向由])|(?<!不)要(?!求)|强制")
_STRICT_DUTY = re.compile(r"(?<!不是)必须|务必|强制")
_HARD = re.compile(r"必须|务必|应当")
# What gives a duty another form: only then, only who, on condition.
_CONDITION = re.compile(r"才|方可|方能|只有|前提|条件|(?<!不)仅|只能|只限|不得|不能")
_WAIVER = re.compile(r"无需|无须|不需要?|不用|不必|免于|免(?=备案|予|除|交|缴)")
# What refuses without a word of refusal.
_EXCLUSION = re.compile(
    r"[不没未无非免禁仅只才]|除|自[费付理]|例外|停止|终止|中断|失[效败]|拒绝|取消|以外|避免|难以|之?前(?![往提来])"
)
# Shares of a clause's wording that have to stand in another for it to be the same. Fitted on development pairs.
SAME = 0.6
TIE = 0.15
MIRROR = 0.7


def turned(claim: str, told: str) -> list[Problem]:
    """Clauses of the claim that demand, permit or refuse what the evidence does not."""
    there = _candidates(told)
    return [problem for clause in _clauses(claim) if (problem := _turned(clause, there, told, claim))]


def _turned(clause: str, there: Sequence[str], told: str, claim: str) -> Problem | None:
    if _STRICT_DUTY.search(clause) and not (_DUTY.search(told) or _CONDITION.search(told)):
        return Problem("polarity", clause)
    own = _content(clause)
    if not own or not there:
        return None
    shares = [(_share(own, other), other) for other in there]
    least = max(SAME, max(share for share, _ in shares) - TIE)
    alike = [other for share, other in shares if share >= least]
    if alike and all(_contradicts(clause, other) or _mirrors(clause, other, claim) for other in alike):
        return Problem("polarity", clause, alike[0])
    return None


def _mirrors(clause: str, best: str, claim: str) -> bool:
    """Whether two clauses of the same words differ by a negation."""
    if "、" in best or _share(_content(best), clause) < MIRROR or _share(_content(clause), best) < MIRROR:
        return False
    own, other = len(polarity.negations(clause)), len(polarity.negations(best))
    return own % 2 != other % 2 and not (own == 0 and _EXCLUSION.search(claim)) and not (other == 0 and _EXCLUSION.search(best))


def _contradicts(clause: str, best: str) -> bool:
    refuses, permits, demands = (bool(p.search(clause)) for p in (_REFUSAL, _PERMISSION, _DUTY))
    if refuses:
        return not _EXCLUSION.search(best)
    if _WAIVER.search(clause):
        return False
    if permits and not polarity.negations(clause) and _REFUSAL.search(best):
        return not _CONDITION.search(clause)
    if permits and not demands and _PERMISSION.search(clause).group() in {"可以", "有权"} and _HARD.search(best) and not _PERMISSION.search(best):
        return True
    if _STRICT_DUTY.search(clause):
        return bool(_PERMISSION.search(best)) and not (_DUTY.search(best) or _CONDITION.search(best))
    return False


def _clauses(text: str) -> list[str]:
    return [clause for clause in _CLAUSE_END.split(text) if clause.strip()]


@functools.lru_cache(maxsize=256)
def _candidates(told: str) -> tuple[str, ...]:
    """The clauses of the evidence, and each two that follow each other."""
    clauses = _clauses(told)
    return (*clauses, *("，".join(pair) for pair in zip(clauses, clauses[1:], strict=False)))


@functools.lru_cache(maxsize=2048)
def _content(clause: str) -> frozenset[str]:
    return frozenset(word.text for word in polarity.content(clause))


def _share(own: frozenset[str], other: str) -> float:
    known = _content(other)
    carried = sum(len(word) for word in own if word in known or word in other)
    return carried / sum(map(len, own)) if own else 0.0
