"""What a claim permits, demands or refuses, against the part of its evidence that speaks of the same.

Knows the words of permission, duty and refusal, and which clause of the evidence a clause of the claim repeats. A word
denied here and not there is found by `binding`, one word in another's place by `alignment`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.answer.verifying import absolutes, polarity
from rag.answer.verifying.clauses import MIRROR, alike_or_joined, clauses, content, share
from rag.answer.verifying.problems import Problem
from rag.answer.verifying.wording import word_class
from rag.qualifiers import WITHOUT

_SENTENCE_END = re.compile(r"[。；！!;\n]")
_REFUSAL = re.compile(
    r"不能(?!力|超[过出]|[高低多少晚迟]于|[高低多少]过)|不可(?!抗|避)(?:以)?|不得(?!不|超[过出]|[高低多少晚迟]于)|不予|不准|不许|无权|无法|禁止|严禁|不再"
)
_PERMISSION = re.compile(r"(?<!不)可以|(?<![不许认即])可(?![能行靠是以用])|(?<![不功性可])能(?!力)|允许|准许|有权|得以")
_DUTY = re.compile(
    r"必须|务必|应当|应该|(?<![不无])必需|(?<![无不必])须|(?<![对相适供反响不])应(?![对用急收])|(?<![根据按照有所])需要?(?!求)|得(?=[先要在向由])|(?<![不需])要(?![求么])|强制|前提(?!下)"
)
_STRICT_DUTY = re.compile(r"(?<!不是)必须|务必|(?<![不非])强制|(?<!不)(?:一定[会要]|必[然定])")
_ENCOURAGED = re.compile(r"鼓励|提倡|倡导|支持(?=[^，。；]{2})")
_OPTIONS = frozenset({"可以", "有权"})
# What gives a duty another form: only then, only who, on condition.
_CONDITION = re.compile(r"才|方可|方能|只有|前提|条件|(?<!不)仅|只能|只限|不得|不能")
_VERDICT = re.compile(
    r"(?P<no>不(?:是|能|可以|属于|算|会|行|予)[\u4e00-\u9fff]{0,3})[，,。；]|(?:是|能|可以|属于|算|会|行)的?[，,。；]"
)
_COPULA = re.compile(r"(?<![可但就还只要凡总不])(?:属于|也?是|算)")
_THEN = re.compile(r"[就也仍]")
_WAIVER = re.compile(r"无需|无须|不需要?|不用|用不着|不必|免于|免(?=备案|予|除|交|缴)")
# What refuses without a word of refusal.
_EXCLUSION = re.compile(
    rf"[不没未非免禁仅只才]|{WITHOUT}|(?<!解)除|自[费付理]|例外|停止|终止|中断|失[效败]|拒绝|取消|以外|避免|难以|之?前(?![往提来])"
)
_ONLY = re.compile(r"[仅只才]|(?<!解)除|方可|方能|以外|停止|终止")
_SHORTEST = 4


def turned(claim: str, told: str) -> list[Problem]:
    """Clauses of the claim that demand, permit or refuse what the evidence does not."""
    there = clauses(told)
    waived = [Problem("polarity", sentence) for sentence in _SENTENCE_END.split(claim) if _waives(sentence, told)]
    return waived + [
        problem
        for sentence in _SENTENCE_END.split(claim)
        for clause in clauses(sentence)
        if (problem := _turned(clause, there, told, sentence))
    ]


def belied(claim: str) -> list[Problem]:
    """A verdict ahead of the claim (不能，...) that the rest of the claim belies; `claim` as it is written."""
    match = _VERDICT.match(claim.strip())
    if match is None:
        return []
    rest = claim.strip()[match.end() :]
    affirmed = _PERMISSION.search(rest) or _COPULA.search(rest) or "予以" in rest
    affirms = not _EXCLUSION.search(rest) and bool(affirmed)
    refuses = bool(_REFUSAL.search(rest)) and not _PERMISSION.search(_REFUSAL.sub("", rest))
    return [Problem("polarity", match.group())] if (affirms if match["no"] else refuses) else []


def _turned(clause: str, there: Sequence[str], told: str, claim: str) -> Problem | None:
    if _STRICT_DUTY.search(clause) and not (_DUTY.search(told) or _CONDITION.search(told)):
        return Problem("polarity", clause)
    own = content(clause)
    if not own:
        return None
    like = alike_or_joined(own, there)
    if _permits_more(clause, there) or any(absolutes.leaves_no_choice(clause, other) for other in like):
        return Problem("polarity", clause, "，".join(like[:1]))
    if any(polarity.contraposed(claim, sentence) for sentence in _SENTENCE_END.split(told)):
        return None
    if like and all(_contradicts(clause, other) or _mirrors(clause, other, claim) for other in like):
        return Problem("polarity", clause, like[0])
    return None


def _waives(claim: str, told: str) -> bool:
    """Whether the claim allows without a thing what the evidence allows with it: 未经批准，可以执行."""
    if polarity.denials(claim) != 1:
        return False
    parts = [part for clause in clauses(claim) for part in _THEN.split(clause) if part]
    without = [before for before, after in pairwise(parts) if _PERMISSION.search(after) and polarity.denials(before)]
    if not without:
        return False
    left_out = polarity.denied(claim) or content(without[0])
    demanding = [s for s in _SENTENCE_END.split(told) if polarity.necessary(s)]
    return not left_out & polarity.denied(told) and any(word in s for s in demanding for word in left_out)


def _permits_more(clause: str, there: Sequence[str]) -> bool:
    """Whether a clause permits what no word of the evidence speaks of."""
    own = content(_PERMISSION.sub("，", clause)) if _PERMISSION.search(clause) else frozenset()
    return len("".join(own)) >= _SHORTEST and not any(share(own, other) for other in there)


def _mirrors(clause: str, best: str, claim: str) -> bool:
    """Whether two clauses of the same words differ by a negation."""
    own, other = len(polarity.negations(clause)), len(polarity.negations(best))
    if min(own, other) or own % 2 == other % 2 or "、" in best or clause.endswith("不行") or not _has_verb(best):
        return False
    if _EXCLUSION.search(best if own else claim):  # denies it in other words
        return False
    if not all(word in (best if own else clause) for word in _denied(clause if own else best)):
        return False
    return min(share(content(best), clause), share(content(clause), best)) >= MIRROR


def _contradicts(clause: str, best: str) -> bool:
    """Whether the one refuses, permits or demands what the other does not."""
    if _REFUSAL.search(clause):
        denied = _ONLY if _PERMISSION.search(best) and not _REFUSAL.search(best) else _EXCLUSION
        return not denied.search(best)
    if _WAIVER.search(clause):
        return False
    if _DUTY.search(clause) and _ENCOURAGED.search(best) and not (_DUTY.search(best) or _ENCOURAGED.search(clause)):
        return True
    permission, demanded = _PERMISSION.search(clause), bool(_DUTY.search(best))
    permitted = bool(_PERMISSION.search(best))
    if permission and not polarity.negations(clause) and _REFUSAL.search(best):
        return not _CONDITION.search(clause)
    if permission and not _DUTY.search(clause):
        return permission.group() in _OPTIONS and demanded and not permitted
    return bool(_STRICT_DUTY.search(clause)) and permitted and not (demanded or _CONDITION.search(best))


def _denied(clause: str) -> list[str]:
    return [clause[word.start : word.end] for word in polarity.content(clause) if word.head]


def _has_verb(clause: str) -> bool:
    return any(word_class(word.text) == "v" for word in polarity.content(clause))
