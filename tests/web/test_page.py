"""The page for people: a form, examples, every kind of outcome, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from rag.settings import Settings
from rag.wiring import build_indexer
from tests.samples import OFF_TOPIC, QUESTION, write_documents
from tests.web.browser import CHROMIUM, Browser
from tests.web.conftest import ROOT, running

EMERGENCY = "我爸突然胸口剧痛、出冷汗，叫不醒了怎么办？"
DESPAIR = "看病把钱花光了，我不想活了"
DISPUTED = "宁波职工医保住院报销比例是多少？"
OF_A_PLACE = "职工医保住院报销比例是多少？"
HEAD = """---
id: {name}
title: {title}
publisher: {publisher}
authority: {authority}
published: 2026-03-01
places: [{place}]
---

# {title}

{text}
"""
SOURCES = {
    "ningbo-office": ("宁波职工医保住院待遇", "测试医保局", "official", "宁波", "宁波职工医保住院报销比例为80%。"),
    "ningbo-news": ("宁波职工医保住院怎么报", "测试日报", "third-party", "宁波", "宁波职工医保住院报销比例为85%。"),
    "wuxi-office": ("无锡职工医保住院待遇", "测试医保局", "official", "无锡", "无锡职工医保住院报销比例为82%。"),
}


@pytest.fixture(scope="module")
def disputed_url(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[str]:
    """A service over the samples, two sources that differ on one figure, and one of another city."""
    folder = tmp_path_factory.mktemp("disputed")
    settings = Settings(
        data_dir=str(folder / "data"), model_dir=str(model_dir), prompt_dir=str(ROOT / "prompts"), llm="extractive"
    )
    documents = write_documents(folder / "documents")
    for name, (title, publisher, authority, place, text) in SOURCES.items():
        told = HEAD.format(name=name, title=title, publisher=publisher, authority=authority, place=place, text=text)
        (documents / f"{name}.md").write_text(told, "utf-8")
    build_indexer(settings, lambda _stage, _done, _total: None).ingest([documents])
    with running(settings) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One tab for all."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs {CHROMIUM}")
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def answered(browser: Browser, address: str, question: str) -> str:
    """The card of a question that the link carries, once the answer is whole; on a telephone."""
    browser.open(f"{address}/?q={quote(question)}", width=360, height=740)
    browser.wait_for("article:not([aria-busy])")
    return browser.html("article")


def test_the_page_is_html_in_chinese(http: httpx.Client) -> None:
    """With a form for a question no longer than the service takes."""
    response = http.get("/")
    assert response.headers["content-type"].split(";")[0] == "text/html"
    assert '<html lang="zh-CN">' in response.text
    assert '<form id="ask">' in response.text
    assert 'maxlength="2000"' in response.text


def test_the_page_loads_no_other_file(http: httpx.Client) -> None:
    """Styles and script are in it; it asks for answers, and for the documents that they cite."""
    text = http.get("/").text
    assert re.findall(r"(?:src|href)=|@import|url\(", text) == []
    assert re.findall(r"fetch\(\"([^\"]+)\"", text) == ["/chat", "/documents/"]


def test_the_page_runs_its_own_script_alone(http: httpx.Client) -> None:
    """Its policy names the digest of the one script; no element carries a handler."""
    text = http.get("/").text
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text
    assert re.findall(r"<[^>]+\son\w+=|\.on[a-z]+ = |javascript:", text) == []


def test_the_page_writes_texts_as_texts(http: httpx.Client) -> None:
    """Nothing that a document or a model says is parsed as HTML."""
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", http.get("/").text) == []


def test_the_page_offers_examples(base_url: str, browser: Browser) -> None:
    """Four, below the form; one that is pressed is asked."""
    browser.open(base_url + "/")
    browser.wait_for(".example")
    assert browser.ask("document.querySelectorAll('.example').length") == 4
    browser.ask("document.querySelector('.example').click()")
    browser.wait_for("article")
    assert browser.ask("document.querySelector('article h2').textContent") == "宁波医保，婴儿保温箱费能报销吗？"


def test_an_answer_has_markers_sources_and_notes(base_url: str, browser: Browser) -> None:
    """Each source says its standing and date; what is to be known of their age stands below."""
    shown = answered(browser, base_url, QUESTION)
    assert 'aria-label="依据 1">[1]</a>' in shown
    assert '<details class="source" data-n="1"><summary>[1] 《宁波陪护床费怎么报》' in shown
    assert "第三方资料 · 测试日报 · 2023-05-04" in shown
    assert shown.count('<p class="notice">') == 3  # the disclaimer, old, third-party


@pytest.mark.parametrize(("question", "numbers"), [(EMERGENCY, ["120"]), (DESPAIR, ["120", "12356"])])
def test_who_is_in_danger_can_call_at_once(base_url: str, browser: Browser, question: str, numbers: list[str]) -> None:
    """In a red frame, said at once to those who listen to the page; each number is a link to call."""
    shown = answered(browser, base_url, question)
    assert '<article class="urgent" role="alert">' in shown
    assert re.findall(r'class="call" href="tel:(\d+)"', shown) == numbers
    assert browser.ask("getComputedStyle(document.querySelector('.urgent')).borderTopColor") == "rgb(179, 38, 30)"


def test_an_abstention_names_whom_to_call(base_url: str, browser: Browser) -> None:
    """Without red: nobody is in danger."""
    shown = answered(browser, base_url, OFF_TOPIC)
    assert 'href="tel:12393">12393</a>' in shown
    assert "urgent" not in shown


def test_sources_that_disagree_stand_side_by_side(disputed_url: str, browser: Browser) -> None:
    """Each value with its title, standing, date and marker, and the sentence that they disagree."""
    shown = answered(browser, disputed_url, DISPUTED)
    (sides,) = re.findall(r'<ul class="sides">(.*?)</ul>', shown)
    assert re.findall(r"<strong>(.*?)</strong>", sides) == ["80%", "85%"]
    assert re.findall(r'by">(.*?)</div>', sides) == ["官方 · 2026-03-01", "第三方 · 2026-03-01"]
    assert sides.count('class="mark"') == 2
    assert "不同来源的说法不一致" in shown
    tops = browser.ask("[...document.querySelectorAll('.sides li')].map((e) => e.getBoundingClientRect().top)")
    assert tops[0] == tops[1]


@pytest.mark.parametrize("question", [DISPUTED, OF_A_PLACE, EMERGENCY])
def test_nothing_is_wider_than_a_small_telephone(disputed_url: str, browser: Browser, question: str) -> None:
    """360 pixels suffice."""
    answered(browser, disputed_url, question)
    assert browser.ask("document.documentElement.scrollWidth") == 360


def test_a_question_back_offers_the_places_that_differ(disputed_url: str, browser: Browser) -> None:
    """As buttons, with room for another place; the one pressed is asked about."""
    shown = answered(browser, disputed_url, OF_A_PLACE)
    assert set(re.findall(r'class="choice" type="button">(.*?)</button>', shown)) == {"宁波", "无锡"}
    assert '<input aria-label="参保地"' in shown
    browser.ask("[...document.querySelectorAll('.choice')].find((e) => e.textContent === '无锡').click()")
    browser.wait_for("article:first-child .claim.quoted")
    assert "82%" in browser.html("article")


def test_a_marker_opens_its_source_with_the_quote_highlighted(disputed_url: str, browser: Browser) -> None:
    """In the words around it, within its section; who reads by keyboard is taken there."""
    answered(browser, disputed_url, DISPUTED)
    browser.ask("document.querySelector('a.mark').click()")
    browser.wait_for("details[open] mark")
    assert browser.ask("document.activeElement.parentElement.dataset.n") == "1"
    browser.wait_for("details[open][data-near]")
    assert browser.ask("document.querySelector('details[open] mark').textContent") == SOURCES["ningbo-office"][-1]
    assert browser.ask("document.querySelector('details[open] .quote').textContent") == "\n".join(
        ("宁波职工医保住院待遇", "", SOURCES["ningbo-office"][-1])
    )
