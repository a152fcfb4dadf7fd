"""What stands in another's place is found whatever the words: persons, bodies, insurances, times, cells of a table."""

from __future__ import annotations

import pytest

from rag.answer.verifying.checking import check

# Evidence, a true claim in other words, and a claim that puts one thing in the place of another.
REPLACED = {
    "a person that nobody named": (
        "灵活就业人员可以参加职工医保，费用由个人全额缴纳。",
        "灵活就业者能参加职工医保，钱全部自己出。",
        "公务员能参加职工医保，钱全部自己出。",
    ),
    "a person for a kin": (
        "个人账户可以给近亲属缴纳居民医保费。",
        "个人账户的钱能给亲属交居民医保费。",
        "个人账户的钱能给同事交居民医保费。",
    ),
    "one department for another": (
        "社会保险费由税务部门按月征收。",
        "社保费由税务机关每月征收。",
        "社会保险费由民政部门按月征收。",
    ),
    "one insurance for another": (
        "参加失业保险的个人可以申领技能提升补贴。",
        "参加了失业保险的人能申请技能提升补贴。",
        "参加了大病保险的人能申请技能提升补贴。",
    ),
    "after for before": (
        "转诊备案后就医的，费用可以直接结算。",
        "备案之后去看病，费用能直接结算。",
        "转诊备案前就医的，费用可以直接结算。",
    ),
    "after for within": (
        "等待期内发生的费用由个人承担。",
        "在等待期内产生的费用，由个人负担。",
        "等待期后发生的费用由个人承担。",
    ),
    "another day to count from": (
        "用人单位应当自注册之日起三十日内申请登记。",
        "单位要从注册之日起30天内申请登记。",
        "用人单位应当自注销之日起三十日内申请登记。",
    ),
    "another month": (
        "断缴后重新缴费的，从次月开始享受待遇。",
        "断缴后重新缴费，下个月开始享受待遇。",
        "断缴后重新缴费的，从当月开始享受待遇。",
    ),
    "here for elsewhere, in a sentence of other words": (
        "异地产检的最高支付限额是1200元。",
        "去外地做产检，最多支付1200元。",
        "在本地做产检，最多支付1200元。",
    ),
    "an official for another, in the same words": (
        "补助资金由省级财政统筹安排解决。",
        "补助资金由省级财政统筹解决。",
        "补助资金由省级慈善统筹安排解决。",
    ),
    "another currency": (
        "住院的起付标准是八百元。",
        "住院起付线为800元。",
        "住院的起付标准是八百美元。",
    ),
}

TABLE = (
    "| 费用段 | 医疗机构 | 在职报销比例 | 退休报销比例 |\n| --- | --- | --- | --- |\n"
    "| 3万元以下 | 社区医院 | 82% | 88% |\n| 3万元以下 | 其他医院 | 76% | 82% |\n"
    "| 3万元至8万元 | 社区医院 | 88% | 94% |\n| 3万元至8万元 | 其他医院 | 82% | 88% |"
)

# Evidence, and claims of which one clause demands, permits or refuses something else.
TURNED = [
    ("备案可在两处完成：办事大厅的窗口和手机客户端。", "备案必须去办事大厅的窗口办，也能用手机客户端。"),
    ("未能及时登记的人员，也可以先行结算，然后补办登记，再申请报销。", "没能及时登记的人，结算后不能补登记。"),
    ("未能及时登记的人员，也可以先行结算，然后补办登记，再申请报销。", "没能及时登记的人，结算后必须补登记。"),
    ("窗口查询：余额也可以到大厅查询。", "余额还不能去大厅查询。"),
    ("经办机构应当给予直接结算。", "经办机构可以给予直接结算。"),
    (
        "| 项目 | 说明 |\n| --- | --- |\n| 抢救 | 原则上按标准支付（互助费除外） |",
        "抢救原则上按标准支付，互助费也不例外。",
    ),
    ("首次投保的人员，等待三个月后才可以申领津贴。", "可以。首次投保的人员，不等满三个月不能申领津贴。"),
]

# Evidence and a claim that says the same with a negation more or less.
SAME = [
    ("连续缴费满6个月才可以享受住院报销。", "连续缴费不满6个月，不能享受住院报销。"),
    ("合同生效前，投保人可以撤回申请。", "合同还没生效，投保人可以撤回申请。"),
    ("保险人不承担给付保险金的责任。", "保险公司不赔。"),
    ("部分地区线上变更的功能尚未开通。", "有些地区还不能在线上变更。"),
    ("很多业务可以在手机上办理。", "不少业务在手机上就能办理。"),
    ("待遇包括生育津贴和生育医疗费用。", "待遇有两项：生育津贴和生育医疗费用。"),
]


@pytest.mark.parametrize("name", REPLACED)
def test_one_thing_in_the_place_of_another_is_found(name: str) -> None:
    """The claim with the wrong thing fails, and the true one in other words passes."""
    evidence, true, false = REPLACED[name]
    assert check(true, [evidence]) == ()
    assert check(false, [evidence])


@pytest.mark.parametrize(
    ("claim", "stands"),
    [
        ("3万元至8万元，其他医院，在职报销比例是82%。", True),
        ("3万元至8万元，其他医院，在职报销比例是88%。", False),
        ("3万元至8万元的费用，在社区医院，退休的报销94%，在职的报销88%。", True),
        ("3万元至8万元的费用，在社区医院，退休的报销88%，在职的报销94%。", False),
        ("3万元以下的费用，在其他医院，在职的报销76%。", True),
        ("3万元以下的费用，在其他医院，在职的报销82%。", False),
    ],
)
def test_a_figure_stands_in_the_cell_that_its_labels_lead_to(claim: str, *, stands: bool) -> None:
    """A figure of the table is right only where row and column are those that the claim names."""
    assert (check(claim, [TABLE]) == ()) is stands


@pytest.mark.parametrize(("evidence", "claim"), TURNED)
def test_a_demand_a_permission_and_a_refusal_are_not_each_other(evidence: str, claim: str) -> None:
    """Turned modality is a problem of polarity, in whatever words the rest is said."""
    assert "polarity" in {problem.kind for problem in check(claim, [evidence])}


@pytest.mark.parametrize(("evidence", "claim"), SAME)
def test_another_way_to_deny_is_no_contradiction(evidence: str, claim: str) -> None:
    """What is said with a negation in one place and without in another may be the same."""
    assert check(claim, [evidence]) == ()
