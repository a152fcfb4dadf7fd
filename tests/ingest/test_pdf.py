"""PDF files with a text layer to text; the files are made here, and the rules in them made up."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from rag.errors import UnreadableFile
from rag.ingest import reading
from rag.ingest.documents import documents
from rag.ingest.page import Page
from rag.ingest.pdf import MAX_PAGES, read_pdf

FONT = "STSong-Light"  # every reader has it, so that no file of letters is needed
pdfmetrics.registerFont(UnicodeCIDFont(FONT))

TITLE = "关于调整住院起付标准的通知"
LONG = (
    "参保人员在定点医疗机构住院发生的政策范围以内的费用，由统筹基金按照规定支付，第{n}档的起付标准为{amount}元，"
    "一年之内多次住院的逐次降低，具体的办法由经办机构另行公布，并且做好宣传解释的工作。"
)
ROWS = [["医院等级", "起付标准", "支付比例"], ["三级医院", "800元", "85%"], ["二级医院", "400元", "90%"]]


def _style(size: float, indent: float = 0, alignment: int = 0) -> ParagraphStyle:
    return ParagraphStyle(
        f"s{size}-{indent}",
        fontName=FONT,
        fontSize=size,
        leading=size * 1.5,
        wordWrap="CJK",
        firstLineIndent=indent,
        alignment=alignment,
    )


def _title(words: str = TITLE) -> Paragraph:
    return Paragraph(words, _style(20, alignment=1))


def _text(words: str) -> Paragraph:
    return Paragraph(words, _style(11, indent=22))


def _table(rows: Sequence[Sequence[str]], *more: tuple[Any, ...]) -> Table:
    return Table(
        rows,
        repeatRows=1,
        style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONT", (0, 0), (-1, -1), FONT, 10), *more],
    )


def _pdf(*story: Any, running: str = "", **metadata: str) -> bytes:  # noqa: ANN401 - what reportlab lays out
    """The story on A4 pages; with `running`, each bears it above and its number below."""
    made = io.BytesIO()

    def furniture(canvas: Canvas, document: SimpleDocTemplate) -> None:
        if running:
            canvas.setFont(FONT, 9)
            canvas.drawString(60, 810, running)
            canvas.drawCentredString(300, 30, f"第 {document.page} 页 共 9 页")

    document = SimpleDocTemplate(made, pagesize=A4, **metadata)
    document.build([Spacer(1, 1), *story], onFirstPage=furniture, onLaterPages=furniture)
    return made.getvalue()


def _read(*story: Any, running: str = "", **metadata: str) -> Page:  # noqa: ANN401 - as above
    return read_pdf(_pdf(*story, running=running, **metadata), "a.pdf")


def _drawn(draw: Callable[[Canvas], None], **options: Any) -> bytes:  # noqa: ANN401 - as above
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=A4, **options)
    draw(canvas)
    canvas.save()
    return made.getvalue()


def _lines(*lines: str) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(FONT, 12)
        for n, line in enumerate(lines):
            canvas.drawString(72, 760 - 20 * n, line)

    return draw


def test_lines_are_joined_to_paragraphs_without_spaces() -> None:
    """A paragraph of several lines is one line of text, as it was written."""
    words = [LONG.format(n=n, amount=100 * n) for n in (1, 2)]
    page = _read(_title(), *map(_text, words))
    assert page.text == "\n\n".join([f"# {TITLE}", *words])


@pytest.mark.parametrize("leading", [1.2, 1.5, 1.9, 2.5])
def test_lines_far_apart_are_one_paragraph_nevertheless(leading: float) -> None:
    """Official documents are set with wide lines; what is wider than usual parts paragraphs."""
    style = ParagraphStyle("wide", fontName=FONT, fontSize=16, leading=16 * leading, wordWrap="CJK", firstLineIndent=32)
    words = [LONG.format(n=n, amount=100 * n) for n in (1, 2)]
    assert _read(_title(), *(Paragraph(w, style) for w in words)).text == "\n\n".join([f"# {TITLE}", *words])


def test_paragraphs_without_an_indent_are_parted_by_room() -> None:
    """And by a last line that ends short."""
    style = ParagraphStyle("flush", fontName=FONT, fontSize=12, leading=18, wordWrap="CJK", spaceAfter=12)
    words = [LONG.format(n=n, amount=100 * n) for n in (1, 2, 3)]
    assert _read(_title(), *(Paragraph(w, style) for w in words)).text == "\n\n".join([f"# {TITLE}", *words])


def test_a_paragraph_goes_on_over_the_end_of_a_page() -> None:
    """Between its halves stand a foot, a number and a head, which are no part of it."""
    words = [LONG.format(n=n, amount=100 * n) for n in range(1, 41)]
    page = _read(_title(), *map(_text, words), running="待遇文件汇编")
    assert page.text.split("\n\n") == [f"# {TITLE}", *words]


def test_what_repeats_at_the_edges_of_pages_is_left_out() -> None:
    """Running head and page numbers; a sentence that ends two pages alike stays."""
    same = "以上由经办机构负责解释。"
    story = [thing for n in (1, 2) for thing in (PageBreak(), _text(LONG.format(n=n, amount=n)), _text(same))]
    page = _read(_title(), *story, running="待遇文件汇编")
    assert page.text.count(same) == 2
    assert [word for word in ("汇编", "页") if word in page.text] == []


def test_the_number_alone_below_a_single_page_is_left_out() -> None:
    """In its usual forms."""
    for number in ("1", "- 1 -", "— 1 —", "第1页", "1/3", "第 1 页 共 3 页"):
        draw = _lines("住院备案", "备案在参保地办理，办好就可以直接结算。", "材料当场退还。", number)
        assert read_pdf(_drawn(draw), "a.pdf").text.splitlines()[-1] == "材料当场退还。", number


def test_a_ruled_table_becomes_a_table_in_its_place() -> None:
    """In the same shape as that of a web page, and its words are not repeated as lines."""
    page = _read(
        _title(), _text("标准如下表。"), Spacer(1, 8), _table(ROWS), Spacer(1, 8), _text("以上自公布之日起执行。")
    )
    table = "| 医院等级 | 起付标准 | 支付比例 |\n|---|---|---|\n| 三级医院 | 800元 | 85% |\n| 二级医院 | 400元 | 90% |"
    assert page.text.split("\n\n") == [f"# {TITLE}", "标准如下表。", table, "以上自公布之日起执行。"]


def test_spanning_cells_stand_in_each_of_their_places() -> None:
    """Across and down."""
    rows = [
        ["医院", "起付标准", ""],
        ["", "职工", "居民"],
        ["三级", "800元", "600元"],
        ["其他", "400元", "300元"],
        ["", "200元", "100元"],
    ]
    spans = [("SPAN", (0, 0), (0, 1)), ("SPAN", (1, 0), (2, 0)), ("SPAN", (0, 3), (0, 4))]
    page = _read(_title(), _text("标准如下表。"), Spacer(1, 8), _table(rows, *spans))
    assert page.text.splitlines()[-5:] == [
        "| 医院 | 起付标准 职工 | 起付标准 居民 |",
        "|---|---|---|",
        "| 三级 | 800元 | 600元 |",
        "| 其他 | 400元 | 300元 |",
        "| 其他 | 200元 | 100元 |",
    ]


def test_a_table_over_two_pages_is_one() -> None:
    """The header that the second page repeats is left out."""
    rows = [ROWS[0], *([f"第{n}类医院", f"{n}00元", "85%"] for n in range(1, 61))]
    page = _read(_title(), _text("标准如下表。"), Spacer(1, 8), _table(rows), running="待遇文件汇编")
    assert page.text.count("医院等级") == 1
    assert page.text.count("\n|") == 62


def test_numbered_and_large_lines_are_headings() -> None:
    """一、 heads what follows, and so does larger print."""
    page = _read(
        _title(), _text("一、起付标准"), _text(LONG), Paragraph("附则", _style(14)), _text("以上自公布之日起执行。")
    )
    assert "## 一、起付标准" in page.text.splitlines()
    assert "### 附则" in page.text.splitlines()


def test_items_are_lines_of_their_own() -> None:
    """A line that begins with a number begins a paragraph."""
    page = read_pdf(
        _drawn(_lines("住院备案的材料和办理地点", "（一）身份证", "（二）居住证明", "1.原件", "2.复印件")), "a.pdf"
    )
    assert page.text.splitlines()[2::2] == ["（一）身份证", "（二）居住证明", "1.原件", "2.复印件"]


def test_latin_words_and_numbers_keep_their_space() -> None:
    """Where a line breaks between two of them; Chinese is joined without."""
    line = "服务热线在工作日的上午八点到下午五点有人接听，英文名称是"
    page = read_pdf(_drawn(_lines(line + "Health", "Line" + line)), "a.pdf")
    assert "Health Line服务热线" in page.text


def test_the_largest_print_is_the_title() -> None:
    """Whatever a program wrote among the metadata."""
    for stated in ("untitled", "Microsoft Word - 1.docx", "通知定稿3.doc", "别的名字"):
        assert _read(_title(), _text(LONG), title=stated).declared["title"] == TITLE


def test_a_title_among_the_metadata_counts_if_the_page_shows_it_or_has_none() -> None:
    """It may be shown in small print."""
    assert _read(_title("医保之窗"), _text(f"{TITLE}已经印发。"), title=TITLE).declared["title"] == TITLE
    assert _read(_text("办好就可以直接结算。"), _text("材料当场退还。"), title=TITLE).declared["title"] == TITLE


def test_a_letterhead_names_the_issuer_and_not_the_text() -> None:
    """某局文件 in the largest print of all, the title below it; the signature gives the day."""
    page = _read(
        Paragraph("宁波市医疗保障局文件", _style(30, alignment=1)),
        Paragraph("甬医保发〔2024〕5号", _style(12, alignment=1)),
        _title(),
        _text("各定点医疗机构："),
        _text(LONG),
        Paragraph("宁波市医疗保障局", _style(11, alignment=2)),
        Paragraph("2024年5月6日", _style(11, alignment=2)),
    )
    assert page.declared == {
        "title": TITLE,
        "publisher": "宁波市医疗保障局",
        "authority": "official",
        "published": dt.date(2024, 5, 6),
        "places": ["宁波"],
    }


def test_the_day_a_file_was_made_is_no_day_of_publication() -> None:
    """Every program writes it, and for a scan it is the day of scanning."""
    data = _pdf(_title(), _text(LONG))
    assert b"CreationDate" in data
    assert "published" not in read_pdf(data, "a.pdf").declared


def test_labelled_lines_are_read_and_left_out() -> None:
    """As on a web page."""
    page = _read(_title(), _text("发布日期：2024-05-06 来源：宁波市医保中心"), _text(LONG))
    assert (page.declared["published"], page.declared["publisher"]) == (dt.date(2024, 5, 6), "宁波市医保中心")
    assert "发布日期" not in page.text


def test_letters_printed_twice_and_watermarks_are_read_once_and_not_at_all() -> None:
    """Bold is often drawn by printing twice, a watermark slants."""

    def draw(canvas: Canvas) -> None:
        for shift in (0, 0.3):
            canvas.setFont(FONT, 12)
            canvas.drawString(72 + shift, 740, "备案在参保地办理，办好就可以直接结算。")
        canvas.drawString(72, 700, "材料当场退还。")
        canvas.rotate(30)
        canvas.drawString(300, 200, "内部资料")

    text = read_pdf(_drawn(draw), "a.pdf").text
    assert text.splitlines()[0] == "备案在参保地办理，办好就可以直接结算。"
    assert [letter for letter in "内部资料" if letter in text.replace("材料", "")] == []


def test_a_file_that_only_its_owner_may_change_is_read() -> None:
    """It opens without a password."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 760, "Filing")
        canvas.drawString(72, 740, "Call 12393 before you travel.")

    data = _drawn(draw, encrypt=StandardEncryption("", ownerPassword="x", canPrint=0))
    assert "Call 12393 before you travel." in read_pdf(data, "a.pdf").text


def _scan(canvas: Canvas) -> None:
    pixel = io.BytesIO(b"P6 1 1 255\n\xff\xff\xff")
    canvas.drawImage(ImageReader(pixel), 0, 0, width=595, height=842)
    canvas.showPage()


def _mostly_scanned(canvas: Canvas) -> None:
    _lines("封面", "备案指南")(canvas)
    canvas.showPage()
    for _ in range(3):
        _scan(canvas)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b" \n", "empty file"),
        (b"%PDF-1.4\njunk", "damaged or cut off"),
        ("这不是PDF。".encode(), "damaged or cut off"),
        (_pdf(_title(), _text(LONG))[:900], "damaged or cut off"),
        (_drawn(_lines("密"), encrypt=StandardEncryption("secret")), "encrypted"),
        (_drawn(_scan), "no text layer"),
        (_drawn(_mostly_scanned), "no text layer on 3 of 4 pages"),
        (_drawn(lambda canvas: canvas.showPage()), "no text in the PDF"),
        (_drawn(_lines("1")), "no text besides"),
    ],
    ids="empty blank junk text cut encrypted scan mostly-scanned no-text number-only".split(),
)
def test_what_gives_no_text_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    """Each file by itself; no vendor's error comes through."""
    with pytest.raises(UnreadableFile, match=reason) as caught:
        read_pdf(data, "a.pdf")
    assert caught.value.path == "a.pdf"


def test_a_file_cut_off_anywhere_is_read_or_refused() -> None:
    """Nothing but the error that names the file is ever raised."""
    data = _pdf(_title(), _text(LONG), _table(ROWS))
    for end in range(0, len(data), max(len(data) // 25, 1)):
        try:
            page = read_pdf(data[:end], "a.pdf")
        except UnreadableFile as error:
            assert error.path == "a.pdf"  # noqa: PT017 - either outcome is right
        else:
            assert page.text.strip()


def test_a_book_is_refused_before_it_fills_the_memory() -> None:
    """More pages than any notice has."""

    def draw(canvas: Canvas) -> None:
        for _ in range(MAX_PAGES + 1):
            canvas.showPage()

    with pytest.raises(UnreadableFile, match="more than 1000 pages"):
        read_pdf(_drawn(draw), "a.pdf")


def test_a_pdf_becomes_a_document_whose_spans_are_in_its_text(tmp_path: Path) -> None:
    """From the file to sections, as any other kind of file."""
    (tmp_path / "a.pdf").write_bytes(
        _pdf(_title(), _text("一、起付标准"), _text(LONG), _text("二、执行时间"), _text("自公布之日起执行。"))
    )
    source = reading.read(tmp_path / "a.pdf", "a.pdf")
    (parsed,) = documents(source, "a")
    assert parsed.document.title == TITLE
    assert [section.title for section in parsed.document.sections] == ["一、起付标准", "二、执行时间"]
    for section in parsed.document.sections:
        assert source.text[section.start : section.end].startswith(section.title)
