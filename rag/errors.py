"""The error family, drawn as a tree. A class says who must act.

    YibaoError
    ├── CallerError            the one who called: bad input, named by field or file
    │   ├── InvalidRequest
    │   └── UnreadableFile
    ├── OperatorError          the one who runs the service: settings, index, models
    │   ├── InvalidSettings
    │   ├── IndexMissing
    │   ├── IndexDamaged
    │   ├── EmbedderMismatch
    │   ├── VectorsUnreachable
    │   ├── DiskFull
    │   ├── WriterBusy
    │   ├── PromptInvalid
    │   ├── EmbedderUnavailable
    │   └── ModelFileInvalid
    └── ModelFailure           nobody at once: the extractive path answers instead
        ├── ModelDown
        ├── ModelTooSlow
        ├── ModelBusy
        └── ModelOutputInvalid

Vendors' errors are translated in their adapters; HTTP status codes exist in `web` only.
"""

from __future__ import annotations

from typing import ClassVar

from rag.domain import Degradation


class YibaoError(Exception):
    """Base of everything raised on purpose."""


class CallerError(YibaoError):
    """The request can't be served as it stands."""


class InvalidRequest(CallerError):
    """A field of a request is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


class UnreadableFile(CallerError):
    """A file that can't be ingested; the rest goes on without it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class OperatorError(YibaoError):
    """The service can't run as it is set up; the message says what to do."""


class InvalidSettings(OperatorError):
    """A setting is unknown or has a value of the wrong form."""


class IndexMissing(OperatorError):
    """No snapshot is active."""


REBUILD = "rebuild the index with `rag ingest PATH... --rebuild`, naming every PATH it should hold"


class IndexDamaged(OperatorError):
    """A snapshot does not hold what its manifest says. The message ends with what to do about it."""

    def __init__(self, what: str, remedy: str = REBUILD) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what, self.remedy = what, remedy


class EmbedderMismatch(OperatorError):
    """The index was built with another embedder than the one in force."""


class VectorsUnreachable(OperatorError):
    """The Chroma server does not answer; nothing is known to be wrong with the index itself."""


class DiskFull(OperatorError):
    """There is no room for what has to be written; what was in force stays in force."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; the index is as it was; `rag index gc` deletes old snapshots")


class WriterBusy(OperatorError):
    """Another process is building a snapshot."""


class PromptInvalid(OperatorError):
    """A prompt file lacks what its signature promises."""


class EmbedderUnavailable(OperatorError):
    """The embedder can't run here or does not answer."""


class RerankerUnavailable(OperatorError):
    """The reranking endpoint does not answer as it should."""


class ModelFileInvalid(OperatorError):
    """The model's weights are absent, incomplete or not the ones expected."""


class ModelFailure(YibaoError):
    """The language model gave nothing usable. `degraded` is what the outcome says of it."""

    degraded: ClassVar[Degradation]


class ModelDown(ModelFailure):
    """No connection, or an error status."""

    degraded = "model_down"


class ModelTooSlow(ModelFailure):
    """The deadline passed."""

    degraded = "deadline"


class ModelBusy(ModelFailure):
    """Someone else's answer is being written."""

    degraded = "queue_full"


class ModelOutputInvalid(ModelFailure):
    """The reply is not of the promised shape, also after one repair."""

    degraded = "invalid_output"
