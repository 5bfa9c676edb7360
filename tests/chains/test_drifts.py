"""Chains and nodes that a platform has, or has not, held against the records; and chains that are gone altogether."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chains.models import Blockchain, ChainState, Node
from console.errors import Conflict
from console.flows import engine
from console.models import Flow, Step
from tests.chains.ledger_plane import Ledger, Plane
from tests.unions.cast import Cast, cloud, registered
from unions.models import Drift, Proposal, Union
from unions.services import drifts
from unions.services.proposals import cast_vote

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]


def work() -> None:
    for _round in range(300):
        Step.objects.filter(state__in=["later", "undoing"]).update(due_at=timezone.now())
        due = engine.due_steps()
        if not due:
            return
        for step_id in due:
            engine.run_step(step_id)


@pytest.fixture
def shown(cast: Cast, chain: MakeChain, plane: Plane, observe: Any) -> tuple[Blockchain, Ledger]:
    """A chain of two members that was read, so that its nodes are recorded."""
    row, ledger = chain()
    union = row.business_chain.union
    assert union is not None
    plane.networks[union.network_id] = {"name": union.name, "members": list(ledger.members)}
    observe(row)
    assert Node.objects.filter(blockchain=row).count() == 2
    return row, ledger


def compared(cast: Cast) -> dict[str, Drift]:
    past = timezone.now() - timedelta(hours=1)
    Union.objects.update(created_at=past)
    for union in Union.objects.all():
        union.members.update(joined_at=past)
    Flow.objects.exclude(ended_at=None).update(ended_at=past)
    flow = drifts.compare_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    work()
    flow.refresh_from_db()
    assert flow.state == "done", flow.error
    return {drift.kind: drift for drift in Drift.objects.exclude(state="settled")}


def mend(cast: Cast, drift: Drift, way: str) -> Drift:
    drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way=way)
    drift.refresh_from_db()
    proposal: Proposal | None = drift.proposal
    if proposal is not None:
        work()
        for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
            if proposal.electors.filter(organization=organization).exists():
                cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
        work()
        proposal.refresh_from_db()
        assert proposal.flow is not None
        assert proposal.flow.state == "done", proposal.flow.error
    drift.refresh_from_db()
    assert drift.state == "settled"
    return drift


def test_both_sides_agree(cast: Cast, shown: Any) -> None:
    assert compared(cast) == {}


def test_a_node_is_gone_and_the_record_of_it_follows(cast: Cast, shown: Any) -> None:
    row, ledger = shown
    ledger.members.remove(cast.housing.orgcode)
    found = compared(cast)
    assert set(found) == {"node_missing"}
    assert found["node_missing"].organization == cast.housing
    mend(cast, found["node_missing"], "forget")
    assert list(Node.objects.values_list("organization__orgcode", flat=True)) == [cast.tax.orgcode]
    row.refresh_from_db()
    assert row.infraspec == {"nodes": {cast.tax.orgcode: 1}}
    assert compared(cast) == {}


def test_a_foreign_node_is_found_and_taken_off_the_chain_of_those_who_are_known(cast: Cast, shown: Any) -> None:
    _row, ledger = shown
    _user, water = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    ledger.members += [water.orgcode]
    found = compared(cast)
    assert set(found) == {"node_unknown"}
    assert found["node_unknown"].organization == water
    mend(cast, found["node_unknown"], "reclaim")
    assert ledger.members == [cast.tax.orgcode, cast.housing.orgcode]
    ledger.members += ["somebody"]
    found = compared(cast)
    assert found["node_unknown"].organization is None
    assert compared(cast)["node_unknown"].pk == found["node_unknown"].pk


def test_a_chain_is_gone(cast: Cast, plane: Plane, shown: Any, observe: Any, client: Any) -> None:
    """The observer says so at once, in words; the comparison offers to write it off."""
    row, ledger = shown
    del plane.ledgers[ledger.id]
    observe(row)
    assert row.missing_since is not None
    assert row.read_error.startswith("The platform says that there is no such chain")
    assert set(Node.objects.values_list("state", flat=True)) == {"missing"}
    client.force_login(cast.alice)
    page = client.get(f"/chains/{row.uid}").content.decode()
    assert "this chain does not exist" in page
    assert "Gone from the platform" in client.get("/chains").content.decode()

    found = compared(cast)
    assert set(found) == {"chain_missing"}
    mend(cast, found["chain_missing"], "write_off")
    row.refresh_from_db()
    assert row.state == ChainState.DELETED
    assert not Node.objects.exists()
    assert compared(cast) == {}


def test_a_chain_that_comes_back_is_read_again(cast: Cast, plane: Plane, shown: Any, observe: Any) -> None:
    row, ledger = shown
    gone = plane.ledgers.pop(ledger.id)
    observe(row)
    assert row.missing_since is not None
    plane.ledgers[gone.id] = gone
    Blockchain.objects.update(details_read_at=None)
    observe(row)
    assert (row.missing_since, row.read_error) == (None, "")
    assert set(Node.objects.values_list("state", flat=True)) == {"running"}


def test_a_chain_that_nobody_recorded(cast: Cast, plane: Plane, shown: Any) -> None:
    row, _ledger = shown
    assert row.business_chain.union is not None
    plane.ledger("Second", row.business_chain.union.network_id)
    found = compared(cast)
    assert set(found) == {"chain_unknown"}
    assert found["chain_unknown"].name == "Second"


# --- chains without a union -------------------------------------------------------------------------------------------


@pytest.fixture
def private(shown: tuple[Blockchain, Ledger]) -> tuple[Blockchain, Ledger]:
    """The same chain with a network of its own, and no union."""
    row, ledger = shown
    chain, union = row.business_chain, row.business_chain.union
    assert union is not None
    chain.union, chain.network_id = None, union.network_id
    chain.created_at -= timedelta(hours=1)
    chain.save()
    union.members.all().delete()
    union.delete()
    return row, ledger


def test_both_sides_of_a_chain_without_a_union_agree(cast: Cast, private: Any) -> None:
    assert compared(cast) == {}


def test_nodes_of_a_chain_without_a_union(cast: Cast, private: Any) -> None:
    _row, ledger = private
    _user, water = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    ledger.members[:] = [cast.tax.orgcode, water.orgcode]
    found = compared(cast)
    assert {kind: drift.organization for kind, drift in found.items()} == {
        "node_missing": cast.housing,
        "node_unknown": water,
    }
    assert {drift.union for drift in found.values()} == {None}
    mend(cast, found["node_missing"], "forget")
    assert list(Node.objects.values_list("organization__orgcode", flat=True)) == [cast.tax.orgcode]
    mended = mend(cast, found["node_unknown"], "reclaim")
    assert mended.proposal is not None
    assert {each.organization for each in mended.proposal.electors.all()} == {cast.tax, cast.housing}
    assert ledger.members == [cast.tax.orgcode]
    assert compared(cast) == {}


@pytest.mark.parametrize("gone", ["chain", "network"])
def test_a_chain_without_a_union_is_gone(cast: Cast, plane: Plane, private: Any, gone: str) -> None:
    row, ledger = private
    network = row.business_chain.network_id
    ledgers, networks = dict(plane.ledgers), dict(plane.networks)
    del plane.ledgers[ledger.id]
    if gone == "network":
        del plane.networks[network]
    found = compared(cast)
    assert set(found) == {"chain_missing"}
    assert found["chain_missing"].organization == cast.tax, "its members see it"
    plane.ledgers.update(ledgers)
    plane.networks.update(networks)
    assert compared(cast) == {}, "settled by itself"
    del plane.ledgers[ledger.id]
    mend(cast, compared(cast)["chain_missing"], "write_off")
    row.refresh_from_db()
    row.business_chain.refresh_from_db()
    assert (row.state, row.business_chain.state) == (ChainState.DELETED, ChainState.DELETED)


def test_a_chain_beside_one_without_a_union_is_unknown_until_that_has_ended(
    cast: Cast, plane: Plane, private: Any
) -> None:
    row, _ledger = private
    plane.ledger("Second", row.business_chain.network_id)
    assert {kind: each.name for kind, each in compared(cast).items()} == {"chain_unknown": "Second"}
    row.business_chain.state = row.state = ChainState.DELETED
    row.save()
    row.business_chain.save()
    assert "chain_unknown" not in compared(cast)


def test_a_chain_without_a_union_that_is_on_the_move_is_left_alone(cast: Cast, plane: Plane, private: Any) -> None:
    row, ledger = private
    del plane.ledgers[ledger.id]
    drift = compared(cast)["chain_missing"]
    moving = Flow.objects.create(
        kind="chains.delete", title="t", arguments={"chain": row.business_chain.uid, "title": {}}
    )
    with pytest.raises(Conflict, match="Something else is being done"):
        drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way="write_off")
    plane.ledgers[ledger.id] = ledger
    assert set(compared(cast)) == {"chain_missing"}, "neither found nor settled"
    moving.delete()
    assert compared(cast) == {}
