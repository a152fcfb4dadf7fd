"""The corpus: its form, its figures against the pages it was written from, and every span cut from it."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from rag.adapters.tiktoken import TiktokenTokenizer
from rag.answer.verifying.slots import slots
from rag.domain import Document, Value
from rag.ingest import reading
from rag.ingest.chunking import Cut, cut
from rag.ingest.documents import documents
from rag.ingest.reading import SourceText
from rag.text import squeeze

ROOT = Path(__file__).parents[2]
KEYS = (
    "id title publisher url page authority published retrieved effective_from effective_to superseded_by places "
    "insured_types kind"
).split()
DATES = ("published", "retrieved", "effective_from", "effective_to")

_LIST_NUMBER = re.compile(r"^[ \t]*\d{1,2}[.．、)](?!\d)[ \t]*", re.MULTILINE)
_BOILERPLATE = re.compile(r"^(?:温馨)?提示[：:]本", re.MULTILINE)
IN_PUBLISHED = "the page's date and time stamp, or the date in its title: stands in `published`"
ONE_TABLE = "ratios and deductibles by hospital level stand in one table, which names each level once"
# Figures of a page's article that the corpus article does not repeat, with the number of times and the reason.
LEFT_OUT: dict[str, dict[tuple[str, str], tuple[int, str]]] = {
    "003_a9d76742babedffa.txt": {
        ("date", "2025-6-3"): (1, IN_PUBLISHED),
        ("date", "?-6-3"): (1, IN_PUBLISHED),
        ("number", "5"): (1, IN_PUBLISHED),
        ("number", "35"): (1, IN_PUBLISHED),
        ("number", "24"): (1, IN_PUBLISHED),
    },
    "004_0d814f00c879dcd3.txt": {
        ("level", "一"): (1, ONE_TABLE),
        ("level", "二"): (1, ONE_TABLE),
        ("level", "三"): (1, ONE_TABLE),
    },
}


class Cutting(Value):
    """One document with the text it refers to and what was cut from it."""

    text: str
    document: Document
    cut: Cut


def _read(folder: Path) -> list[SourceText]:
    return [reading.read(path, source) for path, source in reading.source_files([folder])]


def _cuttings(folder: Path, tokenizer: TiktokenTokenizer) -> list[Cutting]:
    return [
        Cutting(source.text, parsed.document, cut(parsed.document, source.text, parsed.parts, tokenizer))
        for source in _read(folder)
        for parsed in documents(source, Path(source.path).stem)
    ]


@pytest.fixture(scope="module")
def corpus() -> list[SourceText]:
    """Every file of the corpus, read."""
    return _read(ROOT / "corpus" / "documents")


@pytest.fixture(scope="module")
def seeds(shared: Path, tokenizer: TiktokenTokenizer) -> list[Cutting]:
    """Every document of the raw pages, cut."""
    return _cuttings(shared / "seeds", tokenizer)


@pytest.fixture(scope="module")
def regulations(shared: Path, tokenizer: TiktokenTokenizer) -> list[Cutting]:
    """Every statute, cut."""
    return _cuttings(shared / "data" / "regulations", tokenizer)


@pytest.fixture(scope="module", params=["corpus", "seeds", "regulations"])
def cuttings(request: pytest.FixtureRequest, tokenizer: TiktokenTokenizer) -> list[Cutting]:
    """The documents of one collection, cut; the third-party ones where they are there."""
    if request.param == "corpus":
        return _cuttings(ROOT / "corpus" / "documents", tokenizer)
    found: list[Cutting] = request.getfixturevalue(request.param)
    return found


def test_every_front_matter_has_the_same_keys_in_the_same_order(corpus: list[SourceText]) -> None:
    """A reader finds each fact at one place, also where it is null."""
    assert corpus
    assert [s.source for s in corpus if list(s.declared) != KEYS] == []


def test_ids_are_the_file_names(corpus: list[SourceText]) -> None:
    """Who sees an id knows the file."""
    assert [s.source for s in corpus if s.source != f"{s.declared['id']}.md"] == []


def test_titles_are_the_first_headings(corpus: list[SourceText]) -> None:
    """The one H1 of a document is its title."""
    for source in corpus:
        body = source.text[source.body_start :]
        assert re.findall(r"^# (.+)$", body, re.MULTILINE) == [source.declared["title"]], source.source


def test_dates_are_dates_in_their_order(corpus: list[SourceText]) -> None:
    """Each is null or a day of this century; nothing ends before it begins, or was fetched before it was published."""
    for source in corpus:
        published, retrieved, start, end = (source.declared[key] for key in DATES)
        given = [d for d in (published, retrieved, start, end) if d is not None]
        assert all(type(d) is dt.date and d.year >= 2000 for d in given), source.source
        assert start is None or end is None or start <= end, source.source
        assert published is None or retrieved is None or published <= retrieved, source.source


def test_a_superseding_document_is_in_the_corpus(corpus: list[SourceText]) -> None:
    """`superseded_by` names an id, and not its own."""
    ids = {s.declared["id"] for s in corpus}
    for source in corpus:
        successor = source.declared["superseded_by"]
        assert successor is None or successor in ids - {source.declared["id"]}, source.source


def test_the_corpus_goes_in_without_a_problem(corpus: list[SourceText]) -> None:
    """One document a file, as declared."""
    found = [documents(source, "unused") for source in corpus]
    assert [[p.document.id for p in one] for one in found] == [[s.declared["id"]] for s in corpus]


def _figures(text: str) -> Counter[tuple[str, str]]:
    return Counter(slot.key for slot in slots(_LIST_NUMBER.sub("", text)))


def _main_article(page: SourceText) -> str:
    end = _BOILERPLATE.search(page.text)
    assert end is not None, page.source
    return page.text[: end.start()]


@pytest.fixture(scope="module")
def compared(shared: Path, corpus: list[SourceText]) -> dict[str, tuple[Counter[tuple[str, str]], ...]]:
    """For each page the figures of its main article, and those of the corpus article written from it."""
    articles = {s.declared["page"]: s for s in corpus if s.declared["kind"] == "article"}
    return {
        page.source: (
            _figures(_main_article(page)),
            _figures(articles[page.source].text[articles[page.source].body_start :]),
        )
        for page in _read(shared / "seeds")
    }


def test_the_figures_of_the_pages_stand_in_the_corpus(
    compared: dict[str, tuple[Counter[tuple[str, str]], ...]],
) -> None:
    """Of 100 different ratios, amounts, periods and dates of a page's article at least 97, those in `published` too."""
    assert len(compared) == 5
    stated = sum(len(page) for page, _ in compared.values())
    absent = sum(len(page.keys() - article.keys()) for page, article in compared.values())
    in_metadata = sum(reason is IN_PUBLISHED for table in LEFT_OUT.values() for _, reason in table.values())
    assert stated > 50
    assert (stated - absent + in_metadata) / stated >= 0.97


def test_every_figure_left_out_is_listed_with_its_reason(
    compared: dict[str, tuple[Counter[tuple[str, str]], ...]],
) -> None:
    """The table above is what is absent, neither more nor less."""
    absent = {name: dict(page - article) for name, (page, article) in compared.items() if page - article}
    assert absent == {name: {key: n for key, (n, _) in table.items()} for name, table in LEFT_OUT.items()}


def test_a_date_stamp_stands_in_published(corpus: list[SourceText]) -> None:
    """What the table excuses is there."""
    (article,) = (s for s in corpus if s.declared["page"] == "003_a9d76742babedffa.txt")
    assert article.declared["published"] == dt.date(2025, 6, 3)


def test_chunks_are_what_their_spans_say(cuttings: list[Cutting]) -> None:
    """`canonical[start:end]` is the chunk's text, exactly, inside its document."""
    for one in cuttings:
        for chunk in one.cut.chunks:
            assert one.text[chunk.span.start : chunk.span.end] == chunk.text != "", chunk.id
            assert one.document.extent.contains(chunk.span), chunk.id


def test_units_are_what_their_spans_say(cuttings: list[Cutting]) -> None:
    """A unit's text is the words of its spans with white space squeezed, each inside its document."""
    for one in cuttings:
        for unit in one.cut.units:
            assert unit.text == "\n".join(squeeze(one.text[s.start : s.end]) for s in unit.spans) != "", unit.id
            assert all(one.document.extent.contains(s) for s in unit.spans), unit.id


def test_units_lie_in_the_chunk_that_lists_them(cuttings: list[Cutting]) -> None:
    """What is found and what is cited belong together, and no chunk is without a unit."""
    for one in cuttings:
        by_id = {u.id: u for u in one.cut.units}
        assert [i for c in one.cut.chunks for i in c.units] == [u.id for u in one.cut.units]
        for chunk in one.cut.chunks:
            assert chunk.units, chunk.id
            assert all(chunk.span.contains(s) for i in chunk.units for s in by_id[i].spans), chunk.id


def test_chunks_follow_each_other_and_documents_do_not_overlap(cuttings: list[Cutting]) -> None:
    """A teaser never runs into its neighbour, and no text is stored twice."""
    for one in cuttings:
        assert all(a.span.end <= b.span.start for a, b in pairwise(one.cut.chunks)), one.document.id
    for one, other in pairwise(cuttings):
        assert one.document.path != other.document.path or not one.document.extent.overlaps(other.document.extent)


def test_section_spans_begin_with_their_heading(cuttings: list[Cutting]) -> None:
    """A section is found in the canonical text under its own title."""
    for one in cuttings:
        for section in one.document.sections:
            words = squeeze(one.text[section.start : section.end])
            assert len(section.title_path) == 1 or words.lstrip("*").startswith(section.title), section


def test_ids_are_used_once(cuttings: list[Cutting]) -> None:
    """Documents, chunks and units of a collection can be told apart."""
    for ids in (
        [c.document.id for c in cuttings],
        [chunk.id for c in cuttings for chunk in c.cut.chunks],
        [unit.id for c in cuttings for unit in c.cut.units],
    ):
        assert len(ids) == len(set(ids)) > 0


def test_the_five_pages_give_85_documents(seeds: list[Cutting]) -> None:
    """Five articles and eighty teasers; page 003 has no teasers, only links."""
    counts = Counter((one.document.source[:3], one.document.kind) for one in seeds)
    assert counts == {
        **{(page, "article"): 1 for page in ("000", "001", "002", "003", "004")},
        **{(page, "excerpt"): 20 for page in ("000", "001", "002", "004")},
    }


def test_each_teaser_has_its_own_title_and_date(seeds: list[Cutting]) -> None:
    """A teaser's title is its first line, its date the one on the line below it."""
    teasers = [one for one in seeds if one.document.kind == "excerpt"]
    assert len({one.document.title for one in teasers}) == 80
    for one in teasers:
        extent = one.document.extent
        assert one.text.startswith(one.document.title, extent.start)
        end_line = one.text[extent.end :].split("\n\n")[1].split("\n")[0]
        assert end_line == f"健康新闻 {one.document.published}", one.document.id


def test_articles_take_no_date_from_their_teasers(seeds: list[Cutting]) -> None:
    """Only page 003 gives a date of its own."""
    dated = {one.document.source[:3]: one.document.published for one in seeds if one.document.kind == "article"}
    assert dated == {"000": None, "001": None, "002": None, "003": dt.date(2025, 6, 3), "004": None}


@pytest.mark.parametrize("words", ["首页 顶部", "相关推荐", "不能代替面诊", "数据仅供参考", "社保网声明", "医保知识"])
def test_page_furniture_is_in_no_unit(seeds: list[Cutting], words: str) -> None:
    """Navigation, links and boilerplate stand in the pages and can't be cited."""
    assert any(words in one.text for one in seeds)
    assert [u.id for one in seeds for u in one.cut.units if words in u.text] == []


def test_the_regulations_are_statutes_with_their_articles(regulations: list[Cutting]) -> None:
    """Every 第…条 that begins a line is a section under that number, in order; all are official."""
    assert len(regulations) == 8
    for one in regulations:
        assert (one.document.kind, one.document.origin.authority) == ("statute", "official"), one.document.id
        articles = re.findall(r"^(第[一二三四五六七八九十百零]+条)[ \u3000]", one.text, re.MULTILINE)
        titles = [s.title for s in one.document.sections if s.title.endswith("条") and s.title.startswith("第")]
        assert len(articles) >= 9
        assert titles == articles, one.document.id


def test_the_regulations_know_their_days(regulations: list[Cutting]) -> None:
    """The latest act in the note below the title, and the day from which that version holds; none is made up."""
    days = {one.document.id: (one.document.published, one.document.effective_from) for one in regulations}
    assert days["上海市医疗保障条例"] == (dt.date(2024, 12, 31), dt.date(2025, 3, 1))
    assert days["浙江省医疗保障条例"] == (dt.date(2021, 3, 26), dt.date(2021, 7, 1))
    assert days["医疗保障基金使用监督管理条例"] == (dt.date(2021, 1, 15), dt.date(2021, 5, 1))
    assert days["基本医疗卫生与健康促进法"] == (dt.date(2019, 12, 28), dt.date(2020, 6, 1))
    assert days["社会保险法"] == (dt.date(2018, 12, 29), dt.date(2018, 12, 29))
    assert days["社会保险费征缴暂行条例"] == (dt.date(1999, 1, 22), dt.date(1999, 1, 22))
    assert days["社会保险经办条例"] == (None, dt.date(2023, 12, 1))
    assert days["上海市城镇职工社会保险费征缴若干规定"] == (None, dt.date(2000, 12, 1))


def test_the_regulations_name_no_publisher_that_is_none(regulations: list[Cutting]) -> None:
    """A word after a date in the note is not who published."""
    assert {
        one.document.id: one.document.origin.publisher for one in regulations if one.document.origin.publisher
    } == {}
