"""The platform does not say what it has made: an operator is asked, on a real plane; in the end there is one thing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from console.errors import Conflict
from console.flows import engine
from console.models import Flow, Notification, Step, StepState
from console.services.flows import cancel_flow, decide_step, skip_step
from platforms.models import Platform
from tests.unions.cast import Cast, cloud, departments, registered
from tests.unions.test_flows_union import NAME, agreed, asked_in, assert_taken_back, built, members, work
from tests.unions.union_plane import CREATE, JOIN, LIST, READ, UnionPlane, speak_to
from unions.models import Proposal, Union

pytestmark = pytest.mark.django_db(transaction=True)
BUSY = {"status": 503, "body": {}}


@pytest.fixture
def plane() -> Iterator[UnionPlane]:
    made = UnionPlane()
    yield made
    made.close()


@pytest.fixture
def cast(platform: Platform, root: Any, plane: UnionPlane) -> Cast:
    made = departments(platform, root)
    speak_to(plane, platform, careful=False)
    return made


def looked(proposal: Proposal) -> Step:
    """The flow has seen what was there before; the network is to be built next."""
    engine.run_step(proposal.flow.steps.get(name="look").pk)
    return proposal.flow.steps.get(name="network")


def lost_and_unseen(cast: Cast, plane: UnionPlane) -> Proposal:
    """The answer to the creation is lost, and every look after it fails."""
    proposal = agreed(cast)
    looked(proposal)
    plane.faults |= {CREATE: ["reset-after"], LIST: [BUSY] * 20}
    work()
    plane.faults.clear()
    assert_asks(proposal, "network")
    return proposal


def lost_beside_a_stranger(cast: Cast, plane: UnionPlane) -> Proposal:
    """The answer is lost, and somebody else has made a network of the same name in the meantime."""
    proposal = agreed(cast)
    looked(proposal)
    plane.faults |= {CREATE: ["reset-after"]}
    plane._create({"token": "else", "name": NAME, "owner": {"org": "stranger"}})
    work()
    assert_asks(proposal, "network")
    return proposal


def assert_asks(proposal: Proposal, name: str) -> Step:
    proposal.refresh_from_db()
    step = proposal.flow.steps.get(name=name)
    assert (step.state, proposal.flow.state, proposal.flow.needs_decision) == ("deciding", "waiting", True)
    assert Notification.objects.filter(kind="decision", link=f"/flows/{proposal.flow_id}").exists()
    return step


def assert_built(cast: Cast, proposal: Proposal, plane: UnionPlane, **others: list[str]) -> Union:
    """One union, one network, the same members on both sides."""
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    union = Union.objects.get()
    mine = plane.networks[union.network_id]
    assert [row["org"] for row in mine.members] == [cast.tax.orgcode, cast.housing.orgcode]
    assert sum(each.members[0]["org"] == cast.tax.orgcode for each in plane.networks.values()) == 1
    return union


def decide(cast: Cast, proposal: Proposal, choice: str, candidate: str = "") -> None:
    decide_step(actor=cast.root, flow_id=proposal.flow_id, choice=choice, candidate=candidate)
    work()


# --- the network ------------------------------------------------------------------------------------------------------


def test_look_again_finds_what_was_made(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_and_unseen(cast, plane)
    assert len(plane.networks) == 1
    decide(cast, proposal, "again")
    assert_built(cast, proposal, plane)


def test_try_again_when_nothing_was_made(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_and_unseen(cast, plane)
    plane.networks.clear()
    decide(cast, proposal, "again")
    assert_built(cast, proposal, plane)


def test_give_up_takes_back_what_a_look_finds(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_and_unseen(cast, plane)
    decide(cast, proposal, "give_up")
    assert_taken_back(proposal, plane)


def test_adopt_one_of_several(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_beside_a_stranger(cast, plane)
    step = proposal.flow.steps.get(name="network")
    mine = next(each.id for each in plane.networks.values() if each.members[0]["org"] == cast.tax.orgcode)
    assert {each["id"] for each in step.decision["candidates"]} == set(plane.networks)
    assert {each["name"] for each in step.decision["candidates"]} == {NAME}
    decide(cast, proposal, "adopt", mine)
    assert assert_built(cast, proposal, plane).network_id == mine
    assert len(plane.networks) == 2, "the stranger's stays"


def test_give_up_and_delete_one_of_several(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_beside_a_stranger(cast, plane)
    mine = next(each.id for each in plane.networks.values() if each.members[0]["org"] == cast.tax.orgcode)
    decide(cast, proposal, "give_up", mine)
    proposal.refresh_from_db()
    assert proposal.flow.state == "undone"
    assert plane.people() == {NAME: ["stranger"]}


def test_none_of_them_is_ours(cast: Cast, plane: UnionPlane) -> None:
    """Trying again makes a new one; giving up leaves alone what was found."""
    proposal = lost_beside_a_stranger(cast, plane)
    strangers = set(plane.networks)
    for network in plane.networks.values():
        network.members[0]["org"] = "stranger"
    decide(cast, proposal, "again")
    union = assert_built(cast, proposal, plane)
    assert set(plane.networks) == {*strangers, union.network_id}


def test_give_up_and_leave_alone_what_was_found(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_beside_a_stranger(cast, plane)
    decide(cast, proposal, "give_up")
    proposal.refresh_from_db()
    assert (proposal.flow.state, len(plane.networks)) == ("undone", 2)


def test_what_was_chosen_has_vanished(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_beside_a_stranger(cast, plane)
    mine = next(each.id for each in plane.networks.values() if each.members[0]["org"] == cast.tax.orgcode)
    other = next(each.id for each in plane.networks.values() if each.id != mine)
    del plane.networks[mine]
    decide(cast, proposal, "adopt", mine)
    step = assert_asks(proposal, "network")
    assert "not there any more" in step.decision["question"]
    assert [each["id"] for each in step.decision["candidates"]] == [other]
    plane.networks[other].members[0]["org"] = "stranger"
    decide(cast, proposal, "again")
    assert_built(cast, proposal, plane)


def test_the_platform_lists_nothing(cast: Cast, plane: UnionPlane) -> None:
    """Nobody can look, so nothing is made twice on the console's own account; an operator's word holds once."""
    speak_to(plane, cast.platform, careful=False, without=("list_networks",))
    plane.faults[CREATE] = ["reset-after"]
    proposal = agreed(cast)
    work()
    assert_asks(proposal, "network")
    assert len(plane.networks) == 1

    plane.networks.clear()
    plane.faults[CREATE] = ["reset-after"]
    decide(cast, proposal, "again")
    assert_asks(proposal, "network")
    assert len(plane.networks) == 1

    plane.networks.clear()
    decide(cast, proposal, "again")
    assert_built(cast, proposal, plane)


def test_the_platform_lists_nothing_and_the_flow_is_stopped(cast: Cast, plane: UnionPlane) -> None:
    """Stopped without a decision, nobody knows what is to be taken back; given up, the operator does."""
    speak_to(plane, cast.platform, careful=False, without=("list_networks",))
    for stop in (cancel_flow, decide_step):
        plane.faults[CREATE] = ["reset-after"]
        proposal = agreed(cast)
        work()
        plane.networks.clear()
        if stop is cancel_flow:
            cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
            work()
            proposal.flow.refresh_from_db()
            assert proposal.flow.state == "failed"
            assert "delete it there" in proposal.flow.error["undo"]["detail"]
            skip_step(actor=cast.root, flow_id=proposal.flow_id, step_id=proposal.flow.steps.get(name="network").pk)
            work()
            assert_taken_back(proposal, plane, flow="cancelled")
        else:
            decide(cast, proposal, "give_up")
            assert_taken_back(proposal, plane)


def test_a_platform_that_honours_our_key_is_simply_asked_again(cast: Cast, plane: UnionPlane) -> None:
    speak_to(plane, cast.platform, careful=True, without=("list_networks",))
    proposal = agreed(cast)
    step = looked(proposal)
    plane._create({"token": str(step.key), "name": NAME, "owner": {"org": cast.tax.orgcode}})
    lose_worker(step)
    work()
    assert_built(cast, proposal, plane)


def lose_worker(step: Step, attempts: int = 1) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Step.objects.filter(pk=step.pk).update(
        state=StepState.RUNNING, attempts=attempts, owner=uuid4(), lease_until=past, due_at=past
    )


def test_workers_die_before_the_question_and_after_the_answer(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_beside_a_stranger(cast, plane)
    step = proposal.flow.steps.get(name="network")
    Step.objects.filter(pk=step.pk).update(decision=None, state=StepState.READY, attempts=1)
    lose_worker(step)
    work()
    step = assert_asks(proposal, "network")
    mine = next(each.id for each in plane.networks.values() if each.members[0]["org"] == cast.tax.orgcode)
    decide_step(actor=cast.root, flow_id=proposal.flow_id, choice="adopt", candidate=mine)
    lose_worker(step)
    work()
    assert assert_built(cast, proposal, plane).network_id == mine


def test_a_second_decision_comes_too_late(cast: Cast, plane: UnionPlane) -> None:
    proposal = lost_and_unseen(cast, plane)
    decide_step(actor=cast.root, flow_id=proposal.flow_id, choice="again")
    with pytest.raises(Conflict):
        decide_step(actor=cast.root, flow_id=proposal.flow_id, choice="give_up")
    work()
    assert_built(cast, proposal, plane)


# --- a member's place -------------------------------------------------------------------------------------------------


def test_a_place_that_nobody_can_see(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    water = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    proposal = asked_in(cast, union, *water)
    for name in ("invite", "approval", "look"):
        engine.run_step(proposal.flow.steps.get(name=name).pk)
    plane.faults |= {JOIN: ["reset-after"], READ: [BUSY] * 30, LIST: [BUSY] * 30}
    work()
    plane.faults.clear()
    assert_asks(proposal, "network")
    decide(cast, proposal, "again")
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert members(union)["Water Board"] == "active"
    assert plane.people()[NAME].count(water[1].orgcode) == 1
    assert not Flow.objects.open().exists()
