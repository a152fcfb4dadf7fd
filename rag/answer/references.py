"""Texts that a question refers to by name: 《…》, 甬医保发〔2029〕118号, 社会保险法第一百五十六条.

Knows how a question names a text, whether sources are or mention it, and whether it is that text that is asked about.
That an answer says so where they don't is the job of `rendering`: a rule that nobody has seen is neither confirmed nor
denied by what others say. What a text says that nobody has seen is not answered at all (`pipeline`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag import places
from rag.answer.verifying.slots import slots
from rag.domain import Citation, Document, EvidenceUnit
from rag.text import fold

_TITLE = re.compile(r"《([^《》]{2,60})》")
# A name without its marks, where it begins with whose text it is: 根据浙江省医疗保障条例，...
_BY = r"(?:按照?|根据|依据|依照)"
_NAMED = re.compile(rf"(?:(?:^|[，。；：,;:\s]){_BY}?|{_BY})([\u4e00-\u9fff]{{4,28}}?(?:条例|办法|细则|协定|暂行规定))")
_OF_THE_STATE = ("中华人民共和国", "国家", "全国", "国务院")
# Whether a text says so: what others say may put that right.
_TO_CONFIRM = re.compile(r"[说写讲][的着过了]?|是不是|是否|不是|真的|真假|属实|[是对][吗么]|没错|吗$|(?<![什怎多])么$")


def unseen_reference(question: str, citations: Sequence[Citation]) -> bool:
    """Whether the question names a text, or an article of one, that no cited source is or mentions."""
    return _unseen(question, "\n".join(part for c in citations for part in (c.document_title, c.section, c.quote)))


def asks_of_unseen(sentence: str, units: Sequence[EvidenceUnit], documents: Mapping[str, Document]) -> bool:
    """Whether the sentence that asks wants to know what a text says that no unit is of or mentions.

    按《甲》第九条，报多少？ does. Who only tells of such a text before (《甲》说不报。到底报不报？) asks about the
    thing, and whether a text says so (《甲》规定报七成，是真的吗？) others may put right.
    """
    if _TO_CONFIRM.search(sentence):
        return False
    titles = (documents[unit.document_id].title for unit in units)
    return _unseen(sentence, "\n".join([*titles, *("\n".join((*u.title_path, u.text)) for u in units)]))


def _unseen(question: str, shown: str) -> bool:
    key, numbers = fold(shown), _numbers(shown)
    # what stands before a number is read as its issuer's: 看到国医保发〔2031〕7号
    told = (any(asked.endswith(number) for number in numbers) for asked in _numbers(question))
    return any(fold(title) not in key for title in _titles(question)) or not all(told)


def _titles(question: str) -> list[str]:
    bare = [name for name in _NAMED.findall(_TITLE.sub("，", question)) if _says_whose(name)]
    return [*_TITLE.findall(question), *bare]


def _says_whose(name: str) -> bool:
    return name.startswith((*_OF_THE_STATE, *places.find(name)))


def _numbers(text: str) -> frozenset[str]:
    """Document numbers and numbers of articles."""
    return frozenset(slot.value for slot in slots(text) if slot.kind == "document")
