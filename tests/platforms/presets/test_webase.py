"""The preset for WeBASE: page numbers in the path, errors as HTTP 200, a login of two calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import Missing, PlatformRefused, PlatformUnavailable
from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from tests.platforms.presets.running import carry, preset_driver
from tests.platforms.presets.standin import Reply
from tests.platforms.presets.webase import DIGEST, Webase

ADMIN = Credentials(platform=PartyCredential(username="admin", password=DIGEST))
PARTY = {
    "orgcode": "org-health",
    "name": "Health",
    "category": "on_prem",
    "machines": [{"ip": "10.0.0.9", "port": 5002}],
}


@pytest.fixture
def webase() -> Iterator[Webase]:
    with Webase() as platform:
        yield platform


@pytest.fixture
def driver(webase: Webase) -> Iterator[MappedDriver]:
    made = preset_driver("webase", webase.address + webase.prefix)
    yield made
    made.close()


def ask(driver: MappedDriver, operation: str, **request: Any) -> Any:
    return carry(driver, operation, request, ADMIN)


def test_the_login_takes_two_calls_and_is_kept(webase: Webase, driver: MappedDriver) -> None:
    assert ask(driver, "get_health").status == "up"
    assert ask(driver, "get_health").status == "up"
    assert [each.path.rsplit("/", 1)[-1] for each in webase.seen] == ["pictureCheckCode", "login", "type", "type"]


def test_a_token_that_ended_is_renewed(webase: Webase, driver: MappedDriver) -> None:
    ask(driver, "get_health")
    webase.valid.clear()
    assert ask(driver, "get_health").status == "up"
    webase.instead("GET /WeBASE-Node-Manager/deploy/type", Reply({"code": 202052, "message": "token expire"}))
    assert ask(driver, "get_health").status == "up"
    assert webase.logins == 3


def test_a_wrong_password(webase: Webase, driver: MappedDriver) -> None:
    wrong = Credentials(platform=PartyCredential(username="admin", password="0123456789abcdef"))
    with pytest.raises(PlatformRefused, match="password error") as caught:
        carry(driver, "get_health", {}, wrong)
    assert "0123456789abcdef" not in f"{caught.value.detail}{caught.value.as_dict()}"


@pytest.mark.parametrize("operation", ["list_blocks", "list_transactions"])
def test_pages(webase: Webase, driver: MappedDriver, operation: str) -> None:
    first = ask(driver, operation, chain_id="1", page=1, page_size=5)
    second = ask(driver, operation, chain_id="1", page=2, page_size=5)
    beyond = ask(driver, operation, chain_id="1", page=3, page_size=5)
    assert [len(each.items) for each in (first, second, beyond)] == [5, 2, 0]
    assert {each.total for each in (first, second, beyond)} == {7}
    assert first.items[0].time.isoformat() == "2020-05-13T19:47:37+08:00"
    assert webase.seen[-1].path.endswith("/1/3/5")


def test_the_transactions_of_one_block(webase: Webase, driver: MappedDriver) -> None:
    (one,) = ask(driver, "list_transactions", chain_id="1", block_height=4).items
    assert (one.tx_id, one.block_height, one.to) == ("0xt4", 4, "0xto")
    assert webase.seen[-1].query == {"blockNumber": "4"}


def test_a_transaction_with_its_receipt(driver: MappedDriver) -> None:
    done = ask(driver, "get_transaction", chain_id="1", tx_id="0xt3")
    assert (done.status, done.block_height, done.sender, done.to) == ("committed", 3, "0xfrom", "")
    assert ask(driver, "get_transaction", chain_id="1", tx_id="0xt2").status == "failed"
    with pytest.raises(Missing):
        ask(driver, "get_transaction", chain_id="1", tx_id="0xunknown")


def test_summary_and_figures(driver: MappedDriver) -> None:
    """The documents show numbers as texts in places."""
    summary = ask(driver, "get_ledger_summary", chain_id="1")
    assert (summary.height, summary.transactions, summary.nodes) == (7, 7, 2)
    figures = {each.name: each.value for each in ask(driver, "get_monitoring", chain_id="1").figures}
    assert figures == {"nodes": 2, "contracts": 3, "transactions": 7, "height": 7}
    with pytest.raises(Missing):
        ask(driver, "get_ledger_summary", chain_id="9")


def test_network_chains_nodes(webase: Webase, driver: MappedDriver) -> None:
    assert ask(driver, "get_network", network_id="default_chain").status == "running"
    assert [each.network_id for each in ask(driver, "list_networks").items] == ["default_chain"]
    (chain,) = ask(driver, "list_chains").items
    assert (chain.chain_id, chain.name, chain.status) == ("1", "group1", "running")
    detail = ask(driver, "get_chain", chain_id="1")
    assert json.loads(detail.extrainfo)["nodeCount"] == 2
    with pytest.raises(Missing):
        ask(driver, "get_chain", chain_id="9")
    nodes = ask(driver, "list_nodes", network_id="default_chain", chain_id="1").items
    assert [(each.endpoint, each.state) for each in nodes] == [
        ("10.0.0.4:30300", "running"),
        ("10.0.0.5:30300", "failed"),
    ]
    webase.chain_info = None  # a chain that was not deployed by WeBASE
    assert ask(driver, "get_network", network_id="default_chain").status == "running"


def test_join_quit_delete(webase: Webase, driver: MappedDriver) -> None:
    answer = ask(driver, "join_network", network_id="default_chain", member=PARTY)
    assert (answer.member_id, answer.status) == ("node-of-org-health", "running")
    assert webase.members[answer.member_id]["frontIp"] == "10.0.0.9"
    gone = {"network_id": "default_chain", "member": PARTY, "member_id": answer.member_id}
    assert ask(driver, "quit_network", **gone).status == "deleted"
    with pytest.raises(PlatformRefused, match="node id does not exist"):
        ask(driver, "quit_network", **gone)
    assert ask(driver, "delete_network", network_id="default_chain", creator=PARTY).status == "deleted"
    with pytest.raises(PlatformRefused, match="chain does not exist"):
        ask(driver, "delete_network", network_id="default_chain", creator=PARTY)


def test_contracts(webase: Webase, driver: MappedDriver) -> None:
    request = {
        "chain_id": "1",
        "name": "Permit",
        "bytecode": "0x6080",
        "abi": [{"type": "constructor"}],
        "arguments": ["局"],
    }
    answer = ask(driver, "deploy_contract", **request)
    assert (answer.contract_id, answer.status) == ("0xcontract", "running")
    sent = webase.seen[-1].json
    assert (sent["groupId"], json.loads(sent["contractAbi"])) == (1, [{"type": "constructor"}])
    assert ask(driver, "delete_contract", chain_id="1", contract_id="0xcontract").status == "stopped"
    assert webase.frozen == ["0xcontract"]


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Reply({"code": 201151, "message": "invalid groupId"}), PlatformRefused, "invalid groupId"),
        (Reply({"code": 102000, "message": "system exception"}), PlatformUnavailable, "system exception"),
        (Reply({"code": 202008, "message": "no data"}, 500), PlatformUnavailable, "no data"),
        (Reply({"message": "no code at all"}), PlatformRefused, "no code at all"),
    ],
)
def test_errors_in_an_envelope(
    webase: Webase, driver: MappedDriver, answer: Reply, kind: type[Exception], words: str
) -> None:
    webase.instead("GET /WeBASE-Node-Manager/group/general/1", answer)
    with pytest.raises(kind, match=words):
        ask(driver, "get_ledger_summary", chain_id="1")
