"""What the management plane shows of its rows; the API file describes the same, and a test compares them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from platforms.sandbox.places import chains_of, port_on
from platforms.sandbox.principals import Keyring
from platforms.sandbox.store import Json

CONSENSUS = "SINGLE_SEQUENCER"
JOB_FIELDS = ("jobId", "kind", "state", "progress", "error", "createdAt", "updatedAt")
ABOUT = ("networkId", "memberId", "chainId", "nodeId", "contractId", "contractAddress", "transactionHash", "account")


def accepted(job: Json) -> web.Response:
    """202: the job's id and the ids of what it is about."""
    body = {"jobId": job["jobId"], **_about(job)}
    return web.json_response(body, status=202, headers={"Location": f"/v1/jobs/{job['jobId']}"})


def job_answer(job: Json) -> web.Response:
    """A job, or the nonsense that the fault switch asked for."""
    if job["fault"] != "nonsense":
        return web.json_response({field: job[field] for field in JOB_FIELDS} | _about(job))
    job["asked"] += 1
    if job["asked"] == 1:
        return web.json_response({"jobId": job["jobId"], "state": "SIDEWAYS", "progress": "soon"})
    return web.Response(text="<html><body><h1>It works!</h1></body></html>", content_type="text/html")


def network_shape(network: Json) -> Json:
    fields = ("networkId", "name", "description", "engine", "state", "creatorMemberId", "createdAt")
    return {
        **{field: network[field] for field in fields},
        "members": [member_shape(member) for member in network["members"].values()],
        "invitations": list(network["invitations"].values()),
    }


def member_shape(member: Json) -> Json:
    fields = ("memberId", "externalId", "displayName", "kind", "tenantId", "hosts", "state", "joinedAt")
    return {field: member[field] for field in fields}


def chain_shape(chain: Json, nodes: list[Json]) -> Json:
    fields = ("chainId", "networkId", "name", "state", "creatorMemberId", "createdAt")
    return {
        **{field: chain[field] for field in fields},
        "engine": "EVM",
        "consensus": CONSENSUS,
        "memberIds": list(dict.fromkeys(node["memberId"] for node in nodes)),
        "nodeCount": len(nodes),
        "engineDetails": {"evmChainId": chain["evmChainId"], "sequencers": 1},
    }


def node_shape(node: Json, chain_id: str, state: str) -> Json:
    """A node as one of the chains that it serves sees it."""
    fields = ("nodeId", "networkId", "memberId", "externalId", "tenantId", "version", "createdAt")
    port = port_on(node, chain_id)
    return {
        **{field: node[field] for field in fields},
        "chainId": chain_id,
        "chainIds": chains_of(node),
        "role": node["role"] if node["chainId"] == chain_id else "ENDPOINT",
        "state": state,
        "endpoint": f"http://{node['ip']}:{port}" if port else "",
    }


def tenant_shapes(keyring: Keyring) -> list[dict[str, Any]]:
    return [
        {
            "tenantId": tenant["tenantid"],
            "tenantName": tenant["tenantname"],
            "projectId": tenant["projectid"],
            "projectName": tenant.get("projectname", ""),
        }
        for tenant in keyring.tenants
    ]


def _about(job: Json) -> Json:
    return {field: job[field] for field in ABOUT if job.get(field)}
