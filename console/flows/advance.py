"""How a flow moves: which steps become ready, when it is over, and how it is taken back.

Every function joins a transaction in which the flow's row is locked (or new), and locks the steps before it judges
them: a worker claims a step without the flow's lock.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from celery import Task
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from console.cleansing import storable
from console.errors import OutcomeUnknown
from console.flows.blueprint import Json, is_local
from console.models import ConsoleRole, DecisionChoice, Flow, FlowState, Step, StepLog, StepState, User
from console.models.flows import CANNOT_UNDO

logger = logging.getLogger(__name__)

BUSY = (StepState.READY, StepState.RUNNING, StepState.LATER)
IN_HAND = (StepState.RUNNING, StepState.UNDOING)
THROUGH = (StepState.DONE, StepState.SKIPPED)
WORKER_LOST = "worker_lost"
UNSURE = (OutcomeUnknown.code, WORKER_LOST)  # a step that failed so may have had its effect
OPEN_END = (StepState.WAITING, StepState.READY, StepState.UNDONE)
AGAIN = (StepState.UNDONE, StepState.FAILED, StepState.SKIPPED)
GIVEN_UP = gettext_noop("An operator has given it up.")
DECIDED = gettext_noop("an operator has decided")
DECISION_TITLE = gettext_noop("“%(name)s”: a decision is needed")
FAILED_TITLE = gettext_noop("“%(name)s”: work has failed and was left half-way")
REASON = gettext_noop("Reason: %(reason)s")
SILENCE_SECONDS = 5.0  # after a nudge that could not be sent: a dead broker must not hold up every request


def advance(flow: Flow) -> None:
    """Make ready what can go on, settle the flow's own state, and nudge the workers after the commit."""
    if flow.is_final:
        return
    steps = locked_steps(flow)
    moved = _undo_next(flow, steps) if flow.undoing else _run_next(steps)
    _settle(flow, steps)
    nudge([step.pk for step in moved])


def locked_steps(flow: Flow) -> list[Step]:
    return list(flow.steps.select_for_update(of=("self",)).order_by("number"))


def fail(step: Step, error: Json) -> None:
    """A step has failed for good: remember why, and take the flow back. The first failure is the flow's."""
    step.fail(storable(error))
    step.save()
    flow = step.flow
    if not flow.undoing:
        flow.error = {**storable(error), "step": step.name}
    _begin_undoing(flow)


def ask(step: Step, question: str, candidates: list[Json]) -> None:
    """Nobody can know by machine how to go on: the step waits for an operator, who is told."""
    question = storable(question)
    step.ask(
        {
            "question": question,
            "candidates": storable(candidates),
            "refused": (step.decision or {}).get("refused", []),
            "asked_at": timezone.now().isoformat(),
        }
    )
    step.save()
    StepLog.objects.create(step=step, attempt=step.tries, message=question, data={"candidates": candidates})
    if not step.flow.undoing:
        notify = _notify()
        notify(_operators(), kind="decision", **_told_of(step.flow, DECISION_TITLE, question))
    advance(step.flow)


def take_answer(step: Step, decision: Json, *, actor: User) -> None:
    """An operator has chosen how the step goes on."""
    data = {"choice": decision["choice"], "candidate": decision["candidate"], "by": actor.username}
    StepLog.objects.create(step=step, message=DECIDED, data=data)
    if decision["choice"] == DecisionChoice.GIVE_UP:
        step.decision = decision
        fail(step, {"code": "given_up", "detail": GIVEN_UP})
        return
    step.take_answer(decision)
    step.save()
    advance(step.flow)
    nudge([step.pk])


def cancel(flow: Flow, *, actor: User | None, detail: str) -> None:
    """Stop the flow on a person's word and take back what was done."""
    if flow.undoing or flow.is_final:
        return
    flow.cancelled_by = actor
    flow.error = {"code": "cancelled", "detail": detail}
    _begin_undoing(flow)


def fail_undoing(step: Step, error: Json) -> None:
    """A step could not be taken back: the flow stops here, says so, and waits for an operator."""
    step.stay(storable(error))
    step.save()
    flow = step.flow
    flow.error = {**(flow.error or {}), "undo": {**storable(error), "step": step.name}}
    _give_up(flow)


def begin_again(flow: Flow) -> None:
    """A flow that stopped half-way goes on forward: what is not done is asked for once more, under a new key."""
    flow.resume()
    flow.undoing, flow.error, flow.cancelled_by = False, None, None
    flow.save()
    for step in locked_steps(flow):
        if step.state in AGAIN:
            step.begin_again()
            step.save()
    advance(flow)


def _begin_undoing(flow: Flow) -> None:
    flow.undoing = True
    flow.save()
    for step in locked_steps(flow):
        if step.state in (StepState.WAITING, StepState.READY):
            step.skip()
            step.save()
    # What sleeps or is due again is not in anybody's hands: it is taken back like what is done.
    advance(flow)


def _run_next(steps: list[Step]) -> list[Step]:
    """What needs nothing any more. In a flow that goes on again, a step that stayed done does not open the way for what
    needs it before that is through which it needed itself."""
    through: set[str] = set()
    for step in steps:  # in their order: whatever a step needs comes before it
        if step.state in THROUGH and through.issuperset(step.needs):
            through.add(step.name)
    ready = [step for step in steps if step.state == StepState.WAITING and through.issuperset(step.needs)]
    for step in ready:
        step.make_ready()
        step.save()
    return ready


def _undo_next(flow: Flow, steps: list[Step]) -> list[Step]:
    """The last step that has an effect to take back, once no step is in a worker's hands any more."""
    if any(step.state in IN_HAND or step.is_stuck or must_come_to_its_end(step) for step in steps):
        return []
    for step in reversed(steps):
        if not _may_have_effect(step):
            continue
        if step.undo_action:
            step.begin_undoing()
            step.save()
            return [step]
        if step.lasting:
            if step.state == StepState.LATER:
                step.skip()
                step.save()
            continue  # nothing takes it back: what came before it is taken back around it
        if step.state not in (StepState.FAILED, StepState.SKIPPED):
            step.finish_undoing()  # there is nothing to take back
            step.save()
    return []


def must_come_to_its_end(step: Step) -> bool:
    """What nothing takes back, and has begun outside of the database, is carried through before the rest is undone.

    A removal that the platform has taken on goes on there, whether we look or not: who takes the flow back has to know
    how it ended.
    """
    if step.state not in (StepState.LATER, StepState.RUNNING) or step.undo_action:
        return False
    if is_local(step.action):
        return False
    return step.position is not None or is_unsure(step.error)


def is_unsure(error: Json | None) -> bool:
    """Whether the attempt of this error, or one before it, may have had its effect without telling us."""
    return error is not None and (error.get("code") in UNSURE or bool(error.get("unsure")))


def _may_have_effect(step: Step) -> bool:
    """Whether something of the step may be there that was not there before."""
    if step.state in (StepState.FAILED, StepState.SKIPPED):
        return bool(step.undo_action or step.lasting) and step.attempts > 0
    return step.state in (StepState.DONE, StepState.LATER, StepState.ASLEEP, StepState.DECIDING)


def lasting_effects(steps: list[Step]) -> list[Step]:
    """The steps of a flow that is taken back which nothing takes back; one that has failed may have had its effect."""
    return [step for step in steps if step.lasting and step.state not in OPEN_END and step.attempts > 0]


def _settle(flow: Flow, steps: list[Step]) -> None:
    state = _state_of(flow, steps)
    if state == flow.state:
        return
    if state == FlowState.FAILED:
        _stop_half_way(flow, lasting_effects(steps))
        return
    move = {
        FlowState.RUNNING: flow.go_on,
        FlowState.WAITING: flow.wait,
        FlowState.DONE: flow.complete,
        FlowState.UNDONE: flow.take_back,
        FlowState.CANCELLED: flow.call_off,
    }[state]
    move()
    flow.save()


def _state_of(flow: Flow, steps: list[Step]) -> FlowState:
    if flow.is_final:
        return FlowState(flow.state)
    if flow.undoing:
        if any(step.state in IN_HAND or must_come_to_its_end(step) for step in steps):
            return FlowState.RUNNING
        if lasting_effects(steps):
            return FlowState.FAILED
        return FlowState.CANCELLED if _was_cancelled(flow) else FlowState.UNDONE
    if all(step.state in THROUGH for step in steps):
        return FlowState.DONE
    if any(step.state in BUSY for step in steps):
        return FlowState.RUNNING
    return FlowState.WAITING


def _stop_half_way(flow: Flow, lasting: list[Step]) -> None:
    """The rest was taken back; what lasts is said."""
    step = next((each for each in lasting if each.state == StepState.FAILED), lasting[-1])
    flow.error = {
        **(flow.error or {}),
        "undo": {"code": CANNOT_UNDO, "detail": storable(step.lasting), "step": step.name},
    }
    _give_up(flow)


def _give_up(flow: Flow) -> None:
    """The flow stops as failed: who asked for it hears of that, and whoever can help."""
    flow.give_up()
    flow.save()
    asked = User.objects.filter(requested_flows=flow, is_active=True)
    reason = (flow.error or {}).get("detail", "")
    notify = _notify()
    notify([*asked, *_operators()], kind="flow", **_told_of(flow, FAILED_TITLE, reason))


def _notify() -> Callable[..., None]:
    from console.services.notifications import notify  # which imports the promises, which import this

    return notify


def _operators() -> models.QuerySet[User]:
    """Whoever can help: the administrators of the console."""
    administrators = models.Q(console_role=ConsoleRole.ADMINISTRATOR) | models.Q(is_superuser=True)
    return User.objects.filter(administrators, is_active=True)


def _told_of(flow: Flow, title: str, reason: str) -> Json:
    """A notification about a flow."""
    name = flow.subject_label or flow.title_text
    return {
        "title": title,
        "body": REASON,
        "parameters": {"name": name, "reason": reason},
        "link": f"/flows/{flow.pk}",
    }


def _was_cancelled(flow: Flow) -> bool:
    return (flow.error or {}).get("code") == "cancelled"


# --- nudges ---------------------------------------------------------------------------------------------------------

_silent_until = 0.0
# What the worker in this thread goes on with by itself, without a message; None where nobody works.
_at_hand: ContextVar[list[int] | None] = ContextVar("at_hand", default=None)


@contextlib.contextmanager
def going_on() -> Iterator[list[int]]:
    """Inside, the first step that becomes ready comes into this list instead of going to the broker."""
    at_hand: list[int] = []
    token = _at_hand.set(at_hand)
    try:
        yield at_hand
    finally:
        _at_hand.reset(token)


def nudge(step_ids: list[int]) -> None:
    """Tell the workers after the commit. A lost nudge costs a moment: the sweep finds the row."""
    if step_ids:
        transaction.on_commit(lambda: _hand_out(step_ids))


def _hand_out(step_ids: list[int]) -> None:
    at_hand = _at_hand.get()
    if at_hand is not None and not at_hand:
        at_hand.append(step_ids[0])
        step_ids = step_ids[1:]
    send(step_ids)


def send(step_ids: list[int]) -> int:
    """Nudge the workers now; returns how many nudges went out."""
    from console.tasks import run_step  # tasks import the engine, which imports this

    for sent, step_id in enumerate(step_ids):
        if not knock(run_step, step_id):
            return sent
    return len(step_ids)


def knock(task: Task, *arguments: int) -> bool:
    """Send one nudge; false when the broker does not take it, or did not a moment ago."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    try:
        task.delay(*arguments)
    except Exception as problem:  # any broker failure: the row is the promise
        logger.warning("nudge %s%s not sent: %s", task.name, arguments, problem)
        _silent_until = time.monotonic() + SILENCE_SECONDS
        return False
    return True
