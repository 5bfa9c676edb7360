"""Reading: ledger, blocks, transactions, nodes, figures, all by JSON-RPC in batches from a chain's nodes."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from console.errors import ConsoleError, PlatformUnavailable
from platforms import standard
from platforms.drivers.evm import ledger, programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Network, Node
from platforms.drivers.evm.building import Tools
from platforms.drivers.evm.clients import client_in_words
from platforms.drivers.evm.hosts import at_once
from platforms.drivers.evm.ledger import Question, T
from platforms.drivers.evm.observed import consensus_seen, is_observed, observed, refuse_strangers
from platforms.drivers.evm.rpc import Call, number
from platforms.hosts.docker import Usage
from platforms.standard import Figure, NodeInfo, TransactionInfo

COUNT_BATCHES = 20  # of one go
COUNT_KEPT = 500  # the count is written down this often
RECENT = 10  # blocks that the block time is taken from
STANDS_FACTOR, STANDS_SECONDS = 10, 30.0  # a chain stands that has made no block for so many periods, and so long
CHAIN_KEPT_SECONDS = 3.0
Count = tuple[int, int]
# How geth and Besu tell how many transactions wait.
WAITING = (("txpool_status", ("pending",)), ("txpool_besuStatistics", ("localCount", "remoteCount")))


class Reader:
    """What the driver answers to reading operations. Safe to use from several threads."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._chains: dict[str, tuple[float, Chain]] = {}
        self._counts: dict[str, Count] = {}
        self._lock = threading.Lock()

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def get_ledger_summary(self, request: standard.ChainRequest) -> standard.LedgerSummary:
        chain = self.chain(request.chain_id)
        head = self._newest_head(chain)
        known = self._carry(chain, ledger.count(self.known_count(chain), number(head["number"]), batches=COUNT_BATCHES))
        if self.note_count(chain, known):
            self.keep_count(chain)
        return summary_of(chain, head, known[1])

    def _newest_head(self, chain: Chain) -> Any:
        head = self._carry(chain, ledger.head())
        if stands(chain, head):
            others = self._tools.rpc.others(chain)
            head = self.newest(chain, head, at_once(functools.partial(self._head_of, chain), others))
        return head

    def newest(self, chain: Chain, head: Any, others: Iterable[Any]) -> Any:
        """The highest of these heads: a node that lost the others must not speak for a chain that goes on without it.

        `others` are nodes with their heads, and what was raised instead. The highest one's node is asked from now on.
        """
        for node, other in (each for each in others if isinstance(each, tuple)):
            if other and number(other["number"]) > number(head["number"]):
                head = other
                self._tools.rpc.note_answer(chain, node)
        return head

    def _head_of(self, chain: Chain, node: Node) -> tuple[Node, Any]:
        try:
            (head,) = self._tools.rpc.ask_own(chain, node, ledger.HEAD)
        except PlatformUnavailable as problem:
            self._tools.rpc.note_silent(node, problem)
            raise
        return node, head

    def list_blocks(self, request: standard.ListBlocksRequest) -> standard.BlockPage:
        return self._carry(self.chain(request.chain_id), ledger.blocks(request))

    def list_transactions(self, request: standard.ListTransactionsRequest) -> standard.TransactionPage:
        return self._carry(self.chain(request.chain_id), ledger.transactions(request))

    def get_transaction(self, request: standard.GetTransactionRequest) -> TransactionInfo:
        return self._carry(self.chain(request.chain_id), ledger.transaction(request))

    def _carry(self, chain: Chain, question: Question[T]) -> T:
        try:
            calls = next(question)
            while True:
                calls = question.send(self._ask(chain, calls))
        except StopIteration as end:
            return cast(T, end.value)

    # --- how many transactions there are: each block is counted once ------------------------------------------------

    def known_count(self, chain: Chain) -> Count:
        """(height, transactions up to and with it)"""
        with self._lock:
            return max(self._counts.get(chain.chain_id, (-1, 0)), (chain.counted_height, chain.counted_transactions))

    def note_count(self, chain: Chain, count: Count) -> bool:
        """Whether it is time to write it down."""
        with self._lock:
            self._counts[chain.chain_id] = count
        return count[0] >= chain.counted_height + COUNT_KEPT and observed(chain.chain_id) is None

    def keep_count(self, chain: Chain) -> None:
        at, total = self.known_count(chain)
        self._tools.book.change_chain(chain.chain_id, counted_height=at, counted_transactions=total)
        self._chains.pop(chain.chain_id, None)

    # --- monitoring ---------------------------------------------------------------------------------------------------

    def get_monitoring(self, request: standard.ChainRequest) -> standard.Monitoring:
        chain = self.chain(request.chain_id)
        head, peers = self._ask(chain, [("eth_getBlockByNumber", ["latest", False]), ("net_peerCount", [])])
        height = number(head["number"])
        first = max(0, height - RECENT)
        (before,) = self._ask(chain, [("eth_getBlockByNumber", [hex(first), False])])
        age = max(0.0, time.time() - number(head["timestamp"]))
        figures = [
            Figure(name="height", value=height, unit="blocks"),
            Figure(name="peers", value=number(peers), unit="nodes"),
            Figure(name="head_age", value=round(age, 1), unit="s"),
        ]
        if height > first > 0 and before:  # another node, which answers this, may not have it yet
            passed = number(head["timestamp"]) - number(before["timestamp"])
            figures.append(Figure(name="block_time", value=round(passed / (height - first), 2), unit="s"))
        figures += [*self._pending(chain), *self._host_figures(chain)]
        return standard.Monitoring(at=datetime.now(UTC), figures=tuple(figures))

    def _pending(self, chain: Chain) -> list[Figure]:
        """How many transactions wait, where a node tells."""
        for method, counts in WAITING:
            try:
                (pool,) = self._ask(chain, [(method, [])])
                waiting = sum(number(pool[count]) for count in counts)
            except (ConsoleError, KeyError, TypeError, ValueError):
                continue
            return [Figure(name="pending_transactions", value=waiting, unit="transactions")]
        return []

    def _host_figures(self, chain: Chain) -> list[Figure]:
        """What the nodes use, added up over the hosts that answer, how many do, and where space is shortest."""

        def usage(node: Node) -> tuple[Usage, int]:
            host, name = self._tools.hosts.of(node), programs.container_name(node)
            return host.usage(name), host.free_disk(name, "/data")

        own = [node for node in chain.nodes if not is_observed(node)]
        if not own:
            return []
        found = [each for each in at_once(usage, own) if not isinstance(each, ConsoleError)]
        used = [each for each, _free in found]
        figures = [
            Figure(name="nodes", value=len(chain.nodes), unit="nodes"),
            Figure(name="nodes_running", value=len(used), unit="nodes"),
            Figure(name="memory", value=sum(each.memory for each in used), unit="bytes"),
            Figure(name="cpu", value=round(sum(each.cpu for each in used), 3), unit="cpus"),
        ]
        if found:
            figures.append(Figure(name="disk_free", value=min(free for _used, free in found), unit="bytes"))
        return figures

    # --- networks, chains, nodes --------------------------------------------------------------------------------------

    def list_networks(self, _request: standard.EmptyRequest) -> standard.NetworkList:
        return standard.NetworkList(items=tuple(self._network_info(each) for each in self._tools.book.networks()))

    def get_network(self, request: standard.GetNetworkRequest) -> standard.NetworkInfo:
        seen = observed(request.network_id)
        if seen is not None:
            refuse_strangers(self._tools.rpc, seen)
        return self._network_info(self._tools.book.network(request.network_id))

    def _network_info(self, network: Network) -> standard.NetworkInfo:
        members = (
            standard.MemberInfo(member_id=orgcode, name=name, status="running")
            for orgcode, name in network.members.items()
        )
        kernel = self._tools.settings.kernel
        return standard.NetworkInfo(
            network_id=network.network_id, name=network.name, kernel=kernel, status="running", members=tuple(members)
        )

    def list_chains(self, request: standard.ListChainsRequest) -> standard.ChainList:
        found = self._tools.book.chains(request.network_id)
        return standard.ChainList(
            items=tuple(self._chain_info(chain, "running" if chain.built else "creating") for chain in found)
        )

    def get_chain(self, request: standard.GetChainRequest) -> standard.ChainInfo:
        """Its status: stopped, when the validators do not seal any more."""
        chain = self._tools.book.chain(request.chain_id)
        if not chain.built:
            return self._chain_info(chain, "creating")
        try:
            still = self.stands_still(chain)
        except ConsoleError:
            return self._chain_info(chain, "unknown")
        return self._chain_info(chain, "stopped" if still else "running")

    def stands_still(self, chain: Chain) -> bool:
        """Whether it should have made more blocks; never where nobody knows, as on one that is only observed."""
        return chain.built and stands(chain, self._newest_head(chain))

    def _chain_info(self, chain: Chain, status: standard.Status) -> standard.ChainInfo:
        if observed(chain.chain_id) is not None:
            consensus, validators = consensus_seen(self._tools.rpc, chain)
            return standard.ChainInfo(
                chain_id=chain.chain_id,
                network_id=chain.network_id,
                name=chain.name,
                status=status,
                consensus=consensus,
                kernel=self._tools.settings.kernel,
                extrainfo=json.dumps({"chainId": chain.number, "observed": True, "validators": validators}),
            )
        extra = {
            "chainId": chain.number,
            "period": chain.period,
            "validators": [node.address for node in chain.validators()],
            "enodes": programs.enodes(chain),
        }
        return standard.ChainInfo(
            chain_id=chain.chain_id,
            network_id=chain.network_id,
            name=chain.name,
            status=status,
            consensus=chain.consensus,
            kernel=self._tools.settings.kernel,
            members=tuple(dict.fromkeys(node.orgcode for node in chain.nodes)),
            extrainfo=json.dumps(extra),
        )

    def list_nodes(self, request: standard.ListNodesRequest) -> standard.NodeList:
        """Each node as it answers itself; one that does not, as its host sees it; one that is not whole yet as such."""
        chains = self._tools.book.chains(request.network_id)
        of = {node: chain for chain in chains if request.chain_id in ("", chain.chain_id) for node in chain.nodes}
        infos = [
            each for each in at_once(lambda node: self._node_info(of[node], node), of) if isinstance(each, NodeInfo)
        ]
        return standard.NodeList(items=tuple(infos))

    def _node_info(self, chain: Chain, node: Node) -> NodeInfo:
        version = self._version_of(chain, node) if node.built else ""
        return NodeInfo(
            node_id=node.node_id,
            chain_id=node.chain_id,
            member_id=node.orgcode or node.node_id,
            orgcode=node.orgcode,
            role="validator" if node.validator else "peer",
            endpoint=node.rpc,
            state=cast(standard.NodeState, self._state_of(node, answers=bool(version))),
            version=client_in_words(version),
        )

    def _state_of(self, node: Node, *, answers: bool) -> str:
        """A node that answers may still lack blocks, or the others' votes: it is being created until it is whole."""
        if not node.built:
            return "creating"
        if answers:
            return "running"
        state = "unknown" if is_observed(node) else self._tools.hosts.state_of(node)
        return "unknown" if state == "running" else state  # it runs, they say, but does not answer

    def _version_of(self, chain: Chain, node: Node) -> str:
        """What the node says that it is; empty when it does not answer."""
        if self._tools.rpc.is_silent(node):
            return ""
        try:
            (version,) = self._tools.rpc.ask_own(chain, node, [("web3_clientVersion", [])])
        except ConsoleError:
            return ""
        return str(version)

    def get_health(self, _request: standard.EmptyRequest) -> standard.Health:
        """Whether the hosts answer on which there are nodes."""
        nodes = {(node.ip, node.orgcode): node for chain in self._tools.book.chains() for node in chain.nodes}
        answers = at_once(lambda node: self._tools.hosts.of(node).info(), list(nodes.values()))
        silent = [each for each in answers if isinstance(each, ConsoleError)]
        version = self._tools.settings.image
        if not silent:
            return standard.Health(status="up", version=version)
        words = say.HOSTS_SILENT % {"silent": len(silent), "all": len(answers), "problem": silent[0].detail}
        return standard.Health(status="degraded", version=version, detail=words)

    # --- small things -------------------------------------------------------------------------------------------------

    def chain(self, chain_id: str) -> Chain:
        """The chain as it was written down a moment ago: observers ask much more often than anything changes."""
        chain = self.chain_at_hand(chain_id)
        if chain is None:
            chain = self._tools.book.chain(chain_id)
            self._chains[chain_id] = (time.monotonic(), chain)
        return chain

    def chain_at_hand(self, chain_id: str) -> Chain | None:
        """The chain, where nothing has to be looked up for it."""
        kept_at, chain = self._chains.get(chain_id, (0.0, None))
        return chain if time.monotonic() - kept_at <= CHAIN_KEPT_SECONDS else observed(chain_id)

    def _ask(self, chain: Chain, calls: list[Call]) -> list[Any]:
        return self._tools.rpc.ask(chain, calls) if calls else []


def patience_of(chain: Chain) -> float | None:
    """Seconds without a block after which the chain stands; None where blocks are made only for transactions.

    Nobody knows that of a chain that is only observed.
    """
    if not chain.period or observed(chain.chain_id) is not None:
        return None
    return max(STANDS_SECONDS, STANDS_FACTOR * chain.period)


def stands(chain: Chain, head: Any) -> bool:
    """Whether more blocks should have come since."""
    patience = patience_of(chain)
    return patience is not None and time.time() - number(head["timestamp"]) > patience


def summary_of(chain: Chain, head: Any, transactions: int) -> standard.LedgerSummary:
    return standard.LedgerSummary(
        height=number(head["number"]),
        block_hash=head["hash"],
        block_time=ledger.block_time(head),
        transactions=transactions,
        nodes=len(chain.nodes),
        patience=patience_of(chain),
    )
