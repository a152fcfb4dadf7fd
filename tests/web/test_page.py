"""The page for people: a form, examples, and nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

CHROMIUM = Path("/usr/bin/chromium")


def test_the_page_is_html_in_chinese(http: httpx.Client) -> None:
    """With a form for a question no longer than the service takes."""
    response = http.get("/")
    assert response.headers["content-type"].split(";")[0] == "text/html"
    assert '<html lang="zh-CN">' in response.text
    assert '<form id="ask">' in response.text
    assert 'maxlength="2000"' in response.text


def test_the_page_loads_no_other_file(http: httpx.Client) -> None:
    """Styles and script are in it; it asks `/chat` and nothing else."""
    text = http.get("/").text
    assert re.findall(r"(?:src|href)=|@import|url\(", text) == []
    assert re.findall(r"fetch\(\"([^\"]+)\"", text) == ["/chat"]


def test_the_page_writes_texts_as_texts(http: httpx.Client) -> None:
    """Nothing that a document or a model says is parsed as HTML."""
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", http.get("/").text) == []


def test_the_page_runs_in_a_browser(base_url: str, tmp_path: Path) -> None:
    """The script puts four examples below the form."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=15000",
        "--dump-dom",
    ]
    done = subprocess.run([CHROMIUM, *flags, base_url + "/"], capture_output=True, text=True, timeout=60, check=True)
    assert '<form id="ask">' in done.stdout
    assert done.stdout.count('class="example"') == 4
