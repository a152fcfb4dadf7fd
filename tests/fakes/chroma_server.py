"""A real Chroma server on a loopback port, as `chroma run` starts it; for tests of the same code against a server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError

_PATIENCE = 60


class ChromaServer:
    """Keeps its rows in `folder`; a context manager. After `kill` it may be started again on the same port."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which(
            "chroma", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        )
        if program is None:
            raise AssertionError("chromadb brings the program chroma")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        self._command = [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", port]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"the Chroma server does not answer; exit status {self._process.poll()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=1).close()  # noqa: S310 - loopback
        except (URLError, OSError):
            return False
        return True
