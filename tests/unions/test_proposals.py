"""Proposals: who may ask, who may answer, what an answer starts or takes back. The flow engine runs for real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from console.errors import Conflict, Invalid, Missing, NotAllowed, NotSupported
from console.flows import engine
from console.models import AuditEntry, Flow, Notification, StepState, User
from platforms.models import Platform
from tests.unions.conftest import clerk
from unions.models import Organization, Proposal, ProposalState, Union
from unions.services.proposals import cast_vote, expire_proposal, withdraw_proposal
from unions.services.unions import propose_join, propose_union

pytestmark = pytest.mark.django_db
Make = Callable[..., Organization]


def run_local_steps() -> None:
    """Keep every promise that needs no platform: telling people and waiting for them."""
    for step_id in engine.due_steps():
        engine.run_step(step_id)


def proposed(organization: Make) -> tuple[Proposal, Organization, Organization]:
    tax, housing = organization("tax"), organization("housing")
    proposal = propose_union(
        actor=clerk(tax), name="Permits", oemtype="", creatororg=tax.orgcode, orgs=[tax.orgcode, housing.orgcode]
    )
    run_local_steps()
    run_local_steps()
    return proposal, tax, housing


def test_proposing_invites_and_the_flow_sleeps(organization: Make) -> None:
    proposal, tax, housing = proposed(organization)
    flow = Flow.objects.get(pk=proposal.flow_id)
    assert flow.state == "waiting"
    assert flow.steps.get(name="approval").state == StepState.ASLEEP
    assert Notification.objects.get(kind="invitation").user == clerk(housing)
    assert list(Proposal.objects.waiting_for(clerk(housing))) == [proposal]
    assert not Proposal.objects.waiting_for(clerk(tax)).exists()
    assert not Union.objects.exists()


def test_agreeing_lets_the_flow_go_on_to_the_platform(organization: Make) -> None:
    proposal, _tax, housing = proposed(organization)
    voted = cast_vote(actor=clerk(housing), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=True)
    assert voted.state == ProposalState.CARRIED
    assert Flow.objects.get(pk=proposal.flow_id).steps.get(name="look").state == StepState.READY


def test_refusing_takes_the_flow_back_and_leaves_only_the_record(organization: Make) -> None:
    proposal, _tax, housing = proposed(organization)
    cast_vote(
        actor=clerk(housing), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=False, comment="not this year"
    )
    run_local_steps()
    flow = Flow.objects.get(pk=proposal.flow_id)
    assert (flow.state, flow.error["code"]) == ("undone", "refused")
    assert "not this year" in flow.error["detail"]
    assert not Union.objects.exists()
    assert flow.steps.get(name="network").attempts == 0
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"unions.proposal.create_proposed", "unions.proposal.voted", "unions.proposal.refused"} <= actions


def test_withdrawing(organization: Make) -> None:
    proposal, tax, housing = proposed(organization)
    with pytest.raises(NotAllowed):
        withdraw_proposal(actor=clerk(housing), proposal_id=proposal.pk)
    withdraw_proposal(actor=clerk(tax), proposal_id=proposal.pk)
    run_local_steps()
    assert Flow.objects.get(pk=proposal.flow_id).state == "cancelled"
    with pytest.raises(Conflict):
        cast_vote(actor=clerk(housing), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=True)


def test_withdrawing_before_the_worker_has_begun(organization: Make) -> None:
    tax, housing = organization("tax"), organization("housing")
    proposal = propose_union(
        actor=clerk(tax), name="Permits", oemtype="", creatororg=tax.orgcode, orgs=[housing.orgcode]
    )
    withdraw_proposal(actor=clerk(tax), proposal_id=proposal.pk)
    for _round in range(4):
        run_local_steps()
    assert Flow.objects.get(pk=proposal.flow_id).is_final
    assert not Union.objects.exists()


def test_expiry(organization: Make) -> None:
    proposal, _tax, _housing = proposed(organization)
    assert expire_proposal(proposal_id=proposal.pk).state == ProposalState.OPEN
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert expire_proposal(proposal_id=proposal.pk).state == ProposalState.EXPIRED
    run_local_steps()
    assert Flow.objects.get(pk=proposal.flow_id).state == "undone"


def test_who_may_vote(organization: Make) -> None:
    proposal, tax, housing = proposed(organization)
    stranger = organization("stranger")
    before = (AuditEntry.objects.count(), Flow.objects.get(pk=proposal.flow_id).state)
    with pytest.raises(Missing):
        cast_vote(actor=clerk(stranger), proposal_id=proposal.pk, orgcode=stranger.orgcode, agree=True)
    with pytest.raises(NotAllowed):
        cast_vote(actor=clerk(tax), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=True)
    with pytest.raises(NotAllowed):
        cast_vote(actor=clerk(tax), proposal_id=proposal.pk, orgcode=tax.orgcode, agree=True)
    with pytest.raises(Invalid):
        cast_vote(actor=clerk(housing), proposal_id=proposal.pk, orgcode="org-nobody", agree=True)
    assert (AuditEntry.objects.count(), Flow.objects.get(pk=proposal.flow_id).state) == before


def test_a_second_vote_is_refused(organization: Make) -> None:
    tax, housing, social = organization("tax"), organization("housing"), organization("social")
    proposal = propose_union(
        actor=clerk(tax),
        name="Permits",
        oemtype="",
        creatororg=tax.orgcode,
        orgs=[tax.orgcode, housing.orgcode, social.orgcode],
    )
    cast_vote(actor=clerk(housing), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=True)
    with pytest.raises(Conflict) as problem:
        cast_vote(actor=clerk(housing), proposal_id=proposal.pk, orgcode=housing.orgcode, agree=False)
    assert problem.value.code == "voted_already"
    assert proposal.votes.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"oemtype": "unknown"}, "oemtype"),
        ({"creatororg": "org-nobody"}, "creatororg"),
        ({"orgs": []}, "orgs"),
        ({"orgs": ["org-tax"]}, "orgs"),
        ({"orgs": ["org-housing", "org-nobody"]}, "orgs"),
    ],
)
def test_bad_unions(organization: Make, changes: dict[str, object], field: str) -> None:
    tax, housing = organization("tax"), organization("housing")
    request = {"name": "Permits", "oemtype": "", "creatororg": tax.orgcode, "orgs": [housing.orgcode], **changes}
    with pytest.raises(Invalid) as problem:
        propose_union(actor=clerk(tax), **request)  # type: ignore[arg-type]
    assert list(problem.value.errors) == [field]
    assert not Proposal.objects.exists()
    assert not Flow.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_the_platform_cannot_do_is_said(organization: Make, platform: Platform) -> None:
    tax, housing = organization("tax"), organization("housing")
    platform.capabilities["create_network"] = {"supported": False, "reason": "Only the vendor can."}
    platform.save()
    with pytest.raises(NotSupported, match="Only the vendor can"):
        propose_union(actor=clerk(tax), name="P", oemtype="", creatororg=tax.orgcode, orgs=[housing.orgcode])


def test_one_open_proposal_on_one_subject(organization: Make) -> None:
    _proposal, tax, housing = proposed(organization)
    with pytest.raises(Conflict):
        propose_union(actor=clerk(tax), name="permits", oemtype="", creatororg=tax.orgcode, orgs=[housing.orgcode])


def test_nobody_proposes_for_others(organization: Make, root: User) -> None:
    tax, housing = organization("tax"), organization("housing")
    with pytest.raises(NotAllowed):
        propose_union(actor=clerk(housing), name="P", oemtype="", creatororg=tax.orgcode, orgs=[housing.orgcode])
    on_behalf = propose_union(actor=root, name="P", oemtype="", creatororg=tax.orgcode, orgs=[housing.orgcode])
    assert on_behalf.state == ProposalState.OPEN


def test_joining_what_is_not_there(organization: Make) -> None:
    tax = organization("tax")
    with pytest.raises(Missing):
        propose_join(actor=clerk(tax), unionid="union-nowhere", orgcode=tax.orgcode)
