"""Running an interface of a template: a generator that yields `Call` and `Wait` and never does I/O itself.

The real run, the dry run and going on after a crash are this one code path. Between two yields all that it
knows is its position, plain JSON: `{"at": step index, "polls": n, "steps": {id: {status, headers, body, items}}}`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from console.errors import ConsoleError, Missing, PlatformRefused, PlatformUnavailable
from platforms.http import Incoming, Outgoing, encode_path_value
from platforms.mapping.apifile import ApiFile
from platforms.mapping.template import Interface, Template
from platforms.mapping.values import MISSING, Unfit, evaluate, holds

Json = dict[str, Any]
DEFAULT_MAX_PAGES = 100
KEPT_HEADERS = ("location", "retry-after", "x-amzn-errortype")


@dataclass(frozen=True)
class Call:
    """Send this, on behalf of this party, and send me the answer. `auth` names the door, if not the usual one."""

    step: str
    cred: str
    request: Outgoing
    auth: str = ""


@dataclass(frozen=True)
class Wait:
    """Come back with None in so many seconds; `position` is where to go on."""

    seconds: float
    position: Json


Run = Generator[Call | Wait, Incoming | None, Any]


def run(
    template: Template, api: ApiFile, interface: Interface, request: Json, *, key: str, position: Json | None = None
) -> Run:
    """Yields calls and waits; returns plain JSON. Raises Missing, PlatformRefused, PlatformUnavailable."""
    return _Runner(template, api, interface, request, key, position).go()


class _Runner:
    def __init__(
        self, template: Template, api: ApiFile, interface: Interface, request: Json, key: str, position: Json | None
    ) -> None:
        self.template, self.api, self.interface = template, api, interface
        self.state: Json = position or {"at": 0, "polls": 0, "steps": {}}
        self.document: Json = {
            "in": request,
            "const": template.const,
            "call": {"id": key},
            "steps": self.state["steps"],
        }

    def go(self) -> Run:
        try:
            while self.state["at"] < len(self.interface.steps):
                step = self.interface.steps[self.state["at"]]
                yield from self._walk(step) if "walk" in step else self._step(step)
                self.state.update(at=self.state["at"] + 1, polls=0)
            return evaluate(self.interface.result, self.document, place=f"{self.interface.name}.result")
        except Unfit as problem:
            raise problem.as_refusal() from problem

    def _step(self, step: Json) -> Generator[Call | Wait, Incoming | None, None]:
        """One call, repeated while its `poll` says: not yet."""
        while True:
            answer = yield self._call(step)
            document = self._with(answer)
            poll = step.get("poll")
            self._judge(step, document, polled=poll is not None)
            if poll is None or holds(poll["until"], document):
                self._keep(step, answer)
                return
            if "fail" in poll and holds(poll["fail"], document):
                raise PlatformRefused(self._message(document) or f"{step['id']} failed on the platform")
            self.state["polls"] += 1
            if self.state["polls"] >= poll["limit"]:
                raise PlatformRefused(f"{step['id']} did not end within {poll['limit']} polls", code="poll_limit")
            yield Wait(float(poll["every"]), self.state)

    def _walk(self, step: Json) -> Generator[Call | Wait, Incoming | None, None]:
        """All pages of a list, gathered under `items`; reaching the page limit is an error, never a short list."""
        walk, items, extra, answer = step["walk"], [], {}, None
        for _page in range(walk.get("maxPages", DEFAULT_MAX_PAGES)):
            answer = yield self._call(step, extra)
            document = self._with(answer)
            self._judge(step, document, polled=False)
            page = evaluate({"$from": walk["items"], "$default": []}, document, place=f"{step['id']}.walk.items")
            items += page
            following = evaluate({"$from": walk["next"], "$optional": True}, document, place=f"{step['id']}.walk.next")
            if following is MISSING or following in (None, "", False) or (isinstance(following, int) and not page):
                self._keep(step, answer, items)
                return
            extra = {walk["into"]: following}
        raise PlatformRefused(f"{step['id']} has more pages than its limit allows", code="page_limit")

    def _call(self, step: Json, extra: Json | None = None) -> Call:
        place = f"{self.interface.name}.{step['id']}"
        operation = self.api.find(step["op"])
        if operation is None:
            raise Unfit(place, f"the API file has no operation {step['op']}")
        path = self.api.base_path + operation.path
        for name, value in (step.get("path") or {}).items():
            made = evaluate(value, self.document, place=f"{place}.path.{name}")
            path = path.replace("{" + name + "}", encode_path_value(_text(made)))
        if "{" in path:
            raise Unfit(place, f"not every parameter of {operation.path} has a value")
        query = self._pairs({**(step.get("query") or {}), **(extra or {})}, f"{place}.query")
        headers = self._pairs(step.get("header") or {}, f"{place}.header")
        if any("\n" in value or "\r" in value for _name, value in headers):
            raise Unfit(f"{place}.header", "line breaks are not allowed")
        body = evaluate(step["body"], self.document, place=f"{place}.body") if "body" in step else None
        outgoing = Outgoing(operation.method, path, query, headers, body, bool(step.get("idempotent")))
        return Call(step["id"], step.get("cred", "platform"), outgoing, step.get("auth", ""))

    def _pairs(self, values: Json, place: str) -> tuple[tuple[str, str], ...]:
        made = {name: evaluate(value, self.document, place=f"{place}.{name}") for name, value in values.items()}
        return tuple((name, _text(value)) for name, value in made.items() if value is not MISSING and value is not None)

    def _with(self, answer: Incoming | None) -> Json:
        if answer is None:
            raise RuntimeError("a call was answered with nothing")
        return {**self.document, "status": answer.status, "headers": answer.headers, "body": answer.body}

    def _judge(self, step: Json, document: Json, *, polled: bool) -> None:
        """Is this answer what the step expects? If not, raise the error that fits it best."""
        if "expect" in step:
            expected = holds(step["expect"], document)
        else:
            expected = 200 <= document["status"] < 300 or (polled and holds(step["poll"]["until"], document))
        if not expected:
            raise self._error(step, document)

    def _error(self, step: Json, document: Json) -> ConsoleError:
        status, message = document["status"], self._message(document)
        words = f"{step['id']}: {message}" if message else f"{step['id']}: the platform answered {status}"
        if self.interface.gone is not None and holds(self.interface.gone, document):
            return Missing(words)
        for rule in (*(step.get("errors") or ()), *self.template.errors):
            if holds(rule["when"], document):
                kind = PlatformUnavailable if rule.get("retryable") else PlatformRefused
                return kind(words, code=rule["code"])
        if status == 429 or status >= 500:
            return PlatformUnavailable(words)
        return PlatformRefused(words)

    def _message(self, document: Json) -> str:
        """What the platform says went wrong, from the declared places only."""
        for path in self.template.error_message:
            found = evaluate({"$from": path, "$optional": True}, document, place="errorMessage")
            if found is not MISSING and found:
                return str(found)[:300]
        return ""

    def _keep(self, step: Json, answer: Incoming | None, items: list[Any] | None = None) -> None:
        if answer is None:
            raise RuntimeError("a call was answered with nothing")
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        kept: Json = {"status": answer.status, "headers": headers, "body": answer.body}
        if items is not None:
            kept["items"] = items
        self.state["steps"][step["id"]] = kept


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
