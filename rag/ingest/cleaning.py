"""A page's text to the stretches that count: the main article and each teaser; navigation is dropped.

Knows how scraped pages are laid out. The structure inside an article is the job of `sectioning`.
"""

from __future__ import annotations

import datetime as dt
import re

from rag.domain import Span, Value
from rag.text import line_spans, strip_span

_RELATED = re.compile(
    r"(?:#{1,6}\s+)?【?(?:相关推荐|相关阅读|相关文章|推荐阅读|延伸阅读|大家都在[搜看]|热门推荐|猜你喜欢|更多相关.*)】?\s*[：:]?$"
)
_NAVIGATION = re.compile(r"(?:首页|顶部|返回顶部|上一篇.*|下一篇.*|投诉|分享|评论|登录|注册|[\s|>/·-])+$")
_BOILERPLATE = re.compile(
    r"(?:温馨)?提示[：:]本(?:内容不能代替面诊|数据仅供参考)|.{0,8}(?:网|站|平台|版权|免责|郑重|特别)声明[：:]|版权所有|责任编辑[：:]|(?:来源|转载自)[：:].{0,30}$"
)
_DATE = r"(?P<year>20\d{2})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
_TEASER_END = re.compile(rf"(?P<label>\S{{0,12}}?)\s*{_DATE}$")
_BYLINE = re.compile(
    rf"(?:发布时间[：:]\s*)?{_DATE}(?:\s*\d{{1,2}}:\d{{2}}(?::\d{{2}})?)?\s*(?:来源[：:]\s*)?(?P<publisher>(?!施行|公布|.*通过$|.*修[正订]$)[^\s\d，。,]{{0,20}})$"
)
_DATED_LINK = re.compile(r"20\d{2}-\d{2}-\d{2} \d{2}:\d{2}")
_LINKS_IN_A_LINE = 2
_LINK_LENGTH, _LINK_TAIL = 90, 24


class Extent(Value):
    """One article or teaser inside a canonical text: its lines that count, its own date and publisher."""

    span: Span
    skipped: tuple[Span, ...] = ()
    excerpt: bool = False
    published: dt.date | None = None
    publisher: str | None = None


def extents(text: str, start: int = 0) -> list[Extent]:
    """The main article first, then each teaser, in order; a text without page furniture is one extent.

    A teaser is what lies between two dated end lines below a 'related' mark, so neighbours never merge.
    """
    lines = [strip_span(text, s.start, s.end) for s in line_spans(text, start, len(text))]
    lines = [s for s in lines if len(s)]
    related = next((i for i, s in enumerate(lines) if _RELATED.match(text[s.start : s.end])), len(lines))
    main = _main(text, lines[:related])
    return ([main] if main else []) + _teasers(text, lines[related:])


def _main(text: str, lines: list[Span]) -> Extent | None:
    kept: list[Span] = []
    skipped: list[Span] = []
    published, publisher = None, None
    for i, line in enumerate(lines):
        words = text[line.start : line.end]
        if i <= 3 and published is None and (match := _BYLINE.match(words)):  # noqa: PLR2004 - bylines stand on top
            published, publisher = _date(match), match["publisher"] or None
            skipped.append(line)
        elif _is_furniture(words):
            skipped.append(line)
        else:
            kept.append(line)
    if not kept:
        return None
    span = Span(kept[0].start, kept[-1].end)
    inside = tuple(s for s in skipped if span.contains(s))
    return Extent(span=span, skipped=inside, published=published, publisher=publisher)


def _is_furniture(words: str) -> bool:
    if _RELATED.match(words) or _NAVIGATION.match(words) or _BOILERPLATE.match(words):
        return True
    dated = len(_DATED_LINK.findall(words))
    ends_dated = _DATED_LINK.search(words[-_LINK_TAIL:]) is not None and len(words) < _LINK_LENGTH
    return dated >= _LINKS_IN_A_LINE or ends_dated


def _teasers(text: str, lines: list[Span]) -> list[Extent]:
    found: list[Extent] = []
    pending: list[Span] = []
    for line in lines:
        words = text[line.start : line.end]
        if _RELATED.match(words) or _NAVIGATION.match(words):
            continue
        match = _TEASER_END.match(words)
        if match is None:
            pending.append(line)
            continue
        if len(pending) > 1:  # a title alone states nothing
            span = Span(pending[0].start, pending[-1].end)
            found.append(Extent(span=span, excerpt=True, published=_date(match), publisher=match["label"] or None))
        pending = []
    return found


def _date(match: re.Match[str]) -> dt.date | None:
    try:
        return dt.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
