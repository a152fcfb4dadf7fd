"""What a claim may say in another form than its evidence, and what looks like that and is false."""

from __future__ import annotations

import pytest

from rag.answer.verifying.checking import check

CARD = "使用电子凭证报销的前提，是先激活电子凭证。"
BENEFIT = "享受津贴待遇须在杭州参加生育保险，连续缴费要满6个月。"
TABLE = (
    "| 情节 | 罚款 |\n| --- | --- |\n| 数额较大 | 2000元 |\n"
    "| 数额巨大或者有其他严重情节 | 5000元 |\n| 数额特别巨大或者有其他特别严重情节 | 9000元 |"
)

TRUE = [
    # A necessary condition, told of those who do not fulfil it.
    (CARD, "电子凭证没激活，就不能用它报销。"),
    (BENEFIT, "在杭州，生育保险连续缴费没满半年，享受不了津贴。"),
    ("缴费费率由市财政部门拟定，报市人民政府批准后执行。", "未经市人民政府批准，缴费费率不能执行。"),
    # What is said of the rest denies nothing of what was named.
    ("护士、医生属于保障的职业。其他职业不在保障范围内。", "护士属于可以保障的职业。"),
    # A figure, a length and a bracket in other words.
    ("指直径小于2cm的良性肿瘤。", "良性肿瘤的直径不到20毫米。"),
    ("合同效力中止后两年内（含两年），您可以申请恢复效力。", "中止两年内可以申请恢复效力。"),
    ("70周岁以下的退休人员报70%。", "没到七十岁的退休人员报七成。"),
    ("须满足下列任意三个条件：（1）黄疸；（2）腹水；（3）脑病；（4）脾大。", "所列四个条件中满足任意三个就够。"),
    # A label's alternatives.
    (TABLE, "数额巨大的，罚款5000元。"),
    (TABLE, "数额特别巨大的，罚款9000元。"),
    # What is one thing, not a hedge, a permission or a denial.
    ("在APP或公众号里点开缴费记录。", "在公众号里点开缴费记录。"),
    ("申领补贴，应当提供职业资格证书或者等级证书。", "申领补贴，提供等级证书就可以。"),
    ("护理时必须的生活设施费用由基金支付。", "护理时少不了的生活设施费用由基金支付。"),
    # A bound with 不得 or 不会 before it, and an amount that is not reached told of what then does not begin.
    ("应当自收到材料之日起15个工作日内办完。", "收到材料起办理时间不得超过15个工作日。"),
    ("补贴的最高限额为3000元。", "补贴不会超过三千元。"),
    ("应当至少每年寄送一次账单。", "账单每年寄送不得少于一次。"),
    ("自付费用超过8000元后，补充保险开始报销。", "自付费用还没超过8000元的，补充保险不会开始报销。"),
    # Two denials are none.
    ("没有备案的，可以补办备案，再申请手工报销。", "没备案并不等于报不了，补办备案后可以申请手工报销。"),
    ("单位开通通道办理登记。", "单位开通通道，办理登记。"),
    ("中断缴费不必然影响待遇。", "中断缴费并不必然影响待遇。"),
    ("窗口和手机都可以办理登记。", "登记不是非到窗口不可，也可以用手机办理。"),
    # Other names for one body or place.
    ("无雇工的个体工商户可以参保。", "没有雇工的个体户可以参保。"),
    ("在境外就医的费用不纳入支付范围。", "在国外看病的费用不在支付范围内。"),
]

FALSE = [
    # By how much, and to what.
    ("备案后比例可能降低20%。", "备案后比例可能降至20%。"),
    ("备案后比例提高到80%。", "备案后比例提高80%。"),
    ("备案后比例提高到80%。", "备案后比例提高了80%。"),
    ("费率由8%下调为6%。", "费率下调6%。"),
    # What holds above an amount says nothing of what is below it.
    ("住院费用超过10000元的部分，由大病保险再报销60%。", "住院费用没超过10000元的部分，不能报销。"),
    ("住院费用2万元以上的，可以报销95%。", "住院费用不到2万元的，不可以报销。"),
    ("年满60周岁的参保人可以优先办理。", "不满60周岁的参保人不可以办理。"),
    ("起付标准以上的费用由统筹基金支付，不足1000元的按800元支付。", "不足1000元的，统筹基金不予支付。"),
    # A range that turns round, a condition on an amount that is turned beside another denial.
    ("一般在3至5个工作日内办完。", "一般在3至5个工作日后办完。"),
    ("70周岁以下的人员费用超过900元后报销六成。", "没到七十岁的人员费用不足900元后报销六成。"),
    # Consent that is no longer needed, an option that has become certain, another reader.
    ("保险期间届满，经我们同意并缴费，可以获得新合同。", "保险期间届满，缴费就可以获得新合同，用不着我们同意。"),
    ("合同不再满足规定时，本公司有权解除合同。", "合同不再满足规定时，本公司一定会解除合同。"),
    ("单位应当每年向职工公布缴费情况。", "单位应当每年向社会公众公布缴费情况。"),
    ("身份证或者社保卡用于验证身份。", "验证身份，身份证和社保卡得一起带上。"),
    # The condition waived, the evidence's exception dropped, a choice taken away, a rule widened.
    ("缴费费率由市财政部门拟定，报市人民政府批准后执行。", "未经市人民政府批准，缴费费率可以执行。"),
    ("酒制剂不在报销范围内；血液制品也不在范围内，但急救除外。", "血液制品在任何情形下都不在报销范围内。"),
    ("用户可以在APP、微信等多种渠道激活凭证。", "凭证只能在APP上激活。"),
    ("下载当地医保局的APP，或者关注医保局的公众号。", "下载医保局的APP和关注公众号两样都要做。"),
    ("定点零售药店参加集中采购的，给予奖励。", "不论是否定点，零售药店参加集中采购都给予奖励。"),
    ("鼓励定点零售药店参加集中采购。", "定点零售药店应当参加集中采购。"),
    (
        "医疗费用符合下列所有条件：（1）由医生开具；（2）治疗所需。",
        "医疗费用符合任何一项条件就可以：由医生开具或治疗所需。",
    ),
    # Steps, times and roles.
    ("审核通过后签订合同。", "先签订合同，然后再接受审核。"),
    ("连续缴费满6个月才可以享受住院报销。", "自缴费的次月起就可以享受住院报销。"),
    ("审核通过之后，转移接续在15个工作日内完成。", "自提交申请之日起15个工作日内完成转移接续。"),
    ("经办机构可以委托用人单位进行核实。", "用人单位可以委托经办机构进行核实。"),
    ("医疗保障行政部门主管经办工作。", "人力资源社会保障行政部门主管经办工作。"),
    # A bound beside a word that stands for another one.
    ("医疗费超过1300元后开始报销。", "医疗费未超过1300元后开始报销。"),
    ("动脉血氧分压<50mmHg。", "动脉血氧分压高于50mmHg。"),
    ("合同效力中止后两年内（含两年），您可以申请恢复效力。", "中止两年后可以申请恢复效力。"),
    (TABLE, "数额巨大的，罚款9000元。"),
]


@pytest.mark.parametrize(("evidence", "claim"), TRUE)
def test_what_follows_in_another_form_stands(evidence: str, claim: str) -> None:
    """Neither the turn of phrase nor the other form of the rule is a problem."""
    assert check(claim, [evidence]) == ()


@pytest.mark.parametrize(("evidence", "claim"), FALSE)
def test_what_only_looks_like_it_is_found(evidence: str, claim: str) -> None:
    """The claim uses the evidence's words, and does not follow."""
    assert check(claim, [evidence])
