"""Takes personal numbers out of a text before it leaves the process: in a model call, a log, a trace.

Knows what such numbers look like: by their own shape and check digit, or by the word before them (医保卡号). Names and
addresses of people are not its business. Where texts leave, and so are masked, is the job of the callers.

Hot lines, landlines, amounts, dates, document numbers and web addresses (up to their query) stay as they are.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping

from stdnum import luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from rag.domain import Value

# Full-width digits and digits written in Chinese; each stands for one character, so that places in the text are kept.
_WIDE = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")  # noqa: RUF001
_SPOKEN = _WIDE | str.maketrans("〇○零一二三四五六七八九幺两兩壹贰叁肆伍陆柒捌玖貳參陸", "000123456789122123456789236")

_SPACE = r"[ \t\u3000.．·_\-\u2010-\u2015－]"
_GAP = rf"{_SPACE}{{0,3}}"
_SPLIT = rf"{_SPACE}{{1,3}}"
# Between a word and its number: a few characters of the same clause.
_NEAR = r"[^\d，。；！？,;!?\n〔〕]{0,12}"
_TIE = r"(?:[ \t\u3000:：=#(（\"“「是为為]|号码|號碼|编号|編號|号|號|number|no\.|is){0,6}"
_NOT_AN_AMOUNT = rf"(?!{_GAP}(?:元(?!旦)|[万萬](?!一)|[亿億%％]))"
_OFFICE = r"(?![48]00[ \-]?\d{3}|0\d{2,3}[ \-]\d)"
_DATE = r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d))"

# GB/T 2260: the first two digits of a division's code; 81 to 83 are on residence permits.
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
_BORN = range(1850, 2100)
_OLD_LENGTH = 15
_ADDRESS = re.compile(r"((?:https?://|www\.)[\w./~%:@&+-]+)", re.ASCII | re.IGNORECASE)


_Arguments = tuple[object, ...] | Mapping[str, object] | None


class _Kind(Value):
    """A kind of number: its label, how it is written (group `number`), and what proves it."""

    label: str
    shape: re.Pattern[str]
    proven: Callable[[str], bool]


def mask(text: str) -> str:
    """`text` with each personal number replaced by its kind, as in 〔手机号〕; a masked text stays as it is."""
    while (masked := _outside_addresses(text)) != text:  # without one number, another may stand free
        text = masked
    return text


class MaskingFilter(logging.Filter):
    """Masks what a log record says: message, arguments, traceback. Put on handlers, it sees the records of all loggers.

    Attributes that callers add with `extra` are not looked at.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record; it is never dropped."""
        said = _said(record)
        masked = mask(said)
        if masked != said:
            record.args = _arguments(record.args)
        if masked != _said(record):  # message and argument tell only together what a number is, or %d met a label
            record.msg, record.args = masked, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = record.exc_text and mask(record.exc_text)
        return True


def _arguments(arguments: _Arguments) -> _Arguments:
    """Those with something to mask as masked text, the others as they are, for formatters that read arguments."""
    if isinstance(arguments, Mapping):
        return {key: _argument(value) for key, value in arguments.items()}
    return tuple(map(_argument, arguments or ()))


def _argument(value: object) -> object:
    said = str(value)
    return value if mask(said) == said else mask(said)


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit: the caller's slip, or a number that is text now
        return f"{record.msg} {record.args}"


def _outside_addresses(text: str) -> str:
    return "".join(part if i % 2 else _masked(part) for i, part in enumerate(_ADDRESS.split(text)))


def _masked(text: str) -> str:
    for kind in _KINDS:
        for digits in (_WIDE, _SPOKEN):
            for start, end in reversed(list(_places(text.translate(digits), kind))):
                text = text[:start] + kind.label + text[end:]
    return text


def _places(digits: str, kind: _Kind) -> Iterator[tuple[int, int]]:
    """Where numbers of the kind stand; none overlaps another."""
    free = 0
    for found in kind.shape.finditer(digits):
        start, end = found.span("number")
        if start >= free and kind.proven(re.sub(r"[^0-9A-Za-z]", "", found["number"]).upper()):
            yield start, end
            free = end


def _is_identity(number: str) -> bool:
    """Whether it names a province and a birthday. A wrong check digit is a slip, and the number still personal."""
    full = _full(number)
    try:
        return full[:2] in _PROVINCES and ric.get_birth_date(full).year in _BORN
    except ValidationError:
        return False


def _is_checked_identity(number: str) -> bool:
    """Whether its check digit (GB 11643) is right too."""
    return _is_identity(number) and _full(number)[-1] == ric.calc_check_digit(_full(number))


def _full(number: str) -> str:
    """With the century, and a stand-in for the check digit, if it is of the old kind with 15 digits."""
    return number if len(number) > _OLD_LENGTH else f"{number[:6]}19{number[6:]}0"


def _is_told(_number: str) -> bool:
    """The word before it says what it is."""
    return True


def _free(number: str) -> re.Pattern[str]:
    """A number that stands by itself. Found by looking ahead, so that one candidate does not hide the next."""
    return re.compile(rf"(?<!\d)(?=(?P<number>{number})(?!\d))")


def _told(words: str, between: str, number: str) -> re.Pattern[str]:
    """A number after a word for it."""
    return re.compile(rf"(?:{words}){between}(?P<number>{number})(?![0-9A-Za-z])", re.IGNORECASE)


_DIVISION = rf"[1-9]\d{{5}}{_GAP}"
_DAY = rf"{_GAP}\d{{2}}{_GAP}\d{{2}}{_GAP}"
# From the surest to the least sure.
_KINDS = (
    _Kind("〔身份证号〕", _free(rf"{_DIVISION}\d{{4}}{_DAY}\d{{3}}{_GAP}[\dXx](?![A-Za-z])"), _is_identity),
    _Kind("〔身份证号〕", _free(rf"[1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx](?![A-Za-z])"), _is_checked_identity),
    _Kind("〔身份证号〕", _free(rf"{_DIVISION}\d{{2}}{_DAY}\d{{3}}"), _is_identity),
    _Kind(
        "〔身份证号〕",
        _told(r"身份[证證]|公民身份|居住[证證]|\bID\b|identity card", _NEAR, rf"\d(?:{_GAP}\d){{13,18}}{_GAP}[Xx]?"),
        _is_told,
    ),
    _Kind(
        "〔医保卡号〕",
        _told(
            r"(?:社保|医保|醫保|参保|參保|社会保[障险]|社會保[障險]|医疗保险|醫療保險|电脑|電腦)(?:卡|人|账户|帳戶)?"
            r"(?:号码|號碼|编号|編號|号|號|账号|帳號)|个人编号|個人編號"
            r"|(?:social security|insurance)(?: card)? (?:number|no\.|id)",
            _TIE,
            rf"{_OFFICE}[A-Z]{{0,4}}\d(?:[ \-]?[A-Z0-9]){{5,19}}{_NOT_AN_AMOUNT}",
        ),
        _is_told,
    ),
    _Kind(
        "〔医保卡号〕",
        _told(
            r"(?:社保|医保|醫保|社会保障|社會保障|医疗保险|醫療保險)卡|insurance card",
            _TIE,
            rf"{_OFFICE}{_DATE}[A-Z]{{0,4}}\d[A-Z0-9]{{5,19}}{_NOT_AN_AMOUNT}",
        ),
        _is_told,
    ),
    _Kind("〔护照号〕", _told("护照|護照|passport", _TIE, r"[A-Z]{0,3}\d{6,9}"), _is_told),
    _Kind("〔通行证号〕", _told("通行[证證]|回[乡鄉][证證]|台胞[证證]", _TIE, r"[A-Z]{0,2}\d{6,12}"), _is_told),
    _Kind(
        "〔银行卡号〕",
        _told(
            r"卡号|卡號|银行卡|銀行卡|信用卡|储蓄卡|儲蓄卡|账号|帳號|银行账户|銀行帳戶"
            r"|bank card|card number|bank account",
            _NEAR,
            rf"\d(?:{_GAP}\d){{11,20}}",
        ),
        _is_told,
    ),
    # ISO/IEC 7812: issuers of payment cards begin with these; a date or a time stamp does not.
    _Kind(
        "〔银行卡号〕",
        _free(
            rf"(?:2[2-7]|[3-69]\d)\d{{11,17}}|[3-69]\d{{3}}(?:{_SPLIT}\d{{4}}){{3}}(?:{_SPLIT}\d{{1,3}})?"
            rf"|[3-69]\d{{5}}{_SPLIT}\d{{7,13}}"
        ),
        luhn.is_valid,
    ),
    _Kind(
        "〔手机号〕",
        _free(
            rf"(?:(?:00)?86{_GAP}|0)?1[3-9](?:\d{{9}}|\d{_GAP}\d{{4}}{_GAP}\d{{4}}|\d{{2}}{_SPLIT}\d{{3}}{_SPLIT}\d{{4}}"
            rf"|\d{_SPLIT}\d{{3}}{_SPLIT}\d{{5}}|\d(?:{_SPLIT}\d{{2}}){{4}}){_NOT_AN_AMOUNT}"
        ),
        _is_told,
    ),
    _Kind(
        "〔手机号〕",
        _told("手机|手機|电话|電話|联系|聯系|聯繫|微信|phone|mobile", _NEAR, rf"1{_GAP}[3-9](?:{_GAP}\d){{9}}"),
        _is_told,
    ),
)
