"""The day for which a question asks the rules, where its words leave no doubt: 2015年的时候社会保险法怎么规定.

Knows how Chinese and English questions date what they ask for. Which texts held on a day is the job of `eligibility`.

A date alone does not do: 2025年的缴费基数 is a rate of that year, 我2015年参保 a day of a life. A date counts where a
marker stands by it; and where the marker speaks of the time and not of its rules, nothing may tell a story.

`cn2an` (widely used) reads Han numerals.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata

import cn2an

_HAN = "一二三四五六七八九十"
_HAN_DATE = re.compile(rf"[一二][〇零○{_HAN}]{{3}}年(?:[{_HAN}]{{1,2}}月(?:[{_HAN}]{{1,3}}[日号])?)?")
_YEARS_AGO = {"去年": 1, "前年": 2}
_MONTHS = "january february march april may june july august september october november december".split()
_ISO = re.compile(r"(?<![\d-])(?P<year>(?:19|20)\d\d)([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)(?!\d)")
_CHINESE = re.compile(
    r"(?:(?P<year>(?:19|20)\d\d)年|(?P<ago>去年|(?<!大)前年))"
    r"(?:(?P<month>\d\d?)月份?(?:(?P<day>\d\d?)[日号])?)?(?P<edge>年?[初底末])?"
)
_ENGLISH = re.compile(
    r"(?<=\b(?:of|at|in|on) )(?:the )?(?P<edge>(?:end|beginning) of )?"
    rf"(?:(?:(?P<day>\d\d?) )?(?P<name>{'|'.join(_MONTHS)}),? (?:(?P<day_after>\d\d?),? )?)?"
    r"(?P<year>(?:19|20)\d\d)(?!\d)",
    re.IGNORECASE,
)

# A date is written as «2015-12-31» before markers are looked for.
_DAY = r"«(\d{4}-\d\d-\d\d)»"
# 从2020年, 2020年以前, 2020年起 are no one day.
_ENDS = rf"{_DAY}(?!\s*(?:[到至]|[以之]?[前后]|以来|起))"
_ONE_DAY = rf"(?<![到至从自]){_ENDS}"
_LAW = r"(?:(?<![方看想做办算说无没合违司执立用疗手])法(?![院人定规官律])|法律(?!援助|顾问)|条例)"
_RULE = rf"(?:{_LAW}|规定|政策|规则)"
_THEN = r"(?:当时|那时候?|那会儿?)"
# What follows a law's year in its name and says which text it is, or begins another thought.
_NO_NAME = (
    "[我你您他她按依照有在是不没版新起]|根据|修[正订改]|通过|发布|公布|颁布|出台|施行|实施|生效|的时候|[以之][前后]"
)
# The rules of a day are named as such: whoever tells of himself, too, asks for them.
_RULES_OF_THE_DAY = (
    re.compile(rf"{_ONE_DAY}的?《?(?:(?!{_NO_NAME})[\u4e00-\u9fff]){{0,16}}?{_LAW}"),
    re.compile(rf"{_ONE_DAY}[^，。？！；]{{0,3}}?(?:有效|适用|生效)的[^，。？！；]{{0,16}}?{_RULE}"),
    re.compile(rf"\b(?:in (?:force|effect)|applicable|applied|valid) (?:on|in|at|as of|as at) {_DAY}", re.IGNORECASE),
    re.compile(rf"{_THEN}(?:有效|施行|实施|执行|适用|生效)?的?[^，。？！；\s]{{0,8}}?{_RULE}"),
)
# A time is named, and what follows may be a rule or a story.
_TIMES = (
    re.compile(rf"(?:^|[，。？！；,;?!\s]|请问|想问)截(?:至|止到?|止至){_ENDS}"),
    re.compile(rf"{_ONE_DAY}的?(?:时候|那时候?|那会儿?|那阵子?|[那这]一?[天年]|当[时天日]|时(?![间候长段效点刻]))"),
    re.compile(rf"\bas (?:of|at) {_DAY}", re.IGNORECASE),
)
_PREFACE = re.compile(
    r"我(?:就?是?)(?:想|要)(?:知道|问|了解|查|确认|请教)(?:一?下)?|我问的是|(?:帮我|给我|告诉我)(?:查|看|说)?(?:一?下)?"
    r"|\bI(?:'d like| would like| want| need) to know\b"
)
# Somebody, or what somebody did or failed to do: 住院没报销, 断缴了, 能补吗.
_STORY = re.compile(
    r"[我俺咱你您她]|(?<!其)他(?!人)|[爸妈爹娘爷奶姥哥姐弟妹]|父亲|母亲|老公|老婆|丈夫|妻子|爱人|儿子|女儿|孩子|宝宝|同事|朋友"
    r"|[了过](?![吗没么解程期渡敏])|没有?[交缴参办报备住买带赶]|(?:能|可以|怎么)补"
    r"|\b(?:I|my|we|our|he|his|she|her)\b"
)
_NOW = re.compile(
    r"现在|如今|目前|眼下|今[年天]|明年|以后|将来|还[能可要用]|\b(?:now|today|currently|still)\b", re.IGNORECASE
)


def as_of_in(question: str, today: dt.date) -> dt.date | None:
    """The one day for which the question clearly asks the rules, else None; simplified Chinese or English.

    Of a year or a month the last day counts, of 年初 and 月初 the first. `today` says which year 去年 is.
    """
    text = _PREFACE.sub("", _with_days(question, today))
    days = set(re.findall(_DAY, text))
    if len(days) != 1 or _NOW.search(text):
        return None
    markers = _RULES_OF_THE_DAY if _STORY.search(text) else (*_RULES_OF_THE_DAY, *_TIMES)
    return dt.date.fromisoformat(days.pop()) if any(marker.search(text) for marker in markers) else None


def _with_days(question: str, today: dt.date) -> str:
    """The question in half width, every date in it written as its day."""
    text = unicodedata.normalize("NFKC", question)
    text = _HAN_DATE.sub(lambda m: cn2an.transform(m[0].replace("○", "零"), "cn2an"), text)
    for form in (_ISO, _CHINESE, _ENGLISH):
        text = form.sub(lambda m: _written(m, today), text)
    return text


def _written(match: re.Match[str], today: dt.date) -> str:
    """The day of a date, marked; a date that no calendar has stays as it is."""
    said = match.groupdict()
    year = int(said["year"]) if said["year"] else today.year - _YEARS_AGO[said["ago"]]
    month = _MONTHS.index(said["name"].lower()) + 1 if said.get("name") else int(said.get("month") or 0)
    day = int(said["day"] or said.get("day_after") or 0)
    begins = (said.get("edge") or "").endswith("初") or (said.get("edge") or "").lower().startswith("beginning")
    try:
        month = month or (1 if begins else 12)
        day = day or (1 if begins else calendar.monthrange(year, month)[1])
        return f"«{dt.date(year, month, day)}»"
    except ValueError:
        return match[0]
