"""Networks that a platform has already become unions: the real engine, real HTTP, and what is left when it breaks."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chains.models import Blockchain, BusinessChain, Node, TakeOver, TakeOverNetwork
from chains.observing.observer import Observer
from chains.services import takeover as service
from console.errors import Conflict, Invalid, Missing, NotAllowed, NotSupported
from console.flows import engine
from console.models import AuditEntry, Flow, Notification, Step, User
from console.services.flows import cancel_flow
from platforms.models import Platform
from platforms.services.platforms import register_platform
from tests.chains import plane_files
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Plane
from tests.console.flowkit import Killed, let_leases_expire
from tests.console.races import at_once
from tests.platforms.plane import Network, running_plane
from tests.unions.cast import Cast, active_union, proposed
from unions.models import Organization, Union, UnionMember
from unions.policies import may_propose_delete

pytestmark = pytest.mark.django_db(transaction=True)


def person(member: str, name: str, tenant: str = "") -> dict[str, str]:
    return {"id": member, "name": name, "tenant": tenant}


TAX, HOUSING = person("m-1", "Tax", "t-1"), person("m-2", "Housing", "t-2")
WATER, PORT = person("m-3", "Water Board", "t-9"), person("m-4", "Port Authority")


@pytest.fixture
def cast(cast: Cast, plane: Plane) -> Cast:
    """The platform shows its networks."""
    speak_to(cast.platform, plane, **plane_files.existing())
    return cast


def work(rounds: int = 300) -> None:
    """Be the worker, and let no time pass between attempts."""
    for _round in range(rounds):
        Step.objects.filter(state__in=["later", "undoing"], lease_until=None).update(due_at=timezone.now())
        due = engine.due_steps()
        if not due:
            return
        engine.run_step(due[0])
    raise AssertionError("still due")


def asked(cast: Cast, *network_ids: str, dry_run: bool = False) -> TakeOver:
    return service.request_take_over(actor=cast.root, oemtype="testbed", network_ids=network_ids, dry_run=dry_run)


def done(cast: Cast, *network_ids: str, dry_run: bool = False) -> TakeOver:
    take_over = asked(cast, *network_ids, dry_run=dry_run)
    work()
    flow = Flow.objects.get(pk=take_over.flow_id)
    assert flow.state == "done", (flow.error, list(flow.steps.values_list("name", "state", "error")))
    return take_over


def verdicts(take_over: TakeOver) -> dict[str, str]:
    return {row.name or row.network_id: row.verdict for row in take_over.networks.all()}


def counted() -> list[int]:
    return [model.objects.count() for model in (Union, UnionMember, BusinessChain, Blockchain, Node, Organization)]


def reason(take_over: TakeOver, network_id: str) -> str:
    return take_over.networks.get(network_id=network_id).reason


# --- when all goes well -----------------------------------------------------------------------------------------------


def test_everything_that_the_platform_lists(cast: Cast, plane: Plane) -> None:
    permits = plane.there("Permits", TAX, HOUSING, chains=2)
    plane.there("Harbour", PORT, WATER, TAX)
    plane.there("Coming", TAX, state="creating")
    plane.there("Gone", TAX, state="deleted")
    managed = active_union(cast, name="Old")
    plane.networks[managed.network_id] = {"name": "Old", "people": []}
    before, asked_before = counted(), len(plane.asked)

    shown = done(cast, dry_run=True)
    assert counted() == before, "a dry run creates nothing"
    expected = {"Permits": "new", "Harbour": "new", "Coming": "unusable", "Old": "managed"}
    assert verdicts(shown) == expected
    assert all(call.startswith("GET ") for call in plane.asked[asked_before:])
    plan = shown.networks.get(name="Harbour").plan
    assert [(each["name"], each["known_by"]) for each in plan["members"]] == [
        ("Port Authority", ""),
        ("Water Board", ""),
        ("Tax", "tenant"),
    ]
    assert [each["nodes"] for each in plan["chains"]] == [3]
    assert plan["missing"] == []

    real = done(cast)
    assert verdicts(real) == {**expected, "Permits": "created", "Harbour": "created"}
    union = Union.objects.get(network_id=permits)
    assert (union.name, union.state, union.creator) == ("Permits", "active", cast.tax)
    assert {each.organization: each.member_id for each in union.members.all()} == {
        cast.tax: "m-1",
        cast.housing: "m-2",
    }
    assert union.uid == union.business_chains.get().uid
    assert Blockchain.objects.filter(business_chain__union=union).count() == 2
    assert Node.objects.filter(blockchain__business_chain__union=union, organization=cast.tax).count() == 2
    harbour = Union.objects.get(name="Harbour")
    assert harbour.creator.name == "Port Authority [m-4]", "the first that the platform names"
    assert harbour.acting_creator() == cast.tax, "somebody who can speak"
    strangers = harbour.organizations.filter(state="placeholder").order_by("name")
    assert [(each.name, each.space.tenantid) for each in strangers] == [
        ("Port Authority [m-4]", ""),
        ("Water Board [t-9]", "t-9"),
    ]
    assert Node.objects.filter(organization__in=strangers).count() == 2
    assert {each.action for each in AuditEntry.objects.filter(action__startswith="chains.take_over")} == {
        "chains.take_over.requested",
        "chains.take_over.ended",
    }
    assert AuditEntry.objects.filter(action="unions.union.taken_over").count() == 2
    told = Notification.objects.filter(title__contains="was taken over;")
    assert {(each.user, each.parameters["name"]) for each in told} == {
        (cast.alice, "Permits"),
        (cast.bob, "Permits"),
        (cast.alice, "Harbour"),
    }
    assert Notification.objects.get(title__contains="networks of", user=cast.root).parameters["created"] == "2"
    Observer().tick(patience=5.0)
    assert set(Blockchain.objects.values_list("read_error", "height")) == {("", 0)}, "they are read like any chain"
    after = counted()
    again = done(cast)
    assert verdicts(again)["Permits"] == "managed", "said, not doubled"
    assert counted() == after


def test_some_by_id_and_one_that_is_not_there(cast: Cast, plane: Plane) -> None:
    wanted, other = plane.there("Permits", TAX, HOUSING), plane.there("Permits", HOUSING, WATER)
    plane.there("Not asked for", TAX)
    take_over = done(cast, wanted, other, "net-nowhere")
    assert reason(take_over, "net-nowhere") == "The platform has no network of this id."
    rows = {row.network_id: row.verdict for row in take_over.networks.all()}
    assert rows == {wanted: "created", other: "created", "net-nowhere": "unknown"}
    assert set(Union.objects.values_list("name", flat=True)) == {"Permits", f"Permits ({other})"}
    assert Organization.objects.get(state="placeholder").name == "Water Board [t-9]"


def test_members_by_code_by_machine_by_nodes_and_none_at_all(cast: Cast, plane: Plane) -> None:
    plane.there("Code", person("m-1", cast.tax.orgcode), person("m-2", "Tax Bureau"))
    plane.there("Nobody", chains=0)
    twins = plane.there("Twins", person("a-1", "One", "t-9"), person("a-2", "Two", "t-9"), person("a-3", "X", "t-1"))
    done(cast)
    code = Union.objects.get(name="Code")
    assert code.creator == cast.tax
    names = set(code.organizations.values_list("name", flat=True))
    assert names == {"Tax Bureau", "Tax Bureau [m-2]"}, "a name is no proof"
    assert [each.name for each in Union.objects.get(name="Nobody").organizations.all()] == ["Nobody [Nobody]"]
    assert not Union.objects.get(name="Nobody").uid
    union = Union.objects.get(network_id=twins)
    assert union.members.count() == 2, "two places of one tenant are one member"
    assert Node.objects.filter(blockchain__business_chain__union=union).count() == 2


def test_a_union_that_is_being_built_is_left_to_its_flow(cast: Cast, plane: Plane) -> None:
    proposed(cast, "Permits")
    network = plane.there("Permits", TAX, HOUSING)
    take_over = done(cast)
    assert verdicts(take_over) == {"Permits": "unusable"}
    assert "is being asked for or built" in reason(take_over, network)
    assert not Union.objects.exists()


# --- when it goes wrong -----------------------------------------------------------------------------------------------


def test_a_platform_that_fails_half_way_leaves_nothing(cast: Cast, plane: Plane) -> None:
    plane.there("One", TAX, HOUSING)
    second = plane.there("Two", TAX, WATER)
    before = counted()
    plane.answers[f"/networks/{second}/chains"] = 503
    take_over = asked(cast)
    work()
    flow = Flow.objects.get(pk=take_over.flow_id)
    assert flow.state == "undone"
    assert flow.error["code"] == "platform_unavailable"
    assert counted() == before
    plane.answers = {f"/networks/{second}": 400, f"/networks/{second}/chains": 503}
    take_over = done(cast)
    assert verdicts(take_over) == {"One": "created", "Two": "unusable"}, "one that it does not show stops no other"
    assert "not today" in reason(take_over, second)
    plane.answers = {f"/networks/{second}/chains": 400}
    missing = done(cast, second).networks.get().plan["missing"]
    assert ["could not be read" in each or "names no chain" in each for each in missing] == [True, True]
    assert Union.objects.get(network_id=second).uid == ""


def test_a_worker_that_dies_between_two_networks(cast: Cast, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("One", "Two", "Three"):
        plane.there(name, TAX, WATER)
    honest, calls = service.create_from, []

    def dying(**arguments: Any) -> bool:
        calls.append(arguments["network"])
        if len(calls) == 2:
            raise Killed
        return honest(**arguments)

    monkeypatch.setattr(service, "create_from", dying)
    take_over = asked(cast)
    with pytest.raises(Killed):
        work()
    assert Union.objects.count() == 1
    let_leases_expire()
    work()
    assert Flow.objects.get(pk=take_over.flow_id).state == "done"
    assert (Union.objects.count(), Organization.objects.filter(state="placeholder").count()) == (3, 1)
    assert set(verdicts(take_over).values()) == {"created"}


def test_stopped_in_the_middle_it_is_taken_back(cast: Cast, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = plane.there("Kept", TAX, HOUSING)
    for name in ("Two", "Three"):
        plane.there(name, TAX, WATER)
    before, honest, calls = counted(), service.create_from, []

    def stopping(**arguments: Any) -> bool:
        calls.append(arguments["network"])
        if len(calls) == 3:
            cancel_flow(actor=cast.root, flow_id=take_over.flow_id)
        return honest(**arguments)

    monkeypatch.setattr(service, "create_from", stopping)
    take_over = asked(cast)
    work()
    assert Flow.objects.get(pk=take_over.flow_id).state == "cancelled"
    assert counted() == before
    assert sorted(verdicts(take_over).values()) == ["new", "taken_back", "taken_back"]
    assert kept in plane.networks
    assert not [call for call in plane.asked if not call.startswith("GET ")]


def test_what_is_refused_changes_nothing(cast: Cast, plane: Plane) -> None:
    before = (TakeOver.objects.count(), Flow.objects.count(), AuditEntry.objects.count())
    for actor, oemtype, ids, error in (
        (cast.alice, "testbed", [], NotAllowed),
        (cast.root, "nowhere", [], Missing),
        (cast.root, "testbed", ["ok", ""], Invalid),
        (cast.root, "testbed", "net-1", Invalid),
        (cast.root, "testbed", ["x" * 201], Invalid),
        (cast.root, "testbed", ["a\nb"], Invalid),
        (cast.root, "testbed", [str(each) for each in range(501)], Invalid),
    ):
        with pytest.raises(error):
            service.request_take_over(actor=actor, oemtype=oemtype, network_ids=ids)
    speak_to(cast.platform, plane, list_networks=None)
    with pytest.raises(NotSupported):
        service.request_take_over(actor=cast.root, oemtype="testbed")
    Platform.objects.filter(pk=cast.platform.pk).update(state="checking")
    with pytest.raises(Conflict):
        service.request_take_over(actor=cast.root, oemtype="testbed", network_ids=["net-1"])
    assert (TakeOver.objects.count(), Flow.objects.count(), AuditEntry.objects.count()) == before


# --- beside each other, and behind a registration ---------------------------------------------------------------------


@pytest.mark.postgres
def test_two_take_overs_of_the_same_networks_at_once(cast: Cast, plane: Plane) -> None:
    networks = [plane.there(name, TAX, WATER, PORT) for name in ("One", "Two")]
    flows = [asked(cast) for _each in range(4)]
    for _round in range(4):  # list, read, check, preview: until all are about to create
        for step_id in Step.objects.filter(state="ready").exclude(name="create").values_list("pk", flat=True):
            engine.run_step(step_id)
    ready = list(Step.objects.filter(state="ready").values_list("pk", "name"))
    assert [name for _pk, name in ready] == ["create"] * 4
    endings = at_once(*[partial(engine.run_step, pk) for pk, _name in ready])
    assert endings == {"done": 4}
    work()
    assert sorted(Union.objects.values_list("network_id", flat=True)) == sorted(networks)
    assert (Blockchain.objects.count(), Node.objects.count()) == (2, 6)
    strangers = sorted(Organization.objects.filter(state="placeholder").values_list("name", flat=True))
    assert strangers[-1] == "Water Board [t-9]"
    assert len(strangers) == 3, "one for the tenant, and one in each network for whom the platform names none"
    assert set(Flow.objects.filter(pk__in=[each.flow_id for each in flows]).values_list("state", flat=True)) == {"done"}
    rows = TakeOverNetwork.objects.values_list("verdict", flat=True)
    assert (list(rows).count("created"), list(rows).count("managed")) == (2, 6)


def test_networks_named_at_registration_are_taken_over_once_it_is_official(db: None, root: User) -> None:
    with running_plane() as testbed:
        testbed.networks["n-1"] = Network("n-1", "Permits", state="LIVE", members=[{"id": "m-1", "org": "Stranger"}])
        started = register_platform(actor=root, **testbed.registration(network_ids=["n-1", "n-7"]))
        assert not TakeOver.objects.exists()
        work()
    assert Flow.objects.get(pk=started.flow.pk).state == "done"
    take_over = TakeOver.objects.get()
    assert take_over.flow.state == "done"
    assert {row.network_id: row.verdict for row in take_over.networks.all()} == {"n-1": "created", "n-7": "unknown"}
    union = Union.objects.get()
    assert (union.name, union.network_id) == ("Permits", "n-1")
    assert not may_propose_delete(root, union)


# --- pages and REST ---------------------------------------------------------------------------------------------------


def browser(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def test_an_administrator_looks_chooses_confirms_and_watches(cast: Cast, plane: Plane) -> None:
    permits, harbour = plane.there("Permits", TAX, HOUSING), plane.there("Harbour", WATER, TAX)
    plane.there("Coming", TAX, state="creating")
    root = browser(cast.root)
    assert "/platforms/testbed/take-over" in root.get("/platforms/testbed").content.decode()
    assert "/platforms/testbed/take-over" not in browser(cast.alice).get("/platforms/testbed").content.decode()
    assert browser(cast.alice).get("/platforms/testbed/take-over").status_code == 403
    assert "Nobody has looked" in root.get("/platforms/testbed/take-over").content.decode()
    bad = root.post("/platforms/testbed/take-over", {"network_ids": "x" * 201})
    assert bad.status_code == 422
    begun = root.post("/platforms/testbed/take-over", {"network_ids": ""})
    address = begun["Location"]
    assert "is reading what the platform has" in root.get(address).content.decode()
    work()
    shown = root.get(address).content.decode()
    assert shown.count('type="checkbox"') == 2
    assert "its tenant space" in shown
    assert "not running (creating)" in shown
    assert browser(cast.alice).get(address).status_code == 403
    empty = root.post(f"{address}/confirm", {}).content.decode()
    assert "No network is chosen" in empty
    confirm = root.post(f"{address}/confirm", {"network_ids": [permits, harbour]}).content.decode()
    assert "2 unions are created here" in confirm
    assert "1 placeholder is made" in confirm
    assert "deletes its network there" in confirm
    assert TakeOver.objects.count() == 1
    for wrong in ([], ["net-none"]):
        refused = root.post(f"{address}/confirm", {"confirmed": "yes", "network_ids": wrong})
        assert refused.status_code == 422
    assert TakeOver.objects.count() == 1
    real = root.post(f"{address}/confirm", {"confirmed": "yes", "network_ids": [harbour]})["Location"]
    work()
    result = root.get(real).content.decode()
    union = Union.objects.get()
    assert f"/unions/{union.unionid}" in result
    assert "Take-over" in root.get("/platforms/testbed/take-over").content.decode()
    assert "Permits" not in result


def test_the_same_by_rest(cast: Cast, plane: Plane) -> None:
    network = plane.there("Permits", TAX, WATER)
    root, base = browser(cast.root), "/api/v1/platforms/testbed/take-over"
    key = {"Idempotency-Key": "k-1"}
    begun = root.post(base, {"dry_run": True}, content_type="application/json", headers=key)
    assert begun.status_code == 202
    assert begun["Location"].endswith(begun.json()["flow"])
    assert root.post(base, {"dry_run": True}, content_type="application/json", headers=key).json() == begun.json()
    work()
    answer = root.get(f"/api/v1/take-overs/{begun.json()['take_over']}").json()
    assert (answer["state"], answer["dry_run"], answer["oemtype"]) == ("done", True, "testbed")
    (row,) = answer["networks"]
    assert (row["network_id"], row["verdict"], row["unionid"]) == (network, "new", None)
    assert row["plan"]["members"][1] == {
        "name": "Water Board",
        "tenantid": "t-9",
        "member_ids": ["m-3"],
        "orgcode": "",
        "known_by": "",
    }
    root.post(base, {"network_ids": [network]}, content_type="application/json")
    work()
    listed = root.get("/api/v1/platforms/testbed/take-overs").json()
    assert [each["dry_run"] for each in listed["results"]] == [False, True]
    for words, count in {"dry_run=true": 1, "state=done": 2, "state=failed&dry_run=false": 0}.items():
        assert root.get(f"/api/v1/platforms/testbed/take-overs?{words}").json()["count"] == count
    done_row = root.get(f"/api/v1/take-overs/{listed['results'][0]['id']}").json()["networks"][0]
    assert done_row["unionid"] == Union.objects.get().unionid
    alice = browser(cast.alice)
    for path in (f"/api/v1/take-overs/{begun.json()['take_over']}", "/api/v1/take-overs/999999"):
        assert alice.get(path).status_code == 404
    assert alice.get("/api/v1/platforms/testbed/take-overs").status_code == 403
    assert alice.post(base, {}, content_type="application/json").status_code == 403
    wrong = root.post(base, {"network_ids": [5, ""]}, content_type="application/json")
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["network_ids.1"])
    assert root.post(f"{base}x", {}, content_type="application/json").status_code == 404
