"""Unions and proposals by REST: who is asked, who may answer, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from console.models import AuditEntry, Flow, User
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, auditor, departments, proposed
from unions.models import Proposal, Union, UnionState, Vote
from unions.services import unions

pytestmark = pytest.mark.django_db
UNIONS, PROPOSALS = "/api/v1/unions", "/api/v1/proposals"


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def wanted(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Building permits",
        "oemtype": "testbed",
        "creatororg": cast.tax.orgcode,
        "orgs": [cast.tax.orgcode, cast.housing.orgcode],
        **changes,
    }


def snapshot() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Union, Proposal, Vote, Flow, AuditEntry))


# --- creating ---------------------------------------------------------------------------------------------------------


def test_creating_promises_work_and_asks_those_invited(cast: Cast) -> None:
    answer = client(cast.alice).post(UNIONS, wanted(cast), format="json")
    assert answer.status_code == 202, answer.content
    found = answer.json()
    flow, proposal = Flow.objects.get(), Proposal.objects.get()
    assert found == {"flow": str(flow.pk), "proposal": str(proposal.pk), "unionid": proposal.payload["unionid"]}
    assert answer["Location"].endswith(f"/api/v1/flows/{flow.pk}")

    waiting = client(cast.bob).get(PROPOSALS, {"waiting_for": "me"}).json()
    assert [row["id"] for row in waiting["results"]] == [found["proposal"]]
    assert client(cast.alice).get(PROPOSALS, {"waiting_for": "me"}).json()["count"] == 0

    shown = client(cast.bob).get(f"{PROPOSALS}/{found['proposal']}").json()
    assert (shown["kind"], shown["state"], shown["flow"]) == ("create", "open", found["flow"])
    assert shown["subject"] == {"unionid": found["unionid"], "name": "Building permits", "oemtype": "testbed"}
    assert shown["electorate"] == shown["waiting_for"] == [cast.housing.orgcode]
    assert shown["proposer"] == cast.tax.orgcode


def test_the_same_key_answers_the_same(cast: Cast) -> None:
    alice, key = client(cast.alice), {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first = alice.post(UNIONS, wanted(cast), format="json", **key)
    again = alice.post(UNIONS, wanted(cast), format="json", **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert Flow.objects.count() == 1
    assert_problem(alice.post(UNIONS, wanted(cast, name="Other"), format="json", **key), 422)
    assert Flow.objects.count() == 1


BAD_UNIONS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no name": ({"name": " "}, ("name",)),
    "unknown platform": ({"oemtype": "nowhere"}, ("oemtype",)),
    "unknown creator": ({"creatororg": "org-nobody"}, ("creatororg",)),
    "unknown guest": ({"orgs": ["org-nobody"]}, ("orgs",)),
    "nobody invited": ({"orgs": []}, ("orgs",)),
    "orgs is a text": ({"orgs": "org-nobody"}, ("orgs",)),
    "unknown field": ({"orgz": []}, ("orgz",)),
    "name too long": ({"name": "x" * 201}, ("name",)),
    "a network id too long": ({"network_id": "x" * 201}, ("network_id",)),
    "a guest that is no text": ({"orgs": [["org"]]}, ("orgs.0",)),
    "several at once": ({"name": "", "orgs": [], "creatororg": ""}, ("name", "creatororg")),
}


@pytest.mark.parametrize("case", BAD_UNIONS)
def test_bad_unions_name_the_field_and_change_nothing(cast: Cast, case: str) -> None:
    changes, fields = BAD_UNIONS[case]
    before = snapshot()
    assert_problem(client(cast.alice).post(UNIONS, wanted(cast, **changes), format="json"), 422, *fields)
    assert snapshot() == before


def test_a_union_with_oneself_only(cast: Cast) -> None:
    before = snapshot()
    answer = client(cast.alice).post(UNIONS, wanted(cast, orgs=[cast.tax.orgcode]), format="json")
    assert_problem(answer, 422, "orgs")
    assert snapshot() == before


def test_nobody_creates_for_others(cast: Cast) -> None:
    before = snapshot()
    assert_problem(client(cast.bob).post(UNIONS, wanted(cast), format="json"), 403)
    assert_problem(client().post(UNIONS, wanted(cast), format="json"), 401)
    assert snapshot() == before


def test_a_platform_that_cannot_says_why(cast: Cast) -> None:
    capabilities = {**cast.platform.capabilities, "create_network": {"supported": False, "reason": "Read only."}}
    Platform.objects.filter(pk=cast.platform.pk).update(capabilities=capabilities)
    answer = client(cast.alice).post(UNIONS, wanted(cast), format="json")
    assert_problem(answer, 409)
    assert answer.json()["detail"] == "Read only."


# --- voting -----------------------------------------------------------------------------------------------------------


def vote(cast: Cast, user: User, proposal: Proposal, organization: Any, **changes: Any) -> Any:
    answer = {"orgcode": organization.orgcode, "agree": True, "comment": "", **changes}
    return client(user).post(f"{PROPOSALS}/{proposal.pk}/votes", answer, format="json")


def test_the_last_yes_carries(cast: Cast) -> None:
    proposal = proposed(cast)
    answer = vote(cast, cast.bob, proposal, cast.housing, comment="Welcome")
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert (found["state"], found["waiting_for"]) == ("carried", [])
    assert [(row["orgcode"], row["agree"], row["comment"], row["username"]) for row in found["votes"]] == [
        (cast.housing.orgcode, True, "Welcome", "bob")
    ]


def test_one_no_refuses_and_the_flow_is_taken_back(cast: Cast) -> None:
    proposal = proposed(cast)
    assert vote(cast, cast.bob, proposal, cast.housing, agree=False).json()["state"] == "refused"
    assert not Union.objects.exists()


def test_votes_that_do_not_count(cast: Cast) -> None:
    proposal = proposed(cast)
    before = snapshot()
    assert_problem(vote(cast, cast.alice, proposal, cast.tax), 403)  # has no say
    assert_problem(vote(cast, cast.alice, proposal, cast.housing), 403)  # speaks for somebody else
    assert_problem(vote(cast, cast.carol, proposal, cast.social), 404)  # does not even see it
    assert_problem(vote(cast, cast.bob, proposal, cast.housing, agree="perhaps"), 422, "agree")
    assert_problem(
        client(cast.bob).post(f"{PROPOSALS}/{proposal.pk}/votes", {}, format="json"), 422, "agree", "orgcode"
    )
    unknown = {"orgcode": "org-nobody", "agree": True}
    assert_problem(client(cast.bob).post(f"{PROPOSALS}/{proposal.pk}/votes", unknown, format="json"), 422, "orgcode")
    assert_problem(client().post(f"{PROPOSALS}/{proposal.pk}/votes", unknown, format="json"), 401)
    assert snapshot() == before


def test_a_vote_twice(cast: Cast) -> None:
    union = active_union(cast, cast.tax, cast.housing)
    joining = client(cast.carol).post(f"{UNIONS}/{union.unionid}/join", {"orgcode": cast.social.orgcode}, format="json")
    proposal = Proposal.objects.get(pk=joining.json()["proposal"])
    assert vote(cast, cast.bob, proposal, cast.housing).json()["state"] == "open"
    before = snapshot()
    assert_problem(vote(cast, cast.bob, proposal, cast.housing, agree=False), 409)
    assert snapshot() == before
    assert vote(cast, cast.alice, proposal, cast.tax).json()["state"] == "carried"
    assert_problem(vote(cast, cast.alice, proposal, cast.tax), 409)


def test_withdrawing(cast: Cast) -> None:
    proposal = proposed(cast)
    place = f"{PROPOSALS}/{proposal.pk}/withdraw"
    assert_problem(client(cast.bob).post(place), 403)
    assert_problem(client(cast.carol).post(place), 404)
    assert client(cast.alice).post(place).json()["state"] == "withdrawn"
    assert_problem(client(cast.alice).post(place), 409)
    assert_problem(vote(cast, cast.bob, proposal, cast.housing), 409)


# --- joining, quitting, deleting --------------------------------------------------------------------------------------


def test_every_present_member_is_asked_about_a_newcomer(cast: Cast) -> None:
    union = active_union(cast)
    answer = client(cast.carol).post(f"{UNIONS}/{union.unionid}/join", {"orgcode": cast.social.orgcode}, format="json")
    assert answer.status_code == 202, answer.content
    shown = client(cast.carol).get(f"{PROPOSALS}/{answer.json()['proposal']}").json()
    assert sorted(shown["electorate"]) == sorted([cast.tax.orgcode, cast.housing.orgcode])
    assert shown["concerns"] == cast.social.orgcode


def test_whoever_has_left_is_not_waited_for(cast: Cast) -> None:
    union = active_union(cast)
    joining = client(cast.carol).post(f"{UNIONS}/{union.unionid}/join", {"orgcode": cast.social.orgcode}, format="json")
    place = f"{PROPOSALS}/{joining.json()['proposal']}"
    client(cast.bob).post(f"{UNIONS}/{union.unionid}/quit", {"orgcode": cast.housing.orgcode}, format="json")
    with transaction.atomic():
        unions.release_member(union_id=union.pk, orgcode=cast.housing.orgcode, actor=cast.bob)
    shown = client(cast.carol).get(place).json()
    assert shown["electorate"] == shown["waiting_for"] == [cast.tax.orgcode]
    answer = {"orgcode": cast.housing.orgcode, "agree": True}
    assert_problem(client(cast.bob).post(f"{place}/votes", answer, format="json"), 403)


def test_quitting_and_deleting(cast: Cast) -> None:
    union = active_union(cast)
    place = f"{UNIONS}/{union.unionid}"
    assert_problem(client(cast.bob).delete(place), 403)
    quitting = client(cast.bob).post(f"{place}/quit", {"orgcode": cast.housing.orgcode}, format="json")
    assert quitting.status_code == 202, quitting.content
    assert {m["orgcode"]: m["state"] for m in client(cast.bob).get(place).json()["members"]} == {
        cast.tax.orgcode: "active",
        cast.housing.orgcode: "quitting",
    }
    assert_problem(client(cast.alice).delete(place), 409)


def test_the_creator_deletes(cast: Cast) -> None:
    union = active_union(cast)
    answer = client(cast.alice).delete(f"{UNIONS}/{union.unionid}")
    assert answer.status_code == 202, answer.content
    union.refresh_from_db()
    assert union.state == UnionState.DELETING


def test_moves_that_make_no_sense(cast: Cast) -> None:
    union = active_union(cast)
    place, before = f"{UNIONS}/{union.unionid}", snapshot()
    tax, social = {"orgcode": cast.tax.orgcode}, {"orgcode": cast.social.orgcode}
    assert_problem(client(cast.alice).post(f"{place}/join", tax, format="json"), 409)  # is in already
    assert_problem(client(cast.carol).post(f"{place}/quit", social, format="json"), 409)  # is not in
    assert_problem(client(cast.carol).post(f"{place}/join", tax, format="json"), 403)  # speaks for another
    assert_problem(client(cast.carol).post(f"{place}/join", {}, format="json"), 422, "orgcode")
    assert_problem(client(cast.carol).post(f"{place}/join", {"orgcode": "org-x"}, format="json"), 422, "orgcode")
    assert_problem(client(cast.carol).post(f"{UNIONS}/union-nowhere/join", social, format="json"), 404)
    assert_problem(client(cast.carol).delete(f"{UNIONS}/union-nowhere"), 404)
    assert snapshot() == before


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_union_carries_the_names_of_table_2(cast: Cast) -> None:
    union = active_union(cast)
    found = client(cast.carol).get(f"{UNIONS}/{union.unionid}").json()
    assert {name: found[name] for name in ("id", "unionid", "creatororg", "name", "oemtype", "orgs", "state")} == {
        "id": str(union.pk),
        "unionid": union.unionid,
        "creatororg": cast.tax.orgcode,
        "name": "Building permits",
        "oemtype": "testbed",
        "orgs": [cast.tax.orgcode, cast.housing.orgcode],
        "state": "active",
    }


def test_filters(cast: Cast) -> None:
    active_union(cast)
    active_union(cast, cast.tax, cast.social, name="Inheritance")
    count = lambda **filters: client(cast.dan).get(UNIONS, filters).json()["count"]  # noqa: E731
    assert count() == 2
    assert count(orgcode=cast.social.orgcode) == 1
    assert count(name="PERMIT") == 1
    assert count(oemtype="nowhere") == 0
    assert count(state="building") == 0
    proposed(cast, "Third")
    assert client(cast.bob).get(PROPOSALS, {"state": "open", "kind": "create"}).json()["count"] == 1
    assert client(cast.bob).get(PROPOSALS, {"kind": "join"}).json()["count"] == 0
    assert client(cast.carol).get(PROPOSALS).json()["count"] == 0
    assert client(auditor()).get(PROPOSALS).json()["count"] == 1


def test_lists_have_a_budget(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(4):
        active_union(cast, name=f"Union {number}")
        proposed(cast, f"Proposal {number}")
    with django_assert_max_num_queries(5):
        assert client(cast.alice).get(UNIONS).json()["count"] == 4
    with django_assert_max_num_queries(8):
        assert client(cast.bob).get(PROPOSALS, {"waiting_for": "me"}).json()["count"] == 4


def test_what_the_platform_calls_a_union_is_for_its_members(cast: Cast, django_assert_max_num_queries: Any) -> None:
    union = active_union(cast)
    for reader, inside in ((cast.alice, True), (cast.root, True), (cast.carol, False), (cast.dan, False)):
        shown = client(reader).get(f"{UNIONS}/{union.unionid}").json()
        listed = client(reader).get(UNIONS).json()["results"][0]
        for found in (shown, listed):
            assert (found["network_id"] is not None) is inside
            assert all((member["member_id"] is not None) is inside for member in found["members"])
    with django_assert_max_num_queries(5):
        client(cast.alice).get(UNIONS)
