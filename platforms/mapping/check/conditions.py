"""Checking conditions: each path leads somewhere, and each value can stand there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from platforms.mapping.check.findings import Findings, Spot
from platforms.mapping.check.scope import BROKEN, Scope, View, kinds_text, read_path
from platforms.mapping.shapes import Shape, kind_of
from platforms.mapping.values import CONDITION_WORDS, same


def check_condition(condition: Any, scope: Scope, spot: Spot, findings: Findings) -> None:
    """An object means all of, a list any of."""
    if isinstance(condition, list):
        for index, each in enumerate(condition):
            check_condition(each, scope, spot.index(index), findings)
        return
    if _is_about_errors(condition):
        scope = replace(scope.with_answer(View(Shape(), None)), quiet=True)
    for text, wanted in condition.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        at = spot.key(text, shown="")
        if text in CONDITION_WORDS:
            _check_status(values, at, findings)
            continue
        read = read_path(text, scope, at, findings)
        if read is not None:
            _check_values(text, values, read.shape, at, findings)


def _is_about_errors(condition: dict[str, Any]) -> bool:
    """It names statuses, and none of success: the file's answer is not the one that is looked at."""
    wanted = condition.get("status", [])
    values = wanted if isinstance(wanted, list) else [wanted]
    return bool(values) and all(isinstance(each, int) and each >= 300 for each in values)


def _check_status(values: list[Any], spot: Spot, findings: Findings) -> None:
    for each in values:
        if kind_of(each) != "integer" or not 100 <= each <= 599:
            findings.error(spot, gettext_noop("%(value)s is no HTTP status."), value=each)


def _check_values(path: str, values: list[Any], shape: Shape, spot: Spot, findings: Findings) -> None:
    if BROKEN in shape.formats:
        return
    named = [each for each in values if each is not None]
    if shape.values is not None:
        strange = [each for each in named if not any(same(known, each) for known in shape.values)]
        if strange:
            message = gettext_noop("%(path)s is never %(strange)s: the API file knows %(values)s.")
            known = ", ".join(str(each) for each in shape.values[:20])
            findings.error(spot, message, path=path, strange=", ".join(map(str, strange)), values=known)
        return
    if shape.kinds is None:
        return
    fitting = shape.kinds | ({"integer"} if "number" in shape.kinds else set())
    for each in named:
        if kind_of(each) not in fitting:
            message = gettext_noop("%(path)s is %(found)s, so it is never %(value)s.")
            findings.error(spot, message, path=path, found=kinds_text(shape), value=repr(each))
