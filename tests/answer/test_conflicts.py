"""Sources that differ on what was asked are shown side by side; what merely looks different is not."""

from __future__ import annotations

import collections
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.answer.conflicts import FoundConflict, conflict_units, find_conflicts
from rag.domain import Document, EvidenceUnit
from rag.text import fold
from tests.making import a_document, a_unit

CASES = [json.loads(line) for line in (Path(__file__).parent / "conflict_cases.jsonl").read_text("utf-8").splitlines()]
RATIO = "宁波职工医保住院报销比例是多少？"


def sources(*texts: str, title: str = "") -> tuple[list[EvidenceUnit], dict[str, Document]]:
    """A unit a text, each from a document of its own about no place that it does not name itself."""
    units = [a_unit(f"d{n}#u0", text, title_path=(title,) if title else ()) for n, text in enumerate(texts)]
    return units, {unit.document_id: a_document(unit.document_id) for unit in units}


def conflicts(question: str, *texts: str, title: str = "") -> list[FoundConflict]:
    """What is found when the first text answers the question and the others are near it."""
    units, documents = sources(*texts, title=title)
    return find_conflicts(question, units, documents, 1)


def values(found: list[FoundConflict]) -> list[list[str]]:
    """What each side says."""
    return [[value for value, _ in conflict.sides] for conflict in found]


TABLE = (
    "| 宁波职工医保住院的医院级别 | 在职职工报销比例 | 退休人员报销比例 "
    "| | --- | --- | --- | | 三级医院 | {} | {} | | 二级医院 | {} | {} |"
)

DISAGREE = [
    ("宁波职工住院报多少比例？", ("宁波职工住院报销比例为80%。", "宁波市职工住院按85%报销。"), ["80%", "85%"]),
    ("宁波住院起付线多少？", ("宁波住院起付线为600元。", "宁波住院的起付标准是800元。"), ["600元", "800元"]),
    ("宁波门诊一年最高报多少？", ("宁波门诊年度限额5000元。", "宁波门诊最高支付限额为5万元。"), ["5000元", "5万元"]),
    (
        "宁波生育津贴要连续缴多久？",
        ("宁波生育津贴须连续缴费满6个月。", "宁波生育津贴须连续缴费满12个月。"),
        ["6个月", "12个月"],
    ),
    (
        "职工医保缴费多久后开始能报？",
        ("职工医保缴费次月起可享受待遇。", "职工医保须连续缴费满半年。"),
        ["次月", "半年"],
    ),
    ("宁波能报几次康复？", ("宁波康复每年可报3次康复。", "宁波康复每年可报5次康复。"), ["3次", "5次"]),
    (
        "宁波门诊一年最高报多少？",
        ("宁波门诊年度限额5000元。", "宁波门诊不设年度支付限额。"),
        ["5000元", "不设年度支付限额"],
    ),
    ("宁波住院起付线多少？", ("宁波住院起付线为600元。", "宁波住院免收起付线。"), ["600元", "免收起付线"]),
    ("宁波断缴后多久恢复？", ("宁波断缴补缴次日起恢复待遇。", "宁波断缴补缴满3个月恢复待遇。"), ["次日", "3个月"]),
    ("宁波备案几天办好？", ("宁波备案2个工作日办结。", "宁波备案即时办结。"), ["2个工作日", "即时"]),
    ("宁波备案一年能改几次？", ("宁波备案每年可改2次。", "宁波备案次数不限。"), ["2次", "次数不限"]),
    ("宁波住院最多报多少？", ("宁波住院最多报15万元。", "宁波住院最多报20万。"), ["最多报15万元", "最多报20万"]),
    ("宁波职工要缴够多少年？", ("宁波职工缴费年限满25年。", "宁波职工缴费满20年的，不再缴费。"), ["25年", "20年"]),
    ("宁波住院自己付几成？", ("宁波住院个人负担20%。", "宁波住院个人自付30%。"), ["20%", "30%"]),
]


@pytest.mark.parametrize(("question", "texts", "shown"), DISAGREE)
def test_other_figures_for_one_slot_disagree(question: str, texts: tuple[str, str], shown: list[str]) -> None:
    """Both are shown in the sources' own characters, the better source first."""
    (conflict,) = conflicts(question, *texts)
    assert ([value for value, _ in conflict.sides], conflict.relation) == (shown, "disagree")


RULES = [
    (
        "宁波去杭州看病要不要备案？",
        "宁波参保人在杭州就医无需办理备案。",
        "宁波参保人在杭州就医需要先办理异地就医备案。",
    ),
    ("绍兴医保在宁波能直接结算吗？", "绍兴医保在宁波可以直接结算。", "绍兴参保人在宁波就医，费用都要由个人先行垫付。"),
    ("医保卡全国都能用吗？", "医保卡全国通用。", "医保卡只能在参保地使用。"),
    ("甲类药是不是全额报销？", "甲类药品可全额报销。", "甲类药品按规定比例报销。"),
    ("宁波家庭共济余额能不能取现？", "宁波家庭共济余额可以取现。", "宁波家庭共济余额不能取现。"),
    ("宁波生育登记要不要提交结婚证？", "宁波生育登记需要提交结婚证。", "宁波生育登记无需提交结婚证。"),
    ("宁波去上海看病要备案吗？", "宁波参保人到上海就医视同备案。", "宁波参保人到上海就医须先备案。"),
    ("宁波种植牙能报吗？", "宁波种植牙已纳入医保支付。", "宁波种植牙属于自费项目。"),
    ("宁波没备案能报吗？", "宁波未备案的费用可以报销。", "宁波未备案的费用不予报销。"),
    ("宁波个人账户能给岳父母用吗？", "宁波个人账户可以给配偶的父母用。", "宁波个人账户不能给岳父母用。"),
]


@pytest.mark.parametrize(("question", "one", "other"), RULES)
def test_opposite_rules_disagree(question: str, one: str, other: str) -> None:
    """Each side is the whole sentence without its full stop, so that the rule keeps whom it is for."""
    (conflict,) = conflicts(question, one, other)
    assert ([value for value, _ in conflict.sides], conflict.relation) == ([one[:-1], other[:-1]], "disagree")


GENERAL_SPECIAL = [
    (RATIO, "宁波住院报销比例为80%。", "宁波职工住院报销比例为90%。"),
    ("宁波退休住院报几成？", "宁波住院报销75%。", "宁波退休人员住院报销90%。"),
    (
        "宁波职工去杭州三甲医院要不要备案？",
        "宁波参保人在杭州就医需要先办理备案。",
        "宁波职工在杭州三级医院就医无需备案。",
    ),
    ("宁波居民住院交一档报几成？", "宁波居民住院报销65%。", "宁波居民住院一档缴费报销80%。"),
    ("宁波住院起付线多少？", "浙江住院起付线为500元。", "宁波住院起付线为600元。"),
    ("宁波新生儿多久内参保？", "新生儿应在出生后90天内参保。", "宁波新生儿应在出生后180天内参保。"),
]


@pytest.mark.parametrize(("question", "general", "special"), GENERAL_SPECIAL)
def test_a_rule_for_some_of_those_of_another_is_its_special_case(question: str, general: str, special: str) -> None:
    """People, level, condition and place: where one side's scope includes the other's, both are shown as such."""
    (conflict,) = conflicts(question, general, special)
    assert (conflict.relation, len(conflict.sides)) == ("general-special", 2)


COMPATIBLE = [
    ("a range holds the other value", RATIO, "宁波职工住院报销60%-80%。", "宁波职工住院报销70%。"),
    ("a bound holds the range", RATIO, "宁波职工住院最高报销80%。", "宁波职工住院报销60%至80%。"),
    ("a floor holds the other value", RATIO, "宁波职工住院报销不低于70%。", "宁波职工住院报销85%。"),
    ("roughly the same", RATIO, "宁波职工住院报销约70%。", "宁波职工住院报销72%。"),
    ("other words, same figure", RATIO, "宁波职工住院报销百分之八十。", "宁波职工住院报销八成。"),
    ("other digits, same figure", "宁波门诊限额多少？", "宁波门诊限额2万元。", "宁波门诊限额20,000元。"),
    ("another year", RATIO, "2023年宁波职工住院报销80%。", "2024年宁波职工住院报销85%。"),
    ("another city", RATIO, "宁波职工住院报销80%。", "杭州职工住院报销85%。"),
    ("no city", "职工住院报几成？", "职工住院报销80%。", "宁波职工住院报销85%。"),
    ("a city that was not asked for", RATIO, "杭州职工住院报销80%。", "杭州职工住院报销85%。"),
    ("a year that was not asked for", "2024年宁波住院报几成？", "2023年宁波住院报销80%。", "2023年宁波住院报销85%。"),
    ("one half of another's year", "宁波备案管多久？", "宁波备案有效期半年。", "宁波备案6个月内有效。"),
    ("a year in days", "宁波备案管多久？", "宁波备案有效期365天。", "宁波备案有效期一年。"),
    ("working days and days", "宁波备案几天办好？", "宁波备案20个工作日办结。", "宁波备案30天办结。"),
    ("what replaced it", RATIO, "宁波职工住院报销比例自2023年起为80%。", "宁波职工住院报销比例自2025年起为85%。"),
    ("what it was until then", RATIO, "宁波职工住院2024年底前报销80%。", "宁波职工住院自2025年1月1日起报销85%。"),
    ("no city, and it varies", RATIO, "职工住院一般报销80%。", "宁波职工住院报销85%。"),
    ("no city, and a line of its own", "宁波医保电话是多少？", "医保服务热线12393。", "宁波医保电话0574-87000000。"),
    ("up to a bound and above", "宁波断缴等待期？", "宁波断缴不超过3个月的，没有等待期。",
     "宁波断缴超过3个月的，等待期为6个月。"),
    ("after it ended", "宁波社保卡能在外地用吗？", "宁波社保卡可以在外地用。", "宁波社保卡注销后不能在外地用。"),
    ("what is not of that kind", "宁波急诊要备案吗？", "宁波异地急诊无需备案。", "宁波异地非急诊需要备案。"),
    ("for a while and for good", "宁波备案管多久？", "宁波临时外出备案管6个月。", "宁波长期居住备案管12个月。"),
    ("what one has to bring", "宁波备案要提供什么？", "宁波备案需要提供身份证。", "宁波备案无需提供照片。"),
    ("one sentence says both", RATIO, "宁波职工住院一般报销80%，优惠期内报销85%。", ""),
    ("other people", "宁波住院报几成？", "宁波职工住院报销80%。", "宁波居民住院报销70%。"),
    ("another level", RATIO, "宁波职工三级医院住院报销80%。", "宁波职工二级医院住院报销85%。"),
    ("all other hospitals", RATIO, "宁波职工在三级医院住院报销80%。", "宁波职工在其他医疗机构住院报销85%。"),
    ("other care", "宁波职工报几成？", "宁波职工住院报销80%。", "宁波职工门诊报销60%。"),
    ("another scheme", RATIO, "宁波职工住院报销80%。", "宁波职工大病保险住院报销60%。"),
    ("another cost", RATIO, "宁波职工住院报销80%。", "宁波职工住院陪护床费报销70%。"),
    ("care away from home", RATIO, "宁波职工住院报销80%。", "宁波职工异地住院报销70%。"),
    ("another case", RATIO, "宁波职工住院报销80%。", "宁波职工再次住院报销90%。"),
    ("another part of the costs", RATIO, "宁波职工住院报销80%。", "宁波职工住院费用超过5万元的部分报销90%。"),
    ("another age", "宁波退休门诊报几成？", "宁波70周岁以下退休门诊报销70%。", "宁波70周岁以上退休门诊报销80%。"),
    ("what is paid and what is left", RATIO, "宁波职工住院报销80%。", "宁波职工住院个人负担20%。"),
    ("a difference, not a value", RATIO, "宁波职工住院报销80%。", "未办手续的宁波职工住院报销降低10%。"),
    ("not what is asked", "宁波职工住院要带什么？", "宁波职工住院报销80%。", "宁波职工住院报销85%。"),
    ("the other way round", "宁波医保在杭州要不要备案？", "宁波医保在杭州无需备案。", "杭州医保在宁波需要备案。"),
    ("another thing with the same name", "医保家庭共济消费的上限是多少？", "家庭共济消费的上限为500元。",
     "职工医保的上限为2000元。"),
    ("another thing that is counted", "宁波医保能在几个城市用？", "宁波医保能在11个城市使用。", "宁波医保有4个档次。"),
    ("a rule that only says for what another is meant", "宁波在杭州能直接结算吗？", "宁波参保人在杭州可以直接结算。",
     "手工报销适用于宁波参保人在杭州不能直接结算。"),
    ("a rule for one case", "宁波在杭州能直接结算吗？", "宁波参保人在杭州可以直接结算。",
     "如果系统故障，宁波参保人在杭州不能直接结算。"),
    ("a rule for those who failed to", "宁波在杭州能直接结算吗？", "宁波参保人在杭州可以直接结算。",
     "未备案的宁波参保人在杭州不能直接结算。"),
    ("no need to pay first", "宁波在杭州要先垫付吗？", "宁波参保人在杭州可以直接结算。", "宁波参保人在杭州无需垫付。"),
    ("another matter", "宁波生育登记要不要提交结婚证？", "宁波生育登记需要提交结婚证。", "宁波生育登记无需本人到场。"),
]  # fmt: skip


@pytest.mark.parametrize(("_why", "question", "one", "other"), COMPATIBLE)
def test_what_can_both_hold_is_no_conflict(_why: str, question: str, one: str, other: str) -> None:
    """Another slot, or values that agree."""
    assert conflicts(question, one, other) == []


def test_the_cap_of_a_limit_is_its_value() -> None:
    """不超过 names the limit; it does not leave room for a lower one."""
    found = conflicts("宁波门诊一年最高报多少？", "宁波门诊限额不超过5万元。", "宁波门诊限额5000元。")
    assert values(found) == [["不超过5万元", "5000元"]]


def test_parts_of_the_costs_are_compared_part_by_part() -> None:
    """Each part's condition ends where the next begins, and a condition inside a clause with that clause."""
    parts = "宁波住院费用在2万元以下的：报销85%；5万元至10万元的部分：报销90%。"
    assert values(conflicts("宁波住院报几成？", parts, "宁波住院费用在5万元至10万元的：报销95%。")) == [["90%", "95%"]]
    both = "宁波住院费用超出5万元的部分按90%报销，起付线1200元。"
    assert values(conflicts("宁波住院起付线多少？", both, "宁波住院起付线800元。")) == [["1200元", "800元"]]


def test_a_period_is_of_what_its_own_sentence_names() -> None:
    """A title that speaks of paying does not make every period one of paying."""
    units = [
        a_unit("a#u0", "宁波生育须连续缴费满6个月。"),
        a_unit("b#u0", "宁波生育登记的变更一般要3个工作日。", title_path=("宁波连续缴费后变更参保地",)),
    ]
    assert find_conflicts("宁波生育要连续缴多久？", units, {name: a_document(name) for name in "ab"}, 1) == []


def test_cities_named_as_equals_stand_for_both_directions() -> None:
    """宁波和杭州 settles both ways, whatever way the title goes."""
    units = [
        a_unit("a#u0", "杭州医保卡在宁波不能直接结算。"),
        a_unit("b#u0", "宁波和杭州已实现直接结算。", title_path=("宁波医保卡在杭州的使用",)),
    ]
    found = find_conflicts("杭州医保卡在宁波能直接结算吗？", units, {name: a_document(name) for name in "ab"}, 1)
    assert [unit.document_id for unit in conflict_units(found)] == ["a", "b"]


def test_a_rule_in_a_list_is_shown_without_its_bullet() -> None:
    """The item as a sentence, with whom it is for."""
    listed = "宁波参保人须知： - 宁波参保人在杭州就医，无需办理备案。 - 请带好医保卡。"
    found = conflicts("宁波人在杭州就医要备案吗？", listed, "宁波参保人在杭州就医需要先备案。")
    assert values(found) == [["宁波参保人在杭州就医，无需办理备案", "宁波参保人在杭州就医需要先备案"]]


def test_a_dated_value_conflicts_with_an_undated_one() -> None:
    """What bears no year may be meant for this one."""
    assert values(conflicts(RATIO, "2024年宁波职工住院报销80%。", "宁波职工住院报销85%。")) == [["80%", "85%"]]


def test_what_a_title_says_of_people_and_year_counts_for_the_sentence() -> None:
    """A sentence under 居民 is not one for 职工, and one under 2023年 not one of 2024."""
    units = [
        a_unit("a#u0", "住院报销80%。", title_path=("宁波职工医保",)),
        a_unit("b#u0", "住院报销70%。", title_path=("宁波居民医保",)),
        a_unit("c#u0", "住院报销85%。", title_path=("宁波职工医保",)),
    ]
    documents = {name: a_document(name) for name in "abc"}
    assert values(find_conflicts(RATIO, units, documents, 1)) == [["80%", "85%"]]


def test_a_documents_places_count_where_its_words_name_none() -> None:
    """An undisclosed city in the sentence is that of the document."""
    units = [a_unit("a#u0", "职工住院报销80%。"), a_unit("b#u0", "职工住院报销85%。")]
    documents = {"a": a_document("a", places=("宁波",)), "b": a_document("b", places=("宁波",))}
    bare = [u.document_id for c in find_conflicts(RATIO, units, documents, 1) for _, u in c.sides]
    elsewhere = documents | {"b": a_document("b", places=("杭州",))}
    assert (bare, find_conflicts(RATIO, units, elsewhere, 1)) == (["a", "b"], [])


def test_documents_that_were_never_in_force_together_do_not_conflict() -> None:
    """The one ended before the other began."""
    units = [a_unit("a#u0", "宁波职工住院报销80%。"), a_unit("b#u0", "宁波职工住院报销85%。")]
    old = a_document("a", effective_to=dt.date(2023, 12, 31))
    new = a_document("b", effective_from=dt.date(2024, 1, 1))
    assert find_conflicts(RATIO, units, {"a": old, "b": new}, 1) == []
    assert find_conflicts(RATIO, units, {"a": old, "b": a_document("b")}, 1)


def test_rows_of_two_tables_are_compared_cell_by_cell() -> None:
    """Only the cell of the people and the level that were asked for, under its own header."""
    found = conflicts(
        "宁波退休职工三级医院住院报销比例？",
        TABLE.format("80%", "85%", "86%", "90%"),
        TABLE.format("80%", "88%", "87%", "90%"),
        title="宁波职工医保住院",
    )
    assert values(found) == [["85%", "88%"]]
    assert found[0].slot == "宁波 · 职工 · 住院 · 三级 · 退休 · 报销比例"


def test_rows_of_one_table_never_conflict() -> None:
    """A table is made to set its rows apart, by whatever words."""
    table = "| 宁波职工住院的人员类别 | 报销比例 | | --- | --- | | 甲组人员 | 80% | | 乙组人员 | 85% |"
    assert conflicts(RATIO, table) == []


def test_items_of_one_list_conflict_only_under_one_head() -> None:
    """Items are set apart by their heads; heads that differ by the figure alone do not set them apart."""
    same = "宁波生育缴费的要点如下： - 缴满6个月：须连续缴费满6个月。 - 缴满12个月：须连续缴费满12个月。"
    other = "宁波生育缴费的要点如下： - 津贴：须连续缴费满6个月。 - 产检：须连续缴费满12个月。"
    alone = "宁波生育缴费的要点如下： - 津贴：须连续缴费满6个月，或者连续缴费满12个月。"
    found = [values(conflicts("宁波生育要连续缴多久？", text)) for text in (same, other, alone)]
    assert found == [[["6个月", "12个月"]], [], []]


def test_sections_of_one_document_can_conflict() -> None:
    """A page that contradicts itself is shown doing so."""
    units = [
        a_unit("a#u0", "宁波职工住院报销80%。", title_path=("指南", "办法")),
        a_unit("a#u1", "宁波职工住院报销70%左右。", 50, title_path=("指南", "常见数值")),
    ]
    assert values(find_conflicts(RATIO, units, {"a": a_document("a")}, 1)) == [["80%", "70%左右"]]


def test_figures_in_a_row_belong_to_what_is_named_in_a_row() -> None:
    """分别为 hands them out in order."""
    text = "宁波在职职工和退休职工住院报销比例分别为80%和90%。"
    other = "宁波退休职工住院报销85%。"
    assert values(conflicts("宁波退休职工住院报几成？", text, other)) == [["90%", "85%"]]
    assert conflicts("宁波退休职工住院报几成？", text, other.replace("85", "90")) == []


def test_equal_values_are_one_side() -> None:
    """The best source of each value stands for those that repeat it."""
    found = conflicts(
        RATIO,
        "宁波职工住院报销80%。",
        "宁波职工住院报销八成。",
        "宁波职工住院报销85%。",
        "宁波市职工住院报百分之八十。",
    )
    assert [[(value, unit.document_id) for value, unit in c.sides] for c in found] == [[("80%", "d0"), ("85%", "d2")]]


def test_a_conflict_among_what_does_not_answer_is_not_shown() -> None:
    """One side must be among the units that answer; the others may come from all that was found."""
    units, documents = sources("宁波职工住院可以刷卡。", "宁波职工住院报销80%。", "宁波职工住院报销85%。")
    assert find_conflicts(RATIO, units, documents, 1) == []
    assert len(find_conflicts(RATIO, units, documents, 2)) == 1


def test_a_level_that_is_ruled_out_asks_for_the_others() -> None:
    """不是基层 asks for what holds elsewhere."""
    found = conflicts(
        "宁波门诊去大医院（不是基层）起付线多少？",
        "宁波门诊在其他医疗机构起付线为40元。",
        "宁波门诊起付线为400元。",
        "宁波门诊在基层医疗机构起付线为300元。",
    )
    assert values(found) == [["40元", "400元"]]


def test_what_one_document_sets_apart_is_not_held_against_the_general_rule() -> None:
    """Levels nobody asked for are that document's own distinction; a level that it names alone is not."""
    general, third, second = "宁波住院报销70%。", "宁波三级医院住院报销60%。", "宁波二级医院住院报销80%。"
    units = [a_unit("a#u0", general), a_unit("b#u0", third), a_unit("b#u1", second, 50)]
    documents = {"a": a_document("a"), "b": a_document("b")}
    assert find_conflicts("宁波住院报几成？", units, documents, 1) == []
    assert values(find_conflicts("宁波住院报几成？", units[:2], documents, 1)) == [["70%", "60%"]]


def test_every_side_is_verbatim_whatever_its_characters() -> None:
    """Full-width figures, bounds and approximations are shown as they stand."""
    texts = ("宁波职工住院报销比例可能高达６０％。", "宁波职工住院报销比例：约８０％左右；")
    (shown,) = values(conflicts(RATIO, *texts))
    assert shown == ["可能高达６０％", "约８０％左右"]


def test_the_units_to_cite_are_those_of_all_sides_each_once() -> None:
    """In the order of the sides."""
    units, documents = sources("宁波职工住院报销80%，起付线600元。", "宁波职工住院报销85%，起付线800元。")
    found = find_conflicts("宁波职工住院报销比例和起付线是多少？", units, documents, 1)
    assert (len(found), conflict_units(found)) == (2, tuple(units))
    assert conflict_units([]) == ()


def evidence(case: Mapping[str, Any]) -> tuple[list[EvidenceUnit], dict[str, Document]]:
    """The units of a case, best first, and what it tells of their documents."""
    units, known = [], collections.Counter[str]()
    for told in case["units"]:
        name = told["source"]
        units.append(a_unit(f"{name}#u{known[name]}", told["text"], title_path=tuple(told.get("title", ()))))
        known[name] += 1
    return units, {name: document(name, case.get("sources", {}).get(name, {})) for name in known}


def document(name: str, told: Mapping[str, Any]) -> Document:
    """A document with the places and dates of a case."""
    dates = {key: dt.date.fromisoformat(value) for key, value in told.items() if key != "places" and value}
    return a_document(name, places=tuple(told.get("places", ())), **dates)


def shows(case: Mapping[str, Any]) -> bool:
    """Whether the one conflict of a case is found, with both values and the right relation; or none where none is."""
    found = find_conflicts(case["question"], *evidence(case), 1)
    if case["shows"] is None or len(found) != 1:
        return not found and case["shows"] is None
    told = [fold(value) for value, _ in found[0].sides]
    right = all(any(fold(value) in side for side in told) for value in case["values"])
    return right and len(told) == len(case["values"]) and found[0].relation == case["shows"]


@pytest.mark.parametrize(("half", "least"), [("dev", 33), ("test", 33), ("fresh", 17), ("later", 68), ("unseen", 18)])
def test_conflicts_are_found_in_the_words_of_other_pages(half: str, least: int) -> None:
    """Of those written for other cities and aspects; what is missed today is no licence to miss more."""
    conflicting = [case for case in CASES if case["split"] == half and case["shows"]]
    assert sum(map(shows, conflicting)) >= least


LOOK_ALIKES = [case for case in CASES if case["shows"] is None]
FIRST = {"dev", "test", "fresh"}


@pytest.mark.parametrize("case", [case for case in LOOK_ALIKES if case["split"] in FIRST], ids=lambda c: str(c["id"]))
def test_what_only_looks_like_a_conflict_is_not_shown(case: Mapping[str, Any]) -> None:
    """Each pair differs in one thing that makes both true."""
    assert shows(case)


@pytest.mark.parametrize(("half", "most"), [("later", 15), ("unseen", 3)])
def test_few_look_alikes_of_other_pages_are_shown(half: str, most: int) -> None:
    """Of those written to be hard: what slips through today is no licence to let more through."""
    assert sum(not shows(case) for case in LOOK_ALIKES if case["split"] == half) <= most


def test_a_conflict_is_named_by_what_was_asked_of_a_side_for_several() -> None:
    """二级及以下 is for three levels, and the question for one."""
    found = conflicts(
        "绍兴二级医院住院起付线多少？", "绍兴二级及以下医院住院起付标准为800元。", "绍兴二级医院住院起付标准为500元。"
    )
    assert [conflict.slot for conflict in found] == ["绍兴 · 住院 · 二级 · 起付线"]
