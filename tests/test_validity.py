"""Which text was in force when: files to an index, a question and a day to what held on that day.

The statutes here are invented, but for the last tests, which need the real ones beside the checkout.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Answer, Outcome
from rag.pipeline import Pipeline
from rag.ports import SourceRecord
from rag.retrieve.lexical import LexicalIndex
from rag.retrieve.passages import PassageRetriever
from rag.settings import Settings
from rag.wiring import Service, build_indexer
from tests.fakes.storage import MemoryCatalogue
from tests.making import a_record

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]
QUESTION = "护理补助按照医疗费用的百分之几发放？"


def statute(name: str, head: str, share: str, last: str) -> str:
    """A statute of five articles, the third of which says what share is paid."""
    return (
        f"# {name}\n\n{head}\n\n"
        "第一条 为了规范护理补助，制定本法。\n\n"
        "第二条 护理补助遵循公开、公平、及时的原则。\n\n"
        f"第三条 护理补助按照医疗费用的{share}发放。\n\n"
        "第四条 护理补助由经办机构发放到本人账户。\n\n"
        f"第五条 {last}\n"
    )


NAME = "中华人民共和国护理补助法"
ENACTED = "2010年3月4日 第九次会议通过"
AMENDED = f"{ENACTED}\n\n2018年5月6日 第三次会议《关于修改〈{NAME}〉的决定》修正"
REVISED = f"{AMENDED}\n\n2029年1月8日 第八次会议修订"
FIRST_DAY = "本法自2010年7月1日起施行。《护理补助暂行办法》同时废止。"
SHARES = {"26%", "35%", "44%", "51%", "62%", "73%"}
FILES = {
    "护理补助法(2010-03-04).md": statute(NAME, ENACTED, "51%", FIRST_DAY),
    "护理补助法(2018-05-06).md": statute(NAME, AMENDED, "62%", FIRST_DAY),
    "护理补助法(2029-01-08).md": statute(NAME, REVISED, "73%", "本法自2029年6月1日起施行。"),
    "护理补助暂行办法.md": statute("护理补助暂行办法", "2003年2月1日公布", "44%", "本办法自公布之日起施行。"),
    "ended.md": "---\nid: ended\neffective_to: 2012-12-31\n---\n\n# 护理补助试点\n\n护理补助按照医疗费用的35%发放。\n",
    "replaced.md": "---\nid: replaced\nsuperseded_by: other\n---\n\n# 护理补助说明\n\n按照医疗费用的26%发放。\n",
}


def serve(folder: Path, files: dict[str, str], settings: Settings) -> Iterator[Service]:
    """Extractive answers over the files."""
    (folder / "in").mkdir()
    for name, text in files.items():
        (folder / "in" / name).write_text(text, "utf-8")
    build_indexer(settings, lambda _stage, _done, _total: None).ingest([folder / "in"])
    made = Service(settings)
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Settings:
    """Extractive answers, an empty data folder."""
    data = str(tmp_path_factory.mktemp("data"))
    return Settings(data_dir=data, model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, plain: Settings) -> Iterator[Service]:
    """The invented statutes, indexed once."""
    yield from serve(tmp_path_factory.mktemp("invented"), FILES, plain)


async def ask(pipeline: Pipeline, question: str, day: str) -> Outcome:
    """The outcome as of that day."""
    return await pipeline.answer(pipeline.query(question, as_of=dt.date.fromisoformat(day)))


@pytest.mark.parametrize(
    ("day", "shares"),
    [
        ("2003-01-31", {"35%"}),
        ("2003-02-01", {"35%", "44%"}),
        ("2010-06-30", {"35%", "44%"}),
        ("2010-07-01", {"35%", "51%"}),
        ("2013-01-01", {"51%"}),
        ("2018-05-05", {"51%"}),
        ("2018-05-06", {"62%"}),
        ("2026-11-23", {"62%"}),
        ("2029-05-31", {"62%"}),
        ("2029-06-01", {"73%"}),
    ],
)
async def test_only_what_held_on_the_day_is_found_and_told(service: Service, day: str, shares: set[str]) -> None:
    """Not yet in force, ended, replaced by a version or a newer text, repealed: none of it is found for that day."""
    with service.searchers.lend() as searcher:
        found = searcher.passages(QUESTION, (), dt.date.fromisoformat(day), 50)
    assert {share for passage in found for share in SHARES if share in passage.chunk.text} == shares
    outcome = await ask(service.pipeline, QUESTION, day)
    assert isinstance(outcome, Answer)
    assert any(share in outcome.text for share in shares)
    assert not any(share in outcome.text for share in SHARES - shares)


async def test_a_day_before_every_text_has_no_answer_from_them(service: Service) -> None:
    """Where the text in force is not in the index, a later one does not stand in for it."""
    outcome = await ask(service.pipeline, "护理补助由谁发放到本人账户？", "2001-01-01")
    assert outcome.citations == ()


DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31))
FIRST_DAYS = st.lists(DAYS, min_size=1, max_size=4, unique=True)


def version(n: int, first: dt.date, last: dt.date | None) -> SourceRecord:
    """A version of one statute, as it would be ingested."""
    return a_record(
        f"version{n}", f"护理补助第{n}版。", title="护理补助法", kind="statute", effective_from=first, effective_to=last
    )


@given(st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=6), FIRST_DAYS, st.none() | DAYS, DAYS)
def test_nothing_outside_of_its_time_is_ever_retrieved(
    articles: list[tuple[dt.date, dt.date | None]], firsts: list[dt.date], last: dt.date | None, as_of: dt.date
) -> None:
    """Of a statute the newest version that has begun is found, of articles those of the day, and all of these."""
    records = [
        *(
            a_record(f"a{n}", f"护理补助说明{n}。", effective_from=a, effective_to=z)
            for n, (a, z) in enumerate(articles)
        ),
        *(version(n, first, last) for n, first in enumerate(firsts)),
    ]
    catalogue = MemoryCatalogue()
    for record in records:
        catalogue.add(record)
    retriever = PassageRetriever(catalogue, LexicalIndex.build([r.text for r in records]), None, None)
    begun = [first for first in firsts if first <= as_of]
    expected = {f"a{n}" for n, (a, z) in enumerate(articles) if a <= as_of and (z is None or as_of <= z)}
    if begun and (last is None or as_of <= last):
        expected.add(f"version{firsts.index(max(begun))}")
    assert {p.document.id for p in retriever.search("护理补助", 20, (), as_of).passages} == expected


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory, plain: Settings) -> Iterator[Service]:
    """The real 社会保险法 as amended in 2018, and as it was before: all funds had accounts of their own."""
    amended = (shared / "data" / "regulations" / "社会保险法.md").read_text("utf-8")
    note = next(line for line in amended.splitlines() if "修正" in line)
    merged = "除基本医疗保险基金与生育保险基金合并建账及核算外，其他"
    assert merged in amended
    before = amended.replace(note, "").replace(merged, "")
    folder = tmp_path_factory.mktemp("real")
    words_alone = msgspec.structs.replace(plain, data_dir=str(folder / "data"), embedder="none")
    files = {"社会保险法(2018-12-29).md": amended, "社会保险法(2010-10-28).md": before}
    yield from serve(folder, files, words_alone)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2011-06-30", set()),
        ("2011-07-01", {"社会保险法(2010-10-28)"}),
        ("2018-12-28", {"社会保险法(2010-10-28)"}),
        ("2018-12-29", {"社会保险法(2018-12-29)"}),
        ("2026-11-23", {"社会保险法(2018-12-29)"}),
    ],
)
async def test_a_real_statute_answers_in_the_version_of_the_day(real: Service, day: str, expected: set[str]) -> None:
    """Passages and citations are of one version only."""
    question = "社会保险基金按照什么分别建账、分账核算？"
    with real.searchers.lend() as searcher:
        found = searcher.passages(question, (), dt.date.fromisoformat(day), 30)
    outcome = await ask(real.pipeline, question, day)
    assert {p.document.id for p in found} == expected
    assert {c.document_id for c in outcome.citations} == expected
