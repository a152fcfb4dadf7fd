"""What a rule of medical insurance applies to: insured type, person, care, hospital level, area, channel.

Knows the dimensions and the words for each value. Which value a question asks for, or a claim must
carry, is the job of `retrieve` and `answer.verifying`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

# Between a level and 以上: 二级医院及以上, 二级（含）以上.
_AND = r"(?:医院|医疗机构)?(?:[（(]含[^）)]*[）)])?[及或]?"

# Within a dimension the values exclude each other; the words of a value mean the same.
DIMENSIONS: Mapping[str, Mapping[str, str]] = {
    "insured_type": {"职工": r"职工(?!平均)", "居民": r"居民|新农合|新型农村合作|合作医疗|农合|农村医保"},
    "employment": {
        "在职": r"在职(?!工)|上班族",
        "退休": r"退休|离休",
        "灵活就业": r"灵活就业|自由职业|个体户|个体工商户|没有?(?:工作)?单位|自己[交缴]的?职工",
    },
    "care": {
        "门诊": r"门诊|看门诊|门急诊",
        "住院": r"住院|入院|出院",
        "购药": r"购药|买药|药店|药房",
        "生育": r"生育|分娩|产检|产前检查|顺产|剖宫产|剖腹产|生孩子|生娃|二胎|坐月子",
    },
    "chronic": {"慢特病": r"慢性?病|特殊病|慢特病|特病|特定病种"},
    "urgency": {"急诊": r"急诊|抢救|急救"},
    "level": {
        "三级": rf"三级|三甲|三[、和]二|[一二]级{_AND}以上",
        "二级": rf"二级|二甲|一级{_AND}以上|三级{_AND}以下",
        "一级": rf"一级|[二三]级{_AND}以下",
        "基层": rf"基层|社区|乡镇|卫生院|[一二三]级{_AND}以下",
    },
    "area": {"跨省": r"跨省|外省|省外|别的省|其他省|异省", "省内": r"省内|本省|同省"},
    "channel": {"线上": r"线上|网上|在线|手机|APP|小程序|网站|移动终端|客户端", "线下": r"线下|窗口|现场"},
    "delivery": {"顺产": r"顺产|自然分娩|自己生的|顺的", "剖宫产": r"剖宫产|剖腹产|剖产"},
}

# What leaves a dimension open: whoever or whatever was not named before.
_OTHERS: Mapping[str, re.Pattern[str]] = {
    "level": re.compile(r"其[他它余](?:各?级|类别?)?的?(?:定点)?(?:医院|医[疗药](?:卫生)?(?:机构|单位)|机构)"),
    "employment": re.compile(r"其[他它余]的?(?:参保|人员|职工|居民)"),
}

# Groups of which everybody is in one at most.
_WHO: Mapping[str, frozenset[str]] = {
    "insured_type": frozenset({"职工", "居民"}),
    "employment": frozenset({"在职", "退休"}),
}

# 无 as a word of denial, and no part of a place's name.
WITHOUT = r"无(?!锡|为[市县]|棣|极县)"
_DENIED = re.compile(
    rf"(?:没|未|不(?![管论同仅只])|非|(?<![级类分特个性识区鉴])别|{WITHOUT}(?!论)|除了)[^，。；、]{{0,2}}$"
)

_PATTERNS = {
    dimension: {value: re.compile(words, re.IGNORECASE) for value, words in values.items()}
    for dimension, values in DIMENSIONS.items()
}


@functools.lru_cache(20_000)  # the same units come up with every question
def mentioned(text: str) -> Mapping[str, frozenset[str]]:
    """The values that `text` names, by dimension; dimensions of which it names none are absent."""
    found = {
        dimension: frozenset(value for value, pattern in values.items() if pattern.search(text))
        for dimension, values in _PATTERNS.items()
    }
    return {dimension: values for dimension, values in found.items() if values}


def left_open(text: str) -> frozenset[str]:
    """The dimensions in which `text` speaks of all others as well: 基层医疗机构90%，其他医疗机构85%."""
    return frozenset(dimension for dimension, pattern in _OTHERS.items() if pattern.search(text))


def other_levels(text: str) -> list[tuple[int, int]]:
    """Where `text` speaks of the hospitals of all other levels."""
    return [match.span() for match in _OTHERS["level"].finditer(text)]


def restricted(text: str) -> dict[str, frozenset[str]]:
    """What `text` names, by dimension, without the dimensions that it leaves open."""
    opened = left_open(text)
    return {dimension: values for dimension, values in mentioned(text).items() if dimension not in opened}


def shared(asked: Mapping[str, frozenset[str]], told: Mapping[str, frozenset[str]]) -> int:
    """How many of the values asked for are told."""
    return sum(len(values & told.get(dimension, frozenset())) for dimension, values in asked.items())


def excluded(asked: Mapping[str, frozenset[str]], told: Mapping[str, frozenset[str]]) -> int:
    """In how many dimensions other values are told, and none of those asked for."""
    return sum(bool(told.get(d)) and not (values & told[d]) for d, values in asked.items())


def for_others(question: str, told: str) -> bool:
    """Whether a text is expressly for people insured or employed in another way than those that are asked about.

    Who is neither employed nor retired (灵活就业) is often meant by what holds for the employed.
    """
    asked: dict[str, set[str]] = {}
    for dimension, value, start, _ in located(question):
        if dimension in _WHO and not denied(question[:start]):
            asked.setdefault(dimension, set()).add(value)
    there = restricted(told)
    return any(
        bool(there.get(dimension)) and not (values & there[dimension]) and values | there[dimension] <= _WHO[dimension]
        for dimension, values in asked.items()
    )


def denied(before: str) -> bool:
    """Whether what stands before a word sets it aside: 还没退休 names 退休, and speaks of somebody else."""
    return bool(_DENIED.search(before))


def located(text: str) -> list[tuple[str, str, int, int]]:
    """Every mention of a value in `text`: dimension, value, where it begins and where it ends."""
    return [
        (dimension, value, match.start(), match.end())
        for dimension, values in _PATTERNS.items()
        for value, pattern in values.items()
        for match in pattern.finditer(text)
    ]
