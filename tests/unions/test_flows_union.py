"""Unions built and taken down by the real engine on a real management plane, which answers well, badly, or not at all.

After each story both sides are looked at: what the console wrote down, and what is left on the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from console.flows import engine
from console.models import Flow, Notification, Step, StepState, User
from console.services.flows import cancel_flow, retry_step
from platforms.models import Platform
from tests.unions.cast import Cast, cloud, departments, proposed, registered
from tests.unions.union_plane import CREATE, DELETE, JOB, JOIN, LIST, QUIT, READ, UnionPlane, speak_to
from unions.models import Organization, Proposal, ResourceSpace, Union, UnionMember
from unions.services.proposals import cast_vote
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Building permits"


@pytest.fixture
def plane() -> Iterator[UnionPlane]:
    made = UnionPlane()
    yield made
    made.close()


@pytest.fixture
def cast(platform: Platform, root: User, plane: UnionPlane) -> Cast:
    made = departments(platform, root)
    speak_to(plane, platform)
    return made


@pytest.fixture
def water(cast: Cast) -> tuple[User, Organization]:
    """A fourth department, in the cloud like the first two."""
    return registered(cast.root, "erin", cloud("Water Board", "t-3"))


def work(*, rounds: int = 200) -> None:
    """Be the worker: keep every promise, without waiting for the time that a step would let pass."""
    for _round in range(rounds):
        now = timezone.now()
        waiting = Step.objects.filter(state__in=[StepState.LATER, StepState.UNDOING], lease_until=None, due_at__gt=now)
        waiting.update(due_at=now)
        due = list(engine.due().values_list("pk", flat=True))
        if not due:
            return
        for step_id in due:
            engine.run_step(step_id)


def agreed(cast: Cast, *guests: tuple[User, Organization], name: str = NAME) -> Proposal:
    """Alice proposes, everybody agrees; the flow is ready to speak to the platform."""
    guests = guests or ((cast.bob, cast.housing),)
    codes = [organization.orgcode for _user, organization in guests]
    proposal = propose_union(actor=cast.alice, name=name, oemtype="", creatororg=cast.tax.orgcode, orgs=codes)
    work()
    for user, organization in guests:
        cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
    return proposal


def built(cast: Cast, *guests: tuple[User, Organization]) -> Union:
    proposal = agreed(cast, *guests)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert proposal.union is not None
    return proposal.union


def asked_in(cast: Cast, union: Union, user: User, organization: Organization) -> Proposal:
    """Somebody asks to come in, and the members have agreed."""
    proposal = propose_join(actor=user, unionid=union.unionid, orgcode=organization.orgcode)
    for voter, member in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
        cast_vote(actor=voter, proposal_id=proposal.pk, orgcode=member.orgcode, agree=True)
    return proposal


def members(union: Union) -> dict[str, str]:
    return dict(union.members.order_by("pk").values_list("organization__name", "state"))


def assert_taken_back(proposal: Proposal, plane: UnionPlane, *, flow: str = "undone") -> Flow:
    """Agreed to, failed, taken back: nothing is left here or there, and the name is free."""
    proposal.refresh_from_db()
    assert (proposal.state, proposal.flow.state) == ("carried", flow), proposal.flow.error
    assert plane.people() == {}
    assert not Union.objects.exists()
    assert not UnionMember.objects.exists()
    assert not Flow.objects.open().exists()
    return proposal.flow


# --- when all goes well ---------------------------------------------------------------------------------------------


def test_a_union_of_two_is_built_on_the_platform_and_written_down(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    (network,) = plane.networks.values()
    assert (union.name, union.state, union.network_id) == (NAME, "active", network.id)
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "active"}
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    assert union.members.get(organization=cast.housing).member_id == network.members[1]["id"]
    assert Notification.objects.filter(user=cast.bob, kind="union").exists()
    assert ResourceSpace.objects.count() == 3


def test_three_members_are_brought_in_side_by_side(cast: Cast, plane: UnionPlane, water: Any) -> None:
    union = built(cast, (cast.bob, cast.housing), water)
    assert sorted(plane.people()[NAME]) == sorted([cast.tax.orgcode, cast.housing.orgcode, water[1].orgcode])
    assert set(members(union).values()) == {"active"}
    steps = union.proposals.get().flow.steps
    assert set(steps.get(name="save").needs) >= {f"member:{cast.housing.orgcode}", f"member:{water[1].orgcode}"}


def test_whose_credential_opens_what(cast: Cast, plane: UnionPlane) -> None:
    built(cast)
    spoken = {asked.route: asked.token for asked in plane.asked}
    assert spoken[CREATE] == spoken[JOIN] == "AK-of-one"
    assert spoken[LIST] != "AK-of-one"


def test_join_quit_delete(cast: Cast, plane: UnionPlane, water: Any) -> None:
    union = built(cast)
    asked_in(cast, union, *water)
    work()
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "active", "Water Board": "active"}
    assert water[1].orgcode in plane.people()[NAME]

    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    work()
    assert members(union)["Housing Office"] == "left"
    assert plane.people() == {NAME: [cast.tax.orgcode, water[1].orgcode]}

    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert (union.state, plane.people()) == ("deleted", {})
    assert set(members(union).values()) == {"left"}
    assert not Flow.objects.open().exists()
    built(cast)  # the name is free again


def test_who_has_quit_may_come_back(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    work()
    proposal = propose_join(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True)
    work()
    states = list(union.members.filter(organization=cast.housing).order_by("pk").values_list("state", flat=True))
    assert states == ["left", "active"]
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


def test_once_the_creator_has_left_another_member_takes_the_union_down(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode)
    work()
    assert plane.people() == {NAME: [cast.housing.orgcode]}
    propose_delete(actor=cast.bob, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert (union.state, plane.people()) == ("deleted", {})


def test_a_refusal_never_reaches_the_platform(cast: Cast, plane: UnionPlane) -> None:
    proposal = proposed(cast)
    work()
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False)
    work()
    assert plane.asked == []
    assert not Union.objects.exists()
    assert not Flow.objects.open().exists()


# --- when the platform fails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["clean", "dirty"])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_network_whose_job_fails(cast: Cast, plane: UnionPlane, how: str, careful: bool) -> None:
    speak_to(plane, cast.platform, careful=careful)
    plane.fails["create"] = how
    proposal = agreed(cast)
    work()
    flow = assert_taken_back(proposal, plane)
    assert "the disk is full" in flow.error["detail"]
    told = Notification.objects.filter(user=cast.bob, kind="proposal").latest("id")
    assert "taken back" in told.title_text
    assert "the disk is full" in told.body_text
    plane.fails.clear()
    built(cast)


@pytest.mark.parametrize("how", ["clean", "dirty"])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_member_whose_job_fails_takes_the_whole_union_back(
    cast: Cast, plane: UnionPlane, water: Any, how: str, careful: bool
) -> None:
    speak_to(plane, cast.platform, careful=careful)
    plane.fails["join"] = how
    proposal = agreed(cast, (cast.bob, cast.housing), water)
    work()
    assert_taken_back(proposal, plane)


@pytest.mark.parametrize("route", [CREATE, JOIN])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_plain_no(cast: Cast, plane: UnionPlane, route: str, careful: bool) -> None:
    speak_to(plane, cast.platform, careful=careful)
    full = {"status": 409, "body": {"error": {"code": "FULL", "text": "Your quota is used up."}}}
    plane.faults[route] = [full]
    if route == CREATE:
        # A refusal makes nothing, so the answer must come without the effect.
        plane.careful = True
        plane._create = lambda body: {}  # type: ignore[method-assign]
    proposal = agreed(cast)
    work()
    flow = assert_taken_back(proposal, plane)
    assert "quota" in flow.error["detail"]


@pytest.mark.parametrize("route", [CREATE, JOB, JOIN])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_nonsense_for_an_answer(cast: Cast, plane: UnionPlane, route: str, careful: bool) -> None:
    """The call had its effect, but the answer is a page for people: whatever was made is found and taken back."""
    speak_to(plane, cast.platform, careful=careful)
    plane.faults[route] = ["html"]
    proposal = agreed(cast)
    work()
    flow = assert_taken_back(proposal, plane)
    assert "JSON" in flow.error["detail"]
    built(cast)


@pytest.mark.parametrize("fault", ["reset", "reset-after"])
@pytest.mark.parametrize("route", [CREATE, JOIN])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_lost_answer_makes_nothing_twice(
    cast: Cast, plane: UnionPlane, fault: str, route: str, careful: bool
) -> None:
    """The line breaks before or after the platform has acted: the console looks before it creates again."""
    speak_to(plane, cast.platform, careful=careful)
    plane.faults[route] = [fault]
    proposal = agreed(cast)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    member_ids = [row["id"] for network in plane.networks.values() for row in network.members]
    assert list(UnionMember.objects.order_by("pk").values_list("member_id", flat=True))[1] == member_ids[1]


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_what_broke_on_the_way_back_makes_nothing_twice(
    cast: Cast, plane: UnionPlane, status: int, careful: bool
) -> None:
    """A gateway's answer does not say whether what stands behind it has acted."""
    speak_to(plane, cast.platform, careful=careful)
    broken = {"status": status, "body": {}}
    plane.faults |= {CREATE: [broken], JOIN: [broken]}
    proposal = agreed(cast)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


@pytest.mark.parametrize("route", [CREATE, JOIN])
def test_a_look_that_fails_does_not_forget_why_it_was_made(cast: Cast, plane: UnionPlane, route: str) -> None:
    """The answer of the creation is lost, and so is the answer to the look after it: it is still looked for."""
    speak_to(plane, cast.platform, careful=False)
    proposal = agreed(cast)
    engine.run_step(proposal.flow.steps.get(name="look").pk)
    busy = {"status": 503, "body": {}}
    plane.faults |= {route: ["reset-after"], LIST: [busy, busy], READ: [busy, busy, busy]}
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert len(plane.networks) == 1
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


@pytest.mark.parametrize("reached", [True, False], ids=["after the call", "before the call"])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_worker_that_dies_makes_nothing_twice(cast: Cast, plane: UnionPlane, careful: bool, reached: bool) -> None:
    speak_to(plane, cast.platform, careful=careful)
    proposal = agreed(cast)
    engine.run_step(proposal.flow.steps.get(name="look").pk)
    building = proposal.flow.steps.filter(name="network")
    if reached:
        plane._create({"token": str(building.get().key), "name": NAME, "owner": {"org": cast.tax.orgcode}})
    past = timezone.now() - timedelta(seconds=1)
    building.update(state=StepState.RUNNING, attempts=1, owner=uuid4(), lease_until=past, due_at=past)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


def test_the_platform_is_away_for_a_while(cast: Cast, plane: UnionPlane) -> None:
    busy = {"status": 503, "body": {"error": {"code": "BUSY", "text": "Come back later."}}}
    plane.faults[LIST] = [busy, busy]
    plane.faults[JOB] = [busy, busy, busy]
    proposal = agreed(cast)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


def test_the_platform_never_comes_back(cast: Cast, plane: UnionPlane) -> None:
    proposal = agreed(cast)
    plane.close()
    work()
    proposal.refresh_from_db()
    assert (proposal.state, proposal.flow.state) == ("carried", "undone")
    assert not Union.objects.exists()


def test_what_was_there_before_is_never_taken_for_ours(cast: Cast, plane: UnionPlane) -> None:
    """A stranger's network of the same name survives our failure."""
    speak_to(plane, cast.platform, careful=False)
    plane._create({"token": "somebody else", "name": NAME, "owner": {"org": "stranger"}})
    plane.fails["create"] = "dirty"
    proposal = agreed(cast)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "undone"
    assert plane.people() == {NAME: ["stranger"]}


def test_a_platform_that_gives_us_the_network_of_another_union(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    other = plane.networks[union.network_id]
    plane.once = {}
    plane._create = lambda body: plane._job("create", other)  # type: ignore[method-assign]
    proposal = agreed(cast, name="Inheritance")
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "undone"
    assert plane.people()[NAME][:2] == [cast.tax.orgcode, cast.housing.orgcode]
    assert list(Union.objects.values_list("name", flat=True)) == [NAME]


def test_an_operator_stops_it_half_way(cast: Cast, plane: UnionPlane) -> None:
    plane.polls = 100
    proposal = agreed(cast)
    work(rounds=6)
    assert plane.people() == {NAME: [cast.tax.orgcode]}
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id, reason="wrong platform")
    plane.polls = 1
    work()
    assert_taken_back(proposal, plane, flow="cancelled")


# --- joining, quitting and deleting that fail -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["clean", "dirty"])
@pytest.mark.parametrize("careful", [True, False], ids=["careful", "careless"])
def test_a_join_that_fails_leaves_the_union_as_it_was(
    cast: Cast, plane: UnionPlane, water: Any, how: str, careful: bool
) -> None:
    union = built(cast)
    before = members(union)
    speak_to(plane, cast.platform, careful=careful)
    plane.fails["join"] = how
    proposal = asked_in(cast, union, *water)
    work()
    proposal.refresh_from_db()
    union.refresh_from_db()
    assert (proposal.state, proposal.flow.state, union.state) == ("carried", "undone", "active")
    assert members(union) == before
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    plane.fails.clear()
    asked_in(cast, union, *water)
    work()
    assert members(union)["Water Board"] == "active"


def test_a_join_that_is_refused_because_the_organization_is_in_already_takes_nothing_out(
    cast: Cast, plane: UnionPlane, water: Any
) -> None:
    union = built(cast)
    plane.networks[union.network_id].members.append({"id": "m-old", "org": water[1].orgcode})
    proposal = asked_in(cast, union, *water)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "undone"
    assert "Water Board" not in members(union)
    assert water[1].orgcode in plane.people()[NAME]


@pytest.mark.parametrize("how", ["clean", "dirty"])
@pytest.mark.parametrize("again", ["asked", "retried"])
def test_a_quit_that_fails_leaves_the_member_in_and_is_asked_again(
    cast: Cast, plane: UnionPlane, how: str, again: str
) -> None:
    union = built(cast)
    plane.fails["quit"] = how
    proposal = propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    work()
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "active"}
    flow = Flow.objects.get(pk=proposal.flow_id)
    assert (flow.state, flow.stopped_half_way) == ("failed", True)
    told = Notification.objects.filter(kind="flow", link=f"/flows/{flow.pk}").values_list("user", flat=True)
    assert set(told) == {cast.bob.pk, cast.root.pk}
    plane.fails.clear()
    if again == "asked":
        propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    else:
        retry_step(actor=cast.root, flow_id=flow.pk, step_id=flow.steps.get(name="network").pk)
        assert members(union)["Housing Office"] == "active", "a worker marks it"
    work()
    assert members(union)["Housing Office"] == "left"
    assert plane.people() == {NAME: [cast.tax.orgcode]}


def test_a_failed_quit_is_not_tried_again_on_a_member_that_has_left(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    plane.fails["quit"] = "clean"
    proposal = propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    work()
    plane.fails.clear()
    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    work()
    back = propose_join(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    cast_vote(actor=cast.alice, proposal_id=back.pk, orgcode=cast.tax.orgcode, agree=True)
    work()
    retry_step(actor=cast.root, flow_id=proposal.flow_id, step_id=proposal.flow.steps.get(name="network").pk)
    work()
    assert Flow.objects.get(pk=proposal.flow_id).state == "undone"
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}, "who came back stays"


@pytest.mark.parametrize("verb", ["quit", "delete"])
def test_a_failed_removal_that_is_tried_again_leaves_alone_what_was_asked_since(
    cast: Cast, plane: UnionPlane, verb: str
) -> None:
    union = built(cast)

    def propose() -> Proposal:
        if verb == "delete":
            return propose_delete(actor=cast.alice, unionid=union.unionid)
        return propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)

    plane.fails[verb] = "clean"
    old = propose()
    work()
    plane.fails.clear()
    new = propose()
    retry_step(actor=cast.root, flow_id=old.flow_id, step_id=old.flow.steps.get(name="network").pk)
    while due := list(engine.due().filter(flow=old.flow_id).values_list("pk", flat=True)):
        engine.run_step(due[0])
    after = "undone" if verb == "quit" else "failed"  # the other member's place was reclaimed; that stays
    assert Flow.objects.get(pk=old.flow_id).state == after
    union.refresh_from_db()
    assert "quitting" in members(union).values() or union.state == "deleting", "marked for the new proposal"
    work()
    assert Flow.objects.get(pk=new.flow_id).state == "done"
    assert members(union)["Housing Office"] == "left"
    assert plane.people() == ({NAME: [cast.tax.orgcode]} if verb == "quit" else {})


def test_a_platform_where_nobody_can_quit_still_deletes(cast: Cast, plane: UnionPlane) -> None:
    speak_to(plane, cast.platform, without=("quit_network",))
    union = built(cast)
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert (union.state, plane.people()) == ("deleted", {})
    assert set(members(union).values()) == {"left"}


def test_a_quit_or_a_deletion_that_is_cancelled_before_it_begins_leaves_no_mark(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    for propose in (
        lambda: propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode),
        lambda: propose_delete(actor=cast.alice, unionid=union.unionid),
    ):
        proposal = propose()
        cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
        work()
        union.refresh_from_db()
        assert Flow.objects.get(pk=proposal.flow_id).state == "cancelled"
        assert (union.state, members(union)) == ("active", {"Tax Bureau": "active", "Housing Office": "active"})


def test_a_removal_that_has_begun_is_carried_through_before_the_rest_is_taken_back(
    cast: Cast, plane: UnionPlane, water: Any
) -> None:
    """One member cannot be reclaimed; the removal of the other goes on at the platform, and is written down."""
    union = built(cast, (cast.bob, cast.housing), water)
    depart = plane._depart

    def only_water(network: Any, body: Any) -> Any:
        return depart(network, body) if body["org"] == water[1].orgcode else (409, {})

    plane._depart = only_water  # type: ignore[method-assign]
    proposal = propose_delete(actor=cast.alice, unionid=union.unionid)
    work(rounds=1)
    for name in (f"member:{water[1].orgcode}", f"member:{cast.housing.orgcode}"):
        engine.run_step(proposal.flow.steps.get(name=name).pk)
    proposal.flow.refresh_from_db()
    assert (proposal.flow.state, proposal.flow.undoing) == ("running", True)
    work()
    union.refresh_from_db()
    assert (Flow.objects.get(pk=proposal.flow_id).state, union.state) == ("failed", "active")
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "active", "Water Board": "left"}
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}


@pytest.mark.parametrize("verb", ["quit", "delete"])
def test_what_the_platform_has_begun_to_remove_cannot_be_stopped_any_more(
    cast: Cast, plane: UnionPlane, verb: str
) -> None:
    union = built(cast)
    plane.polls = 5
    if verb == "quit":
        proposal = propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    else:
        propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
        work()
        proposal = propose_delete(actor=cast.alice, unionid=union.unionid)
    work(rounds=3)
    assert proposal.flow.steps.get(name="network").state == StepState.LATER
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
    work()
    union.refresh_from_db()
    assert Flow.objects.get(pk=proposal.flow_id).state == "failed", "it was not stopped"
    assert members(union)["Housing Office"] == "left"
    assert union.state == ("active" if verb == "quit" else "deleted")
    assert plane.people() == ({NAME: [cast.tax.orgcode]} if verb == "quit" else {})


def test_a_worker_that_dies_after_an_attempt_that_failed_makes_nothing_twice(cast: Cast, plane: UnionPlane) -> None:
    """The first attempt certainly made nothing; the second one's worker is lost, so nobody knows."""
    speak_to(plane, cast.platform, careful=False)
    proposal = agreed(cast)
    plane.faults[CREATE] = [{"status": 503, "effect": False, "body": {}}]
    engine.run_step(proposal.flow.steps.get(name="look").pk)
    building = proposal.flow.steps.filter(name="network")
    engine.run_step(building.get().pk)
    assert building.get().error["code"] == "platform_unavailable"
    plane._create({"token": str(building.get().key), "name": NAME, "owner": {"org": cast.tax.orgcode}})
    past = timezone.now() - timedelta(seconds=1)
    building.update(state=StepState.RUNNING, attempts=2, owner=uuid4(), lease_until=past, due_at=past)
    work()
    proposal.refresh_from_db()
    assert proposal.flow.state == "done", proposal.flow.error
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    assert len(plane.networks) == 1


@pytest.mark.parametrize("route", [QUIT, DELETE, JOB])
def test_nonsense_in_answer_to_a_removal_is_no_refusal(cast: Cast, plane: UnionPlane, route: str) -> None:
    """The removal goes on behind the answer: a union that is kept on such a word would have lost its network."""
    union = built(cast)
    plane.faults[route] = ["html"]
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert (union.state, plane.people()) == ("deleted", {})
    assert not Flow.objects.open().exists()


def test_what_is_gone_already_counts_as_reclaimed(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    plane.networks.clear()
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert union.state == "deleted"


def test_a_deletion_that_fails_half_way_tells_who_is_left(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    plane.fails["delete"] = "clean"
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert union.state == "active"
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "left"}
    assert plane.people() == {NAME: [cast.tax.orgcode]}
    plane.fails.clear()
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert (union.state, plane.people()) == ("deleted", {})


def test_a_member_that_cannot_be_reclaimed_stays_and_so_does_the_union(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    plane._depart = lambda network, body: (409, {})  # type: ignore[method-assign]
    propose_delete(actor=cast.alice, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert union.state == "active"
    assert members(union) == {"Tax Bureau": "active", "Housing Office": "active"}
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
