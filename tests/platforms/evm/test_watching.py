"""What observers ask of chains, over a real connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.errors import PlatformUnavailable
from platforms.drivers.evm import watching, wire
from platforms.drivers.evm.driver import EvmDriver
from platforms.drivers.evm.programs import Settings
from platforms.standard import LedgerRange, LedgerRangeRequest
from tests.platforms.evm.lying import LyingNode, known_as

BLOCKS = 100


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> EvmDriver:
    """It knows no chain but those that are only observed."""
    monkeypatch.setattr(wire, "CALL_SECONDS", 2.0)
    nothing: Any = None
    return EvmDriver(book=nothing, spaces=nothing, settings=Settings("ethereum", "geth"))


def read(driver: EvmDriver, node: LyingNode, *others: LyingNode, blocks: int = BLOCKS) -> LedgerRange:
    """The chain's first blocks, as an observer asks for them."""
    request = LedgerRangeRequest(chain_id=known_as(node, *others), from_height=0, to_height=blocks - 1, full=True)

    async def ask() -> Any:
        try:
            return await driver.follower.read("get_ledger_range", request)
        finally:
            await driver._wire._session().close()
            driver._wire._sessions.clear()

    node.asked.clear()
    return asyncio.run(ask())


def test_a_node_that_is_too_slow_for_many_blocks_is_asked_for_fewer(
    driver: EvmDriver,
    node: LyingNode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node.most = 60  # 30 blocks and their receipts
    found = read(driver, node)
    assert [block.height for block in found.blocks] == list(range(BLOCKS))
    assert [each.block_height for each in found.transactions] == list(range(BLOCKS))
    assert node.asked[:3] == [200, 100, 50], "halved until it is answered"

    assert read(driver, node) == found
    assert max(node.asked) == 50, "and nobody waits for more than that again"

    node.most = 1000
    monkeypatch.setattr(watching, "SLOW_SECONDS", 0.0)
    assert read(driver, node) == found
    assert node.asked == [200], "until some time has passed: it may have been slow for a while"


def test_a_node_that_gives_not_even_one_block_in_time_is_not_there(driver: EvmDriver, node: LyingNode) -> None:
    node.most = 0
    with pytest.raises(PlatformUnavailable):
        read(driver, node, blocks=5)
    assert node.asked == [10, 6, 4, 2]


def test_a_node_that_takes_fewer_calls_at_once_is_asked_for_fewer_also_while_another_one_is_away(
    driver: EvmDriver, node: LyingNode, other: LyingNode
) -> None:
    node.takes = 60
    other.close()
    assert [block.height for block in read(driver, node, other).blocks] == list(range(BLOCKS))
    assert node.asked[:3] == [200, 100, 50]


def test_a_node_that_is_not_there_is_not_asked_again_for_less(driver: EvmDriver, node: LyingNode) -> None:
    node.close()
    with pytest.raises(PlatformUnavailable):
        read(driver, node)
    assert driver.follower._most == {}
