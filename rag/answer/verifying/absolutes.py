"""Only, always, even if: what a claim makes absolute that its evidence does not.

Knows the words that leave nothing else, no exception or no condition, and those in the evidence that may stand for
them. What is permitted, demanded or refused is the job of `modality`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.verifying.clauses import alike, clauses, content
from rag.answer.verifying.problems import Problem

_CLAUSE_END = re.compile(r"[，。；：！？,;:!?\n]")
_SENTENCE_END = re.compile(r"[。；！!;\n]")
# A word that leaves out the rest, and what in the evidence may say so: evidence that has none of it was widened.
_BROUGHT: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(
            r"只有|只能|只限|只可|仅能|仅限|仅可|限于|唯一|只(?=在|由|到|用|凭|以|给|报|赔|支付|看|按|认)(?!(?:报销?|给|赔|支付)(?:\d|[一二三四五六七八九]成|[一二两三四五六七八九十百]+[%元]))"
        ),
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
# One of several suffices, and several are needed; as a claim says it, and as evidence does.
_ONE_SUFFICES = re.compile(
    r"(?:有|占到?|满足|达到|符合|具备)(?:其中)?(?:任[何意]?)?一[个项条样点种][^。；;]{0,8}[就即便]"
)
_ALL_NEEDED = re.compile(
    r"(?<!不必)(?<!不用)(?<!不需)(?<!不需要)(?<!不是)(?<!并非)(?:缺一不|缺[少了]?一[个项条样][都也]不|样样都?|(?:全部|所有|各项|全都?|统统)(?:都[得要])?(?:具备|满足|符合|达到|达标))"
)
_ALL = re.compile(r"所有|全部|同时|各项|[均都]|也必须|且|及(?!时|其)|和")
_TOGETHER = re.compile(r"所有|全部|同时|各项|均")
_ANY = re.compile(r"任[意何]?[一二三四五两\d]|之一|其中|或(?!许)")
_ANY_ONE = re.compile(r"任[意何]?一|之一|其中一|有一[项个种条]")
# What holds in every case, and the words that say in which cases something holds only.
_IN_EVERY_CASE = re.compile(
    r"[不无]论|不管|(?:谁|什么情况|任何情况|哪里|到处|哪儿|[所凡]有?[^，。；,;]{1,12}|[^，。；,;]{2,16}的[，,]?)[都均]|一律|统统|通通|一概"
)
_EVERY = re.compile(r"[不无]论|不管|一律|[统通]统|通通|一概|凡是?|所有|什么情况|任何|哪[里儿]|到处")
_IN_SOME = re.compile(
    r"部分(?!负担|自付|费用|支付)|有些|有的|某些|个别|特殊情况|有条件的|属实的|符合[^，。；,;]{1,12}的|满足[^，。；,;]{1,12}的|构成[^，。；,;]{1,8}的"
)
# What has no exception, and what is one.
_ALWAYS = re.compile(r"一律|任何情[形况]|凡是|统统|无条件|毫无例外|[不无]论[^。；]*[都均一]")
_SHORTEST = 4
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


def joined_otherwise(claim: str, told: str) -> list[Problem]:
    """Sentences for which one of several conditions suffices where the evidence wants them all, or the reverse."""
    together, wants_any = bool(_TOGETHER.search(told)), bool(_ANY.search(told))
    wants_all = not _ANY_ONE.search(told) and (together or (bool(_ALL.search(told)) and not wants_any))
    return [
        Problem("polarity", sentence)
        for sentence in _SENTENCE_END.split(claim)
        if (_ONE_SUFFICES.search(sentence) and wants_all)
        or (_ALL_NEEDED.search(sentence) and wants_any and not together)
    ]


def unrestricted(claim: str, told: str) -> list[Problem]:
    """Sentences that hold in every case where the part of the evidence that says the same is for some cases only."""
    some = [part for part in clauses(told) if _IN_SOME.search(part)]
    there = [*some, *_SENTENCE_END.split(told)]
    return [
        Problem("polarity", sentence)
        for sentence in _SENTENCE_END.split(claim)
        if _IN_EVERY_CASE.search(sentence) and not _IN_SOME.search(sentence)
        if any(_holds_in_some(part, there) for part in (sentence, clauses(sentence)[-1]))
    ]


def _holds_in_some(part: str, there: Sequence[str]) -> bool:
    """Whether all that says the same says it of some cases only."""
    own = content(_EVERY.sub("，", part))
    like = alike(own, there) if sum(map(len, own)) >= _SHORTEST else []
    return bool(like) and all(_IN_SOME.search(other) for other in like)


def leaves_no_choice(clause: str, other: str) -> bool:
    """Whether a clause allows one thing only, or demands all, where a clause of the evidence leaves a choice."""
    return bool(_NO_CHOICE.search(clause) and _CHOICE.search(other)) and not _ONLY.search(other)
