"""Contracts on chains of the native driver: signed here, sent once whatever happens, on a real EVM without gas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console.errors import NotSupported, PlatformRefused, PlatformUnavailable
from console.models import User
from platforms import standard
from platforms.drivers.base import Credentials, Finished, Json, Pending
from platforms.drivers.evm import sending
from platforms.drivers.evm.book import Chain, Network
from platforms.drivers.evm.driver import EvmDriver
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.words import NODE_REFUSED
from platforms.hosts.spaces import Space
from platforms.models import NativeAccount, NativeNode, NativeSending, Platform
from platforms.sandbox.anvil import find_anvil
from platforms.sandbox.counter import CODE, GET, INCREMENT
from platforms.services.native import book_of
from platforms.signing import reason_in, upgrade_call
from tests.chains.node_plane import anvil

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
TAX = standard.Party(orgcode="org-tax", name="Tax", category="on_prem")
TAKES_ANYTHING = "0x60018060095f395ff300"  # a contract that does nothing with whatever it is told


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    binary = find_anvil()
    assert binary is not None
    with anvil(binary, "--gas-price", "0", "--base-fee", "0") as address:
        yield address


@pytest.fixture
def driver(node: str, root: User) -> EvmDriver:
    """A chain in the book whose only node is that one."""
    platform = Platform.objects.create(oemtype="own", name="Own", kind="evm", kernel="ethereum")
    book = book_of(platform)
    book.open_network(Network("net-1", "Permits", {"org-tax": "Tax"}))
    chain = book.open_chain(Chain("chain-1", "net-1", "main", "clique", 4242, 1))
    ip, _colon, port = node.removeprefix("http://").partition(":")
    made = book.open_node(chain, Space("org-tax", ((ip, 2376),), ""), image="geth")
    NativeNode.objects.filter(node_id=made.node_id).update(rpc_port=int(port.strip("/")), enode="enode://1@1.1.1.1:1")
    return EvmDriver(book=book, spaces=lambda _code: Space("org-tax", (), ""), settings=Settings("ethereum", "geth"))


def go(driver: EvmDriver, request: standard.Request, operation: str, key: str, position: Json | None = None) -> Any:
    return driver.perform(operation, request, credentials=Credentials(), key=key, position=position)


def carry(driver: EvmDriver, request: standard.Request, operation: str, key: str) -> Any:
    result: Finished | Pending = go(driver, request, operation, key)
    for _try in range(50):
        if isinstance(result, Finished):
            return result.answer
        result = go(driver, request, operation, key, result.position)
    raise AssertionError("it never ends")


def rpc(node: str, method: str, *params: Any) -> Any:
    answer = httpx.post(node, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()
    return answer["result"]


def deploy(code: str = CODE) -> standard.DeployContractRequest:
    return standard.DeployContractRequest(chain_id="chain-1", name="Counter", sender=TAX, data=code)


def test_deployed_called_and_changed(driver: EvmDriver, node: str) -> None:
    made = carry(driver, deploy(), "deploy_contract", "one")
    assert rpc(node, "eth_getCode", made.address, "latest") != "0x"
    assert made.sender.lower() == NativeAccount.objects.get().address.lower()
    call = standard.SendTransactionRequest(chain_id="chain-1", sender=TAX, to=made.address, data=INCREMENT)
    sent = carry(driver, call, "send_transaction", "two")
    assert sent.status == "committed"
    assert int(rpc(node, "eth_call", {"to": made.address, "data": GET}, "latest"), 16) == 1

    proxy = carry(driver, deploy(TAKES_ANYTHING), "deploy_contract", "three")
    asked = standard.UpgradeContractRequest(
        chain_id="chain-1", name="Counter", sender=TAX, data=CODE, contract_id=proxy.contract_id
    )
    changed = carry(driver, asked, "upgrade_contract", "four")
    assert changed.contract_id == proxy.contract_id
    assert rpc(node, "eth_getCode", changed.address, "latest") == rpc(node, "eth_getCode", made.address, "latest")
    told = rpc(node, "eth_getTransactionByHash", changed.transaction)
    assert (told["to"], told["input"]) == (proxy.address, upgrade_call(changed.address))
    assert not NativeSending.objects.exclude(raw="").exists()


def test_the_same_key_has_one_effect_also_after_a_crash(driver: EvmDriver, node: str) -> None:
    first = go(driver, deploy(), "deploy_contract", "same")
    assert isinstance(first, Pending)  # written down and handed in; the worker dies here, and its position with it
    one = carry(driver, deploy(), "deploy_contract", "same")
    two = carry(driver, deploy(), "deploy_contract", "same")
    assert one == two
    assert NativeSending.objects.count() == 1
    assert int(rpc(node, "eth_getTransactionCount", one.sender, "latest"), 16) == 1


def test_what_was_signed_and_never_sent_goes_first(driver: EvmDriver, node: str) -> None:
    """The other worker died between writing down and sending: its number would be missing for ever."""
    carry(driver, deploy(), "deploy_contract", "before")
    row = NativeSending.objects.get()
    asked = go(driver, deploy(), "deploy_contract", "lost")
    assert isinstance(asked, Pending)
    lost = NativeSending.objects.exclude(pk=row.pk).get()
    assert lost.nonce == row.nonce + 1
    later = carry(driver, deploy(), "deploy_contract", "later")
    assert int(rpc(node, "eth_getTransactionByHash", later.transaction)["nonce"], 16) == lost.nonce + 1
    assert carry(driver, deploy(), "deploy_contract", "lost").transaction == lost.hash


def test_what_the_contract_refuses_is_refused_before_it_is_sent(driver: EvmDriver) -> None:
    made = carry(driver, deploy(), "deploy_contract", "one")
    call = standard.SendTransactionRequest(chain_id="chain-1", sender=TAX, to=made.address, data="0xdeadbeef")
    with pytest.raises(PlatformRefused, match="eth_estimateGas"):
        go(driver, call, "send_transaction", "two")
    assert NativeSending.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "known"),
    [("invalid opcode: PUSH0", False), ("invalid opcode: opcode 0x5f not defined", False),
     ("invalid opcode: INVALID", True), ("invalid opcode: opcode 0xfe not defined", True), ("out of gas", True)],
)  # fmt: skip
def test_code_for_a_newer_machine_is_told_by_name(said: str, known: bool) -> None:
    """In the words of geth and of GoQuorum; an assertion that failed is none of that."""
    chain = Chain("chain-1", "net-1", "main", "qbft", 7, 1, genesis={"config": {"istanbulBlock": 0}})
    problem = PlatformRefused(NODE_REFUSED % {"node": "n", "method": "eth_estimateGas", "problem": said})
    told = sending.in_words(chain, problem)
    assert (told is problem) == known
    if not known:
        assert told.code == "unknown_instruction"
        assert "istanbul" in told.detail
        assert said.removeprefix("invalid opcode: ") in told.detail


def test_nobody_deploys_on_a_chain_that_is_observed_only_or_away(driver: EvmDriver) -> None:
    seen = deploy().model_copy(update={"chain_id": "4242@127.0.0.1:1"})
    with pytest.raises(NotSupported):
        go(driver, seen, "deploy_contract", "one")
    NativeNode.objects.update(rpc_port=1)
    with pytest.raises(PlatformUnavailable):
        go(driver, deploy(), "deploy_contract", "two")
    assert not NativeSending.objects.exists()


def test_keys_are_sealed_and_one_for_each_organization(driver: EvmDriver) -> None:
    book = book_of(Platform.objects.get())
    own = book.signing_key("chain-1", "org-tax")
    assert own == book.signing_key("chain-1", "org-tax") != book.signing_key("chain-1", "org-housing")
    assert own not in repr(NativeAccount.objects.first().__dict__)


def test_the_reason_of_a_revert_is_read_and_nonsense_is_not() -> None:
    assert reason_in(f"0x08c379a0{32:064x}{2:064x}{b'no'.hex():0<64}") == "no"
    assert [reason_in(each) for each in ("0x08c379a0zz", "0x12", None, f"0x08c379a0{32:064x}{2**40:064x}ff")] == [
        ""
    ] * 4
