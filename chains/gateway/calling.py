"""Asking a healthy node of one organization. This is the one place where a web request calls out.

So it is short (a few seconds for all nodes together), never inside a transaction, and only so many at once in each
process. Whatever goes wrong is told without the node's address: that and the reason go to the log.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from chains.gateway.requests import RpcRequest
from chains.limits import limit
from chains.models import Blockchain, Node
from console.errors import Busy, ConsoleError, OutcomeUnknown, PlatformRefused, PlatformUnavailable
from platforms.drivers import driver_for
from platforms.http import Incoming
from platforms.nodes import Endpoint, NodeClients
from unions.models import Organization
from unions.spaces import own_credentials

logger = logging.getLogger(__name__)

MAX_NODES = 3  # asked one after the other
QUEUE_SECONDS = 1.0  # a request waits so long for others to end
KILOBYTE = 1024


def ask(blockchain: Blockchain, organization: Organization, nodes: Sequence[Node], request: RpcRequest) -> list[Any]:
    """The answers to the calls, in order, all from one of the nodes; the next is asked when one cannot be reached.

    Raises PlatformUnavailable (no node answers), OutcomeUnknown (a transaction was sent and nobody knows),
    PlatformRefused (nonsense, or too much), Busy.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a node is asked outside of any transaction")
    driver = driver_for(blockchain.business_chain.platform)
    party = own_credentials(organization).platform
    ca_certificate = blockchain.business_chain.platform.ca_certificate
    end = time.monotonic() + limit("GATEWAY_CALL_SECONDS")
    with _place():
        for node, endpoint in _addresses(nodes):
            if time.monotonic() >= end:
                break
            try:
                said = _clients().ask(
                    driver, endpoint, request.for_node(), party,
                    ca_certificate=ca_certificate, idempotent=not request.sends,
                )  # fmt: skip
            except OutcomeUnknown as problem:
                _log(node, problem)
                words = _("The node did not say what became of the transaction: look for its hash first.")
                raise OutcomeUnknown(words) from None
            except PlatformUnavailable as problem:
                _log(node, problem)
                continue
            except ConsoleError as problem:
                _log(node, problem)
                raise _refusal() from None
            return request.answer_from(_body(node, said))
    raise PlatformUnavailable(_("No node of your organization on this chain answers at the moment."), code="no_node")


def _addresses(nodes: Sequence[Node]) -> Iterator[tuple[Node, Endpoint]]:
    """Nodes that can be asked over HTTP, at most so many."""
    found = ((node, Endpoint.read(node.endpoint)) for node in nodes)
    usable = [(node, endpoint) for node, endpoint in found if endpoint is not None]
    yield from usable[:MAX_NODES]


def _body(node: Node, said: Incoming) -> Any:
    """What a node says with an error status is JSON-RPC as well, or no answer."""
    if said.status < 400 or (isinstance(said.body, dict) and "error" in said.body and "jsonrpc" in said.body):
        return said.body
    logger.warning("gateway: node %s answered %s", node.pk, said.status)
    raise PlatformRefused(
        _("The node refused the request (%(status)s).") % {"status": said.status}, code="node_refused"
    )


def _refusal() -> ConsoleError:
    words = _("The node's answer cannot be handed on: it is too large, or no JSON. Ask for less at once.")
    return PlatformRefused(words, code="node_refused")


def _log(node: Node, problem: ConsoleError) -> None:
    logger.warning("gateway: node %s: %s", node.pk, problem.for_operators)


@functools.cache
def _clients() -> NodeClients:
    return NodeClients(max_body=limit("GATEWAY_MAX_ANSWER_KB") * KILOBYTE, call_seconds=limit("GATEWAY_CALL_SECONDS"))


@functools.cache
def _places() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(limit("GATEWAY_AT_ONCE"))


@contextmanager
def _place() -> Iterator[None]:
    """One of the few places of this process; Busy when none gets free."""
    if not _places().acquire(timeout=QUEUE_SECONDS):
        problem = Busy(_("The gateway is busy; try again in a moment."))
        problem.wait = 1  # type: ignore[attr-defined]
        raise problem
    try:
        yield
    finally:
        _places().release()
