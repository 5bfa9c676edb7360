"""Who is asked, and who is taken for silent: against a program that answers, and one that does not listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from console.errors import ConsoleError, PlatformRefused, PlatformUnavailable
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.observed import observed
from platforms.drivers.evm.rpc import Call, Rpc
from platforms.drivers.evm.wire import Wire
from tests.chains.node_plane import NodePlane
from tests.platforms.evm.lying import NUMBER, SMALL, LyingNode, known_as

VERSION: Call = ("web3_clientVersion", [])
NONSENSE = [
    b"[]",
    b'{"hello": "there"}',
    b'[{"id": 0}]',
    b'[{"id": [0], "result": "Liar"}]',
    b'[{"id": 0, "error": null}]',
    b"<html>",
]
REFUSAL = b'[{"id": 0, "error": {"code": -32000, "message": "nonce too low"}}]'


@pytest.fixture
def rpc() -> Iterator[Rpc]:
    made = Rpc(allow_private=True)
    yield made
    made.close()


def _chain(*nodes: LyingNode) -> Chain:
    found = observed(known_as(*nodes))
    assert found is not None
    return found


def asked(rpc: Rpc, chain: Chain, how: str) -> list[Any]:
    """What the chain answers, its first node being asked first."""
    rpc.note_answer(chain, chain.nodes[0])
    if how == "by thread":
        return rpc.ask(chain, [VERSION])

    async def ask() -> list[Any]:
        wire = Wire(rpc, allow_private=True)
        try:
            return await wire.ask(chain, [VERSION])
        finally:
            await wire._session().close()

    return asyncio.run(ask())


both_ways = pytest.mark.parametrize("how", ["by thread", "on a loop"])


def _node(port: int, name: str) -> Node:
    return Node(name, "chain-1", "org-tax", True, "127.0.0.1", 2376, 30303, port, "image", enode="enode://ab@127.0.0.1")


def test_a_node_that_answers_again_is_not_taken_for_silent_any_longer() -> None:
    plane, gone = NodePlane(), NodePlane()
    gone.close()
    rpc = Rpc(allow_private=True)
    answers = _node(plane.server.server_address[1], "node-1")
    silent = _node(gone.server.server_address[1], "node-0")
    chain = Chain("chain-1", "net-1", "main", "clique", 4242, 1, nodes=(silent, answers))
    try:
        rpc.note_silent(answers, PlatformRefused("nonsense"))
        assert rpc.is_silent(answers)
        assert len(rpc.ask(chain, [VERSION])) == 1
        assert rpc.is_silent(silent)
        assert not rpc.is_silent(answers)
    finally:
        rpc.close()
        plane.close()


@both_ways
@pytest.mark.parametrize("body", NONSENSE)
def test_a_node_that_talks_nonsense_is_passed_over(
    rpc: Rpc, node: LyingNode, other: LyingNode, body: bytes, how: str
) -> None:
    node.body = body
    chain = _chain(node, other)
    assert asked(rpc, chain, how) == [SMALL[VERSION[0]]]
    assert rpc.is_silent(chain.nodes[0])
    assert not rpc.is_silent(chain.nodes[1])


@both_ways
def test_who_has_taken_the_place_of_a_node_that_was_away_is_passed_over_until_it_is_of_the_chain(
    rpc: Rpc, node: LyingNode, other: LyingNode, how: str
) -> None:
    chain = _chain(node, other)
    place = chain.nodes[0]
    assert asked(rpc, chain, how) == [SMALL[VERSION[0]]]
    assert node.asked == [1], "nothing is doubted of a node that was always there"
    for said in (hex(NUMBER + 1), "0x", None):
        rpc.note_silent(place, PlatformUnavailable("it was away"))
        node.change = lambda method, answer, said=said: said if method == "eth_chainId" else "Another/v1.0.0"
        assert asked(rpc, chain, how) == [SMALL[VERSION[0]]], said
        assert rpc.is_silent(place)
    assert node.asked == [1, 1, 1, 1], "it is asked for its chain, and for no more"

    node.change = lambda method, answer: answer
    assert asked(rpc, chain, how) == [SMALL[VERSION[0]]]
    assert (node.asked, rpc.is_silent(place)) == ([1] * 6, False)


@both_ways
def test_what_a_node_refuses_is_asked_of_no_other(rpc: Rpc, node: LyingNode, other: LyingNode, how: str) -> None:
    node.body = REFUSAL
    with pytest.raises(PlatformRefused, match="nonce too low"):
        asked(rpc, _chain(node, other), how)
    assert other.asked == []


@both_ways
@pytest.mark.parametrize(
    ("also", "kind"), [("nonsense", PlatformRefused), ("silence", PlatformUnavailable), ("refusal", PlatformRefused)]
)
def test_nonsense_is_told_when_nobody_says_better(
    rpc: Rpc, node: LyingNode, other: LyingNode, also: str, kind: type[ConsoleError], how: str
) -> None:
    """Time heals silence, not nonsense."""
    node.body, other.body = b"[]", REFUSAL if also == "refusal" else b"[]"
    if also == "silence":
        other.close()
    with pytest.raises(kind) as problem:
        asked(rpc, _chain(node, other), how)
    if also == "refusal":
        assert "nonce too low" in problem.value.detail
        return
    assert problem.value.code == "bad_answer"
    assert "nonsense" in problem.value.detail


def test_a_node_of_another_chain_is_not_taken_for_ours(rpc: Rpc, node: LyingNode) -> None:
    ours = _node(node.port, "node-1")
    assert rpc.answers(ours, NUMBER)
    with pytest.raises(PlatformRefused, match=rf"127\.0\.0\.1 .*\({NUMBER}\).* {node.port} ") as refused:
        rpc.answers(ours, 4242)
    assert refused.value.code == "port_taken"


@pytest.mark.parametrize("body", [*NONSENSE, REFUSAL])
def test_what_does_not_say_its_chain_does_not_answer(rpc: Rpc, node: LyingNode, body: bytes) -> None:
    node.body = body
    assert not rpc.answers(_node(node.port, "node-1"), NUMBER)
