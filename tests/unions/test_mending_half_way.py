"""A mending that stops half-way: every worker dies before it writes down what it did, the platform fails, an operator
tries again. Whatever happens, both sides agree in the end, nothing was done twice, and no place is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from console.flows import engine
from console.models import AuditEntry, Flow, Step, User
from console.services.flows import retry_step
from platforms.models import Platform
from tests.console.flowkit import Killed, let_leases_expire
from tests.unions.cast import Cast, cloud, departments, registered
from tests.unions.test_drifts import both, compared, mend
from tests.unions.test_flows_union import NAME, built, members, work
from tests.unions.union_plane import DELETE, JOB, JOIN, QUIT, UnionPlane, speak_to
from unions.models import Drift, Organization, Proposal, Reservation, ResourceSpace, Union
from unions.quotas import Figures, figures_of
from unions.services import drifts
from unions.services.proposals import cast_vote

pytestmark = pytest.mark.django_db(transaction=True)
BUSY = {"status": 503, "effect": False, "body": {"error": {"code": "BUSY", "text": "Come back later."}}}
GATEWAY = {"status": 502, "body": {"error": {"code": "GATEWAY", "text": "The gateway got no answer."}}}


class CountingPlane(UnionPlane):
    """It knows how often something took effect."""

    def __init__(self) -> None:
        super().__init__()
        self.effects: Counter[str] = Counter()

    def _join(self, network: Any, body: Any) -> tuple[int, Any]:
        status, answer = super()._join(network, body)
        self.effects["join"] += status == 202
        return status, answer

    def _end(self, kind: str, network: Any, member: Any) -> Any:
        before = (network.id in self.networks, member in network.members)
        answer = super()._end(kind, network, member)
        if kind in ("quit", "delete"):
            self.effects[kind] += (network.id in self.networks, member in network.members) != before
        return answer


@pytest.fixture
def plane() -> Iterator[CountingPlane]:
    made = CountingPlane()
    yield made
    made.close()


@pytest.fixture
def cast(platform: Platform, root: User, plane: UnionPlane) -> Cast:
    made = departments(platform, root)
    speak_to(plane, platform)
    return made


@pytest.fixture
def water(cast: Cast) -> Organization:
    _user, organization = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    return organization


def places() -> dict[int, Figures]:
    """What every space holds, and what is promised of it."""
    assert not Reservation.objects.exists()
    return figures_of(ResourceSpace.objects.all())


# Each: what happened past the console, the way it is mended, what the plane then has done, and who is in the network.


def _member_gone(cast: Cast, plane: UnionPlane, union: Union, water: Organization) -> None:
    del plane.networks[union.network_id].members[1]


def _member_came(cast: Cast, plane: UnionPlane, union: Union, water: Organization) -> None:
    plane.networks[union.network_id].members.append({"id": "m-77", "org": water.orgcode})


def _network_gone(cast: Cast, plane: UnionPlane, union: Union, water: Organization) -> None:
    del plane.networks[union.network_id]


def _network_came(cast: Cast, plane: UnionPlane, union: Union, water: Organization) -> None:
    made = plane._create({"token": "x", "name": "Left over", "owner": {"org": cast.housing.orgcode}})
    plane.networks[made["network"]].state = "LIVE"
    plane.jobs.clear()


Accident = Callable[[Cast, UnionPlane, Union, Organization], None]
BOTH, ALL, ONE, NOBODY = ["tax", "housing"], ["tax", "housing", "water"], ["tax"], None
WAYS: dict[str, tuple[Accident, str, dict[str, int], list[str] | None]] = {
    "bring in again": (_member_gone, "rebuild", {"join": 1}, BOTH),
    "record that it has left": (_member_gone, "write_off", {}, ONE),
    "adopt": (_member_came, "adopt", {}, ALL),
    "take out": (_member_came, "reclaim", {"quit": 1}, BOTH),
    "write the union off": (_network_gone, "write_off", {}, NOBODY),
    "delete the network": (_network_came, "reclaim", {"delete": 1}, BOTH),
}
OUTSIDE = {"bring in again": JOIN, "take out": QUIT, "delete the network": DELETE}  # the call that changes the platform


def asked(cast: Cast, plane: CountingPlane, water: Organization, what: str) -> tuple[Union, Drift, Proposal]:
    """The accident has happened, was found, and everyone has agreed to the way; nothing is done yet."""
    accident, way, _effects, _members = WAYS[what]
    union = built(cast)
    accident(cast, plane, union, water)
    compared(cast)
    plane.effects.clear()
    drift = drifts.mend_drift(actor=cast.root, drift_id=Drift.objects.get().pk, way=way)
    assert drift.proposal is not None
    work()
    for user, organization, agree in both(cast):
        if drift.proposal.electors.filter(organization=organization).exists():
            cast_vote(actor=user, proposal_id=drift.proposal.pk, orgcode=organization.orgcode, agree=agree)
    return union, drift, drift.proposal


def assert_mended(cast: Cast, plane: CountingPlane, union: Union, drift: Drift, what: str) -> None:
    _accident, _way, effects, inside = WAYS[what]
    drift.refresh_from_db()
    assert drift.proposal is not None
    assert drift.proposal.flow is not None
    assert (drift.proposal.flow.state, drift.state) == ("done", "settled"), drift.proposal.flow.error
    assert +plane.effects == effects
    names = {"tax": cast.tax, "housing": cast.housing, "water": Organization.objects.get(name="Water Board")}
    expected = None if inside is None else [names[name].orgcode for name in inside]
    assert plane.people() == ({} if expected is None else {NAME: expected})
    active = [name for name, state in members(union).items() if state == "active"]
    assert sorted(active) == sorted(names[name].name for name in inside or [])
    assert AuditEntry.objects.filter(action="unions.drift.mended").count() == 1
    assert not Step.objects.filter(lease_until__isnull=False).exists()
    assert not Flow.objects.open().exists()
    assert compared(cast) == {}


def die_before_every_ending(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whoever has run a step dies before it writes down the end of it; the next one comes through. Who died."""
    really, dead = engine._apply, list[str]()
    seen: set[Any] = set()

    def apply(step: Step, undoing: bool, ending: Any) -> bool:
        mark = (step.pk, undoing, type(ending).__name__)
        if mark not in seen:
            seen.add(mark)
            dead.append(step.name)
            raise Killed
        return really(step, undoing, ending)

    monkeypatch.setattr(engine, "_apply", apply)
    return dead


def work_among_the_dying() -> None:
    for _worker in range(60):
        try:
            work()
        except Killed:
            let_leases_expire()
        else:
            return
    raise AssertionError("the flow does not end")


@pytest.mark.parametrize("what", WAYS)
def test_every_worker_dies_before_it_says_what_it_did(
    cast: Cast, plane: CountingPlane, water: Organization, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = places()
    union, drift, proposal = asked(cast, plane, water, what)
    with monkeypatch.context() as patch:
        dead = die_before_every_ending(patch)
        work_among_the_dying()
    assert proposal.flow is not None
    ran = set(proposal.flow.steps.exclude(name__in=["mark", "invite", "approval"]).values_list("name", flat=True))
    assert ran <= set(dead), "every step lost its worker"
    assert_mended(cast, plane, union, drift, what)
    assert places() == before


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        *(
            pytest.param(what, fault, id=f"{what}: {fault if isinstance(fault, str) else fault['status']}")
            for what in OUTSIDE
            for fault in ("reset-after", BUSY, GATEWAY)
        ),
        ("take out", "html"),  # in answer to a creation nonsense is a failure, which is taken back
    ],
)
def test_the_platform_fails_once(cast: Cast, plane: CountingPlane, water: Organization, what: str, fault: Any) -> None:
    union, drift, _proposal = asked(cast, plane, water, what)
    plane.faults[OUTSIDE[what]] = [fault]
    work()
    assert_mended(cast, plane, union, drift, what)
    places()


@pytest.mark.parametrize("what", ["take out", "delete the network"])
def test_an_operator_tries_again_what_has_stopped_half_way(
    cast: Cast, plane: CountingPlane, water: Organization, what: str
) -> None:
    """A removal that fails is not taken back: the difference is open, and the same flow can go on."""
    union, drift, proposal = asked(cast, plane, water, what)
    kind = {"take out": "quit", "delete the network": "delete"}[what]
    plane.fails[kind] = "clean"
    work()
    drift.refresh_from_db()
    flow = Flow.objects.get(pk=proposal.flow_id)
    assert (flow.state, flow.stopped_half_way, drift.state) == ("failed", True, "open")
    step = flow.steps.get(state="failed")
    assert "the disk is full" in step.error["detail"]
    plane.fails.clear()
    retry_step(actor=cast.root, flow_id=flow.pk, step_id=step.pk)
    work()
    assert_mended(cast, plane, union, drift, what)


def test_what_was_mended_otherwise_meanwhile_is_not_mended_again(
    cast: Cast, plane: CountingPlane, water: Organization
) -> None:
    _union, drift, proposal = asked(cast, plane, water, "take out")
    plane.fails["quit"] = "clean"
    work()
    plane.fails.clear()
    again = mend(cast, Drift.objects.get(pk=drift.pk), "reclaim", votes=both(cast))
    assert again.flow is not None
    assert again.flow.state == "done"
    flow = Flow.objects.get(pk=proposal.flow_id)
    step = flow.steps.get(state="failed")
    calls = len(plane.asked)
    retry_step(actor=cast.root, flow_id=flow.pk, step_id=step.pk)
    work()
    flow.refresh_from_db()
    assert (flow.state, flow.error["detail"]) == ("undone", "This difference is not open any more.")
    assert len(plane.asked) == calls, "the platform was not asked again"
    assert +plane.effects == {"quit": 1}


def test_a_rebuilding_that_fails_at_last_leaves_nothing_behind(
    cast: Cast, plane: CountingPlane, water: Organization
) -> None:
    """The place was built, then its record is refused: the place is taken back, and the difference is open again."""
    before = places()
    _union, drift, proposal = asked(cast, plane, water, "bring in again")
    plane.faults[JOB] = [{"status": 404, "effect": False, "body": {"error": {"code": "GONE", "text": "No such job."}}}]
    work()
    drift.refresh_from_db()
    assert (Flow.objects.get(pk=proposal.flow_id).state, drift.state) == ("undone", "open")
    assert plane.people() == {NAME: [cast.tax.orgcode]}
    assert places() == before
    mend(cast, drift, "rebuild", votes=both(cast))
    assert drift.state == "settled"
    assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
