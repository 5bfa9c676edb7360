"""The preset for Kaleido: consortia, memberships, environments and nodes, in the order that Kaleido wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import Missing, PlatformRefused
from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from tests.platforms.presets.kaleidoscope import KEY, Kaleido
from tests.platforms.presets.running import carried, carry, preset_driver

ACCOUNT = PartyCredential(token=KEY, category="cloud")
BOTH = Credentials(platform=ACCOUNT, creator=ACCOUNT, member=ACCOUNT)
TAX, HOUSING = ({"orgcode": f"org-{name}", "name": name, "category": "cloud"} for name in ("tax", "housing"))


@pytest.fixture
def kaleido() -> Iterator[Kaleido]:
    with Kaleido() as platform:
        yield platform


@pytest.fixture
def driver(kaleido: Kaleido) -> Iterator[MappedDriver]:
    made = preset_driver("kaleido", kaleido.address + kaleido.prefix)
    yield made
    made.close()


def ask(driver: MappedDriver, operation: str, **request: Any) -> Any:
    return carry(driver, operation, request, BOTH)


def network(driver: MappedDriver) -> Any:
    return ask(driver, "create_network", name="permits", creator=TAX, members=[HOUSING])


def test_a_networks_whole_life(kaleido: Kaleido, driver: MappedDriver) -> None:
    made = network(driver)
    joined = ask(driver, "join_network", network_id=made.network_id, member=HOUSING, inviter=TAX)
    read = ask(driver, "get_network", network_id=made.network_id)
    assert {each.member_id: each.name for each in read.members} == {made.member_id: "tax", joined.member_id: "housing"}
    assert (read.name, read.status, read.kernel) == ("permits", "running", "quorum")
    with pytest.raises(PlatformRefused, match="all but one participant"):
        ask(driver, "delete_network", network_id=made.network_id, creator=TAX)
    quitting = {"network_id": made.network_id, "member": HOUSING, "member_id": joined.member_id}
    assert ask(driver, "quit_network", **quitting).status == "deleted"
    with pytest.raises(Missing):
        ask(driver, "quit_network", **quitting)
    assert ask(driver, "delete_network", network_id=made.network_id, creator=TAX).status == "deleted"
    assert ask(driver, "list_networks").items == ()
    with pytest.raises(Missing):
        ask(driver, "get_network", network_id=made.network_id)


def test_a_chains_whole_life(kaleido: Kaleido, driver: MappedDriver) -> None:
    network_id = network(driver).network_id
    member_id = ask(driver, "join_network", network_id=network_id, member=HOUSING).member_id
    request = {"network_id": network_id, "name": "ledger", "creator": TAX, "members": [HOUSING]}
    made, waits = carried(driver, "create_chain", request, BOTH)
    assert made.status == "running"
    assert waits[-1].known == {"chain_id": made.chain_id}
    chain = {"network_id": network_id, "chain_id": made.chain_id}
    assert ask(driver, "join_chain", **chain, member=HOUSING).status == "running"
    nodes = ask(driver, "list_nodes", **chain).items
    assert [(each.state, each.endpoint) for each in nodes] == [("running", "https://node-rpc.kaleido.io")] * 2
    assert nodes[1].member_id == member_id
    read = ask(driver, "get_chain", **chain)
    assert (read.name, read.consensus, read.kernel, read.status) == ("ledger", "raft", "quorum", "running")
    with pytest.raises(PlatformRefused, match="still has nodes"):
        ask(driver, "quit_network", network_id=network_id, member=HOUSING, member_id=member_id)
    assert ask(driver, "quit_chain", **chain, member=HOUSING).status == "deleted"
    with pytest.raises(Missing):
        ask(driver, "quit_chain", **chain, member=HOUSING)
    assert ask(driver, "delete_chain", **chain, creator=TAX).status == "deleted"
    assert ask(driver, "list_chains", network_id=network_id).items == (), "what was deleted lingers, and is not shown"
    with pytest.raises(Missing):
        ask(driver, "get_chain", **chain)


def test_health_and_a_wrong_key(driver: MappedDriver) -> None:
    assert ask(driver, "get_health").status == "up"
    with pytest.raises(PlatformRefused, match="Unauthorized") as caught:
        carry(driver, "get_health", {}, Credentials(platform=PartyCredential(token="another-api-key")))
    assert caught.value.code == "credential_refused"


def test_a_lost_answer_does_not_make_a_second_node(kaleido: Kaleido, driver: MappedDriver) -> None:
    """The node is made, its answer is lost on the way: the mapping looks for it by its name."""
    network_id = network(driver).network_id
    chain_id = ask(driver, "create_chain", network_id=network_id, name="ledger", creator=TAX).chain_id
    ask(driver, "join_network", network_id=network_id, member=HOUSING)
    call = f"/api/v1/consortia/{network_id}/environments/{chain_id}/nodes"
    kaleido.lose(f"POST {call}")
    request = {"network_id": network_id, "chain_id": chain_id, "member": HOUSING}
    made = [each for each in kaleido.things.values() if each["kind"] == "node"]
    assert carry(driver, "join_chain", request, BOTH).status == "running"
    assert len([each for each in kaleido.things.values() if each["kind"] == "node"]) == len(made) + 1
