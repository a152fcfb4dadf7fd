"""Errors over HTTP: RFC 9457 problem+json, the field named, never a stack trace.

Knows which error is which status. What goes wrong is the job of `errors`.
"""

from __future__ import annotations

import http
import logging
import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException, ValidationException

from rag.errors import IndexMissing, InvalidRequest, OperatorError

log = logging.getLogger("rag.web")
_NAMED = re.compile(r"(?:unknown|required) field `(.+?)`")
PROBLEM_JSON = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """One thing wrong with one field of a request."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error response."""

    status: int
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()


def problem(status: int, detail: str, errors: tuple[FieldError, ...] = ()) -> Problem:
    """A problem with the status's own title."""
    return Problem(status, http.HTTPStatus(status).phrase, detail, errors)


def of_exception(error: Exception) -> Problem:
    """What a caller is told of an error. Of ours as much as helps, of others nothing."""
    if isinstance(error, InvalidRequest):
        return problem(400, str(error), (FieldError(error.field, error.message),))
    if isinstance(error, ValidationException):
        return problem(400, "the request is not valid", _fields(error))
    if isinstance(error, ClientException) and error.status_code == http.HTTPStatus.BAD_REQUEST:
        return problem(400, "the request is not valid", (FieldError("body", error.detail),))
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail)
    if isinstance(error, IndexMissing):
        return problem(503, "no documents are indexed yet")
    log.error("request failed", exc_info=error)
    if isinstance(error, OperatorError):
        return problem(503, "the service is not ready; its operator finds the reason in the log")
    return problem(500, "internal error")


def respond(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler."""
    found = of_exception(error)
    headers = {k: v for k, v in (getattr(error, "headers", None) or {}).items() if k.lower() == "allow"}
    return Response(msgspec.json.encode(found), status_code=found.status, media_type=PROBLEM_JSON, headers=headers)


def _fields(error: ValidationException) -> tuple[FieldError, ...]:
    extra = error.extra if isinstance(error.extra, list) else []
    found = tuple(_field(str(e.get("key", "body")), str(e.get("message", ""))) for e in extra if isinstance(e, dict))
    return found or (FieldError("body", error.detail),)


def _field(key: str, message: str) -> FieldError:
    """A missing or unknown field is named in the message only; litestar's key is the body's argument then."""
    named = _NAMED.search(message)
    inside = "" if key == "data" else f"{key}."
    return (
        FieldError(inside + named.group(1), message) if named else FieldError("body" if key == "data" else key, message)
    )
