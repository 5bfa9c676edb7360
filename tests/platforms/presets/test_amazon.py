"""The preset for Amazon Managed Blockchain against moto: a network's whole life, with three accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import Missing, NotSupported, PlatformRefused
from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from platforms.standard import OPERATIONS
from tests.platforms.presets.amb import ACCOUNTS, PARTIES, Shim
from tests.platforms.presets.running import carried, carry, preset_driver

SLUG = "amazon-managed-blockchain"
NAMES = ("org-taxbureau1", "org-housing222", "org-pensions33")
ORGS = [
    {"orgcode": code, "name": f"{code} 局", "category": "cloud", "tenantid": account}
    for code, (_secret, account) in zip(NAMES, ACCOUNTS.values(), strict=True)
]
TAX, HOUSING, PENSIONS = PARTIES


@pytest.fixture
def shim(moto: str) -> Iterator[Shim]:
    with Shim(moto, page=2) as platform:
        yield platform


@pytest.fixture
def driver(shim: Shim) -> Iterator[MappedDriver]:
    made = preset_driver(SLUG, shim.address)
    yield made
    made.close()


def as_creator(creator: PartyCredential, member: PartyCredential | None = None) -> Credentials:
    return Credentials(platform=TAX, creator=creator, member=member)


def create(driver: MappedDriver, name: str = "permits", key: str = "k-create") -> Any:
    request = {"name": name, "kernel": "fabric", "creator": ORGS[0], "members": ORGS[1:]}
    return carry(driver, "create_network", request, as_creator(TAX), key)


def join(driver: MappedDriver, network_id: str, number: int) -> Any:
    request = {"network_id": network_id, "member": ORGS[number], "inviter": ORGS[0]}
    return carry(driver, "join_network", request, as_creator(TAX, PARTIES[number]), f"k-join-{number}")


def quit_(driver: MappedDriver, network_id: str, number: int, member_id: str = "") -> Any:
    request = {"network_id": network_id, "member": ORGS[number], "member_id": member_id}
    return carry(driver, "quit_network", request, as_creator(TAX, PARTIES[number]), f"k-quit-{number}")


def test_create(shim: Shim, driver: MappedDriver) -> None:
    request = {"name": "permits", "kernel": "fabric", "creator": ORGS[0], "members": ORGS[1:]}
    answer, waits = carried(driver, "create_network", request, as_creator(TAX))
    assert answer.status == "running"
    assert answer.network_id.startswith("n-")
    assert answer.member_id.startswith("m-")
    assert {"network_id": answer.network_id, "member_id": answer.member_id} == waits[0].known
    assert {account for account, _call in shim.signed_by} == {"111111111111"}
    calls = [call for _account, call in shim.signed_by]
    assert [call for index, call in enumerate(calls) if call not in calls[:index]] == [
        "POST /networks",
        "GET /networks/*",
        "GET /networks/*/members/*",
        "POST /networks/*/nodes",
        "GET /networks/*/nodes/*",
    ]
    assert calls.count("GET /networks/*") > 1, "it was CREATING at first"


def test_a_creation_that_is_sent_twice_makes_one_network(shim: Shim, driver: MappedDriver) -> None:
    first, again = create(driver), create(driver)
    assert first == again
    answer = carry(driver, "list_networks", {}, as_creator(TAX))
    assert [each.network_id for each in answer.items] == [first.network_id]


def test_join_is_proposed_voted_and_accepted(shim: Shim, driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    shim.signed_by.clear()
    answer = join(driver, network_id, 1)
    assert (answer.network_id, answer.status) == (network_id, "running")
    first_seen = list(dict.fromkeys(shim.signed_by))
    assert first_seen == [
        ("111111111111", "GET /networks/*/members"),
        ("111111111111", "POST /networks/*/proposals"),
        ("111111111111", "POST /networks/*/proposals/*/votes"),
        ("111111111111", "GET /networks/*/proposals/*"),
        ("222222222222", "GET /invitations"),
        ("222222222222", "POST /networks/*/members"),
        ("222222222222", "GET /networks/*/members/*"),
        ("222222222222", "POST /networks/*/nodes"),
        ("222222222222", "GET /networks/*/nodes/*"),
    ]


def test_members_are_gathered_page_by_page(shim: Shim, driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    join(driver, network_id, 1)
    join(driver, network_id, 2)
    answer = carry(driver, "get_network", {"network_id": network_id}, as_creator(TAX))
    assert [each.name for each in answer.members] == list(NAMES)
    assert (answer.kernel, answer.name, answer.status) == ("fabric", "permits", "running")
    pages = [each for each in shim.calls("GET", "/members") if each.query.get("nextToken")]
    assert pages, "three members do not fit on pages of two"


def test_each_account_sees_its_own_nodes(driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    member_id = join(driver, network_id, 1).member_id
    answer = carry(driver, "list_nodes", {"network_id": network_id}, as_creator(TAX, HOUSING))
    assert [(each.member_id, each.state, each.role) for each in answer.items] == [(member_id, "running", "peer")]


def test_quit_by_id_and_by_name(driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    member_id = join(driver, network_id, 1).member_id
    join(driver, network_id, 2)
    assert quit_(driver, network_id, 1, member_id).status == "deleted"
    assert quit_(driver, network_id, 2).status == "deleted"
    answer = carry(driver, "get_network", {"network_id": network_id}, as_creator(TAX))
    assert [each.name for each in answer.members] == [NAMES[0]]


def test_quitting_twice_says_that_nothing_is_there(driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    member_id = join(driver, network_id, 1).member_id
    quit_(driver, network_id, 1, member_id)
    with pytest.raises(Missing):
        quit_(driver, network_id, 1, member_id)


def test_the_network_goes_with_its_last_member(shim: Shim, driver: MappedDriver) -> None:
    network_id = create(driver).network_id
    member_id = join(driver, network_id, 1).member_id
    request = {"network_id": network_id, "creator": ORGS[0]}
    with pytest.raises(PlatformRefused, match="Let the other members quit first") as caught:
        carry(driver, "delete_network", request, as_creator(TAX))
    assert caught.value.code == "members_left"
    assert not shim.calls("DELETE"), "nothing was taken away"
    quit_(driver, network_id, 1, member_id)
    assert carry(driver, "delete_network", request, as_creator(TAX)).status == "deleted"
    with pytest.raises(Missing):
        carry(driver, "get_network", {"network_id": network_id}, as_creator(TAX))
    with pytest.raises(Missing):
        carry(driver, "delete_network", request, as_creator(TAX))


def test_networks_are_listed_page_by_page(driver: MappedDriver) -> None:
    made = [create(driver, f"net{number}", f"k-{number}").network_id for number in range(5)]
    answer = carry(driver, "list_networks", {}, as_creator(TAX))
    assert [each.network_id for each in answer.items] == made
    assert carry(driver, "list_networks", {}, Credentials(platform=HOUSING)).items == ()


def test_health(driver: MappedDriver) -> None:
    assert carry(driver, "get_health", {}, as_creator(TAX)).status == "up"


def test_a_wrong_key_is_refused_by_aws(driver: MappedDriver) -> None:
    wrong = PartyCredential(ak=TAX.ak, sk="not-the-secret-key")
    with pytest.raises(PlatformRefused, match="signature does not match"):
        carry(driver, "list_networks", {}, Credentials(platform=wrong))


def test_the_administrators_password_is_derived_and_kept_nowhere(shim: Shim, driver: MappedDriver) -> None:
    request = {"name": "permits", "kernel": "fabric", "creator": ORGS[0]}
    _answer, waits = carried(driver, "create_network", request, as_creator(TAX))
    sent = shim.seen[0].json["MemberConfiguration"]["FrameworkConfiguration"]["Fabric"]["AdminPassword"]
    assert len(sent) == 24
    assert TAX.sk not in sent
    assert not [each for each in waits if sent in f"{each.position}{each.trace}{each.known}"]


@pytest.mark.parametrize("operation", ["create_chain", "deploy_contract", "get_ledger_summary", "list_tenants"])
def test_what_aws_cannot_do_says_why(driver: MappedDriver, operation: str) -> None:
    capability = driver.capabilities()[operation]
    assert not capability.supported
    assert "AWS" in capability.reason
    with pytest.raises(NotSupported):
        driver.perform(operation, OPERATIONS[operation].request.model_construct(), credentials=Credentials(), key="")
