"""Quotas of resource spaces: reserved when work is planned, released when it ends, set by administrators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.errors import Conflict, Invalid, NotAllowed
from console.flows import engine
from console.models import AuditEntry, Flow, User
from console.services.flows import cancel_flow
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, departments, proposed
from tests.unions.test_pages import page, send
from unions.models import Organization, Proposal, Reservation, ResourceSpace
from unions.services.proposals import cast_vote, expire_proposal, withdraw_proposal
from unions.services.quotas import set_quota
from unions.services.unions import propose_join, propose_union

pytestmark = pytest.mark.django_db
SPACES = "/api/v1/resource-spaces"


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def work() -> None:
    for _round in range(4):
        for step_id in engine.due_steps():
            engine.run_step(step_id)


def limited(organization: Organization, nodes: int | None = None, chains: int | None = None) -> None:
    ResourceSpace.objects.filter(organization=organization).update(quota_nodes=nodes, quota_chains=chains)


def reserved(organization: Organization) -> int:
    return sum(Reservation.objects.filter(space__organization=organization).values_list("nodes", flat=True))


ENDINGS: dict[str, Callable[[Cast, Proposal], Any]] = {
    "refused": lambda cast, proposal: cast_vote(
        actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False
    ),
    "withdrawn": lambda cast, proposal: withdraw_proposal(actor=cast.alice, proposal_id=proposal.pk),
    "cancelled": lambda cast, proposal: cancel_flow(actor=cast.root, flow_id=proposal.flow_id),
    "expired": lambda cast, proposal: (
        Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() - timedelta(seconds=1)),
        expire_proposal(proposal_id=proposal.pk),
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_places_are_reserved_with_the_promise_and_released_however_it_ends(cast: Cast, ending: str) -> None:
    proposal = proposed(cast)
    assert (reserved(cast.tax), reserved(cast.housing), reserved(cast.social)) == (1, 1, 0)
    if ending != "withdrawn":  # that one before the flow has begun
        work()
    ENDINGS[ending](cast, proposal)
    if ending != "cancelled":  # an operator's word is carried out by the flow, everybody else's at once
        assert not Reservation.objects.exists()
    work()
    assert Flow.objects.get(pk=proposal.flow_id).is_final
    assert not Reservation.objects.exists()


def test_no_room_is_refused_with_words_and_changes_nothing(cast: Cast) -> None:
    limited(cast.housing, nodes=1)
    proposed(cast)
    before = (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count(), Reservation.objects.count())
    with pytest.raises(Conflict) as problem:
        proposed(cast, "Second")
    assert problem.value.code == "quota_exceeded"
    assert list(problem.value.errors) == ["orgs"]
    assert "Housing Office has room for 0 of the 1 node" in problem.value.detail
    assert "administrator of the console can raise" in problem.value.detail

    limited(cast.tax, nodes=0, chains=0)
    with pytest.raises(Conflict) as problem:
        propose_union(
            actor=cast.bob, name="Third", oemtype="", creatororg=cast.housing.orgcode, orgs=[cast.tax.orgcode]
        )
    assert {name: len(texts) for name, texts in problem.value.errors.items()} == {"creatororg": 1, "orgs": 1}
    assert "leaves 0 of the 1 chain" in problem.value.detail

    limited(cast.social, nodes=0)
    union = active_union(cast)
    with pytest.raises(Conflict) as problem:
        propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    assert list(problem.value.errors) == ["orgcode"]
    after = (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count(), Reservation.objects.count())
    assert after == before

    set_quota(actor=cast.root, orgcode=cast.social.orgcode, changes={"nodes": None})
    propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    assert reserved(cast.social) == 1


def test_only_administrators_change_a_quota(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        set_quota(actor=cast.alice, orgcode=cast.tax.orgcode, changes={"nodes": 100})
    for bad in (-1, 100_001, True, "7"):
        with pytest.raises(Invalid) as problem:
            set_quota(actor=cast.root, orgcode=cast.tax.orgcode, changes={"chains": bad})  # type: ignore[dict-item]
        assert list(problem.value.errors) == ["quota.chains"]
    assert not AuditEntry.objects.filter(action="unions.resource_space.quota_set").exists()
    set_quota(actor=cast.root, orgcode=cast.tax.orgcode, changes={"nodes": 7})
    space = ResourceSpace.objects.get(organization=cast.tax)
    assert (space.quota_nodes, space.quota_chains) == (7, 20)
    entry = AuditEntry.objects.get(action="unions.resource_space.quota_set")
    assert (entry.data["before"]["nodes"], entry.data["nodes"]) == (20, 7)


def test_the_default_is_a_setting(settings: Any, platform: Platform, root: User) -> None:
    settings.QUOTA_NODES, settings.QUOTA_CHAINS = 3, 0
    space = ResourceSpace.objects.get(organization=departments(platform, root).tax)
    assert (space.quota_nodes, space.quota_chains) == (3, None)


def test_quotas_by_rest(cast: Cast) -> None:
    proposed(cast)
    limited(cast.tax, nodes=5)
    alice, root, address = client(cast.alice), client(cast.root), f"{SPACES}/{cast.tax.orgcode}"
    shown = alice.get(address).json()
    assert (shown["quota"], shown["use"], shown["reserved"]) == (
        {"nodes": 5, "chains": None},
        {"nodes": 0, "chains": 0},
        {"nodes": 1, "chains": 1},
    )
    assert [row["orgcode"] for row in alice.get(SPACES).json()["results"]] == [cast.tax.orgcode]
    assert root.get(SPACES).json()["count"] == 3
    assert_problem(client(cast.bob).get(address), 404)
    assert_problem(alice.patch(address, {"quota": {"nodes": 9}}, format="json"), 403)
    for body, field in (
        ({}, "quota"),
        ({"quota": {"nodes": -1}}, "quota.nodes"),
        ({"quota": {"nodes": "many"}}, "quota.nodes"),
        ({"quota": {"cpu": 1}}, "quota.cpu"),
        ({"nodes": 3}, "nodes"),
    ):
        assert field in root.patch(address, body, format="json").json()["errors"], body
    answer = root.patch(address, {"quota": {"nodes": None, "chains": 4}}, format="json")
    assert answer.json()["quota"] == {"nodes": None, "chains": 4}
    assert_problem(root.patch(f"{SPACES}/org-nobody", {"quota": {"nodes": 1}}, format="json"), 404)
    limited(cast.housing, nodes=1)
    wanted = {"name": "More", "creatororg": cast.tax.orgcode, "orgs": [cast.housing.orgcode]}
    assert_problem(alice.post("/api/v1/unions", wanted, format="json"), 409, "orgs")


def test_quotas_on_the_pages(cast: Cast) -> None:
    proposed(cast)
    text = page(cast.root, "/resource-spaces")
    assert text.count('class="quota-bar') == 6
    assert "0 in use, 1 reserved, of 20" in text
    assert "Housing Office" not in page(cast.alice, "/resource-spaces")
    assert "No resource spaces yet" in page(cast.dan, "/resource-spaces")
    assert "No resource space matches" in page(cast.root, "/resource-spaces", q="nothing")
    assert "Social Security" not in page(cast.root, "/resource-spaces", kind="tenant")
    path = f"/resource-spaces/{cast.tax.orgcode}/quota"
    page(cast.alice, path, 403)
    assert "Change the quota" in page(cast.root, path)
    assert "aria-invalid" in send(cast.root, path, 422, nodes="-1", chains="")
    send(cast.root, path, nodes="", chains="2")
    space = ResourceSpace.objects.get(organization=cast.tax)
    assert (space.quota_nodes, space.quota_chains) == (None, 2)
    assert "no limit" in page(cast.alice, f"/organizations/{cast.tax.orgcode}")
    limited(cast.housing, nodes=1)
    refused = send(
        cast.alice,
        "/unions/new",
        422,
        name="X",
        oemtype="testbed",
        creatororg=cast.tax.orgcode,
        orgs=cast.housing.orgcode,
    )
    assert "has room for 0 of the 1 node" in refused
