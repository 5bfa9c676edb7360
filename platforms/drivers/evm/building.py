"""Building: a chain by its creator's validator, and every further node, introduced to its peers.

Everything is written as "make it so": each go looks at what there is and does the next thing that is missing, so that
it does not matter where an earlier one ended. What has to wait comes back as `Pending`.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from console.errors import ConsoleError, PlatformRefused, PlatformUnavailable
from platforms.drivers.base import Finished, Json, Pending
from platforms.drivers.evm import programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Book, Chain, Node, Spaces
from platforms.drivers.evm.consensus import Consensus, Founding, consensus_of
from platforms.drivers.evm.hosts import Hosts, at_once
from platforms.drivers.evm.kernels import Kernel
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.rpc import Rpc, number
from platforms.hosts.docker import DockerHost

SOON = 0.5  # seconds
START_SECONDS = 60.0  # a node answers within this
SYNC_SECONDS = 600.0
BEHIND = 2  # blocks that a node may lack and still count as up to date


class NotYet(Exception):
    """Something has to be waited for; `patience` seconds from the moment at which `what` was waited for first.

    `otherwise` is the error then; or finds it, where that takes a look.
    """

    def __init__(
        self, what: str, patience: float, otherwise: ConsoleError | Callable[[], ConsoleError], seconds: float = SOON
    ) -> None:
        super().__init__(what)
        self.what, self.patience, self.otherwise, self.seconds = what, patience, otherwise, seconds


@dataclass(frozen=True)
class Tools:
    """What the driver's parts work with."""

    book: Book
    spaces: Spaces
    hosts: Hosts
    rpc: Rpc
    settings: Settings

    @property
    def kernel(self) -> Kernel:
        return self.hosts.kernel

    def consensus(self, chain: Chain) -> Consensus:
        return consensus_of(self.settings.kernel, chain.consensus)


class Goes:
    """One go of one operation: its memory between goes, and what is told of it."""

    def __init__(self, position: Json | None, known: Json | None = None) -> None:
        self.position: Json = dict(position or {})
        self.known = known or {}
        self.trace: list[Json] = []

    def note(self, message: str, **data: Any) -> None:
        self.trace.append({"message": message, **data})

    def once(self, what: str, mark: str = "yes") -> bool:
        """True the first time; the caller then does it, and says `done`."""
        return self.position.get(what) != mark

    def done(self, what: str, mark: str = "yes") -> None:
        self.position[what] = mark

    def waits(self, problem: NotYet) -> Pending:
        """Come back, or the error when that has been said too often."""
        since = self.position.setdefault("since", {})
        if since.get("what") != problem.what:
            self.position["since"] = since = {"what": problem.what, "at": time.time()}
            self.note(f"waiting for {problem.what}")
        if time.time() - since["at"] > problem.patience:
            raise problem.otherwise() if callable(problem.otherwise) else problem.otherwise
        return Pending(self.position, problem.seconds, tuple(self.trace), self.known)

    def ends(self, answer: Any) -> Finished:
        return Finished(answer, tuple(self.trace))


# --- one node -----------------------------------------------------------------------------------------------------


def run_first_node(tools: Tools, goes: Goes, chain: Chain, creator: str) -> tuple[Chain, Node]:
    """The creator's validator, whose address stands in the first block."""
    node = _prepared(tools, goes, chain, creator)
    if not chain.genesis:
        founding = Founding(chain.number, chain.period, node.address, int(time.time()))
        tools.book.change_chain(chain.chain_id, genesis=tools.consensus(chain).genesis(founding))
    return run_node(tools, goes, tools.book.chain(chain.chain_id), creator)


def run_node(tools: Tools, goes: Goes, chain: Chain, orgcode: str, name: str = "") -> tuple[Chain, Node]:
    """The organization's node, running and known to its peers: its validator, not among those who seal yet, or the
    further one of this name."""
    node = _prepared(tools, goes, chain, orgcode, name)
    host, wish = tools.hosts.of(node), tools.kernel.running(chain, node, tools.consensus(chain), tools.settings)
    with tools.hosts.told_of_a_full_disk(chain, node):
        if host.container(wish.name) is None:
            host.run_once(tools.kernel.beginning(chain, node))
            goes.note(f"wrote the first block on {host.name}")
        found = host.ensure_container(wish)
    if not tools.rpc.answers(node, chain.number):
        tools.hosts.refuse_dead(
            chain, node, found, goes.position.setdefault(f"restarts:{node.node_id}", found.restarts)
        )
        silent = functools.partial(tools.hosts.why_silent, chain, node, START_SECONDS)
        raise NotYet(f"the node on {host.name}", START_SECONDS, silent)
    if not node.enode:
        tools.book.change_node(node.node_id, enode=_enode(tools, node))
        goes.note(f"the node runs on {host.name}", address=node.address)
    return _introduced(tools, goes, tools.book.chain(chain.chain_id), node.node_id)


def _prepared(tools: Tools, goes: Goes, chain: Chain, orgcode: str, name: str = "") -> Node:
    """Written down, its image there, its keys made on its host."""

    def written() -> Node:
        space, image = tools.spaces(orgcode), tools.settings.image
        return tools.book.open_node(chain, space, image=image, validator=not name, name=name)

    node = written()
    if node.address:
        return node
    host, settings = tools.hosts.of(node), tools.settings
    if not host.ensure_image(node.image, archive=settings.archive, registry=settings.registry):
        silent = PlatformUnavailable(say.NOT_UP % {"node": node.node_id, "seconds": round(SYNC_SECONDS)})
        raise NotYet(f"the image on {host.name}", SYNC_SECONDS, silent)
    with tools.hosts.told_of_a_full_disk(chain, node):
        address, brought = _keys_on(host, tools, chain, node)
    tools.book.change_node(node.node_id, address=address)
    how = "took the key that lay ready" if brought else "made the node's keys"
    goes.note(f"{how} on {host.name}", address=address)
    return written()


def _keys_on(host: DockerHost, tools: Tools, chain: Chain, node: Node) -> tuple[str, bool]:
    """The address of the node's key on its host, and whether its organization has brought that key."""
    host.ensure_volume(programs.volume_name(node), programs.labels_of(chain, node))
    brought = node.validator and host.has_volume(programs.BROUGHT)
    preparation = tools.kernel.preparation(chain, node, tools.consensus(chain), brought=brought)
    printed = host.run_once(preparation).split()
    address = f"0x{(printed or [''])[-1].removeprefix('0x').lower()}"
    if not re.fullmatch(r"0x[0-9a-f]{40}", address):
        raise PlatformRefused(say.NO_KEY % {"host": host.name, "problem": " ".join(printed)[-200:]}, code="no_key")
    return address, brought


def _enode(tools: Tools, node: Node) -> str:
    """Who it is among its peers; at its machine's address, whatever it thinks of that itself."""
    said = str(tools.hosts.ask(node, tools.kernel.enode))
    key = said.removeprefix("enode://").partition("@")[0]
    host = f"[{node.ip}]" if ":" in node.ip else node.ip
    return f"enode://{key}@{host}:{node.p2p_port}"


def _introduced(tools: Tools, goes: Goes, chain: Chain, node_id: str) -> tuple[Chain, Node]:
    """It knows its peers, and those that can be reached know it.

    NotYet when the peers have changed meanwhile: whoever writes last must not write what was true before.
    """
    node = next(each for each in chain.nodes if each.node_id == node_id)
    mark = _peers_of(chain)
    if goes.once("introduced", mark):
        tools.hosts.tell_peers(chain, node)
        introduce(tools, goes, chain, [each for each in chain.nodes if each.enode and each.node_id != node_id])
        goes.done("introduced", mark)
        if _peers_of(tools.book.chain(chain.chain_id)) != mark:
            words = say.NOT_UP % {"node": node_id, "seconds": round(START_SECONDS)}
            raise NotYet("peers that came meanwhile", START_SECONDS, PlatformUnavailable(words), 0.0)
    return chain, node


def _peers_of(chain: Chain) -> str:
    return ",".join(sorted(programs.enodes(chain)))


def introduce(tools: Tools, goes: Goes, chain: Chain, nodes: Sequence[Node], *, without: Sequence[str] = ()) -> None:
    """Tell these nodes of their peers, and to part with those `without` whom they go on; one that cannot be reached is
    left out, and noted."""

    def tell(node: Node) -> None:
        tools.hosts.tell_peers(chain, node, without=without)

    for node, said in zip(nodes, at_once(tell, nodes), strict=True):
        if isinstance(said, ConsoleError):
            goes.note(f"{node.node_id} was not told of its peers: {said.detail}")


def refuse_behind(tools: Tools, chain: Chain, node: Node) -> None:
    """NotYet while the node lacks blocks that another one has."""
    others = [each for each in chain.nodes if each.node_id != node.node_id and each.enode]
    heights = [height for each in others if (height := _height(tools, each)) is not None]
    if not heights:
        return
    own = _height(tools, node)
    if own is None or own + BEHIND < max(heights):
        words = say.NOT_SYNCED % {"node": node.node_id, "height": own}
        # However long the chain: patience is for a node that gets no further.
        silent = PlatformRefused(words, code="not_synced")
        raise NotYet(f"the blocks on {node.node_id} after {own}", SYNC_SECONDS, silent)


def _height(tools: Tools, node: Node) -> int | None:
    try:
        return number(tools.rpc.ask_node(node, [("eth_blockNumber", [])])[0])
    except ConsoleError:
        return None
