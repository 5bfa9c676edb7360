"""Who is asked, and who is taken for silent: against a program that answers, and one that does not listen."""

from __future__ import annotations

from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.rpc import Rpc
from tests.chains.node_plane import NodePlane


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
        rpc.note_silent(answers)
        assert rpc.is_silent(answers)
        assert len(rpc.ask(chain, [("eth_blockNumber", [])])) == 1
        assert rpc.is_silent(silent)
        assert not rpc.is_silent(answers)
    finally:
        rpc.close()
        plane.close()
