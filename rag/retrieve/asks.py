"""A question to the things that it asks: 宁波剖宫产报多少？津贴要缴多久才能领？ asks two.

Knows where one ask ends and the next begins, and what of the question each of them needs to stand alone. What answers
an ask is the job of `evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag import qualifiers
from rag.retrieve import cues
from rag.tokens import topic_words

MAX_ASKS = 3
_CLAUSE_END = re.compile(r"[，。；：！？,;:!?\n]+")
_SENTENCE = re.compile(r"[^。！？!?；;\n]+")
_NEVER_ASKS = re.compile(r"^(?:但|可)?(?:不管|无论|不论)")
_ASKS = re.compile(
    r"多少|(?<![很许好])多[久长大高远]|(?<![了过近前上这那好十有们没])几(?!乎)|哪(?![顾怕能有])|谁|(?<!没)(?:什么|啥)(?![也都的])"
    r"|怎[么样]|咋|如何|是否|能否|可否|有无|(?!时不时|动不动)(?P<verb>[\u4e00-\u9fff])[不没](?P=verb)"
    r"|[是该算看走按].*(?<!去年)(?<!按规定)还是|[吗么没]$|[了到成]不$"
)
# What goes on with what was asked before, or only wants it confirmed.
_GOES_ON = re.compile(r"还是|或者|要不然?|否则|是不是|是吗|对[吗不]|行[吗不]|可以[吗不]|为什么|怎么[办回]")
# What holds for the whole question wherever it is told; of a hospital or a place each ask may name its own.
_CARRIED = frozenset({"insured_type", "employment", "care", "chronic"})
# Another person is insured in another way.
_OF_A_PERSON = frozenset({"insured_type", "employment"})
_KIN = re.compile(
    r"[爸爹妈娘]|父|母|[儿女孙]子|女儿|闺女|孩子|娃|老[公婆伴]|丈夫|妻|爱人|[爷奶]|[外岳][公婆]|公公|婆婆|[哥弟姐妹]|舅|姑|叔|姨"
)
# Said of what is meant that it is not this: 门诊（不是住院）, resident insurance (not employee).
_ASIDE = re.compile(
    r"[（(]\s*(?:而?不是|并非|不算|不含|不包括|(?:i\.e\.,?\s*|and\s+)?(?:not|excluding)\s)[^（）()]{1,40}[）)]",
    re.IGNORECASE,
)
# With fewer words of its own a clause is not understood alone.
_MIN_WORDS = 2


def asks(question: str) -> tuple[str, ...]:
    """The things asked, each as a question that stands alone; the question itself where it asks one. At most three."""
    context, parts = _parts([clause for clause in _CLAUSE_END.split(question) if clause.strip()])
    if len(parts) < 2:  # noqa: PLR2004 - one thing is asked
        return (question,)
    told = [*parts[: MAX_ASKS - 1], [clause for part in parts[MAX_ASKS - 1 :] for clause in part]]
    return tuple(_alone(context, told, n) for n in range(len(told)) if told[n])


def without_asides(question: str) -> str:
    """The question without bracketed words on what it does not ask about: they would be searched for, too.

    Where nothing else says what is meant, as in 大医院（不是基层）, they stay.
    """
    rest = _ASIDE.sub("", question)
    told = qualifiers.mentioned(rest).keys()
    return _ASIDE.sub(lambda aside: "" if qualifiers.mentioned(aside[0]).keys() <= told else aside[0], question)


def asking(question: str) -> str:
    """The clauses that ask, without what is told around them; the last clause where none has a word of asking."""
    clauses = [clause for clause in _CLAUSE_END.split(question) if clause.strip()]
    return "，".join(filter(_asks, clauses)) or "".join(clauses[-1:])


def asked_last(question: str) -> str:
    """The last sentence that has a word of asking; the last one where none has."""
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(question) if sentence.strip()]
    return next(reversed([sentence for sentence in sentences if _asks(sentence)] or sentences), "")


def _asks(clause: str) -> bool:
    return bool(_ASKS.search(clause)) and not _NEVER_ASKS.search(clause)


def _parts(clauses: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """What is told before anything is asked, and the clauses of each ask; what is told in between leads to the next."""
    context: list[str] = []
    parts: list[list[str]] = []
    leading: list[str] = []
    for clause in clauses:
        if not _asks(clause):
            leading.append(clause)
            continue
        if not parts:
            context, leading = leading, []
            parts.append([clause])
        elif _goes_on([*leading, clause]):
            parts[-1] += [*leading, clause]
        else:
            parts.append([*leading, clause])
        leading = []
    if parts:
        parts[-1] += leading
    return context, parts


def _goes_on(clauses: Sequence[str]) -> bool:
    if _GOES_ON.match(clauses[0]):
        return True
    own = {word for clause in clauses for word in topic_words(clause)} - cues.SPOKEN
    return len(own) < _MIN_WORDS


def _alone(context: Sequence[str], parts: Sequence[Sequence[str]], n: int) -> str:
    """The n-th ask with what was told first and what the earlier asks named of person and care and it does not."""
    own, before = "，".join([*context, *parts[n]]), "，".join(clause for part in parts[:n] for clause in part)
    return " ".join([own, *_carried(before, own, "，".join(parts[n]))])


def _carried(before: str, own: str, last: str) -> Iterator[str]:
    others = _KIN.search(before) and _KIN.search(last)
    open_yet = _CARRIED - qualifiers.mentioned(own).keys() - (_OF_A_PERSON if others else frozenset())
    seen = set()
    for dimension, value, start, end in qualifiers.located(before):
        if dimension in open_yet and (dimension, value) not in seen and not qualifiers.denied(before[:start]):
            seen.add((dimension, value))
            yield before[start:end]
