"""What a platform has, held against the records: found, told, mended by those whom it touches, never silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chains.models import BusinessChain
from console.errors import Conflict, Invalid, Missing, NotAllowed
from console.models import AuditEntry, Flow, Notification, User
from platforms.models import Platform
from tests.unions.cast import Cast, auditor, cloud, departments, registered
from tests.unions.test_flows_union import NAME, agreed, built, members, work
from tests.unions.union_plane import READ, UnionPlane, speak_to
from unions.models import Drift, Organization, Proposal, Union
from unions.services import drifts
from unions.services.proposals import answer_for_console, cast_vote
from unions.tasks import reconcile

pytestmark = pytest.mark.django_db(transaction=True)


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


def age(union: Union) -> None:
    """The union was there before the comparison began."""
    past = timezone.now() - timedelta(hours=1)
    Union.objects.filter(pk=union.pk).update(created_at=past)
    union.members.update(joined_at=past)
    Flow.objects.exclude(ended_at=None).update(ended_at=past)


def compared(cast: Cast, *, by: str = "platform") -> dict[str, str]:
    """Compare; kind -> state of what stands or is ignored."""
    for union in Union.objects.all():
        age(union)
    if by == "platform":
        flow = drifts.compare_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    else:
        flow = drifts.compare_union(actor=cast.alice, unionid=by)
    work()
    flow.refresh_from_db()
    assert flow.state == "done", flow.error
    return dict(Drift.objects.exclude(state="settled").values_list("kind", "state"))


def mend(cast: Cast, drift: Drift, way: str, *, votes: Any = ()) -> Proposal:
    """Root proposes, those asked answer, the flow runs."""
    drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way=way)
    drift.refresh_from_db()
    assert drift.state == "mending"
    proposal = drift.proposal
    assert proposal is not None
    work()
    for user, organization, agree in votes:
        cast_vote(actor=user, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=agree)
    work()
    proposal.refresh_from_db()
    drift.refresh_from_db()
    return proposal


def both(cast: Cast, agree: bool = True) -> list[Any]:
    return [(cast.alice, cast.tax, agree), (cast.bob, cast.housing, agree)]


def network_of(plane: UnionPlane, union: Union) -> Any:
    return plane.networks[union.network_id]


# --- finding ----------------------------------------------------------------------------------------------------------


def test_where_both_sides_agree_nothing_is_found(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    assert compared(cast) == {}
    assert compared(cast, by=union.unionid) == {}
    assert AuditEntry.objects.filter(action="unions.drift.compared").count() == 2


def test_every_kind_is_found_told_once_and_settles_by_itself(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    network = network_of(plane, union)
    own = list(network.members)
    network.members[:] = [own[0], {"id": "m-99", "org": "somebody"}]
    plane._create({"token": "x", "name": "Stranger", "owner": {"org": "somebody"}})
    found = compared(cast)
    assert found == {"member_missing": "open", "member_unknown": "open", "network_unknown": "open"}
    missing = Drift.objects.get(kind="member_missing")
    assert (missing.organization, missing.union, missing.ours["orgcode"]) == (cast.housing, union, cast.housing.orgcode)
    assert Drift.objects.get(kind="member_unknown").theirs["member_id"] == "m-99"
    told = Notification.objects.filter(kind="drift")
    assert {each.user for each in told} == {
        cast.root,
        cast.alice,
        cast.bob,
    }
    assert told.filter(user=cast.root).count() == 2, "one for the union, one for the platform"

    compared(cast)
    assert Drift.objects.count() == 3
    assert Notification.objects.filter(kind="drift", user=cast.root).count() == 2, "told once"

    network.members[:] = own
    del plane.networks[next(key for key, each in plane.networks.items() if each.label == "Stranger")]
    assert compared(cast) == {}
    assert set(Drift.objects.values_list("state", "way")) == {("settled", "")}

    del plane.networks[union.network_id]
    assert compared(cast) == {"network_missing": "open"}


def test_the_network_of_a_chain_without_a_union_is_no_stranger(cast: Cast, plane: UnionPlane) -> None:
    plane._create({"token": "x", "name": "Ledger", "owner": {"org": "somebody"}})
    (network,) = plane.networks
    row = BusinessChain.objects.create(
        uid="bc-1", name="Ledger", platform=cast.platform, creator=cast.tax, network_id=network
    )
    assert compared(cast) == {}
    row.delete()
    assert compared(cast) == {"network_unknown": "open"}


def test_a_union_alone_is_compared(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    plane._create({"token": "x", "name": "Stranger", "owner": {"org": "somebody"}})
    assert compared(cast, by=union.unionid) == {}
    del plane.networks[union.network_id]
    assert compared(cast, by=union.unionid) == {"network_missing": "open"}


def test_what_is_on_the_move_is_left_alone(cast: Cast, plane: UnionPlane) -> None:
    """A network that is being built, and a union that has changed since the platform was asked, are no differences."""
    plane.polls = 100
    agreed(cast)
    work(rounds=6)
    assert len(plane.networks) == 1
    flow = drifts.compare_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    work(rounds=10)
    flow.refresh_from_db()
    assert (flow.state, Drift.objects.count()) == ("done", 0)
    plane.polls = 1
    work()
    union = Union.objects.get()
    del plane.networks[union.network_id]
    drifts.compare_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    union.refresh_from_db()
    work()
    assert set(Drift.objects.values_list("kind", flat=True)) <= {"network_missing"}


def test_a_platform_that_does_not_answer_changes_nothing(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    age(union)
    plane.faults[READ] = [{"status": 503, "body": {}}] * 30
    flow = drifts.compare_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    work()
    flow.refresh_from_db()
    assert (flow.state, Drift.objects.count()) == ("undone", 0)


def test_a_platform_without_words_for_it(cast: Cast, plane: UnionPlane) -> None:
    """It shows no single network: the list says whether it is there. It lists nothing either: nobody can say."""
    union = built(cast)
    speak_to(plane, cast.platform, without=("get_network",))
    assert compared(cast) == {}
    gone = plane.networks.pop(union.network_id)
    assert compared(cast) == {"network_missing": "open"}
    speak_to(plane, cast.platform, without=("get_network", "list_networks"))
    assert compared(cast) == {"network_missing": "open"}
    plane.networks[union.network_id] = gone
    speak_to(plane, cast.platform)
    assert compared(cast) == {}


def test_the_timetable_compares_every_platform_once(cast: Cast, plane: UnionPlane) -> None:
    built(cast)
    reconcile()
    reconcile()
    assert Flow.objects.filter(kind="unions.reconcile").count() == 1
    work()
    with pytest.raises(Missing):
        drifts.compare_platform(actor=cast.root, oemtype="nowhere")


# --- mending ----------------------------------------------------------------------------------------------------------


def test_a_vanished_network_is_written_off_by_its_members(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    del plane.networks[union.network_id]
    compared(cast)
    drift = Drift.objects.get()
    proposal = mend(cast, drift, "write_off", votes=both(cast))
    union.refresh_from_db()
    assert (proposal.state, proposal.flow.state, drift.state, drift.way) == ("carried", "done", "settled", "write_off")
    assert (union.state, set(members(union).values())) == ("deleted", {"left"})
    assert AuditEntry.objects.filter(action="unions.drift.mended").count() == 1
    assert compared(cast) == {}
    built(cast)


def test_members_refuse_and_the_difference_is_open_again(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    del plane.networks[union.network_id]
    compared(cast)
    drift = Drift.objects.get()
    proposal = mend(cast, drift, "write_off", votes=[(cast.bob, cast.housing, False)])
    assert (proposal.state, drift.state, drift.way) == ("refused", "open", "")
    union.refresh_from_db()
    assert union.state == "active"


def test_it_is_there_again_before_everyone_has_agreed(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    gone = plane.networks.pop(union.network_id)
    compared(cast)
    drift = Drift.objects.get()
    drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way="write_off")
    plane.networks[union.network_id] = gone
    drift.refresh_from_db()
    assert drift.proposal is not None
    assert drift.proposal.votes.count() == 0, "the console proposes; nobody has agreed by that"
    work()
    for user, organization, agree in both(cast):
        cast_vote(actor=user, proposal_id=drift.proposal.pk, orgcode=organization.orgcode, agree=agree)
    work()
    drift.refresh_from_db()
    union.refresh_from_db()
    assert (drift.state, union.state) == ("open", "active")
    assert compared(cast) == {}


@pytest.mark.parametrize("way", ["write_off", "rebuild"])
def test_a_removed_member(cast: Cast, plane: UnionPlane, way: str) -> None:
    union = built(cast)
    network = network_of(plane, union)
    del network.members[1]
    compared(cast)
    drift = Drift.objects.get()
    proposal = mend(cast, drift, way, votes=both(cast))
    assert (proposal.flow.state, drift.state) == ("done", "settled"), proposal.flow.error
    expected = {"write_off": "left", "rebuild": "active"}[way]
    assert members(union) == {"Tax Bureau": "active", "Housing Office": expected}
    if way == "rebuild":
        assert union.members.get(organization=cast.housing).member_id == network.members[1]["id"]
        assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    assert compared(cast) == {}


def test_a_member_who_speaks_for_itself_has_agreed_by_proposing(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    del network_of(plane, union).members[1]
    compared(cast)
    drift = drifts.mend_drift(actor=cast.bob, drift_id=Drift.objects.get().pk, way="rebuild")
    assert drift.proposal is not None
    assert drift.proposal.proposer == cast.housing
    assert [vote.organization for vote in drift.proposal.votes.all()] == [cast.housing]


def test_a_rebuilding_that_fails_leaves_it_open(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    network = network_of(plane, union)
    del network.members[1]
    compared(cast)
    plane.fails["join"] = "clean"
    drift = Drift.objects.get()
    proposal = mend(cast, drift, "rebuild", votes=both(cast))
    assert (proposal.flow.state, drift.state) == ("undone", "open")
    assert len(network.members) == 1
    assert Notification.objects.filter(user=cast.bob, kind="proposal").exists()


@pytest.mark.parametrize("way", ["adopt", "reclaim"])
def test_a_member_that_the_union_does_not_have(cast: Cast, plane: UnionPlane, way: str) -> None:
    union = built(cast)
    _user, water = registered(cast.root, "erin", cloud("Water Board", "t-3"))
    network_of(plane, union).members.append({"id": "m-77", "org": water.orgcode})
    compared(cast)
    drift = Drift.objects.get()
    assert drift.organization == water
    proposal = mend(cast, drift, way, votes=both(cast))
    assert (proposal.flow.state, drift.state) == ("done", "settled"), proposal.flow.error
    if way == "adopt":
        assert members(union)["Water Board"] == "active"
        assert union.members.get(organization=water).member_id == "m-77"
    else:
        assert "Water Board" not in members(union)
        assert plane.people() == {NAME: [cast.tax.orgcode, cast.housing.orgcode]}
    assert compared(cast) == {}


def test_a_stranger_in_the_network_is_nobody_whom_the_console_could_act_for(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    network_of(plane, union).members.append({"id": "m-77", "org": "somebody"})
    compared(cast)
    drift = Drift.objects.get()
    for way in ("adopt", "reclaim"):
        with pytest.raises(Conflict, match="is not known"):
            drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way=way)
    drifts.ignore_drift(actor=cast.root, drift_id=drift.pk, reason="the vendor's own observer")
    assert compared(cast) == {"member_unknown": "ignored"}
    drifts.reopen_drift(actor=cast.root, drift_id=drift.pk)
    assert compared(cast) == {"member_unknown": "open"}


def test_an_unknown_network_is_deleted_once_its_owner_agrees(cast: Cast, plane: UnionPlane) -> None:
    built(cast)
    plane._create({"token": "x", "name": "Left over", "owner": {"org": cast.housing.orgcode}})
    for job in list(plane.jobs):
        plane._poll(job)
    compared(cast)
    drift = Drift.objects.get()
    assert drift.organization == cast.housing
    proposal = mend(cast, drift, "reclaim", votes=[(cast.bob, cast.housing, True)])
    assert (proposal.flow.state, drift.state) == ("done", "settled"), proposal.flow.error
    assert list(plane.people()) == [NAME]


def test_refusals_change_nothing(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    del plane.networks[union.network_id]
    compared(cast)
    drift = Drift.objects.get()

    def snapshot() -> Any:
        drift.refresh_from_db()
        return drift.state, drift.reason, Proposal.objects.count(), AuditEntry.objects.count(), Flow.objects.count()

    before = snapshot()
    with pytest.raises(Invalid) as refusal:
        drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way="adopt")
    assert list(refusal.value.errors) == ["way"]
    with pytest.raises(Invalid) as refusal:
        drifts.ignore_drift(actor=cast.root, drift_id=drift.pk, reason="  ")
    assert list(refusal.value.errors) == ["reason"]
    for verb in (
        lambda who: drifts.mend_drift(actor=who, drift_id=drift.pk, way="write_off"),
        lambda who: drifts.ignore_drift(actor=who, drift_id=drift.pk, reason="because"),
    ):
        with pytest.raises(NotAllowed):
            verb(auditor() if not User.objects.filter(username="otto").exists() else User.objects.get(username="otto"))
        with pytest.raises(Missing):
            verb(cast.carol)
    with pytest.raises(NotAllowed):
        drifts.ignore_drift(actor=cast.alice, drift_id=drift.pk, reason="because")
    with pytest.raises(NotAllowed):
        drifts.compare_platform(actor=cast.alice, oemtype=cast.platform.oemtype)
    with pytest.raises(NotAllowed):
        drifts.compare_union(actor=cast.carol, unionid=union.unionid)
    with pytest.raises(Conflict):
        drifts.reopen_drift(actor=cast.root, drift_id=drift.pk)
    assert snapshot() == before
    drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way="write_off")
    with pytest.raises(Conflict):
        drifts.mend_drift(actor=cast.root, drift_id=drift.pk, way="write_off")
    with pytest.raises(Conflict):
        drifts.ignore_drift(actor=cast.root, drift_id=drift.pk, reason="because")


def test_where_no_member_can_answer_an_administrator_does(cast: Cast, plane: UnionPlane) -> None:
    union = built(cast)
    del plane.networks[union.network_id]
    compared(cast)
    Organization.objects.filter(pk__in=[cast.tax.pk, cast.housing.pk]).update(state="placeholder")
    drift = drifts.mend_drift(actor=cast.root, drift_id=Drift.objects.get().pk, way="write_off")
    assert drift.proposal is not None
    assert (drift.proposal.console_asked, drift.proposal.state) == (True, "open")
    work()
    answer_for_console(actor=cast.root, proposal_id=drift.proposal.pk, agree=True)
    work()
    union.refresh_from_db()
    assert union.state == "deleted"
