"""A real browser without a window, spoken to over two pipes in the DevTools protocol.

Knows how to open an address, wait, and look. What a page has to show is the job of the tests.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, Self

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--force-color-profile=srgb")
_PATIENCE_SECONDS = 30


class Browser:
    """One tab. `profile` is an empty folder of its own."""

    def __init__(self, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        # Chromium reads from 3 and writes to 4, and nothing else will do.
        shell = ["/bin/bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *command]
        self._process = subprocess.Popen(shell, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers, self._unread, self._session = itertools.count(1), b"", ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """What a command of the protocol answers."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != number:
            pass  # an event
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def open(self, address: str, *, width: int = 800, height: int = 900) -> None:
        """Go there, in a window of that size."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < height
        )
        self.call("Page.navigate", url=address)

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever the expression is worth
        """The value of an expression on the page."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise AssertionError(told["exceptionDetails"])
        return told["result"].get("value")

    def wait_for(self, selector: str) -> None:
        """Until the page holds such an element."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self.ask(f"!!document.querySelector({json.dumps(selector)})"):
            if time.monotonic() > until:
                raise AssertionError(f"no {selector} in: {self.ask('document.body.innerText')}")
            time.sleep(0.05)

    def html(self, selector: str) -> str:
        """The first such element, as HTML."""
        return str(self.ask(f"document.querySelector({json.dumps(selector)}).outerHTML"))

    def screenshot(self, file: Path) -> None:
        """All of the page as an image, for people to look at."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            received = os.read(self._in, 1 << 16)
            if not received:
                raise AssertionError("the browser went away")
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))
