"""Flows for tests: real steps that act upon a small world outside of the database, and ways to hurry their time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from console import flows
from console.flows import Asleep, Blueprint, Done, Later, StepContext, Task, engine
from console.models import Flow, Step, StepState, User

TOPIC = "tests:answer"
Behaviour = Exception | Done | Later | Callable[[StepContext], Any]


class Killed(BaseException):
    """The worker dies here: nothing in the engine may catch it."""


@dataclass
class World:
    """What steps make and take back. A thing is made once for one key, as on a platform that honours such keys."""

    things: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    plans: dict[tuple[str, str], list[Behaviour]] = field(default_factory=dict)
    answer: str = ""

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def will(self, name: str, *behaviours: Behaviour, undoing: bool = False) -> None:
        """What the step does on its next attempts, before it does what it should."""
        self.plans[("undo" if undoing else "do", name)] = list(behaviours)

    @property
    def made(self) -> list[str]:
        return sorted(self.things.values())

    def did(self, verb: str) -> list[str]:
        return [name for done, name in self.calls if done == verb]

    def behave(self, verb: str, context: StepContext) -> Done | Later | None:
        name = context.arguments["name"]
        self.calls.append((verb, name))
        planned = self.plans.get((verb, name))
        if not planned:
            return None
        behaviour = planned.pop(0)
        if callable(behaviour):
            behaviour = behaviour(context)
        if isinstance(behaviour, BaseException):
            raise behaviour
        return behaviour


world = World()


@flows.step("tests.make")
def make(context: StepContext) -> Done | Later:
    ending = world.behave("do", context)
    if isinstance(ending, Later):
        return ending
    world.things.setdefault(context.key, context.arguments["name"])
    return ending or Done({"made": context.arguments["name"]})


@flows.step("tests.unmake")
def unmake(context: StepContext) -> Done | Later:
    ending = world.behave("undo", context)
    if isinstance(ending, Later):
        return ending
    world.things.pop(context.forward_key, None)
    return Done()


@flows.step("tests.note", local=True)
def note(context: StepContext) -> Done | Later:
    """In the database only: a line of the log is its whole effect."""
    context.log(f"noted {context.arguments['name']}")
    return world.behave("do", context) or Done()


@flows.step("tests.ask", local=True)
def ask(context: StepContext) -> Done | Asleep:
    """Sleep until somebody has answered."""
    answer = world.answer
    ending = world.behave("do", context)
    return Done({"answer": answer}) if answer else ending or Asleep(TOPIC)


def thing(name: str, needs: tuple[str, ...] | None = None, **more: Any) -> Task:
    return Task(
        name, "tests.make", f"Make {name}", **{"undo": "tests.unmake", **more}, needs=needs, arguments={"name": name}
    )


def line(name: str, action: str = "tests.note", **more: Any) -> Task:
    return Task(name, action, f"Do {name}", arguments={"name": name}, **more)


def question(name: str = "question", **more: Any) -> Task:
    return line(name, "tests.ask", **more)


def start(*tasks: Task, by: User | None = None, **more: Any) -> Flow:
    """Promise these tasks."""
    blueprint = Blueprint("tests.flow", "A flow of tests", lambda _arguments: list(tasks))
    with transaction.atomic():
        return flows.start(blueprint, subject=None, requested_by=by, arguments={}, **more)


def wake(outcome: dict[str, Any] | None = None) -> int:
    world.answer = "yes"
    with transaction.atomic():
        return flows.wake(TOPIC, outcome)


def run(rounds: int = 20) -> None:
    """Be the workers, until nothing is due."""
    for _round in range(rounds):
        due = engine.due_steps()
        if not due:
            return
        for step_id in due:
            engine.run_step(step_id)
    raise AssertionError(f"still due after {rounds} rounds: {states_of_all()}")


def run_out() -> None:
    """Be the workers, and let no time pass between attempts, until nothing is left that comes due by itself."""
    for _round in range(200):
        hurry()
        if not engine.due_steps():
            return
        run()
    raise AssertionError(f"the flows do not end: {states_of_all()}")


def hurry() -> None:
    """What is due later is due now."""
    past = timezone.now() - timedelta(seconds=1)
    Step.objects.filter(state__in=[StepState.LATER, StepState.UNDOING], lease_until=None).update(due_at=past)


def let_leases_expire() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Step.objects.filter(lease_until__isnull=False).update(lease_until=past)


def states(flow: Flow) -> dict[str, str]:
    return {step.name: step.state for step in flow.steps.order_by("number")}


def states_of_all() -> list[tuple[str, str]]:
    return list(Step.objects.order_by("flow", "number").values_list("name", "state"))


def state(flow: Flow) -> str:
    return Flow.objects.get(pk=flow.pk).state


def step(flow: Flow, name: str) -> Step:
    return Step.objects.select_related("flow").get(flow=flow, name=name)


def error(flow: Flow) -> dict[str, Any]:
    return Flow.objects.get(pk=flow.pk).error or {}
