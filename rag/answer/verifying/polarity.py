"""Which words of a text are negated.

Knows how Chinese negates: the word before the verb, 无法, 未, 免. Whether a claim turned what its evidence says is the
job of `binding`.
"""

from __future__ import annotations

import functools
import re

from rag.answer.verifying.wording import word_class, words
from rag.domain import Value
from rag.qualifiers import WITHOUT

_NEGATION = re.compile(
    r"不(?!(?:[同论仅只但管断过良便时明幸服限]|足(?!以)|少(?!于)|满(?![足意])|(?:能|得|可|会|应|可以|应当)?(?:[少低高多大短长晚迟]于|[低少高多]过|超[过出])|到(?=\d|[一二三四五六七八九十半])|"
    r"一[定样致]|定期|动产|可抗力))"
    r"(?:需要|须要|能够|可以|允许|准许|应当|应该|再|予以|予|得|能|可|会|准|许|必|用|须|需|应|是|属于|在)?|"
    rf"{WITHOUT}(?!论|期|障碍|息|形|偿|线|记名|人机)(?:需|须|法|权|从)?|"
    r"(?:尚|从)?未(?!来|成年|婚|[缴交付]?满|超|达?到)(?:能|经|曾)?|没(?!收|有?超|有?达?到|有?[缴交付]?满)(?:有|能)?|"
    r"非(?!常|法|洲|典)|(?<!减)免(?!疫|费|得|责|赔额)(?:于|予)?|勿|禁止|绝非"
)
_AFTERWARDS = re.compile(r"除外|例外|不在此列")
_BEFOREHAND = re.compile(r"[之以]?前(?!往|提|来|款|项)")
_END = re.compile(r"[，。；：！？,;:!?、\n）)]|的(?!话)|而|但|就|则|却|才|还|也|者")
_END_OF_NOUN = re.compile(r"[，。；：！？,;:!?、\n）)]")
_ONLY_THEN = re.compile(r"才|方[可能]|只有")
# What makes a condition necessary as well, where nothing is denied: 备案是前提, 须先备案, 指已备案的.
_NECESSARY = re.compile(
    r"前提|条件|必[须需]|须|应当|需要?(?!求)|(?<![不需])要(?![求么])|指|(?:批准|同意|核准|审批|审核|备案|登记)[^，。；]{0,3}后"
)
# The same of a figure: who does not reach it has not what hangs on it.
_THRESHOLD = re.compile(r"(?:满|超过)[^，。；]{1,12}后[，,]?[^，。；]{0,8}(?:才|方|开始)")
_WAIVER = re.compile(r"无需|无须|不需|不用|用不着|不必|免于")
_BOTH = 2  # the condition and what hangs on it
# What makes a negation a part of a name: 无症状的患者.
_ATTRIBUTE = re.compile(r"的(?=[\u4e00-\u9fff])(?!情[形况]|时候?|话|可以|不|应|须|需|由|按)")
_REST = re.compile(r"^[\s（(]*(?:其他|其它|其余|除此之?外|除上述|否则|反之)")
_LISTED = re.compile(r"(?:、[\u4e00-\u9fff]{1,6})+")
_UNFULFILLED = re.compile(r"[不未没][^，。；]?满|[不未没]有?(?:达?到|超[过出])|不足|不够|少于|低于")
_UNREACHED = re.compile(_UNFULFILLED.pattern.join(("(?:", r")[^，。；\d]{0,3}[\d一二两三四五六七八九十半]")))
_CLAUSE_END = re.compile(r"[，。；：！？,;:!?\n]")
_COPULAS = ("是", "属于", "在")
_LIGHT = frozenset(
    (
        "跨省 异地 省内 外地 在 是 能 会 可 要 得 予以 给予 加以 作出 履行 实施 进行 到 去 来 把 "
        "被 由 向 对 给 将 先 直接 提前 先行 另外 再 另 重复 随意 必须 需要 能够 应当 基本 超过 "
        "医保 医疗 保险 基金 范围 规定 费用 情形 保险公司 有 已 已经 经 过 了 着 就 都 也 仍 还 "
        "才 办理 依据 里 内 中 个人 自己 本人 任何 其他 同时 重新 从 用 使用 只 仅 的 地"
    ).split()
)
_EMPTY = frozenset("cpu")  # conjunctions, prepositions, particles
_SCOPE = 9
_OBJECT = re.compile(r"[把将让由被按以]")  # what stands before its verb: 不得将责任转给他人


class Word(Value):
    """A content word: where it begins, and the number of the negation in whose reach it is, if it is.

    `head` says whether it is this very word that the negation denies, as 解除 in 不得擅自解除合同.
    """

    text: str
    start: int
    end: int
    denial: int | None = None
    head: bool = False


@functools.lru_cache(maxsize=4096)
def content(statement: str) -> tuple[Word, ...]:
    """The content words of a statement in order."""
    covered = _NEGATION.sub(lambda match: "，" * len(match.group()), statement)
    found = [
        Word(word, start, start + length)
        for word, start, length in words(covered)
        if len(word) > 1 and word not in _LIGHT and word_class(covered[start : start + length]) not in _EMPTY
    ]
    reached: dict[int, int] = {}
    heads: set[int] = set()
    short = {start for word, start, length in words(covered) if length == 1 and word_class(word) == "v"}
    for number, (begin, end, whole) in enumerate(_scopes(statement)):
        inside = [word for word in found if begin <= word.start < end]
        listed = _LISTED.match(statement, end)  # 不得侵占、挪用
        for word in found:
            if begin <= word.start < (listed.end() if listed else end):
                reached.setdefault(word.start, number)
        if whole or begin not in short or (inside and inside[0].start == begin):
            heads |= {word.start for word in (inside if whole else _up_to_verb(inside, statement, begin))}
    for word in found:  # 保险责任开始前 says what 保险责任还没开始 says
        if _BEFOREHAND.match(statement, word.end):
            reached.setdefault(word.start, -1)
    return tuple(Word(w.text, w.start, w.end, reached.get(w.start), w.start in heads) for w in found)


def _up_to_verb(inside: list[Word], statement: str, begin: int) -> list[Word]:
    """What a negation denies of the words behind it: the next word, or past adverbs the first verb."""
    if inside and inside[0].start == begin:
        return inside[:1]
    verbs = [word for word in inside if word_class(statement[word.start : word.end]) == "v"]
    return (verbs or inside)[:1]


def _scopes(statement: str) -> list[tuple[int, int, bool]]:
    """Where each negation's scope begins and ends, and whether it denies all in it."""
    scopes = []
    for match in _NEGATION.finditer(statement):
        copula, object_first = match.group().endswith(_COPULAS), _OBJECT.match(statement, match.end())
        stop = (_END_OF_NOUN if copula or object_first else _END).search(statement, match.end() + 1)
        end = stop.start() if stop else len(statement)
        end = end if object_first else min(end, match.end() + _SCOPE)
        scopes.append((match.end(), end, copula))
    for match in _AFTERWARDS.finditer(statement):
        begin = max((m.end() for m in _CLAUSE_END.finditer(statement, 0, match.start())), default=0)
        scopes.append((begin, match.start(), True))
    return scopes


def negations(statement: str) -> list[tuple[int, int]]:
    """Where the statement's negations stand."""
    return [match.span() for pattern in (_NEGATION, _AFTERWARDS) for match in pattern.finditer(statement)]


def of_the_rest(statement: str) -> bool:
    """Whether a sentence speaks of what those before it leave: 其他情形不予报销 denies nothing of theirs."""
    return bool(_REST.match(statement))


def unfulfilled(statement: str) -> bool:
    """Whether a figure is said not to be reached: 不满6个月."""
    return bool(_UNFULFILLED.search(statement))


def contraposed(statement: str, other: str) -> bool:
    """Whether the one may say for those who do not fulfil a condition what the other says for those alone who do."""
    if denials(statement) < _BOTH or _ONLY_THEN.search(other):
        return denials(statement) >= _BOTH
    needed = necessary(other) or bool(_UNREACHED.search(statement) and _THRESHOLD.search(other))
    return needed and not _WAIVER.search(statement) and not denied(statement) & denied(other)


def unmet(statement: str) -> bool:
    """Whether the statement denies something besides saying of figures that they are not reached."""
    return bool(negations(_UNREACHED.sub("", statement)) or _UNFULFILLED.search(_UNREACHED.sub("", statement)))


@functools.lru_cache(maxsize=4096)
def denials(statement: str) -> int:
    """How often the statement denies something, or says of a figure that it is not reached."""
    return len(negations(statement)) + len(_UNFULFILLED.findall(statement))


@functools.lru_cache(maxsize=4096)
def necessary(statement: str) -> bool:
    """Whether a part of the statement demands something, and denies nothing."""
    demanding = (_NECESSARY.search(clause) and not negations(clause) for clause in _CLAUSE_END.split(statement))
    return any(demanding) or bool(_ONLY_THEN.search(statement))


def denied(statement: str) -> set[str]:
    """The content words in the reach of a negation."""
    return {word.text for word in content(statement) if word.denial is not None}


def negated(statement: str) -> bool:
    """Whether the statement has an odd number of negations."""
    return len(negations(statement)) % 2 == 1


def refused(statement: str) -> bool:
    """Whether it has an odd number of negations but for those that only describe somebody: 无症状的患者."""
    return sum(not _describes(statement, end) for _, end in negations(statement)) % 2 == 1


def _describes(statement: str, end: int) -> bool:
    stop = _END.search(statement, end)
    return bool(stop and _ATTRIBUTE.match(statement, stop.start()))
