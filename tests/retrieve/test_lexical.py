"""BM25 over Chinese terms: rows keep their order, and a saved index answers as the built one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rag.errors import IndexDamaged
from rag.retrieve.lexical import LexicalIndex

ROWS = ["护理补贴按月发放到本人账户。", "种植牙自费。", "，。", "护理评估两年内有效，护理评估上门完成。"]


@pytest.fixture
def index() -> LexicalIndex:
    """Four rows, one of them without a term."""
    return LexicalIndex.build(ROWS)


def test_a_row_with_the_questions_words_scores(index: LexicalIndex) -> None:
    """Scores stand in the order of the rows; a row that shares no word has none."""
    scores = index.scores("种植牙")
    assert scores.shape == (4,)
    assert scores[1] > 0
    assert scores[[0, 2, 3]].tolist() == [0, 0, 0]


def test_width_and_case_do_not_matter() -> None:
    """Full-width letters and capitals are the same words."""
    index = LexicalIndex.build(["用ＡＰＰ备案。", "去窗口。"])
    assert index.scores("app")[0] == index.scores("APP")[0] > 0


@pytest.mark.parametrize("question", ["", "？", "火星 quux", "\x00"])
def test_words_that_no_row_has_score_nothing(index: LexicalIndex, question: str) -> None:
    """An unknown or empty question is no error."""
    assert index.scores(question).tolist() == [0, 0, 0, 0]


def test_rarer_words_tell_more(index: LexicalIndex) -> None:
    """The weight falls with the number of rows; a word that no row has weighs most."""
    assert index.idf("护理") == pytest.approx(math.log(1 + 2.5 / 2.5))
    assert index.idf("护理") < index.idf("自费") < index.idf("火星")


def test_a_loaded_index_scores_as_the_built_one(index: LexicalIndex, tmp_path: Path) -> None:
    """Nothing is lost on disk."""
    index.save(tmp_path / "lexical")
    loaded = LexicalIndex.load(tmp_path / "lexical", 4)
    assert loaded.scores("护理评估").tolist() == index.scores("护理评估").tolist()
    assert loaded.idf("自费") == index.idf("自费")


def test_an_index_of_no_rows_is_an_index(tmp_path: Path) -> None:
    """An empty corpus is saved, loaded and asked like any other."""
    LexicalIndex.build([]).save(tmp_path / "lexical")
    assert LexicalIndex.load(tmp_path / "lexical", 0).scores("护理").shape == (0,)


def test_an_index_of_rows_without_terms_is_an_index(tmp_path: Path) -> None:
    """Rows of punctuation alone keep their places."""
    LexicalIndex.build(["，。", "——"]).save(tmp_path / "lexical")
    assert LexicalIndex.load(tmp_path / "lexical", 2).scores("护理").tolist() == [0, 0]


def test_another_number_of_rows_is_damage(index: LexicalIndex, tmp_path: Path) -> None:
    """An index that is not the manifest's would rank the wrong rows."""
    index.save(tmp_path / "lexical")
    with pytest.raises(IndexDamaged, match="4 rows"):
        LexicalIndex.load(tmp_path / "lexical", 5)


@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_every_lost_file_is_damage(index: LexicalIndex, tmp_path: Path, damage: str) -> None:
    """Whichever of its files is gone or empty, the index is refused."""
    index.save(tmp_path / "whole")
    for name in sorted(path.name for path in (tmp_path / "whole").iterdir()):
        folder = tmp_path / name
        index.save(folder)
        (folder / name).unlink() if damage == "missing" else (folder / name).write_bytes(b"")
        with pytest.raises(IndexDamaged, match="can't be read"):
            LexicalIndex.load(folder, 4)
