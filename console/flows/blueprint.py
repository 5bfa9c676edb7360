"""What can be promised: actions by name, and blueprints that lay them out as a graph of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from console.sentences import kept

if TYPE_CHECKING:
    from console.flows.context import StepContext

Json = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """The step is through; `outcome` is what later steps may read."""

    outcome: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """Nothing wrong, not through yet: come back in `seconds`, at `position`."""

    seconds: float
    position: Json | None = None


@dataclass(frozen=True)
class Asleep:
    """Wait for an event: somebody calls `flows.wake(topic)`."""

    topic: str


@dataclass(frozen=True)
class Ask:
    """Only a person can know how to go on: an operator is asked `question` (kept, or a msgid).

    `candidates` are things that the operator may choose one of: `{"id", "name", "status", "created"}`, all texts.
    """

    question: str
    candidates: tuple[Json, ...] = ()


Ending = Done | Later | Asleep | Ask
Action = Callable[["StepContext"], Ending]


@dataclass(frozen=True)
class RegisteredAction:
    """An action and whether it is local: database only, run inside the engine's own transaction, exactly once.

    `asks` is the question to an operator when all attempts are used up and nobody knows what they have done.
    """

    name: str
    run: Action
    local: bool
    asks: str = ""


@dataclass(frozen=True)
class Task:
    """One node of a plan. `needs=None` means: after the task before; `()` means: at once.

    `title` is a msgid; `title_values` fill it. `undo` names the action that takes the task back. `lasting` is for a
    task whose effect nothing takes back: the sentence (a msgid) that people are then told. When such a flow fails,
    the rest is taken back around it, the flow ends as failed, and an operator may let it go on from where it stopped.
    `already`: whoever promises the flow does it in the same transaction; the step is done from the start, and taken
    back with the rest even when nothing else has run.
    """

    name: str
    action: str
    title: str
    undo: str = ""
    needs: tuple[str, ...] | None = None
    arguments: Json = field(default_factory=dict)
    title_values: Mapping[str, str] = field(default_factory=dict)
    lasting: str = ""
    already: bool = False


Plan = Callable[[Json], Sequence[Task]]


@dataclass(frozen=True)
class Extension:
    """Tasks that an upper floor puts behind a task of a blueprint that it builds on."""

    after: str
    plan: Plan


@dataclass
class Blueprint:
    """A kind of flow: its name and the pure function that lays out its tasks."""

    kind: str
    title: str
    plan: Plan
    extensions: list[Extension] = field(default_factory=list)

    def tasks(self, arguments: Json) -> list[Task]:
        """The whole plan, extensions put in, needs made explicit."""
        tasks = _with_needs(self.plan(arguments))
        for extension in self.extensions:
            tasks = _spliced(tasks, extension.after, list(extension.plan(arguments)))
        _check(self.kind, tasks)
        return tasks


_actions: dict[str, RegisteredAction] = {}
_blueprints: dict[str, Blueprint] = {}


def step(name: str, *, local: bool = False, asks: str = "") -> Callable[[Action], Action]:
    """Register a function as the action `name`."""

    def keep(function: Action) -> Action:
        if name in _actions:
            raise ValueError(f"the action {name} is registered already")
        _actions[name] = RegisteredAction(name, function, local, asks)
        return function

    return keep


class UnknownAction(LookupError):
    """Nobody here has registered an action of this name."""


def action_named(name: str) -> RegisteredAction:
    try:
        return _actions[name]
    except KeyError:
        raise UnknownAction(name) from None


def is_local(name: str) -> bool:
    """Whether the action is known to change nothing outside of the database."""
    action = _actions.get(name)
    return action is not None and action.local


def question_of(name: str) -> str:
    """What an operator is asked when nobody knows what the action has done; empty when it is not for people to say."""
    action = _actions.get(name)
    return action.asks if action is not None else ""


def register(blueprint: Blueprint) -> Blueprint:
    if blueprint.kind in _blueprints:
        raise ValueError(f"the blueprint {blueprint.kind} is registered already")
    _blueprints[blueprint.kind] = blueprint
    kept(blueprint.title)  # the audit log names flows by it
    return blueprint


def blueprint_named(kind: str) -> Blueprint:
    return _blueprints[kind]


def extend(kind: str, *, after: str, plan: Plan) -> None:
    """Put the tasks of `plan` between the task `after` and those that needed it.

    A task of the plan that names its needs keeps them, so tasks may stand side by side (`needs=(after,)`).
    """
    _blueprints[kind].extensions.append(Extension(after, plan))


def _with_needs(tasks: Sequence[Task]) -> list[Task]:
    explicit: list[Task] = []
    for task in tasks:
        needs = task.needs
        if needs is None:
            needs = (explicit[-1].name,) if explicit else ()
        explicit.append(_replace_needs(task, needs))
    return explicit


def _spliced(tasks: list[Task], after: str, extra: list[Task]) -> list[Task]:
    """The extra tasks behind `after`: what needed `after` now needs every extra task that nothing else waits for."""
    if not extra:
        return tasks
    place = next(index for index, task in enumerate(tasks) if task.name == after) + 1
    first = extra[0] if extra[0].needs is not None else _replace_needs(extra[0], (after,))
    inserted = _with_needs([first, *extra[1:]])
    needed = {need for task in inserted for need in task.needs or ()}
    ends = tuple(task.name for task in inserted if task.name not in needed)
    return [*tasks[:place], *inserted, *(_replace_need(task, after, ends) for task in tasks[place:])]


def _replace_need(task: Task, old: str, new: tuple[str, ...]) -> Task:
    needs = [name for need in task.needs or () for name in (new if need == old else (need,))]
    return _replace_needs(task, tuple(dict.fromkeys(needs)))


def _replace_needs(task: Task, needs: tuple[str, ...]) -> Task:
    return replace(task, needs=needs)


def _check(kind: str, tasks: Sequence[Task]) -> None:
    """Refuse a plan that could never be carried through: it would wait for ever, or fail at its last step."""
    before: set[str] = set()
    for task in tasks:
        if task.name in before:
            raise ValueError(f"{kind}: there are two tasks named {task.name}")
        if not task.action and not task.already:
            raise ValueError(f"{kind}: the task {task.name} has no action")
        if task.already and task.needs:
            raise ValueError(f"{kind}: the task {task.name} is done already, and still needs others")
        if missing := set(task.needs or ()) - before:
            raise ValueError(f"{kind}: the task {task.name} needs {sorted(missing)}, which does not come before it")
        before.add(task.name)
