"""What a unit says: figures and rules, each with what it is of, for whom, where and when it holds.

Knows the standard figures and rules of medical insurance, and how Chinese states them. When two sayings can't both hold
is the job of `conflicts`.

Scope is read from the general to the particular: document, title, lead-in, clause. What is named later replaces what
was named before.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from rag.domain import EvidenceUnit, Value
from rag.text import same_words

Names = Mapping[str, frozenset[str]]
Range = tuple[Decimal, Decimal]


class Scope(Value):
    """For whom and where something holds.

    The values of a dimension are alternatives. `parts` are a part of the costs, a turn, an age: what holds for one says
    nothing of the others. `cases` are the words for a group or an event, which others may put differently.
    """

    names: Names
    parts: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()


class Saying(Value):
    """One thing that a unit says; the answer of a rule is a number, too.

    `sentence` and `line` are what it stands in, the line with the titles above it; `clause` is that of a rule. `head`
    is what the line calls itself (None in a table, whose rows are different things by their making). `counted` is what
    a count is of. `years` and `valid` say when it holds.
    """

    unit: EvidenceUnit
    aspect: str
    value: Range
    measure: str
    shown: str
    scope: Scope
    clause: str
    sentence: str
    line: str
    head: tuple[str, ...] | None
    counted: str
    years: frozenset[str]
    valid: tuple[dt.date, dt.date]

    @property
    def is_rule(self) -> bool:
        """Whether this is a rule and no figure."""
        return self.measure == "rule"


INSURED, CARE = "参保地", "就医地"
ROLES = frozenset({INSURED, CARE})
OTHER = frozenset({"其他机构"})
# What makes a rule hold only for a case that need not be the asker's, or asks instead of saying.
_CASE = re.compile(
    r"如果|若|[未没](?:有)?(?:办理|备案|开通)|无法[^，。；]{0,6}的|不支持[^，。；]{0,6}的|否则|除外|的话|不符合|适用|有的地方"
)
_ASKS = re.compile(r"是否|能否|要不要|能不能|可不可以|[？吗]|怎么|如何")
_ELSEWHERE = re.compile(r"[某各]地|某[省市县]|(?:有的|有些|部分|个别|其他)(?:地[方区]|城市|省)")
_DIMENSIONS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    dimension: {value: re.compile(words) for value, words in values.items()}
    for dimension, values in {
        "scheme": {
            "大病": r"大病|重大疾病",
            "长护": r"长期护理|长护",
            "补充": r"补充医疗|惠民保|商业|大额",
            "救助": r"医疗救助",
        },
        "away": {"异地": r"异地|跨省|跨市|转外|转诊|外地|外省|省外|市外|外市"},
        "gender": {"男": r"男", "女": r"(?<!子)女(?![儿婿])"},
        "per": {
            "日": r"每[日天]|日均",
            "月": r"每个?月|月均",
            "年": r"每年|年度|全年|一年",
            "次": r"[每单]次|次均|一次性",
        },
        "payer": {"单位": r"单位[缴交承负]|单位部分", "个人": r"个人[缴交承负]|个人部分"},
        "bound": {"上限": r"上限|最高(?!人民)", "下限": r"下限|最低"},
    }.items()
}
# One side alone may name these, and means the same people and the same care.
NEUTRAL = frozenset({"per", "payer", "bound"})
_OTHER_LEVEL = re.compile(r"其他[^，。；：]{0,4}(?:机构|医院)")
_ITEM = re.compile(r"[费药险]$|[甲乙丙]类")
_NO_ITEM = re.compile(r"[缴收付自免保消花计]费|(?:医疗|医药|住院|门诊|就医|看病)费|保险|用药|买药|购药|医药|经费")
PARTS = re.compile(
    r"超出|首次|再次|第[一二三]次|中断|断[了缴保]|补缴|未(?:办理)?备案|[一二三四][档类]|学生|儿童|老年|新生儿"
)
_GROUP = re.compile(r"[^，。；：的\n]{2,14}?(?=人员|人群|居民|职工|患者|对象|家庭|参保人|学生|儿童)")
_PART_AFTER = re.compile(r"\s*(?:至|到|以上|以下|以内|的?部分|的$)")
_PART_BEFORE = re.compile(r"(?:(?<!不)超过|超出|超|至|到|不足|低于)$")
_OPEN_ENDED = re.compile(r"以上|以下|以内|超|不足|低于")
_CHANGE = re.compile(r"(?:降低|下降|下调|减少|提高|上调|增加|上浮)了?$")
_BEFORE = re.compile(r"(?:可能|最[高低多少]|至少|不低于|不少于|不超过|不高于|大?约|高达)+(?:为|是|达到?|可达)?$")
_AFTER = re.compile(r"左右|以上|以下|以内")
_AT_LEAST = re.compile(r"至少|不低于|不少于|最[低少]|以上")
_AT_MOST = re.compile(r"不超过|不高于|最[高多]|高达|以下|以内")
_ABOUT = re.compile(r"约|左右")
_ABOUT_SHARE = Decimal("0.1")
_JOIN = re.compile(r"\s*(?:-|~|—|–|至|到|以上)+\s*")
_IN_A_ROW = re.compile(r"\s*[、和与及]\s*")
_BETWEEN = re.compile(r"[、和与及，；]")
YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})年(?!起|以来|\d)")
_CARE_BEFORE = re.compile(r"[在到去来赴至往]$")
_CLAUSE = re.compile(r"[^，；：]+")
_SENTENCE = re.compile(r"[^。！？\n]+")
_LEAD_IN = re.compile(r"[^。！？\n]*?(?:如下|以下)[^。：\n]*：")
_BULLET = re.compile(r"^[·\s]*(?:\d{1,2}[.、]\s*)?")
_WIDE = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_MARK = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;?!()]")
_NUMBER = re.compile(r"[\d.]+")
_DAYS = {"month": Decimal(30), "week": Decimal(7), "day": Decimal(1), "workday": Decimal(1)}
_ENDLESS = Decimal("Infinity")
_COUNTERS = {"名": "人", "位": "人", "所": "家", "座": "家", "类": "种", "项": "种"}
_POINTS = re.compile(r"(?P<number>\d+(?:\.\d+)?|[一二三四五六七八九十]+)\s*个?百分点")
_AREA_PHONE = re.compile(r"[（(](?P<area>0\d{2,3})[）)]\s*(?P<rest>\d{7,8})")
# Figures in words: (pattern, kind, value, aspect or None where the words around name it).
_WORDED = (
    (re.compile(r"(?<!有)(?:不设|没有|无|取消|免除?)(?:置|立)?(?:起付(?:线|标准)|门槛费?)"), "amount", Decimal(0), "起付线"),
    (re.compile(r"上不封顶|不封顶|(?<!有)(?:不设|没有|无)(?:置|立)?(?:最高)?(?:支付)?(?:限额|封顶线?|上限)"), "amount", _ENDLESS, "封顶线"),
    (re.compile(r"(?:长期|永久|一直|始终)有效"), "period", _ENDLESS, "有效期"),
    (re.compile(r"(?:即时|立即|当[天日场]|实时)(?=[^，。；]{0,2}(?:生效|办结|到账|享受|开通))"), "period", Decimal(0), None),
    (re.compile(r"(?<!后的)(?<!补缴)(?<!补缴后)次月"), "period", Decimal(30), None),
)


class _Figure(Value):
    """One figure or both ends of a range, and where it stands; `named` where its own words say what it is of."""

    kind: str
    low: Decimal
    high: Decimal
    measure: str
    start: int
    end: int
    named: str | None = None
