"""The preset for Huawei Cloud BCS: both planes, two accounts, every interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from console.errors import Missing, PlatformRefused
from platforms.drivers.base import Credentials
from platforms.drivers.mapped import MappedDriver
from tests.platforms.presets.bcs import PARTIES, Agent, Management
from tests.platforms.presets.running import carried, carry, preset_driver

TAX, HOUSING = PARTIES
ORGS = [
    {
        "orgcode": f"org-{name}",
        "name": name,
        "category": "cloud",
        "tenantid": f"domain-{name}",
        "tenantname": f"{name}_bureau",
        "projectid": f"project-{name}",
    }
    for name in ("tax", "housing")
]
OPERATOR = replace(TAX, username="admin", password="browser-password")
BOTH = Credentials(platform=OPERATOR, creator=TAX, member=HOUSING)


@pytest.fixture
def management() -> Iterator[Management]:
    with Management() as platform:
        yield platform


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent() as platform:
        yield platform


@pytest.fixture
def driver(management: Management, agent: Agent) -> Iterator[MappedDriver]:
    values = {"const.project_id": "project-tax", "addresses.agent": agent.address}
    made = preset_driver("huawei-bcs", management.address, values)
    yield made
    made.close()


def create(driver: MappedDriver) -> str:
    request = {"name": "permits", "kernel": "fabric", "creator": ORGS[0], "members": ORGS[1:]}
    return carry(driver, "create_network", request, BOTH).network_id


def join(driver: MappedDriver, network_id: str) -> Any:
    return carry(driver, "join_network", {"network_id": network_id, "member": ORGS[1], "inviter": ORGS[0]}, BOTH)


def test_create_waits_for_the_operation(management: Management, driver: MappedDriver) -> None:
    request = {"name": "permits", "kernel": "fabric", "creator": ORGS[0]}
    answer, waits = carried(driver, "create_network", request, BOTH)
    assert (answer.network_id, answer.status) == ("bcs-1", "running")
    assert waits[0].known == {"network_id": "bcs-1", "member_id": "bcs-1"}
    assert len(management.calls("GET", "/operation/record")) == 3
    sent = management.made["bcs-1"]["body"]
    assert (sent["blockchain_type"], sent["peer_orgs"]) == ("union", [{"name": "organization", "node_count": 2}])
    assert TAX.sk not in str(sent)


def test_a_failed_operation_fails_with_its_state(management: Management, driver: MappedDriver) -> None:
    management.ending = "failed"
    with pytest.raises(PlatformRefused) as caught:
        create(driver)
    assert caught.value.code == "job_failed"


def test_join_invites_builds_and_agrees(management: Management, driver: MappedDriver) -> None:
    answer = join(driver, create(driver))
    assert (answer.network_id, answer.member_id, answer.status) == ("bcs-1", "bcs-2", "running")
    invited = management.made["bcs-2"]["body"]
    assert invited["is_invitee"] is True
    assert invited["invitor_infos"] == {
        "tenant_id": "domain-tax",
        "project_id": "project-tax",
        "blockchain_id": "bcs-1",
    }
    assert [each["status"] for each in management.relations] == ["AGREED"]


def test_quit_leaves_and_gives_the_instance_back(management: Management, driver: MappedDriver) -> None:
    network_id = create(driver)
    member_id = join(driver, network_id).member_id
    request = {"network_id": network_id, "member": ORGS[1], "member_id": member_id}
    assert carry(driver, "quit_network", request, BOTH).status == "deleted"
    assert list(management.made) == ["bcs-1"]
    with pytest.raises(Missing):
        carry(driver, "quit_network", request, BOTH)


def test_delete(management: Management, driver: MappedDriver) -> None:
    network_id = create(driver)
    answer = carry(driver, "delete_network", {"network_id": network_id, "creator": ORGS[0]}, BOTH)
    assert answer.status == "deleted"
    assert management.calls("DELETE")[0].query == dict.fromkeys(
        ("is_delete_storage", "is_delete_obs", "is_delete_resource"), "true"
    )
    with pytest.raises(Missing):  # BCS answers 400 for an instance that is gone
        carry(driver, "get_network", {"network_id": network_id}, BOTH)


def test_chains_come_and_go(management: Management, driver: MappedDriver) -> None:
    network_id = create(driver)
    join(driver, network_id)
    chain = {"network_id": network_id, "chain_id": "permits"}
    request = {"network_id": network_id, "name": "permits", "creator": ORGS[0], "members": ORGS[1:]}
    assert carry(driver, "create_chain", request, BOTH).chain_id == "permits"
    assert management.made["bcs-1"]["channels"]["permits"] == {"organization": ["peer-0", "peer-1"]}
    assert carry(driver, "join_chain", {**chain, "member": ORGS[1]}, BOTH).status == "running"
    assert management.made["bcs-2"]["channels"]["permits"] == {"organization": ["peer-0", "peer-1"]}
    assert {each.chain_id for each in carry(driver, "list_chains", {"network_id": network_id}, BOTH).items} == {
        "channel",
        "permits",
    }
    assert carry(driver, "get_chain", chain, BOTH).consensus == "etcdraft"
    assert carry(driver, "quit_chain", {**chain, "member": ORGS[1]}, BOTH).status == "deleted"
    assert management.made["bcs-2"]["channels"]["permits"] == {}
    assert carry(driver, "delete_chain", {**chain, "creator": ORGS[0]}, BOTH).status == "deleted"
    with pytest.raises(Missing):
        carry(driver, "get_chain", chain, BOTH)


def test_reading_the_management_plane(driver: MappedDriver) -> None:
    network_id = create(driver)
    network = carry(driver, "get_network", {"network_id": network_id}, BOTH)
    assert (network.name, network.kernel, network.status) == ("permits", "fabric", "running")
    assert [each.network_id for each in carry(driver, "list_networks", {}, BOTH).items] == [network_id]
    nodes = carry(driver, "list_nodes", {"network_id": network_id}, BOTH).items
    assert [each.endpoint for each in nodes] == ["10.0.0.4:30605", "10.0.0.5:30605"]
    assert carry(driver, "get_health", {}, BOTH).status == "up"


def test_the_ledger_is_read_from_the_agent_with_its_own_token(
    management: Management, agent: Agent, driver: MappedDriver
) -> None:
    summary = carry(driver, "get_ledger_summary", {"chain_id": "channel"}, BOTH)
    assert (summary.height, summary.transactions, summary.nodes) == (120, 120, 2)
    figures = carry(driver, "get_monitoring", {"chain_id": "channel"}, BOTH).figures
    assert {each.name: each.value for each in figures}["contracts"] == 1
    assert agent.given == 1
    assert not management.seen
    assert "authorization" not in agent.seen[-1].headers


@pytest.mark.parametrize("operation", ["list_blocks", "list_transactions"])
def test_pages_are_cut_to_what_the_agent_gives(agent: Agent, driver: MappedDriver, operation: str) -> None:
    """We ask for 500 rows; the agent gives 50 at most, so page 3 begins behind the first 100."""
    answer = carry(driver, operation, {"chain_id": "channel", "page": 3, "page_size": 500}, BOTH)
    assert agent.seen[-1].query == {"is_pagination": "true", "offset": "100", "limit": "50"}
    assert answer.total == 120
    assert len(answer.items) == 20
    assert answer.items[0].time.isoformat() == "2021-01-20T19:30:28+08:00"


def test_a_forgotten_agent_token_is_renewed(agent: Agent, driver: MappedDriver) -> None:
    carry(driver, "get_ledger_summary", {"chain_id": "channel"}, BOTH)
    agent.valid.clear()
    assert carry(driver, "list_blocks", {"chain_id": "channel"}, BOTH).total == 120
    assert agent.given == 2


def test_a_wrong_password_of_the_agent(driver: MappedDriver) -> None:
    wrong = Credentials(platform=replace(OPERATOR, password="another-password"))
    with pytest.raises(PlatformRefused, match="wrong user or password") as caught:
        carry(driver, "get_ledger_summary", {"chain_id": "channel"}, wrong)
    assert caught.value.code == "login_failed"


def test_a_wrong_signature(driver: MappedDriver) -> None:
    wrong = Credentials(platform=replace(OPERATOR, sk="another-secret-key"))
    with pytest.raises(PlatformRefused, match="Incorrect IAM authentication") as caught:
        carry(driver, "list_networks", {}, wrong)
    assert caught.value.code == "credential_refused"
