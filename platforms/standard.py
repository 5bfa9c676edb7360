"""The standard interface: what every platform is asked and what it answers, whatever its kernel.

One frozen request and one frozen answer for each operation (mission B14), with JSON Schemas. Ids are texts, heights
whole numbers, times aware datetimes. What is special to a kernel travels in `extrainfo` as a JSON text.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, computed_field, model_validator

Status = Literal["creating", "running", "stopped", "failed", "deleting", "deleted", "unknown"]
TransactionStatus = Literal["pending", "committed", "failed", "unknown"]
NodeState = Literal["running", "creating", "stopped", "failed", "unknown"]
HealthStatus = Literal["up", "degraded", "down"]
Category = Literal["cloud", "on_prem"]
Height = int
Time = AwareDatetime | None


class Value(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Request(Value):
    """What is asked. Its dump reads back: what is computed from the rest is left out of it again."""

    @model_validator(mode="before")
    @classmethod
    def _without_computed(cls, data: Any) -> Any:
        if not cls.model_computed_fields or not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if name not in cls.model_computed_fields}


class Answer(Value):
    """What is answered."""


class Machine(Value):
    ip: str
    port: int = Field(ge=1, le=65535)


class Party(Value):
    """An organization and where its nodes go; never its secrets."""

    orgcode: str
    name: str
    category: Category
    tenantid: str = ""
    tenantname: str = ""
    projectid: str = ""
    machines: tuple[Machine, ...] = ()


# --- networks -------------------------------------------------------------------------------------------------------


class CreateNetworkRequest(Request):
    name: str
    kernel: str = ""
    creator: Party
    members: tuple[Party, ...] = ()
    description: str = ""
    extrainfo: str = ""


class NetworkAnswer(Answer):
    network_id: str = Field(min_length=1)
    status: Status
    member_id: str = ""
    extrainfo: str = ""


class DeleteNetworkRequest(Request):
    network_id: str
    creator: Party


class StatusAnswer(Answer):
    status: Status
    extrainfo: str = ""


class JoinNetworkRequest(Request):
    network_id: str
    member: Party
    inviter: Party | None = None


class MemberAnswer(Answer):
    network_id: str
    member_id: str = ""
    status: Status
    extrainfo: str = ""


class QuitNetworkRequest(Request):
    network_id: str
    member: Party
    member_id: str = ""


# --- chains ---------------------------------------------------------------------------------------------------------


class CreateChainRequest(Request):
    network_id: str
    name: str
    creator: Party
    members: tuple[Party, ...] = ()
    consensus: str = ""
    extrainfo: str = ""


class ChainAnswer(Answer):
    chain_id: str = Field(min_length=1)
    status: Status
    extrainfo: str = ""


class DeleteChainRequest(Request):
    network_id: str
    chain_id: str
    creator: Party


class JoinChainRequest(Request):
    network_id: str
    chain_id: str
    member: Party


class QuitChainRequest(Request):
    network_id: str
    chain_id: str
    member: Party


class CreateSubchainRequest(CreateChainRequest):
    """A further chain, on nodes that its creator has in the network already."""

    nodes: tuple[str, ...] = Field(min_length=1)


class JoinSubchainRequest(JoinChainRequest):
    """The member's nodes of these ids are to serve the chain, too."""

    nodes: tuple[str, ...] = Field(min_length=1)


class AddNodeRequest(Request):
    """One further node for a member that is on the chain already."""

    network_id: str
    chain_id: str
    member: Party


class NodeAnswer(Answer):
    node_id: str = Field(min_length=1)
    status: Status


class RemoveNodeRequest(AddNodeRequest):
    """One node leaves the chain; where it serves no other chain it is reclaimed."""

    node_id: str


# --- contracts ------------------------------------------------------------------------------------------------------


class DeployContractRequest(Request):
    """`sender` is on whose behalf; `data` is the creation code with the arguments behind it, where a platform takes
    that instead of `bytecode`, `abi` and `arguments`."""

    chain_id: str
    name: str
    sender: Party | None = None
    bytecode: str = ""
    abi: tuple[dict[str, Any], ...] = ()
    arguments: tuple[Any, ...] = ()
    data: str = ""
    extrainfo: str = ""


class UpgradeContractRequest(DeployContractRequest):
    """The proxy of this id is to run the new code; `address` of the answer is where that stands."""

    contract_id: str


class DeleteContractRequest(Request):
    chain_id: str
    contract_id: str
    sender: Party | None = None


class ContractAnswer(Answer):
    """`sender` is the account on the chain that sent the transaction."""

    contract_id: str
    address: str = ""
    transaction: str = ""
    status: Status
    sender: str = ""


class SendTransactionRequest(Request):
    """A transaction to a contract, on behalf of `sender`; `data` is the call as the EVM wants it."""

    chain_id: str
    sender: Party
    to: str
    data: str = ""


class SentAnswer(Answer):
    transaction: str
    status: TransactionStatus
    sender: str = ""


# --- operation ------------------------------------------------------------------------------------------------------


class ChainRequest(Request):
    """Asks about one chain."""

    chain_id: str


class LedgerSummary(Answer):
    height: Height
    block_hash: str = ""
    block_time: Time = None
    transactions: int
    nodes: int | None = None
    patience: float | None = None  # seconds; a chain that makes blocks by the clock stands after so many without any


class PageRequest(Request):
    """Asks for a page; `offset` is the same page for platforms that count rows."""

    page: int = Field(default=1, ge=1)
    page_size: int = Field(default=50, ge=1, le=500)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


class ListBlocksRequest(PageRequest):
    chain_id: str
    from_height: Height | None = None
    to_height: Height | None = None


class BlockInfo(Value):
    height: Height
    hash: str
    parent_hash: str = ""
    time: Time = None
    transactions: int = 0


class BlockPage(Answer):
    total: int | None = None
    items: tuple[BlockInfo, ...]


class ListTransactionsRequest(PageRequest):
    chain_id: str
    block_height: Height | None = None


class TransactionInfo(Answer):
    tx_id: str
    block_height: Height
    index: int = 0
    time: Time = None
    status: TransactionStatus
    sender: str = ""
    to: str = ""
    value: str = ""
    input: str = ""
    contract: str = ""
    extrainfo: str = ""


class TransactionPage(Answer):
    total: int | None = None
    items: tuple[TransactionInfo, ...]


class LedgerRangeRequest(Request):
    """Asks for consecutive blocks with all that is in them; answered by some drivers, besides the interface."""

    chain_id: str
    from_height: Height
    to_height: Height
    full: bool = True  # else what the blocks' heads and receipts say is enough


class BlockRow(NamedTuple):
    """A `BlockInfo` of which very many come at once."""

    height: Height
    hash: str
    parent_hash: str
    time: datetime | None
    transactions: int


class TransactionRow(NamedTuple):
    """A `TransactionInfo` of which very many come at once."""

    tx_id: str
    block_height: Height
    index: int  # type: ignore[assignment]  # nobody asks the tuple's method of this name
    time: datetime | None
    status: TransactionStatus
    sender: str
    to: str
    value: str
    input: str
    contract: str
    extrainfo: str


@dataclass(frozen=True, slots=True)
class LedgerRange:
    """Blocks in rising order and their transactions; fewer than were asked for where the chain changed meanwhile."""

    blocks: list[BlockRow]
    transactions: list[TransactionRow]
    full: bool = True  # else value, input and what else only a whole transaction tells are empty


class GetTransactionRequest(Request):
    chain_id: str
    tx_id: str


class Figure(Value):
    name: str
    value: float
    unit: str = ""


class Monitoring(Answer):
    at: Time = None
    figures: tuple[Figure, ...]


class GetNetworkRequest(Request):
    network_id: str


class MemberInfo(Value):
    member_id: str
    name: str = ""
    tenantid: str = ""
    status: str = ""


class NetworkInfo(Answer):
    network_id: str
    name: str
    kernel: str = ""
    status: Status
    members: tuple[MemberInfo, ...] = ()
    created: Time = None


class ListNodesRequest(Request):
    network_id: str
    chain_id: str = ""


class NodeInfo(Value):
    node_id: str
    chain_id: str = ""
    member_id: str = ""
    orgcode: str = ""
    tenantid: str = ""
    role: str = "peer"
    endpoint: str = ""
    state: NodeState
    version: str = ""


class NodeList(Answer):
    items: tuple[NodeInfo, ...]


class GetChainRequest(Request):
    network_id: str = ""
    chain_id: str


class ChainInfo(Answer):
    chain_id: str
    network_id: str = ""
    name: str
    status: Status
    consensus: str = ""
    kernel: str = ""
    members: tuple[str, ...] = ()
    extrainfo: str = ""


# --- take-over and health -------------------------------------------------------------------------------------------


class EmptyRequest(Request):
    """Nothing to say."""


class NetworkList(Answer):
    items: tuple[NetworkInfo, ...]


class ListChainsRequest(Request):
    network_id: str = ""


class ChainList(Answer):
    items: tuple[ChainInfo, ...]


class Health(Answer):
    status: HealthStatus
    version: str = ""
    detail: str = ""


class TenantInfo(Value):
    tenantid: str
    tenantname: str
    projectid: str = ""
    projectname: str = ""


class TenantList(Answer):
    items: tuple[TenantInfo, ...]


@functools.cache
def schema_of(value: type[Value], mode: Literal["validation", "serialization"] = "validation") -> dict[str, Any]:
    """Its JSON Schema, made once: nobody may change it."""
    return value.model_json_schema(mode=mode)


@dataclass(frozen=True)
class Operation:
    """One operation: its request and answer types, whether it changes the platform, and its group."""

    name: str
    request: type[Request]
    answer: type[Answer]
    writes: bool
    group: Literal["network", "chain", "contract", "operation", "registry"]

    def json_schema(self) -> dict[str, Any]:
        """`{request, answer}` as JSON Schemas (draft 2020-12)."""
        return {"request": schema_of(self.request), "answer": schema_of(self.answer)}


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation("create_network", CreateNetworkRequest, NetworkAnswer, True, "network"),
        Operation("delete_network", DeleteNetworkRequest, StatusAnswer, True, "network"),
        Operation("join_network", JoinNetworkRequest, MemberAnswer, True, "network"),
        Operation("quit_network", QuitNetworkRequest, StatusAnswer, True, "network"),
        Operation("create_chain", CreateChainRequest, ChainAnswer, True, "chain"),
        Operation("delete_chain", DeleteChainRequest, StatusAnswer, True, "chain"),
        Operation("join_chain", JoinChainRequest, StatusAnswer, True, "chain"),
        Operation("quit_chain", QuitChainRequest, StatusAnswer, True, "chain"),
        Operation("create_subchain", CreateSubchainRequest, ChainAnswer, True, "chain"),
        Operation("join_subchain", JoinSubchainRequest, StatusAnswer, True, "chain"),
        Operation("add_node", AddNodeRequest, NodeAnswer, True, "chain"),
        Operation("remove_node", RemoveNodeRequest, StatusAnswer, True, "chain"),
        Operation("deploy_contract", DeployContractRequest, ContractAnswer, True, "contract"),
        Operation("upgrade_contract", UpgradeContractRequest, ContractAnswer, True, "contract"),
        Operation("delete_contract", DeleteContractRequest, StatusAnswer, True, "contract"),
        Operation("send_transaction", SendTransactionRequest, SentAnswer, True, "contract"),
        Operation("get_ledger_summary", ChainRequest, LedgerSummary, False, "operation"),
        Operation("list_transactions", ListTransactionsRequest, TransactionPage, False, "operation"),
        Operation("get_transaction", GetTransactionRequest, TransactionInfo, False, "operation"),
        Operation("list_blocks", ListBlocksRequest, BlockPage, False, "operation"),
        Operation("get_monitoring", ChainRequest, Monitoring, False, "operation"),
        Operation("get_network", GetNetworkRequest, NetworkInfo, False, "operation"),
        Operation("list_nodes", ListNodesRequest, NodeList, False, "operation"),
        Operation("get_chain", GetChainRequest, ChainInfo, False, "operation"),
        Operation("list_networks", EmptyRequest, NetworkList, False, "registry"),
        Operation("list_chains", ListChainsRequest, ChainList, False, "registry"),
        Operation("get_health", EmptyRequest, Health, False, "registry"),
        Operation("list_tenants", EmptyRequest, TenantList, False, "registry"),
    )
}
