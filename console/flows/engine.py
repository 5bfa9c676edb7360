"""Keeping promises: claim a step by conditional UPDATE, run it, settle it if the claim still holds.

A worker may die at any point: its lease runs out and another worker claims the step again, so an action may run
twice, and its key is what makes the effect happen once. Whoever settles must still own the lease (the fence), so a
worker that was thought dead and comes back changes nothing.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import OperationalError, models
from django.db.models import functions
from django.utils import timezone
from django.utils.translation import gettext_noop

from console.cleansing import cleansed, storable
from console.errors import ConsoleError, PlatformUnavailable
from console.flows import advance
from console.flows.blueprint import (
    Ask,
    Asleep,
    Done,
    Ending,
    Json,
    Later,
    RegisteredAction,
    UnknownAction,
    action_named,
    question_of,
)
from console.flows.context import StepContext
from console.models import Flow, Step, StepLog, StepState
from console.models.flows import CLAIMED
from console.sentences import kept
from console.transactions import whole

logger = logging.getLogger(__name__)

MAX_BACKOFF_SECONDS = 300
MOST_NUDGES = 100  # that wait at the broker because of the sweep; more would be repetitions
NUDGE_SECONDS = 5.0  # how long a nudge may be on its way before it counts as lost
MAX_CLAIMS = 3  # times the attempts that are allowed: so often a step may take its worker down with it
NUDGED_AGAIN_AFTER = timedelta(seconds=10)
RUNS_IN_A_ROW = 4
STEPS_IN_A_ROW = 50
SECONDS_IN_A_ROW = 5.0  # a worker goes on for so long with what it has made ready itself

UNEXPECTED = kept(gettext_noop("Something unexpected happened (%(kind)s); the log of the worker tells more."))
ATTEMPT_FAILED = kept(gettext_noop("attempt %(number)s failed: %(problem)s"))
LEFT_BEHIND = {
    "code": advance.WORKER_LOST,
    "detail": gettext_noop("The worker that had this step in hand was lost; what it did last is not known."),
}


# To go on after a wait is no other try; to begin again after a failure is one.
TRIES = models.Case(
    models.When(tries=0, then=1),
    models.When(error__isnull=False, then=models.F("tries") + 1),
    default=models.F("tries"),
    output_field=models.PositiveIntegerField(),
)


class Lost(Exception):
    """The lease ran out and somebody else has the step: whatever we know is no longer ours to write."""


class WorkersLost(ConsoleError):
    """The step takes down every worker that tries it."""

    code = advance.WORKER_LOST


HEALING = (PlatformUnavailable, OperationalError, UnknownAction)  # an action unknown here is known to newer workers


def due() -> models.QuerySet[Step]:
    """Steps that somebody should be working on and, as far as the rows say, nobody is."""
    now = timezone.now()
    free = models.Q(lease_until=None) | models.Q(lease_until__lte=now)
    idle = models.Q(state__in=[StepState.READY, StepState.LATER])
    left = models.Q(state__in=[StepState.RUNNING, StepState.UNDOING]) & free
    return Step.objects.filter(idle | left, due_at__lte=now).order_by("due_at")


def due_steps(limit: int = 500) -> list[int]:
    return list(due().values_list("pk", flat=True)[:limit])


def sweep(room: int = MOST_NUDGES) -> int:
    """Nudge the workers for at most `room` due steps; the repair of lost nudges and dead workers.

    Who was nudged a moment ago, here or when its step became ready, is left out: a second nudge would only be in the
    way of the others.
    """
    now = timezone.now()
    on_its_way = models.Q(state=StepState.READY, due_at__gt=now - timedelta(seconds=NUDGE_SECONDS))
    forgotten = models.Q(nudged_at=None) | models.Q(nudged_at__lt=models.F("due_at"))
    lost = models.Q(nudged_at__lte=now - NUDGED_AGAIN_AFTER)
    rows = due().filter(forgotten | lost).exclude(on_its_way)
    ids = list(rows.values_list("pk", flat=True)[: max(room, 0)])
    sent = advance.send(ids)
    Step.objects.filter(pk__in=ids[:sent]).update(nudged_at=now)
    return len(ids)


def release(worker: str, since: datetime) -> int:
    """The worker of this name began at `since`: what an earlier one of the same name had in hand is free again."""
    begun_before = since + timedelta(seconds=settings.FLOW_LEASE_SECONDS)
    left = Step.objects.filter(worker=worker, state__in=set(CLAIMED.values()), lease_until__lt=begun_before)
    return left.update(lease_until=timezone.now())


def work(step_id: int, worker: str = "") -> int:
    """Run a step, then by and by what becomes ready through it; returns how many were run.

    One step that becomes ready stays with this worker, which saves a message and the wait for it; others go out. A
    worker that dies in between leaves a row that is due, which the sweep finds.
    """
    began, ran = time.monotonic(), 0
    with advance.going_on() as at_hand:
        at_hand.append(step_id)
        while at_hand and ran < STEPS_IN_A_ROW and time.monotonic() < began + SECONDS_IN_A_ROW:
            next_id = at_hand.pop()
            ran += run_step(next_id, worker)
    advance.send(at_hand)
    return ran


def run_step(step_id: int, worker: str = "") -> bool:
    """Claim and run one step; False when there was nothing to claim (done, not due, or in other hands).

    A step that is about to sleep runs once more at once: see `_sleep`.
    """
    ran = False
    for _run in range(RUNS_IN_A_ROW):
        step = _claim(step_id, uuid4(), worker)
        if step is None:
            break
        ran = True
        if not _run_claimed(step):
            break
    return ran


def _claim(step_id: int, owner: UUID, worker: str) -> Step | None:
    """One conditional UPDATE decides who works on the step; a step left running has lost its worker, and says so."""
    now = timezone.now()
    lease = {
        "lease_until": now + timedelta(seconds=settings.FLOW_LEASE_SECONDS),
        "owner": owner,
        "worker": worker[:200],
    }
    rows = due().order_by().filter(pk=step_id)
    forward = {"state": StepState.RUNNING, "attempts": models.F("attempts") + 1, "tries": TRIES, **lease}
    claimed = (
        rows.filter(state__in=[StepState.READY, StepState.LATER]).update(
            started_at=functions.Coalesce("started_at", models.Value(now)), **forward
        )
        or rows.filter(state=StepState.UNDOING).update(undo_attempts=models.F("undo_attempts") + 1, **lease)
        or rows.filter(state=StepState.RUNNING).update(error=LEFT_BEHIND, **{**forward, "tries": models.F("tries") + 1})
    )
    return Step.objects.select_related("flow").filter(pk=step_id, owner=owner).first() if claimed else None


def _run_claimed(step: Step) -> bool:
    """Run the step's action and settle it; True when it should run again at once."""
    undoing = step.state == StepState.UNDOING
    try:
        if (step.undo_attempts if undoing else step.attempts) > MAX_CLAIMS * settings.FLOW_MAX_ATTEMPTS:
            raise WorkersLost(gettext_noop("The workers that had this step in hand were lost, again and again."))
        if step.flow.undoing and not undoing and not advance.must_come_to_its_end(step):
            return whole(lambda: _turn_back(_mine(step)))
        action = action_named(step.undo_action if undoing else step.action)
        if action.local:
            return whole(lambda: _run_local(action, step, undoing))
        ending = action.run(StepContext(step, undoing=undoing))
        return whole(lambda: _apply(_mine(step), undoing, ending))
    except Lost:
        logger.warning("step %s was taken over by another worker", step.pk)
    except Exception as problem:  # a bug in an action must end as a failed step, never as a stuck one
        _settle_error(step, undoing, _told(step, problem), heals=isinstance(problem, HEALING))
    return False


def _told(step: Step, problem: Exception) -> Json:
    """The error as the step keeps it. What was not meant for anybody's eyes goes to the worker's own log."""
    if isinstance(problem, ConsoleError):
        return problem.as_dict()
    logger.error("step %s failed unexpectedly", step.pk, exc_info=problem)
    return {"code": "internal", "detail": UNEXPECTED % {"kind": type(problem).__name__}}


def _mine(step: Step) -> Step:
    """The step, with its flow locked, if the lease is still ours. Lock order: flow, then steps."""
    flow = Flow.objects.select_for_update().get(pk=step.flow_id)
    mine = Step.objects.select_for_update().filter(pk=step.pk, owner=step.owner).first()
    if mine is None or mine.state not in advance.IN_HAND:
        raise Lost
    mine.flow = flow
    return mine


def _run_local(action: RegisteredAction, step: Step, undoing: bool) -> bool:
    """Run and settle in one transaction, so that the effect happens exactly once."""
    mine = _mine(step)
    if mine.flow.undoing and not undoing and not advance.must_come_to_its_end(mine):
        return _turn_back(mine)
    return _apply(mine, undoing, action.run(StepContext(mine, undoing=undoing)))


def _turn_back(step: Step) -> bool:
    """The flow is being taken back: do not begin what would be undone at once."""
    if step.attempts == 1:
        step.attempts, step.tries = 0, max(step.tries - 1, 0)  # this is the first attempt, and it does nothing
        step.skip()
    else:
        step.postpone(timezone.now())
    step.save()
    advance.advance(step.flow)
    return False


def _apply(step: Step, undoing: bool, ending: Ending) -> bool:
    """Write down how the attempt ended; True when the step should run again at once."""
    match ending:
        case Done() if undoing:
            step.finish_undoing()
        case Done(outcome):
            step.finish(storable(outcome))
        case Later(seconds, position):
            _postpone(step, undoing, seconds, position)
        case Asleep(topic) if not undoing:
            return _sleep(step, topic)
        case Ask(question, candidates) if not undoing:
            advance.ask(step, question, list(candidates))
            return False
        case _:
            raise TypeError(f"{step.action} ended with {ending!r}")
    step.save()
    advance.advance(step.flow)
    return False


def _postpone(step: Step, undoing: bool, seconds: float, position: Json | None) -> None:
    """Due again later, at its position. To wait is no failure, so the attempts are counted from one again."""
    due_at = timezone.now() + timedelta(seconds=seconds)
    if undoing:
        step.undo_position = _with_known(step.undo_position, position)
        step.undo_attempts, step.undo_error = 0, None
        step.postpone_undoing(due_at)
    else:
        step.position = _with_known(step.position, position)
        step.attempts, step.error, step.topic = 1, None, ""
        step.postpone(due_at)


def _with_known(old: Json | None, new: Json | None) -> Json | None:
    """The new position; what was known before stays known."""
    known = {**((old or {}).get("known") or {}), **((new or {}).get("known") or {})}
    return storable({**(new or {}), "known": known}) if known else storable(new)


def _sleep(step: Step, topic: str) -> bool:
    """Announce the topic, look once more, and only then sleep.

    What happens between the look and the sleep would be slept through; after the announcement it is not, since
    whoever wakes the topic withdraws the announcement (`promise.wake`), and the step looks again.
    """
    if announced := step.topic == topic:
        step.fall_asleep()
    else:
        step.topic = topic
        step.attempts = 1
        step.postpone(timezone.now())
    step.save()
    if announced or step.flow.undoing:
        advance.advance(step.flow)
        return False
    return True


def _settle_error(step: Step, undoing: bool, error: Json, *, heals: bool) -> None:
    """Another attempt where time can heal it and attempts are left; otherwise the failure is final."""
    try:
        whole(lambda: _apply_error(_mine(step), undoing, cleansed(error), heals))
    except Lost:
        logger.warning("step %s failed after it was taken over by another worker", step.pk)


def _apply_error(step: Step, undoing: bool, error: Json, heals: bool) -> None:
    attempts = step.undo_attempts if undoing else step.attempts
    number = attempts if undoing else step.tries
    message = ATTEMPT_FAILED % {"number": number, "problem": error.get("note") or error["detail"]}
    StepLog.objects.create(step=step, attempt=number, undoing=undoing, message=message[:2000], data=error)
    if not undoing and advance.is_unsure(step.error):
        error = {**error, "unsure": True}  # a look that failed has not told what the attempt before it did
    if heals and attempts < settings.FLOW_MAX_ATTEMPTS:
        _retry_later(step, undoing, attempts, error)
    elif undoing:
        advance.fail_undoing(step, error)
    elif heals and advance.is_unsure(error) and (question := question_of(step.action)) and not step.flow.undoing:
        step.error = error
        advance.ask(step, question, [])
    else:
        advance.fail(step, error)


def _retry_later(step: Step, undoing: bool, attempts: int, error: Json) -> None:
    seconds = min(MAX_BACKOFF_SECONDS, 2**attempts) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
    due_at = timezone.now() + timedelta(seconds=seconds)
    if undoing:
        step.undo_error = error
        step.postpone_undoing(due_at)
    else:
        step.error = error
        step.postpone(due_at)
    step.save()
    advance.advance(step.flow)
