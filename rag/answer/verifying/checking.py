"""A claim against the evidence that it cites: every figure there, nothing turned, nothing added, nothing lost?

Knows which checks there are and what a rewording has to keep. How a check works is the job of its module; what
happens to a claim that fails, of `answer.composing`. No language model is asked.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

from rag import places, qualifiers
from rag.answer.verifying import absolutes, cells, comparisons, exceptions, modality, polarity, starts, waivers
from rag.answer.verifying.alignment import substituted
from rag.answer.verifying.binding import turned
from rag.answer.verifying.foreign import brought_in
from rag.answer.verifying.mentions import Mention, Statement
from rag.answer.verifying.names import unknown
from rag.answer.verifying.problems import Problem
from rag.answer.verifying.roles import swapped
from rag.answer.verifying.sequence import reversed_steps
from rag.answer.verifying.slots import Slot, slots
from rag.answer.verifying.statements import statements
from rag.answer.verifying.support import hardened, unsupported
from rag.answer.verifying.wording import plain
from rag.qualifiers import WITHOUT
from rag.text import fold, same_words
from rag.tokens import topic_terms

_HEDGES = tuple(
    re.compile(words)
    for words in (
        "可能|或许|也许",
        "一般|通常|原则上|往往|大多",
        "部分(?!负担|自付|费用)|有些|某些|一些|个别",
        "例如|比如|譬如|举例|某地",
        "如适用|如有(?!关)|如需|视情况|的[，,](?:另需?|还需|还要|须另)",  # what only some have to bring
        "约(?!定)|左右|大概|大约",
        "因地区|各地|以当地|以参保地",
        "可以|可(?=在|凭|持|到|向|由|按|经|通过|直接|选择)|允许|能够",  # a permission is no duty and no fact
    )
)
_EXCLUDING = re.compile(
    rf"[不没未非免禁仅只才除]|{WITHOUT}|自[费付理]|例外|停止|终止|中断|失效|拒绝|取消|少于|低于|独立|自愿|专款专用|个人账户|全部由"
)
_REST = re.compile(r"(?m)(?:^|(?<=。))(?:其他|其它|其余|否则)[^。\n]*")
_REFUSING = re.compile(
    r"不属于|不[会能得](?!不|超[过出]|[高低多少晚迟]于|[高低多少]过)|不可(?!抗)|不予|不准|不许|无需|无须|不用|不必|不需"
)
_WITHIN_PROVINCE = re.compile(r"(?<![\u4e00-\u9fff]省)(?:全省|省内|本省)")
_NO_NEED = re.compile(r"无需|无须|不需要?|不用|不必")
_AT_LEAST = re.compile(r"不低于|不少于|至少|最低|最少|以上|起码|大于|(?<!不)(?:超过|多于|高于)")
_AT_MOST = re.compile(r"不高于|不超过|不多于|至多|最高|最多|以内|以下|上限|封顶|小于|不满|未满|(?<!不)(?:低于|少于)")
_STRICT_KINDS = frozenset({"ratio", "amount", "period", "age", "count", "date", "phone", "document", "url"})
# Shares of the evidence's topic terms that a rewording keeps.
MIN_KEPT = 0.3
MIN_KEPT_WHOLE = 0.75
_WHO = ("insured_type", "employment")


def check(claim: str, evidence: Sequence[str], title: str = "") -> tuple[Problem, ...]:
    """Everything in `claim` that its evidence (with the title path above it) does not carry; empty when it stands."""
    own = [*brought_in(claim, "\n".join((*evidence, title))), *modality.belied(claim), *comparisons.belied(claim)]
    claim, title = plain(claim), plain(title)
    told = _with_places(plain("\n".join(evidence)), title)
    its = _read(told)
    repeated = {statement.text for statement in its}
    mine = [statement for statement in _read(claim) if statement.text not in repeated]
    watched = frozenset(word for statement in mine for words in statement.denied for word in words)
    watched |= frozenset(words[0] for statement in its for words in statement.denied)
    problems = [
        *own,
        *turned(_named(mine, watched), _named(its, watched), _named(_read(title), frozenset())),
        *(problem for statement in mine for problem in substituted(statement, its)),
        *_denied_alone(mine, its, title + told),
        *unknown(claim, title + told),
        *swapped(claim, told),
        *cells.misplaced(claim, told),
        *reversed_steps(claim, told),
        *starts.displaced(claim, told),
        *absolutes.widened(claim, told),
        *absolutes.joined_otherwise(claim, told),
        *absolutes.unrestricted(claim, told),
        *exceptions.included(claim, told),
        *modality.turned(claim, told),
        *waivers.waived(claim, told),
        *waivers.imposed(claim, told),
        *hardened(claim, told),
        *unsupported(claim, told + "\n" + title),
    ]
    return tuple(dict.fromkeys(problems))


@functools.lru_cache(maxsize=256)
def _read(text: str) -> list[Statement]:
    """The text's statements, kept: the claims of an answer often cite one passage."""
    return [Statement(statement) for statement in statements(text)]


def _named(texts: Sequence[Statement], watched: frozenset[str]) -> list[Mention]:
    return [mention for statement in texts for mention in (*statement.mentions, *statement.denials(watched))]


def _denied_alone(mine: Sequence[Statement], its: Sequence[Statement], told: str) -> list[Problem]:
    """A refusal or a waiver for which the evidence, that neither denies nor excludes anything, has no ground."""
    if any(s.denied and not polarity.of_the_rest(s.text) for s in its) or _EXCLUDING.search(_REST.sub("", told)):
        return []
    return [
        Problem("polarity", statement.text)
        for statement in mine
        if _REFUSING.search(statement.text) and not any(polarity.contraposed(statement.text, o.text) for o in its)
    ]


def _with_places(told: str, title: str) -> str:
    """全省, 省内 and 本市 by the name of the place that the text is about."""
    named = places.find(title + told)
    if not named:
        return told
    province = (places.within(named[0]) or (named[0],))[-1]
    told = _WITHIN_PROVINCE.sub(lambda match: province + match.group(), told)
    city = next((name + "市" for name in (named[0], *places.within(named[0])) if name + "市" in places.names()), "本市")
    return told.replace("本市", city)


def completeness(
    claim: str, evidence: Sequence[str], question: str, title: str = "", *, whole: bool = False
) -> tuple[Problem, ...]:
    """What a rewording of the evidence lost or brought in.

    It may drop words, never a figure, a hedge or a group, and it has no content word of its own: 可以反复用 would
    otherwise pass where the evidence says 只能使用一次. With `whole` most of the evidence has to be kept.
    """
    is_row = any(text.lstrip().startswith("|") for text in evidence)
    claim, told, title = same_words(claim), same_words("\n".join(evidence)), same_words(title)
    around = fold(told + title)
    if novel := [term for term in _words(claim) if len(term) > 1 and term not in around]:
        return tuple(Problem("unsupported", term) for term in novel)
    if hardened := _hardened(claim, told):
        return tuple(hardened)
    own = [slot.key for slot in slots(claim) if slot.kind in _STRICT_KINDS]
    wanted = [slot for slot in slots(told) if slot.kind in _STRICT_KINDS]
    lost = tuple(Problem("incomplete", "", _shown(told, slot)) for slot in wanted if slot.key not in own)
    if lost:
        return lost
    if own != [slot.key for slot in wanted if slot.key in own] and len(own) > 1:
        return (Problem("incomplete", "the order of figures differs"),)
    own_groups, groups = qualifiers.mentioned(claim), qualifiers.mentioned(told)
    asked = qualifiers.mentioned(question)
    if qualifiers.excluded(asked, own_groups):
        return (Problem("person", "speaks of others than those asked about"),)
    for dimension, values in groups.items():
        missing = values - own_groups.get(dimension, frozenset())
        unsaid = missing - asked.get(dimension, frozenset()) if dimension in _WHO else frozenset()
        # whom a rule is for, what tells two apart, and the case of a row among rows for others stays with it
        if unsaid or (missing and (is_row or len(values) > 1)):
            return (Problem("incomplete", "", "、".join(sorted(missing))),)
    kept = _share(topic_terms(told), claim)
    return (
        ()
        if kept >= (MIN_KEPT_WHOLE if whole else MIN_KEPT)
        else (Problem("incomplete", f"keeps {kept:.2f} of the evidence"),)
    )


def _hardened(claim: str, told: str) -> list[Problem]:
    """A hedge of the evidence that the claim dropped: 可能降低10% is not 降低10%."""
    return [
        Problem("polarity", "no " + hedge.pattern.split("|")[0], found.group())
        for hedge in _HEDGES
        if (found := hedge.search(told)) and not hedge.search(claim)
    ]


def _words(text: str) -> list[str]:
    """Topic terms without figures, bounds and words of need: those are compared by meaning, not by spelling."""
    plain = unicodedata.normalize("NFKC", text)
    for slot in reversed(slots(plain)):
        plain = plain[: slot.start] + "，" + plain[slot.end :]
    for other in (_NO_NEED, _AT_LEAST, _AT_MOST):
        plain = other.sub("，", plain)
    return topic_terms(plain)


def _share(terms: Sequence[str], text: str) -> float:
    key = fold(text)
    return sum(len(t) for t in terms if t in key) / sum(map(len, terms)) if terms else 1.0


def _shown(text: str, slot: Slot) -> str:
    return unicodedata.normalize("NFKC", text)[slot.start : slot.end]
