"""The preset for Hyperledger Cello: channels, and honest refusals for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import Missing, PlatformRefused, PlatformUnavailable
from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from tests.platforms.presets.cello import PASSWORD, Cello
from tests.platforms.presets.running import carry, preset_driver

TAX = PartyCredential(ak="tax@example.gov", sk=PASSWORD, category="on_prem")
BOTH = Credentials(platform=PartyCredential(username="admin@example.gov", password=PASSWORD), creator=TAX, member=TAX)
PARTY = {"orgcode": "org-tax", "name": "Tax", "category": "on_prem"}


@pytest.fixture
def cello() -> Iterator[Cello]:
    with Cello() as platform:
        yield platform


@pytest.fixture
def driver(cello: Cello) -> Iterator[MappedDriver]:
    made = preset_driver("hyperledger-cello", cello.address + cello.prefix)
    yield made
    made.close()


def ask(driver: MappedDriver, operation: str, **request: Any) -> Any:
    return carry(driver, operation, request, BOTH)


def create(driver: MappedDriver, name: str) -> str:
    return ask(driver, "create_chain", network_id="cello", name=name, creator=PARTY).chain_id


def test_a_channel_is_made_by_the_organization_itself(cello: Cello, driver: MappedDriver) -> None:
    chain_id = create(driver, "permits")
    assert cello.made == [
        {"id": chain_id, "name": "permits", "organizations": [{"id": "o1", "name": "tax@example.gov"}]}
    ]
    chain = ask(driver, "get_chain", chain_id=chain_id)
    assert (chain.name, chain.kernel, chain.members) == ("permits", "fabric", ("tax@example.gov",))
    with pytest.raises(Missing):
        ask(driver, "get_chain", chain_id="0000-9")
    with pytest.raises(PlatformRefused, match="channel exists"):
        create(driver, "permits")


def test_every_page_of_the_channels(cello: Cello, driver: MappedDriver) -> None:
    cello.made = [{"id": f"c{n}", "name": f"channel{n}", "organizations": []} for n in range(230)]
    assert [each.chain_id for each in ask(driver, "list_chains").items] == [f"c{n}" for n in range(230)]
    assert [each.query["page"] for each in cello.calls("GET", "/channels")] == ["1", "2", "3", "4"]
    assert ask(driver, "get_chain", chain_id="c229").name == "channel229"


def test_the_installation_stands_for_the_network(driver: MappedDriver) -> None:
    network = ask(driver, "get_network", network_id="cello")
    assert [each.name for each in network.members] == ["tax", "housing"]
    assert [each.network_id for each in ask(driver, "list_networks").items] == ["cello"]
    assert ask(driver, "get_health").status == "up"


def test_nodes_and_a_dead_agent(cello: Cello, driver: MappedDriver) -> None:
    nodes = ask(driver, "list_nodes", network_id="cello").items
    assert [(each.role, each.state) for each in nodes] == [("peer", "running"), ("orderer", "stopped")]
    cello.agent_answers = False
    with pytest.raises(PlatformUnavailable, match="agent unreachable"):
        ask(driver, "list_nodes", network_id="cello")


def test_a_token_that_ended_is_renewed(cello: Cello, driver: MappedDriver) -> None:
    ask(driver, "get_health")
    cello.valid.clear()
    assert ask(driver, "get_health").status == "up"
    assert len(cello.calls("POST", "/login")) == 2


def test_each_party_signs_in_for_itself(cello: Cello, driver: MappedDriver) -> None:
    ask(driver, "get_health")
    create(driver, "permits")
    assert sorted(cello.valid.values()) == ["admin@example.gov", "tax@example.gov"]


def test_a_wrong_password(driver: MappedDriver) -> None:
    wrong = Credentials(platform=PartyCredential(username="admin@example.gov", password="something-else"))
    with pytest.raises(PlatformRefused, match="Invalid credentials") as caught:
        carry(driver, "get_health", {}, wrong)
    assert caught.value.code == "login_failed"
