"""Chains and nodes: one anvil process for each chain; a node has an endpoint for each chain that it serves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import aiohttp

from platforms.sandbox.access import find_chain, find_network, own_member
from platforms.sandbox.bodies import CreateChain, CreateNode, ShareNodes
from platforms.sandbox.errors import Conflict, Forbidden, KernelDown, NotFound
from platforms.sandbox.jobs import JobFailed, Jobs, Key, Progress
from platforms.sandbox.kernel import Kernel, KernelFailed
from platforms.sandbox.ledger import Ledger
from platforms.sandbox.places import chains_of, leave, port_on, serving, settle
from platforms.sandbox.principals import Keyring, Principal
from platforms.sandbox.relay import NoPlace, Relay
from platforms.sandbox.store import Json, Store, new_id, now_ms

logger = logging.getLogger(__name__)

FIRST_EVM_CHAIN_ID = 20_000
CLOUD_PORT = 8545
NODES_PER_MEMBER = 10  # on one chain


class Chains:
    """Builds, keeps and takes down chains and their nodes."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        keyring: Keyring,
        folder: Path,
        binary: Path | None,
        http: aiohttp.ClientSession,
        cloud_port: int,
    ) -> None:
        self.kernels: dict[str, Kernel] = {}
        self._store, self._jobs, self._keyring = store, jobs, keyring
        self._folder, self._binary, self._http = folder, binary, http
        self._cloud_port = cloud_port
        self._ledgers: dict[str, Ledger] = {}
        self._relays: dict[tuple[str, str], Relay] = {}  # node and chain → its endpoint there
        jobs.register("createChain", self._build, self._mark_chain_failed)
        jobs.register("deleteChain", self._take_down, self._mark_chain_failed)
        jobs.register("createNode", self._build_node, self._mark_node_failed)
        jobs.register("shareNodes", self._put_on, self._mark_nothing)
        jobs.register("deleteNodes", self._take_down_nodes, self._mark_node_failed)

    # --- asked by the API -------------------------------------------------------------------------------------------

    def create(self, principal: Principal, network_id: str, body: CreateChain, key: Key) -> Json:
        """The job that builds a chain in the network, on nodes that the creator has, or on a first one of its own."""
        network = find_network(self._store, principal, network_id)
        member = _active_member(network, principal, body.external_id)
        shared = self._own_nodes(member, body.node_ids)
        chain = {
            "chainId": new_id("chn"),
            "networkId": network_id,
            "name": body.name,
            "state": "CREATING",
            "creator": principal.id,
            "creatorMemberId": member["memberId"],
            "evmChainId": FIRST_EVM_CHAIN_ID + self._store.next_number(),
            "createdAt": now_ms(),
        }
        self._store.chains[chain["chainId"]] = chain
        nodes = shared or [self._add_node(chain, member, "SEQUENCER")]
        for node in shared:
            settle(node, chain["chainId"], 0)
        return self._jobs.start(
            "createChain",
            principal,
            key,
            subject=["chains", chain["chainId"]],
            networkId=network_id,
            chainId=chain["chainId"],
            nodeId=nodes[0]["nodeId"],
            onNodes=[node["nodeId"] for node in nodes],
        )

    def delete(self, principal: Principal, chain_id: str, key: Key) -> Json:
        """The job that takes the chain down, every member's node included; its creator may, or the network's."""
        chain = find_chain(self._store, principal, chain_id)
        principal.must_be_member()
        if principal.id not in (chain["creator"], self._store.networks[chain["networkId"]]["creator"]):
            raise Forbidden("Only the creator of a chain deletes it.", code="NOT_CREATOR")
        self._jobs.must_be_free("deleteChain", "chainId", chain_id)
        chain["state"] = "DELETING"
        return self._jobs.start(
            "deleteChain",
            principal,
            key,
            subject=["chains", chain_id],
            networkId=chain["networkId"],
            chainId=chain_id,
        )

    def create_node(self, principal: Principal, chain_id: str, body: CreateNode, key: Key) -> Json:
        """The job that gives the calling member a node of its own."""
        chain = find_chain(self._store, principal, chain_id)
        member = _active_member(self._store.networks[chain["networkId"]], principal, body.external_id)
        if chain["state"] != "RUNNING":
            raise Conflict(f"The chain is {chain['state']}.", code="CHAIN_NOT_READY")
        if len(self._nodes_of(chain_id, member["memberId"])) >= NODES_PER_MEMBER:
            raise Conflict(f"A member has at most {NODES_PER_MEMBER} nodes on a chain.", code="QUOTA_EXCEEDED")
        node = self._add_node(chain, member, "ENDPOINT")
        return self._jobs.start(
            "createNode",
            principal,
            key,
            subject=["nodes", node["nodeId"]],
            networkId=chain["networkId"],
            chainId=chain_id,
            nodeId=node["nodeId"],
        )

    def share_nodes(self, principal: Principal, chain_id: str, body: ShareNodes, key: Key) -> Json:
        """The job that has nodes of the calling member serve the chain, too."""
        chain = find_chain(self._store, principal, chain_id)
        member = _active_member(self._store.networks[chain["networkId"]], principal, body.external_id)
        if chain["state"] != "RUNNING":
            raise Conflict(f"The chain is {chain['state']}.", code="CHAIN_NOT_READY")
        nodes = self._own_nodes(member, body.node_ids)
        for node in nodes:
            if chain_id not in chains_of(node):
                settle(node, chain_id, 0)
        return self._jobs.start(
            "shareNodes",
            principal,
            key,
            subject=["chains", chain_id],
            networkId=chain["networkId"],
            chainId=chain_id,
            memberId=member["memberId"],
            onNodes=[node["nodeId"] for node in nodes],
        )

    def delete_nodes(
        self, principal: Principal, chain_id: str, key: Key, *, external_id: str | None = None, node_id: str = ""
    ) -> Json:
        """The job that reclaims one node, or all that the calling member has on the chain.

        A node that serves other chains as well leaves this one, and stays.
        """
        chain = find_chain(self._store, principal, chain_id)
        member = own_member(self._store.networks[chain["networkId"]], principal, external_id)
        nodes = self._nodes_of(chain_id, member["memberId"])
        if node_id:
            nodes = [node for node in nodes if node["nodeId"] == node_id]
        if not nodes:
            raise NotFound("You have no such node on this chain.", code="NODE_NOT_FOUND")
        self._jobs.must_be_free("deleteNodes", "memberId", member["memberId"])
        for node in nodes:
            if chains_of(node) == [chain_id]:
                node["state"] = "DELETING"
        return self._jobs.start(
            "deleteNodes",
            principal,
            key,
            subject=["nodes", nodes[0]["nodeId"]],
            networkId=chain["networkId"],
            chainId=chain_id,
            memberId=member["memberId"],
            nodeIds=[node["nodeId"] for node in nodes],
        )

    def ledger(self, principal: Principal, chain_id: str) -> Ledger:
        """What reads the chain; KernelDown while its process is away."""
        find_chain(self._store, principal, chain_id)
        kernel = self.kernels.get(chain_id)
        if kernel is None or not kernel.running:
            raise KernelDown("The chain's node is not running at the moment.")
        return self._ledgers[chain_id]

    def state_of(self, node: Json, chain_id: str) -> str:
        """What is true of a node on a chain now, whatever was written down."""
        kernel = self.kernels.get(chain_id)
        if node["state"] != "RUNNING":
            return node["state"]
        if not port_on(node, chain_id):
            return "CREATING"
        open_there = kernel is not None and kernel.running and (node["nodeId"], chain_id) in self._relays
        return "RUNNING" if open_there else "STOPPED"

    # --- called by the networks -------------------------------------------------------------------------------------

    def chains_of(self, network_id: str) -> list[Json]:
        return [chain for chain in self._store.chains.values() if chain["networkId"] == network_id]

    def reclaim_nodes(self, network_id: str, member_id: str) -> None:
        """All nodes of a member that leaves."""
        for node in list(self._store.nodes.values()):
            if node["networkId"] == network_id and node["memberId"] == member_id:
                self._drop_node(node["nodeId"])
        self._store.save()

    async def remove(self, chain_id: str) -> None:
        """The chain, its nodes, its process and its state."""
        for node in serving(self._store.nodes.values(), chain_id):
            self._take_off(node, chain_id)
        kernel = self.kernels.pop(chain_id, None)
        self._ledgers.pop(chain_id, None)
        if kernel is not None:
            await kernel.stop()
            kernel.remove_state()
        self._store.chains.pop(chain_id, None)
        self._store.save()

    # --- with the sandbox -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Everything that was there before the restart."""
        await asyncio.gather(*(self._revive(chain) for chain in list(self._store.chains.values())))

    async def stop(self) -> None:
        for relay in self._relays.values():
            relay.close()
        await asyncio.gather(*(kernel.stop() for kernel in self.kernels.values()))

    async def _revive(self, chain: Json) -> None:
        kernel = self._kernel(chain)
        try:
            await kernel.start()
        except (KernelFailed, OSError) as problem:
            logger.error("chain %s is not back yet: %s", chain["chainId"], problem)
        for node in serving(self._store.nodes.values(), chain["chainId"]):
            if port := port_on(node, chain["chainId"]):
                try:
                    await self._open(node, chain["chainId"], port)
                except NoPlace as problem:
                    logger.error("node %s is not back: %s", node["nodeId"], problem)

    # --- the jobs' work ---------------------------------------------------------------------------------------------

    async def _build(self, job: Json, progress: Progress) -> None:
        chain = self._store.chains[job["chainId"]]
        await progress.stage(10)
        kernel = self._kernel(chain)
        if not kernel.running:
            try:
                await kernel.start()
            except (KernelFailed, OSError) as problem:
                raise JobFailed(f"The chain does not come up: {problem}.", "KERNEL_UNAVAILABLE") from problem
        await progress.half_way()
        for node_id in job.get("onNodes", [job["nodeId"]]):
            await self._open_node(self._node(node_id), job["chainId"])
        await progress.stage(90)
        chain["state"] = "RUNNING"

    async def _take_down(self, job: Json, progress: Progress) -> None:
        self._jobs.cancel_about("chainId", job["chainId"], but=job["jobId"])
        await progress.half_way()
        if job["chainId"] in self._store.chains:
            await self.remove(job["chainId"])

    async def _build_node(self, job: Json, progress: Progress) -> None:
        await progress.stage(20)
        await progress.half_way()
        await self._open_node(self._node(job["nodeId"]), job["chainId"])
        await progress.stage(90)

    async def _put_on(self, job: Json, progress: Progress) -> None:
        await progress.stage(20)
        await progress.half_way()
        if job["chainId"] not in self.kernels:
            raise JobFailed("The chain was deleted meanwhile.", "CHAIN_NOT_FOUND")
        for node_id in job["onNodes"]:
            await self._open_node(self._node(node_id), job["chainId"])
        await progress.stage(90)

    async def _take_down_nodes(self, job: Json, progress: Progress) -> None:
        for node_id in job["nodeIds"]:
            node = self._store.nodes.get(node_id)
            if node is not None and chains_of(node) == [job["chainId"]]:
                self._jobs.cancel_about("nodeId", node_id, but=job["jobId"])
        await progress.half_way()
        for node_id in job["nodeIds"]:
            if node_id in self._store.nodes:
                self._take_off(self._store.nodes[node_id], job["chainId"])

    def _mark_chain_failed(self, job: Json) -> None:
        if job["chainId"] in self._store.chains:
            self._store.chains[job["chainId"]]["state"] = "FAILED"

    def _mark_node_failed(self, job: Json) -> None:
        for node_id in job.get("nodeIds") or [job["nodeId"]]:
            node = self._store.nodes.get(node_id)
            if node is not None and chains_of(node) == [job["chainId"]]:
                node["state"] = "FAILED"

    def _mark_nothing(self, job: Json) -> None:
        """The nodes serve what they served before; on this chain they are still being created."""

    # --- small things -----------------------------------------------------------------------------------------------

    def _kernel(self, chain: Json) -> Kernel:
        chain_id = chain["chainId"]
        if chain_id not in self.kernels:
            folder = self._folder / "chains" / chain_id
            kernel = self.kernels[chain_id] = Kernel(
                self._binary, folder, chain["evmChainId"], chain["createdAt"] // 1000, self._http
            )
            self._ledgers[chain_id] = Ledger(kernel)
        return self.kernels[chain_id]

    def _node(self, node_id: str) -> Json:
        node = self._store.nodes.get(node_id)
        if node is None:
            raise JobFailed("The node was reclaimed meanwhile.", "NODE_NOT_FOUND")
        return node

    def _add_node(self, chain: Json, member: Json, role: str) -> Json:
        host = member["hosts"][0] if member["hosts"] else None
        node = {
            "nodeId": new_id("nod"),
            "chainId": chain["chainId"],
            "networkId": chain["networkId"],
            "memberId": member["memberId"],
            "externalId": member["externalId"],
            "tenantId": member["tenantId"],
            "role": role,
            "ip": host["ip"] if host else self._keyring.cloud_address(member["tenantId"]),
            "firstPort": host["port"] if host else self._cloud_port,
            "port": 0,
            "state": "CREATING",
            "version": "",
            "createdAt": now_ms(),
        }
        self._store.nodes[node["nodeId"]] = node
        return node

    async def _open_node(self, node: Json, chain_id: str) -> None:
        if (node["nodeId"], chain_id) not in self._relays:
            try:
                await self._open(node, chain_id, port_on(node, chain_id) or node["firstPort"])
            except NoPlace as problem:
                raise JobFailed(f"The node finds no place: {problem}.", "NO_PLACE") from problem
        with contextlib.suppress(KernelFailed):
            node["version"] = await self.kernels[chain_id].rpc("web3_clientVersion")
        node["state"] = "RUNNING"

    async def _open(self, node: Json, chain_id: str, port: int) -> None:
        relay = Relay(self.kernels[chain_id])
        opened = await relay.open(node["ip"], port)
        if port_on(node, chain_id) not in (0, opened):
            logger.warning("node %s: port %s is taken, now on %s", node["nodeId"], port, opened)
        self._relays[node["nodeId"], chain_id] = relay
        settle(node, chain_id, opened)
        self._store.save()

    def _drop_node(self, node_id: str) -> None:
        for place in [place for place in self._relays if place[0] == node_id]:
            self._relays.pop(place).close()
        self._store.nodes.pop(node_id, None)

    def _take_off(self, node: Json, chain_id: str) -> None:
        """The node serves the chain no longer; one that serves nothing else is gone."""
        relay = self._relays.pop((node["nodeId"], chain_id), None)
        if relay is not None:
            relay.close()
        if not leave(node, chain_id):
            self._drop_node(node["nodeId"])

    def _nodes_of(self, chain_id: str, member_id: str) -> list[Json]:
        return [node for node in serving(self._store.nodes.values(), chain_id) if node["memberId"] == member_id]

    def _own_nodes(self, member: Json, node_ids: tuple[str, ...]) -> list[Json]:
        """The member's nodes of these ids; NotFound names the first that it has not."""
        for node_id in node_ids:
            if self._store.nodes.get(node_id, {}).get("memberId") != member["memberId"]:
                raise NotFound(f"You have no node {node_id} in this network.", code="NODE_NOT_FOUND")
        nodes = [self._store.nodes[node_id] for node_id in dict.fromkeys(node_ids)]
        if away := [node["nodeId"] for node in nodes if node["state"] != "RUNNING"]:
            raise Conflict(f"The node {away[0]} is not running.", code="NODE_NOT_READY")
        return nodes


def _active_member(network: Json, principal: Principal, external_id: str | None) -> Json:
    member = own_member(network, principal, external_id)
    if network["state"] != "ACTIVE":
        raise Conflict(f"The network is {network['state']}.", code="NETWORK_NOT_READY")
    if member["state"] != "ACTIVE":
        raise Conflict(f"Your membership is {member['state']}.", code="MEMBER_NOT_READY")
    return member
