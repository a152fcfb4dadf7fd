"""What people call things in a question, and what the rules call them: 门槛费 is 起付线.

Knows how everyday expressions are found and which official terms a question lacks; the words themselves stand in
`wording.toml`. What they are compared with is the job of `passages`, `candidates` and `evidence`.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Mapping

from rag.text import fold

MAX_TERMS = 5
# What rules call one thing; a question and a rule may each use another.
_SAME = (
    ("起付线", "起付标准"),
    ("报销比例", "支付比例"),
    ("封顶线", "最高支付限额", "支付限额"),
    ("医保码", "医保电子凭证"),
)

# A segmenter joins 能 and 可以 with the noun before them: 保温箱费能报销 holds 费能. Not in 功能, 智能手机, 能力.
_MODAL = re.compile(r"(?<![功智可性技职本机])能(?![力源量])|可以")


def official(question: str) -> tuple[str, ...]:
    """The official terms that the question means and does not use, in the order in which it means them; at most five.

    `question` is in simplified Chinese.
    """
    text = fold(question)
    meant = ((found.start(), term) for term, words in _expressions().items() if (found := words.search(text)))
    return tuple(term for _, term in sorted(meant) if term not in text)[:MAX_TERMS]


def worded(question: str) -> str:
    """The question, its modal verbs set apart, and the official terms that it means.

    For what compares words, not for embedding.
    """
    return " ".join([_MODAL.sub(r"，\g<0>，", question), *official(question)])


def renamed(question: str) -> str:
    """The question as `worded`, with the other names that rules have for what it names: 起付标准 beside 起付线.

    For finding texts; a text that answers need not hold all of the names.
    """
    words = worded(question)
    known = fold(words)
    others = [name for names in _SAME if any(name in known for name in names) for name in names if name not in known]
    return " ".join([words, *others])


@functools.cache
def _expressions() -> Mapping[str, re.Pattern[str]]:
    """Every official term with what people say for it."""
    packed = (importlib.resources.files("rag.retrieve") / "wording.toml").read_text("utf-8")
    return {
        term: re.compile("|".join(expressions))
        for topic in tomllib.loads(packed).values()
        for term, expressions in topic.items()
    }
