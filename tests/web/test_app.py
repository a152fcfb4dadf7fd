"""The application's own pages need no other host."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

ELSEWHERE = re.compile(r"""(?:https?:)?//(?!127\.0\.0\.1|localhost)[a-z0-9-]+\.[a-z]{2,}""", re.IGNORECASE)


@pytest.mark.parametrize("path", ["/", "/schema", "/schema/openapi.json"])
def test_a_page_names_no_other_host(http: httpx.Client, path: str) -> None:
    """It works, and tells nobody, without a network."""
    response = http.get(path)
    assert response.status_code == 200
    assert ELSEWHERE.findall(response.text) == []


def test_everything_that_the_api_page_loads_is_served_here(http: httpx.Client) -> None:
    """Scripts and styles, with content."""
    html = http.get("/schema").text
    loaded = [path for path in re.findall(r"""(?:src|href)=["']?([^"'> ]+)""", html) if not path.startswith("data:")]
    assert any(path.endswith(".js") for path in loaded)
    assert any(path.endswith(".css") for path in loaded)
    assert {path: http.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)


def test_the_schema_tells_routes_bodies_and_errors(http: httpx.Client) -> None:
    """Whoever generates a client from it meets the names of the contract."""
    schema: dict[str, Any] = http.get("/schema/openapi.json").json()
    assert {"/chat", "/documents/{document_id}", "/health/live", "/health/ready"} <= set(schema["paths"])
    assert {"200", "400", "503"} <= set(schema["paths"]["/chat"]["post"]["responses"])
    (body,) = (s for name, s in schema["components"]["schemas"].items() if name.endswith("ChatBody"))
    assert set(body["properties"]) == {"question", "conversation", "scope", "as_of", "stream"}
    assert body["required"] == ["question"]
