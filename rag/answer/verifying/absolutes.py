"""Only, always, even if: what a claim makes absolute that its evidence does not.

Knows the words that leave nothing else, no exception or no condition, and those in the evidence that may stand for
them. What is permitted, demanded or refused is the job of `modality`.
"""

from __future__ import annotations

import re

from rag.answer.verifying.problems import Problem

_CLAUSE_END = re.compile(r"[，。；：！？,;:!?\n]")
_SENTENCE_END = re.compile(r"[。；！!;\n]")
# A word that leaves out the rest, and what in the evidence may say so: evidence that has none of it was widened.
_BROUGHT: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(r"只有|只能|只限|只可|仅能|仅限|仅可|限于|唯一|只(?=在|由|到|用|凭|以|给|报|赔|支付|看|按|认)"),
        re.compile(
            r"[只仅才限除专独]|前提|条件(?!下)|方[可能]|部分|唯一|必须|须|应|不得|不能|不可|不予|不在|以外|之外|其他"
        ),
    ),
    (
        re.compile(
            r"一律|任何情[形况]|凡是|统统|(?<![开畅沟打])通通|无条件|毫无例外|全都|各级(?!财政|人民|政府)|不分(?![段期次开红])|统一确定"
        ),
        re.compile(r"一律|统一|任何|凡|所有|全部|全体|一切|[都各每]|(?<!人)均|[不无]论|不得|必须|不分|[的者][，,]"),
    ),
    (
        re.compile(
            r"(?:[不无]论|不管)[^，。；]{0,8}(?:什么|何种?|任何|是否|是不是|多少|怎样|如何)|即使|哪怕|就算|即便"
        ),
        re.compile(r"[不无]论|不管|任何|一律|凡|所有|一切|不问|不分|即使|哪怕|仍|亦|不影响|[也都均各每]"),
    ),
    (re.compile(r"不例外|无一例外|没有例外"), re.compile(r"不例外|无一例外|毫无例外|没有例外")),
)
# What allows nothing but one thing, or demands several at once; and what leaves a choice.
_NO_CHOICE = re.compile(r"只有|[只仅](?:能|可|限)|唯一|缺一不可|两[样者个][都均]|[都均][要得]|[要得](?:一起|一并|同时)")
_CHOICE = re.compile(r"或(?!许)|也可|均可|都可|任选|多种|还可|既可")
_ONLY = re.compile(r"[仅只才]|(?<!解)除|方可|方能|以外|停止|终止")
# What has no exception, and what is one.
_ALWAYS = re.compile(r"一律|任何情[形况]|凡是|统统|无条件|毫无例外|[不无]论[^。；]*[都均一]")
_EXCEPTION = re.compile(r"除外|例外|不在此限|除非|但[^。；]{0,30}(?:除|不受)")


def widened(claim: str, told: str) -> list[Problem]:
    """Clauses that are absolute where nothing in the evidence is, and sentences that drop its exception."""
    found = [
        Problem("polarity", clause)
        for clause in _CLAUSE_END.split(claim)
        if any(word.search(clause) and not there.search(told) for word, there in _BROUGHT)
    ]
    if not _EXCEPTION.search(told) or _ALWAYS.search(told):
        return found
    sentences = [part for part in _SENTENCE_END.split(claim) if _ALWAYS.search(part) and not _EXCEPTION.search(part)]
    return found + [Problem("polarity", sentence) for sentence in sentences]


def leaves_no_choice(clause: str, other: str) -> bool:
    """Whether a clause allows one thing only, or demands all, where a clause of the evidence leaves a choice."""
    return bool(_NO_CHOICE.search(clause) and _CHOICE.search(other)) and not _ONLY.search(other)
