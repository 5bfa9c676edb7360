"""Every kind of notification that the code sends has a name, a group, and a place in what webhooks may choose."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from console import kinds

FLOORS = ("console", "platforms", "unions", "chains")


def kinds_in_code() -> Iterator[tuple[str, str]]:
    for floor in FLOORS:
        for path in sorted((settings.BASE_DIR / floor).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "notify":
                    for keyword in node.keywords:
                        if keyword.arg == "kind":
                            assert isinstance(keyword.value, ast.Constant), f"{path}: the kind is not a plain text"
                            yield str(keyword.value.value), str(path)


def test_every_kind_that_is_sent_was_handed_in() -> None:
    sent = dict(kinds_in_code())
    assert {"invitation", "union", "webhook"} <= set(sent), "the search finds what is known to be there"
    known = {kind.name for kind in kinds.all_kinds()}
    assert {name: path for name, path in sent.items() if name not in known} == {}
    assert known <= set(sent), "nothing is offered that is never sent"


def test_kinds_come_by_group() -> None:
    groups = [kind.group for kind in kinds.all_kinds()]
    assert groups == sorted(groups, key=list(kinds.Group).index)
    assert set(groups) == set(kinds.Group)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_kinds_and_groups_have_words(language: str) -> None:
    with translation.override(language):
        for kind in kinds.all_kinds():
            assert str(kind.title)
            assert kinds.title_of(kind.name) == str(kind.title)


def test_a_kind_that_nobody_knows_is_work_and_told_to_webhooks() -> None:
    assert kinds.group_of("tests.unknown") is kinds.Group.WORK
    assert kinds.title_of("tests.unknown") == "tests.unknown"
    assert kinds.is_event("tests.unknown")
    assert not kinds.may_be_chosen("tests.unknown")
    assert not kinds.is_event("webhook")
