"""Reading chains of strangers, whose nodes may answer anything: what is not understood is refused by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import PlatformRefused
from platforms import standard
from platforms.drivers.base import Credentials, Finished
from platforms.drivers.evm.driver import EvmDriver
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.words import OTHER_FIRST
from tests.platforms.evm.lying import HASHES, HEIGHT, LyingNode, known_as

ODD_BLOCKS: list[Any] = [
    None,
    "0x5",
    [],
    {},
    {"number": None},
    {"number": "zz"},
    {"number": -1},
    {"number": "0x" + "f" * 17},
    {"timestamp": None},
    {"timestamp": "soon"},
    {"timestamp": 1.5},
    {"hash": None},
]
ODD_NUMBERS: list[Any] = [None, "zz", "", "0x", -3, [], {}, 1.5, True]


@pytest.fixture
def driver() -> Iterator[EvmDriver]:
    """It knows no chain but those that are only observed."""
    nothing: Any = None
    made = EvmDriver(book=nothing, spaces=nothing, settings=Settings("ethereum", "geth"))
    yield made
    made.close()


def ask(driver: EvmDriver, operation: str, **request: Any) -> Any:
    wanted = standard.OPERATIONS[operation].request(**request)
    done = driver.perform(operation, wanted, credentials=Credentials(), key="")
    assert isinstance(done, Finished)
    return done.answer


def changed(node: LyingNode, method: str, said: Any) -> None:
    """The node's answers to this method: others, or with some fields of their own."""

    def change(asked: str, truth: Any) -> Any:
        if asked != method:
            return truth
        return truth | said if isinstance(said, dict) and said and isinstance(truth, dict) else said

    node.change = change


def refused(node: LyingNode, method: str, ask_it: Any) -> None:
    with pytest.raises(PlatformRefused) as problem:
        ask_it()
    assert problem.value.code == "bad_answer"
    assert f"127.0.0.1:{node.port} answered {method} " in problem.value.detail


def test_figures_are_of_what_the_node_says(driver: EvmDriver, node: LyingNode) -> None:
    figures = {each.name: each.value for each in ask(driver, "get_monitoring", chain_id=node.chain_id).figures}
    assert (figures["height"], figures["peers"], figures["block_time"]) == (HEIGHT, 1, 0)
    assert ask(driver, "get_ledger_summary", chain_id=node.chain_id).transactions == HEIGHT + 1
    chain = {"network_id": node.chain_id, "chain_id": node.chain_id}
    status = ask(driver, "get_chain", **chain).status
    assert status == "running", "its last block is years old, but nobody knows how often it makes one"


@pytest.mark.parametrize("said", ODD_BLOCKS, ids=str)
def test_a_last_block_of_another_form_is_refused(driver: EvmDriver, node: LyingNode, said: Any) -> None:
    changed(node, "eth_getBlockByNumber", said)
    for operation in ("get_ledger_summary", "get_monitoring"):
        refused(node, "eth_getBlockByNumber", lambda chosen=operation: ask(driver, chosen, chain_id=node.chain_id))
    chain = {"network_id": node.chain_id, "chain_id": node.chain_id}
    assert ask(driver, "get_chain", **chain).status == "unknown"

    async def follow() -> Any:
        try:
            request = standard.ChainRequest(chain_id=node.chain_id)
            return await driver.follower.read("get_ledger_summary", request)
        finally:
            await driver._wire._session().close()

    refused(node, "eth_getBlockByNumber", lambda: asyncio.run(follow()))


@pytest.mark.parametrize("said", ODD_NUMBERS, ids=str)
def test_a_number_that_is_none_is_refused(driver: EvmDriver, node: LyingNode, said: Any) -> None:
    changed(node, "net_peerCount", said)
    refused(node, "net_peerCount", lambda: ask(driver, "get_monitoring", chain_id=node.chain_id))
    changed(node, "eth_blockNumber", said)
    refused(node, "eth_blockNumber", lambda: ask(driver, "list_blocks", chain_id=node.chain_id))


def test_transactions_that_are_not_whole_are_refused(driver: EvmDriver, node: LyingNode) -> None:
    changed(node, "eth_getBlockByNumber", {"transactions": ["0x5"]})
    about = {"chain_id": node.chain_id, "block_height": 3}
    refused(node, "eth_getBlockByNumber", lambda: ask(driver, "list_transactions", **about))


def test_a_time_that_no_calendar_has_is_refused(driver: EvmDriver, node: LyingNode) -> None:
    changed(node, "eth_getBlockByNumber", {"timestamp": "0xffffffffffffffff"})
    for operation in ("get_ledger_summary", "list_blocks"):
        with pytest.raises(PlatformRefused) as problem:
            ask(driver, operation, chain_id=node.chain_id)
        assert problem.value.code == "bad_answer"


def test_an_earlier_block_that_the_node_lacks_costs_one_figure(driver: EvmDriver, node: LyingNode) -> None:
    node.change = lambda method, said: None if "Block" in method and said["number"] != hex(HEIGHT) else said
    names = {each.name for each in ask(driver, "get_monitoring", chain_id=node.chain_id).figures}
    assert "height" in names
    assert "block_time" not in names


@pytest.mark.parametrize("said", ODD_NUMBERS, ids=str)
def test_a_stranger_without_a_number_is_not_taken_over(driver: EvmDriver, node: LyingNode, said: Any) -> None:
    changed(node, "eth_chainId", said)
    refused(node, "eth_chainId", lambda: ask(driver, "get_network", network_id=node.chain_id))


@pytest.mark.parametrize("said", ODD_BLOCKS, ids=str)
def test_strangers_without_a_first_block_are_not_one_chain(
    driver: EvmDriver, node: LyingNode, other: LyingNode, said: Any
) -> None:
    changed(node, "eth_getBlockByNumber", said)
    changed(other, "eth_getBlockByNumber", said)
    refused(node, "eth_getBlockByNumber", lambda: ask(driver, "get_network", network_id=known_as(node, other)))


def test_nodes_with_different_first_blocks_are_not_one_chain(
    driver: EvmDriver, node: LyingNode, other: LyingNode
) -> None:
    """Two chains of one number: whoever sets one up by an example has the example's number."""
    both = known_as(node, other)
    places = [f"127.0.0.1:{each.port}" for each in (node, other)]
    assert [member.member_id for member in ask(driver, "get_network", network_id=both).members] == places
    other.change = lambda method, said: said | {"hash": HASHES[77]} if method == "eth_getBlockByNumber" else said
    with pytest.raises(PlatformRefused) as problem:
        ask(driver, "get_network", network_id=both)
    assert problem.value.code == "other_chain"
    assert problem.value.detail == OTHER_FIRST % {"nodes": ", ".join(places)}
    for each in (node, other):
        assert ask(driver, "get_network", network_id=known_as(each)).members
