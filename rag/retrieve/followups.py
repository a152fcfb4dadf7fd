"""A question that leans on the conversation, made whole: 那退休的呢 after 在职职工住院报多少.

Knows how one asks on: by another value of the same kind, by a pronoun, by a next step. The result is for searching and
for the model; the user's own words stay what they are. What the whole question asks for is the job of `scope`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag import places, qualifiers
from rag.domain import Turn
from rag.retrieve.roles import roles
from rag.tokens import topic_words

_NEW_TOPIC = re.compile(r"换个(?:问题|话题)|(?:另外|顺便|再|还想)问|对了|不问这个|不说这个|别的问题|问个别的")
_OPENS = re.compile(r"^(?:那|要是|换成|换做|可是|但|然后|所以|也就是说|就是说|意思是|我听明白|反过来)")
_ENDS = re.compile(r"[呢嘞][？?。]*(?:$|[^？?]{0,12}$)")
_POINTS = re.compile(
    r"[这那](?:个|种|些|样|笔|张|里|边|步|数|一?段|几)|上面|上述|刚才|刚刚|前面|前者|后者|它|该项|此项|一样吗|同样"
    r"|也(?:是|要|行|可以|能|得|算)"
)
# A question that names one of these says itself what it is about.
_ANCHORS = re.compile(
    r"医保|医疗保险|社保|保险|备案|报销|参保|合作医疗|异地|缴费|起付|封顶|津贴|门诊|住院|药|转诊|账户|电子凭证|结算"
)
_ASKS_WHOLE = re.compile(r"[吗么不](?:[？?]|$)|多少|怎么|如何|哪|[能可要用][不否]|有没有|什么")
_TURNED_ROUND = re.compile(r"反过来|倒过来|反之")
_TWO = 2
_FEW = 2
# Characters of what was asked before that a question may lean on.
_LONGEST = 1_000
_OLD_AND_NEW = 2
_MANY = 9
# Values beside those of `qualifiers` that exclude each other; one of them in a question replaces another before it.
_OTHERS = tuple(
    re.compile(words)
    for words in (
        r"上限|下限",
        r"起付线|起付标准|封顶线|最高支付限额",
        r"甲类|乙类|丙类",
        r"单位|个人(?!账户)",
        r"[一二三四]档",
        r"[一二三四]类",
        r"数额较大|数额巨大|数额特别巨大",
        r"支付宝|微信",
        r"(?:19|20)\d{2}年",
        r"配偶|父母|子女|孩子",
    )
)
_LIGHT = frozenset("呢 报 比例 要是 如果 换成 一样 也 人员 人 医院 职工 话 那边 这边 这个 那个".split())


def completed(question: str, conversation: Sequence[Turn]) -> str:
    """The question as it would be asked without the conversation; the question itself where it leans on nothing."""
    whole = ""
    for words in (*(turn.content for turn in conversation if turn.role == "user"), question):
        whole = _joined(whole[-_LONGEST:], words.strip()) if whole and _leans(words.strip()) else words.strip()
    return whole


def _leans(question: str) -> bool:
    if _NEW_TOPIC.search(question) or _is_whole(question):
        return False
    own = [word for word in topic_words(question) if word not in _LIGHT]
    points_back = any(sign.search(question) for sign in (_OPENS, _ENDS, _POINTS))
    if points_back and not (len(own) >= _MANY and places.find(question)):
        return True
    return len(own) <= _FEW or not _ANCHORS.search(question)


def _is_whole(question: str) -> bool:
    """Whether a question says who is insured where, treated where, and what it wants to know."""
    parts = {role.treats for role in roles(question)}
    return parts == {True, False} and bool(_ASKS_WHOLE.search(question))


def _joined(before: str, question: str) -> str:
    """What was asked before with the new values in it, then the new words, unless the values were all of them."""
    adapted = _with_places(_with_values(before, question), question)
    new = [word for word in topic_words(question) if word not in _LIGHT and word not in adapted]
    return adapted if not new and adapted != before else f"{adapted} {question}"


def _with_values(before: str, question: str) -> str:
    """`before` with each value that the question names in place of another one of its dimension."""
    told = qualifiers.located(before)
    for dimension, value, start, end in qualifiers.located(question):
        of_kind = [(v, s, e) for d, v, s, e in told if d == dimension]
        if len({v for v, _, _ in of_kind} | {value}) == _OLD_AND_NEW and of_kind[0][0] != value:
            for _, s, e in sorted(of_kind, key=lambda found: found[1], reverse=True):
                before = before[:s] + question[start:end] + before[e:]
            told = qualifiers.located(before)
    for words_of in _OTHERS:
        if (new := words_of.search(question)) and new.group() not in before:
            before = words_of.sub(new.group(), before, count=1)
    return before


def _with_places(before: str, question: str) -> str:
    """`before` with the place that only the question names instead of the one that only `before` names.

    反过来 puts the two of `before` in each other's place.
    """
    new, told = places.located(question), places.located(before)
    if _TURNED_ROUND.search(question) and len({name for name, _, _ in told}) == len(told) == _TWO:
        (one, _, first), (other, second, end) = told
        return before[: told[0][1]] + other + before[first:second] + one + before[end:]
    brought = list({name for name, _, _ in new} - {name for name, _, _ in told})
    left = [found for found in told if found[0] not in {name for name, _, _ in new}]
    if len(brought) == 1 and len(left) == 1 and not places.related(brought[0], left[0][0]):
        _, start, end = left[0]
        before = before[:start] + brought[0] + before[end:]
    return before
