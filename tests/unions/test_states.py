"""The state diagrams, written out: every edge, the verb that takes it, and that no other source state lets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import models
from django_fsm import TransitionNotAllowed

from unions.models import Drift, Organization, Proposal, Registration, Union, UnionMember

Edges = set[tuple[str, str, str]]

PROPOSAL: Edges = {
    ("open", "carry", "carried"),
    ("open", "refuse", "refused"),
    ("open", "withdraw", "withdrawn"),
    ("open", "expire", "expired"),
}
REGISTRATION: Edges = {
    ("pending", "approve", "approved"),
    ("pending", "refuse", "refused"),
}
UNION: Edges = {
    ("building", "open", "active"),
    ("active", "begin_deleting", "deleting"),
    ("deleting", "keep", "active"),
    ("deleting", "delete_for_good", "deleted"),
}
MEMBER: Edges = {
    ("joining", "settle_in", "active"),
    ("active", "begin_quitting", "quitting"),
    ("quitting", "stay", "active"),
    ("quitting", "leave", "left"),
    ("active", "leave", "left"),  # when the whole union is deleted
}
DRIFT: Edges = {
    ("open", "begin_mending", "mending"),
    ("mending", "leave", "open"),
    ("open", "ignore", "ignored"),
    ("ignored", "look_again", "open"),
    ("open", "settle", "settled"),
    ("mending", "settle", "settled"),
    ("ignored", "settle", "settled"),
}
DIAGRAMS: list[tuple[type[models.Model], Edges, dict[str, Callable[[Any], Any]]]] = [
    (Proposal, PROPOSAL, {}),
    (
        Registration,
        REGISTRATION,
        {"approve": lambda row: row.approve(Organization(), None), "refuse": lambda row: row.refuse("no", None)},
    ),
    (Union, UNION, {}),
    (UnionMember, MEMBER, {}),
    (
        Drift,
        DRIFT,
        {"begin_mending": lambda row: row.begin_mending("write_off"), "ignore": lambda row: row.ignore("known")},
    ),
]


def states_of(model: type[models.Model]) -> list[str]:
    return [value for value, _label in model._meta.get_field("state").choices]


def take(row: models.Model, verb: str, calls: dict[str, Callable[[Any], Any]]) -> None:
    calls.get(verb, lambda each: getattr(each, verb)())(row)


@pytest.mark.parametrize(("model", "edges", "calls"), DIAGRAMS)
def test_the_diagram_is_this_and_no_other(model: type[models.Model], edges: Edges, calls: dict[str, Any]) -> None:
    field = model._meta.get_field("state")
    declared = {(t.source, t.name, t.target) for t in field.get_all_transitions(model)}
    assert declared == edges


@pytest.mark.parametrize(("model", "edges", "calls"), DIAGRAMS)
def test_every_verb_from_every_state(model: type[models.Model], edges: Edges, calls: dict[str, Any]) -> None:
    for verb in sorted({verb for _source, verb, _target in edges}):
        for state in states_of(model):
            row = model(state=state)
            target = next((to for source, name, to in edges if (source, name) == (state, verb)), None)
            if target is None:
                with pytest.raises(TransitionNotAllowed):
                    take(row, verb, calls)
                assert row.state == state
            else:
                take(row, verb, calls)
                assert row.state == target


@pytest.mark.parametrize(("model", "edges", "calls"), DIAGRAMS)
def test_nobody_sets_a_state_by_hand(model: type[models.Model], edges: Edges, calls: dict[str, Any]) -> None:
    row = model()
    with pytest.raises(AttributeError):
        row.state = next(target for _source, _verb, target in edges)
