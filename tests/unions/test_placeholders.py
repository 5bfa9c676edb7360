"""Placeholders: nobody speaks for them, and the rightful organization claims them by a proposal."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chains.models import Blockchain, BusinessChain, Node
from console.errors import Conflict, Invalid, NotAllowed
from console.flows import engine
from console.models import AuditEntry, Flow, Notification, Step, User
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, cloud, departments, registered
from unions.models import MemberState, Organization, Proposal, ResourceSpace, Union, UnionMember
from unions.services.organizations import add_member
from unions.services.placeholders import placeholder_for, propose_claim
from unions.services.proposals import answer_for_console, cast_vote, withdraw_proposal
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def work() -> None:
    for _round in range(50):
        Step.objects.filter(state="later").update(due_at=timezone.now())
        due = engine.due_steps()
        if not due:
            return
        for step_id in due:
            engine.run_step(step_id)


def found(platform: Platform, name: str = "Water Board", tenantid: str = "t-3") -> Organization:
    from django.db import transaction

    with transaction.atomic():
        return placeholder_for(platform=platform, name=name, tenantid=tenantid, key="m-9")


def union_with(cast: Cast, placeholder: Organization, *others: Organization, name: str = "Permits") -> Union:
    """A union as a take-over leaves it, with a chain and a node of everybody."""
    union = active_union(cast, placeholder, *others, name=name)
    union.creator = placeholder
    union.save()
    chain = BusinessChain.objects.create(
        uid=f"bc-{union.pk}", union=union, name=name, platform=cast.platform, creator=placeholder
    )
    row = Blockchain.objects.create(uid=f"ch-{union.pk}", business_chain=chain, external_id="c-1", name=name)
    for each in (placeholder, *others):
        chain.organizations.add(each)
        row.organizations.add(each)
        Node.objects.create(blockchain=row, organization=each, external_id=f"n-{each.pk}")
    return union


@pytest.fixture
def water(cast: Cast) -> tuple[User, Organization]:
    """The rightful one: the platform calls it tenant t-3, which is its tenant space."""
    return registered(cast.root, "erin", cloud("Water Board", "t-3"))


def test_nobody_speaks_for_a_placeholder(cast: Cast) -> None:
    placeholder = found(cast.platform)
    assert (placeholder.name, placeholder.category, str(placeholder.space.quota_nodes)) == (
        "Water Board [t-3]",
        "cloud",
        "0",
    )
    assert found(cast.platform, name="Other words") == placeholder, "a tenant has one placeholder"
    assert found(cast.platform, tenantid="") != found(cast.platform, tenantid=""), "a name alone is no proof"
    union = union_with(cast, placeholder, cast.tax)
    root, code = cast.root, placeholder.orgcode
    with pytest.raises(Invalid) as problem:
        propose_union(actor=cast.alice, name="X", oemtype="", creatororg=cast.tax.orgcode, orgs=[code])
    assert "cannot be invited" in problem.value.errors["orgs"][0]
    with pytest.raises(NotAllowed, match="nobody speaks for it"):
        propose_union(actor=root, name="X", oemtype="", creatororg=code, orgs=[cast.tax.orgcode])
    with pytest.raises(NotAllowed, match="nobody speaks for it"):
        propose_quit(actor=root, unionid=union.unionid, orgcode=code)
    with pytest.raises(NotAllowed, match="nobody speaks for it"):
        add_member(actor=root, orgcode=code, username="dan", role="operator")
    with pytest.raises(Conflict, match="is a placeholder, whose nodes nobody may take down"):
        propose_delete(actor=cast.alice, unionid=union.unionid)
    proposal = propose_join(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    assert [each.organization for each in proposal.electors.all()] == [cast.tax], "placeholders are not asked"
    alone = union_with(cast, placeholder, name="Nobody")
    with pytest.raises(Conflict, match="before anybody can answer"):
        propose_join(actor=cast.bob, unionid=alone.unionid, orgcode=cast.housing.orgcode)
    assert Proposal.objects.count() == 1


def test_the_rightful_one_claims_and_the_other_members_decide(cast: Cast, water: tuple[User, Organization]) -> None:
    erin, board = water
    placeholder = found(cast.platform)
    union = union_with(cast, placeholder, cast.tax)
    proposal = propose_claim(actor=erin, placeholder=placeholder.orgcode, orgcode=board.orgcode, comment="It is us.")
    with pytest.raises(Conflict, match="open proposal"):
        propose_claim(actor=erin, placeholder=placeholder.orgcode, orgcode=board.orgcode)
    work()
    assert (proposal.console_asked, [each.organization for each in proposal.electors.all()]) == (False, [cast.tax])
    with pytest.raises(Conflict, match="members decide"):
        answer_for_console(actor=cast.root, proposal_id=proposal.pk, agree=True)
    joining = propose_join(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True)
    work()
    assert Flow.objects.get(pk=proposal.flow_id).state == "done"
    assert not Organization.objects.filter(state="placeholder").exists()
    union.refresh_from_db()
    assert union.creator == board == BusinessChain.objects.get().creator
    assert {each.organization for each in union.members.all()} == {board, cast.tax}
    assert set(Blockchain.objects.get().organizations.all()) == {board, cast.tax}
    assert Blockchain.objects.get().infraspec == {"nodes": {board.orgcode: 1, cast.tax.orgcode: 1}}
    assert set(Node.objects.values_list("organization__name", flat=True)) == {"Water Board", "Tax Bureau"}
    assert {each.organization for each in joining.electors.all()} == {cast.tax, board}, "it is asked like everybody"
    entry = AuditEntry.objects.get(action="unions.placeholder.claimed")
    assert entry.data["placeholder"] == placeholder.orgcode
    told = Notification.objects.filter(title__contains="taken the place")
    assert {each.user for each in told} == {erin, cast.alice}


def test_a_stranger_and_a_refusal_change_nothing(cast: Cast, water: tuple[User, Organization]) -> None:
    erin, board = water
    placeholder = found(cast.platform)
    union_with(cast, placeholder, cast.tax)
    before = AuditEntry.objects.count()
    for user, organization, error in (
        (cast.bob, cast.housing, Conflict),  # another tenant
        (cast.carol, cast.social, Conflict),  # no tenant at all
        (cast.bob, board, NotAllowed),  # not his to speak for
    ):
        with pytest.raises(error):
            propose_claim(actor=user, placeholder=placeholder.orgcode, orgcode=organization.orgcode)
    with pytest.raises(Conflict, match="not a placeholder"):
        propose_claim(actor=erin, placeholder=cast.tax.orgcode, orgcode=board.orgcode)
    with pytest.raises(Invalid):
        propose_claim(actor=erin, placeholder=placeholder.orgcode, orgcode="org-none")
    assert (AuditEntry.objects.count(), Proposal.objects.count()) == (before, 0)
    proposal = propose_claim(actor=erin, placeholder=placeholder.orgcode, orgcode=board.orgcode)
    work()
    cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=False, comment="Not you")
    work()
    assert Flow.objects.get(pk=proposal.flow_id).state == "undone"
    assert Organization.objects.get(pk=placeholder.pk).union_members.count() == 1


def test_where_nobody_can_answer_an_administrator_does(cast: Cast, client: Client) -> None:
    """Without a tenant anybody may assert it; the second of two claimants finds it gone."""
    placeholder = found(cast.platform, tenantid="")
    union = union_with(cast, placeholder)
    first = propose_claim(actor=cast.bob, placeholder=placeholder.orgcode, orgcode=cast.housing.orgcode)
    work()
    assert (first.state, first.console_asked, first.electors.count()) == ("open", True, 0)
    assert list(Proposal.objects.waiting_for(cast.root)) == [first]
    assert not Proposal.objects.waiting_for(cast.bob).exists()
    with pytest.raises(NotAllowed):
        answer_for_console(actor=cast.bob, proposal_id=first.pk, agree=True)
    answer_for_console(actor=cast.root, proposal_id=first.pk, agree=False, comment="Show papers")
    work()
    flow = Flow.objects.get(pk=first.flow_id)
    assert (flow.state, flow.error["detail"]) == ("undone", "Console: Show papers")
    second = propose_claim(actor=cast.carol, placeholder=placeholder.orgcode, orgcode=cast.social.orgcode)
    work()
    withdraw_proposal(actor=cast.carol, proposal_id=second.pk)
    work()
    third = propose_claim(actor=cast.bob, placeholder=placeholder.orgcode, orgcode=cast.housing.orgcode)
    work()
    client.force_login(cast.root)
    page = client.get("/inbox").content.decode()
    assert "says that the placeholder" in page
    assert "the console cannot check this" in page
    client.post(f"/proposals/{third.pk}/console-answer", {"agree": "yes", "comment": "Seen"})
    work()
    assert Flow.objects.get(pk=third.flow_id).state == "done"
    assert union.members.get().organization == cast.housing
    answered = client.get(f"/api/v1/proposals/{third.pk}").json()
    assert answered["console"] == {"agree": True, "comment": "Seen", "username": "root"}


def test_a_claimant_that_is_a_member_already_keeps_its_place(cast: Cast) -> None:
    placeholder = found(cast.platform, tenantid="")
    union = union_with(cast, placeholder, cast.tax, cast.housing)
    left = active_union(cast, placeholder, cast.tax, name="Old")
    UnionMember.objects.filter(union=left, organization=placeholder).delete()
    UnionMember.objects.create(union=left, organization=placeholder, state=MemberState.LEFT, left_at=timezone.now())
    proposal = propose_claim(actor=cast.bob, placeholder=placeholder.orgcode, orgcode=cast.housing.orgcode)
    assert [each.organization for each in proposal.electors.all()] == [cast.tax], "not the claimant itself"
    work()
    cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True)
    work()
    assert union.members.filter(organization=cast.housing).count() == 1
    assert left.members.get(organization=cast.housing).state == MemberState.LEFT
    assert Node.objects.filter(organization=cast.housing).count() == 2
    assert not ResourceSpace.objects.filter(kind="found").exists()


def test_pages_and_api(cast: Cast, water: tuple[User, Organization], client: Client) -> None:
    erin, board = water
    placeholder = found(cast.platform)
    union = union_with(cast, placeholder, cast.tax)
    address = f"/organizations/{placeholder.orgcode}"
    client.force_login(cast.bob)
    page = client.get(address).content.decode()
    assert "This is a placeholder" in page
    assert "the space of Housing Office is another" in page
    assert client.get(f"{address}/claim").status_code == 409
    assert client.get(f"/unions/{union.unionid}").content.decode().count("Placeholder") == 1
    client.force_login(erin)
    assert "has the tenant space of this organization" in client.get(f"/organizations/{board.orgcode}").content.decode()
    listed = client.get("/organizations?state=placeholder").content.decode()
    assert "Water Board [t-3]" in listed
    assert "Tax Bureau" not in listed
    assert client.get("/api/v1/organizations?state=placeholder").json()["results"] == [
        {"orgcode": placeholder.orgcode, "name": "Water Board [t-3]", "category": "cloud", "state": "placeholder"}
    ]
    assert client.get(f"{address}/claim").status_code == 200
    started = _post(client, f"/api/v1/organizations/{placeholder.orgcode}/claim", {"orgcode": board.orgcode})
    assert started.status_code == 202
    assert started["Location"].endswith(started.json()["flow"])
    again = _post(client, f"/api/v1/organizations/{placeholder.orgcode}/claim", {"orgcode": board.orgcode})
    assert again.json() == started.json(), "the same key, the same answer"
    assert "that is being decided" in client.get(address).content.decode()
    client.force_login(cast.alice)
    assert "that is the tenant space of Water Board" in client.get("/inbox").content.decode()
    client.force_login(cast.root)
    assert placeholder.orgcode not in str(client.get("/api/v1/resource-spaces").json())


def _post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body, content_type="application/json", headers={"Idempotency-Key": "k-1"})
