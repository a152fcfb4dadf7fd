"""What language a question is in, and its wording in simplified Chinese, the language of the sources.

Knows characters and a glossary (`languages.toml`). An English question becomes a Chinese text to search with, phrase by
phrase: no translation to be shown. What the question means is the job of `retrieve`.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import opencc
import pypinyin

from rag import places
from rag.domain import Value

Language = Literal["zh", "en"]

_HAN = re.compile(r"[\u3400-\u9fff]")
_ENGLISH = re.compile(r"[A-Za-z]{2,}")
_HAN_PER_WORD = 2  # a Chinese word has about two characters
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?:[.,]\d+)*|[%{}]+|[\u3400-\u9fff]+|[.,;:?!。，；：？！]")
_STOPS = frozenset(".,;:?!。，；：？！")
_ARTICLES = frozenset("a an the my your our his her their".split())
# What follows one of these describes what stands before it; in Chinese it goes first.
_DESCRIBING = frozenset("of for in at from on with by under when if".split())
_BETWEEN = re.compile(r"(?<=[\u3400-\u9fff\d%]) (?=[\u3400-\u9fff%])|(?<=[\u3400-\u9fff]) (?=\d)|(?<=\d) (?=%)")
_SLOT = "{}"
_AND = "和"
_DIVISIONS = {"省": "province", "市": "city", "区": "district", "县": "county"}
_LOWER = (("district",), ("county",))
_SHARED = ("区", "县")
_PLACE_WORDS = 3

# The sections of the glossary are kinds of phrases: of two that read the same the later counts.
_Kind = Literal["topics", "insured", "treated", "whether", "asking", "place", "other"]
_SECTIONS: tuple[_Kind, ...] = ("topics", "insured", "treated", "whether", "asking")

_Words = tuple[str, ...]
_Spelt = tuple[str, frozenset[str]]
_EDGE: _Spelt = ("", frozenset())


def language(text: str) -> Language:
    """English when English words outweigh Chinese ones; a Chinese term in an English question leaves it English."""
    return "en" if len(_ENGLISH.findall(text)) * _HAN_PER_WORD > len(_HAN.findall(text)) else "zh"


def simplified(text: str) -> str:
    """`text` in simplified characters; what is simplified already, figures and marks stay as they are."""
    return str(_simplifier().convert(text))


def to_chinese(question: str) -> str:
    """A Chinese text that searches for what an English question asks.

    Places and terms are put into Chinese, what is asked for ends each sentence; figures stay, and so do words that the
    glossary lacks.
    """
    words = _words(question)
    sentences = (_sentence(part) for part in _parts(_placed(words)))
    text = _BETWEEN.sub("", "，".join(filter(None, sentences)))
    return f"{text}？" if text else question


class _Phrase(Value):
    """What an English phrase is called in Chinese, and of what kind it is."""

    chinese: str
    kind: _Kind


class _Glossary(Value):
    """Phrases by their words; place names by their letters, with the places that they may mean."""

    phrases: Mapping[_Words, _Phrase]
    silent: frozenset[str]
    longest: int
    named: Mapping[str, str]
    romanised: Mapping[str, frozenset[str]]


def _words(text: str) -> _Words:
    """Words in lower case and singular, Chinese terms, figures, marks; without accents and articles."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).lower()
    bases = (_base(token) for token in _TOKEN.findall(plain))
    return tuple(word for word in bases if word not in _ARTICLES)


def _base(word: str) -> str:
    word = word.removesuffix("'s")
    if word.endswith("ies") and len(word) > len("ties"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > len("was"):
        return word[:-1]
    return word


def _parts(words: Iterable[str]) -> Iterator[_Words]:
    """What stands between two marks."""
    part: list[str] = []
    for word in words:
        if word not in _STOPS:
            part.append(word)
        elif part:
            yield tuple(part)
            part = []
    if part:
        yield tuple(part)


def _sentence(words: _Words) -> str:
    """The told phrases, the describing ones first, and then what is asked for."""
    told: list[list[str]] = [[]]
    asked: dict[_Kind, list[str]] = {"asking": [], "whether": []}
    for phrase in _cared(list(_phrases(words))):
        if phrase.kind in asked:
            asked[phrase.kind].append(phrase.chinese)
        elif phrase.chinese in _DESCRIBING:
            told.append([])
        elif phrase.chinese != _AND or any(told):
            told[-1].append(phrase.chinese)
    ending = asked["asking"] or asked["whether"][:1]
    return " ".join(dict.fromkeys([*(word for group in reversed(told) for word in group), *ending]))


def _cared(phrases: Sequence[_Phrase]) -> Sequence[_Phrase]:
    """Beside the insured place, another place is where care is taken: 宁波医保卡, 杭州 -> 在杭州就医."""
    if not any(phrase.kind == "insured" for phrase in phrases):
        return phrases
    return [_Phrase(f"在{p.chinese}就医", "treated") if p.kind == "place" else p for p in phrases]


def _phrases(words: _Words) -> Iterator[_Phrase]:
    """The longest phrases of the glossary from left to right, and the words between them that say something."""
    glossary = _glossary()
    i = 0
    while i < len(words):
        length = next((n for n in range(glossary.longest, 0, -1) if _shape(words[i : i + n]) in glossary.phrases), 1)
        found = glossary.phrases.get(_shape(words[i : i + length]))
        if found:
            place = next((w for w in words[i : i + length] if _is_place(w)), "")
            yield _Phrase(found.chinese.replace(_SLOT, place), found.kind)
        elif words[i] not in glossary.silent or words[i] in _DESCRIBING:
            yield _Phrase(words[i], "place" if _is_place(words[i]) else "other")
        i += length


def _shape(words: _Words) -> _Words:
    """The words as the glossary has them: a place is its slot."""
    return tuple(_SLOT if _is_place(word) else word for word in words)


@functools.lru_cache(maxsize=1024)
def _is_place(word: str) -> bool:
    return bool(_HAN.match(word) and places.find(word))


def _placed(words: _Words) -> _Words:
    """`words` with places by their Chinese names; what a place lies in tells which it is and is left out."""
    spelt = _addresses(list(_spelt(words)))
    certain = frozenset(name for _, names in spelt if len(names) == 1 for name in names)
    pairs = zip(spelt, [*spelt[1:], _EDGE], strict=False)
    meant = [_meant(word, names, (following, certain)) for (word, names), (_, following) in pairs]
    kept: list[str] = []
    for word in meant:
        if not kept or word not in places.within(kept[-1]):
            kept.append(word)
    return tuple(kept)


def _addresses(spelt: Sequence[_Spelt]) -> list[_Spelt]:
    """Without the commas between two places."""
    around = zip([_EDGE, *spelt], spelt, [*spelt[1:], _EDGE], strict=False)
    return [word for before, word, after in around if not (word[0] == "," and before[1] and after[1])]


def _spelt(words: _Words) -> Iterator[_Spelt]:
    """Each word, or the words of one place's name as one, with the places that it may mean."""
    table = _glossary().romanised
    i = 0
    while i < len(words):
        length = next((n for n in range(_PLACE_WORDS, 0, -1) if _letters(words[i : i + n]) in table), 0)
        if length and words[i + length : i + length + 1] not in _LOWER:  # Chaoyang District is not the city of Chaoyang
            letters = _letters(words[i : i + length])
            yield letters, table[letters]
            i += length
        else:
            yield words[i], frozenset()
            i += 1


def _meant(word: str, names: frozenset[str], hints: Sequence[frozenset[str]]) -> str:
    """The place that a word means; the word itself where it may mean several and nothing else tells which."""
    for hint in hints:
        near = [n for n in names if n not in hint and any(places.related(n, other) for other in hint)]
        if len(near) == 1:
            return near[0]
    if word in _glossary().named:
        return _glossary().named[word]
    depth = min((len(places.within(name)) for name in names), default=0)
    # Several districts share one name, and the gazetteer leaves those out: one alone proves nothing.
    widest = [n for n in names if len(places.within(n)) == depth and not n.endswith(_SHARED)]
    return widest[0] if len(widest) == 1 else word


def _letters(words: Sequence[str]) -> str:
    return "".join(words).replace("'", "").replace(" ", "")


@functools.cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@functools.cache
def _glossary() -> _Glossary:
    table = tomllib.loads((importlib.resources.files("rag") / "languages.toml").read_text("utf-8"))
    phrases = {
        _words(english): _Phrase(chinese, section)
        for section in _SECTIONS
        for chinese, several in table[section].items()
        for english in several
    }
    named = {_letters(_words(english)): name for name, several in table["places"].items() for english in several}
    return _Glossary(
        phrases=phrases,
        silent=frozenset(_words(table["silent"]["words"])),
        longest=max(map(len, phrases)),
        named=named,
        romanised=_romanised(named),
    )


def _romanised(named: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The gazetteer by pinyin, with and without the English word for the kind of division, and the other names."""
    table: dict[str, set[str]] = {letters: {name} for letters, name in named.items()}
    for written, place in places.names().items():
        for letters in _spellings(written):
            table.setdefault(letters, set()).add(place.name)
    return {letters: frozenset(names) for letters, names in table.items()}


def _spellings(name: str) -> tuple[str, ...]:
    """宁波市 -> ningboshi, ningbocity."""
    pinyin = "".join(pypinyin.lazy_pinyin(name)).replace("v", "u")
    english = _DIVISIONS.get(name[-1])
    if english is None:
        return (pinyin,)
    return pinyin, "".join(pypinyin.lazy_pinyin(name[:-1])).replace("v", "u") + english
