"""A claim is compared with its evidence: what was changed in a true one is found, what was only reworded passes."""

from __future__ import annotations

import pytest

from rag.answer.verifying.checking import check, completeness

# Evidence, and the same sentence with one thing changed, by the kind of the problem.
CHANGED = {
    "number": [
        ("三级医院住院的报销比例为85%。", "三级医院住院的报销比例为80%。"),
        ("三级医院住院的报销比例为75%。", "三级医院住院的报销比例为5%。"),
        ("门诊年度限额为5000元。", "门诊年度限额为500元。"),
        ("居民每人每年缴费400元。", "居民每人每年缴费40元。"),
        ("大病保险的起付线是1.5万元。", "大病保险的起付线是15万元。"),
        ("备案的有效期为6个月。", "备案的有效期为9个月。"),
        ("住院报销比例为50%至70%。", "住院报销比例为50%至80%。"),
        ("每年可以申请两次补助。", "每年可以申请三次补助。"),
        ("年满60周岁的人员可以减免。", "年满65周岁的人员可以减免。"),
        ("疑问请拨打12393咨询。", "疑问请拨打12345咨询。"),
        ("疑问请拨打0571-87654321咨询。", "疑问请拨打0571-87654322咨询。"),
        ("本办法依据甬医保发〔2022〕22号制定。", "本办法依据甬医保发〔2023〕22号制定。"),
        ("本办法依据甬医保发〔2022〕22号制定。", "本办法依据甬医保发〔2022〕23号制定。"),
        ("住院的报销比例为60%。", "住院的报销比例为百分之百。"),
        ("逾期的按日加收万分之五的滞纳金。", "逾期的按日加收万分之八的滞纳金。"),
        ("目录内的慢性病有二十一种。", "目录内的慢性病有三十一种。"),
        ("三级医院住院的报销比例为85%。", "三级医院住院的报销比例为85%，限额2万元。"),
    ],
    "unit": [
        ("门诊每次最高支付75元。", "门诊每次最高支付75%。"),
        ("经办机构应当在3个工作日内办结。", "经办机构应当在3天内办结。"),
        ("停保满6个月的可以申请。", "停保满6年的可以申请。"),
        ("报销材料要在120天内提交。", "报销材料要在120小时内提交。"),
        ("每次可以开具4周的药量。", "每次可以开具4天的药量。"),
    ],
    "bound": [
        ("年度支出2000元以上的部分由基金支付。", "年度支出2000元以下的部分由基金支付。"),
        ("职工住院的报销比例不低于60%。", "职工住院的报销比例不超过60%。"),
        ("年度累计补助最高5000元。", "年度累计补助最低5000元。"),
        ("申请人的年龄应当大于60周岁。", "申请人的年龄应当小于60周岁。"),
        ("缴费满15年的可以享受。", "缴费不满15年的可以享受。"),
        ("财政补助每人每年不低于640元。", "财政补助每人每年640元。"),
        ("超出1万元的部分由大病保险支付。", "1万元以下的部分由大病保险支付。"),
    ],
    "place": [
        ("在宁波参保的人员可以直接结算。", "在温州参保的人员可以直接结算。"),
        ("绍兴市居民门诊报销50%。", "嘉兴市居民门诊报销50%。"),
        ("到杭州就医需要先备案。", "到上海就医需要先备案。"),
        ("江苏省内住院可以直接结算。", "山东省内住院可以直接结算。"),
        ("山西参保人可以线上申请。", "山东参保人可以线上申请。"),
        ("住院费用可以直接结算，报销比例为70%。", "苏州的住院费用可以直接结算，报销比例为70%。"),
    ],
    "person": [
        ("退休人员的报销比例为90%。", "在职人员的报销比例为90%。"),
        ("居民医保的门诊报销比例为50%。", "职工医保的门诊报销比例为50%。"),
        ("灵活就业人员每月缴费380元。", "在职人员每月缴费380元。"),
        ("门诊报销比例为50%，每年限额800元。", "退休人员门诊报销比例为50%，每年限额800元。"),
    ],
    "qualifier": [
        ("住院的起付线为600元。", "门诊的起付线为600元。"),
        ("二级医院的起付线为600元。", "三级医院的起付线为600元。"),
        ("跨省就医需要先办理备案。", "省内就医需要先办理备案。"),
        ("顺产的定额补助为2000元。", "剖宫产的定额补助为2000元。"),
    ],
    "polarity": [
        ("陪护床费不在支付范围内。", "陪护床费在支付范围内。"),
        ("参保人员可以报销护工费。", "参保人员不可以报销护工费。"),
        ("急诊住院无需提前备案。", "急诊住院需要提前备案。"),
        ("个人账户的余额可以继承。", "个人账户的余额不能继承。"),
        ("美容项目的费用除外，其他费用可以报销。", "美容项目的费用和其他费用可以报销。"),
        ("转出手续不收费，个人账户余额不清零。", "转出手续不收费，个人账户余额清零。"),
        ("没有备案的不予直接结算，报销比例降低。", "已经备案的不予直接结算，报销比例降低。"),
    ],
    "date": [
        ("新规自2025年9月1日起施行。", "新规自2025年10月1日起施行。"),
        ("新规自2025年9月1日起施行。", "新规自2024年9月1日起施行。"),
        ("集中缴费期到12月31日为止。", "集中缴费期到11月30日为止。"),
    ],
    "unsupported": [
        ("办理备案需要身份证。", "办理备案需要身份证、结婚证和居住证明。"),
        ("办理备案需要身份证。", "医生建议每天服药并注意休息。"),
        ("办理备案需要身份证。", "办理备案需要身份证吗？"),
    ],
}
CHANGES = [(kind, evidence, claim) for kind, rows in CHANGED.items() for evidence, claim in rows]

# Evidence, and a claim that says the same or less.
REWORDED = [
    ("在职职工在三级医院住院，报销比例为85%。", "在职职工三级医院住院报销比例为85%。"),
    ("在职职工在三级医院住院，报销比例为百分之八十五。", "在职职工三级医院住院报销比例为85%。"),
    ("大病保险的年度限额为2万元。", "大病保险年度限额为20,000元。"),
    ("停保超过半年的，需要等待6个月。", "停保超过6个月的，需要等待半年。"),
    ("停保人员的等待期是三年。", "停保人员等待期3年。"),
    ("参保人员可以通过手机APP办理备案。", "备案可以通过手机APP办理。"),
    ("急诊住院无需提前备案。", "急诊住院不用提前备案。"),
    ("急诊住院无须提前备案。", "急诊住院不需要提前备案。"),
    ("住院的报销比例为50%至70%。", "住院的报销比例为50-70%。"),
    ("办理依据是甬医保发〔2022〕22号。", "办理依据是甬医保发[2022]22号。"),
    ("在浙江省宁波市参保的人员可以直接结算。", "宁波参保人员可以直接结算。"),
    ("年满60周岁以上的老人可以减免。", "60岁以上的老人可以减免。"),
    ("需要说明的是，失能评估的结论在作出之后的2年以内是有效的。", "失能评估结论2年以内有效。"),
    ("经办机构应当在15个工作日内办结。", "经办机构15个工作日内办结。"),
    ("新规自2025年9月1日起施行。", "新规自２０２５年９月１日起施行。"),
    ("住院报销六成，门诊报销五成。", "住院报销60%，门诊报销50%。"),
    ("职工住院的报销比例不低于60%。", "职工住院报销比例不少于60%。"),
]


@pytest.mark.parametrize(("kind", "evidence", "claim"), CHANGES)
def test_what_was_changed_in_a_true_claim_is_found_and_named(kind: str, evidence: str, claim: str) -> None:
    """The unchanged claim stands; the changed one has a problem of the kind that was changed."""
    assert check(evidence, [evidence]) == ()
    assert kind in {problem.kind for problem in check(claim, [evidence])}


@pytest.mark.parametrize(("evidence", "claim"), REWORDED)
def test_a_true_paraphrase_passes(evidence: str, claim: str) -> None:
    """Other writing, other order and fewer words are no problem."""
    assert check(claim, [evidence]) == ()


def test_a_problem_shows_both_sides() -> None:
    """Whoever reads a problem sees the claim's figure and what the evidence has in its place."""
    (problem,) = (p for p in check("门诊每次最高支付75%。", ["门诊每次最高支付75元。"]) if p.kind == "unit")
    assert (problem.claim, problem.evidence) == ("75%", "75元")


def test_what_is_said_of_one_place_is_not_said_of_another() -> None:
    """Both are named in the evidence; the hospitals are in one of them."""
    told = "宁波医保卡在杭州能用的机构是“一卡通”定点医院，其中包括杭州市的多家三甲医院。"
    assert "place" in {p.kind for p in check("宁波医保卡在杭州能用的机构是宁波的多家三甲医院。", [told])}
    assert not check("宁波医保卡在杭州能用的机构包括杭州市的多家三甲医院。", [told])


def test_a_clause_without_a_place_goes_on_about_the_last_one() -> None:
    """宁波参保人住院的，三级医院报90% is about 宁波 to its end."""
    assert not check("宁波参保人住院，宁波三级医院报90%。", ["宁波参保人住院的，三级医院报90%。"])


def test_a_place_of_the_title_counts_as_told() -> None:
    """Evidence below a title that names the place speaks of that place."""
    assert check("宁波陪护床费每日40元。", ["陪护床费每日40元。"], "宁波陪护床费") == ()
    assert "place" in {p.kind for p in check("温州陪护床费每日40元。", ["陪护床费每日40元。"], "宁波陪护床费")}


def test_a_citys_rule_holds_in_its_counties_and_not_the_other_way_round() -> None:
    """A claim may narrow a rule to a part of the place; it may not widen a county's rule to the city."""
    assert "place" not in {p.kind for p in check("慈溪市参保人可以申请。", ["宁波参保人可以申请。"])}
    assert "place" in {p.kind for p in check("宁波参保人可以申请。", ["慈溪市参保人可以申请。"])}


def test_several_units_prove_a_claim_together() -> None:
    """A figure may stand in any of the units that a claim cites."""
    units = ["在职职工住院报销80%。", "退休职工住院报销90%。"]
    assert check("在职职工住院报销80%，退休职工住院报销90%。", units) == ()
    assert check("在职职工住院报销80%，退休职工住院报销90%。", units[:1]) != ()


def test_figures_given_to_the_wrong_people_are_found() -> None:
    """Both figures stand in the evidence, but each with someone else."""
    assert check("在职职工报销90%，退休职工报销80%。", ["在职职工报销80%，退休职工报销90%。"])


TABLE = "| 医院级别 | 在职职工 | 退休人员 |\n| --- | --- | --- |\n| 二级医院 | 85% | 90% |\n| 三级医院 | 80% | 85% |"


@pytest.mark.parametrize(
    "claim",
    [
        "三级医院在职职工报销80%，退休人员报销85%。",
        "退休人员在二级医院报九成。",
        "在职职工在二级、三级医院分别报销85%、80%。",
        "二级医院：在职85%；退休90%。",
    ],
)
def test_a_figure_of_a_table_stands_for_its_row_and_column(claim: str) -> None:
    """A cell is read under its header and beside its row's name, as a sentence or as a parallel list."""
    assert check(claim, [TABLE], "住院报销比例") == ()


@pytest.mark.parametrize(
    "claim",
    [
        "三级医院在职职工报销85%。",
        "退休人员在二级医院报85%。",
        "在职职工在二级、三级医院分别报销80%、85%。",
        "二级医院：在职90%；退休85%。",
    ],
)
def test_a_figure_of_another_row_or_column_is_found(claim: str) -> None:
    """Every figure stands in the table, but with someone else."""
    assert check(claim, [TABLE], "住院报销比例")


def test_two_places_of_one_sentence_keep_their_parts() -> None:
    """Where one is insured and where one is treated is not exchanged, though both are named."""
    told = ["宁波参保人员到杭州就医，不用备案，可以直接结算。"]
    assert check("宁波的参保人员去杭州看病无需备案，可直接结算。", told) == ()
    assert "place" in {p.kind for p in check("杭州的参保人员去宁波看病无需备案，可直接结算。", told)}


def test_a_place_may_be_named_by_its_region() -> None:
    """What holds in 长三角 holds in 浙江; 杭甬 names both cities."""
    assert check("浙江参保人员可以直接结算门诊费用。", ["长三角参保人员可以直接结算门诊费用。"]) == ()
    assert check("京津冀参保人员可以直接结算门诊费用。", ["长三角参保人员可以直接结算门诊费用。"])
    assert check("宁波和杭州两地免备案。", ["杭甬两地免备案。"]) == ()


@pytest.mark.parametrize(
    ("evidence", "claim"),
    [
        (
            "投保人故意或者因重大过失未告知的，保险人可以解除合同。",
            "投保人过失或者因重大过失未告知的，保险人可以解除合同。",
        ),
        ("任何单位、个人挪用基金的，予以追回。", "任何个人、个人挪用基金的，予以追回。"),
        ("参保人员转诊可能降低报销比例。", "参保人员转诊降低报销比例。"),
        ("转诊备案一般6个月内有效。", "转诊备案一律6个月内有效。"),
    ],
)
def test_a_word_exchanged_in_a_sentence_that_is_repeated_is_found(evidence: str, claim: str) -> None:
    """Each word of the claim may stand somewhere in the evidence; not in this place."""
    assert check(claim, [evidence])


def test_a_denied_condition_turns_the_bound() -> None:
    """不满6个月不能 says what 满6个月可以 says."""
    assert "bound" not in {p.kind for p in check("不满6个月的不能报销。", ["满6个月的可以报销。"])}
    assert "bound" in {p.kind for p in check("不满6个月的可以报销。", ["满6个月的可以报销。"])}


def test_an_invented_item_of_a_list_is_found() -> None:
    """True items beside it do not carry it."""
    (problem,) = check("申请要带身份证、银行卡和婚前体检单。", ["申请要带身份证、银行卡和出院小结。"])
    assert (problem.kind, problem.claim) == ("unsupported", "婚前体检单")


def test_no_evidence_proves_nothing() -> None:
    """A claim without evidence never stands."""
    assert check("门诊报销50%。", []) != ()


def test_a_whole_rewording_is_complete() -> None:
    """Words may go, figures stay."""
    told = "需要说明的是，失能评估的结论在作出之后的2年以内是有效的。"
    assert completeness("失能评估结论2年内有效。", [told], "评估管几年？") == ()


@pytest.mark.parametrize(
    ("claim", "lost"),
    [("在职职工报销80%。", "90%"), ("退休职工报销90%。", "80%"), ("在职和退休职工都报销。", "80%")],
)
def test_a_rewording_that_loses_a_figure_is_incomplete(claim: str, lost: str) -> None:
    """The first figure that is gone is named."""
    problems = completeness(claim, ["在职职工报销80%，退休职工报销90%。"], "职工报多少？")
    assert (problems[0].kind, problems[0].evidence) == ("incomplete", lost)


def test_a_rewording_that_changes_the_order_of_figures_is_incomplete() -> None:
    """Figures in another order may belong to others now."""
    problems = completeness(
        "在职职工报销90%，退休职工报销80%。", ["在职职工报销80%，退休职工报销90%。"], "职工报多少？"
    )
    assert [p.kind for p in problems] == ["incomplete"]


def test_a_rewording_that_speaks_of_others_than_asked_is_refused() -> None:
    """An answer about residents is none for an employee."""
    problems = completeness("居民门诊报销50%。", ["居民门诊报销50%。"], "职工门诊报多少？")
    assert [p.kind for p in problems] == ["person"]


def test_half_a_list_is_incomplete() -> None:
    """A rewording keeps what a list names, not its first item alone."""
    told = "申请补助需要身份证、银行卡、出院小结、费用清单、诊断证明、亲属关系证明和居住证。"
    assert [p.kind for p in completeness("申请补助需要身份证。", [told], "申请补助要什么？")] == ["incomplete"]
    assert completeness(told, [told], "申请补助要什么？") == ()


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("登记要带结婚证和身份证。", "登记要带的材料：结婚证（如适用）；身份证。"),
        ("登记要带身份证和代办人的身份证。", "登记要带身份证；委托他人代办的，另需代办人的身份证。"),
    ],
)
def test_what_only_some_have_to_bring_is_not_asked_of_all(claim: str, evidence: str) -> None:
    """A rewording keeps the condition on which a paper is wanted."""
    assert completeness(claim, [evidence], "登记要带什么材料？")


def test_whom_a_rule_is_for_stays_with_it() -> None:
    """What holds for 职工 is not said of all; who asks as 职工 need not be told so again."""
    told = ["宁波市职工医保参保人到杭州市三级甲等医院看病，不用办理备案，可以直接刷卡结算。"]
    said = "宁波市医保参保人到杭州市三级甲等医院看病，不用办理备案，可以直接刷卡结算。"
    assert completeness(said, told, "宁波医保去杭州看病要备案吗")
    assert not completeness(said, told, "宁波职工医保去杭州看病要备案吗")


@pytest.mark.parametrize(
    ("claim", "stands"),
    [
        ("绍兴职工医保住院起付标准为800元。", False),
        ("绍兴职工医保二级及以下医疗机构住院起付标准为800元。", True),
        ("绍兴职工医保住院的二级及以下医疗机构起付标准为800元。", True),
    ],
)
def test_a_rewording_of_a_row_keeps_the_case_of_the_row(claim: str, *, stands: bool) -> None:
    """Though it was asked for: beside the row stand others, for other cases."""
    row = "| 绍兴职工医保住院的医疗机构级别 | 起付标准 |\n| 二级及以下医疗机构 | 800元 |"
    assert (completeness(claim, [row], "职工医保，绍兴二级医院住院门槛费多少") == ()) is stands
