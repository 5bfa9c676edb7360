"""The API file and the mapping of `ledger_plane.py`."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

PATHS: dict[str, tuple[str, ...]] = {
    "/networks": ("get", "post"),
    "/networks/{network}": ("get", "delete"),
    "/networks/{network}/members": ("post",),
    "/networks/{network}/members/{org}": ("delete",),
    "/networks/{network}/chains": ("get", "post"),
    "/networks/{network}/nodes": ("get",),
    "/chains/{chain}": ("get", "delete"),
    "/chains/{chain}/members": ("post",),
    "/chains/{chain}/members/{org}": ("delete",),
    "/chains/{chain}/nodes": ("post",),
    "/chains/{chain}/nodes/{org}/{node}": ("delete",),
    "/chains/{chain}/summary": ("get",),
    "/chains/{chain}/blocks": ("get",),
    "/chains/{chain}/transactions": ("get",),
    "/chains/{chain}/monitoring": ("get",),
    "/jobs/{job}": ("get",),
}
CHAIN, NETWORK = {"chain": {"$from": "$.in.chain_id"}}, {"network": {"$from": "$.in.network_id"}}
KEY = {"x-key": {"$from": "$.call.id"}}
GONE = {"status": [404]}


def api_file() -> str:
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
    paths = {path: {method: {"responses": answer} for method in methods} for path, methods in PATHS.items()}
    return json.dumps({"openapi": "3.0.3", "info": {"title": "Ledgers", "version": "1"}, "paths": paths})


def field(path: str, **more: Any) -> Json:
    return {"$from": path, **more}


def changing(op: str, path: Json, body: Json | None, result: Json, *, known: Json | None = None) -> Json:
    """A call that starts a job, and the polls until it ends."""
    begin: Json = {"id": "begin", "op": op, "path": path, "header": KEY, "idempotent": True}
    if body is not None:
        begin["body"] = body
    job: Json = {
        "id": "job",
        "op": "GET /jobs/{job}",
        "path": {"job": field("$.steps.begin.body.job")},
        "poll": {
            "every": 0.1,
            "limit": 20,
            "until": {"$.body.state": ["done"]},
            "fail": {"$.body.state": ["failed"]},
        },
    }
    interface: Json = {"steps": [begin, job], "result": result, "gone": GONE}
    return interface | ({"known": known} if known else {})


def reading(op: str, path: Json, result: Json, query: Json | None = None) -> Json:
    step: Json = {"id": "read", "op": op, "path": path}
    if query:
        step["query"] = query
    return {"steps": [step], "result": result, "gone": GONE}


def paged(**more: Any) -> Json:
    return {"page": field("$.in.page"), "size": field("$.in.page_size"), **more}


BLOCK = {
    "height": field("@.height"),
    "hash": field("@.hash"),
    "parent_hash": field("@.parent"),
    "time": field("@.time", **{"$as": {"time": "iso"}}),
    "transactions": field("@.transactions"),
}
TRANSACTION = {
    "tx_id": field("@.hash"),
    "block_height": field("@.height"),
    "index": field("@.index"),
    "time": field("@.time", **{"$as": {"time": "iso"}}),
    "status": "committed",
    "sender": "0xsender",
    "to": "0xrecipient",
    "value": "1",
}
NODE = {
    "node_id": field("@.id"),
    "chain_id": field("@.chain"),
    "orgcode": field("@.org"),
    "role": "validator",
    "endpoint": field("@.url"),
    "state": "running",
    "version": "v1",
}
STATUS = {"status": "running"}
GONE_STATUS = {"status": "deleted"}


def interfaces() -> dict[str, Json]:
    """Every standard interface that the plane answers."""
    org, member = {"org": field("$.in.creator.orgcode")}, {"org": field("$.in.member.orgcode")}
    return {
        "create_network": changing(
            "POST /networks",
            {},
            {"name": field("$.in.name"), **org},
            {"network_id": field("$.steps.job.body.result.id"), **STATUS},
        ),
        "delete_network": changing("DELETE /networks/{network}", NETWORK, None, GONE_STATUS),
        "join_network": changing(
            "POST /networks/{network}/members",
            NETWORK,
            member,
            {"network_id": field("$.in.network_id"), "member_id": field("$.steps.job.body.result.id"), **STATUS},
        ),
        "quit_network": changing("DELETE /networks/{network}/members/{org}", {**NETWORK, **member}, None, GONE_STATUS),
        "create_chain": changing(
            "POST /networks/{network}/chains",
            NETWORK,
            {"name": field("$.in.name"), **org},
            {"chain_id": field("$.steps.job.body.result.id"), **STATUS},
            known={"chain_id": field("$.steps.begin.body.id")},
        ),
        "delete_chain": changing("DELETE /chains/{chain}", CHAIN, None, GONE_STATUS),
        "join_chain": changing("POST /chains/{chain}/members", CHAIN, member, STATUS),
        "quit_chain": changing("DELETE /chains/{chain}/members/{org}", {**CHAIN, **member}, None, GONE_STATUS),
        "create_subchain": changing(
            "POST /networks/{network}/chains",
            NETWORK,
            {"name": field("$.in.name"), **org, "nodes": field("$.in.nodes")},
            {"chain_id": field("$.steps.job.body.result.id"), **STATUS},
            known={"chain_id": field("$.steps.begin.body.id")},
        ),
        "join_subchain": changing(
            "POST /chains/{chain}/members", CHAIN, {**member, "nodes": field("$.in.nodes")}, STATUS
        ),
        "add_node": changing(
            "POST /chains/{chain}/nodes",
            CHAIN,
            member,
            {"node_id": field("$.steps.job.body.result.id"), **STATUS},
            known={"node_id": field("$.steps.begin.body.id")},
        ),
        "remove_node": changing(
            "DELETE /chains/{chain}/nodes/{org}/{node}",
            {**CHAIN, **member, "node": field("$.in.node_id")},
            None,
            GONE_STATUS,
        ),
        "list_chains": reading(
            "GET /networks/{network}/chains",
            NETWORK,
            {
                "items": {
                    "$each": "$.steps.read.body.items",
                    "$item": {
                        "chain_id": field("@.id"),
                        "name": field("@.name"),
                        "network_id": field("@.network"),
                        **STATUS,
                    },
                }
            },
        ),
        "get_chain": reading(
            "GET /chains/{chain}",
            CHAIN,
            {
                "chain_id": field("$.in.chain_id"),
                "name": field("$.steps.read.body.name"),
                "consensus": field("$.steps.read.body.consensus"),
                **STATUS,
            },
        ),
        "list_nodes": reading(
            "GET /networks/{network}/nodes",
            NETWORK,
            {"items": {"$each": "$.steps.read.body.items", "$item": NODE}},
            {"chain": field("$.in.chain_id")},
        ),
        "get_ledger_summary": reading(
            "GET /chains/{chain}/summary",
            CHAIN,
            {
                "height": field("$.steps.read.body.height"),
                "block_hash": field("$.steps.read.body.hash"),
                "block_time": field("$.steps.read.body.time", **{"$as": {"time": "iso"}, "$optional": True}),
                "transactions": field("$.steps.read.body.transactions"),
            },
        ),
        "list_blocks": reading(
            "GET /chains/{chain}/blocks",
            CHAIN,
            {"items": {"$each": "$.steps.read.body.items", "$item": BLOCK}},
            paged(**{"from": field("$.in.from_height"), "to": field("$.in.to_height")}),
        ),
        "list_transactions": reading(
            "GET /chains/{chain}/transactions",
            CHAIN,
            {"items": {"$each": "$.steps.read.body.items", "$item": TRANSACTION}},
            paged(height=field("$.in.block_height")),
        ),
        "get_monitoring": reading(
            "GET /chains/{chain}/monitoring",
            CHAIN,
            {
                "figures": {
                    "$each": "$.steps.read.body.figures",
                    "$item": {"name": field("@.name"), "value": field("@.value"), "unit": field("@.unit")},
                }
            },
        ),
    }


def existing() -> dict[str, Json]:
    """How networks that are there are listed and read; members by id, name and tenant, nodes by the member's id."""
    members = {
        "$each": "@.people",
        "$item": {"member_id": field("@.id"), "name": field("@.name"), "tenantid": field("@.tenant")},
    }
    network = {
        "network_id": field("@.id"),
        "name": field("@.name"),
        "status": field("@.state"),
        "members": members,
    }
    one = {
        name: {**value, "$from": value["$from"].replace("@", "$.steps.read.body")}
        for name, value in network.items()
        if name != "members"
    }
    node = {**NODE, "member_id": NODE["orgcode"]}
    node.pop("orgcode")
    items = {"$each": "$.steps.read.body.items", "$item": network}
    return {
        "list_networks": {"steps": [{"id": "read", "op": "GET /networks"}], "result": {"items": items}},
        "get_network": reading(
            "GET /networks/{network}", NETWORK, {**one, "members": {**members, "$each": "$.steps.read.body.people"}}
        ),
        "list_nodes": reading(
            "GET /networks/{network}/nodes",
            NETWORK,
            {"items": {"$each": "$.steps.read.body.items", "$item": node}},
            {"chain": field("$.in.chain_id")},
        ),
    }


def mapping(**instead: Json | None) -> str:
    """The template; `instead` replaces interfaces, or leaves them out (None)."""
    chosen = {name: body for name, body in {**interfaces(), **instead}.items() if body is not None}
    document = {"mapping": 1, "platform": "ledgers", "auth": {"kind": "none"}, "errorMessage": ["$.body.message"]}
    return json.dumps({**document, "interfaces": chosen})
