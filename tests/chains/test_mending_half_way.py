"""Chains and nodes whose mending stops half-way: both sides agree in the end, with the quotas, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chains.models import Blockchain, Node
from chains.reads import used_by
from console.models import Flow
from console.services.flows import retry_step
from tests.chains import plane_files
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Ledger, Plane
from tests.chains.test_drifts import compared, work
from tests.chains.test_flows import create
from tests.unions.cast import Cast, cloud, registered
from tests.unions.test_mending_half_way import die_before_every_ending, work_among_the_dying
from unions.models import Drift, Organization, Proposal, Reservation, Union
from unions.quotas import Amount
from unions.services import drifts
from unions.services.proposals import cast_vote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(cast: Cast, plane: Plane) -> Cast:
    """The platform shows its networks, and who is in them."""
    shown = plane_files.existing()
    speak_to(cast.platform, plane, **{name: shown[name] for name in ("list_networks", "get_network")})
    return cast


@pytest.fixture
def water(cast: Cast) -> Organization:
    _user, organization = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    return organization


@pytest.fixture
def ledger(cast: Cast, plane: Plane, water: Organization) -> Ledger:
    """Of a union of two that was built."""
    create(cast, cast.housing)
    return plane.ledgers[Blockchain.objects.get().external_id]


def _member_gone(cast: Cast, plane: Plane, ledger: Ledger, water: Organization) -> None:
    plane.networks[ledger.network]["members"].remove(cast.housing.orgcode)
    ledger.members.remove(cast.housing.orgcode)


def _node_came(cast: Cast, plane: Plane, ledger: Ledger, water: Organization) -> None:
    ledger.members.append(water.orgcode)


def _chain_gone(cast: Cast, plane: Plane, ledger: Ledger, water: Organization) -> None:
    del plane.ledgers[ledger.id]


Accident = Callable[[Cast, Plane, Ledger, Organization], None]
WAYS: dict[str, tuple[Accident, str, str, list[str]]] = {
    "bring in again": (_member_gone, "member_missing", "rebuild", ["tax", "housing"]),
    "record that it has left": (_member_gone, "member_missing", "write_off", ["tax"]),
    "take the node off": (_node_came, "node_unknown", "reclaim", ["tax", "housing"]),
    "write the chain off": (_chain_gone, "chain_missing", "write_off", []),
}


def mending(cast: Cast, drift: Drift, way: str) -> Proposal:
    """Everybody has agreed; the work is not done yet."""
    drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way=way)
    drift.refresh_from_db()
    assert drift.proposal is not None
    work()
    for user, organization in ((cast.alice, cast.tax), (cast.bob, cast.housing)):
        cast_vote(actor=user, proposal_id=drift.proposal.pk, orgcode=organization.orgcode, agree=True)
    return drift.proposal


def assert_mended(cast: Cast, plane: Plane, ledger: Ledger, flow_id: Any, what: str) -> None:
    """Rows, quotas and platform say the same."""
    flow = Flow.objects.get(pk=flow_id)
    assert flow.state == "done", flow.error
    inside = [{"tax": cast.tax, "housing": cast.housing}[name] for name in WAYS[what][3]]
    if inside:
        assert ledger.members == [each.orgcode for each in inside]
        assert Blockchain.objects.live().get().infraspec == {"nodes": {each.orgcode: 1 for each in inside}}
    assert not Reservation.objects.exists()
    for each in (cast.tax, cast.housing):
        amount = used_by([each.pk]).get(each.pk, Amount())
        assert (amount.nodes, amount.chains) == ((1, 1) if each in inside else (0, 0)), each
    owners = sorted(Node.objects.values_list("organization__orgcode", flat=True))
    assert owners == sorted(each.orgcode for each in inside)
    assert compared(cast) == {}


@pytest.mark.parametrize("what", WAYS)
def test_every_worker_dies_before_it_says_what_it_did(
    cast: Cast, plane: Plane, ledger: Ledger, water: Organization, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accident, kind, way, _inside = WAYS[what]
    accident(cast, plane, ledger, water)
    proposal = mending(cast, compared(cast)[kind], way)
    with monkeypatch.context() as patch:
        dead = die_before_every_ending(patch)
        work_among_the_dying()
    ran = proposal.flow.steps.exclude(name__in=["mark", "invite", "approval"]) if proposal.flow else []
    assert {step.name for step in ran} <= set(dead), "every step lost its worker"
    assert_mended(cast, plane, ledger, proposal.flow_id, what)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["join_network", "join_chain"])
def test_a_rebuilding_that_the_platform_breaks_off_is_taken_back_and_asked_for_again(
    cast: Cast, plane: Plane, ledger: Ledger, water: Organization, operation: str, when: str
) -> None:
    _member_gone(cast, plane, ledger, water)
    drift = compared(cast)["member_missing"]
    plane.fail_next[operation] = when
    proposal = mending(cast, drift, "rebuild")
    work()
    drift.refresh_from_db()
    assert (Flow.objects.get(pk=proposal.flow_id).state, drift.state) == ("undone", "open")
    assert ledger.members == plane.networks[ledger.network]["members"] == [cast.tax.orgcode], "nothing is left"
    assert Union.objects.get().members.get(organization=cast.housing).state == "active", "until it is mended"
    proposal = mending(cast, drift, "rebuild")
    work()
    assert_mended(cast, plane, ledger, proposal.flow_id, "bring in again")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_removal_that_the_platform_breaks_off_goes_on_when_it_is_tried_again(
    cast: Cast, plane: Plane, ledger: Ledger, water: Organization, when: str
) -> None:
    _node_came(cast, plane, ledger, water)
    plane.fail_next["quit_chain"] = when
    drift = compared(cast)["node_unknown"]
    proposal = mending(cast, drift, "reclaim")
    work()
    flow = Flow.objects.get(pk=proposal.flow_id)
    drift.refresh_from_db()
    assert (flow.state, flow.stopped_half_way, drift.state) == ("failed", True, "open")
    retry_step(actor=cast.root, flow_id=flow.pk, step_id=flow.steps.get(state="failed").pk)
    work()
    assert_mended(cast, plane, ledger, flow.pk, "take the node off")
