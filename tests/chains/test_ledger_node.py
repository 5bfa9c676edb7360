"""A real node's ledger: what it says in words, and its head taking other ways."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.test import Client

from chains.models import (
    Block,
    Blockchain,
    BusinessChain,
    Contract,
    ContractVersion,
    LedgerStatistic,
    Reorganisation,
    Transaction,
)
from chains.services import history
from platforms.models import Platform
from platforms.sandbox.anvil import find_anvil
from platforms.sandbox.counter import CODE, INCREMENT
from platforms.standard import OPERATIONS
from tests.chains.test_pages import words
from tests.rest import client
from tests.tools.services import free_port
from tests.unions.cast import Cast

ANVIL = find_anvil()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(ANVIL is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
Observe = Callable[..., int]
ABI = [
    {"type": "function", "name": "increment", "inputs": [], "outputs": [], "stateMutability": "nonpayable"},
    {"type": "function", "name": "get", "inputs": [], "outputs": [{"type": "uint256"}], "stateMutability": "view"},
    {"type": "event", "name": "Incremented", "inputs": [{"name": "value", "type": "uint256", "indexed": False}]},
]


class Node:
    """An anvil that makes a block when it is told to."""

    def __init__(self, port: int) -> None:
        self.port, self.http = port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def call(self, method: str, *parameters: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer = self.http.post("/", json=body).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, **transaction: str) -> str:
        """In a block of its own; its hash."""
        sender = self.call("eth_accounts")[0]
        found: str = self.call("eth_sendTransaction", {"from": sender, "gas": hex(300_000), **transaction})
        self.call("evm_mine")
        return found


@pytest.fixture
def node() -> Iterator[Node]:
    port = free_port()
    command = [str(ANVIL), "--port", str(port), "--no-mining", "--silent"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        made, deadline = Node(port), time.monotonic() + 30
        while True:
            try:
                made.call("eth_chainId")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the node does not come up"
                time.sleep(0.05)
        yield made
        made.http.close()
        process.kill()


@pytest.fixture
def row(node: Node, cast: Cast, settings: Any) -> Blockchain:
    """The node's chain, read by the native driver."""
    settings.OBSERVE_EVERY_SECONDS = 3600.0
    able = {name: {"supported": name not in ("get_monitoring", "list_nodes"), "reason": ""} for name in OPERATIONS}
    platform = Platform.objects.create(
        oemtype="own", name="Own machines", kind="evm", kernel="ethereum", cloudtype="on_prem", capabilities=able
    )
    chain = BusinessChain.objects.create(uid="bc-own", name="Own", platform=platform, creator=cast.tax)
    chain.organizations.set([cast.tax])
    made = Blockchain.objects.create(
        uid="own", business_chain=chain, external_id=f"31337@127.0.0.1:{node.port}", name="Own"
    )
    made.organizations.set([cast.tax])
    return made


def known_contract(row: Blockchain, cast: Cast, address: str, abi: list[Any] = ABI, name: str = "Counter") -> Contract:
    """A contract in the book, as its deployment leaves it."""
    contract = Contract(
        uid=f"contract-{name}", blockchain=row, owner=cast.tax, name=name, name_key=name.lower(), address=address
    )
    contract.begin_creating()
    contract.run(address, address)
    contract.save()
    version = ContractVersion(contract=contract, number=1, entry=name, abi=abi, bytecode=CODE)
    version.begin_creating()
    version.run(address=address, transaction="0x" + "00" * 32, sender="")
    version.save()
    return contract


def seen(cast: Cast, path: str) -> str:
    browser = Client()
    browser.force_login(cast.alice)
    answer = browser.get(path)
    assert answer.status_code == 200
    return words(answer.content.decode())


# --- in words ---------------------------------------------------------------------------------------------------------


def test_a_call_and_its_event_are_told_in_the_contracts_words(
    node: Node, row: Blockchain, cast: Cast, observe: Observe
) -> None:
    made = node.send(data=CODE)
    address = node.call("eth_getTransactionReceipt", made)["contractAddress"]
    called = node.send(to=address, data=INCREMENT)
    observe(row)
    there = f"/api/v1/blockchains/own/transactions/{called}"
    raw = client(cast.alice).get(there).json()
    (log,) = raw["logs"]
    assert (raw["call"], log["event"], log["address"]) == (None, None, address)

    contract = known_contract(row, cast, address.upper().replace("0X", "0x"))
    told = client(cast.alice).get(there).json()
    assert told["call"] == {
        "contract": contract.uid,
        "contract_name": "Counter",
        "name": "increment",
        "signature": "increment()",
        "arguments": [],
    }
    (log,) = told["logs"]
    assert log["event"] == {
        "contract": contract.uid,
        "contract_name": "Counter",
        "name": "Incremented",
        "signature": "Incremented(uint256)",
        "arguments": [{"name": "value", "type": "uint256", "value": "1"}],
    }
    html = seen(cast, f"/chains/own/transactions/{called}")
    assert re_order(html, "Calls the contract Counter", "increment()", "Incremented(uint256)", "value uint256", "1")
    for user, status in ((cast.carol, 404), (cast.dan, 404)):
        assert client(user).get(there).status_code == status


def re_order(text: str, *parts: str) -> bool:
    """All of it, one behind the other."""
    at = 0
    for part in parts:
        at = text.find(part, at)
        assert at >= 0, (part, text[-3000:])
    return True


def test_no_event_and_no_word_of_events_are_two_things(
    node: Node, row: Blockchain, cast: Cast, observe: Observe
) -> None:
    moved = node.send(to="0x" + "ab" * 20, value="0x5")
    observe(row)
    assert "No contract told anything." in seen(cast, f"/chains/own/transactions/{moved}")
    Platform.objects.filter(oemtype="own").update(kind="mapped")
    Transaction.objects.update(extrainfo="")
    assert "The platform does not tell which events there were." in seen(cast, f"/chains/own/transactions/{moved}")
    assert client(cast.alice).get(f"/api/v1/blockchains/own/transactions/{moved}").json()["logs"] is None


# --- other ways -------------------------------------------------------------------------------------------------------


def chain_of(node: Node) -> list[tuple[int, str, int]]:
    """The node's own blocks."""
    head = int(node.call("eth_blockNumber"), 16)
    blocks = [node.call("eth_getBlockByNumber", hex(height), False) for height in range(head + 1)]
    return [(int(each["number"], 16), each["hash"], len(each["transactions"])) for each in blocks]


def assert_as_the_node_has_it(node: Node, row: Blockchain) -> None:
    """Blocks, transactions and figures are those of the node's chain, and nothing else."""
    theirs = chain_of(node)
    ours = Block.objects.filter(blockchain=row).order_by("height")
    assert list(ours.values_list("height", "hash", "transactions_count")) == theirs
    hashes = {
        each
        for height, _hash, _number in theirs
        for each in node.call("eth_getBlockByNumber", hex(height), False)["transactions"]
    }
    assert set(Transaction.objects.filter(blockchain=row).values_list("hash", flat=True)) == hashes
    history.count()
    for period in ("hour", "day"):
        rows = LedgerStatistic.objects.filter(blockchain=row, period=period)
        assert sum(each.blocks for each in rows) == len(theirs)
        assert sum(each.transactions for each in rows) == len(hashes)


def test_a_reorganised_node_is_followed(node: Node, row: Blockchain, cast: Cast, observe: Observe) -> None:
    for number in range(6):
        node.send(to="0x" + "ab" * 20, value=hex(number + 1))
    observe(row)
    assert_as_the_node_has_it(node, row)
    lost = Transaction.objects.get(height=6).hash
    node.call("anvil_reorg", 3, [])
    node.call("anvil_mine", "0x2")
    observe(row)
    assert_as_the_node_has_it(node, row)
    found = Reorganisation.objects.get()
    assert (found.from_height, found.to_height, found.blocks, found.transactions) == (4, 6, 3, 3)
    answer = client(cast.alice).get(f"/api/v1/blockchains/own/transactions/{lost}")
    assert (answer.status_code, answer.json()["code"]) == (404, "dropped")


def test_a_node_that_is_rolled_back_is_followed(node: Node, row: Blockchain, observe: Observe) -> None:
    node.send(to="0x" + "ab" * 20, value="0x1")
    kept = node.call("evm_snapshot")
    for number in range(4):
        node.send(to="0x" + "ab" * 20, value=hex(number + 2))
    observe(row)
    history.count()
    assert node.call("evm_revert", kept)
    observe(row)
    assert_as_the_node_has_it(node, row)
    assert Reorganisation.objects.get().blocks == 4
    node.send(to="0x" + "cd" * 20, value="0x9")
    observe(row)
    assert_as_the_node_has_it(node, row)
    assert Reorganisation.objects.count() == 1
