"""Which Chinese places a text names, and which of them lie in which."""

from __future__ import annotations

import pytest

from rag import places


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("在绍兴参保，到杭州住院", ("绍兴", "杭州")),
        ("浙江省宁波市鄞州区的窗口", ("浙江", "宁波", "鄞州区")),
        ("宁波医保和宁波市医保", ("宁波",)),
        ("内蒙古自治区与新疆维吾尔自治区", ("内蒙古", "新疆")),
        ("乌鲁木齐市的三级医院", ("乌鲁木齐",)),
        ("重庆市渝中区", ("重庆", "渝中区")),
        ("开封兰考的，转到郑州", ("开封", "兰考县", "郑州")),
        ("北京朝阳的居民医保", ("北京",)),
        ("辽宁朝阳的居民医保", ("辽宁", "朝阳")),
        ("沈阳铁西的退休工人", ("沈阳",)),
        ("江苏昆山的医保", ("江苏", "昆山市")),
        ("重庆江北的医保", ("重庆",)),
        ("参保地在哪里改", ()),
        ("", ()),
    ],
)
def test_places_are_found_by_their_short_names_once_in_order(text: str, named: tuple[str, ...]) -> None:
    """However a place is written, it has one name; each stands once, in order of appearance."""
    assert places.find(text) == named


@pytest.mark.parametrize(("asked", "other"), [("山东", "山西"), ("河南", "河北"), ("湖南", "海南"), ("苏州", "宿州")])
def test_neighbours_in_writing_are_not_mixed_up(asked: str, other: str) -> None:
    """A text on 山西 is not found for 山东."""
    assert places.find(f"{other}省医保") != places.find(f"{asked}省医保")
    assert not places.related(asked, other)


@pytest.mark.parametrize("text", ["平安康复中心", "健康安全宣传"])
def test_a_name_that_begins_inside_another_word_is_no_place(text: str) -> None:
    """平安康复 does not name 安康."""
    assert places.find(text) == ()


@pytest.mark.parametrize("text", ["合作医疗怎么报销", "新型农村合作医疗", "医院之间的合作"])
def test_cooperative_medical_care_is_no_city(text: str) -> None:
    """The everyday word 合作 does not name 合作市 in Gansu."""
    assert places.find(text) == ()


@pytest.mark.parametrize(
    ("text", "named"), [("北京市朝阳区", "北京"), ("长春市朝阳区", "长春"), ("牡丹江市西安区", "牡丹江")]
)
def test_a_district_is_not_taken_for_a_city_of_that_name_elsewhere(text: str, named: str) -> None:
    """朝阳区 of Beijing does not name 朝阳市 in Liaoning."""
    assert [p for p in places.find(text) if not p.endswith("区")] == [named]


@pytest.mark.parametrize("text", ["鼓楼区", "和平区", "城区", "统筹区"])
def test_a_county_name_that_several_places_share_names_none(text: str) -> None:
    """鼓楼区 alone could be in four cities, so it is not guessed."""
    assert places.find(text) == ()


@pytest.mark.parametrize(
    ("name", "chain"),
    [("鄞州区", ("宁波", "浙江")), ("宁波", ("浙江",)), ("浙江", ()), ("海淀区", ("北京",)), ("无此地", ())],
)
def test_a_place_knows_all_it_lies_in_nearest_first(name: str, chain: tuple[str, ...]) -> None:
    """County, city, province; a municipality has no city below itself; an unknown name lies nowhere."""
    assert places.within(name) == chain


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("宁波", "宁波", True),
        ("宁波", "浙江", True),
        ("浙江", "鄞州区", True),
        ("宁波", "绍兴", False),
        ("上海", "浙江", False),
    ],
)
def test_places_are_related_when_one_lies_in_the_other(one: str, other: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """Two cities of one province are not related; the order of the two does not matter."""
    assert places.related(one, other) is expected
    assert places.related(other, one) is expected


@pytest.mark.parametrize(
    ("text", "named"), [("杭甬两地", ("杭州", "宁波")), ("长三角地区", ("长三角",)), ("沪杭高速", ("上海", "杭州"))]
)
def test_regions_and_paired_initials_are_places(text: str, named: tuple[str, ...]) -> None:
    """杭甬 names two cities, 长三角 one region."""
    assert places.find(text) == named


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [("浙江", "宁波", True), ("宁波", "浙江", False), ("长三角", "宁波", True), ("京津冀", "宁波", False)],
)
def test_a_rule_holds_in_what_lies_in_its_place(rule: str, name: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    """A province's or a region's rule holds in its cities; a city's does not hold in the province."""
    assert places.holds_in(rule, name) is expected
