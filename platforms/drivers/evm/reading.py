"""Reading: ledger, blocks, transactions, nodes, figures, all by JSON-RPC in batches from a chain's nodes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, cast

from console.errors import ConsoleError, Missing
from platforms import standard
from platforms.drivers.evm import programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Network, Node
from platforms.drivers.evm.building import Tools
from platforms.drivers.evm.clients import client_in_words
from platforms.drivers.evm.observed import consensus_seen, is_observed, observed, refuse_strangers
from platforms.drivers.evm.rpc import Call, number
from platforms.hosts.docker import Usage
from platforms.standard import BlockInfo, Figure, NodeInfo, TransactionInfo

COUNT_BATCH = 250  # blocks whose transactions are counted in one batch
COUNT_BATCHES = 20  # of one go
COUNT_KEPT = 500  # the count is written down this often
RECENT = 10  # blocks that the block time is taken from
NEWEST = 50  # blocks that are searched for the newest transactions
STANDS_FACTOR, STANDS_SECONDS = 10, 30.0  # a chain stands that has made no block for so many periods, and so long
CHAIN_KEPT_SECONDS = 3.0
HOSTS_AT_ONCE = 8


class Reader:
    """What the driver answers to reading operations. Safe to use from several threads."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._chains: dict[str, tuple[float, Chain]] = {}
        self._counts: dict[str, tuple[int, int]] = {}  # chain -> (height, transactions up to and with it)
        self._lock = threading.Lock()

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def get_ledger_summary(self, request: standard.ChainRequest) -> standard.LedgerSummary:
        chain = self._chain(request.chain_id)
        (head,) = self._ask(chain, [("eth_getBlockByNumber", ["latest", False])])
        height = number(head["number"])
        return standard.LedgerSummary(
            height=height,
            block_hash=head["hash"],
            block_time=_time(head),
            transactions=self._count(chain, height),
            nodes=len(chain.nodes),
        )

    def list_blocks(self, request: standard.ListBlocksRequest) -> standard.BlockPage:
        """Newest first."""
        chain = self._chain(request.chain_id)
        (latest,) = self._ask(chain, [("eth_blockNumber", [])])
        top = min(number(latest), request.to_height if request.to_height is not None else number(latest))
        bottom = max(0, request.from_height or 0)
        total = max(0, top - bottom + 1)
        first = top - request.offset
        heights = range(first, max(bottom, first - request.page_size + 1) - 1, -1) if first >= bottom else range(0)
        return standard.BlockPage(total=total, items=tuple(self._blocks(chain, heights)))

    def _blocks(self, chain: Chain, heights: Iterable[int]) -> list[BlockInfo]:
        found = self._ask(chain, [("eth_getBlockByNumber", [hex(height), False]) for height in heights])
        return [_block(each) for each in found if each]

    def list_transactions(self, request: standard.ListTransactionsRequest) -> standard.TransactionPage:
        """Of one block; or of the newest blocks, newest first."""
        chain = self._chain(request.chain_id)
        if request.block_height is not None:
            heights = [request.block_height]
        else:
            (latest,) = self._ask(chain, [("eth_blockNumber", [])])
            heights = list(range(number(latest), max(-1, number(latest) - NEWEST), -1))
        blocks = self._ask(chain, [("eth_getBlockByNumber", [hex(height), True]) for height in heights])
        pairs = [(each, block) for block in blocks if block for each in block["transactions"]]
        chosen = pairs[request.offset : request.offset + request.page_size]
        receipts = self._ask(chain, [("eth_getTransactionReceipt", [each["hash"]]) for each, _block in chosen])
        items = [_transaction(each, receipt, block) for (each, block), receipt in zip(chosen, receipts, strict=True)]
        return standard.TransactionPage(total=len(pairs), items=tuple(items))

    def get_transaction(self, request: standard.GetTransactionRequest) -> TransactionInfo:
        chain = self._chain(request.chain_id)
        calls: list[Call] = [
            ("eth_getTransactionByHash", [request.tx_id]),
            ("eth_getTransactionReceipt", [request.tx_id]),
        ]
        found, receipt = self._ask(chain, calls)
        if found is None:
            raise Missing(say.NO_TRANSACTION % {"id": request.tx_id})
        at = found.get("blockNumber")
        block = self._ask(chain, [("eth_getBlockByNumber", [at, False])])[0] if at else None
        return _transaction(found, receipt, block)

    def _count(self, chain: Chain, height: int) -> int:
        """All transactions up to a height. Each block is counted once; a long way is gone in several goes."""
        with self._lock:
            known = max(self._counts.get(chain.chain_id, (-1, 0)), (chain.counted_height, chain.counted_transactions))
        at, total = known if known[0] <= height else (-1, 0)
        for _batch in range(COUNT_BATCHES):
            heights = range(at + 1, min(height, at + COUNT_BATCH) + 1)
            if not heights:
                break
            counts = self._ask(chain, [("eth_getBlockTransactionCountByNumber", [hex(each)]) for each in heights])
            at, total = heights[-1], total + sum(map(number, counts))
        with self._lock:
            self._counts[chain.chain_id] = (at, total)
        if at >= chain.counted_height + COUNT_KEPT:
            self._tools.book.change_chain(chain.chain_id, counted_height=at, counted_transactions=total)
            self._chains.pop(chain.chain_id, None)
        return total

    # --- monitoring ---------------------------------------------------------------------------------------------------

    def get_monitoring(self, request: standard.ChainRequest) -> standard.Monitoring:
        chain = self._chain(request.chain_id)
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
        if height > first > 0:
            passed = number(head["timestamp"]) - number(before["timestamp"])
            figures.append(Figure(name="block_time", value=round(passed / (height - first), 2), unit="s"))
        figures += [*self._pending(chain), *self._host_figures(chain)]
        return standard.Monitoring(at=datetime.now(UTC), figures=tuple(figures))

    def _pending(self, chain: Chain) -> list[Figure]:
        """How many transactions wait, where a node tells."""
        try:
            (pool,) = self._ask(chain, [("txpool_status", [])])
        except ConsoleError:
            return []
        return [Figure(name="pending_transactions", value=number(pool["pending"]), unit="transactions")]

    def _host_figures(self, chain: Chain) -> list[Figure]:
        """What the nodes use, added up over the hosts that answer, how many do, and where space is shortest."""

        def usage(node: Node) -> tuple[Usage, int]:
            host, name = self._tools.hosts.of(node), programs.container_name(node)
            return host.usage(name), host.free_disk(name, "/data")

        own = [node for node in chain.nodes if not is_observed(node)]
        if not own:
            return []
        found = [each for each in _at_once(usage, own) if not isinstance(each, ConsoleError)]
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
            (head,) = self._ask(chain, [("eth_getBlockByNumber", ["latest", False])])
        except ConsoleError:
            return self._chain_info(chain, "unknown")
        patience = max(STANDS_SECONDS, STANDS_FACTOR * chain.period)
        stands = time.time() - number(head["timestamp"]) > patience
        return self._chain_info(chain, "stopped" if stands else "running")

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
        """Each node as it answers itself; one that does not, as its host sees it."""
        chains = self._tools.book.chains(request.network_id)
        nodes = [
            node for chain in chains if request.chain_id in ("", chain.chain_id) for node in chain.nodes if node.enode
        ]
        infos = [each for each in _at_once(self._node_info, nodes) if isinstance(each, NodeInfo)]
        return standard.NodeList(items=tuple(infos))

    def _node_info(self, node: Node) -> NodeInfo:
        version, state = self._version_of(node), "running"
        if not version:
            state = "unknown" if is_observed(node) else self._tools.hosts.state_of(node)
            state = "unknown" if state == "running" else state  # it runs, they say, but does not answer
        return NodeInfo(
            node_id=node.node_id,
            chain_id=node.chain_id,
            member_id=node.orgcode or node.node_id,
            orgcode=node.orgcode,
            role="validator" if node.validator else "peer",
            endpoint=node.rpc,
            state=cast(standard.NodeState, state),
            version=client_in_words(version),
        )

    def _version_of(self, node: Node) -> str:
        """What the node says that it is; empty when it does not answer."""
        if self._tools.rpc.is_silent(node):
            return ""
        try:
            (version,) = self._tools.rpc.ask_node(node, [("web3_clientVersion", [])])
        except ConsoleError:
            return ""
        return str(version)

    def get_health(self, _request: standard.EmptyRequest) -> standard.Health:
        """Whether the hosts answer on which there are nodes."""
        nodes = {(node.ip, node.orgcode): node for chain in self._tools.book.chains() for node in chain.nodes}
        answers = _at_once(lambda node: self._tools.hosts.of(node).info(), list(nodes.values()))
        silent = [each for each in answers if isinstance(each, ConsoleError)]
        version = self._tools.settings.image
        if not silent:
            return standard.Health(status="up", version=version)
        words = say.HOSTS_SILENT % {"silent": len(silent), "all": len(answers), "problem": silent[0].detail}
        return standard.Health(status="degraded", version=version, detail=words)

    # --- small things -------------------------------------------------------------------------------------------------

    def _chain(self, chain_id: str) -> Chain:
        """The chain as it was written down a moment ago: observers ask much more often than anything changes."""
        kept_at, chain = self._chains.get(chain_id, (0.0, None))
        if chain is None or time.monotonic() - kept_at > CHAIN_KEPT_SECONDS:
            chain = self._tools.book.chain(chain_id)
            self._chains[chain_id] = (time.monotonic(), chain)
        return chain

    def _ask(self, chain: Chain, calls: list[Call]) -> list[Any]:
        return self._tools.rpc.ask(chain, calls) if calls else []


def _at_once(question: Callable[[Node], Any], nodes: Iterable[Node]) -> list[Any]:
    """The answers, in order; a ConsoleError stands where one was raised."""

    def asked(node: Node) -> Any:
        try:
            return question(node)
        except ConsoleError as problem:
            return problem

    every = list(nodes)
    if len(every) < 2:
        return [asked(node) for node in every]
    with ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(every)), thread_name_prefix="hosts") as pool:
        return list(pool.map(asked, every))


def _time(block: Any) -> datetime:
    return datetime.fromtimestamp(number(block["timestamp"]), UTC)


def _block(block: Any) -> BlockInfo:
    return BlockInfo(
        height=number(block["number"]),
        hash=block["hash"],
        parent_hash=block["parentHash"],
        time=_time(block),
        transactions=len(block["transactions"]),
    )


def _transaction(found: Any, receipt: Any, block: Any) -> TransactionInfo:
    status: standard.TransactionStatus = "pending"
    if receipt:
        status = "failed" if receipt.get("status") == "0x0" else "committed"
    extra = {"gasUsed": number(receipt["gasUsed"]), "nonce": number(found["nonce"])} if receipt else {}
    return TransactionInfo(
        tx_id=found["hash"],
        block_height=number(found.get("blockNumber")),
        index=number(found.get("transactionIndex")),
        time=_time(block) if block else None,
        status=status,
        sender=found.get("from") or "",
        to=found.get("to") or "",
        value=str(number(found.get("value"))),
        input=found.get("input") or "",
        contract=(receipt or {}).get("contractAddress") or "",
        extrainfo=json.dumps(extra) if extra else "",
    )
