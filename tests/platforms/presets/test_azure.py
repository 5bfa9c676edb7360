"""The preset for Azure Blockchain Service: mapped from its published description alone, with three subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import Missing, PlatformRefused
from platforms.drivers.base import Credentials, Finished, PartyCredential, Pending
from platforms.drivers.mapped import MappedDriver
from platforms.standard import OPERATIONS
from tests.platforms.presets.azure import PARTIES, Azure, Directory
from tests.platforms.presets.running import carried, carry, preset_driver

OPERATOR = PartyCredential(username=PARTIES[0].ak, password=PARTIES[0].sk)
BOTH = Credentials(platform=OPERATOR, creator=PARTIES[0], member=PARTIES[1])
TAX, HOUSING = (
    {
        "orgcode": f"org-{name}",
        "name": f"{name} bureau",
        "category": "cloud",
        "tenantid": f"sub-{name}",
        "projectid": f"group-{name}",
    }
    for name in ("tax", "housing")
)


@pytest.fixture
def azure() -> Iterator[Azure]:
    with Azure() as platform:
        yield platform


@pytest.fixture
def driver(azure: Azure) -> Iterator[MappedDriver]:
    with Directory() as directory:
        values = {"const.subscription": "sub-tax", "addresses.directory": directory.address}
        made = preset_driver("azure-blockchain-service", azure.address, values)
        yield made
        made.close()


def ask(driver: MappedDriver, operation: str, key: str = "k-1", **request: Any) -> Any:
    return carry(driver, operation, request, BOTH, key)


def test_a_consortiums_whole_life(azure: Azure, driver: MappedDriver) -> None:
    creating = {"name": "Building Permits 许可", "kernel": "quorum", "creator": TAX, "members": [HOUSING]}
    made, waits = carried(driver, "create_network", creating, BOTH, "5b0c1a")
    assert made.network_id.endswith("/resourceGroups/group-tax/providers/Microsoft.Blockchain/blockchainMembers/orgtax")
    assert waits[-1].known == {"network_id": made.network_id, "member_id": "orgtax"}
    azure.invite("sub-housing")
    joined = ask(driver, "join_network", network_id=made.network_id, member=HOUSING, inviter=TAX)
    assert (joined.network_id, joined.member_id) == (made.network_id, "orghousing")
    read = ask(driver, "get_network", network_id=made.network_id)
    assert (read.name, read.kernel, read.status) == ("buildingperm5b0c1a", "quorum", "running")
    assert [(each.member_id, each.tenantid) for each in read.members] == [
        ("orgtax", "sub-tax"),
        ("orghousing", "sub-housing"),
    ]
    (node,) = ask(driver, "list_nodes", network_id=made.network_id).items
    assert (node.endpoint, node.state) == ("orgtax.blockchain.azure.example", "running")
    assert len(azure.passwords["buildingperm5b0c1a"]) == 2, "each member's password comes from its own secret"
    with pytest.raises(PlatformRefused, match="Let the other members quit first"):
        ask(driver, "delete_network", network_id=made.network_id, creator=TAX)
    quitting = {"network_id": made.network_id, "member": HOUSING, "member_id": joined.member_id}
    assert ask(driver, "quit_network", **quitting).status == "deleted"
    with pytest.raises(Missing):
        ask(driver, "quit_network", **quitting)
    assert ask(driver, "delete_network", network_id=made.network_id, creator=TAX).status == "deleted"
    assert ask(driver, "list_networks").items == ()
    with pytest.raises(Missing):
        ask(driver, "get_network", network_id=made.network_id)


def test_joining_waits_for_the_invitation(azure: Azure, driver: MappedDriver) -> None:
    """Azure has no call for it: somebody does it by hand, and then the flow goes on."""
    network_id = ask(driver, "create_network", name="permits", creator=TAX).network_id
    request = OPERATIONS["join_network"].request.model_validate({"network_id": network_id, "member": HOUSING})
    position: Any = None
    for _look in range(3):
        result = driver.perform("join_network", request, credentials=BOTH, key="k-2", position=position)
        assert isinstance(result, Pending)
        assert len(azure.members) == 1
        position = result.position
    azure.invite("sub-housing")
    while isinstance(result, Pending):
        result = driver.perform("join_network", request, credentials=BOTH, key="k-2", position=result.position)
    assert isinstance(result, Finished)
    assert len(azure.members) == 2


def test_a_creation_that_is_sent_twice_makes_one_member(azure: Azure, driver: MappedDriver) -> None:
    first = ask(driver, "create_network", name="permits", creator=TAX)
    assert ask(driver, "create_network", name="permits", creator=TAX) == first
    assert len(azure.members) == 1


def test_each_subscription_is_opened_by_its_own_principal(azure: Azure, driver: MappedDriver) -> None:
    assert ask(driver, "get_health").status == "up"
    with pytest.raises(PlatformRefused, match="does not have authorization") as caught:
        ask(driver, "create_network", name="permits", creator={**TAX, "tenantid": "sub-housing"})
    assert caught.value.code == "not_allowed"
    wrong = Credentials(platform=PartyCredential(username="app-tax", password="guessed"))
    with pytest.raises(PlatformRefused, match="invalid client secret") as caught:
        carry(driver, "get_health", {}, wrong)
    assert caught.value.code == "login_failed"
    assert azure.members == {}
