"""Story 1: what goes in, what is computed anew, and what a failure leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rag.errors import EmbedderMismatch, EmbedderUnavailable, IndexDamaged, UnreadableFile, WriterBusy
from rag.indexing import Indexer
from rag.ports import Embedder, Vectors
from rag.snapshots import SnapshotStore
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.storage import MemoryStorage
from tests.fakes.tokenizer import CharacterTokenizer

Make = Callable[..., Indexer]

NURSING = "# 护理补贴\n\n护理补贴按月发放。\n\n每月不超过九百元。\n"
DENTAL = "# 种植牙\n\n种植牙自费。\n"
PAGE = """<html lang="zh"><head><title>长期护理保险试点问答</title>
<meta property="article:published_time" content="{date}">
</head><body><article><h1>长期护理保险试点问答</h1><p>失能人员经评估后可以申请护理补贴，补贴按月发放到本人账户，由经办机构负责。</p>
<p>评估由定点机构上门完成，结论在两年之内有效，到期之前可以申请复评，复评不收取任何费用。</p></article></body></html>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files."""
    made = tmp_path / "in"
    made.mkdir()
    (made / "nursing.md").write_text(NURSING, "utf-8")
    (made / "dental.md").write_text(DENTAL, "utf-8")
    return made


@pytest.fixture
def storage() -> MemoryStorage:
    """Files in memory."""
    return MemoryStorage()


@pytest.fixture
def store(tmp_path: Path, storage: MemoryStorage) -> SnapshotStore:
    """No snapshots yet."""
    return SnapshotStore(tmp_path / "data", storage)


@pytest.fixture
def make(store: SnapshotStore, storage: MemoryStorage) -> Make:
    """Makes indexers over one store; each with a fresh embedder unless another is given."""

    def made(embedder: Embedder | None = None, verify: Callable[[str], None] = lambda _: None) -> Indexer:
        return Indexer(store, storage, CharacterTokenizer(), embedder, verify, lambda *_: None)

    return made


@pytest.fixture
def embedder() -> FakeEmbedder:
    """Counts what it is asked for."""
    return FakeEmbedder()


def titles(store: SnapshotStore) -> list[str]:
    """Titles of the documents in the current snapshot, sorted."""
    return sorted(document.title for document in store.open_current().catalogue.documents())


def test_files_become_a_current_snapshot(
    make: Make, folder: Path, store: SnapshotStore, embedder: FakeEmbedder
) -> None:
    """The report counts what the new snapshot holds, and the snapshot is in force."""
    report = make(embedder).ingest([folder])
    assert (report.documents, report.chunks, report.removed, report.problems) == (2, 2, 0, ())
    assert report.snapshot == store.current_id()
    assert report.embedded == len(embedder.texts) == 5  # two chunks and three sentences
    store.open_current().verify()


def test_a_second_ingest_changes_nothing(
    make: Make, folder: Path, store: SnapshotStore, embedder: FakeEmbedder
) -> None:
    """The same files again: the same snapshot, and nothing is computed."""
    first = make(embedder).ingest([folder])
    again = make(embedder).ingest([folder])
    assert (again.snapshot, again.embedded, again.reused) == (first.snapshot, 0, 5)
    assert len(store.manifests()) == 1


def test_only_new_words_are_embedded(make: Make, folder: Path, embedder: FakeEmbedder) -> None:
    """A changed sentence costs itself and its chunk; everything else is reused."""
    make(embedder).ingest([folder])
    (folder / "nursing.md").write_text(NURSING.replace("九百", "八百"), "utf-8")
    report = make(embedder).ingest([folder])
    assert (report.embedded, report.reused) == (2, 3)
    assert embedder.texts[-1] == "每月不超过八百元。"


def test_a_changed_file_replaces_the_old_one(make: Make, folder: Path, store: SnapshotStore) -> None:
    """The old words are gone, and the document is there once."""
    make().ingest([folder])
    (folder / "nursing.md").write_text(NURSING.replace("九百", "八百"), "utf-8")
    make().ingest([folder / "nursing.md"])
    catalogue = store.open_current().catalogue
    assert [d.id for d in catalogue.documents()].count("nursing") == 1
    assert "八百" in catalogue.text("nursing")
    assert "九百" not in catalogue.text("nursing")


def test_other_files_stay(make: Make, folder: Path, store: SnapshotStore, tmp_path: Path) -> None:
    """What is ingested later comes beside what was there."""
    make().ingest([folder])
    (tmp_path / "late.md").write_text("# 配镜\n\n配镜不报。\n", "utf-8")
    make().ingest([tmp_path / "late.md"])
    assert titles(store) == ["护理补贴", "种植牙", "配镜"]


def test_a_removed_file_stays_until_pruned(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Without `prune` nothing disappears; with it what is gone from the folder goes."""
    make().ingest([folder])
    (folder / "dental.md").unlink()
    assert make().ingest([folder]).removed == 0
    assert titles(store) == ["护理补贴", "种植牙"]
    assert make().ingest([folder], prune=True).removed == 1
    assert titles(store) == ["护理补贴"]


def test_pruning_one_folder_leaves_others_alone(make: Make, folder: Path, store: SnapshotStore, tmp_path: Path) -> None:
    """Only what lay below the paths given can be gone from them, be their names ever so alike."""
    other = tmp_path / "in-2"
    other.mkdir()
    (other / "glasses.md").write_text("# 配镜\n\n配镜不报。\n", "utf-8")
    make().ingest([folder, other])
    (other / "glasses.md").unlink()
    (folder / "dental.md").unlink()
    make().ingest([folder], prune=True)
    assert titles(store) == ["护理补贴", "配镜"]


def test_pruned_to_nothing_is_an_empty_index(make: Make, folder: Path, store: SnapshotStore) -> None:
    """The last file may go as well."""
    make(FakeEmbedder()).ingest([folder])
    for path in list(folder.iterdir()):
        path.unlink()
    report = make(FakeEmbedder()).ingest([folder], prune=True)
    assert (report.documents, report.removed) == (0, 2)
    store.open_current().verify()


def test_unreadable_files_are_named_one_by_one(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Each file that did not go in is reported with its reason; the others are in."""
    (folder / "empty.md").write_bytes(b"")
    (folder / "picture.txt").write_bytes(bytes(range(256)) * 8)
    (folder / "odd.md").write_text("---\ncolour: red\n---\n# 甲\n\n乙。\n", "utf-8")
    report = make().ingest([folder])
    assert {p.file: p.reason for p in report.problems} == {
        "empty.md": "empty file",
        "odd.md": "unknown key 'colour' in the front matter",
        "picture.txt": "binary file",
    }
    assert titles(store) == ["护理补贴", "种植牙"]


def test_a_file_that_becomes_unreadable_keeps_its_last_words(make: Make, folder: Path, store: SnapshotStore) -> None:
    """A damaged copy does not take a good document out of the index, not even when pruning."""
    make().ingest([folder])
    (folder / "dental.md").write_bytes(b"")
    report = make().ingest([folder], prune=True)
    assert [p.file for p in report.problems] == ["dental.md"]
    assert titles(store) == ["护理补贴", "种植牙"]


def test_a_path_that_is_not_there_is_refused(make: Make, folder: Path, store: SnapshotStore) -> None:
    """A misspelt path is an error, and nothing is ingested by the way."""
    with pytest.raises(UnreadableFile, match="no such file"):
        make().ingest([folder, folder / "none.md"])
    assert store.current_id() is None


def test_two_files_of_one_id_are_told_apart(make: Make, folder: Path, tmp_path: Path) -> None:
    """The second file is reported with the path of the first, and does not replace it."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "dental.md").write_text("# 别的\n\n别的一句。\n", "utf-8")
    report = make().ingest([folder, tmp_path / "x"])
    assert report.documents == 2
    assert str(folder / "dental.md") in report.problems[0].reason


def test_an_id_is_not_taken_from_a_file_that_became_unreadable(make: Make, folder: Path, store: SnapshotStore) -> None:
    """What is kept of a damaged file still owns its id: the newcomer is a problem and not a crash."""
    make().ingest([folder])
    (folder / "dental.md").write_bytes(b"")
    (folder / "nursing.md").write_text(f"---\nid: dental\n---\n{NURSING}", "utf-8")
    report = make().ingest([folder])
    assert [p.file for p in report.problems] == ["dental.md", "nursing.md"]
    assert titles(store) == ["护理补贴", "种植牙"]


def test_a_pages_date_is_part_of_the_page(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Metadata of an HTML page that change while its text stays make it another file."""
    page = folder / "page.html"
    page.write_text(PAGE.format(date="2023-05-04"), "utf-8")
    make().ingest([folder])
    page.write_text(PAGE.format(date="2024-06-05"), "utf-8")
    make().ingest([folder])
    document = store.open_current().catalogue.document("page")
    assert document is not None
    assert str(document.published) == "2024-06-05"


def test_a_killed_build_leaves_the_old_snapshot_in_force(make: Make, folder: Path, store: SnapshotStore) -> None:
    """An embedder that fails half-way changes nothing for readers."""
    before = make(FakeEmbedder()).ingest([folder]).snapshot
    _many_sentences(folder)
    with pytest.raises(EmbedderUnavailable):
        make(FakeEmbedder(fails_after=40)).ingest([folder])
    assert store.current_id() == before
    assert titles(store) == ["护理补贴", "种植牙"]


def test_vectors_of_a_killed_build_are_reused(make: Make, folder: Path) -> None:
    """What was computed before the failure is not computed again."""
    _many_sentences(folder)
    failing, second = FakeEmbedder(fails_after=40), FakeEmbedder()
    with pytest.raises(EmbedderUnavailable):
        make(failing).ingest([folder])
    report = make(second).ingest([folder])
    assert len(failing.texts) == 6 + 32  # the chunks, and two whole batches of units
    assert not set(second.texts) & set(failing.texts)
    assert (report.embedded, report.reused) == (len(second.texts), 38)


def test_a_snapshot_that_does_not_verify_is_not_used(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Verification comes before activation."""
    before = make(FakeEmbedder()).ingest([folder]).snapshot
    (folder / "dental.md").write_text(DENTAL.replace("自费", "报一半"), "utf-8")

    def refuse(snapshot_id: str) -> None:
        raise IndexDamaged(f"{snapshot_id} is not whole")

    with pytest.raises(IndexDamaged, match="not whole"):
        make(FakeEmbedder(), refuse).ingest([folder])
    assert store.current_id() == before


def test_the_old_snapshot_is_read_until_the_new_one_is_verified(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Whoever looks while a build is being verified sees the old one, and the new one right after."""
    before = make().ingest([folder]).snapshot
    (folder / "dental.md").write_text(DENTAL.replace("自费", "报一半"), "utf-8")
    seen: list[str | None] = []
    after = make(verify=lambda _: seen.append(store.current_id())).ingest([folder]).snapshot
    assert seen == [before]
    assert store.current_id() == after != before


def test_two_ingests_at_once_are_not_possible(make: Make, folder: Path, store: SnapshotStore) -> None:
    """The second is told that another one is running."""
    with store.writer(), pytest.raises(WriterBusy):
        make().ingest([folder])


def test_another_embedder_is_refused_before_anything_is_done(make: Make, folder: Path, store: SnapshotStore) -> None:
    """An index is not continued with another model's vectors; both are named."""
    before = make(FakeEmbedder("old-model")).ingest([folder]).snapshot
    other = FakeEmbedder("new-model")
    with pytest.raises(EmbedderMismatch, match=r"old-model.*new-model"):
        make(other).ingest([folder])
    assert (store.current_id(), other.texts) == (before, [])


@pytest.mark.parametrize(("before", "after"), [(None, FakeEmbedder()), (FakeEmbedder(), None)])
def test_documents_outlive_a_switch_of_vectors(
    make: Make, folder: Path, store: SnapshotStore, tmp_path: Path, before: Embedder | None, after: Embedder | None
) -> None:
    """When an embedder comes or goes, documents that are not given again stay in the index."""
    make(before).ingest([folder])
    (tmp_path / "late.md").write_text("# 配镜\n\n配镜不报。\n", "utf-8")
    make(after).ingest([tmp_path / "late.md"])
    assert titles(store) == ["护理补贴", "种植牙", "配镜"]


def test_an_embedder_that_comes_later_embeds_everything(make: Make, folder: Path, store: SnapshotStore) -> None:
    """The same files with an embedder make a snapshot with vectors, though no file changed."""
    make().ingest([folder])
    report = make(FakeEmbedder()).ingest([folder])
    assert report.embedded == 5
    assert store.open_current().vectors is not None


def test_progress_tells_every_stage(store: SnapshotStore, storage: MemoryStorage, folder: Path) -> None:
    """Each stage ends at its total."""
    told: dict[str, tuple[int, int]] = {}

    def listen(stage: str, done: int, total: int) -> None:
        told[stage] = (done, total)

    Indexer(store, storage, CharacterTokenizer(), FakeEmbedder(), lambda _: None, listen).ingest([folder])
    assert told == {"读取": (2, 2), "写入": (2, 2), "检索词": (5, 5), "嵌入": (5, 5), "核对": (1, 1)}


class _LyingEmbedder(FakeEmbedder):
    """Gives a row too few."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        return super().passages(texts)[:-1]


def test_a_row_too_few_is_never_stored(make: Make, folder: Path, store: SnapshotStore) -> None:
    """Vectors that don't match their texts stop the build."""
    with pytest.raises(ValueError, match="shorter"):
        make(_LyingEmbedder()).ingest([folder])
    assert store.current_id() is None


def _many_sentences(folder: Path) -> None:
    lines = "\n\n".join(f"第{n}档护理补贴每月{n * 7}元。" for n in range(60))
    (folder / "many.md").write_text(f"# 档次\n\n{lines}\n", "utf-8")


def test_a_rebuild_is_made_of_the_given_paths_alone(
    make: Make, folder: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    """It reads everything anew, whatever embedder made the old index and whatever state that one is in."""
    make(FakeEmbedder("old-model")).ingest([folder])
    (tmp_path / "late.md").write_text("# 配镜\n\n配镜不报。\n", "utf-8")
    make(FakeEmbedder("old-model")).ingest([tmp_path / "late.md"])
    (store.snapshots / str(store.current_id()) / "manifest.json").write_bytes(b"{")
    report = make(FakeEmbedder("new-model")).ingest([folder], rebuild=True)
    assert (report.snapshot, report.embedded) == (store.current_id(), 5)
    assert titles(store) == ["护理补贴", "种植牙"]


def test_above_the_limit_only_chunks_are_embedded(
    store: SnapshotStore, storage: MemoryStorage, folder: Path, embedder: FakeEmbedder
) -> None:
    """The manifest and the open snapshot say so, verification copes, and a second ingest changes nothing."""

    def limited(units: int) -> Indexer:
        return Indexer(store, storage, CharacterTokenizer(), embedder, lambda _: None, lambda *_: None, units)

    report = limited(2).ingest([folder])
    assert (report.embedded, report.reused) == (len(embedder.texts), 0) == (2, 0)
    snapshot = store.open_current()
    assert (snapshot.units_embedded, snapshot.manifest.units_embedded) == (False, False)
    snapshot.verify()
    assert limited(2).ingest([folder]).snapshot == report.snapshot
    assert limited(3).ingest([folder]).embedded == 3
    assert store.open_current().units_embedded


def test_rows_taken_over_make_the_same_index(make: Make, folder: Path, store: SnapshotStore, tmp_path: Path) -> None:
    """BM25 of an index that grew file by file is, byte by byte, that of one built at once."""
    make().ingest([folder / "nursing.md"])
    make().ingest([folder])
    grown = store.snapshots / str(store.current_id()) / "lexical"
    (tmp_path / "other").mkdir()
    shutil.copytree(grown, tmp_path / "other" / "lexical")
    make().ingest([folder], rebuild=True)
    fresh = store.snapshots / str(store.current_id()) / "lexical"
    for path in (p for p in fresh.rglob("*") if p.is_file()):
        assert (tmp_path / "other" / "lexical" / path.relative_to(fresh)).read_bytes() == path.read_bytes()


LONG = (
    "参保人员在外地住院，应当先办理备案；没有备案的，由本人先行垫付费用，再回参保地申请报销。"
    "报销时限为出院之日起6个月。"
)


def test_a_reprint_is_indexed_once_and_comes_back_alone(make: Make, folder: Path, store: SnapshotStore) -> None:
    """The same text on two pages is one document with both sources; without the first the second is found again."""
    (folder / "a.md").write_text(f"---\nid: a\ntitle: 异地住院\npublished: 2025-01-01\n---\n{LONG}\n", "utf-8")
    (folder / "b.md").write_text(f"---\nid: b\ntitle: 异地住院\npublished: 2025-06-01\n---\n{LONG}\n", "utf-8")
    report = make().ingest([folder])
    assert report.documents == 3
    snapshot = store.open_current()
    assert {d.id: [r.source for r in d.also_at] for d in snapshot.catalogue.documents()} == {
        "a": ["b.md"],
        "dental": [],
        "nursing": [],
    }
    snapshot.close()
    assert make().ingest([folder]).snapshot == report.snapshot
    (folder / "a.md").unlink()
    make().ingest([folder], prune=True)
    snapshot = store.open_current()
    assert {d.id: d.also_at for d in snapshot.catalogue.documents()}.keys() == {"b", "dental", "nursing"}
    snapshot.close()
