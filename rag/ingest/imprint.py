"""What a page says of itself: who issued it, when, under which number, and whether it still holds.

Knows the labels that Chinese pages and official documents put beside these (发布日期：, 发文机关：, 有效性：) and the
names of public bodies. Where the lines come from is the job of `webpage` and `pdf`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag import places
from rag.domain import Value
from rag.text import fold

_OTHER = (
    "发文字号 公文文号 文件编号 文号 索引号 信息索引号 主题分类 组配分类 公开方式 公开范围 公开时限 体裁分类 主题词 "
    "浏览次数 浏览量 浏览 阅读次数 阅读量 点击数 点击量 访问量 字体 字号 作者 责任编辑 更新时间 信息名称"
)
# Label -> the field of the imprint that its value fills. Longer labels of one beginning come first.
_FIELDS: Mapping[str, str] = {
    label: field
    for field, labels in (
        ("issuer", "发文机关 发文单位 发布机构 发布单位 制发机关 制定机关 公开主体"),
        ("source", "信息来源 文章来源 来源 发布者"),
        ("published", "发布时间 发布日期 公开日期 公布日期 发文日期 印发日期 发稿时间"),
        ("written", "成文日期 生成日期 制发日期"),
        ("validity", "有效性 时效性 效力状态 是否有效"),
        ("from_day", "施行日期 实施日期 生效日期"),
        ("to_day", "废止日期 失效日期 失效时间 有效期至"),
        ("other", _OTHER),
    )
    for label in labels.split()
}
_LABEL = re.compile("|".join(sorted((r"[\s　]*".join(label) for label in _FIELDS), key=len, reverse=True)))
_PAIR = re.compile(rf"(?:^|[\s　|\[（(【])(?P<label>{_LABEL.pattern})[\s　]*[：:]")
_ONLY_LABEL = re.compile(rf"[\s　]*(?P<label>{_LABEL.pattern})[\s　]*[：:]?[\s　]*$")
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_SIGNED_DAY = re.compile(r"\s*(?:19|20)\d{2}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日\s*$")
_ENDED = re.compile(r"失效|废止|无效|已修改")
_STILL = re.compile(r"未失效|未废止|继续有效")
_PUBLIC_BODY = re.compile(
    r"(?:人民政府|国务院|人民代表大会|医疗保障局|医保局|医疗保险局|社会保障局|人社局|卫生健康委|卫健委|财政局|税务局"
    r"|民政局|委员会|办公厅|办公室|社保中心|医保中心|(?:医疗保[障险]|社会保险|医保|社保)[\w（）()]{0,8}中心)"
)
_EDITION_AFTER = re.compile(r"(?:分?站|频道|版)[）)]?$")
_OFFICIAL_HOST = re.compile(r"^(?:https?:)?//[\w.-]*\bgov\.cn(?:[:/]|$)")
# A place governs when it is said of the insured or the insurance; 新华社北京6月3日电 says where a report was filed.
_GOVERNED = re.compile(
    r"(?:全?[省市区县州盟])?(?:基本|城镇|城乡|职工|居民|医疗|医保|参保|社保|社会保[险障]|户籍|生育|长期护理)"
)
_SENTENCE = re.compile(r"[。；！？]")
_MARKS = re.compile(r"^[\s#>-]+")
# What stands in a byline besides the name: days, times and labels.
_NOT_A_NAME = re.compile(rf"{_DAY.pattern}|\d{{1,2}}:\d{{2}}(?::\d{{2}})?|日|{_PAIR.pattern}")
_BYLINE_LINES = 3
_LONGEST_BYLINE = 60
_AROUND = " 　|[]【】()（）"
_SIGNATURE_LINES = 4
_LONGEST_LINE = 240
_LONGEST_ISSUER = 40


class Imprint(Value):
    """What the page states; a field is None where it states nothing."""

    issuer: str | None = None
    published: dt.date | None = None
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    ended: bool = False


def imprint(blocks: Sequence[str], title: str | None) -> Imprint:
    """The imprint that a page's labelled lines give, the first value of a label, and the line below its title."""
    lines = [_MARKS.sub("", line) for block in blocks for line in block.splitlines()]
    told: dict[str, str] = {}
    for line in lines:
        for field, value in pairs(line):
            if value:
                told.setdefault(field, value)
    byline = _byline(lines, title)
    validity = told.get("validity", "")
    return Imprint(
        issuer=_issuer(told.get("issuer", ""))
        or _issuer(told.get("source", ""))
        or _issuer(_NOT_A_NAME.sub(" ", byline)),
        published=day(told.get("published", "")) or day(byline) or day(told.get("written", "")),
        effective_from=day(told.get("from_day", "")),
        effective_to=day(told.get("to_day", "")),
        ended=bool(_ENDED.search(validity)) and not _STILL.search(validity),
    )


def _byline(lines: Sequence[str], title: str | None) -> str:
    """The short line with a day right below the title: 2024-05-06 10:20 甬江晚报."""
    at = next((n for n, line in enumerate(lines) if title and fold(line) == fold(title)), None)
    near = [] if at is None else lines[at + 1 : at + 1 + _BYLINE_LINES]
    return next(
        (line for line in near if len(line) <= _LONGEST_BYLINE and _DAY.search(line) and not _SENTENCE.search(line)), ""
    )


def pairs(line: str) -> Iterator[tuple[str, str]]:
    """The fields that a line fills, with their values: 发布时间：2024-05-06 来源：… fills two."""
    if len(line) > _LONGEST_LINE:
        return
    found = list(_PAIR.finditer(line))
    ends = [*(match.start() for match in found[1:]), len(line)]
    for match, end in zip(found, ends, strict=False):
        yield _field(match), line[match.end() : end].strip(_AROUND)


def without_imprint(block: str) -> str:
    """The block without its lines that hold nothing but labelled values of the page itself."""
    return "\n".join(line for line in block.splitlines() if not _is_imprint(_MARKS.sub("", line)))


def _is_imprint(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and _PAIR.match(line) is not None and not _SENTENCE.search(line)


def labelled(cells: Sequence[str]) -> list[str]:
    """Lines of label and value, from cells that hold them side by side: 索引号 | 1133 | 发文机关 | 某局."""
    lines: list[str] = []
    for cell, following in itertools.pairwise([*cells, ""]):
        match = _ONLY_LABEL.match(cell)
        if match and not _ONLY_LABEL.match(following):
            lines.append(f"{match['label']}：{following}")
        elif not match and _PAIR.match(cell.strip()):
            lines.append(cell)
    return lines


def signed(lines: Sequence[str]) -> dt.date | None:
    """The day that stands alone below the text, as under a signature."""
    return next((day(line) for line in reversed(lines[-_SIGNATURE_LINES:]) if _SIGNED_DAY.match(line)), None)


def day(text: str) -> dt.date | None:
    """The first day that `text` names, or None."""
    match = _DAY.search(text)
    if match is None:
        return None
    try:
        return dt.date(*map(int, match.groups()))
    except ValueError:  # a slip of the pen: 2月31日
        return None


def is_official(issuer: str | None, url: str | None) -> bool:
    """Whether a public body speaks: by its name, or by the address of its site."""
    return bool(issuer and _PUBLIC_BODY.search(issuer)) or bool(url and _OFFICIAL_HOST.match(url))


def governed(issuer: str | None, head: str) -> tuple[str, ...]:
    """The places whose rules a text without a place in its title tells.

    Those of the public body that issued it, or of the edition that a publisher has for a place; else those of which its
    first words speak as insured or insuring.
    """
    if issuer and (found := of_the_issuer(issuer)):
        return found
    return tuple(dict.fromkeys(name for name, _, end in places.located(head) if _GOVERNED.match(head, end)))


def of_the_issuer(issuer: str) -> tuple[str, ...]:
    """The places that a public body, or an edition for a place, speaks for: 绍兴市医保局, 某某网（绍兴）, 某某网绍兴站.

    None for a newspaper that has a city in its name: it writes of the whole country.
    """
    if _PUBLIC_BODY.search(issuer):
        return places.find(issuer)
    return tuple(
        name
        for name, start, end in places.located(issuer)
        if _EDITION_AFTER.match(issuer, end) or (issuer[:start].endswith(("（", "(")) and issuer[end:] in {"）", ")"})
    )


def declared(
    told: Imprint,
    *,
    title: str | None,
    publisher: str | None,
    published: dt.date | None,
    url: str | None,
    head: str,
) -> dict[str, Any]:
    """Metadata in the form of front matter, without what is unknown; what the lines told goes before the rest.

    `head` is the first sentence of the text, which may name a place where the title names none.
    """
    issuer = told.issuer or publisher
    found: dict[str, Any] = {
        "title": title,
        "publisher": issuer,
        "url": url,
        "authority": "official" if is_official(issuer, url) else None,
        "published": told.published or published,
        "effective_from": told.effective_from,
        "effective_to": told.effective_to,
        # An ended text whose last day is not told answers for no day; who took its place is not told either.
        "superseded_by": "unnamed" if told.ended and told.effective_to is None else None,
        "places": None if places.find(title or "") else list(governed(issuer, head)),
    }
    return {key: value for key, value in found.items() if value}


def _field(match: re.Match[str]) -> str:
    return _FIELDS[re.sub(r"[\s　]", "", match["label"])]


def _issuer(value: str) -> str | None:
    """The first word of a value, which for a name is the whole of it; what follows is another label's."""
    name, *_ = value.split() or [""]
    return name if 1 < len(name) <= _LONGEST_ISSUER and not _DAY.search(name) else None
