"""The sandbox's own switches, beside the management plane: faults and traffic. For this computer only."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from platforms.sandbox.bodies import SetFault, SetTraffic, read_body
from platforms.sandbox.core import CORE
from platforms.sandbox.errors import BadControl, Forbidden
from platforms.sandbox.faults import FAULTS, HOW_TO
from platforms.sandbox.store import Json

routes = web.RouteTableDef()
OPEN_PATHS = frozenset({"/sandbox-faults", "/traffic", "/healthz"})


@routes.post("/sandbox-faults")
async def set_fault(request: web.Request) -> web.Response:
    core = request.config_dict[CORE]
    body = await read_body(request, SetFault, BadControl)
    unknown = [kind for kind in body.on if kind not in core.jobs.kinds]
    if unknown:
        raise BadControl(f"on: {unknown[0]} is no kind of job; there are {', '.join(core.jobs.kinds)}.")
    core.faults.add(body.fault, body.times, list(body.on))
    return _faults(request, status=201)


@routes.get("/sandbox-faults")
async def show_faults(request: web.Request) -> web.Response:
    return _faults(request)


@routes.delete("/sandbox-faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.config_dict[CORE].faults.clear()
    return _faults(request)


@routes.post("/traffic")
async def set_traffic(request: web.Request) -> web.Response:
    body = await read_body(request, SetTraffic, BadControl)
    changes = body.model_dump(by_alias=True, exclude_none=True)
    if not changes:
        raise BadControl("Say what to change: enabled, perMinute or quietAfter.")
    request.config_dict[CORE].traffic.set(changes)
    return _traffic(request)


@routes.get("/traffic")
async def show_traffic(request: web.Request) -> web.Response:
    return _traffic(request)


@routes.get("/healthz")
async def alive(request: web.Request) -> web.Response:
    return web.json_response({"status": "UP"})


def must_be_local(request: web.Request) -> None:
    """From this computer, and not from a page in its browser."""
    try:
        local = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        local = False
    if not local:
        raise Forbidden("The switches are open to this computer only.")
    if "Origin" in request.headers:
        raise Forbidden("The switches are not for pages in a browser.")


def _traffic(request: web.Request) -> web.Response:
    traffic = request.config_dict[CORE].traffic
    return web.json_response({**traffic.settings, "sent": traffic.sent})


def _faults(request: web.Request, status: int = 200) -> web.Response:
    core = request.config_dict[CORE]
    answer: Json = {"pending": core.faults.pending, "faults": list(FAULTS), "kinds": core.jobs.kinds, "howTo": HOW_TO}
    return web.json_response(answer, status=status)
