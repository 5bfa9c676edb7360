"""What differs between the programs that nodes run: geth (which GoQuorum is, too) and Besu.

A node is asked in its own container, by whatever that has: geth's console, or JSON-RPC with the node's own password.
A question is a text that only this module and the consensus of the kernel understand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from console.errors import PlatformRefused
from platforms.drivers.evm import besu, programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.consensus import Consensus
from platforms.drivers.evm.programs import Settings
from platforms.hosts.docker import Wish


class Kernel(Protocol):
    """How a node is prepared, run and asked."""

    enode: str  # question: who the node is among its peers

    def preparation(self, chain: Chain, node: Node, consensus: Consensus, *, brought: bool = False) -> Wish: ...
    def beginning(self, chain: Chain, node: Node) -> Wish: ...
    def running(self, chain: Chain, node: Node, consensus: Consensus, settings: Settings) -> Wish: ...

    def peer_files(self, chain: Chain, node: Node) -> dict[str, str]:
        """Path → content: where it finds its peers after a restart."""

    def meet(self, peers: list[str]) -> list[str]:
        """Questions: have the node call these peers now."""

    def part(self, peers: Sequence[str]) -> list[str]:
        """Questions: have the node trust these no more, and hang up on them."""

    def command(self, node: Node, question: str) -> list[str]:
        """What asks the node, run in its container."""

    def answer(self, node: Node, printed: str) -> Any:
        """What that printed, read. PlatformRefused for what is no answer."""


class Geth:
    """geth's own console, at the node's socket."""

    enode = "admin.nodeInfo.enode"
    preparation = staticmethod(programs.preparation)
    beginning = staticmethod(programs.beginning)
    running = staticmethod(programs.running)

    def peer_files(self, chain: Chain, node: Node) -> dict[str, str]:
        return {
            programs.CONFIGURATION: programs.configuration(chain, node),
            programs.PERMITTED: programs.permitted(chain),
        }

    def meet(self, peers: list[str]) -> list[str]:
        calls = (f"admin.addTrustedPeer({each}) && admin.addPeer({each})" for each in map(json.dumps, peers))
        return [" && ".join(calls)]

    def part(self, peers: Sequence[str]) -> list[str]:
        calls = (f"admin.removeTrustedPeer({each}) && admin.removePeer({each})" for each in map(json.dumps, peers))
        return [" && ".join(calls)]

    def command(self, node: Node, question: str) -> list[str]:
        return ["geth", "attach", "--exec", f"console.log(JSON.stringify({question}))", programs.SOCKET]

    def answer(self, node: Node, printed: str) -> Any:
        for line in printed.splitlines():
            try:
                return json.loads(line)
            except ValueError:
                continue
        raise _no_answer(node, printed)


class Besu:
    """JSON-RPC at the node's own port, with the password that lies in its volume and nowhere else."""

    enode = besu.ENODE
    preparation = staticmethod(besu.preparation)
    beginning = staticmethod(besu.beginning)
    running = staticmethod(besu.running)
    peer_files = staticmethod(besu.peer_files)
    meet = staticmethod(besu.meet)
    part = staticmethod(besu.part)
    command = staticmethod(besu.command)

    def answer(self, node: Node, printed: str) -> Any:
        said = besu.read(printed)
        if "result" not in said:
            raise _no_answer(node, json.dumps(said.get("error")) if said else printed)
        return said["result"]


def _no_answer(node: Node, printed: str) -> PlatformRefused:
    words = " ".join(printed.split())[:200]
    return PlatformRefused(say.BAD_SCRIPT % {"node": node.node_id, "problem": words}, code="bad_answer")


def kernel_named(name: str) -> Kernel:
    return Besu() if name == "besu" else Geth()
