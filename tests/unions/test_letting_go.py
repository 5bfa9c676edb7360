"""A union with placeholders cannot be deleted: an administrator lets go of it, and the platform is not touched."""

from __future__ import annotations

from typing import Any

import pytest

from chains.models import Blockchain, BusinessChain, Node
from console.errors import Blocked, Conflict, Invalid, NotAllowed
from console.models import AuditEntry, Flow, Notification, User
from platforms.models import Platform
from platforms.services.platforms import retire_platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, departments
from tests.unions.test_pages import page, send
from tests.unions.test_placeholders import found, union_with
from unions.models import MemberState, Organization, Proposal, Union, UnionState
from unions.services.endings import release_union
from unions.services.placeholders import propose_claim
from unions.services.unions import propose_delete, propose_join

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


@pytest.fixture
def water(cast: Cast) -> Organization:
    return found(cast.platform)


def test_the_union_ends_here_and_nothing_is_asked_of_the_platform(cast: Cast, water: Organization) -> None:
    union = union_with(cast, water, cast.tax)
    with pytest.raises(Blocked, match="lets go of the union"):
        propose_delete(actor=cast.root, unionid=_created_by(union, cast.tax).unionid)
    release_union(actor=cast.root, unionid=union.unionid, reason=" Nobody came. ")
    union.refresh_from_db()
    water.refresh_from_db()
    assert (union.state, {each.state for each in union.members.all()}) == (UnionState.DELETED, {MemberState.LEFT})
    assert (BusinessChain.objects.get().state, Blockchain.objects.get().state) == ("deleted", "deleted")
    assert not Node.objects.exists()
    assert not Flow.objects.exists(), "no flow, so no call"
    assert (water.is_closed, water.space.kind, water.space.platform) == (True, "released", None)
    assert not cast.tax.is_closed
    entry = AuditEntry.objects.get(action="unions.union.released")
    assert (entry.data["reason"], entry.data["closed"]) == ("Nobody came.", [water.orgcode])
    told = Notification.objects.get(title__contains="not managed here any more")
    assert (told.user, told.link) == (cast.alice, f"/unions/{union.unionid}")
    assert "Nobody came." in told.body_text
    again = found(cast.platform)
    assert again.pk != water.pk, "a network that is taken over once more brings a placeholder of its own"


def _created_by(union: Union, organization: Organization) -> Union:
    union.creator = organization
    union.save()
    return union


def test_a_placeholder_that_is_needed_elsewhere_stays(cast: Cast, water: Organization) -> None:
    first, second = (union_with(cast, water, cast.tax, name=name) for name in ("First", "Second"))
    release_union(actor=cast.root, unionid=first.unionid, reason="One of two")
    water.refresh_from_db()
    assert water.is_placeholder
    assert second.members.get(organization=water).state == MemberState.ACTIVE
    assert [row.name for row in Blockchain.objects.live()] == ["Second"]


def test_what_is_not_let_go_of_stays_as_it_is(cast: Cast, water: Organization) -> None:
    union, plain = union_with(cast, water, cast.tax), active_union(cast, name="Plain")
    joining = propose_join(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    before = AuditEntry.objects.count()
    with pytest.raises(NotAllowed):
        release_union(actor=cast.alice, unionid=union.unionid, reason="x")
    with pytest.raises(Conflict, match="can be deleted"):
        release_union(actor=cast.root, unionid=plain.unionid, reason="x")
    with pytest.raises(Invalid) as invalid:
        release_union(actor=cast.root, unionid=union.unionid, reason="  ")
    assert list(invalid.value.errors) == ["reason"]
    with pytest.raises(Blocked) as blocked:
        release_union(actor=cast.root, unionid=union.unionid, reason="x")
    assert [each.link for each in blocked.value.blockers] == [f"/proposals/{joining.pk}"]
    assert AuditEntry.objects.count() == before
    assert {each.state for each in Union.objects.all()} == {UnionState.ACTIVE}
    assert Node.objects.count() == 2


def test_a_claim_that_is_being_decided_is_in_the_way(cast: Cast) -> None:
    unnamed = found(cast.platform, tenantid="")
    union = union_with(cast, unnamed, cast.tax)
    propose_claim(actor=cast.bob, placeholder=unnamed.orgcode, orgcode=cast.housing.orgcode)
    with pytest.raises(Blocked):
        release_union(actor=cast.root, unionid=union.unionid, reason="x")


def test_a_platform_is_retired_under_placeholders(cast: Cast, water: Organization) -> None:
    union_with(cast, water, cast.tax)
    retire_platform(actor=cast.root, oemtype=cast.platform.oemtype, release=True)
    water.refresh_from_db()
    assert (water.is_closed, water.space.platform) == (True, None)
    assert Union.objects.get().state == UnionState.DELETED
    assert not Proposal.objects.exists()


def test_by_page_and_by_rest(cast: Cast, water: Organization) -> None:
    first, second = (union_with(cast, water, cast.tax, name=name) for name in ("First", "Second"))
    address = f"/unions/{first.unionid}/release"
    assert "Let go" not in page(cast.alice, f"/unions/{first.unionid}")
    assert address in page(cast.root, f"/unions/{first.unionid}")
    page(cast.alice, address, status=403)
    form = page(cast.root, address)
    assert "Water Board [t-3]" in form
    refused = send(cast.root, address, status=422, confirmation="Frist", reason="x")
    assert "is-invalid" in refused
    assert send(cast.root, address, confirmation="First", reason="Nobody came") == f"/unions/{first.unionid}"
    rest = f"/api/v1/unions/{second.unionid}/release"
    assert_problem(_post(cast.alice, rest, {"reason": "x"}), 403)
    assert_problem(_post(cast.root, rest, {}), 422, "reason")
    answer = _post(cast.root, rest, {"reason": "Nobody came"})
    assert (answer.status_code, answer.json()["state"]) == (200, "deleted")
    assert_problem(_post(cast.root, rest, {"reason": "Nobody came"}), 409)
    assert Organization.objects.get(pk=water.pk).is_closed


def _post(user: User, path: str, body: dict[str, Any]) -> Any:
    return client(user).post(path, body, format="json")
