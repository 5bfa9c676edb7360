"""The driver of the platforms of kind `evm`: consortium chains of geth and Quorum on organizations' own machines.

There is no management plane behind it. What one would know stands in the book, what one would do is done on the
hosts' engines and by the validators' votes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, Invalid, Missing, NotSupported, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.base import Capability, Credentials, Finished, Json, Pending, keep_trace
from platforms.drivers.evm import building, meeting, reclaiming, sending, upgrading, voting
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Book, Chain, Network, Spaces
from platforms.drivers.evm.building import Goes, NotYet, Tools
from platforms.drivers.evm.consensus import consensus_of
from platforms.drivers.evm.hosts import Hosts
from platforms.drivers.evm.kernels import kernel_named
from platforms.drivers.evm.observed import ObservingBook, observed
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.reading import Reader
from platforms.drivers.evm.rpc import Rpc
from platforms.drivers.evm.watching import Watcher
from platforms.drivers.evm.wire import Wire
from platforms.standard import OPERATIONS, Party, Request

UNSUPPORTED = {
    "delete_contract": say.CANNOT_FORGET,
    "list_tenants": say.NO_TENANTS,
    "create_subchain": say.ONE_NODE_ONE_CHAIN,
    "join_subchain": say.ONE_NODE_ONE_CHAIN,
}
SOON = 0.5
LONGEST_PERIOD = 3600  # seconds between two blocks
NO_OBJECT = gettext_noop("A JSON object is expected.")


class EvmDriver:
    """Safe to use from several threads."""

    resumes = True  # there is nobody behind it: what is begun is gone on with here, or not at all

    def __init__(self, *, book: Book, spaces: Spaces, settings: Settings) -> None:
        self.settings = settings
        self._book = book = ObservingBook(book)
        self._hosts = Hosts(spaces, kernel_named(settings.kernel), allow_private=settings.allow_private)
        self._rpc = Rpc(allow_private=settings.allow_private)
        self._tools = Tools(book, spaces, self._hosts, self._rpc, settings)
        self._reader = Reader(self._tools)
        self._wire = Wire(self._rpc, allow_private=settings.allow_private)
        self.follower = Watcher(self._reader, self._wire)

    def capabilities(self) -> dict[str, Capability]:
        return {name: Capability(name not in UNSUPPORTED, UNSUPPORTED.get(name, "")) for name in OPERATIONS}

    def perform(
        self,
        operation: str,
        request: Request,
        *,
        credentials: Credentials,
        key: str,
        position: Json | None = None,
    ) -> Finished | Pending:
        if operation in UNSUPPORTED:
            raise NotSupported(UNSUPPORTED[operation])
        if not OPERATIONS[operation].writes:
            return Finished(getattr(self._reader, operation)(request))
        if observed(getattr(request, "network_id", "")) is not None:
            return self._let_go(operation)
        goes = Goes(position)
        doing: Callable[[Any, Goes, str], Any] = getattr(self, f"_{operation}")
        try:
            return goes.ends(doing(request, goes, key))
        except NotYet as wait:
            return goes.waits(wait)
        except ConsoleError as problem:
            raise keep_trace(problem, tuple(goes.trace)) from problem.__cause__

    def upgrade(self, node_id: str, *, position: Json | None = None) -> Finished | Pending:
        """Bring a node to the image of the settings; not a standard operation, for platforms do this themselves.

        A node that does not come up gets its old image back. Raises as `perform` does.
        """
        goes = Goes(position)
        try:
            try:
                upgrading.upgrade_node(self._tools, goes, node_id)
                return goes.ends(standard.StatusAnswer(status="running"))
            except NotYet as wait:
                return goes.waits(wait)
        except PlatformRefused as problem:
            upgrading.restore(self._tools, goes, node_id)
            raise keep_trace(problem, tuple(goes.trace)) from problem.__cause__

    def rouse(self, chain_id: str) -> tuple[Json, ...]:
        """Where nodes of a chain that stands lack blocks of others, have them meet anew. See `rouser_of`."""
        chain, goes = self._book.chain(chain_id), Goes(None)
        if self._reader.stands_still(chain):
            meeting.meet_anew(self._tools, goes, chain)
        return tuple(goes.trace)

    def _let_go(self, operation: str) -> Finished:
        """A chain that is only observed: who leaves it, or deletes its union, ends the observation and nothing else."""
        if operation not in ("quit_network", "quit_chain", "delete_network", "delete_chain"):
            raise NotSupported(say.ONLY_OBSERVED)
        return Finished(standard.StatusAnswer(status="deleted"), ({"message": say.ONLY_OBSERVED},))

    def close(self) -> None:
        self._hosts.close()
        self._rpc.close()
        self._wire.close()

    # --- networks: who takes part, and whether their machines can --------------------------------------------------

    def _create_network(self, request: standard.CreateNetworkRequest, goes: Goes, key: str) -> standard.NetworkAnswer:
        network_id = _id("net", key, request.name)
        self._ready(request.creator, goes)
        members = {request.creator.orgcode: request.creator.name}
        self._book.open_network(Network(network_id, request.name, members))
        return standard.NetworkAnswer(network_id=network_id, status="running", member_id=request.creator.orgcode)

    def _join_network(self, request: standard.JoinNetworkRequest, goes: Goes, _key: str) -> standard.MemberAnswer:
        self._book.network(request.network_id)
        self._ready(request.member, goes)
        self._book.add_member(request.network_id, request.member.orgcode, request.member.name)
        return standard.MemberAnswer(network_id=request.network_id, member_id=request.member.orgcode, status="running")

    def _quit_network(self, request: standard.QuitNetworkRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        network = self._book.network(request.network_id)
        if set(network.members) == {request.member.orgcode}:
            raise PlatformRefused(say.FOUNDER_STAYS, code="last_member")
        for chain in self._book.chains(request.network_id):
            reclaiming.leave(self._tools, goes, chain, request.member.orgcode)
        self._book.drop_member(request.network_id, request.member.orgcode)
        return standard.StatusAnswer(status="deleted")

    def _delete_network(self, request: standard.DeleteNetworkRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        self._book.network(request.network_id)
        for chain in self._book.chains(request.network_id):
            reclaiming.remove_chain(self._tools, goes, chain)
        self._book.drop_network(request.network_id)
        return standard.StatusAnswer(status="deleted")

    def _ready(self, party: Party, goes: Goes) -> None:
        """Every machine of the party answers to its certificate, and has the kernel's image or can get it."""
        if party.category != "on_prem":
            raise PlatformRefused(say.ON_PREM_ONLY % {"name": party.name}, code="no_machine")
        settings = self.settings
        for host in self._hosts.all_of(party.orgcode):
            info = host.info()
            goes.note(f"{host.name} answers", version=info.version, cpus=info.cpus, memory=info.memory)
            if not host.ensure_image(settings.image, archive=settings.archive, registry=settings.registry):
                silent = PlatformUnavailable(say.NOT_UP % {"node": host.name, "seconds": 600})
                raise NotYet(f"the image on {host.name}", building.SYNC_SECONDS, silent, SOON)

    # --- chains ----------------------------------------------------------------------------------------------------

    def _create_chain(self, request: standard.CreateChainRequest, goes: Goes, key: str) -> standard.ChainAnswer:
        """The creator's validator seals the first blocks; the others are voted in when they join."""
        wishes = _wishes(request.extrainfo)
        consensus = consensus_of(self.settings.kernel, request.consensus or wishes.get("consensus", ""))
        chain_id = _id("chain", key, request.name)
        wanted = Chain(
            chain_id=chain_id,
            network_id=request.network_id,
            name=request.name,
            consensus=consensus.name,
            number=_number(chain_id),
            period=wishes.get("period", self.settings.period),
        )
        goes.known = {"chain_id": chain_id}
        chain, node = building.run_first_node(self._tools, goes, self._book.open_chain(wanted), request.creator.orgcode)
        self._await_first_block(chain)
        self._book.change_node(node.node_id, built=True)
        self._book.change_chain(chain_id, built=True)
        extra = json.dumps({"chainId": chain.number, "consensus": chain.consensus, "period": chain.period})
        return standard.ChainAnswer(chain_id=chain_id, status="running", extrainfo=extra)

    def _await_first_block(self, chain: Chain) -> None:
        if int(self._rpc.ask(chain, [("eth_blockNumber", [])])[0], 16) < 1:
            words = say.NO_VOTE % {"node": chain.name, "height": 0}
            stands = PlatformRefused(words, code="chain_stands")
            raise NotYet("the first block", building.START_SECONDS + 10 * chain.period, stands)

    def _join_chain(self, request: standard.JoinChainRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        chain = self._book.chain(request.chain_id)
        known = chain.node_of(request.member.orgcode)
        if known is not None and known.built:
            return standard.StatusAnswer(status="running")
        chain, node = building.run_node(self._tools, goes, chain, request.member.orgcode)
        building.refuse_behind(self._tools, chain, node)
        voting.vote(self._tools, goes, chain, node, into=True)
        self._book.change_node(node.node_id, built=True)
        return standard.StatusAnswer(status="running")

    def _quit_chain(self, request: standard.QuitChainRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        reclaiming.leave(self._tools, goes, self._book.chain(request.chain_id), request.member.orgcode)
        return standard.StatusAnswer(status="deleted")

    def _add_node(self, request: standard.AddNodeRequest, goes: Goes, key: str) -> standard.NodeAnswer:
        """A further node that holds the ledger and serves readers, but seals no blocks."""
        chain = self._book.chain(request.chain_id)
        if chain.node_of(request.member.orgcode) is None:
            raise PlatformRefused(say.NOT_IN % {"name": request.member.name, "chain": chain.name}, code="not_a_member")
        name = hashlib.sha256(f"node {key}".encode()).hexdigest()[:6]
        goes.known = {"node_id": f"{chain.chain_id}-{request.member.orgcode}-{name}"}
        chain, node = building.run_node(self._tools, goes, chain, request.member.orgcode, name)
        building.refuse_behind(self._tools, chain, node)
        self._book.change_node(node.node_id, built=True)
        return standard.NodeAnswer(node_id=node.node_id, status="running")

    def _remove_node(self, request: standard.RemoveNodeRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        chain = self._book.chain(request.chain_id)
        own = [node for node in chain.nodes if node.orgcode == request.member.orgcode]
        node = next((each for each in own if each.node_id == request.node_id), None)
        if node is None:
            raise Missing(say.NO_NODE % {"id": request.node_id})
        if node.validator:
            raise PlatformRefused(say.SEALS, code="validator")
        reclaiming.remove_node(self._tools, goes, node)
        reclaiming.tell_those_left(self._tools, goes, chain.chain_id, [node.enode] if node.enode else [])
        return standard.StatusAnswer(status="deleted")

    # --- contracts -------------------------------------------------------------------------------------------------

    def _deploy_contract(
        self, request: standard.DeployContractRequest, goes: Goes, key: str
    ) -> standard.ContractAnswer:
        return sending.deploy_contract(self._tools, goes, request, key)

    def _upgrade_contract(
        self, request: standard.UpgradeContractRequest, goes: Goes, key: str
    ) -> standard.ContractAnswer:
        return sending.upgrade_contract(self._tools, goes, request, key)

    def _send_transaction(self, request: standard.SendTransactionRequest, goes: Goes, key: str) -> standard.SentAnswer:
        return sending.send_transaction(self._tools, goes, request, key)

    def _delete_chain(self, request: standard.DeleteChainRequest, goes: Goes, _key: str) -> standard.StatusAnswer:
        reclaiming.remove_chain(self._tools, goes, self._book.chain(request.chain_id))
        return standard.StatusAnswer(status="deleted")


def _id(kind: str, key: str, name: str) -> str:
    """The same id for the same key: whoever asks again finds what the first go has made."""
    return f"{kind}-{hashlib.sha256(f'{kind} {key} {name}'.encode()).hexdigest()[:12]}"


def _number(chain_id: str) -> int:
    """A chain id of the EVM's own: large, so that it is nobody else's, and safe in JavaScript."""
    return 1_000_000_000 + int(hashlib.sha256(chain_id.encode()).hexdigest()[:7], 16)


def _wishes(extrainfo: str) -> Json:
    """What is special about this chain: `{"period": 5, "consensus": "ibft"}`. Invalid for what these cannot be."""
    if not extrainfo.strip():
        return {}
    try:
        found = json.loads(extrainfo)
    except (ValueError, RecursionError) as problem:
        raise Invalid.field("extrainfo", NO_OBJECT) from problem
    if not isinstance(found, dict):
        raise Invalid.field("extrainfo", NO_OBJECT)
    period = found.get("period", 1)
    if type(period) is not int or not 1 <= period <= LONGEST_PERIOD:
        raise Invalid.field("extrainfo", say.NO_PERIOD % {"most": LONGEST_PERIOD})
    if not isinstance(found.get("consensus", ""), str):
        raise Invalid.field("extrainfo", say.NO_CONSENSUS)
    return found
