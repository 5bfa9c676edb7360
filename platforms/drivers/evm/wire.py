"""JSON-RPC in batches on an event loop: as `Rpc`, with the same manners and the same memory of who is silent."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from typing import Any
from weakref import finalize

import aiohttp
from msgspec import DecodeError
from msgspec.json import Decoder
from pydantic_core import from_json, to_json
from yarl import URL

from console.errors import ConsoleError, PlatformRefused, PlatformUnavailable
from console.network import AddressRefused, checked_connector
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.ledger import HEAD
from platforms.drivers.evm.rpc import (
    BAD_ANSWER,
    CALL_SECONDS,
    MAX_BODY,
    TOO_SLOW,
    WHICH_CHAIN,
    Call,
    CallRefused,
    Rpc,
    batch,
    in_doubt,
    nobody_answers,
    results,
)
from platforms.http import COMPRESSED, MEGABYTE, NOT_JSON, REDIRECTED, SILENT, TOO_LARGE, UNREACHABLE, UNREADABLE

HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "concord",
}
CONNECTIONS = 1000
CONNECTIONS_PER_NODE = 8
READ_AHEAD = MEGABYTE  # of an answer, before the connection waits for whoever reads it
ASK_HEAD = to_json(batch(HEAD))
TOO_MUCH = "too_much"  # of an answer: asking for less helps


class Wire:
    """Connections to many nodes, for every event loop its own."""

    def __init__(self, rpc: Rpc, *, allow_private: bool) -> None:
        self._rpc, self._allow_private = rpc, allow_private
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        self.close = finalize(self, _close, self._sessions)

    async def ask(self, chain: Chain, calls: Sequence[Call], form: Decoder[Any] | None = None) -> list[Any]:
        """The results, in order, all from one node, parsed as they are or into a form that is expected.

        CallRefused by the first that understands and refuses; what `nobody_answers` says when none does either, called
        `TOO_SLOW` where the last one was at it when its time was up.
        """
        if not calls:
            return []
        problems: list[ConsoleError] = []
        for node in self._rpc.order(chain):
            try:
                answers = await self.ask_own(chain, node, calls, form)
            except CallRefused:
                raise
            except (PlatformRefused, PlatformUnavailable) as problem:
                problems.append(problem)
                self._rpc.note_silent(node, problem)
                continue
            self._rpc.note_answer(chain, node)
            return answers
        raise nobody_answers(chain, problems)

    def others(self, chain: Chain) -> list[Node]:
        """As `Rpc.others`."""
        return self._rpc.others(chain)

    async def head_of(self, chain: Chain, node: Node) -> tuple[Node, Any]:
        """A node with its newest block."""
        try:
            (head,) = await self.ask_own(chain, node, HEAD)
        except PlatformUnavailable as problem:
            self._rpc.note_silent(node, problem)
            raise
        return node, head

    async def ask_own(
        self, chain: Chain, node: Node, calls: Sequence[Call], form: Decoder[Any] | None = None
    ) -> list[Any]:
        """As `Rpc.ask_own`."""
        if self._rpc.is_doubted(node):
            with in_doubt():
                told = await self.ask_node(node, [WHICH_CHAIN])
            self._rpc.note_number(chain, node, told)
        return await self.ask_node(node, calls, form)

    async def ask_node(self, node: Node, calls: Sequence[Call], form: Decoder[Any] | None = None) -> list[Any]:
        """The results of one node, in order. CallRefused for a call that it refuses, PlatformRefused for nonsense."""
        try:
            async with self._session().post(_url(node.rpc), data=_body_of(calls), allow_redirects=False) as response:
                status, body = response.status, await _said(node, response)
        except AddressRefused as problem:
            raise PlatformRefused(str(problem), code="address_refused") from problem
        except aiohttp.ClientConnectorError as problem:
            raise PlatformUnavailable(UNREACHABLE % {"address": node.rpc, "problem": problem}) from problem
        except TimeoutError as problem:
            raise PlatformUnavailable(SILENT % {"address": node.rpc}, code=TOO_SLOW) from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise PlatformUnavailable(SILENT % {"address": node.rpc}) from problem
        if form is not None:
            return _formed(node, calls, status, body, form)
        return results(node, calls, _json(node, status, body))

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=checked_connector(
                    allow_private=self._allow_private, limit=CONNECTIONS, limit_per_host=CONNECTIONS_PER_NODE
                ),
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
                headers=HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=READ_AHEAD,
                trust_env=False,
            )
        return session


def _close(sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession]) -> None:
    for loop, session in sessions.items():
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(session.close(), loop)


@functools.lru_cache(maxsize=8192)
def _url(address: str) -> URL:
    return URL(address)


def _body_of(calls: Sequence[Call]) -> bytes:
    """What nearly every question is need not be written again and again."""
    return ASK_HEAD if calls is HEAD else to_json(batch(calls))


async def _said(node: Node, response: aiohttp.ClientResponse) -> bytes:
    """The answer's body, capped while it streams in."""
    if 300 <= response.status < 400:
        raise PlatformRefused(REDIRECTED % {"address": node.rpc, "status": response.status})
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise PlatformRefused(COMPRESSED % {"address": node.rpc})
    return await _body(node, response)


def _json(node: Node, status: int, body: bytes) -> Any:
    """An error's page of another kind says nothing that we need."""
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys") if body else None
    except ValueError as problem:
        if status >= 400:
            return None
        words = NOT_JSON % {"address": node.rpc, "status": status}
        raise PlatformRefused(words, code=UNREADABLE) from problem


def _formed(node: Node, calls: Sequence[Call], status: int, body: bytes, form: Decoder[Any]) -> list[Any]:
    """The results in the form that is expected. What else is answered is told in the same words as ever."""
    problem: Exception | None = None
    try:
        by_id = {each.id: each for each in form.decode(body)}
        answers = [by_id[number] for number in range(len(calls))]
        if not any(each.error for each in answers):
            return [each.result for each in answers]
    except (DecodeError, KeyError, RecursionError) as unexpected:
        problem = unexpected
    results(node, calls, _json(node, status, body))
    raise PlatformRefused(say.NOT_THIS_FORM % {"problem": problem}, code=BAD_ANSWER) from problem


async def _body(node: Node, response: aiohttp.ClientResponse) -> bytes:
    if response.content_length is not None and response.content_length <= MAX_BODY:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            words = TOO_LARGE % {"address": node.rpc, "limit": f"{MAX_BODY / MEGABYTE:.3g}"}
            raise CallRefused(words, code=TOO_MUCH)
    return bytes(body)
