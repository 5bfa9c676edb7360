"""The management plane's calls, version 1: parse, ask, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from platforms.sandbox import bodies, shapes
from platforms.sandbox.access import find_chain, find_network
from platforms.sandbox.bodies import read_body
from platforms.sandbox.core import CORE, Core
from platforms.sandbox.errors import BadRequest, Forbidden
from platforms.sandbox.jobs import Key
from platforms.sandbox.once import earlier_job, key_of
from platforms.sandbox.pages import Page, Place, paged, parse_number, whole_number
from platforms.sandbox.places import chains_of, serving
from platforms.sandbox.principals import PRINCIPAL, Principal
from platforms.sandbox.store import Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
routes = web.RouteTableDef()
_EXTERNAL_ID: TypeAdapter[str] = TypeAdapter(bodies.ExternalId)


# --- networks and members -------------------------------------------------------------------------------------------


@routes.post("/v1/networks")
async def create_network(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.CreateNetwork)
    return await _once(request, lambda key: core.networks.create(principal, body, key))


@routes.get("/v1/networks")
async def list_networks(request: web.Request) -> web.Response:
    core, principal = _core(request)
    page = paged(core.networks.visible(principal), Place.of(request))
    return _page(Page([shapes.network_shape(each) for each in page.items], page.next_cursor, page.total))


@routes.get("/v1/networks/{networkId}")
async def get_network(request: web.Request) -> web.Response:
    core, principal = _core(request)
    return web.json_response(shapes.network_shape(find_network(core.store, principal, request.match_info["networkId"])))


@routes.delete("/v1/networks/{networkId}")
async def delete_network(request: web.Request) -> web.Response:
    core, principal = _core(request)
    network_id = request.match_info["networkId"]
    return await _once(request, lambda key: core.networks.delete(principal, network_id, key))


@routes.put("/v1/networks/{networkId}/invitations/{externalId}")
async def invite(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.Invitation)
    external_id = _external_id(request.match_info["externalId"])
    return web.json_response(core.networks.invite(principal, request.match_info["networkId"], external_id, body))


@routes.post("/v1/networks/{networkId}/members")
async def join_network(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.JoinNetwork)
    network_id = request.match_info["networkId"]
    return await _once(request, lambda key: core.networks.join(principal, network_id, body, key))


@routes.delete("/v1/networks/{networkId}/members/{member}")
async def quit_network(request: web.Request) -> web.Response:
    core, principal = _core(request)
    network_id, member = request.match_info["networkId"], request.query.get("memberId") or request.match_info["member"]
    return await _once(request, lambda key: core.networks.quit(principal, network_id, member, key))


# --- chains and nodes -----------------------------------------------------------------------------------------------


@routes.post("/v1/networks/{networkId}/chains")
async def create_chain(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.CreateChain)
    network_id = request.match_info["networkId"]
    return await _once(request, lambda key: core.chains.create(principal, network_id, body, key))


@routes.get("/v1/chains")
async def list_chains(request: web.Request) -> web.Response:
    core, principal = _core(request)
    network_id = request.query.get("networkId", "")
    if network_id:
        find_network(core.store, principal, network_id)
    visible = {network["networkId"] for network in core.networks.visible(principal)}
    chains = [
        chain
        for chain in core.store.chains.values()
        if chain["networkId"] in visible and network_id in ("", chain["networkId"])
    ]
    page = paged(chains, Place.of(request))
    return _page(Page([_chain(core, chain) for chain in page.items], page.next_cursor, page.total))


@routes.get("/v1/chains/{chainId}")
async def get_chain(request: web.Request) -> web.Response:
    core, principal = _core(request)
    return web.json_response(_chain(core, find_chain(core.store, principal, request.match_info["chainId"])))


@routes.delete("/v1/chains/{chainId}")
async def delete_chain(request: web.Request) -> web.Response:
    core, principal = _core(request)
    chain_id = request.match_info["chainId"]
    return await _once(request, lambda key: core.chains.delete(principal, chain_id, key))


@routes.post("/v1/chains/{chainId}/nodes")
async def create_node(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.CreateNode)
    chain_id = request.match_info["chainId"]
    return await _once(request, lambda key: core.chains.create_node(principal, chain_id, body, key))


@routes.post("/v1/chains/{chainId}/shared-nodes")
async def share_nodes(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.ShareNodes)
    chain_id = request.match_info["chainId"]
    return await _once(request, lambda key: core.chains.share_nodes(principal, chain_id, body, key))


@routes.delete("/v1/chains/{chainId}/nodes")
async def delete_nodes(request: web.Request) -> web.Response:
    core, principal = _core(request)
    chain_id, external_id = request.match_info["chainId"], request.query.get("externalId") or None
    return await _once(request, lambda key: core.chains.delete_nodes(principal, chain_id, key, external_id=external_id))


@routes.delete("/v1/chains/{chainId}/nodes/{nodeId}")
async def delete_node(request: web.Request) -> web.Response:
    core, principal = _core(request)
    chain_id, node_id = request.match_info["chainId"], request.match_info["nodeId"]
    external_id = request.query.get("externalId") or None
    return await _once(
        request,
        lambda key: core.chains.delete_nodes(principal, chain_id, key, external_id=external_id, node_id=node_id),
    )


# --- contracts and transactions -------------------------------------------------------------------------------------


@routes.post("/v1/chains/{chainId}/contracts")
async def create_contract(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.CreateContract)
    chain_id = request.match_info["chainId"]
    return await _once(request, lambda key: core.contracts.create(principal, chain_id, body, key))


@routes.get("/v1/chains/{chainId}/contracts")
async def list_contracts(request: web.Request) -> web.Response:
    core, principal = _core(request)
    page = paged(core.contracts.of(principal, request.match_info["chainId"]), Place.of(request))
    return _page(page)


@routes.put("/v1/chains/{chainId}/contracts/{contractId}")
async def upgrade_contract(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.UpgradeContract)
    chain_id, contract_id = request.match_info["chainId"], request.match_info["contractId"]
    return await _once(request, lambda key: core.contracts.upgrade(principal, chain_id, contract_id, body, key))


@routes.delete("/v1/chains/{chainId}/contracts/{contractId}")
async def delete_contract(request: web.Request) -> web.Response:
    core, principal = _core(request)
    chain_id, contract_id = request.match_info["chainId"], request.match_info["contractId"]
    external_id = request.query.get("externalId") or None
    return await _once(request, lambda key: core.contracts.delete(principal, chain_id, contract_id, external_id, key))


@routes.post("/v1/chains/{chainId}/transactions")
async def send_transaction(request: web.Request) -> web.Response:
    core, principal = _core(request)
    body = await read_body(request, bodies.SendTransaction)
    chain_id = request.match_info["chainId"]
    return await _once(request, lambda key: core.contracts.send(principal, chain_id, body, key))


@routes.get("/v1/nodes")
async def list_nodes(request: web.Request) -> web.Response:
    core, principal = _core(request)
    network_id, chain_id = request.query.get("networkId", ""), request.query.get("chainId", "")
    if network_id:
        find_network(core.store, principal, network_id)
    if chain_id:
        find_chain(core.store, principal, chain_id)
    visible = {network["networkId"] for network in core.networks.visible(principal)}
    places = [
        {"node": node, "chain": served}
        for node in core.store.nodes.values()
        if node["networkId"] in visible and network_id in ("", node["networkId"])
        for served in chains_of(node)
        if chain_id in ("", served)
    ]
    page = paged(places, Place.of(request))
    items = [
        shapes.node_shape(each["node"], each["chain"], core.chains.state_of(each["node"], each["chain"]))
        for each in page.items
    ]
    return _page(Page(items, page.next_cursor, page.total))


# --- ledgers --------------------------------------------------------------------------------------------------------


@routes.get("/v1/chains/{chainId}/ledger")
async def get_ledger(request: web.Request) -> web.Response:
    core, principal = _core(request)
    chain_id = request.match_info["chainId"]
    summary = await core.chains.ledger(principal, chain_id).summary()
    return web.json_response({**summary, "nodeCount": len(serving(core.store.nodes.values(), chain_id))})


@routes.get("/v1/chains/{chainId}/blocks")
async def list_blocks(request: web.Request) -> web.Response:
    core, principal = _core(request)
    ledger = core.chains.ledger(principal, request.match_info["chainId"])
    first, last = whole_number(request, "fromHeight"), whole_number(request, "toHeight")
    return _page(await ledger.blocks(Place.of(request), first, last))


@routes.get("/v1/chains/{chainId}/blocks/{number}")
async def get_block(request: web.Request) -> web.Response:
    core, principal = _core(request)
    ledger = core.chains.ledger(principal, request.match_info["chainId"])
    number = parse_number(request.match_info["number"])
    if number is None:
        raise BadRequest("number: a height is expected, decimal or 0x-hexadecimal.")
    return web.json_response(await ledger.block(number))


@routes.get("/v1/chains/{chainId}/transactions")
async def list_transactions(request: web.Request) -> web.Response:
    core, principal = _core(request)
    ledger = core.chains.ledger(principal, request.match_info["chainId"])
    return _page(await ledger.transactions(Place.of(request), whole_number(request, "blockNumber")))


@routes.get("/v1/chains/{chainId}/transactions/{txHash}")
async def get_transaction(request: web.Request) -> web.Response:
    core, principal = _core(request)
    ledger = core.chains.ledger(principal, request.match_info["chainId"])
    return web.json_response(await ledger.transaction(request.match_info["txHash"]))


@routes.get("/v1/chains/{chainId}/metrics")
async def get_metrics(request: web.Request) -> web.Response:
    core, principal = _core(request)
    return web.json_response(await core.chains.ledger(principal, request.match_info["chainId"]).metrics())


# --- jobs, tenants, health ------------------------------------------------------------------------------------------


@routes.get("/v1/jobs/{jobId}")
async def get_job(request: web.Request) -> web.Response:
    core, principal = _core(request)
    return shapes.job_answer(core.jobs.find(principal, request.match_info["jobId"]))


@routes.post("/v1/jobs/{jobId}/cancel")
async def cancel_job(request: web.Request) -> web.Response:
    core, principal = _core(request)
    job = core.jobs.find(principal, request.match_info["jobId"])
    core.jobs.cancel(job)
    return shapes.job_answer(job)


@routes.get("/v1/tenants")
async def list_tenants(request: web.Request) -> web.Response:
    core, principal = _core(request)
    if not principal.is_operator:
        raise Forbidden("Only the operator sees the tenants.")
    return _page(paged(shapes.tenant_shapes(core.keyring), Place.of(request)))


@routes.post("/v1/certificates")
async def issue_certificate(request: web.Request) -> web.Response:
    core, principal = _core(request)
    if not principal.is_operator:
        raise Forbidden("Only the operator has certificates issued.")
    body = await read_body(request, bodies.IssueCertificate)
    bundle = core.authority.issue_client(body.common_name, lifetime=timedelta(days=body.days + 1))
    return web.json_response({"bundle": bundle, "caCertificate": core.authority.certificate}, status=201)


@routes.get("/v1/health")
async def get_health(request: web.Request) -> web.Response:
    core, _principal = _core(request)
    return web.json_response(core.health())


# --- small things ---------------------------------------------------------------------------------------------------


def _core(request: web.Request) -> tuple[Core, Principal]:
    return request.config_dict[CORE], request[PRINCIPAL]


async def _once(request: web.Request, start: Callable[[Key], Json]) -> web.Response:
    """202 with the job: the one of the same request before, or a new one. Nothing runs between the two."""
    core, principal = _core(request)
    key = await key_of(request, principal)
    return shapes.accepted(earlier_job(core.store, core.jobs, key) or start(key))


def _page(page: Page) -> web.Response:
    return web.json_response(page.as_json())


def _chain(core: Core, chain: Json) -> Json:
    return shapes.chain_shape(chain, serving(core.store.nodes.values(), chain["chainId"]))


def _external_id(text: str) -> str:
    try:
        return _EXTERNAL_ID.validate_python(text)
    except ValidationError as problem:
        raise BadRequest(f"externalId: {problem.errors()[0]['msg']}.") from None
