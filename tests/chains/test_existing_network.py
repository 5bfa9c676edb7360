"""A union of a network that its creator is in already: read with its own credential, agreed to, and nothing built."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from chains.models import Blockchain, Node
from console.errors import Conflict, Invalid, NotSupported
from console.models import AuditEntry, Flow, User
from platforms.models import Platform
from tests.chains import plane_files
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Plane
from tests.chains.test_take_over import HOUSING, TAX, WATER, asked, person, verdicts, work
from tests.platforms.plane import Network
from tests.unions import union_plane
from tests.unions.cast import Cast, active_union, cloud, departments, registered
from tests.unions.union_plane import UnionPlane
from unions.models import Organization, Proposal, Union
from unions.services.proposals import cast_vote, close_stranded
from unions.services.unions import propose_delete, propose_union

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(cast: Cast, plane: Plane) -> Cast:
    speak_to(cast.platform, plane, **plane_files.existing())
    return cast


def wanted(cast: Cast, network: str, *invited: Organization, name: str = "Permits", **more: Any) -> Proposal:
    return propose_union(
        actor=cast.alice,
        name=name,
        oemtype="",
        creatororg=cast.tax.orgcode,
        orgs=[each.orgcode for each in invited],
        network_id=network,
        **more,
    )


def ended(proposal: Proposal) -> tuple[str, str]:
    work()
    flow = Flow.objects.get(pk=proposal.flow_id)
    return flow.state, (flow.error or {}).get("detail", "")


def test_agreed_to_it_is_written_down_and_nothing_is_built(cast: Cast, plane: Plane) -> None:
    network = plane.there("What the platform calls it", TAX, HOUSING, WATER, chains=2)
    before = len(plane.asked)
    proposal = wanted(cast, network, cast.housing)
    assert ended(proposal) == ("waiting", "")
    with pytest.raises(Conflict, match="being asked for already") as problem:
        wanted(cast, network, cast.housing, name="Again")
    assert list(problem.value.errors) == ["network_id"]
    taking = asked(cast, network)
    work()
    assert list(verdicts(taking).values()) == ["unusable"], "nobody takes it over in the meantime"
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    assert ended(proposal) == ("done", "")
    union = Union.objects.get()
    assert (union.name, union.network_id, union.state, union.creator) == ("Permits", network, "active", cast.tax)
    places = dict(union.members.values_list("organization__name", "member_id"))
    assert places == {"Tax Bureau": "m-1", "Housing Office": "m-2", "Water Board [t-9]": "m-3"}
    assert (Blockchain.objects.count(), Node.objects.count()) == (2, 6)
    assert not [call for call in plane.asked[before:] if not call.startswith("GET ")]
    with pytest.raises(Conflict, match="has this network already"):
        wanted(cast, network, cast.housing, name="Again")
    with pytest.raises(Conflict, match="has to claim it first"):
        propose_delete(actor=cast.alice, unionid=union.unionid)


def test_alone_in_it_and_deleted_like_any_union(cast: Cast, plane: Plane) -> None:
    network = plane.there("Mine", TAX)
    proposal = wanted(cast, network)
    assert (proposal.state, ended(proposal)) == ("carried", ("done", ""))
    union = Union.objects.get()
    deletion = propose_delete(actor=cast.alice, unionid=union.unionid)
    assert ended(deletion) == ("done", "")
    assert network not in plane.networks


@pytest.mark.parametrize(
    ("people", "invites", "words"),
    [
        ([HOUSING], True, "as members of the network: Tax Bureau"),
        ([TAX], True, "as members of the network: Housing Office"),
        ([TAX, HOUSING], False, "invite them as well: Housing Office"),
        (None, True, "shows no network net-none to Tax Bureau"),
    ],
)
def test_who_must_be_in_it(cast: Cast, plane: Plane, people: Any, invites: bool, words: str) -> None:
    network = plane.there("Permits", *people) if people else "net-none"
    proposal = wanted(cast, network, *([cast.housing] if invites else []))
    state, detail = ended(proposal)
    assert state == "undone"
    assert words in detail
    close_stranded(proposal_id=proposal.pk)
    proposal.refresh_from_db()
    assert proposal.state == ("withdrawn" if invites else "carried")
    assert not Union.objects.exists()
    assert not Organization.objects.filter(state="placeholder").exists()
    assert plane.networks.keys() == ({network} if people else set())


def test_what_has_changed_while_they_voted_counts(cast: Cast, plane: Plane) -> None:
    network = plane.there("Permits", TAX, HOUSING)
    proposal = wanted(cast, network, cast.housing)
    work()
    plane.networks[network]["people"].append(person("m-9", "Newcomer", "t-3"))
    registered(cast.root, "erin", cloud("Water Board", "t-3"))
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    state, detail = ended(proposal)
    assert (state, "invite them as well: Water Board" in detail) == ("undone", True)
    assert AuditEntry.objects.filter(action="unions.proposal.taken_back").exists()
    assert not Union.objects.exists()


def test_names_count_only_where_the_platform_names_no_tenant(cast: Cast, plane: Plane) -> None:
    named = plane.there("Names", person("m-1", "Tax Bureau"), person("m-2", "Housing Office"))
    mixed = plane.there("Mixed", person("m-1", "Tax Bureau"), HOUSING)
    proposal = wanted(cast, named, cast.housing)
    assert ended(proposal)[0] == "waiting"
    other = wanted(cast, mixed, cast.housing, name="Other")
    assert "as members of the network: Tax Bureau" in ended(other)[1]


def test_the_platform_is_asked_as_the_creator(platform: Platform, root: User) -> None:
    """What the platform's own credential could see does not count."""
    cast, plane = departments(platform, root), UnionPlane()
    try:
        union_plane.speak_to(plane, platform)
        plane.networks["n-1"] = Network("n-1", "x", state="LIVE", members=[{"id": "m-1", "org": cast.tax.orgcode}])
        assert ended(wanted(cast, "n-1")) == ("done", "")
        read = [each for each in plane.asked if each.route == union_plane.READ]
        assert {each.token for each in read} == {"AK-of-one"}
        plane.tokens.pop("AK-of-one")
        plane.networks["n-2"] = Network("n-2", "y", state="LIVE", members=[{"id": "m-1", "org": cast.tax.orgcode}])
        assert ended(wanted(cast, "n-2", name="Other"))[0] == "undone"
    finally:
        plane.close()


def test_what_is_refused_at_once(cast: Cast, plane: Plane, client: Client) -> None:
    union = active_union(cast)
    before = Proposal.objects.count()
    for network_id in (5, None, "x" * 201, "a\nb"):
        with pytest.raises(Invalid) as problem:
            wanted(cast, network_id, cast.housing)  # type: ignore[arg-type]
        assert list(problem.value.errors) == ["network_id"]
    with pytest.raises(Conflict):
        wanted(cast, union.network_id, cast.housing)
    speak_to(cast.platform, plane, get_network=None)
    with pytest.raises(NotSupported):
        wanted(cast, "net-7", cast.housing)
    client.force_login(cast.alice)
    body = {"name": "X", "creatororg": cast.tax.orgcode, "orgs": [], "network_id": "x" * 201}
    answer = client.post("/api/v1/unions", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["network_id"])
    assert Proposal.objects.count() == before


def test_the_wizard_makes_a_union_of_a_network(cast: Cast, plane: Plane, client: Client) -> None:
    network = plane.there("Permits", TAX, HOUSING)
    client.force_login(cast.alice)
    asked_for = {"name": "Permits", "oemtype": "testbed", "creatororg": cast.tax.orgcode, "rule": "everyone"}
    summary = client.get("/unions/new/summary", {**asked_for, "network_id": network}).content.decode()
    assert "Nothing is built" in summary
    assert "Nothing is built" not in client.get("/unions/new/summary", asked_for).content.decode()
    nobody = client.post("/unions/new", asked_for)
    assert (nobody.status_code, "Invite at least one organization." in nobody.content.decode()) == (422, True)
    taken = active_union(cast, name="Taken").network_id
    refused = client.post("/unions/new", {**asked_for, "network_id": taken}).content.decode()
    assert "has this network already" in refused
    made = client.post("/unions/new", {**asked_for, "network_id": network, "orgs": [cast.housing.orgcode]})
    page = client.get(made["Location"]).content.decode()
    assert "is on the platform already becomes this union" in page
    body = {"name": "Mine", "creatororg": cast.tax.orgcode, "orgs": [], "network_id": plane.there("Mine", TAX)}
    begun = client.post("/api/v1/unions", body, content_type="application/json")
    assert begun.status_code == 202
    work()
    assert Union.objects.get(name="Mine").unionid == begun.json()["unionid"]
    page = client.get(f"/proposals/{begun.json()['proposal']}").content.decode()
    assert "makes a network that it is in already" in page
