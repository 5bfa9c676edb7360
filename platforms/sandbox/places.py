"""Where a node serves: the chain it was built for, and those it was put on later, each at a port of its own.

A node's row keeps its first chain in `chainId`, `role` and `port`, and further ones in `also` (chain → port). Rows from
before chains could share nodes have no `also`.
"""

from __future__ import annotations

from collections.abc import Iterable

from platforms.sandbox.store import Json


def chains_of(node: Json) -> list[str]:
    """Ids of the chains that the node serves, the first one first."""
    return [node["chainId"], *node.get("also", {})]


def serving(nodes: Iterable[Json], chain_id: str) -> list[Json]:
    """Those of the nodes that serve the chain."""
    return [node for node in nodes if chain_id in chains_of(node)]


def port_on(node: Json, chain_id: str) -> int:
    """Where the node answers for the chain; 0 while it does not yet."""
    return node["port"] if node["chainId"] == chain_id else node.get("also", {}).get(chain_id, 0)


def settle(node: Json, chain_id: str, port: int) -> None:
    """The node answers for the chain at this port."""
    if node["chainId"] == chain_id:
        node["port"] = port
    else:
        node.setdefault("also", {})[chain_id] = port


def leave(node: Json, chain_id: str) -> bool:
    """The node serves the chain no longer; true while it serves another one."""
    also: dict[str, int] = node.get("also", {})
    if node["chainId"] != chain_id:
        also.pop(chain_id, None)
        return True
    if not also:
        return False
    node["chainId"] = next(iter(also))
    node["port"], node["role"] = also.pop(node["chainId"]), "ENDPOINT"
    return True
