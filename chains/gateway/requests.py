"""A JSON-RPC 2.0 request, single or batch: read, judged by its shape, written for a node, and its answer read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chains.gateway.methods import SEND
from chains.limits import limit
from console.errors import Invalid, PlatformRefused

MAX_METHOD = 100  # characters
MAX_ID = 200
Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call; `id` is the caller's and comes back as it is."""

    method: str
    params: Any
    id: str | int

    @property
    def sends(self) -> bool:
        return self.method == SEND


@dataclass(frozen=True)
class RpcRequest:
    """What one request asks for."""

    calls: tuple[Call, ...]
    is_batch: bool

    @classmethod
    def read(cls, body: Any) -> RpcRequest:
        """Invalid names what is wrong by its place: `method`, or `3.params` in a batch."""
        is_batch = isinstance(body, list)
        given = body if is_batch else [body]
        most = limit("GATEWAY_MAX_BATCH")
        if not given:
            raise Invalid.field("body", _("A batch holds at least one call."))
        if len(given) > most:
            raise Invalid.field("body", _("A batch holds at most %(limit)s calls.") % {"limit": most})
        errors: dict[str, list[str]] = {}
        for index, each in enumerate(given):
            for name, text in _faults(each):
                errors.setdefault(f"{index}.{name}" if is_batch else name, []).append(text)
        if errors:
            raise Invalid(_("This is not a JSON-RPC 2.0 request."), errors=errors)
        return cls(tuple(Call(each["method"], each.get("params", []), each["id"]) for each in given), is_batch)

    @property
    def sends(self) -> tuple[Call, ...]:
        return tuple(each for each in self.calls if each.sends)

    def for_node(self) -> Any:
        """The same with ids of our own, so that no two are alike."""
        calls = [
            {"jsonrpc": "2.0", "id": number, "method": each.method, "params": each.params}
            for number, each in enumerate(self.calls)
        ]
        return calls if self.is_batch else calls[0]

    def answer_from(self, body: Any) -> list[Json]:
        """What the node answered to each call, in order, under the caller's ids. PlatformRefused for nonsense."""
        given = body if isinstance(body, list) else [body]
        found = {each["id"]: each for each in given if isinstance(each, dict) and type(each.get("id")) is int}
        return [_answer(each, found.get(number)) for number, each in enumerate(self.calls)]


def _faults(call: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(call, dict):
        yield "body", _("A JSON object is expected.")
        return
    if call.get("jsonrpc") != "2.0":
        yield "jsonrpc", _("“2.0” is expected.")
    method = call.get("method")
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD:
        yield "method", _("The name of a method is expected.")
    if not isinstance(call.get("params", []), list | dict):
        yield "params", _("A list or an object is expected.")
    given = call.get("id")
    if not (type(given) is int and abs(given) < 2**63) and not (isinstance(given, str) and len(given) <= MAX_ID):
        yield "id", _("A number or a text is expected: every call gets an answer.")
    for name in sorted(set(map(str, call)) - {"jsonrpc", "method", "params", "id"})[:5]:
        yield name[:MAX_METHOD], _("There is no such field.")


def _answer(call: Call, said: Json | None) -> Json:
    """Result or error, and nothing else that the node says."""
    about: Json = {"jsonrpc": "2.0", "id": call.id}
    if said is None or ("result" not in said and not isinstance(said.get("error"), dict)):
        raise PlatformRefused(_("The node answered with something that is no JSON-RPC answer."), code="bad_answer")
    if "error" not in said or said["error"] is None:
        return about | {"result": said["result"]}
    error = said["error"] if isinstance(said["error"], dict) else {}
    code, message = error.get("code"), error.get("message")
    kept: Json = {"code": code if type(code) is int else -32603, "message": str(message or "")[:2000]}
    return about | {"error": kept | ({"data": error["data"]} if "data" in error else {})}
