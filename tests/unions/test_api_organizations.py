"""Organizations by REST: everyone sees names, only members see spaces, nobody ever sees a secret."""

from __future__ import annotations

from typing import Any

import pytest

from console.models import AuditEntry, User
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, departments, on_prem, registered
from tests.unions.conftest import pem_bundle
from unions.models import Membership, ResourceSpace

pytestmark = pytest.mark.django_db
URL = "/api/v1/organizations"


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def test_names_for_all_details_for_members(cast: Cast) -> None:
    rows = {row["orgcode"]: row for row in client(cast.bob).get(URL).json()["results"]}
    assert set(rows) == {cast.tax.orgcode, cast.housing.orgcode, cast.social.orgcode}
    brief = {"orgcode": cast.tax.orgcode, "name": "Tax Bureau", "category": "cloud", "state": "registered"}
    assert rows[cast.tax.orgcode] == brief
    own = rows[cast.housing.orgcode]
    assert (own["tenantid"], own["tenantname"], own["projectid"]) == ("t-2", "Tenant 2", "p-2")
    assert (own["oemtype"], own["nodelist"], own["has_sk"], own["has_tlscert"]) == ("testbed", [], True, False)
    assert_problem(client().get(URL), 401)


def test_secrets_never_come_out(cast: Cast) -> None:
    for user in (cast.root, cast.alice, cast.carol):
        for place in (URL, f"{URL}/{cast.tax.orgcode}", f"{URL}/{cast.social.orgcode}", "/api/v1/resource-spaces"):
            text = client(user).get(place).content.decode()
            assert "SK-of-one" not in text
            assert "AK-of-one" not in text
            assert "PRIVATE KEY" not in text


def test_an_own_administrator_changes_credentials(cast: Cast) -> None:
    place = f"{URL}/{cast.tax.orgcode}"
    answer = client(cast.alice).patch(place, {"sk": "SK-new", "name": "Tax Authority"}, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["name"] == "Tax Authority"
    cast.tax.space.refresh_from_db()
    assert cast.tax.space.sk.reveal() == "SK-new"
    assert cast.tax.space.ak.reveal() == "AK-of-one"
    assert "SK-new" not in str(AuditEntry.objects.order_by("-number").first().data)


def test_machines_and_certificate(cast: Cast) -> None:
    place = f"{URL}/{cast.social.orgcode}"
    changes = {"nodelist": [{"ip": "127.0.0.12", "port": 9002}], "tlscert": pem_bundle(days=90)}
    answer = client(cast.carol).patch(place, changes, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["nodelist"] == [{"ip": "127.0.0.12", "port": 9002}]


BAD_CHANGES: dict[str, tuple[str, dict[str, Any], int, tuple[str, ...]]] = {
    "a name that is taken": ("tax", {"name": "housing office"}, 409, ("name",)),
    "an empty name": ("tax", {"name": " "}, 422, ("name",)),
    "another tenant": ("tax", {"tenantid": "t-3"}, 422, ("tenantid",)),
    "machines in the cloud": ("tax", {"nodelist": [{"ip": "127.0.0.9", "port": 1}]}, 422, ("nodelist",)),
    "keys on own machines": ("social", {"ak": "x"}, 422, ("ak",)),
    "port 0": ("social", {"nodelist": [{"ip": "127.0.0.11", "port": 0}]}, 422, ("nodelist.0.port",)),
    "no address": ("social", {"nodelist": [{"ip": "a b", "port": 9}]}, 422, ("nodelist.0.ip",)),
    "an expired certificate": ("social", {"tlscert": pem_bundle(days=-2)}, 422, ("tlscert",)),
    "a malformed one": ("social", {"tlscert": "rubbish"}, 422, ("tlscert",)),
}


@pytest.mark.parametrize("case", BAD_CHANGES)
def test_bad_changes_name_the_field_and_change_nothing(cast: Cast, case: str) -> None:
    which, changes, status, fields = BAD_CHANGES[case]
    organization = getattr(cast, which)
    place, before = f"{URL}/{organization.orgcode}", AuditEntry.objects.count()
    shown = client(cast.root).get(place).json()
    assert_problem(client(cast.root).patch(place, changes, format="json"), status, *fields)
    assert client(cast.root).get(place).json() == shown
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("number", [0, 1])
def test_a_machine_that_is_bound_cannot_be_taken_by_another(cast: Cast, number: int) -> None:
    user, roads = registered(cast.root, "erin", on_prem("Roads", port=9002))
    bound, own = {"ip": "127.0.0.11", "port": 9001}, {"ip": "127.0.0.11", "port": 9002}
    places = [f"{URL}/{each.orgcode}" for each in (roads, cast.social)]
    before = [client(cast.root).get(place).json() for place in places], AuditEntry.objects.count()
    changes = {"name": "Roads and Bridges", "nodelist": [bound, own] if number == 0 else [own, bound]}
    assert_problem(client(user).patch(places[0], changes, format="json"), 409, f"nodelist.{number}")
    assert ([client(cast.root).get(place).json() for place in places], AuditEntry.objects.count()) == before


def test_strangers_change_nothing(cast: Cast) -> None:
    place = f"{URL}/{cast.tax.orgcode}"
    assert_problem(client(cast.bob).patch(place, {"name": "Mine"}, format="json"), 403)
    assert_problem(client(cast.bob).get(f"{place}/members"), 403)
    assert_problem(
        client(cast.bob).post(f"{place}/members", {"username": "bob", "role": "administrator"}, format="json"), 403
    )
    assert_problem(client(cast.bob).delete(f"{place}/members/alice"), 403)
    assert_problem(client(cast.bob).patch(f"{URL}/org-nowhere", {"name": "Mine"}, format="json"), 404)
    cast.tax.refresh_from_db()
    assert cast.tax.name == "Tax Bureau"


def test_what_is_no_text_and_what_cannot_be_emptied_is_refused(cast: Cast) -> None:
    place, before = f"{URL}/{cast.social.orgcode}", ResourceSpace.objects.get(organization=cast.social).tlscert
    for body, field in (({"name": 5}, "name"), ({"name": True}, "name"), ({"tlscert": ""}, "tlscert")):
        assert_problem(client(cast.carol).patch(place, body, format="json"), 422, field)
    assert_problem(
        client(cast.carol).patch(place, {"nodelist": [{"ip": 5, "port": 1}]}, format="json"), 422, "nodelist.0.ip"
    )
    space = ResourceSpace.objects.select_related("organization").get(organization=cast.social)
    assert (space.organization.name, space.tlscert.reveal()) == ("Social Security", before.reveal())


def test_members_come_and_go(cast: Cast) -> None:
    place = f"{URL}/{cast.tax.orgcode}/members"
    alice = client(cast.alice)
    assert alice.post(place, {"username": "dan", "role": "operator"}, format="json").status_code == 201
    assert [(row["username"], row["role"]) for row in alice.get(place).json()["results"]] == [
        ("alice", "administrator"),
        ("dan", "operator"),
    ]
    assert alice.get(place, {"page_size": 1}).json()["count"] == 2
    assert [row["username"] for row in alice.get(place, {"role": "operator"}).json()["results"]] == ["dan"]
    assert alice.delete(f"{place}/dan").status_code == 204
    assert_problem(alice.delete(f"{place}/dan"), 404)
    assert_problem(alice.delete(f"{place}/alice"), 409)
    assert_problem(alice.post(place, {"username": "nobody", "role": "viewer"}, format="json"), 422, "username")
    assert_problem(alice.post(place, {"username": "dan", "role": "king"}, format="json"), 422, "role")
    assert Membership.objects.filter(organization=cast.tax).count() == 1


def test_resource_spaces_are_their_members(cast: Cast) -> None:
    place = "/api/v1/resource-spaces"
    rows = client(cast.carol).get(place).json()["results"]
    assert [row["orgcode"] for row in rows] == [cast.social.orgcode]
    assert rows[0]["kind"] == "physical"
    assert rows[0]["quota"] == {"nodes": 20, "chains": 20}
    assert client(cast.root).get(place).json()["count"] == 3
    assert client(cast.root).get(place, {"kind": "tenant"}).json()["count"] == 2
    assert client(cast.dan).get(place).json()["count"] == 0


def test_lists_have_a_budget(cast: Cast, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(4):
        client(cast.alice).get(URL)
    with django_assert_max_num_queries(7):
        client(cast.root).get("/api/v1/resource-spaces")
