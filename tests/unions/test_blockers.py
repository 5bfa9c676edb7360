"""What stands in the way of an ending is named, with the way out, by REST and on the pages; and nothing is orphaned."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from console.errors import Blocked, Conflict, NotAllowed
from console.flows import engine
from console.models import AuditEntry, User
from console.services.users import disable_user
from platforms.models import Platform
from platforms.services.platforms import retire_platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, cloud, departments, on_prem, proposed, registered
from tests.unions.test_pages import page, send
from unions.models import (
    Machine,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    ResourceSpace,
    SpaceKind,
)
from unions.services import registrations, unions
from unions.services.organizations import add_member, close_organization, update_organization
from unions.services.proposals import withdraw_proposal
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def named(problem: Any) -> list[tuple[str, str]]:
    return [(blocker.code, blocker.link) for blocker in problem.value.blockers]


def leave(cast: Cast, union: Any, who: User, organization: Organization) -> None:
    propose_quit(actor=who, unionid=union.unionid, orgcode=organization.orgcode)
    with transaction.atomic():
        unions.release_member(union_id=union.pk, orgcode=organization.orgcode, actor=who)


def test_a_union_with_something_open_is_not_deleted(cast: Cast) -> None:
    union = active_union(cast)
    join = propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    before = AuditEntry.objects.count()
    with pytest.raises(NotAllowed):
        propose_delete(actor=cast.bob, unionid=union.unionid)
    with pytest.raises(Blocked) as problem:
        propose_delete(actor=cast.alice, unionid=union.unionid)
    assert named(problem) == [("proposal", f"/proposals/{join.pk}")]
    assert "Social Security" in problem.value.detail
    answer = client(cast.alice).delete(f"/api/v1/unions/{union.unionid}")
    assert_problem(answer, 409)
    assert (answer.json()["code"], answer.json()["blockers"][0]["link"]) == ("blocked", f"/proposals/{join.pk}")
    text = page(cast.alice, f"/unions/{union.unionid}/delete")
    assert f'href="/proposals/{join.pk}"' in text
    assert "Delete for good" not in text
    assert AuditEntry.objects.count() == before
    withdraw_proposal(actor=cast.carol, proposal_id=join.pk)
    assert "Delete for good" in page(cast.alice, f"/unions/{union.unionid}/delete")


def test_the_last_member_deletes_instead_of_quitting(cast: Cast) -> None:
    union = active_union(cast, cast.tax)
    with pytest.raises(Conflict) as problem:
        propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode)
    assert "delete the union instead" in problem.value.detail


def test_an_organization_is_closed_once_nothing_hangs_on_it(cast: Cast) -> None:
    union = active_union(cast, cast.tax, cast.housing)
    own = propose_union(
        actor=cast.bob, name="Own", oemtype="", creatororg=cast.housing.orgcode, orgs=[cast.social.orgcode]
    )
    asked = proposed(cast, "Asked")
    with pytest.raises(NotAllowed):
        close_organization(actor=cast.alice, orgcode=cast.housing.orgcode)
    with pytest.raises(Blocked) as problem:
        close_organization(actor=cast.bob, orgcode=cast.housing.orgcode)
    assert named(problem) == [
        ("union", f"/unions/{union.unionid}"),
        ("proposal", f"/proposals/{own.pk}"),
        ("proposal", f"/proposals/{asked.pk}"),
    ]
    path, address = f"/organizations/{cast.housing.orgcode}/close", f"/api/v1/organizations/{cast.housing.orgcode}"
    text = page(cast.bob, path)
    assert all(f'href="{link}"' in text for _code, link in named(problem))
    refused = client(cast.bob).delete(address)
    assert_problem(refused, 409)
    assert [each["link"] for each in refused.json()["blockers"]] == [link for _code, link in named(problem)]
    wrong = send(cast.bob, path, 422, confirmation=cast.housing.name)
    assert all(f'href="{link}"' in wrong for _code, link in named(problem))
    assert Membership.objects.filter(organization=cast.housing).exists()

    withdraw_proposal(actor=cast.bob, proposal_id=own.pk)
    withdraw_proposal(actor=cast.alice, proposal_id=asked.pk)
    leave(cast, union, cast.bob, cast.housing)
    work()
    assert client(cast.bob).delete(address).status_code == 204
    closed = Organization.objects.get(pk=cast.housing.pk)
    space = closed.space
    assert (closed.state, space.kind, space.tenantid, space.platform) == (
        OrganizationState.CLOSED,
        SpaceKind.RELEASED,
        "",
        None,
    )
    assert not any((space.ak, space.sk, space.token, space.tlscert))
    assert not Membership.objects.filter(organization=closed).exists()
    assert "Housing Office" not in page(cast.root, "/organizations")
    assert "Housing Office" in page(cast.root, "/organizations", state="closed")
    assert "Housing Office" in page(cast.alice, f"/unions/{union.unionid}")  # as history
    page(cast.root, f"/organizations/{closed.orgcode}")
    assert_problem(client(cast.root).delete(address), 409)
    invited = {"name": "X", "creatororg": cast.tax.orgcode, "orgs": [closed.orgcode]}
    assert_problem(client(cast.alice).post("/api/v1/unions", invited, format="json"), 422, "orgs")
    _user, again = registered(cast.root, "nora", cloud("Housing Office", "t-2"))  # name and tenant are free
    assert again.orgcode != closed.orgcode


def work() -> None:
    """What was taken back comes to its end."""
    for _round in range(6):
        for step_id in engine.due_steps():
            engine.run_step(step_id)


def test_a_machine_of_a_member_stays(cast: Cast) -> None:
    _user, office = registered(
        cast.root,
        "nora",
        on_prem("Water Board", nodelist=[{"ip": "127.0.0.21", "port": 9001}, {"ip": "127.0.0.22", "port": 9001}]),
    )
    address, fewer = f"/api/v1/organizations/{office.orgcode}", [{"ip": "127.0.0.21", "port": 9001}]
    nora = User.objects.get(username="nora")
    two = [*fewer, {"ip": "h.example", "port": 1}]
    update_organization(actor=nora, orgcode=office.orgcode, changes={"nodelist": two})
    join = propose_join(actor=nora, unionid=active_union(cast).unionid, orgcode=office.orgcode)
    answer = client(nora).patch(address, {"nodelist": fewer}, format="json")
    assert_problem(answer, 409)
    assert answer.json()["blockers"] == [
        {
            "code": "flow",
            "detail": "Work that may build on h.example:1 is under way: wait until it has ended, or have it cancelled.",
            "link": f"/flows/{join.flow_id}",
        }
    ]
    withdraw_proposal(actor=nora, proposal_id=join.pk)
    work()
    union = active_union(cast, cast.tax, office, name="Second")
    text = send(nora, f"/organizations/{office.orgcode}/change", 422, name="Water Board", nodelist="127.0.0.21:9001")
    assert f'href="/unions/{union.unionid}"' in text
    assert "h.example:1 may carry nodes" in text
    assert Machine.objects.filter(space__organization=office).count() == 2
    more = [*two, {"ip": "127.0.0.23", "port": 9001}]
    update_organization(actor=nora, orgcode=office.orgcode, changes={"nodelist": more})  # more is no harm
    leave(cast, union, nora, office)
    assert client(nora).patch(address, {"nodelist": fewer}, format="json").status_code == 200


def test_a_user_that_something_depends_on_is_not_disabled(cast: Cast) -> None:
    with pytest.raises(Blocked) as problem:
        disable_user(actor=cast.root, user_id=cast.bob.pk)
    assert named(problem) == [("sole_administrator", f"/organizations/{cast.housing.orgcode}")]
    cast.bob.refresh_from_db()
    assert cast.bob.is_active
    add_member(actor=cast.bob, orgcode=cast.housing.orgcode, username="dan", role=MemberRole.ADMINISTRATOR)
    waiting = registrations.register_another(actor=cast.bob, organization=cloud("Water Board", "t-3"))
    with pytest.raises(Blocked) as problem:
        disable_user(actor=cast.root, user_id=cast.bob.pk)
    assert named(problem) == [("registration", f"/registrations/{waiting.pk}")]
    registrations.refuse_registration(actor=cast.root, registration_id=waiting.pk, reason="no")
    assert not disable_user(actor=cast.root, user_id=cast.bob.pk).is_active


def test_a_platform_that_is_in_use_is_not_retired(cast: Cast) -> None:
    active_union(cast)
    with pytest.raises(Blocked) as problem:
        retire_platform(actor=cast.root, oemtype=cast.platform.oemtype)
    assert problem.value.code == "platform_in_use"
    assert dict(named(problem)) == {
        "resource_spaces": "/resource-spaces?platform=testbed",
        "unions": "/unions?platform=testbed",
    }
    answer = client(cast.root).post(f"/api/v1/platforms/{cast.platform.oemtype}/retire", format="json")
    assert_problem(answer, 409)
    assert {each["code"] for each in answer.json()["blockers"]} == {"unions", "resource_spaces"}
    assert ResourceSpace.objects.filter(platform=cast.platform).count() == 2
