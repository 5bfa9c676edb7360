"""What the engine guarantees: nothing promised is lost, nothing done twice, nobody late changes anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from console import flows, workers
from console.cleansing import DOTS
from console.errors import PlatformUnavailable
from console.flows import Done, Later, StepContext, engine
from console.models import Flow, FlowState, Notification, Step, StepLog, StepState, User, WorkerSeen
from console.services.notifications import notify
from console.tasks import run_step
from tests.console.flowkit import (
    TOPIC,
    Killed,
    World,
    error,
    hurry,
    let_leases_expire,
    line,
    question,
    run,
    run_out,
    start,
    state,
    states,
    step,
    thing,
    wake,
)

pytestmark = pytest.mark.django_db


# --- promising --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_promise_is_in_the_same_commit_as_its_reason(outside: World) -> None:
    def promise_and_fail() -> None:
        with transaction.atomic():
            start(thing("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        promise_and_fail()
    assert not Flow.objects.exists()
    assert not engine.due_steps()


@pytest.mark.django_db(transaction=True)
def test_promising_and_waking_demand_a_transaction() -> None:
    for promise in (lambda: flows.wake(TOPIC), lambda: flows.fail_waiting(TOPIC, code="x", detail="x")):
        with pytest.raises(RuntimeError, match="transaction"):
            promise()


@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_on_with_what_it_made_ready(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(run_step, "delay", sent.append)
    chain = start(thing("a"), thing("b"), line("c"))
    fork = start(thing("x"), thing("y", needs=("x",)), thing("z", needs=("x",)))
    sent.clear()
    assert engine.work(step(chain, "a").pk) == 3
    assert (state(chain), sent) == (FlowState.DONE, []), "no message was needed"
    assert engine.work(step(fork, "x").pk) == 2
    assert sent == [step(fork, "z").pk], "what can go on beside it goes to the others"
    assert engine.work(step(fork, "z").pk) == 1
    assert state(fork) == FlowState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_go_on_for_ever(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(run_step, "delay", sent.append)
    flow = start(thing("a"), thing("b"), thing("c"))
    sent.clear()
    monkeypatch.setattr(engine, "STEPS_IN_A_ROW", 2)
    assert engine.work(step(flow, "a").pk) == 2
    assert sent == [step(flow, "c").pk], "the rest waits its turn among the others"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_loses_nothing(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def dead(step_id: int) -> None:
        asked.append(step_id)
        raise ConnectionError("no broker")

    monkeypatch.setattr(run_step, "delay", dead)
    flow, second = start(thing("a"), thing("b")), start(thing("c"))
    assert asked == [step(flow, "a").pk], "a dead broker is not asked again and again"
    Step.objects.filter(state=StepState.READY).update(due_at=timezone.now() - timedelta(minutes=1))
    assert engine.sweep() == 2
    run()
    assert (state(flow), state(second)) == (FlowState.DONE, FlowState.DONE)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_nudges_what_is_due_once_and_what_was_lost_again(
    outside: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(run_step, "delay", sent.append)
    flow = start(thing("a"))
    pk = step(flow, "a").pk
    assert sent == [pk], "the promise itself nudges"
    assert engine.sweep() == 0, "that nudge is on its way"

    Step.objects.update(due_at=timezone.now() - timedelta(seconds=60))
    assert (engine.sweep(), sent) == (1, [pk, pk])
    assert engine.sweep() == 0

    Step.objects.update(nudged_at=timezone.now() - timedelta(seconds=60))
    assert engine.sweep(room=0) == 0, "a full queue gets no more"
    assert (engine.sweep(), sent) == (1, [pk, pk, pk])
    outside.will("a", Later(0))
    engine.run_step(pk)
    assert engine.sweep() == 1, "a new due time is a new reason"


# --- workers that die -------------------------------------------------------------------------------------------------


def test_a_step_is_claimed_by_one_worker(outside: World) -> None:
    flow = start(thing("a"))
    pk = step(flow, "a").pk
    outside.will("a", lambda context: engine.run_step(pk) and pytest.fail("claimed twice"))
    assert engine.run_step(pk)
    assert not engine.run_step(pk)
    assert outside.did("do") == ["a"]


def test_delivered_twice_the_effect_happens_once(outside: World) -> None:
    flow = start(thing("a"), thing("b"))
    pk = step(flow, "a").pk
    for _delivery in range(3):
        engine.run_step(pk)
    assert outside.did("do") == ["a"]
    run()
    assert outside.made == ["a", "b"]


def killed_after_its_effect(outside: World) -> Any:
    def behaviour(context: StepContext) -> Killed:
        outside.things.setdefault(context.key, context.arguments["name"])
        return Killed()

    return behaviour


def test_a_killed_workers_step_is_taken_over_when_its_lease_has_run_out(outside: World) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", killed_after_its_effect(outside))
    with pytest.raises(Killed):
        engine.run_step(step(flow, "a").pk)
    assert states(flow)["a"] == StepState.RUNNING
    assert engine.due_steps() == [], "the lease holds"
    let_leases_expire()
    assert engine.due_steps() == [step(flow, "a").pk]
    run()
    assert state(flow) == FlowState.DONE
    assert outside.did("do") == ["a", "a", "b"]
    assert outside.made == ["a", "b"], "the same key made the same thing"
    assert (step(flow, "a").attempts, step(flow, "a").tries) == (2, 2)


def test_a_killed_worker_leaves_no_half_of_a_local_step(outside: World) -> None:
    flow = start(line("a"))
    outside.will("a", Killed())
    with pytest.raises(Killed):
        engine.run_step(step(flow, "a").pk)
    assert not StepLog.objects.filter(message="noted a").exists()
    let_leases_expire()
    run()
    assert StepLog.objects.filter(message="noted a").count() == 1
    assert state(flow) == FlowState.DONE


def test_an_undoing_whose_worker_died_is_taken_over(outside: World) -> None:
    flow = start(thing("a"), line("b"))
    outside.will("b", ValueError())
    outside.will("a", Killed(), undoing=True)
    with pytest.raises(Killed):
        run()
    assert states(flow)["a"] == StepState.UNDOING
    let_leases_expire()
    run()
    assert (state(flow), outside.things) == (FlowState.UNDONE, {})


def test_a_step_whose_worker_died_is_not_begun_again_when_its_flow_is_taken_back(outside: World) -> None:
    """Its effect may be there, so it is undone; finishing it first would make what nobody wants."""
    flow = start(thing("a"), thing("b", ("a",)), thing("c", ("a",)))
    engine.run_step(step(flow, "a").pk)
    outside.will("b", killed_after_its_effect(outside))
    with pytest.raises(Killed):
        engine.run_step(step(flow, "b").pk)
    outside.will("c", ValueError())
    engine.run_step(step(flow, "c").pk)
    assert state(flow) == FlowState.RUNNING
    let_leases_expire()
    run()
    assert outside.did("do") == ["a", "b", "c"]
    assert outside.did("undo") == ["c", "b", "a"]
    assert (state(flow), outside.things) == (FlowState.UNDONE, {})


def test_a_late_worker_changes_nothing(outside: World) -> None:
    """Its lease has run out, another has done the step; whatever it comes back with is lost, not the other's word."""
    for late_ending in (
        Done({"made": "late"}),
        Later(5, {"known": {"id": "late"}}),
        PlatformUnavailable("late"),
        KeyError(),
    ):
        outside.clear()
        flow = start(thing("a"), thing("b"))
        pk = step(flow, "a").pk

        def overtaken(context: StepContext, pk: int = pk, ending: Any = late_ending) -> Any:
            let_leases_expire()
            assert engine.run_step(pk)
            return ending

        outside.will("a", overtaken)
        engine.run_step(pk)
        settled = step(flow, "a")
        assert (settled.state, settled.outcome, settled.error) == (StepState.DONE, {"made": "a"}, None)
        assert settled.position is None
        run()
        assert state(flow) == FlowState.DONE
        assert outside.made == ["a", "b"]


def test_a_late_worker_remembers_nothing(outside: World) -> None:
    flow = start(thing("a"))
    pk = step(flow, "a").pk

    def overtaken(context: StepContext) -> None:
        let_leases_expire()
        engine.run_step(pk)
        context.remember(network_id="late")

    outside.will("a", overtaken)
    engine.run_step(pk)
    assert step(flow, "a").position is None


def test_a_late_undoing_changes_nothing(outside: World) -> None:
    flow = start(thing("a"), line("b"))
    outside.will("b", ValueError())

    def overtaken(context: StepContext) -> PlatformUnavailable:
        let_leases_expire()
        assert engine.run_step(context.step_id)
        return PlatformUnavailable("late")

    outside.will("a", overtaken, undoing=True)
    run()
    assert state(flow) == FlowState.UNDONE
    assert step(flow, "a").undo_error is None


def test_a_step_that_takes_its_workers_down_is_given_up(outside: World, settings: Any) -> None:
    settings.FLOW_MAX_ATTEMPTS = 2
    flow = start(thing("a"), thing("b"))
    run_a = step(flow, "a")
    engine.run_step(run_a.pk)
    outside.will("b", *[Killed()] * 20)
    for _death in range(engine.MAX_CLAIMS * 2):
        with pytest.raises(Killed):
            engine.run_step(step(flow, "b").pk)
        let_leases_expire()
    run()
    assert state(flow) == FlowState.UNDONE
    assert error(flow)["code"] == "worker_lost"
    assert outside.things == {}


def test_a_worker_that_starts_again_frees_what_it_had_in_hand(outside: World) -> None:
    mine, other = start(thing("a")), start(thing("b"))
    for flow, name, worker in ((mine, "a", "flows@here"), (other, "b", "flows@there")):
        outside.will(name, Killed())
        with pytest.raises(Killed):
            engine.run_step(step(flow, name).pk, worker=worker)
    workers.began("flows@here")
    assert engine.due_steps() == [step(mine, "a").pk]
    assert WorkerSeen.objects.fresh().get().name == "flows@here"
    run()
    assert (state(mine), state(other)) == (FlowState.DONE, FlowState.RUNNING)


def test_what_a_worker_takes_up_after_its_start_stays_in_its_hands(outside: World) -> None:
    flow = start(thing("a"))
    began = timezone.now() - timedelta(minutes=10)
    outside.will("a", lambda context: engine.release("flows@here", began) and pytest.fail("freed"))
    engine.run_step(step(flow, "a").pk, worker="flows@here")
    assert state(flow) == FlowState.DONE


# --- attempts ---------------------------------------------------------------------------------------------------------


def test_what_time_can_heal_is_tried_again_with_growing_distance(outside: World) -> None:
    flow = start(thing("a"))
    outside.will("a", PlatformUnavailable("down"), PlatformUnavailable("down"))
    run()
    first = step(flow, "a")
    assert (first.state, first.attempts) == (StepState.LATER, 1)
    assert first.error == {"code": "platform_unavailable", "detail": "down"}
    hurry()
    run()
    second = step(flow, "a")
    assert second.due_at - timezone.now() > timedelta(seconds=2)
    assert [row.message for row in StepLog.objects.all()] == ["attempt 1 failed: down", "attempt 2 failed: down"]
    run_out()
    assert (state(flow), step(flow, "a").error) == (FlowState.DONE, None)


def test_attempts_have_an_end(outside: World, settings: Any) -> None:
    flow = start(thing("a"))
    outside.will("a", *[PlatformUnavailable("down")] * 50)
    run_out()
    assert outside.did("do") == ["a"] * settings.FLOW_MAX_ATTEMPTS
    assert error(flow)["code"] == "platform_unavailable"


def test_waiting_is_no_failed_attempt(outside: World) -> None:
    """A poll that fails now and then over days is not a step that failed eight times."""
    flow = start(thing("a"))
    outside.will("a", *[PlatformUnavailable("down"), Later(1, {"at": 1})] * 20)
    run_out()
    assert state(flow) == FlowState.DONE
    assert outside.did("do") == ["a"] * 41
    assert step(flow, "a").tries == 21, "one, and one more after each failure"


def test_asking_whether_a_job_is_through_is_no_other_try(outside: World, settings: Any) -> None:
    flow = start(thing("a"), thing("b"))
    outside.will("a", *[Later(1, {"at": 1})] * 5)
    outside.will("b", Later(1), Later(1), PlatformUnavailable("down"), Later(1))
    run_out()
    assert {name: step(flow, name).tries for name in ("a", "b")} == {"a": 1, "b": 2}
    assert [row.message for row in StepLog.objects.all()] == ["attempt 1 failed: down"]


def test_a_step_goes_on_where_it_stopped(outside: World) -> None:
    positions: list[Any] = []
    flow = start(thing("a"))

    def seen(ending: Any) -> Any:
        return lambda context: positions.append(context.position) or ending

    outside.will(
        "a", seen(Later(1, {"at": 1})), seen(PlatformUnavailable("down")), seen(Later(1, {"at": 2})), seen(None)
    )
    run_out()
    assert positions == [None, {"at": 1}, {"at": 1}, {"at": 2}]
    assert state(flow) == FlowState.DONE


def test_the_key_stays_and_the_undoing_has_its_own(outside: World) -> None:
    keys: list[str] = []
    flow = start(thing("a"), line("b"))
    outside.will("a", *[lambda context: keys.append(context.key) or PlatformUnavailable("down")] * 2)
    run_out_of_a = [lambda context: keys.append(context.key) or None]
    outside.will("a", *run_out_of_a, undoing=True)
    outside.will("b", ValueError())
    run_out()
    assert keys == [str(step(flow, "a").key)] * 2 + [f"undo-{step(flow, 'a').key}"]


def test_a_database_that_stumbles_is_tried_again(outside: World) -> None:
    flow = start(line("a"))
    outside.will("a", OperationalError("deadlock detected"))
    run()
    assert states(flow) == {"a": "later"}
    run_out()
    assert state(flow) == FlowState.DONE


# --- sleeping ---------------------------------------------------------------------------------------------------------


def test_an_event_between_the_look_and_the_sleep_is_not_slept_through(outside: World) -> None:
    """The step looks, and sees no answer; the answer comes and wakes nobody; the step looks again."""
    flow = start(question())
    outside.will("question", lambda context: wake() and pytest.fail("somebody slept already"))
    engine.run_step(step(flow, "question").pk)
    assert (state(flow), outside.did("do")) == (FlowState.DONE, ["question", "question"])


def test_an_event_between_the_announcement_and_the_second_look(outside: World) -> None:
    flow = start(question())
    claimed = engine._claim(step(flow, "question").pk, uuid4(), "")
    assert claimed is not None
    assert engine._run_claimed(claimed)
    assert wake() == 0
    run()
    assert (state(flow), outside.did("do")) == (FlowState.DONE, ["question", "question"])


def test_an_answer_that_came_first_is_found_at_the_first_look(outside: World) -> None:
    outside.answer = "yes"
    flow = start(question())
    run()
    assert (state(flow), outside.did("do")) == (FlowState.DONE, ["question"])


def test_failing_and_cancelling_those_who_wait(outside: World, root: User) -> None:
    refused, withdrawn = start(thing("a"), question()), None
    run()
    with transaction.atomic():
        assert flows.fail_waiting(TOPIC, code="refused", detail="Bob said no.") == 1
    run()
    assert (state(refused), error(refused)["code"]) == (FlowState.UNDONE, "refused")

    withdrawn = start(thing("a"), question())
    run()
    with transaction.atomic():
        assert flows.cancel_waiting(TOPIC, actor=root, detail="Withdrawn.") == 1
    run()
    assert (state(withdrawn), error(withdrawn)["detail"]) == (FlowState.CANCELLED, "Withdrawn.")
    assert outside.things == {}


def test_two_steps_of_one_flow_that_wait_for_the_same(outside: World) -> None:
    for verb, ending in (("wake", "done"), ("fail", "undone")):
        outside.clear()
        flow = start(question("one", needs=()), question("two", needs=()), thing("a", ("one", "two")))
        run()
        assert states(flow) == {"one": "asleep", "two": "asleep", "a": "waiting"}
        with transaction.atomic():
            if verb == "wake":
                assert flows.wake(TOPIC) == 2
            else:
                flows.fail_waiting(TOPIC, code="refused", detail="No.")
        run()
        assert state(flow) == ending


def test_a_local_step_that_fails_has_written_nothing(outside: World, alice: User) -> None:
    flow = start(line("a"))
    outside.will("a", lambda context: notify([alice], kind="tests", title="Told") or ValueError())
    run()
    assert state(flow) == FlowState.UNDONE
    assert not Notification.objects.exists()


# --- what is written --------------------------------------------------------------------------------------------------


def test_whatever_a_platform_says_can_be_kept_and_carries_no_secret(outside: World) -> None:
    """NUL characters and half surrogates, which one of the databases refuses, end no step."""
    flow = start(thing("a"))
    said = {"text": "a\x00b\ud800c", "sk": "s3cr3t", "nan": float("nan"), "nested": [{"Authorization": "Bearer x"}]}

    def talks(context: StepContext) -> Later:
        context.log("said\x00so", **said)
        return Later(1, {"driver": {"said": said["text"]}})

    outside.will("a", talks, lambda context: Done({"said": said["text"]}))
    run_out()
    assert state(flow) == FlowState.DONE
    assert step(flow, "a").outcome == {"said": "a\ufffdb?c"}
    row = StepLog.objects.get()
    assert row.message == "said\ufffdso"
    assert row.data == {"text": "a\ufffdb?c", "sk": DOTS, "nan": "nan", "nested": [{"Authorization": DOTS}]}
