"""The two listeners: HTTP for keys and switches, HTTPS with mutual TLS for on-prem organizations."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from platforms.sandbox import controls, views
from platforms.sandbox.bodies import MAX_BODY, must_be_json
from platforms.sandbox.core import CORE, Core
from platforms.sandbox.errors import ApiError, KernelDown
from platforms.sandbox.kernel import KernelFailed
from platforms.sandbox.principals import PRINCIPAL, server_context

logger = logging.getLogger(__name__)

CALL_SECONDS = 15.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Listens until it is closed."""

    def __init__(self, core: Core, folder: Path) -> None:
        self._folder = folder
        self._plain = web.AppRunner(_application(core, controls.routes), shutdown_timeout=0.5, access_log=None)
        self._mutual = web.AppRunner(_application(core), shutdown_timeout=0.5, access_log=None)

    async def listen(self, host: str, port: int, tls_port: int) -> None:
        """Raises OSError when a port is taken."""
        for runner in (self._plain, self._mutual):
            await runner.setup()
        await web.TCPSite(self._plain, host, port).start()
        await web.TCPSite(self._mutual, host, tls_port, ssl_context=server_context(self._folder)).start()

    async def close(self) -> None:
        await asyncio.gather(self._plain.cleanup(), self._mutual.cleanup())


def _application(core: Core, *more: web.RouteTableDef) -> web.Application:
    application = web.Application(client_max_size=MAX_BODY, middlewares=[_logged, _enveloped, _guarded])
    application[CORE] = core
    for routes in (views.routes, *more):
        application.add_routes(routes)
    return application


@web.middleware
async def _logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    begun = time.monotonic()
    response = await handler(request)
    principal = request.get(PRINCIPAL)
    reading = request.method == "GET" and response.status < 400  # observers read all the time
    logger.log(
        logging.DEBUG if reading else logging.INFO,
        "%s %s %s",
        request.method,
        request.path,
        response.status,
        extra={"ms": round((time.monotonic() - begun) * 1000, 1), "principal": principal.id if principal else None},
    )
    return response


@web.middleware
async def _enveloped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes the one envelope."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await handler(request)
    except ApiError as problem:
        return _refusal(problem)
    except KernelFailed as problem:
        return _refusal(KernelDown(f"The chain's node does not answer: {problem}."))
    except web.HTTPRequestEntityTooLarge:
        text = f"The body is larger than {MAX_BODY // 1024} KiB."
        return _refusal(ApiError(text, code="PAYLOAD_TOO_LARGE", status=413))
    except web.HTTPException as problem:
        code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(problem.status, "INVALID_REQUEST")
        return _refusal(
            ApiError(f"{problem.reason}: {request.method} {request.path}", code=code, status=problem.status)
        )
    except TimeoutError:
        return _refusal(ApiError("This took too long.", code="TIMEOUT", status=504))
    except Exception:
        logger.exception("%s %s broke", request.method, request.path)
        return _refusal(ApiError("The sandbox broke over this request; its log says why."))


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path in controls.OPEN_PATHS:
        controls.must_be_local(request)
        return await handler(request)
    request[PRINCIPAL] = request.config_dict[CORE].keyring.principal_of(request)
    must_be_json(request)
    return await handler(request)


def _refusal(problem: ApiError) -> web.Response:
    headers = {"Retry-After": "1"} if problem.status == 503 else {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.json_response(problem.envelope(), status=problem.status, headers=headers)
