"""The day for which a question asks the rules: read where it is clear, left open where it is not."""

from __future__ import annotations

import datetime as dt

import pytest

from rag.retrieve.dates import as_of_in

TODAY = dt.date(2026, 11, 23)

CLEAR = (
    ("2015年的时候社会保险法怎么规定生育保险", "2015-12-31"),
    ("2015年当时的社会保险法对工伤怎么规定", "2015-12-31"),
    ("截至2019年底，外国人在中国就业要参加社会保险吗", "2019-12-31"),
    ("2020年3月1日那天适用的社会保险费征缴条例，缴费单位要几天内登记？", "2020-03-01"),
    ("as of 2018, who pays for maternity insurance?", "2018-12-31"),
    ("2021年那会儿，浙江的参保职工退休要缴满多少年", "2021-12-31"),
    ("2017年6月的时候，灵活就业人员能不能参加职工医保", "2017-06-30"),
    ("按2016年当时的规定，生育津贴按什么计发", "2016-12-31"),
    ("我父亲2014年住院，按当时的法律第三人不支付医疗费谁先付", "2014-12-31"),
    ("请问2013年5月20日当天有效的社会保险法第三十条是怎么写的", "2013-05-20"),
    ("我想知道2012年那时候社保登记要在多少天之内办", "2012-12-31"),
    ("2015年的社会保险法怎么规定生育保险费由谁缴纳", "2015-12-31"),
    ("截止到2020年2月，医疗保障基金使用有没有专门的条例", "2020-02-29"),
    ("截至2018年12月28日，生育保险基金是单独建账吗", "2018-12-28"),
    ("去年的时候上海的医保条例是怎么规定个人账户的", "2025-12-31"),
    ("2019年12月那阵子，社会保险费由谁征收", "2019-12-31"),
    ("二〇一五年那会儿社会保险法规定基本养老金多久调一次", "2015-12-31"),
    ("What did the Social Insurance Law say about maternity as of 28 December 2018?", "2018-12-28"),
    ("Which rules were in force on 2016-05-04 for employer registration?", "2016-05-04"),
    ("2016/5/4那天，用人单位逾期不缴社保费按什么法律加收滞纳金", "2016-05-04"),
    ("前年底有效的医保基金监管条例怎么规定骗保罚款", "2024-12-31"),
    ("在2011年6月的时候，社会保险法已经开始适用了吗", "2011-06-30"),
    ("2018年底那时的《社会保险法》规定医保基金先行支付后可以追偿吗", "2018-12-31"),
    ("As of the end of March 2020, was there a special regulation on fund supervision?", "2020-03-31"),
    ("2031年初那时候，延迟退休的年龄规定是多少", "2031-01-01"),
)

OPEN = (
    "2025年缴费基数是多少",
    "2024年居民医保缴费标准",
    "2024年居民医保集中缴费那阵子我错过了，补充缴费期是几号到几号",
    "我2015年的时候在厦门交过两年医保，现在转到福州年限怎么算",
    "异地就医备案怎么办",
    "我1975年3月生的，什么时候能退休",
    "医保交了19年，还要交几年",
    "2021年5月1日起施行的条例对骗保怎么罚",
    "国医保发〔2022〕22号说的备案是什么",
    "居民医保缴费截止到2024年2月29日，过了还能补吗",
    "明年居民医保涨到多少",
    "去年断缴了三个月，今年能补吗",
    "2019年到2021年的医保能补缴吗",
    "2018年修正的社会保险法改了哪些条",
    "当时办备案的时候没选医院，现在还能改吗",
    "2025年福州职工医保单位和个人各交百分之几？",
    "从2023年开始门诊共济怎么报",
    "2018年12月29日前适用的社会保险法怎么规定",
    "我妈2020年的时候做过手术，异地复查要重新备案吗",
    "2026年1月的住院费什么时候能报下来",
    "What is the 2025 contribution base in Chengdu?",
    "I missed the main enrolment window for 2024 resident medical insurance",
    "2015年和2020年的社会保险法有什么不同",
    "2020年以前参保的人退休要交满多少年",
    "截至目前宁波医保能在哪些省直接结算",
    "2022年3月1日住院，2022年3月8日出院，按哪天备案算",
    "as of now, can I claim abroad?",
    "2024年医保新规有哪些",
    "截至2019年底和截至2020年底，缴费年限的规定一样吗",
    "2023年那会儿我没交医保，能补吗",
    "2015年的时候和2020年的时候规定一样吗",
    "截至2019年底规定过的比例，2025年的时候变成多少",
    "按2015年当时的政策交满15年就行，现在要多少年",
    "2023年那会儿按一档缴费，今年按几档",
    "2020年的时候住院没报销，能补报吗",
    "2021年那会儿断缴过半年，要不要等待期",
    "2020年2月30日那天适用什么规定",
)


@pytest.mark.parametrize(("question", "day"), CLEAR)
def test_a_day_that_is_clearly_meant_is_read(question: str, day: str) -> None:
    """Of a year or a month the last day counts, of 年初 the first."""
    assert as_of_in(question, TODAY) == dt.date.fromisoformat(day)


@pytest.mark.parametrize("question", OPEN)
def test_a_year_that_is_part_of_what_is_asked_is_no_such_day(question: str) -> None:
    """Rates of a year, days of a life, dates of documents, spans, two days, no day: today's rules are asked for."""
    assert as_of_in(question, TODAY) is None
