"""A file on disk to decoded text and declared metadata."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.errors import UnreadableFile
from rag.ingest import reading

TEXT = "参保人先备案，再到外地住院。\n报销70%。\n"
PAGE = """<!DOCTYPE html><html><head><meta charset="{charset}"><title>外地住院怎么结算</title>
<meta property="og:site_name" content="康安网"><meta property="article:published_time" content="2024-02-05">
</head><body><nav><a href="/">首页</a><a href="/new">全部新闻</a></nav><article><h1>外地住院怎么结算</h1>
<p>参保人到外地住院之前，应当先在参保地的窗口办理备案手续，备案成功以后才能直接结算。</p>
<h2>报销比例</h2><p>医院的等级不同，报销的比例就不一样，下面的表格列出了两种医院的比例，供参保人参考。</p>
<table><tr><th>医院</th><th>比例</th></tr><tr><td>三级医院</td><td>70%</td></tr></table></article>
<script>var hidden = "不该出现";</script></body></html>"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Lays a file with the given name and content."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_an_encoding_that_pages_use_gives_the_same_text(encoding: str) -> None:
    """UTF-8, its mark, UTF-16 with a mark and GB18030 decode to one text, and no mark stays in it."""
    assert reading.decode(TEXT.encode(encoding), "page.txt") == TEXT


def test_big_endian_utf16_with_a_mark_is_read() -> None:
    """The mark says in which order the bytes come."""
    assert reading.decode(b"\xfe\xff" + TEXT.encode("utf-16-be"), "page.txt") == TEXT


def test_a_rare_character_does_not_make_a_page_unreadable() -> None:
    """A name with a character beyond GB 2312 is read from GB18030 as it was written."""
    text = f"{TEXT}经办人：李喆。"
    assert reading.decode(text.encode("gb18030"), "page.txt") == text


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs"), include_characters="\n\t"), min_size=1))
def test_any_printable_text_comes_back_from_utf8_and_utf16(text: str) -> None:
    """Decoding gives back what was written, character by character."""
    assume(text.strip())
    assert reading.decode(text.encode(), "x.txt") == text
    assert reading.decode(text.encode("utf-16"), "x.txt") == text


@given(st.text(alphabet="参保人异地就医备案直接结算报销比例起付线元年医院门诊，。0123456789%\n", min_size=1))
def test_everyday_chinese_comes_back_from_gb18030(text: str) -> None:
    """Bytes that can't be UTF-8 and are everyday Chinese are read as GB18030."""
    data = text.encode("gb18030")
    assume(text.strip() and not _is_utf8(data))
    assert reading.decode(data, "x.txt") == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    """No bytes whatever raise anything but the error that names the file."""
    outcome = _decoded(data)
    assert outcome.path == "x.txt" if isinstance(outcome, UnreadableFile) else outcome.strip()


def _decoded(data: bytes) -> str | UnreadableFile:
    try:
        return reading.decode(data, "x.txt")
    except UnreadableFile as error:
        return error


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b" \n\t ", "empty file"),
        (b"\xef\xbb\xbf", "empty file"),
        (b"\xef\xbb\xbf\r\n", "empty file"),
        (b"\xff\xfe", "empty file"),
        ("\u3000\n\u3000".encode(), "empty file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary file"),
        (TEXT.encode("utf-16-le"), "binary file"),
        ("參保人員可以持健保卡就醫，費用直接結算。".encode("big5"), "neither UTF-8 nor GB18030 text"),
        ("医療保険の給付割合は七割です。".encode("shift_jis"), "neither UTF-8 nor GB18030 text"),
        ("Les frais à régler après coup".encode("latin-1"), "neither UTF-8 nor GB18030 text"),
        (TEXT.encode()[:-8], "neither UTF-8 nor GB18030 text"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    """Empty, binary, wrongly encoded or cut off within a character: nothing is guessed."""
    with pytest.raises(UnreadableFile) as caught:
        reading.decode(data, "page.txt")
    assert caught.value.reason == reason


def test_the_canonical_text_is_the_decoded_file(write: Callable[..., Path]) -> None:
    """Of .txt nothing is taken away, also when it looks like front matter."""
    read = reading.read(write("page.txt", "---\nid: x\n---\n正文。"), "sub/page.txt")
    assert (read.text, read.body_start, read.source) == ("---\nid: x\n---\n正文。", 0, "sub/page.txt")
    assert read.declared == {}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_front_matter_is_declared_and_stays_in_the_text(
    write: Callable[..., Path], encoding: str, newline: str
) -> None:
    """The body begins after it, whatever the encoding and the line ends, so that spans refer to the whole file."""
    content = "---\ntitle: 住院备案\npublished: 2024-02-05\nplaces: [宁波]\n---\n正文。".replace("\n", newline)
    read = reading.read(write("a.md", content.encode(encoding)), "a.md")
    assert read.declared == {"title": "住院备案", "published": dt.date(2024, 2, 5), "places": ["宁波"]}
    assert (read.text, read.text[read.body_start :]) == (content, "正文。")


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("title: [宁波", "not YAML"),
        ("- title", "not a table"),
        ("一句话", "not a table"),
        ("published: 2024-13-01", "front matter"),
        ("published: 2024-02-30", "front matter"),
    ],
)
def test_bad_front_matter_names_the_file_and_what_is_wrong(write: Callable[..., Path], block: str, words: str) -> None:
    """One bad file is reported with its name; it never stops the others with an unexpected error."""
    path = write("bad.md", f"---\n{block}\n---\n正文。")
    with pytest.raises(UnreadableFile, match=words) as caught:
        reading.read(path, "bad.md")
    assert caught.value.path == str(path)


def test_front_matter_that_is_never_closed_is_refused(write: Callable[..., Path]) -> None:
    """Its keys would otherwise be shown to a patient as text, and its dates be lost."""
    path = write("open.md", "---\nid: open\neffective_to: 2020-01-01\n\n# 旧办法\n\n正文。\n")
    with pytest.raises(UnreadableFile, match="front matter"):
        reading.read(path, "open.md")


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_html_gives_main_text_and_what_the_page_declares(write: Callable[..., Path], charset: str) -> None:
    """Navigation and scripts are left out; headings and table rows keep their marks."""
    read = reading.read(write("page.html", PAGE.format(charset=charset).encode(charset)), "page.html")
    assert read.declared == {"title": "外地住院怎么结算", "publisher": "康安网", "published": dt.date(2024, 2, 5)}
    assert "# 外地住院怎么结算" in read.text
    assert "| 三级医院 | 70% |" in read.text
    assert not [word for word in ("全部新闻", "不该出现", "<p>") if word in read.text]


def test_html_without_a_text_is_refused(write: Callable[..., Path]) -> None:
    """An empty page is a problem with a reason, not an empty document."""
    with pytest.raises(UnreadableFile, match="no main text"):
        reading.read(write("page.htm", "<html><body><script>var x = 1;</script></body></html>"), "page.htm")


def test_a_kind_that_is_not_read_is_refused_by_name(write: Callable[..., Path]) -> None:
    """The message lists the kinds that are."""
    with pytest.raises(UnreadableFile, match=r"\.htm, \.html, \.md, \.pdf, \.txt"):
        reading.read(write("page.docx", "x"), "page.docx")


def test_a_missing_file_is_refused_with_the_cause(tmp_path: Path) -> None:
    """A file that vanished between listing and reading is a problem of that file."""
    with pytest.raises(UnreadableFile, match="No such file"):
        reading.read(tmp_path / "gone.txt", "gone.txt")


def test_a_file_of_enormous_size_is_refused_unread(tmp_path: Path) -> None:
    """Memory is not filled to find out that a file is no article."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(reading.MAX_BYTES + 1)
    with pytest.raises(UnreadableFile, match="larger than 20 MB"):
        reading.read(path, "huge.txt")


def test_files_are_found_in_order_and_cited_below_their_root(write: Callable[..., Path], tmp_path: Path) -> None:
    """Hidden files and other kinds are passed over; the name of a file is its way below the folder given."""
    for name in ("d/b.md", "d/sub/a.txt", "d/.hidden/c.md", "d/.e.md", "d/f.docx", "d/g.HTML", "d/h.pdf"):
        write(name, "正文。")
    assert [name for _, name in reading.source_files([tmp_path / "d"])] == ["b.md", "g.HTML", "h.pdf", "sub/a.txt"]


def test_a_file_named_twice_is_read_once(write: Callable[..., Path], tmp_path: Path) -> None:
    """A folder and a file in it, or a link to it, give one entry."""
    path = write("d/a.md", "正文。")
    (tmp_path / "d" / "link.md").symlink_to(path)
    assert reading.source_files([tmp_path / "d", path]) == [(path.resolve(), "a.md")]


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A misspelt folder is an error, not an empty corpus."""
    with pytest.raises(UnreadableFile, match="no such file or folder"):
        reading.source_files([tmp_path / "gone"])
