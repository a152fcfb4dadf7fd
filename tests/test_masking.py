"""Personal numbers never leave; figures that answers are made of always do."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric

from rag.masking import MaskingFilter, mask

ROOT = Path(__file__).parents[1]

# Words around a number that do not say what it is, and do not touch it with a digit or a letter.
AROUND = st.sampled_from(
    [
        "",
        "我",
        "我叫张三，",
        "看病花了3000元，",
        "（",
        "）",
        "，怎么报销？",
        "。2024年",
        "\n",
        " 12393 ",
        "、",
        "：",
        "【5%】",
    ]
)


@st.composite
def identities(draw: st.DrawFn) -> str:
    """Numbers of 18 with the right check digit."""
    province = draw(st.sampled_from(["110105", "330206", "440305", "542127", "650102", "810000", "830000"]))
    born = draw(st.dates(dt.date(1900, 1, 1), dt.date(2026, 12, 31))).strftime("%Y%m%d")
    body = f"{province}{born}{draw(st.integers(0, 999)):03}"
    return body + ric.calc_check_digit(body + "0")


@st.composite
def mobiles(draw: st.DrawFn) -> str:
    """Eleven digits, in one of the usual writings."""
    digits = f"1{draw(st.integers(3, 9))}{draw(st.integers(0, 10**9 - 1)):09}"
    first, second, third = digits[:3], digits[3:7], digits[7:]
    return draw(st.sampled_from(["", "+86", "+86 ", "86-", "0086"])) + draw(st.sampled_from(["", " ", "-", "  "])).join(
        (first, second, third)
    )


@st.composite
def cards(draw: st.DrawFn) -> str:
    """Bank cards with the right check digit, whole or in groups of four."""
    body = draw(st.sampled_from(["622202", "621700", "955880", "436742", "356868"])) + "".join(
        draw(st.lists(st.sampled_from("0123456789"), min_size=9, max_size=12))
    )
    number = body + luhn.calc_check_digit(body)
    return draw(st.sampled_from([number, " ".join(re.findall(".{1,4}", number))]))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@given(before=AROUND, number=identities(), gap=st.sampled_from(["", " ", "-"]), after=AROUND)
def test_an_identity_number_never_survives(before: str, number: str, gap: str, after: str) -> None:
    """Whole or in groups, wherever it stands, nothing of it is left and nothing else is lost."""
    written = gap.join((number[:6], number[6:14], number[14:]))
    assert mask(f"{before}{written}{after}") == f"{before}〔身份证号〕{after}"


@given(before=AROUND, number=mobiles(), after=AROUND)
def test_a_mobile_number_never_survives(before: str, number: str, after: str) -> None:
    """With or without the country's code, spaces and dashes."""
    assert _digits(mask(f"{before}{number}{after}")) == _digits(before + after)


@given(before=AROUND, number=cards(), after=AROUND)
def test_a_bank_card_never_survives(before: str, number: str, after: str) -> None:
    """Its check digit tells it from other long numbers, though not always from an identity number with a slip."""
    labels = {f"{before}〔{label}〕{after}" for label in ("银行卡号", "身份证号")}
    assert mask(f"{before}{number}{after}") in labels


@given(
    number=st.one_of(identities(), mobiles(), cards()), spaces=st.sampled_from(["", " ", "，"]), times=st.integers(2, 4)
)
def test_numbers_side_by_side_are_all_masked(number: str, spaces: str, times: int) -> None:
    """One number does not hide the next."""
    masked = mask((spaces or "、").join([number] * times))
    assert masked.count("〔") == times
    assert _digits(masked) == ""


@given(st.text(alphabet="0123456789０１一三八零 -.X+元年号卡医保身份证手机银行〔〕：，A/", max_size=60))  # noqa: RUF001
def test_masking_twice_is_masking_once(text: str) -> None:
    """A masked text has nothing left to mask."""
    assert mask(mask(text)) == mask(text)


def test_what_one_number_hid_is_masked_too() -> None:
    """Digits that ran into a mobile number are known for a card once that is gone."""
    masked = mask("卡号19491231一三八零零13812345678")
    assert masked == mask(masked) == "卡号〔银行卡号〕〔手机号〕"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("身份证11010519491231002X", "身份证〔身份证号〕"),
        ("身份证 11010519491231002x 号", "身份证 〔身份证号〕 号"),
        ("１１０１０５１９４９１２３１００２Ｘ", "〔身份证号〕"),  # noqa: RUF001
        ("1101 0519 4912 3100 2X", "〔身份证号〕"),
        ("88 1101 0519 4912 3100 2X", "88 〔身份证号〕"),  # 88 11 … 31 00 is one too, but for its birthday
        ("110105194912310021", "〔身份证号〕"),  # a slip in the last digit
        ("身份证号：11010519491331002", "身份证号：〔身份证号〕"),  # one digit short, no such month
        ("老证130503670401001", "老证〔身份证号〕"),
        ("手机138-1234-5678", "手机〔手机号〕"),
        ("手机1 3 8 1 2 3 4 5 6 7 8", "手机〔手机号〕"),
        ("打13812345678元旦也在", "打〔手机号〕元旦也在"),
        ("一三八零零一三八零零零", "〔手机号〕"),
        ("幺三八 〇〇幺三 八〇〇〇", "〔手机号〕"),
        ("卡号6222021234567891", "卡号〔银行卡号〕"),  # wrong check digit, told by the word
        ("银行卡（工行）：6222 0212 3456 7891", "银行卡（工行）：〔银行卡号〕"),
        ("医保卡号是A12345678", "医保卡号是〔医保卡号〕"),
        ("我的社保卡12345678能用吗", "我的社保卡〔医保卡号〕能用吗"),
        ("电脑号:601234567", "电脑号:〔医保卡号〕"),
        ("醫保卡號：3301-2345-6789", "醫保卡號：〔医保卡号〕"),
        ("护照号码E12345678，通行证H1234567890", "护照号码〔护照号〕，通行证〔通行证号〕"),
        (
            "my passport is E12345678, insurance card no. 987654321",
            "my passport is 〔护照号〕, insurance card no. 〔医保卡号〕",
        ),
        ("https://a.cn/q?tel=13812345678", "https://a.cn/q?tel=〔手机号〕"),
    ],
)
def test_however_a_number_is_written_it_is_known(text: str, masked: str) -> None:
    """Width, groups, slips, Chinese digits, and the word before it."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "拨打12393、12345、120、110或95588",
        "400-810-5119，800 820 8820，0574-87654321，(0571)85123456，010-12345678",
        "12345 120 400-123-4567 12393",
        "医保发〔2022〕22号，国办发〔2021〕14号，第735号令",
        "2024年1月1日至2025-12-31，20240722，2024 2025 2026 2027",
        "起付线1,200元，封顶线50万元，合计13800138000元，120000000.50元，85%，1.5‰",
        "二〇二四年一月一日，百分之六十五，一二三四五六七八九",
        "https://www.nhsa.gov.cn/art/2022/7/26/art_104_8629.html 和 www.nhsa.gov.cn/13812345678",
        "1732320000000",  # a time stamp
        "6222021234567890120",  # long as a card, with another check digit
        "991234199001011234",  # long as an identity number, of no province
        "社保卡在2024年补办，医保卡余额100000元，医保卡里有20240101以来的钱，医保卡：400-810-5119",
        "身份证、社保卡、银行卡各一张，电话12393",
        "",
    ],
)
def test_what_answers_are_made_of_stays(text: str) -> None:
    """Hot lines, landlines, document numbers, dates, amounts, addresses."""
    assert mask(text) == text


@given(
    amount=st.decimals(0, 10**8, places=2),
    day=st.dates(dt.date(1949, 10, 1), dt.date(2050, 1, 1)),
    ratio=st.integers(0, 100),
    line=st.sampled_from(["12393", "12345", "12333", "120", "95519", "400-810-5119", "0574-87654321"]),
)
def test_ordinary_figures_always_survive(amount: object, day: dt.date, ratio: int, line: str) -> None:
    """No amount, date, ratio or hot line is taken for a personal number."""
    dates = f"{day:%Y-%m-%d}起，{day:%Y年%m月%d日}，{day:%Y%m%d}"
    text = f"{dates}，起付线{amount}元，报销{ratio}%，{amount:,}元，电话{line}。"
    assert mask(text) == text


def test_no_document_of_the_corpus_is_touched() -> None:
    """Public rules hold no personal numbers."""
    documents = sorted((ROOT / "corpus" / "documents").glob("*.md"))
    assert documents
    assert [path.name for path in documents if mask(path.read_text("utf-8")) != path.read_text("utf-8")] == []


def _logged(message: str, *arguments: object, error: Exception | None = None) -> str:
    """What a handler with the filter writes for one record."""
    raised = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("rag", logging.INFO, __file__, 1, message, arguments, raised)
    assert MaskingFilter().filter(record)
    return logging.Formatter().format(record)


def test_a_log_record_is_masked_in_message_and_arguments() -> None:
    """Whatever part of the record brings the number."""
    assert _logged("手机13812345678") == "手机〔手机号〕"
    assert _logged("asked %s, %s", "我的手机13812345678", 3) == "asked 我的手机〔手机号〕, 3"
    assert _logged("%(q)s", {"q": "13812345678"}) == "〔手机号〕"
    assert "13812345678" not in _logged("%d of %s", 13812345678, "x")


def test_message_and_argument_together_tell_what_a_number_is() -> None:
    """The word stands in the message, the number is an argument."""
    assert _logged("医保卡号%s不存在", "A12345678") == "医保卡号〔医保卡号〕不存在"


def test_a_record_without_personal_numbers_is_left_as_it_is() -> None:
    """Formatters that read the arguments, as an access log's does, still find them."""
    record = logging.makeLogRecord({"msg": '%s "%s" %d', "args": ("127.0.0.1:5", "GET /", 200)})
    MaskingFilter().filter(record)
    assert record.args == ("127.0.0.1:5", "GET /", 200)
    assert record.getMessage() == '127.0.0.1:5 "GET /" 200'


def test_arguments_are_masked_one_by_one() -> None:
    """A formatter that reads the arguments finds as many as before, without the number."""
    record = logging.LogRecord("rag", logging.INFO, __file__, 1, "%s %d", ("GET /?tel=13812345678", 200), None)
    MaskingFilter().filter(record)
    assert record.args == ("GET /?tel=〔手机号〕", 200)


def test_a_traceback_is_masked() -> None:
    """An error's message may quote the question."""
    try:
        raise ValueError("13812345678")  # noqa: TRY301
    except ValueError as error:
        written = _logged("failed", error=error)
    assert "ValueError: 〔手机号〕" in written
    assert "13812345678" not in written
