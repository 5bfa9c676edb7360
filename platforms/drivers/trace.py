"""What is kept of a body in a step's log: short, and without what is secret by its name."""

from __future__ import annotations

from typing import Any

from console.audit import cleansed

MAX_TEXT = 300  # characters of one text
MAX_ITEMS = 5  # of one list
MAX_FIELDS = 40  # of one object
MAX_DEPTH = 8


def shortened(body: Any) -> Any:
    """The body with secrets hidden by their names, and long texts and lists cut."""
    return _cut(cleansed(_cut(body, 0)), 0)


def _cut(value: Any, depth: int) -> Any:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… ({len(value)} characters)"
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, list):
        cut = [_cut(each, depth + 1) for each in value[:MAX_ITEMS]]
        return cut if len(value) <= MAX_ITEMS else [*cut, f"… ({len(value)} items)"]
    if isinstance(value, dict):
        cut_object = {key: _cut(each, depth + 1) for key, each in list(value.items())[:MAX_FIELDS]}
        return cut_object if len(value) <= MAX_FIELDS else {**cut_object, "…": f"({len(value)} fields)"}
    return value
