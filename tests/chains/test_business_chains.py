"""Business chains from the wish to the end: the real engine, real HTTP, and what is left when something breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from chains.models import Blockchain, BusinessChain, ChainState, Node
from chains.services.orders import (
    plan_chain,
    propose_chain,
    propose_chain_delete,
    propose_chain_join,
    propose_chain_quit,
    propose_scaling,
)
from console.errors import Conflict, Invalid, Missing, NotAllowed, NotSupported
from console.flows import engine
from console.models import AuditEntry, Flow, FlowState, Notification, Step, StepState
from console.services.flows import cancel_flow, retry_step
from platforms.models import Platform
from tests.chains.ledger_plane import Plane, node_ids
from tests.chains.test_flows import agreed, create, run, until
from tests.unions.cast import Cast
from unions.models import Proposal, Reservation, Union
from unions.quotas import used_by
from unions.services.proposals import cast_vote
from unions.services.unions import propose_delete, propose_join, propose_quit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def union(cast: Cast) -> Union:
    """Tax and housing, with the union's own chain."""
    return create(cast, cast.housing)


def wish(cast: Cast, createmode: str = "multi_subchain", **changes: Any) -> dict[str, Any]:
    wanted = {
        "name": "Land register",
        "creatororg": cast.tax.orgcode,
        "orgs": [cast.housing.orgcode],
        "createmode": createmode,
    }
    return {**wanted, **changes}


def ordered(cast: Cast, createmode: str = "multi_subchain", **changes: Any) -> Proposal:
    return propose_chain(actor=cast.alice, **wish(cast, createmode, **changes))


def built(cast: Cast, createmode: str = "multi_subchain", **changes: Any) -> BusinessChain:
    flow = agreed(cast, ordered(cast, createmode, **changes))
    assert flow.state == FlowState.DONE, flow.error
    return BusinessChain.objects.get(name="Land register")


def done(proposal: Proposal) -> Flow:
    flow = run(proposal)
    assert flow.state == FlowState.DONE, flow.error
    assert not Reservation.objects.exists(), "what was reserved is released"
    return flow


def first_is_through(proposal: Proposal, action: str) -> None:
    """The first step of this action has ended, and none of the others has begun."""
    steps = Step.objects.filter(flow=proposal.flow_id, action=action).order_by("number")
    until(proposal, lambda: steps.filter(state=StepState.READY).exists())
    step = steps[0]
    while step.state != StepState.DONE:
        Step.objects.filter(pk=step.pk).update(due_at=timezone.now())
        assert engine.run_step(step.pk)
        step.refresh_from_db()
    assert steps.filter(state=StepState.READY).count() == steps.count() - 1


def nodes_of(row: Blockchain) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in Node.objects.filter(blockchain=row).select_related("organization").order_by("pk"):
        found.setdefault(node.organization.orgcode, []).append(node.external_id)
    return found


def assert_rows_are_true(plane: Plane) -> None:
    """The rows say what the platform has: chain by chain, member by member, node by node."""
    live = Blockchain.objects.live()
    assert {row.external_id for row in live} == set(plane.ledgers)
    for row in live:
        ledger = plane.ledgers[row.external_id]
        theirs = {org: sorted(node_ids(ledger, org)) for org in ledger.members}
        assert {org: sorted(ids) for org, ids in nodes_of(row).items()} == theirs
        assert row.infraspec == {"nodes": {org: len(ids) for org, ids in theirs.items()}}


TWO = [{"name": "Parcels"}, {"name": "Mortgages", "blockspec": {"consensus": "raft", "period": 5}}]


# --- the three modes --------------------------------------------------------------------------------------------------


def test_chains_that_share_nodes_cost_no_node(cast: Cast, plane: Plane, union: Union) -> None:
    own = Blockchain.objects.get()
    before = used_by([cast.tax.pk])[cast.tax.pk]
    plan = plan_chain(actor=cast.alice, **wish(cast, blockchains=TWO))
    assert plan.new_nodes == {}
    assert not Proposal.objects.filter(kind="chain_create").exists(), "a plan writes nothing"

    chain = built(cast, blockchains=TWO)
    assert (chain.union, chain.createmode, chain.state) == (union, "multi_subchain", ChainState.RUNNING)
    ledgers = {row.name: row for row in chain.blockchains.all()}
    assert set(ledgers) == {"Parcels", "Mortgages"}
    assert all(nodes_of(row) == nodes_of(own) for row in ledgers.values())
    assert ledgers["Mortgages"].blockspec == {"consensus": "clique", "period": 5}, "what the platform says counts"
    assert_rows_are_true(plane)
    after = used_by([cast.tax.pk])[cast.tax.pk]
    assert (after.nodes, after.chains) == (before.nodes, before.chains + 2), "a shared node is one node"
    union.refresh_from_db()
    assert union.uid != chain.uid, "the union's own chain stays what it was"
    told = Notification.objects.filter(kind="chain").values_list("user__username", flat=True)
    assert set(told) == {"alice", "bob"}


def test_isolated_chains_share_no_node(cast: Cast, plane: Plane, union: Union) -> None:
    chain = built(cast, "isolated", blockchains=TWO, infraspec={"nodes": {cast.tax.orgcode: 2}})
    places = [ids for row in Blockchain.objects.all() for ids in nodes_of(row).values()]
    flat = [node for ids in places for node in ids]
    assert len(flat) == len(set(flat)), "no node serves two chains"
    assert {len(nodes_of(row)[cast.tax.orgcode]) for row in chain.blockchains.all()} == {2}
    assert used_by([cast.tax.pk])[cast.tax.pk].nodes == 5
    assert_rows_are_true(plane)


def test_a_private_chain_stands_in_one_space_with_a_network_of_its_own(cast: Cast, plane: Plane) -> None:
    chain = built(cast, "private", infraspec={"nodes": 2})
    (row,) = chain.blockchains.all()
    assert (chain.union, chain.network_id) == (None, next(iter(plane.networks)))
    assert set(nodes_of(row)) == {cast.tax.orgcode}
    assert len(nodes_of(row)[cast.tax.orgcode]) == 2
    assert {each.orgcode for each in row.organizations.all()} == {cast.tax.orgcode, cast.housing.orgcode}
    assert_rows_are_true(plane)

    # Carol's department comes in, housing leaves; the space does not change. Then all of it goes.
    agreed(cast, propose_chain_join(actor=cast.root, uid=chain.uid, orgcode=cast.social.orgcode))
    done(propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode))
    assert {each.orgcode for each in row.organizations.all()} == {cast.tax.orgcode, cast.social.orgcode}
    with pytest.raises(Conflict, match="its creator, which cannot quit"):
        propose_chain_quit(actor=cast.alice, uid=chain.uid, orgcode=cast.tax.orgcode)
    assert_rows_are_true(plane)
    done(propose_chain_delete(actor=cast.alice, uid=chain.uid))
    assert not plane.ledgers
    assert not plane.networks
    chain.refresh_from_db()
    assert chain.state == ChainState.DELETED


# --- moves ------------------------------------------------------------------------------------------------------------


def test_a_member_joins_scales_and_quits_a_chain_that_shares_nodes(cast: Cast, plane: Plane, union: Union) -> None:
    chain = built(cast, blockchains=TWO, infraspec={"base": "new"})
    first, second = chain.blockchains.order_by("pk")
    with pytest.raises(Conflict, match="not a member of this union"):
        propose_chain_join(actor=cast.root, uid=chain.uid, orgcode=cast.social.orgcode)
    agreed(cast, propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode))
    assert first.organizations.count() == 2, "who joins the union joins its own chain, no other"

    proposal = propose_chain_join(actor=cast.carol, uid=chain.uid, orgcode=cast.social.orgcode)
    assert {each.organization for each in proposal.electors.all()} == {cast.tax, cast.housing}
    assert agreed(cast, proposal).state == FlowState.DONE
    assert nodes_of(first)[cast.social.orgcode] == nodes_of(second)[cast.social.orgcode]
    assert_rows_are_true(plane)
    with pytest.raises(Conflict, match="in this chain already"):
        propose_chain_join(actor=cast.carol, uid=chain.uid, orgcode=cast.social.orgcode)

    scale = {"actor": cast.carol, "blockchain_uid": first.uid, "orgcode": cast.social.orgcode}
    done(propose_scaling(**scale, nodes=3))
    assert len(nodes_of(first)[cast.social.orgcode]) == 3
    assert set(nodes_of(first)[cast.social.orgcode]) == set(nodes_of(second)[cast.social.orgcode])
    assert_rows_are_true(plane)
    done(propose_scaling(**scale, nodes=1))
    assert len(nodes_of(second)[cast.social.orgcode]) == 1
    assert_rows_are_true(plane)
    assert AuditEntry.objects.filter(action="chains.blockchain.scaled").count() == 4

    done(propose_chain_quit(actor=cast.carol, uid=chain.uid, orgcode=cast.social.orgcode))
    assert cast.social.orgcode not in nodes_of(first)
    assert union.members.filter(organization=cast.social, state="active").exists(), "it stays in the union"
    assert_rows_are_true(plane)


def test_deleting_takes_a_chain_and_leaves_the_others(cast: Cast, plane: Plane, union: Union) -> None:
    own = Blockchain.objects.get()
    chain = built(cast, blockchains=TWO)
    with pytest.raises(NotAllowed):
        propose_chain_delete(actor=cast.bob, uid=chain.uid)
    proposal = propose_chain_delete(actor=cast.alice, uid=chain.uid)
    for again in (
        lambda: propose_chain_delete(actor=cast.alice, uid=chain.uid),
        lambda: propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode),
        lambda: propose_delete(actor=cast.alice, unionid=union.unionid),
    ):
        with pytest.raises(Conflict):
            again()
    done(proposal)
    assert set(plane.ledgers) == {own.external_id}
    assert_rows_are_true(plane)
    own_chain = own.business_chain
    done(propose_chain_delete(actor=cast.alice, uid=own_chain.uid))
    union.refresh_from_db()
    assert union.uid == "", "the union has no chain of its own any more"
    assert not plane.ledgers


def test_deleting_a_union_takes_all_its_chains_along(cast: Cast, plane: Plane, union: Union) -> None:
    built(cast, "isolated", blockchains=TWO)
    done(propose_delete(actor=cast.alice, unionid=union.unionid))
    assert not plane.ledgers
    assert not Node.objects.exists()
    assert set(BusinessChain.objects.values_list("state", flat=True)) == {ChainState.DELETED}


def test_who_quits_the_union_leaves_every_chain_but_not_one_that_it_keeps(
    cast: Cast, plane: Plane, union: Union
) -> None:
    """A node that serves several chains leaves them all; a private chain is deleted first by who keeps it."""
    shared = built(cast, blockchains=TWO)
    agreed(cast, ordered(cast, "private", name="Archive", unionid=union.unionid))
    archive = BusinessChain.objects.get(name="Archive")
    assert (archive.union, archive.network_id) == (union, "")
    with pytest.raises(Conflict, match="private chain Archive stands in its space"):
        propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode)
    assert union.members.get(organization=cast.tax).state == "active", "nothing was begun"
    assert_rows_are_true(plane)
    done(propose_chain_delete(actor=cast.alice, uid=archive.uid))
    done(propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode))
    assert {each.orgcode for each in shared.organizations.all()} == {cast.housing.orgcode}
    assert_rows_are_true(plane)
    union.refresh_from_db()
    done(propose_chain_delete(actor=cast.bob, uid=shared.uid))
    assert_rows_are_true(plane)


# --- what goes wrong --------------------------------------------------------------------------------------------------

OPERATIONS = ["create_subchain", "join_subchain", "add_node"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_step_that_fails_leaves_nothing_behind(
    cast: Cast, plane: Plane, union: Union, operation: str, moment: str
) -> None:
    before = {each.id: (list(each.members), dict(each.own)) for each in plane.ledgers.values()}
    plane.fail_next[operation] = moment
    flow = agreed(cast, ordered(cast, blockchains=TWO, infraspec={"nodes": {cast.housing.orgcode: 2}}))
    assert flow.state == FlowState.UNDONE, flow.error
    assert not plane.fail_next, "the fault struck"
    assert {each.id: (each.members, each.own) for each in plane.ledgers.values()} == before
    assert not BusinessChain.objects.filter(name="Land register").exists()
    assert not Reservation.objects.exists()
    assert_rows_are_true(plane)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_scaling_out_that_fails_is_taken_back_from_every_chain(
    cast: Cast, plane: Plane, union: Union, moment: str
) -> None:
    chain = built(cast, blockchains=TWO, infraspec={"base": "new"})
    row = chain.blockchains.order_by("pk").first()
    plane.fail_next["join_subchain"] = moment
    proposal = propose_scaling(actor=cast.alice, blockchain_uid=row.uid, orgcode=cast.tax.orgcode, nodes=3)
    assert Reservation.objects.get().nodes == 2
    assert run(proposal).state == FlowState.UNDONE
    assert not Reservation.objects.exists()
    assert_rows_are_true(plane)


def test_a_quitting_that_fails_half_way_is_written_down_and_can_be_asked_again(
    cast: Cast, plane: Plane, union: Union
) -> None:
    chain = built(cast, blockchains=TWO)
    proposal = propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode)
    first_is_through(proposal, "chains.quit_chain")
    plane.fail_next["quit_chain"] = "before"
    flow = run(proposal)
    assert flow.state == FlowState.FAILED
    assert "stays removed" in flow.error["undo"]["detail"]
    assert_rows_are_true(plane)
    done(propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode))
    assert_rows_are_true(plane)
    assert not chain.organizations.filter(pk=cast.housing.pk).exists()


def test_a_deletion_that_fails_half_way_is_written_down_and_can_be_asked_again(
    cast: Cast, plane: Plane, union: Union
) -> None:
    chain = built(cast, blockchains=TWO)
    proposal = propose_chain_delete(actor=cast.alice, uid=chain.uid)
    first_is_through(proposal, "chains.delete_chain")
    plane.fail_next["delete_chain"] = "before"
    assert run(proposal).state == FlowState.FAILED
    assert_rows_are_true(plane)
    done(propose_chain_delete(actor=cast.alice, uid=chain.uid))
    chain.refresh_from_db()
    assert chain.state == ChainState.DELETED
    assert_rows_are_true(plane)


def test_a_killed_worker_makes_nothing_twice(cast: Cast, plane: Plane, union: Union) -> None:
    """Every step that speaks to the platform is run, put back as a dead worker would leave it, and run again."""
    proposal = ordered(cast, "isolated", blockchains=TWO, infraspec={"nodes": {cast.tax.orgcode: 2}})
    run(proposal)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    again: set[int] = set()
    building = Step.objects.filter(
        flow=proposal.flow_id, action__in=["chains.build_ledger", "chains.enter_ledger", "chains.build_node"]
    )

    def kill() -> bool:
        for step in building.filter(state=StepState.DONE).exclude(pk__in=again):
            again.add(step.pk)
            Step.objects.filter(pk=step.pk).update(
                state=StepState.READY, position=None, outcome=None, due_at=timezone.now(), ended_at=None
            )
            Flow.objects.filter(pk=proposal.flow_id).update(state=FlowState.RUNNING)
        return False

    flow = until(proposal, kill)
    assert flow.state == FlowState.DONE, flow.error
    assert len(again) == building.count() == 6
    assert_rows_are_true(plane)
    assert len(plane.ledgers) == 3


def test_cancelling_while_others_vote_leaves_nothing(cast: Cast, plane: Plane, union: Union) -> None:
    proposal = ordered(cast, "isolated")
    assert Reservation.objects.count() == 2
    run(proposal)
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
    run(proposal)
    assert not Reservation.objects.exists()
    assert len(plane.ledgers) == 1
    ordered(cast, "isolated")


def test_a_platform_that_breaks_the_promise_is_refused(
    cast: Cast, plane: Plane, union: Union, spoken_to: Callable[..., Platform]
) -> None:
    """Where every chain runs on the same peers, isolated chains cannot be had, whatever the platform says it did."""
    enter = plane.enter
    plane.enter = lambda ledger, body: enter(ledger, {**body, "nodes": [f"peer-{body['org']}"]})  # type: ignore[method-assign]
    flow = agreed(cast, ordered(cast, "isolated", blockchains=TWO))
    assert flow.state == FlowState.UNDONE
    assert "put two chains on one node" in flow.error["detail"]
    assert len(plane.ledgers) == 1


def test_who_has_left_the_union_meanwhile_is_in_no_chain(cast: Cast, plane: Plane, union: Union) -> None:
    agreed(cast, propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode))
    proposal = ordered(cast, "isolated", orgs=[cast.housing.orgcode])
    assert (
        run(propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)).state == FlowState.DONE
    )
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    flow = run(proposal)
    assert flow.state == FlowState.UNDONE
    assert "Housing Office" in flow.error["detail"]
    assert_rows_are_true(plane)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_named_and_nothing_changes(cast: Cast, plane: Plane, union: Union) -> None:
    counts = (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count())
    agreed_union = {"unionid": union.unionid}
    for changes, field in (
        ({"name": " "}, "name"),
        ({"name": "Permits"}, "name"),
        ({"creatororg": "org-no"}, "creatororg"),
        ({"orgs": ["org-no"]}, "orgs"),
        ({"orgs": [cast.social.orgcode], **agreed_union}, "orgs"),
        ({"unionid": "union-no"}, "unionid"),
        ({"orgs": [cast.social.orgcode]}, "unionid"),
        ({"oemtype": "other"}, "oemtype"),
        ({"oemtype": "other", **agreed_union}, "oemtype"),
        ({"createmode": "shared"}, "createmode"),
        ({"blockchains": [{"name": ""}]}, "blockchains"),
        ({"blockchains": [{"name": "Permits"}]}, "blockchains"),
        ({"blockchains": [{"name": "a", "orgs": ["org-no"]}]}, "blockchains"),
        ({"infraspec": {"cpus": 3}}, "infraspec"),
        ({"infraspec": {"nodes": "many"}}, "infraspec"),
        ({"infraspec": {"nodes": True}}, "infraspec"),
        ({"infraspec": {"nodes": {"org-no": 1}}}, "infraspec"),
        ({"infraspec": {"nodes": 99}}, "infraspec"),
        ({"infraspec": {"base": 7}}, "infraspec"),
        ({"infraspec": {"base": "chain-no"}}, "infraspec"),
    ):
        for call in (plan_chain, propose_chain):
            with pytest.raises(Invalid) as caught:
                call(actor=cast.alice, **wish(cast, **changes))
            assert field in caught.value.errors, changes
    assert (Proposal.objects.count(), Flow.objects.count(), AuditEntry.objects.count()) == counts


def test_quota_is_kept_for_what_is_planned(cast: Cast, union: Union) -> None:
    cast.tax.space.quota_nodes = 4
    cast.tax.space.save()
    ordered(cast, "isolated", blockchains=TWO)  # 1 in use, 2 reserved
    with pytest.raises(Invalid, match="room") as caught:
        ordered(cast, "isolated", name="Second", blockchains=TWO)
    assert "Tax Bureau may build 1 more" in caught.value.errors["infraspec"][0]
    ordered(cast, "isolated", name="Third")


def test_strangers_see_nothing_and_others_may_not(cast: Cast, union: Union) -> None:
    chain = built(cast)
    row = chain.blockchains.get()
    with pytest.raises(NotAllowed):
        propose_chain(actor=cast.bob, **wish(cast, name="Other"))
    with pytest.raises(NotAllowed):
        plan_chain(actor=cast.bob, **wish(cast, name="Other"))
    for call in (
        lambda: propose_chain_delete(actor=cast.carol, uid=chain.uid),
        lambda: propose_chain_join(actor=cast.carol, uid=chain.uid, orgcode=cast.social.orgcode),
        lambda: propose_scaling(actor=cast.carol, blockchain_uid=row.uid, orgcode=cast.social.orgcode, nodes=2),
        lambda: propose_chain_quit(actor=cast.alice, uid="bc-no", orgcode=cast.tax.orgcode),
    ):
        with pytest.raises(Missing):
            call()
    with pytest.raises(NotAllowed):
        propose_scaling(actor=cast.bob, blockchain_uid=row.uid, orgcode=cast.tax.orgcode, nodes=2)
    with pytest.raises(Conflict, match="so many nodes already"):
        propose_scaling(actor=cast.alice, blockchain_uid=row.uid, orgcode=cast.tax.orgcode, nodes=1)


def test_what_the_platform_cannot_do_is_said_with_its_reason(
    cast: Cast, union: Union, spoken_to: Callable[..., Platform]
) -> None:
    chain = built(cast)
    spoken_to(create_subchain=None, add_node=None, delete_chain=None, quit_chain=None)
    row = chain.blockchains.get()
    for call in (
        lambda: ordered(cast, name="Other", infraspec={"base": row.uid}),
        lambda: ordered(cast, "isolated", name="Other", infraspec={"nodes": 2}),
        lambda: propose_chain_delete(actor=cast.alice, uid=chain.uid),
        lambda: propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode),
        lambda: propose_scaling(actor=cast.alice, blockchain_uid=row.uid, orgcode=cast.tax.orgcode, nodes=2),
    ):
        with pytest.raises(NotSupported, match="does not offer"):
            call()
    plan = plan_chain(actor=cast.alice, **wish(cast, name="Other"))
    assert [step.operation for step in plan.steps] == ["create_chain", "join_chain"], "no base where none can be shared"


def test_a_refusal_builds_nothing(cast: Cast, plane: Plane, union: Union) -> None:
    proposal = ordered(cast, "isolated")
    run(proposal)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=False)
    assert run(proposal).state == FlowState.UNDONE
    assert len(plane.ledgers) == 1
    assert not Reservation.objects.exists()


def test_an_operator_lets_a_deletion_go_on(cast: Cast, plane: Plane, union: Union) -> None:
    chain = built(cast)
    proposal = propose_chain_delete(actor=cast.alice, uid=chain.uid)
    plane.fail_next["delete_chain"] = "before"
    flow = run(proposal)
    assert flow.state == FlowState.FAILED
    failed = flow.steps.get(action="chains.delete_chain")
    retry_step(actor=cast.root, flow_id=flow.pk, step_id=failed.pk)
    assert run(proposal).state == FlowState.DONE
    assert len(plane.ledgers) == 1
    assert_rows_are_true(plane)
