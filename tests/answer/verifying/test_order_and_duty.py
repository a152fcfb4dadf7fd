"""Duties, the order of steps, starts of terms, absolutes, exceptions: what a claim may not turn, and may reword."""

from __future__ import annotations

import pytest

from rag.answer.verifying.checking import check

FALSE = [
    # waived
    ("学徒无需参加技能考核。", "学徒应当参加技能考核。不参加技能考核的学徒，不得转正。"),
    ("原来的图书证没注销也没关系，换馆不用先注销。", "原来的图书证尚未注销的，需要先办理注销手续，可在网上办理。"),
    ("补充合同可签可不签。", "延长租期的，应当与房东签订补充合同。未签订的，原合同到期终止。"),
    ("体检报告愿意交就交。", "报名的学员应当提交体检报告。没有报名的学员不参加抽签。"),
    ("原因可以不写。", "退回稿件的，应当在三日内发出通知，并写明原因。逾期未发出的，视为采用。"),
    # imposed
    ("志愿者都必须参加夜间值班。", "志愿者可在白天值班，夜间由志愿者自愿参加。"),
    ("借书也得先交押金。", "少年儿童借书没有押金。"),
    # reversed
    ("先付清尾款，付完再验收。", "货物由买方验收后付清尾款。"),
    ("可以先关闭账户，拖欠的水费之后再结清。", "关闭账户的，应当先结清拖欠的水费。"),
    ("方案先实施，事后再报董事会批准。", "方案由经理拟定，报董事会批准后实施。"),
    # begun elsewhere
    ("违约金从催告期届满那天起按日计算。", "从拖欠之日起，按日计算违约金。"),
    ("职工应当在搬家前10日告诉学校。", "职工应当自搬家之日起10日内告诉学校。"),
    ("冷静期还没过就可以预约课程。", "您可以在冷静期后预约课程。"),
    # absolute
    ("不管在哪个车站，都可以办理改签。", "部分车站可以办理改签。"),
    ("水电费和物业费有一项结清就能过户。", "水电费和物业费均已结清的，可以过户。"),
    ("身高、视力和体重三项缺一项都不行。", "身高、视力和体重三项中任意两项合格即可。"),
    # excepted
    ("食品费用由主办方承担，酒水费也由主办方承担。", "食品费用由主办方承担（酒水费除外）。"),
    # what holds above a line says nothing of what is below it
    ("没满70周岁的不能打折。", "会员满70周岁后，折扣为八折。"),
    ("消费没超过1万元的不予返现。", "消费超过1万元后，按9%返现。"),
    ("没达到1300元的，不予返现。", "消费达到1300元后，返现比例提高到7%。"),
    ("消费没超过400元的，不返现。", "起付标准是400元，返现比例5%。"),
    # what is said of one kind of body, beside a word for all of them
    ("药店收取住院押金。", "医药机构核验凭证，医院收取住院押金。"),
    # 只 that shuts others out, before a figure, too
    ("这笔钱只在三级医院报80%。", "这笔钱在三级医院报80%，在二级医院报85%。"),
    # two denials are none
    ("会员期满的，不享受不了折扣。", "会员期满的，不能享受折扣。"),
]
TRUE = [
    ("职工应当参加技能考核，学徒无需参加。", "职工应当参加技能考核，学徒无需参加技能考核。"),
    ("志愿者夜间值班看自愿。", "志愿者可在白天值班，夜间由志愿者自愿参加。"),
    ("货物先验收，验收完再付尾款。", "货物由买方验收后付清尾款。"),
    ("可以自己修理以后补交单据，再申请退款。", "急用的，可以自己修理，然后补交单据，再申请退款。"),
    ("违约金从拖欠那天起按日计算。", "从拖欠之日起，按日计算违约金。"),
    ("从下个月起按新的价格收费。", "新的价格自通知的次月起收费。"),
    ("有的车站可以办理改签。", "部分车站可以办理改签。"),
    ("有一项不合格就不录取。", "下列各项有一项不合格的，均不录取。"),
    # in other words
    ("老会员打八折，新会员只付九成。", "老会员付80%，新会员付90%。"),
    ("退货不必非去柜台，网上也可以办。", "退货可在柜台办，也可以在网上办。"),
]


@pytest.mark.parametrize(("claim", "evidence"), FALSE)
def test_what_turns_its_evidence_is_found(claim: str, evidence: str) -> None:
    """A duty waived or imposed, steps reversed, a term begun elsewhere, a rule without its limits or exceptions."""
    assert check(claim, [evidence])


@pytest.mark.parametrize(("claim", "evidence"), TRUE)
def test_what_its_evidence_carries_stands(claim: str, evidence: str) -> None:
    """The same matters, told as the evidence has them or in other words."""
    assert check(claim, [evidence]) == ()
