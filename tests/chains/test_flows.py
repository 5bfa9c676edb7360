"""Unions get their chains: the real engine, real HTTP, and what is left when something on the way breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from chains.models import Block, Blockchain, BusinessChain, ChainState, Node
from console.errors import Conflict
from console.flows import engine
from console.models import Flow, FlowState, Step
from console.services.flows import cancel_flow, retry_step
from platforms.dependants import hanging_on
from platforms.models import Platform
from platforms.services.platforms import retire_platform
from tests.chains import plane_files
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Plane
from tests.unions.cast import Cast
from unions.models import MemberState, Organization, Proposal, Reservation, Union, UnionState
from unions.quotas import Amount, used_by
from unions.services.proposals import cast_vote
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = pytest.mark.django_db(transaction=True)


def until(proposal: Proposal, reached: Callable[[], bool], rounds: int = 400) -> Flow:
    """Keep the promises of a flow one by one, without waiting for the times at which they are due."""
    moving = ["later", "ready", "undoing"]
    for _round in range(rounds):
        Step.objects.filter(flow=proposal.flow_id, state__in=moving).update(due_at=timezone.now())
        steps = engine.due_steps()
        if reached() or not steps:
            break
        engine.run_step(steps[0])
    return Flow.objects.get(pk=proposal.flow_id)


def run(proposal: Proposal) -> Flow:
    """To its end, or until somebody has to act."""
    return until(proposal, lambda: False)


def proposed(cast: Cast, *invited: Organization, name: str = "Permits") -> Proposal:
    return propose_union(
        actor=cast.alice,
        name=name,
        oemtype="",
        creatororg=cast.tax.orgcode,
        orgs=[each.orgcode for each in invited or (cast.housing,)],
    )


def agreed(cast: Cast, proposal: Proposal) -> Flow:
    """Everyone who has a say says yes, and the flow runs to its end."""
    run(proposal)
    for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing), (cast.carol, cast.social)):
        if proposal.electors.filter(organization=organization).exists():
            cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
    return run(proposal)


def create(cast: Cast, *invited: Organization) -> Union:
    flow = agreed(cast, proposed(cast, *invited))
    assert flow.state == FlowState.DONE, flow.error
    return Union.objects.get(name="Permits")


def codes(rows: Any) -> set[str]:
    return set(rows.values_list("orgcode", flat=True))


def assert_nothing_left(plane: Plane) -> None:
    assert not plane.ledgers
    assert not plane.networks
    for model in (Union, BusinessChain, Blockchain, Node):
        assert not model.objects.exists(), model
    assert not Flow.objects.open().exists()
    assert not Reservation.objects.exists()


# --- creating ---------------------------------------------------------------------------------------------------------


def test_a_new_union_gets_a_chain_with_a_node_for_every_member(cast: Cast, plane: Plane) -> None:
    union = create(cast, cast.housing, cast.social)
    business_chain = BusinessChain.objects.get()
    blockchain = Blockchain.objects.get()
    ledger = plane.ledgers[blockchain.external_id]

    assert union.uid == business_chain.uid
    assert (business_chain.union, business_chain.name, business_chain.creator) == (union, "Permits", cast.tax)
    assert (business_chain.createmode, business_chain.state) == ("multi_subchain", ChainState.RUNNING)
    everyone = {cast.tax.orgcode, cast.housing.orgcode, cast.social.orgcode}
    assert codes(business_chain.organizations) == codes(blockchain.organizations) == everyone == set(ledger.members)
    assert (blockchain.name, blockchain.cloudtype, blockchain.state) == ("Permits", "both", ChainState.RUNNING)
    assert blockchain.blockspec == {"consensus": "clique"}
    assert blockchain.infraspec == {"nodes": dict.fromkeys(everyone, 1)}
    assert {node.organization.orgcode: node.endpoint for node in Node.objects.all()} == {
        orgcode: f"http://{orgcode}.{ledger.id}:8545" for orgcode in everyone
    }
    assert used_by([cast.tax.pk, cast.social.pk]) == dict.fromkeys([cast.tax.pk, cast.social.pk], Amount(1, 1))
    assert not Reservation.objects.exists()  # what was promised is in use now


def test_members_join_side_by_side_behind_the_chain(cast: Cast) -> None:
    flow = proposed(cast, cast.housing, cast.social).flow
    needs = dict(flow.steps.values_list("name", "needs"))
    joins = {f"chain-member:{cast.housing.orgcode}", f"chain-member:{cast.social.orgcode}"}
    assert needs["chain"] == ["save"]
    assert all(needs[join] == ["chain"] for join in joins)
    assert set(needs["chain-nodes"]) == joins
    assert needs["chain-record"] == ["chain-nodes"]
    assert needs["open"] == ["chain-record"]


def test_a_platform_that_builds_no_chains_has_its_own_adopted(
    cast: Cast, plane: Plane, spoken_to: Callable[..., Platform]
) -> None:
    spoken_to(create_chain=None, join_chain=None)
    proposal = proposed(cast)
    run(proposal)
    made = plane.make_network
    plane.make_network = lambda body: _with_chain(plane, made(body), cast)  # type: ignore[method-assign]
    flow = agreed(cast, proposal)
    assert flow.state == FlowState.DONE, flow.error
    blockchain = Blockchain.objects.get()
    assert blockchain.external_id in plane.ledgers
    assert Node.objects.count() == 2
    assert Union.objects.get().uid == blockchain.business_chain.uid


def _with_chain(plane: Plane, network: dict[str, str], cast: Cast) -> dict[str, str]:
    ledger = plane.ledger("default", network["id"])
    ledger.members = [cast.tax.orgcode, cast.housing.orgcode]
    return network


def test_a_union_on_a_platform_without_chains_goes_without(cast: Cast, spoken_to: Callable[..., Platform]) -> None:
    spoken_to(create_chain=None, join_chain=None, list_chains=None)
    union = create(cast)
    assert union.state == UnionState.ACTIVE
    assert union.uid == ""
    assert not BusinessChain.objects.exists()


@pytest.mark.parametrize("operation", ["create_chain", "join_chain"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_chain_that_fails_takes_everything_back(cast: Cast, plane: Plane, operation: str, when: str) -> None:
    plane.fail_next[operation] = when
    flow = agreed(cast, proposed(cast, cast.housing, cast.social))
    assert flow.state == FlowState.UNDONE, flow.error
    assert "the job broke" in flow.error["detail"]
    assert_nothing_left(plane)


def test_a_half_made_chain_is_found_by_its_name_when_nothing_else_tells(
    cast: Cast, plane: Plane, platform: Platform
) -> None:
    bare = plane_files.interfaces()["create_chain"]
    speak_to(platform, plane, create_chain={name: part for name, part in bare.items() if name != "known"})
    plane.fail_next["create_chain"] = "after"
    flow = agreed(cast, proposed(cast))
    assert flow.state == FlowState.UNDONE, flow.error
    assert_nothing_left(plane)


def test_a_flow_that_is_cancelled_at_the_last_moment_takes_chain_and_rows_back(cast: Cast, plane: Plane) -> None:
    proposal = proposed(cast)
    run(proposal)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    until(proposal, lambda: Blockchain.objects.exists())
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id, reason="stop")
    flow = run(proposal)
    assert flow.state == FlowState.CANCELLED, flow.error
    assert_nothing_left(plane)


def test_a_worker_that_dies_between_call_and_record_makes_no_second_chain(cast: Cast, plane: Plane) -> None:
    proposal = proposed(cast)
    run(proposal)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    until(proposal, lambda: bool(plane.ledgers))
    Step.objects.filter(flow=proposal.flow_id, name="chain").update(position=None)  # its answer died with the worker
    plane.keys.clear()  # and the platform has forgotten the key
    flow = run(proposal)
    assert flow.state == FlowState.DONE, flow.error
    assert len(plane.ledgers) == 1


# --- joining ----------------------------------------------------------------------------------------------------------


def join(cast: Cast, union: Union) -> Flow:
    return agreed(cast, propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode))


def test_who_joins_gets_a_node_on_the_chain(cast: Cast, plane: Plane) -> None:
    union = create(cast)
    flow = join(cast, union)
    assert flow.state == FlowState.DONE, flow.error
    blockchain = Blockchain.objects.get()
    assert cast.social.orgcode in codes(blockchain.organizations)
    assert cast.social.orgcode in codes(blockchain.business_chain.organizations)
    assert cast.social.orgcode in plane.ledgers[blockchain.external_id].members
    assert Node.objects.filter(organization=cast.social, state="running").count() == 1
    assert blockchain.cloudtype == "both"
    assert sum(blockchain.infraspec["nodes"].values()) == 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_node_that_cannot_be_built_keeps_the_newcomer_out(cast: Cast, plane: Plane, when: str) -> None:
    union = create(cast)
    plane.fail_next["join_chain"] = when
    flow = join(cast, union)
    assert flow.state == FlowState.UNDONE, flow.error
    blockchain = Blockchain.objects.get()
    assert cast.social.orgcode not in codes(blockchain.organizations)
    assert not Node.objects.filter(organization=cast.social).exists()
    assert cast.social.orgcode not in plane.ledgers[blockchain.external_id].members
    assert cast.social.orgcode not in plane.networks[union.network_id]["members"]
    assert not union.members.filter(organization=cast.social).exists()
    assert join(cast, union).state == FlowState.DONE, "and the next try succeeds"


# --- quitting ---------------------------------------------------------------------------------------------------------


def leave(cast: Cast, union: Union) -> Flow:
    return run(propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode))


def test_who_quits_loses_its_node(cast: Cast, plane: Plane) -> None:
    union = create(cast, cast.housing, cast.social)
    flow = leave(cast, union)
    assert flow.state == FlowState.DONE, flow.error
    blockchain = Blockchain.objects.get()
    assert codes(blockchain.organizations) == {cast.tax.orgcode, cast.social.orgcode}
    assert codes(blockchain.business_chain.organizations) == {cast.tax.orgcode, cast.social.orgcode}
    assert set(plane.ledgers[blockchain.external_id].members) == {cast.tax.orgcode, cast.social.orgcode}
    assert not Node.objects.filter(organization=cast.housing).exists()
    assert used_by([cast.housing.pk]) == {cast.housing.pk: Amount()}
    assert union.members.get(organization=cast.housing).state == MemberState.LEFT


def retried(cast: Cast, flow: Flow) -> Flow:
    retry_step(actor=cast.root, flow_id=flow.pk, step_id=flow.steps.get(state="failed").pk)
    return run(Proposal.objects.get(flow=flow))


@pytest.mark.parametrize("again", ["asked", "retried"])
@pytest.mark.parametrize("operation", ["quit_chain", "quit_network"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_quitting_that_fails_goes_on_when_it_is_asked_again(
    cast: Cast, plane: Plane, operation: str, when: str, again: str
) -> None:
    union = create(cast, cast.housing, cast.social)
    plane.fail_next[operation] = when
    flow = leave(cast, union)
    assert (flow.state, flow.stopped_half_way) == (FlowState.FAILED, True)
    blockchain = Blockchain.objects.get()
    member = union.members.get(organization=cast.housing)
    assert member.state == MemberState.ACTIVE
    there = operation == "quit_chain"
    assert Node.objects.filter(organization=cast.housing).exists() == there
    in_ledger = cast.housing.orgcode in plane.ledgers[blockchain.external_id].members
    assert in_ledger == (there and when == "before"), "nothing is built again"
    assert (leave(cast, union) if again == "asked" else retried(cast, flow)).state == FlowState.DONE
    member.refresh_from_db()
    assert member.state == MemberState.LEFT
    assert not Node.objects.filter(organization=cast.housing).exists()
    assert cast.housing.orgcode not in codes(blockchain.organizations)
    assert cast.housing.orgcode not in plane.ledgers[blockchain.external_id].members
    assert cast.housing.orgcode not in plane.networks[union.network_id]["members"]


# --- deleting ---------------------------------------------------------------------------------------------------------


def delete(cast: Cast, union: Union) -> Flow:
    return run(propose_delete(actor=cast.alice, unionid=union.unionid))


def test_a_deleted_union_takes_its_chain_with_it(cast: Cast, plane: Plane) -> None:
    union = create(cast, cast.housing, cast.social)
    Block.objects.create(blockchain=Blockchain.objects.get(), height=1, hash="kept as history")
    flow = delete(cast, union)
    assert flow.state == FlowState.DONE, flow.error
    assert not plane.ledgers
    assert not plane.networks
    blockchain = Blockchain.objects.get()
    assert (blockchain.state, blockchain.business_chain.state) == (ChainState.DELETED, ChainState.DELETED)
    assert not Node.objects.exists()
    assert Block.objects.count() == 1


@pytest.mark.parametrize("again", ["asked", "retried"])
@pytest.mark.parametrize("operation", ["delete_chain", "quit_network", "delete_network"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_deletion_that_fails_goes_on_when_it_is_asked_again(
    cast: Cast, plane: Plane, operation: str, when: str, again: str
) -> None:
    union = create(cast)
    plane.fail_next[operation] = when
    flow = delete(cast, union)
    assert (flow.state, flow.stopped_half_way) == (FlowState.FAILED, True)
    union.refresh_from_db()
    assert union.state == UnionState.ACTIVE
    kept = (operation, when) == ("delete_chain", "before")
    assert len(plane.ledgers) == kept
    assert Blockchain.objects.get().state == (ChainState.RUNNING if kept else ChainState.DELETED), "as it is"
    assert Node.objects.exists() == kept
    assert (delete(cast, union) if again == "asked" else retried(cast, flow)).state == FlowState.DONE
    union.refresh_from_db()
    assert union.state == UnionState.DELETED
    assert Blockchain.objects.get().state == BusinessChain.objects.get().state == ChainState.DELETED
    assert not Node.objects.exists()
    assert not plane.ledgers
    assert not plane.networks


def test_a_union_whose_platform_cannot_delete_chains_still_ends(cast: Cast, spoken_to: Callable[..., Platform]) -> None:
    union = create(cast)
    spoken_to(delete_chain=None)
    flow = delete(cast, union)
    assert flow.state == FlowState.DONE, flow.error
    assert Blockchain.objects.get().state == ChainState.DELETED


def test_a_platform_with_live_chains_is_not_retired(cast: Cast) -> None:
    union = create(cast)
    with pytest.raises(Conflict, match="1 chain \\(Permits\\)"):
        retire_platform(actor=cast.root, oemtype="testbed")
    assert delete(cast, union).state == FlowState.DONE
    assert [each.count for each in hanging_on(cast.platform) if str(each.title) == "chains"] == []
