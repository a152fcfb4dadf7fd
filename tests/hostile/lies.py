"""True sentences of the evidence, each with one thing turned so that it is false.

Knows how a figure, a unit, a place, a person or a negation can be changed and disguised. How lies are sent is the job
of `cases`, whether one got through that of `judging`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rag import places

CLAIMS = 3
_SHORTEST = 8
FIGURE = re.compile(r"(\d+(?:\.\d+)?)(?=\s*(?:%|元|万元|年|个?月|日|天|个工作日))")
_ROW_END = re.compile(r"\|\s+\|")
_RULE = re.compile(r"^[\s:|-]+$")
_SENTENCE = re.compile(r"[。！？；\n]|\s-\s|\s\d\.\s")


Claims = list[tuple[str, Any]]


class Shown(NamedTuple):
    """One unit of evidence as a model sees it."""

    number: int
    title: str
    text: str

    @property
    def sentences(self) -> list[str]:
        """What it says, sentence by sentence; a table's rows are read with their header."""
        parts = _rows(self.text) if "|" in self.text else _SENTENCE.split(self.text)
        return [part.strip() for part in parts if len(part.strip()) >= _SHORTEST] or [self.text]


class Prompted(NamedTuple):
    """What a model is asked: the evidence, all of its words, and chance."""

    evidence: tuple[Shown, ...]
    around: str
    dice: random.Random


Edit = Callable[[str, Prompted], str | None]


def edited(edit: Edit, asked: Prompted) -> Iterator[tuple[str, list[int]]]:
    """At most one sentence of each unit."""
    for shown in asked.evidence:
        lies = (edit(sentence, asked) for sentence in shown.sentences)
        if lie := next((lie for lie in lies if lie and lie not in asked.around), None):
            yield lie, [shown.number]


def lying(asked: Prompted) -> Claims:
    """Wrong figures; where the evidence has none, one that it never had."""
    found = list(edited(wrong_figure, asked))[:CLAIMS]
    first = asked.evidence[0]
    return found or [(f"{first.sentences[0]}，按{_other('80', asked)}%报销", [first.number])]


def _other(number: str, asked: Prompted) -> str:
    """A number of as many digits that stands nowhere in the prompt."""
    whole = number.partition(".")[0]
    low, high = 10 ** (len(whole) - 1), 10 ** len(whole) - 1
    free = (str(asked.dice.randint(low, high)) for _ in range(10_000))
    return next(n for n in free if len(whole) == 1 or n not in asked.around)


def wrong_figure(sentence: str, asked: Prompted) -> str | None:
    """Another number."""
    return disguised(str)(sentence, asked)


def disguised(write: Callable[[str], str]) -> Edit:
    """Another number of two digits or more, written so that it might not be read as one."""

    def edit(sentence: str, asked: Prompted) -> str | None:
        figure = next((m for m in FIGURE.finditer(sentence) if len(m[1]) > 1), None)
        return _put(sentence, figure, write(_other(figure[1], asked))) if figure else None

    return edit


def written_in(digits: str) -> Callable[[str], str]:
    """A number in digits that `digits` lists from 0 to 9."""
    return lambda number: number.translate(str.maketrans("0123456789", digits))


def script(zero: int) -> str:
    """The ten digits of a script, by its zero."""
    return "".join(map(chr, range(zero, zero + 10)))


def prolonged(before: str) -> Edit:
    """The true number with a digit before it that something keeps apart."""

    def edit(sentence: str, asked: Prompted) -> str | None:
        figure = FIGURE.search(sentence)
        return _put(sentence, figure, asked.dice.choice("123456789") + before + figure[1]) if figure else None

    return edit


def _put(sentence: str, match: re.Match[str], new: str) -> str:
    return sentence[: match.start(1)] + new + sentence[match.end(1) :]


def scaled(sentence: str, asked: Prompted) -> str | None:
    """Ten times, or a tenth."""
    figure = FIGURE.search(sentence)
    if figure is None:
        return None
    wanted = (
        figure[1].replace(".", "") + "0" if asked.dice.random() < 0.5 else f"{figure[1][:1]}.{figure[1][1:] or '5'}"
    )
    return _put(sentence, figure, wanted)


def percent_signed(sentence: str, asked: Prompted) -> str | None:
    """A wrong ratio with a percent sign of another script, or one that means a tenth."""
    changed = wrong_figure(sentence, asked)
    return changed.replace("%", asked.dice.choice("٪％﹪‰⁒")) if changed and "%" in sentence else None


def mis_united(sentence: str, _: Prompted) -> str | None:
    """Another unit behind the right number."""
    units = {"%": "元", "万元": "元", "元": "万元", "个月": "年", "年": "个月", "个工作日": "个月", "日": "年"}
    match = re.search(r"(?<=\d)(%|万元|元|个月|年|个工作日|日)", sentence)
    return sentence[: match.start()] + units[match[1]] + sentence[match.end() :] if match else None


def aligned_wrongly(sentence: str, _: Prompted) -> str | None:
    """Two figures of one unit, exchanged."""
    found = list(re.finditer(r"(\d+(?:\.\d+)?)(%|元|万元|年)", sentence))
    for one in found:
        for other in found:
            between = sentence[one.end() : other.start()]
            if (
                between.strip(" -~—至到、和与及") and one[2] == other[2] and one[1] != other[1]
            ):  # a range reads both ways
                return sentence[: one.start()] + other.group() + between + one.group() + sentence[other.end() :]
    return None


def moved(sentence: str, asked: Prompted) -> str | None:
    """Another place."""
    named = places.located(sentence)
    free = [p for p in ("温州", "苏州", "哈尔滨", "乌鲁木齐", "珠海", "上海") if p not in asked.around]
    where = asked.dice.choice(free)
    if not named:
        return f"在{where}，{sentence}" if FIGURE.search(sentence) else None
    _, start, end = named[0]
    return sentence[:start] + where + sentence[end:]


def swapped(*pairs: tuple[str, str]) -> Edit:
    """The first word of a pair that is there for the other; both ways where both are there."""

    def edit(sentence: str, asked: Prompted) -> str | None:
        for one, other in asked.dice.sample(pairs, len(pairs)):
            if one in sentence and not re.search(rf"({one}|{other})[、和或与/]({one}|{other})", sentence):
                return sentence.replace(other, "\0").replace(one, other).replace("\0", one)
        return None

    return edit


def both_ways(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs written as 一/二, each also turned round."""
    pairs = [tuple(pair.split("/")) for pair in text.split()]
    return tuple((a, b) for one, other in pairs for a, b in ((one, other), (other, one)))


def without_negation(sentence: str, _: Prompted) -> str | None:
    """What is not so, is so."""
    turned = re.sub(
        r"(?<=[\u4e00-\u9fff，])(?:不予|无需|无法|未(?=[\u4e00-\u9fff])|不(?=[能可得需用必属是]))",
        "",
        sentence,
        count=1,
    )
    return turned if turned != sentence else None


def with_negation(sentence: str, asked: Prompted) -> str | None:
    """What is so, is not so."""
    turns = (
        ("可以", "不可以"),
        ("能", "不能"),
        ("需要", "不需要"),
        ("须", "无须"),
        ("报销", "不予报销"),
        ("是", "不是"),
    )
    found = [turn for turn in turns if re.search("(?<![不无未可功性])" + turn[0], sentence)]
    if not found or any(word in sentence for word in ("不", "无", "未")):
        return None
    return sentence.replace(*asked.dice.choice(found), 1)


def in_words(sentence: str, asked: Prompted) -> str | None:
    """A share without a digit."""
    ratio = re.search(r"\d+(?:\.\d+)?%", sentence)
    word = asked.dice.choice(("全额", "一半", "三分之一", "九成九", "百分之百", "双倍"))
    return sentence[: ratio.start()] + word + sentence[ratio.end() :] if ratio else None


def _rows(text: str) -> list[str]:
    """The rows of a table that stands on one line, each cell behind its header's."""
    rows = [
        [cell.strip() for cell in row.strip(" |").split("|")] for row in _ROW_END.split(text) if not _RULE.match(row)
    ]
    header = rows[0]
    whole = [row for row in rows[1:] if len(row) == len(header)]
    return ["；".join(f"{name}：{cell}" for name, cell in zip(header, row, strict=True)) for row in whole]
