"""Every error is problem+json: the field is named, the reason told, and nothing of our insides."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar.exceptions import NotFoundException

from rag.errors import EmbedderMismatch, IndexMissing, InvalidRequest
from rag.web.problems import FieldError, of_exception, problem


def sent(http: httpx.Client, body: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    """What `POST /chat` says to this body."""
    return http.post("/chat", json=body)


def fields(response: httpx.Response) -> list[str]:
    """The fields that a problem names."""
    return [error["field"] for error in response.json()["errors"]]


def assert_problem(response: httpx.Response, status: int) -> None:
    """The response is a problem of this status."""
    assert response.status_code == status
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert isinstance(body["detail"], str)
    assert "Traceback" not in response.text
    assert ".py" not in response.text


Q = "陪护床费报多少？"
BAD = [
    ({}, "question"),
    ({"questoin": Q}, "questoin"),
    ({"question": Q, "streaming": True}, "streaming"),
    ({"question": 7}, "question"),
    ({"question": None}, "question"),
    ({"question": [Q]}, "question"),
    ({"question": ""}, "question"),
    ({"question": " \n\t　"}, "question"),
    ({"question": "保" * 2_001}, "question"),
    ({"question": "保\x00险"}, "question"),
    ({"question": Q, "stream": "yes"}, "stream"),
    ({"question": Q, "as_of": "2026-13-01"}, "as_of"),
    ({"question": Q, "as_of": "昨天"}, "as_of"),
    ({"question": Q, "as_of": 20260101}, "as_of"),
    ({"question": Q, "scope": "宁波"}, "scope"),
    ({"question": Q, "scope": {"city": "宁波"}}, "scope.city"),
    ({"question": Q, "scope": {"insured_type": "公务员"}}, "scope.insured_type"),
    ({"question": Q, "scope": {"person": "老人"}}, "scope.person"),
    ({"question": Q, "scope": {"care_type": "体检"}}, "scope.care_type"),
    ({"question": Q, "scope": {"insured_place": 3}}, "scope.insured_place"),
    ({"question": Q, "scope": {"insured_place": "宁" * 41}}, "scope.insured_place"),
    ({"question": Q, "conversation": "你好"}, "conversation"),
    ({"question": Q, "conversation": [{"role": "system", "content": "x"}]}, "conversation[0].role"),
    ({"question": Q, "conversation": [{"role": "user"}]}, "conversation[0].content"),
    ({"question": Q, "conversation": [{"role": "user", "content": "x", "name": "y"}]}, "conversation[0].name"),
    ({"question": Q, "conversation": [{"role": "user", "content": "保" * 8_001}]}, "conversation[0].content"),
    ({"question": Q, "conversation": [{"role": "user", "content": "x"}] * 51}, "conversation"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_what_is_wrong_with_a_body_is_named(http: httpx.Client, body: dict[str, Any], field: str) -> None:
    """400, and the field by its path."""
    response = sent(http, body)
    assert_problem(response, 400)
    assert fields(response) == [field]
    assert all(error["message"] for error in response.json()["errors"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"question": ', b"[1, 2", b"\xff\xfe", b'{"question": "\\ud800"}', b"question=x"]
)
def test_what_is_no_json_is_refused(http: httpx.Client, body: bytes) -> None:
    """The body itself is the field, or the question in it."""
    response = http.post("/chat", content=body, headers={"Content-Type": "application/json"})
    assert_problem(response, 400)
    assert fields(response) in (["body"], ["question"])


@pytest.mark.parametrize("body", [[], "text", 7, None, [{"question": Q}]])
def test_what_is_no_object_is_refused(http: httpx.Client, body: object) -> None:
    """JSON of another shape is named as the body."""
    response = sent(http, body)
    assert_problem(response, 400)
    assert fields(response) == ["body"]


def test_the_longest_question_is_taken(http: httpx.Client) -> None:
    """2,000 characters are allowed, the white space around them not counted."""
    assert sent(http, {"question": " " * 50 + "保" * 2_000}).status_code == 200


def test_a_bad_body_of_a_stream_is_refused_before_it_begins(http: httpx.Client) -> None:
    """400 and no event."""
    assert_problem(sent(http, {"question": "", "stream": True}), 400)


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/documents/absent", "/documents/", "/chat/x", "/assets/docs/../../app.py", "/assets/docs/absent.js"],
)
def test_what_is_not_there_is_not_found(http: httpx.Client, path: str) -> None:
    """404 as a problem."""
    assert_problem(http.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "/chat", "POST"), ("PUT", "/chat", "POST"), ("POST", "/health/live", "GET")]
)
def test_a_method_that_a_path_has_not_is_refused(http: httpx.Client, method: str, path: str, allowed: str) -> None:
    """405, with the methods that it has."""
    response = http.request(method, path)
    assert_problem(response, 405)
    assert allowed in response.headers["allow"]


def test_without_an_index_a_question_is_unavailable(empty_http: httpx.Client) -> None:
    """503, without the path of our data."""
    response = sent(empty_http, {"question": Q})
    assert_problem(response, 503)
    assert "/" not in response.json()["detail"]


def test_a_fault_of_ours_shows_nothing_of_our_insides(broken_http: httpx.Client) -> None:
    """500, without the trace, and the next request is served."""
    response = broken_http.get("/broken")
    assert_problem(response, 500)
    assert response.json() == {"status": 500, "title": "Internal Server Error", "detail": "internal error"}
    assert broken_http.get("/health/live").status_code == 200


def test_of_an_error_of_others_nothing_is_told() -> None:
    """500 and two words."""
    assert of_exception(ZeroDivisionError("secret at /home/x")) == problem(500, "internal error")


def test_of_an_operators_error_only_its_existence_is_told() -> None:
    """The reason is in the log."""
    told = of_exception(EmbedderMismatch("/data/x was built with y"))
    assert told.status == 503
    assert "/data" not in told.detail


def test_of_a_callers_error_the_field_is_told() -> None:
    """Field and message, apart."""
    assert of_exception(InvalidRequest("scope.person", "unknown")).errors == (FieldError("scope.person", "unknown"),)


@pytest.mark.parametrize(
    ("error", "status"), [(IndexMissing("no index in /data"), 503), (NotFoundException(detail="no document"), 404)]
)
def test_a_status_has_its_own_title(error: Exception, status: int) -> None:
    """The title is the status's phrase, the same for every problem of that status."""
    found = of_exception(error)
    assert (found.status, found.title) == (status, {503: "Service Unavailable", 404: "Not Found"}[status])
