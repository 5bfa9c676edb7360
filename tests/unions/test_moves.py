"""What happens at the same time: two who want the same, members who come and go while others vote, work that stops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console.errors import Conflict, NotAllowed
from console.flows import engine
from console.models import AuditEntry, Flow, Notification, User
from console.services.flows import cancel_flow
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, departments, proposed, registered
from tests.unions.cast import cloud as cloud_request
from unions.models import MemberState, Proposal, ProposalState, ResourceSpace, Union, UnionMember, UnionState
from unions.services import unions
from unions.services.proposals import cast_vote, expire_proposal, withdraw_proposal
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union
from unions.tasks import close_stranded_proposals

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def run_due_steps() -> None:
    """Keep every promise that needs no platform; what needs one finds it unreachable and is due again."""
    for _round in range(4):
        for step_id in engine.due_steps():
            engine.run_step(step_id)


def joining(cast: Cast, union: Union) -> Proposal:
    """Carol asks to come in."""
    return propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)


def quits(cast: Cast, union: Union, who: User, organization: Any) -> None:
    """A member asks to leave, and the platform has let it go."""
    propose_quit(actor=who, unionid=union.unionid, orgcode=organization.orgcode)
    with transaction.atomic():
        unions.release_member(union_id=union.pk, orgcode=organization.orgcode, actor=who)


def nothing_but_the_record(proposal: Proposal, state: str) -> None:
    """No union, no member, no open flow, no other space; the proposal says what became of it."""
    proposal.refresh_from_db()
    assert proposal.state == state
    assert proposal.decided_at is not None
    assert not Union.objects.exists()
    assert not UnionMember.objects.exists()
    assert not Flow.objects.open().exists()
    assert ResourceSpace.objects.count() == 3


# --- nothing is left but the record ---------------------------------------------------------------------------------

ENDINGS: dict[str, Callable[[Cast, Proposal], Any]] = {
    "refused": lambda cast, proposal: cast_vote(
        actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False
    ),
    "withdrawn": lambda cast, proposal: withdraw_proposal(actor=cast.alice, proposal_id=proposal.pk),
    "expired": lambda cast, proposal: (
        Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() - timedelta(seconds=1)),
        expire_proposal(proposal_id=proposal.pk),
    ),
}


@pytest.mark.parametrize("asleep", [True, False], ids=["while the flow sleeps", "before the flow has begun"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_does_not_come_about_leaves_nothing_but_the_record(cast: Cast, ending: str, asleep: bool) -> None:
    proposal = proposed(cast)
    if asleep:
        run_due_steps()
    ENDINGS[ending](cast, proposal)
    run_due_steps()
    nothing_but_the_record(proposal, ending)
    assert AuditEntry.objects.filter(action=f"unions.proposal.{ending}").count() == 1
    again = proposed(cast)  # the name is free
    assert again.state == ProposalState.OPEN
    assert not Notification.objects.filter(kind="invitation", link=f"/proposals/{again.pk}").exists()


def test_nobody_is_invited_to_what_is_withdrawn_already(cast: Cast) -> None:
    proposal = proposed(cast)
    withdraw_proposal(actor=cast.alice, proposal_id=proposal.pk)
    run_due_steps()
    assert not Notification.objects.filter(kind="invitation").exists()


def test_an_operator_cancels_the_flow_of_an_open_proposal(cast: Cast) -> None:
    proposal = proposed(cast)
    run_due_steps()
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id, reason="maintenance")
    with pytest.raises(Conflict) as problem:
        cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    assert problem.value.code == "stopped"
    run_due_steps()
    close_stranded_proposals()
    nothing_but_the_record(proposal, "withdrawn")
    assert Notification.objects.filter(user=cast.bob, parameters__reason="maintenance").exists()


def test_the_subject_of_a_cancelled_flow_is_free_at_once(cast: Cast) -> None:
    proposal = proposed(cast)
    run_due_steps()
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
    again = proposed(cast)
    proposal.refresh_from_db()
    assert (proposal.state, again.state) == ("withdrawn", "open")


def test_a_vote_after_the_time_is_too_late_even_before_the_clock_has_struck(cast: Cast) -> None:
    proposal = proposed(cast)
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict) as problem:
        cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    assert problem.value.code == "expired"
    assert not proposal.votes.exists()


# --- two who want the same ------------------------------------------------------------------------------------------


def test_a_name_is_taken_while_its_union_is_being_built(cast: Cast) -> None:
    proposal = proposed(cast)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    with pytest.raises(Conflict) as problem:
        propose_union(
            actor=cast.bob,
            name="building PERMITS",
            oemtype="",
            creatororg=cast.housing.orgcode,
            orgs=[cast.tax.orgcode],
        )
    assert list(problem.value.errors) == ["name"]
    assert Proposal.objects.count() == 1


def test_an_organization_asks_once_also_while_it_is_being_brought_in(cast: Cast) -> None:
    union = active_union(cast)
    proposal = joining(cast, union)
    for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
        with pytest.raises(Conflict):
            joining(cast, union)
        cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
    with pytest.raises(Conflict, match="carried out right now"):
        joining(cast, union)
    assert Proposal.objects.count() == 1


def test_two_quits_at_once_leave_one_member(cast: Cast) -> None:
    union = active_union(cast)
    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    with pytest.raises(Conflict, match="last member"):
        propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode)


def test_a_union_is_not_deleted_over_the_heads_of_those_who_vote(cast: Cast) -> None:
    union = active_union(cast)
    proposal = joining(cast, union)
    with pytest.raises(Conflict, match="must be decided or taken back first"):
        propose_delete(actor=cast.alice, unionid=union.unionid)
    for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
        cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
    with pytest.raises(Conflict, match="being carried out"):
        propose_delete(actor=cast.alice, unionid=union.unionid)
    union.refresh_from_db()
    assert union.state == UnionState.ACTIVE


def test_nothing_new_begins_on_a_union_that_is_being_deleted(cast: Cast) -> None:
    union = active_union(cast)
    propose_delete(actor=cast.alice, unionid=union.unionid)
    before = Proposal.objects.count()
    for move in (
        lambda: joining(cast, union),
        lambda: propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode),
        lambda: propose_delete(actor=cast.alice, unionid=union.unionid),
    ):
        with pytest.raises(Conflict, match="being deleted"):
            move()
    assert Proposal.objects.count() == before


# --- members come and go while others vote --------------------------------------------------------------------------


def test_whoever_leaves_loses_its_say(cast: Cast) -> None:
    union = active_union(cast)
    proposal = joining(cast, union)
    run_due_steps()
    quits(cast, union, cast.bob, cast.housing)
    assert not Proposal.objects.waiting_for(cast.bob).exists()
    with pytest.raises(NotAllowed, match="its say has ended"):
        cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False)
    voted = cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True)
    assert voted.state == ProposalState.CARRIED


def test_leaving_may_settle_what_the_others_have_agreed_to(cast: Cast) -> None:
    union = active_union(cast)
    proposal = joining(cast, union)
    run_due_steps()
    cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True)
    quits(cast, union, cast.bob, cast.housing)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.CARRIED
    assert proposal.flow.steps.get(name="look").state == "ready"


def test_a_member_that_only_wants_to_leave_still_has_its_say(cast: Cast) -> None:
    union = active_union(cast)
    proposal = joining(cast, union)
    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    voted = cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False)
    assert voted.state == ProposalState.REFUSED


def test_whoever_comes_in_is_asked_about_those_who_still_want_to(cast: Cast) -> None:
    union = active_union(cast)
    erin, water = registered(cast.root, "erin", cloud_request("Water Board", "t-3"))
    waiting = propose_join(actor=erin, unionid=union.unionid, orgcode=water.orgcode)
    with transaction.atomic():
        unions.admit_member(union_id=union.pk, orgcode=cast.social.orgcode, member_id="m-3")
        unions.settle_member(union_id=union.pk, orgcode=cast.social.orgcode, actor=cast.carol)
    assert list(Proposal.objects.waiting_for(cast.carol)) == [waiting]
    assert Notification.objects.filter(user=cast.carol, kind="invitation").count() == 1
    for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
        voted = cast_vote(actor=user, proposal_id=waiting.pk, orgcode=organization.orgcode, agree=True)
        assert voted.state == ProposalState.OPEN
    voted = cast_vote(actor=cast.carol, proposal_id=waiting.pk, orgcode=cast.social.orgcode, agree=True)
    assert voted.state == ProposalState.CARRIED


def test_when_all_old_members_have_left_the_new_one_decides(cast: Cast) -> None:
    union = active_union(cast)
    erin, water = registered(cast.root, "erin", cloud_request("Water Board", "t-3"))
    waiting = propose_join(actor=erin, unionid=union.unionid, orgcode=water.orgcode)
    with transaction.atomic():
        unions.admit_member(union_id=union.pk, orgcode=cast.social.orgcode, member_id="m-3")
        unions.settle_member(union_id=union.pk, orgcode=cast.social.orgcode, actor=cast.carol)
    quits(cast, union, cast.bob, cast.housing)
    quits(cast, union, cast.alice, cast.tax)
    waiting.refresh_from_db()
    assert waiting.state == ProposalState.OPEN
    assert list(Proposal.objects.waiting_for(cast.carol)) == [waiting]


def test_once_the_creator_has_left_the_oldest_member_speaks_for_the_union(cast: Cast) -> None:
    union = active_union(cast)
    assert union.acting_creator() == cast.tax
    quits(cast, union, cast.alice, cast.tax)
    assert union.acting_creator() == cast.housing
    Flow.objects.update(state="done", ended_at=timezone.now())
    with pytest.raises(NotAllowed):
        propose_delete(actor=cast.alice, unionid=union.unionid)
    proposal = propose_delete(actor=cast.bob, unionid=union.unionid)
    assert proposal.payload["creator"] == cast.housing.orgcode
    assert proposal.payload["orgs"] == [cast.housing.orgcode]


# --- taken back -----------------------------------------------------------------------------------------------------


def test_a_deletion_that_stops_half_way_tells_the_truth_about_who_is_left(cast: Cast) -> None:
    union = active_union(cast, cast.tax, cast.housing, cast.social)
    proposal = propose_delete(actor=cast.alice, unionid=union.unionid)
    with transaction.atomic():
        unions.keep_union(union_id=union.pk, proposal_id=proposal.pk, gone=[cast.housing.orgcode])
    union.refresh_from_db()
    states = dict(union.members.values_list("organization__orgcode", "state"))
    assert union.state == UnionState.ACTIVE
    assert states == {
        cast.tax.orgcode: MemberState.ACTIVE,
        cast.housing.orgcode: MemberState.LEFT,
        cast.social.orgcode: MemberState.ACTIVE,
    }


def test_a_quit_that_fails_leaves_the_member_where_it_was(cast: Cast) -> None:
    union = active_union(cast)
    proposal = propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    run_due_steps()  # the platform's files say nothing, so it can do nothing
    assert union.members.get(organization=cast.housing).state == MemberState.ACTIVE
    proposal.refresh_from_db()
    assert (proposal.state, proposal.flow.state) == ("carried", "failed")
    told = Notification.objects.filter(user=cast.bob, kind="proposal").latest("id")
    assert "half-way" in told.title_text
    propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)  # it may try again
