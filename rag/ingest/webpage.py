"""The markup of a web page to the text of its article and what the page states of itself.

Knows HTML: where an article stands in it, tables, lists of links, the metadata that sites write. What labelled lines
mean is the job of `imprint`, the shape of a table of `tables`; furniture that looks like text is dropped by `cleaning`.

`trafilatura` (widely used, kept) says which sentences are the article. Its own Markdown is not taken: it loses headings
and the rows below a spanning cell, and dates a page without a date on the first day of the year. `lxml`, which it
brings, reads the markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import lxml.etree
import lxml.html
from lxml.html import HtmlElement

from rag.errors import UnreadableFile
from rag.ingest import imprint
from rag.ingest import page as marks
from rag.ingest.page import Page
from rag.ingest.tables import Cell, expanded, markdown, tables
from rag.text import fold, squeeze

_TITLES = ("articletitle", "og:title")
_ISSUERS = ("contentsource", "og:site_name", "publisher")
_DAYS = ("pubdate", "article:published_time", "publishdate", "datepublished")
_ADDRESSES = ("og:url",)
_BETWEEN_NAMES = re.compile(r"\s*[|｜_—–]+\s*|\s+-+\s+|-{2,}")  # noqa: RUF001 - bars of either width
_BLOCK = frozenset(
    "address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1 h2 "
    "h3 h4 h5 h6 header hr li main ol p pre section table tbody td tfoot th thead tr ul".split()
)
_HOLDERS = frozenset("article blockquote body center div form main section table tbody td tr".split())
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_SILENT = "script style noscript template iframe select button svg nav footer aside head".split()
_SILENT_NAME = re.compile(
    r"(?:^|[\s_-])(?:footer|foot|copyright|breadcrumbs?|crumbs?|nav|navbar|menu|share|toolbar)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SENTENCE = re.compile(r"[。！？；]")
_MARKS = re.compile(r"^[\s#>*|+-]+|\*\*")
_LINKS_IN_A_BLOCK = 3
_LINK_SHARE = 0.8
_ARTICLE_SHARE = 0.97
_IMPRINT_LABELS = 2
_LONG_CELL = 300
_WIDEST_SPAN = 100
_TITLE_LINES = 4


def read_page(markup: str, name: str) -> Page:
    """The article of a page.

    Raises:
        UnreadableFile: there is no article in it: nothing at all, or links alone.
    """
    tree = _parsed(markup, name)
    stated = _stated(tree)
    names = _names(tree, stated)
    _drop_silent(tree)
    had_links = _drop_links(tree)
    body = tree.find("body") if tree.tag == "html" else tree
    lines = [] if body is None else _rendered(_article(body, markup))
    if body is None or all(line.startswith("#") for line in lines):
        raise UnreadableFile(name, "nothing but links in the page" if had_links else "no main text found in the page")
    title = _title(names, lines)
    kept = [words for words in map(imprint.without_imprint, lines) if words]
    return Page("\n\n".join(_titled(kept, title)), _declared(_rendered(body), lines, stated, title))


def _parsed(markup: str, name: str) -> HtmlElement:
    try:
        # A declaration of the encoding is void in decoded text, and refused by the parser.
        tree = lxml.html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", markup))
    except (lxml.etree.ParserError, ValueError) as error:
        raise UnreadableFile(name, "no main text found in the page") from error
    for comment in tree.xpath("//comment() | //processing-instruction()"):
        _drop(comment)
    return tree


def _stated(tree: HtmlElement) -> dict[str, str]:
    """What the head of the page states, by the name of the field in lower case; the first value counts."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        key = meta.get("name") or meta.get("property") or meta.get("itemprop") or ""
        if value := squeeze(meta.get("content") or ""):
            found.setdefault(key.strip().lower(), value)
    for script in tree.xpath("//script[@type='application/ld+json']"):
        for key, value in _linked_data(script.text_content()):
            found.setdefault(key, value)
    for link in tree.xpath("//link[@rel='canonical'][@href]"):
        found.setdefault("og:url", link.get("href"))
    return found


def _linked_data(text: str) -> Iterator[tuple[str, str]]:
    try:
        pending = [json.loads(text, strict=False)]
    except (ValueError, RecursionError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(reversed(node))
        elif isinstance(node, dict) and "Article" in str(node.get("@type")):
            publisher = node.get("publisher")
            named = publisher.get("name") if isinstance(publisher, dict) else publisher
            told = {"og:title": node.get("headline"), "pubdate": node.get("datePublished"), "publisher": named}
            yield from ((key, squeeze(value)) for key, value in told.items() if isinstance(value, str))
        elif isinstance(node, dict):
            pending.extend(node.get("@graph", []))


def _names(tree: HtmlElement, stated: Mapping[str, str]) -> list[str]:
    """What the page may be called, the best name first: metadata, main heading, the parts of the window's title."""
    window = squeeze(tree.findtext(".//title") or "")
    headings = [_text(h) for level in ("h1", "h2", "h3") for h in tree.iter(level)]
    mains = [_text(h) for h in tree.iter("h1")]
    inside = [words for words in headings if words and words in window]
    parts = sorted(filter(None, _BETWEEN_NAMES.split(window)), key=len, reverse=True)
    return [*_first(stated, *_TITLES), *inside, *(mains if len(mains) == 1 and mains[0] else []), *parts]


def _first(stated: Mapping[str, str], *keys: str) -> list[str]:
    return [stated[key] for key in keys if key in stated]


def _title(names: list[str], lines: list[str]) -> str | None:
    """The best name; of the names, rather one with which the article begins."""
    if not names:
        return None
    begins = {fold(_MARKS.sub("", line)) for line in lines[:_TITLE_LINES]}
    return next((name for name in names if fold(name) in begins), names[0])


def _drop_silent(tree: HtmlElement) -> None:
    """Take out what is not shown, or shown on every page of a site."""
    for element in tree.xpath("|".join(f"//{tag}" for tag in _SILENT if tag != "head")):
        _drop(element)
    for element in tree.xpath("//*[@style or @class or @id or @hidden]"):
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        hidden = element.get("hidden") is not None or _HIDDEN.search(element.get("style") or "")
        if element.tag not in {"html", "body"} and (hidden or _SILENT_NAME.search(names)):
            _drop(element)


def _drop_links(tree: HtmlElement) -> bool:
    """Take out blocks that are lists of links; whether there were any."""
    found = [e for e in tree.iter("ul", "ol", "dl", "div", "table", "section", "p", "tr") if _is_links(e)]
    for element in found:
        _drop(element)
    return bool(found)


def _is_links(element: HtmlElement) -> bool:
    """Whether a block is several links with next to nothing between them but dates and bars."""
    links = [_letters(link) for link in element.iter("a")]
    return len(links) >= _LINKS_IN_A_BLOCK and sum(links) >= _LINK_SHARE * _letters(element)


def _letters(element: HtmlElement) -> int:
    return sum(character.isalpha() for character in element.text_content())


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _article(body: HtmlElement, markup: str) -> HtmlElement:
    """The smallest part of the page that holds the sentences of its article."""
    import trafilatura  # noqa: PLC0415 - half a second that only HTML needs

    text = trafilatura.extract(markup, include_tables=True, include_comments=False, favor_recall=True) or ""
    lines = {fold(_MARKS.sub("", line)) for line in text.splitlines() if _SENTENCE.search(line)}
    part, held = body, _held(body, lines)
    while held:
        inner = [
            child
            for child in part
            if child.tag in _HOLDERS and any(c.tag in _BLOCK for c in child.iter() if c is not child)
        ]
        best = max(inner, key=lambda child: _held(child, lines), default=None)
        if best is None or _held(best, lines) < _ARTICLE_SHARE * held:
            break
        part = best
    return part


def _held(element: HtmlElement, lines: set[str]) -> int:
    """How many characters of the lines stand in the element."""
    text = fold(element.text_content())
    return sum(len(line) for line in lines if line in text)


def _declared(whole: list[str], lines: list[str], stated: Mapping[str, str], title: str | None) -> dict[str, Any]:
    """Metadata: what the page shows above and in its article goes before what its head states."""
    end = max((n for n, line in enumerate(whole) if line == lines[-1]), default=len(whole))
    told = imprint.imprint(whole[: end + _TITLE_LINES], title)
    days = [found for value in _first(stated, *_DAYS) if (found := imprint.day(value))]
    sentences = [words for line in lines if not line.startswith("#") and (words := imprint.without_imprint(line))]
    return imprint.declared(
        told,
        title=title,
        publisher=next(iter(_first(stated, *_ISSUERS)), None),
        published=next(iter(days), None) or imprint.signed(sentences),
        url=next(iter(_first(stated, *_ADDRESSES)), None),
        head=sentences[0] if sentences else "",
    )


def _titled(lines: list[str], title: str | None) -> list[str]:
    """The lines below the title, which a page may show outside its article or as a mere line."""
    if title is None or any(line.startswith("# ") for line in lines):
        return lines
    rest = [line for n, line in enumerate(lines) if n >= _TITLE_LINES or fold(_MARKS.sub("", line)) != fold(title)]
    return [marks.heading(1, title), *rest]


def _rendered(element: HtmlElement) -> list[str]:
    """Blocks of Markdown, one a string; a table is one."""
    return [block for block in _blocks(element, 0) if block.strip()]


def _blocks(element: HtmlElement, depth: int) -> Iterator[str]:
    if element.tag in _HEADINGS:
        yield marks.heading(_HEADINGS[element.tag], _text(element)) if _text(element) else ""
    elif element.tag == "table" and not _is_layout(element):
        yield from _table(element)
    elif element.tag in {"ul", "ol"}:
        yield "\n".join(_items(element, depth))
    else:
        yield from _flow(element, depth)


def _flow(element: HtmlElement, depth: int) -> Iterator[str]:
    """Paragraphs and the blocks between them."""
    words, bold = [element.text or ""], [""]
    for child in element:
        if child.tag in _BLOCK or any(inner.tag in _BLOCK for inner in child.iter()):
            yield _paragraph(words, bold)
            words, bold = [], []
            yield from _blocks(child, depth)
        else:
            words.append(child.text_content())
            bold += [strong.text_content() for strong in child.iter("b", "strong") if not _inside_bold(strong)]
        words.append(child.tail or "")
    yield _paragraph(words, bold)


def _inside_bold(strong: HtmlElement) -> bool:
    return next(strong.iterancestors("b", "strong"), None) is not None


def _paragraph(words: list[str], bold: list[str]) -> str:
    text = squeeze("".join(words))
    return marks.paragraph(text, bold=fold("".join(bold)) == fold(text)) if text else ""


def _items(element: HtmlElement, depth: int) -> Iterator[str]:
    for number, entry in enumerate(element.findall("li"), start=1):
        first, *rest = [*_rendered_flow(entry, depth + 1), ""]
        yield marks.item(first.lstrip("#- "), depth, number if element.tag == "ol" else None)
        yield from (line if line.startswith("  ") else "  " * (depth + 1) + line for line in rest if line)


def _rendered_flow(element: HtmlElement, depth: int) -> list[str]:
    return [block for block in _flow(element, depth) if block.strip()]


def _is_layout(table: HtmlElement) -> bool:
    """Whether a table only places things: it holds tables, or one column, or a cell as long as an article."""
    rows = _rows(table)
    wide = max((len(row) for row in rows), default=0) > 1
    return bool(table.findall(".//table")) or not wide or any(len(c.text) > _LONG_CELL for row in rows for c in row)


def _rows(table: HtmlElement) -> list[list[Cell]]:
    return [[_cell(cell) for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]


def _cell(cell: HtmlElement) -> Cell:
    words = squeeze(" ".join(_rendered_flow(cell, 0)) if len(cell) else cell.text_content())
    in_head = any(parent.tag == "thead" for parent in cell.iterancestors("thead"))
    return Cell(words, _span(cell, "rowspan"), _span(cell, "colspan"), heads=cell.tag == "th" or in_head)


def _span(cell: HtmlElement, name: str) -> int:
    value = (cell.get(name) or "").strip()
    return min(max(int(value), 1), _WIDEST_SPAN) if value.isascii() and value.isdigit() else 1


def _table(element: HtmlElement) -> Iterator[str]:
    """The table in Markdown; of a table of labels, lines of label and value."""
    rows = _rows(element)
    stated = [line for row in rows for line in imprint.labelled([cell.text for cell in row])]
    if len(stated) >= _IMPRINT_LABELS:
        yield from stated
        return
    if (caption := element.find("caption")) is not None:
        yield _text(caption)
    yield from (markdown(table) for table in tables(expanded(rows)))


def _text(element: HtmlElement) -> str:
    return squeeze(element.text_content())
