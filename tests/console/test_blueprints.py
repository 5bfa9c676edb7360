"""How the plan of a blueprint becomes a graph, and how a floor above puts its own tasks in."""

from __future__ import annotations

from console.flows.blueprint import Blueprint, Extension, Task


def task(name: str, *needs: str, linear: bool = False) -> Task:
    return Task(name, f"tests.{name}", name, needs=None if linear else needs)


def graph(base: list[Task], after: str, extra: list[Task]) -> dict[str, tuple[str, ...]]:
    blueprint = Blueprint("tests.plan", "plan", lambda arguments: base)
    blueprint.extensions.append(Extension(after, lambda arguments: extra))
    return {each.name: each.needs or () for each in blueprint.tasks({})}


def linear(*names: str) -> list[Task]:
    return [task(name, linear=True) for name in names]


def test_a_plan_is_a_line_unless_it_says_otherwise() -> None:
    blueprint = Blueprint("tests.plan", "plan", lambda arguments: [*linear("a", "b"), task("c", "a")])
    assert [(each.name, each.needs) for each in blueprint.tasks({})] == [("a", ()), ("b", ("a",)), ("c", ("a",))]


def test_an_extension_is_put_in_line() -> None:
    assert graph(linear("a", "z"), "a", linear("b", "c")) == {"a": (), "b": ("a",), "c": ("b",), "z": ("c",)}


def test_an_empty_extension_changes_nothing() -> None:
    assert graph(linear("a", "z"), "a", []) == {"a": (), "z": ("a",)}


def test_tasks_of_an_extension_may_stand_side_by_side() -> None:
    extra = [task("left", "a"), task("right", "a")]
    assert graph(linear("a", "z"), "a", extra) == {"a": (), "left": ("a",), "right": ("a",), "z": ("left", "right")}


def test_followers_wait_for_what_nothing_else_waits_for() -> None:
    extra = [*linear("chain"), task("left", "chain"), task("right", "chain"), task("record", "left", "right")]
    base = [*linear("a"), task("other"), task("z", "a", "other")]
    assert graph(base, "a", extra) == {
        "a": (),
        "chain": ("a",),
        "left": ("chain",),
        "right": ("chain",),
        "record": ("left", "right"),
        "other": (),
        "z": ("record", "other"),
    }


def test_a_second_extension_behind_the_same_task_comes_before_the_first() -> None:
    blueprint = Blueprint("tests.plan", "plan", lambda arguments: linear("a", "z"))
    for name in ("first", "second"):
        blueprint.extensions.append(Extension("a", lambda arguments, name=name: linear(name)))
    found = {each.name: each.needs for each in blueprint.tasks({})}
    assert found == {"a": (), "second": ("a",), "first": ("second",), "z": ("first",)}
