"""What the driver knows of what it has built, as frozen values; who keeps it is not the driver's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from platforms.hosts.spaces import Space

Json = dict[str, Any]


@dataclass(frozen=True)
class Network:
    network_id: str
    name: str
    members: dict[str, str]  # orgcode -> name


@dataclass(frozen=True)
class Node:
    """`built` once it runs and its peers know it. `address` and `enode` are empty until the host has made its keys;
    `previous_image` is, but for while the node is brought to another image."""

    node_id: str
    chain_id: str
    orgcode: str
    validator: bool
    ip: str
    engine_port: int
    p2p_port: int
    rpc_port: int
    image: str
    address: str = ""
    enode: str = ""
    built: bool = False
    previous_image: str = ""

    @property
    def rpc(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"http://{host}:{self.rpc_port}"


@dataclass(frozen=True)
class Chain:
    """`genesis` is empty until the first validator's address is known."""

    chain_id: str
    network_id: str
    name: str
    consensus: str
    number: int
    period: int
    genesis: Json = field(default_factory=dict)
    built: bool = False
    counted_height: int = -1
    counted_transactions: int = 0
    nodes: tuple[Node, ...] = ()

    def node_of(self, orgcode: str) -> Node | None:
        """The organization's validator."""
        return next((node for node in self.nodes if node.orgcode == orgcode and node.validator), None)

    def validators(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.validator and node.address)


@dataclass(frozen=True)
class Sending:
    """A transaction that was signed: written down before it is sent."""

    hash: str
    raw: str
    nonce: int


class Book(Protocol):
    """Each call is whole by itself. Raises Missing for a network or chain that is not there."""

    def networks(self) -> list[Network]: ...
    def network(self, network_id: str) -> Network: ...
    def open_network(self, network: Network) -> None: ...
    def drop_network(self, network_id: str) -> None: ...
    def add_member(self, network_id: str, orgcode: str, name: str) -> None: ...
    def drop_member(self, network_id: str, orgcode: str) -> None: ...
    def chains(self, network_id: str = "") -> list[Chain]: ...
    def chain(self, chain_id: str) -> Chain: ...
    def open_chain(self, chain: Chain) -> Chain: ...
    def change_chain(self, chain_id: str, **changes: Any) -> None: ...
    def drop_chain(self, chain_id: str) -> None: ...
    def open_node(self, chain: Chain, space: Space, *, image: str, validator: bool = True, name: str = "") -> Node: ...
    def change_node(self, node_id: str, **changes: Any) -> None: ...
    def drop_node(self, node_id: str) -> None: ...
    def signing_key(self, chain_id: str, orgcode: str) -> str: ...
    def sending(self, key: str, number: int) -> Sending | None: ...
    def open_sendings(self, chain_id: str, orgcode: str) -> list[Sending]: ...
    def open_sending(self, chain_id: str, orgcode: str, key: str, number: int, sending: Sending) -> Sending | None: ...
    def close_sending(self, key: str, number: int) -> None: ...


Spaces = Callable[[str], Space]  # orgcode -> its machines
