"""What becomes of unions, spaces and registrations when their platform is retired."""

from __future__ import annotations

from typing import Any

import pytest

from console.errors import Conflict, Invalid
from console.models import AuditEntry, Notification, User
from platforms.models import Platform, PlatformState, PlatformVersion, Tenant
from platforms.services.platforms import retire_platform
from tests.rest import assert_problem, client
from tests.unions.cast import PASSWORD, Cast, active_union, cloud, departments, proposed
from unions.models import (
    MemberState,
    Proposal,
    ProposalState,
    Registration,
    RegistrationState,
    ResourceSpace,
    Union,
    UnionState,
)
from unions.services import registrations

RETIRE = "/api/v1/platforms/testbed/retire"


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


@pytest.fixture
def successor(platform: Platform) -> Platform:
    """The same plane under another registration: the same tenants, the same abilities."""
    row = Platform.objects.create(
        oemtype="renewed",
        name="Renewed",
        kind=platform.kind,
        cloudtype=platform.cloudtype,
        base_url="http://127.0.0.1:10",
        capabilities=platform.capabilities,
    )
    row.version = PlatformVersion.objects.create(platform=row, number=1, api_file="{}", mapping="{}")
    row.check_in()
    row.accept()
    row.save()
    for tenant in platform.tenants.all():
        Tenant.objects.create(platform=row, tenantid=tenant.tenantid, tenantname=tenant.tenantname)
    return row


def waiting(platform: Platform) -> Registration:
    return registrations.register(
        username="erin", password=PASSWORD, email="erin@example.gov", organization=cloud("Parks", "t-5")
    )


def state() -> list[Any]:
    return [
        Platform.objects.get(oemtype="testbed").state,
        list(Union.objects.values_list("state", "platform__oemtype")),
        sorted(ResourceSpace.objects.exclude(platform=None).values_list("platform__oemtype", flat=True)),
        list(Registration.objects.filter(state="pending").values_list("platform__oemtype", flat=True)),
        AuditEntry.objects.count(),
        Notification.objects.count(),
    ]


def test_what_hangs_on_it_is_listed_and_holds_it(cast: Cast) -> None:
    active_union(cast, cast.tax, cast.housing)
    waiting(cast.platform)
    listed = client(cast.root).get("/api/v1/platforms/testbed/dependants").json()
    assert [(each["kind"], each["count"]) for each in listed] == [("registrations", 1), ("spaces", 2), ("unions", 1)]
    assert listed[2]["names"] == ["Building permits"]
    assert_problem(client(cast.alice).get("/api/v1/platforms/testbed/dependants"), 403)
    before = state()
    refused = client(cast.root).post(RETIRE)
    assert_problem(refused, 409)
    assert refused.json()["code"] == "platform_in_use"
    assert_problem(client(cast.root).post(RETIRE, {"hand_over_to": "renewed", "release": True}), 422, "release")
    assert_problem(client(cast.root).post(RETIRE, {"hand_over_to": "nobody"}), 422, "hand_over_to")
    assert_problem(client(cast.root).post(RETIRE, {"hand_over_to": "testbed"}), 422, "hand_over_to")
    assert_problem(client(cast.root).post(RETIRE, {"give_to": "x"}), 422, "give_to")
    assert_problem(client(cast.alice).post(RETIRE, {"release": True}), 403)
    assert state() == before


def test_another_platform_takes_over(cast: Cast, successor: Platform) -> None:
    union = active_union(cast, cast.tax, cast.housing)
    waiting(cast.platform)
    answer = client(cast.root).post(RETIRE, {"hand_over_to": "renewed"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["state"] == "retired"
    union.refresh_from_db()
    assert (union.platform, union.state) == (successor, UnionState.ACTIVE)
    assert set(ResourceSpace.objects.exclude(platform=None).values_list("platform", flat=True)) == {successor.pk}
    assert Registration.objects.get(state="pending").platform == successor
    successor.refresh_from_db()
    assert successor.is_default, "there is always a default platform"
    told = Notification.objects.filter(kind="platform", title__contains="has taken its place")
    assert {each.user.username for each in told} == {"alice", "bob"}
    assert AuditEntry.objects.filter(action="unions.union.handed_over").count() == 1


def test_where_it_does_not_fit_nothing_moves(cast: Cast, successor: Platform) -> None:
    union = active_union(cast, cast.tax, cast.housing)
    successor.tenants.filter(tenantid="t-1").delete()
    before = state()
    with pytest.raises(Conflict, match="does not report these tenants: t-1"):
        retire_platform(actor=cast.root, oemtype="testbed", hand_over_to="renewed")
    Tenant.objects.create(platform=successor, tenantid="t-1")
    Union.objects.create(
        unionid="other", name="Another", platform=successor, creator=cast.tax, network_id=union.network_id
    )
    with pytest.raises(Conflict, match="same name or network: Another"):
        retire_platform(actor=cast.root, oemtype="testbed", hand_over_to="renewed")
    Union.objects.filter(unionid="other").delete()
    assert state() == before


def test_what_is_under_way_has_to_end_first(cast: Cast, successor: Platform) -> None:
    proposal = proposed(cast)
    before = state()
    for outcome in ({"release": True}, {"hand_over_to": "renewed"}):
        with pytest.raises(Conflict, match="has to end first: Building permits") as caught:
            retire_platform(actor=cast.root, oemtype="testbed", **outcome)
        assert caught.value.code == "work_under_way"
    assert state() == before
    Proposal.objects.filter(pk=proposal.pk).update(state=ProposalState.WITHDRAWN)


def test_the_console_lets_go(cast: Cast) -> None:
    union = active_union(cast, cast.tax, cast.housing)
    asked = waiting(cast.platform)
    retired = retire_platform(actor=cast.root, oemtype="testbed", release=True)
    assert retired.state == PlatformState.RETIRED
    union.refresh_from_db()
    assert union.state == UnionState.DELETED
    assert {member.state for member in union.members.all()} == {MemberState.LEFT}
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (RegistrationState.REFUSED, "The platform Testbed is out of service.")
    told = Notification.objects.filter(kind="platform", title__contains="not managed here any more")
    assert {each.user.username for each in told} == {"alice", "bob", "erin"}
    assert AuditEntry.objects.get(action="unions.union.released").data["unionid"] == union.unionid
    with pytest.raises(Invalid):
        retire_platform(actor=cast.root, oemtype="testbed", release=True, hand_over_to="x")
