"""Whom to ask when the service can't answer: a curated table, never the model's words.

Knows the table. When it is shown is the job of `rendering`.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib

from rag.domain import Scope


def where_to_ask(scope: Scope) -> str:
    """One sentence with the hotline and the office of the insured place, if that is known."""
    table = _table()
    office = table["office"]["known" if scope.insured_place else "unknown"].format(place=scope.insured_place)
    return f"可以拨打{table['hotline']['name']}{table['hotline']['number']}，或向{office}咨询。"


@functools.cache
def _table() -> dict[str, dict[str, str]]:
    packed = (importlib.resources.files("rag.answer") / "contacts.toml").read_text("utf-8")
    return tomllib.loads(packed)
