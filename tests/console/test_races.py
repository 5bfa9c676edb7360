"""Many at the same moment, on a database with row locks: one wins, nothing happens twice, nobody waits for ever."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from console import audit, flows
from console.flows import engine
from console.models import AuditEntry, Flow, FlowState, Notification, StepState, User
from console.services.flows import cancel_flow, retry_step, skip_step
from console.services.users import disable_user, set_role
from console.transactions import use_case
from tests.console.conftest import person
from tests.console.flowkit import TOPIC, World, hurry, line, question, run, run_out, start, state, states, step, thing
from tests.console.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 8
ROUNDS = 5


def test_one_of_many_workers_has_the_step(outside: World) -> None:
    for number in range(ROUNDS):
        outside.clear()
        pk = step(start(thing(f"a{number}")), f"a{number}").pk
        assert at_once(*[partial(engine.run_step, pk)] * THREADS) == {"done": THREADS}
        assert outside.did("do") == [f"a{number}"]


def test_a_local_step_run_by_many_writes_once(outside: World) -> None:
    flow = start(line("a"))
    at_once(*[lambda: engine.run_step(step(flow, "a").pk)] * THREADS)
    assert step(flow, "a").log.filter(message="noted a").count() == 1


def test_parallel_steps_that_end_at_once_make_the_next_ready_once(outside: World) -> None:
    names = [f"b{number}" for number in range(THREADS)]
    flow = start(line("a"), *[thing(name, ("a",)) for name in names], line("c", needs=tuple(names)))
    engine.run_step(step(flow, "a").pk)
    assert at_once(*[partial(engine.run_step, step(flow, name).pk) for name in names]) == {"done": THREADS}
    assert states(flow)["c"] == StepState.READY
    run()
    assert state(flow) == FlowState.DONE
    assert outside.did("do").count("c") == 1


def test_parallel_steps_that_fail_at_once_are_each_taken_back_once(outside: World) -> None:
    names = [f"b{number}" for number in range(THREADS)]
    flow = start(thing("a"), *[thing(name, ("a",)) for name in names])
    engine.run_step(step(flow, "a").pk)
    for name in names:
        outside.will(name, ValueError())
    assert at_once(*[partial(engine.run_step, step(flow, name).pk) for name in names]) == {"done": THREADS}
    run()
    assert state(flow) == FlowState.UNDONE
    assert len(outside.did("undo")) == len(set(outside.did("undo")))
    assert outside.things == {}
    assert set(states(flow).values()) <= {"undone", "skipped"}


def test_cancelling_while_workers_claim(outside: World, root: User) -> None:
    """Whoever wins, nothing is left: no step runs beside its own undoing."""
    for _round in range(ROUNDS):
        outside.clear()
        flow = start(thing("a"), thing("b", ()), thing("c", ()))
        calls = [partial(engine.run_step, each.pk) for each in flow.steps.all()]
        endings = at_once(partial(cancel_flow, actor=root, flow_id=flow.pk), *calls)
        run()
        all_or_nothing(outside, flow, endings)


def all_or_nothing(outside: World, flow: Flow, endings: Counter[str]) -> None:
    """The flow was cancelled and is taken back, or it had ended before, and the operator was told so."""
    if endings["conflict"]:
        assert (state(flow), set(states(flow).values())) == (FlowState.DONE, {"done"})
    else:
        assert (state(flow), outside.things) == (FlowState.CANCELLED, {})
        assert set(states(flow).values()) <= {"undone", "skipped"}


def test_cancelling_while_a_polling_step_is_claimed_again(outside: World, root: User) -> None:
    for _round in range(ROUNDS):
        outside.clear()
        flow = start(thing("a"))
        outside.will("a", flows.Later(0))
        engine.run_step(step(flow, "a").pk)
        hurry()
        cancel = partial(cancel_flow, actor=root, flow_id=flow.pk)
        endings = at_once(cancel, partial(engine.run_step, step(flow, "a").pk))
        run_out()
        all_or_nothing(outside, flow, endings)


def test_an_answer_while_the_step_falls_asleep(outside: World) -> None:
    for _round in range(ROUNDS * 2):
        outside.clear()
        flow = start(question())

        def answer() -> None:
            with transaction.atomic():
                outside.answer = "yes"
                flows.wake(TOPIC, {"answer": "yes"})

        assert at_once(answer, lambda flow=flow: engine.run_step(step(flow, "question").pk)) == {"done": 2}
        run()
        assert state(flow) == FlowState.DONE, "the flow sleeps although there is an answer"


def test_many_answers_wake_once(outside: World) -> None:
    flow = start(question(), line("a"))
    run()
    woken: list[int] = []

    def answer() -> None:
        with transaction.atomic():
            woken.append(flows.wake(TOPIC))

    assert at_once(*[answer] * THREADS) == {"done": THREADS}
    assert sorted(woken) == [0] * (THREADS - 1) + [1]
    run()
    assert state(flow) == FlowState.DONE
    assert outside.did("do").count("a") == 1


def test_operators_who_press_at_once(outside: World, root: User) -> None:
    for verb in (retry_step, skip_step):
        outside.clear()
        flow = start(thing("a"), line("b"), line("c"))
        outside.will("c", ValueError())
        outside.will("a", ValueError(), undoing=True)
        run()
        pk = step(flow, "a").pk
        calls = [lambda pk=pk, flow=flow, verb=verb: verb(actor=root, flow_id=flow.pk, step_id=pk)] * THREADS
        endings = at_once(*calls)
        assert endings["done"] >= 1
        assert set(endings) <= {"done", "conflict"}
        run()
        assert state(flow) == FlowState.UNDONE
        assert AuditEntry.objects.filter(target_id=str(flow.pk)).count() == endings["done"]


# --- the audit chain --------------------------------------------------------------------------------------------------


def test_the_chain_holds_when_many_append(root: User) -> None:
    def append(number: int) -> None:
        with transaction.atomic():
            audit.record("tests.appended", actor=root, target=root, number=number)

    assert at_once(*[lambda n=n: append(n) for n in range(THREADS * 3)]) == {"done": THREADS * 3}
    assert list(audit.verify()) == []
    assert set(AuditEntry.objects.values_list("number", flat=True)) == set(range(1, THREADS * 3 + 1))


def test_verifying_while_others_append_raises_no_alarm(root: User) -> None:
    stop = threading.Event()

    def append() -> None:
        for number in range(40):
            with transaction.atomic():
                audit.record("tests.appended", actor=root, number=number)
        stop.set()

    breaks: list[Any] = []

    def check() -> None:
        while not stop.is_set():
            breaks.extend(audit.verify())

    assert at_once(append, check) == {"done": 2}
    assert breaks == []


# --- deadlocks --------------------------------------------------------------------------------------------------------


def test_the_loser_of_a_deadlock_begins_again(root: User, alice: User) -> None:
    """Two use cases take two rows in opposite order; both succeed, and neither writes twice."""
    meeting = threading.Barrier(2)
    tries: Counter[int] = Counter()

    @use_case
    def take(first: User, second: User) -> None:
        tries[first.pk] += 1
        User.objects.select_for_update().get(pk=first.pk)
        if tries[first.pk] == 1:
            meeting.wait(timeout=10)
        User.objects.select_for_update().get(pk=second.pk)
        Notification.objects.create(user=first, kind="tests", title="Taken")

    assert at_once(lambda: take(root, alice), lambda: take(alice, root)) == {"done": 2}
    assert sum(tries.values()) == 3
    assert Notification.objects.count() == 2


def test_a_vote_beside_an_operator_who_cancels(outside: World, root: User) -> None:
    """One locks the audit log before the flow, the other the flow before the audit log."""

    @use_case
    def vote() -> None:
        audit.record("tests.voted", actor=root)
        flows.wake(TOPIC)

    for _round in range(ROUNDS):
        flow = start(question(), line("a"))
        run()
        endings = at_once(vote, lambda flow=flow: cancel_flow(actor=root, flow_id=flow.pk))
        assert endings == {"done": 2}
        run()
        assert state(flow) == FlowState.CANCELLED
    assert list(audit.verify()) == []


def test_two_administrators_disable_each_other(root: User) -> None:
    for number in range(ROUNDS):
        other = person(f"other{number}", "administrator")
        User.objects.filter(pk=root.pk).update(is_active=True)
        endings = at_once(
            lambda other=other: disable_user(actor=root, user_id=other.pk),
            lambda other=other: set_role(actor=other, user_id=root.pk, console_role=""),
        )
        assert endings["done"] >= 1
        assert set(endings) <= {"done", "conflict"}, endings
        assert any(user.is_administrator for user in User.objects.all())
        User.objects.filter(pk=root.pk).update(console_role="administrator")
        User.objects.filter(pk=other.pk).update(console_role="")


def test_flows_of_many_at_once_all_end(outside: World) -> None:
    """Workers race for everything that is due; each step acts once."""
    promised = [start(thing(f"a{n}"), thing(f"b{n}"), line(f"c{n}")) for n in range(6)]
    at_once(*[run] * 4)
    run()
    assert Counter(Flow.objects.values_list("state", flat=True)) == {"done": len(promised)}
    assert len(outside.did("do")) == len(set(outside.did("do")))
