"""Running an interface of a template: a generator that yields `Call` and `Wait` and never does I/O itself.

The real run, the dry run and going on after a crash are this one code path. Between two yields all that it knows is
its position, plain JSON: `{"at": step index, "polls": n, "held": n, "steps": {id: {status, headers, body, items}}}`.
Whoever carries a call out sends the answer in, or throws what went wrong: then the generator knows whether the call
may be repeated. After each call of a writing interface that changed something it yields a `Wait`, so that what has
been done is remembered before anything else is.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import ConsoleError, Missing, OutcomeUnknown, PlatformRefused, PlatformUnavailable
from console.sentences import kept
from platforms.http import SAFE_METHODS, Incoming, Outgoing, encode_path_value
from platforms.mapping.apifile import ApiFile
from platforms.mapping.polling import settled
from platforms.mapping.secrets import Secret
from platforms.mapping.template import Interface, Template
from platforms.mapping.values import MISSING, SAYS, Unfit, evaluate, holds, maker, text_of

Json = dict[str, Any]
DEFAULT_MAX_PAGES = 100
MAX_ITEMS = 100_000  # of one walked list
MAX_POSITION = 1024 * 1024  # characters of JSON
RETRY_SECONDS = 3.0  # before a call is repeated that failed after others had succeeded
LOOKUP_SECONDS = 5.0  # before looking for what a lost answer may have made
MAX_HOLDS = 30  # how often a platform may ask us to come back later, in one interface
MAX_HOLD_SECONDS = 3600.0
BROKEN_ON_THE_WAY = (500, 502, 504)  # the call may have had its effect before something broke
ALWAYS_KEPT_HEADERS = frozenset({"location", "retry-after"})

NOT_THROUGH = kept(gettext_noop("The platform was not through with it after %(minutes)s minutes."))
NOT_THROUGH_SOON = kept(gettext_noop("The platform was not through with it after %(seconds)s seconds."))
POLLED = kept(gettext_noop("asked %(polls)s times, every %(every)s s; it was never through"))
TOO_MANY_ITEMS = kept(gettext_noop("The platform's list has more than %(limit)s entries."))
TOO_MANY_PAGES = kept(gettext_noop("The platform's list has more pages than the mapping allows (%(limit)s)."))
UNKNOWN_THERE = gettext_noop("The platform does not know it.")
NO_OPERATION = kept(gettext_noop("the API file has no operation %(name)s"))
NO_PARAMETER = kept(gettext_noop("not every parameter of %(path)s has a value"))
NOT_ASCII = gettext_noop("a header holds printable ASCII only, no line breaks")
ANSWERED = kept(gettext_noop("The platform answered %(status)s and did not say why."))
NOT_ACCEPTED = kept(gettext_noop("The platform does not accept the credential. %(problem)s"))
TOO_LARGE = gettext_noop("the answers are too large to be kept until the next step")


@dataclass(frozen=True)
class Call:
    """Send this, on behalf of this party, and send me the answer. `auth` names the door, if not the usual one."""

    step: str
    cred: str
    request: Outgoing
    auth: str = ""


@dataclass(frozen=True)
class Wait:
    """Come back with None in so many seconds; `position` is where to go on, `known` what can be said by now."""

    seconds: float
    position: Json
    known: Json = field(default_factory=dict)


class AskedToWait(PlatformUnavailable):
    """The platform said when to come back."""

    def __init__(self, words: str, seconds: float, *, code: str | None = None, note: str = "") -> None:
        super().__init__(words, code=code, note=note)
        self.seconds = seconds


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
        self.state: Json = {"at": 0, "polls": 0, "held": 0, "steps": {}, **(position or {})}
        self.moved = False  # something has succeeded since the position was last given out
        self.document: Json = {
            "in": _paged(request, interface.page_size),
            "const": template.const,
            "call": {"id": key},
            "steps": self.state["steps"],
        }

    def go(self) -> Run:
        try:
            steps = self.interface.steps
            while self.state["at"] < len(steps):
                step = steps[self.state["at"]]
                answer, items = yield from self._walk(step) if "walk" in step else self._step(step)
                self._keep(step, answer, items)
                if self._changes(step) and self.state["at"] < len(steps):
                    yield self._wait(_pause_before(steps[self.state["at"]]))
            return self._made(self.interface.result, f"{self.interface.name}.result")
        except Unfit as problem:
            raise problem.as_refusal() from problem

    # --- steps ------------------------------------------------------------------------------------------------------

    def _step(self, step: Json) -> Generator[Call | Wait, Incoming | None, tuple[Incoming, None]]:
        """One call, repeated while its `poll` says: not yet."""
        place = f"{self.interface.name}.{step['id']}"
        while True:
            answer = yield from self._exchange(step)
            document = self._with(answer)
            if "poll" not in step or settled(step, document, self.api, place, self._message(document)):
                return answer, None
            poll = step["poll"]
            self.state["polls"] += 1
            if self.state["polls"] >= poll["limit"]:
                raise _not_through(poll, place)
            self.moved = True
            asked = min(_asked_seconds(answer) or 0.0, MAX_HOLD_SECONDS)
            yield self._wait(max(float(poll["every"]), asked))

    def _walk(self, step: Json) -> Generator[Call | Wait, Incoming | None, tuple[Incoming, list[Any]]]:
        """All pages of a list, gathered under `items`; reaching the page limit is an error, never a short list."""
        walk, items = step["walk"], []
        extra: Json = {walk["into"]: walk["first"]} if "first" in walk else {}
        place = f"{self.interface.name}.{step['id']}.walk"
        limit = walk.get("maxPages", DEFAULT_MAX_PAGES)
        for _page in range(limit):
            answer = yield from self._exchange(step, extra)
            document = self._with(answer)
            page = evaluate({"$each": walk["items"], "$item": {"$from": "@"}}, document, place=f"{place}.items")
            items += page
            if len(items) > MAX_ITEMS:
                raise _refused(TOO_MANY_ITEMS % {"limit": MAX_ITEMS}, place, "page_limit")
            following = self._following(walk, document, extra, place)
            if following in (None, "", False) or (isinstance(following, int) and not page):
                self._judge_whole(step, document, items)
                return answer, items
            extra = {walk["into"]: following}
        raise _refused(TOO_MANY_PAGES % {"limit": limit}, place, "page_limit")

    def _following(self, walk: Json, document: Json, extra: Json, place: str) -> Any:
        """What asks for the next page: what the answer says, or one more than the last number."""
        if "next" not in walk:
            return extra[walk["into"]] + 1
        found = evaluate({"$from": walk["next"], "$optional": True}, document, place=f"{place}.next")
        return None if found is MISSING else found

    def _judge_whole(self, step: Json, document: Json, items: list[Any]) -> None:
        """Whether the thing is in a list that had pages: `$.items` is the whole of it."""
        if "gone" in step and holds(step["gone"], {**document, "items": items}, place=f"{step['id']}.gone"):
            raise Missing(UNKNOWN_THERE, note=f"{self.interface.name}.{step['id']}: {UNKNOWN_THERE}")

    def _exchange(self, step: Json, extra: Json | None = None) -> Generator[Call | Wait, Incoming | None, Incoming]:
        """A call and its answer, judged. What time can heal is waited for here once something has been done."""
        while True:
            try:
                if self.state.get("unsure"):
                    found = yield from self._look(step)
                    if found is not None:
                        return found
                answer = yield self._call(step, extra)
                if answer is None:
                    raise RuntimeError("a call was answered with nothing")
                self._judge(step, self._with(answer))
                return answer
            except PlatformUnavailable as problem:
                yield self._wait(self._patience(step, problem))

    def _patience(self, step: Json, problem: PlatformUnavailable) -> float:
        """How long to wait before the call is repeated; raises the problem when that is for others to decide."""
        if isinstance(problem, OutcomeUnknown):
            if "lookup" not in step:
                raise problem
            self.state["unsure"] = True
            return LOOKUP_SECONDS
        if not self.interface.writes:
            raise problem
        if isinstance(problem, AskedToWait) and self.state["held"] < MAX_HOLDS:
            self.state["held"] += 1
            return min(problem.seconds, MAX_HOLD_SECONDS)
        if not self.moved:
            raise problem
        return RETRY_SECONDS

    def _look(self, step: Json) -> Generator[Call | Wait, Incoming | None, Incoming | None]:
        """After a lost answer: is there what the step may have made? Then it is not made again."""
        lookup, place = step["lookup"], f"{self.interface.name}.{step['id']}.lookup"
        sent = {name: lookup[name] for name in ("op", "path", "query", "header") if name in lookup}
        answer = yield self._call({**sent, "id": step["id"], **_party(step)})
        document = self._with(answer)
        self._judge({"id": step["id"]}, document)
        wanted = {"$from": lookup["found"], "$pick": "first", "$optional": True}
        found = evaluate(wanted, document, place=f"{place}.found")
        self.state.pop("unsure")
        if found is MISSING or found is None:
            return None
        body = evaluate(lookup.get("body", {"$from": "@"}), document, row=found, place=f"{place}.body")
        return Incoming(200, {}, body)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _call(self, step: Json, extra: Json | None = None) -> Call:
        place = f"{self.interface.name}.{step['id']}"
        operation = self.api.find(step["op"])
        if operation is None:
            raise Unfit(place, NO_OPERATION % {"name": step["op"]})
        path = operation.path
        for name, value in (step.get("path") or {}).items():
            made = self._made(value, f"{place}.path.{name}")
            path = path.replace("{" + name + "}", encode_path_value(text_of(made, f"{place}.path.{name}")))
        if "{" in path:
            raise Unfit(f"{place}.path", NO_PARAMETER % {"path": operation.path})
        query = self._pairs({**(step.get("query") or {}), **(extra or {})}, f"{place}.query")
        headers = self._pairs(step.get("header") or {}, f"{place}.header")
        for name, text in headers:
            if not isinstance(text, Secret) and not (text.isascii() and text.isprintable()):
                raise Unfit(f"{place}.header.{name}", NOT_ASCII)
        body = self._made(step["body"], f"{place}.body") if "body" in step else None
        outgoing = Outgoing(operation.method, path, query, headers, body, bool(step.get("idempotent")))
        return Call(step["id"], step.get("cred", "platform"), outgoing, step.get("auth", ""))

    def _made(self, value: Any, place: str) -> Any:
        """What a value of the interface makes of all that is known; it is made ready once, for every call."""
        if not isinstance(value, dict | list):
            return value
        makers = self.interface.makers
        kept = makers.get((id(value), place))
        if kept is None or kept[0] is not value:
            kept = makers[id(value), place] = (value, maker(value, place))
        return kept[1](self.document, MISSING)

    def _pairs(self, values: Json, place: str) -> tuple[tuple[str, str], ...]:
        """Names and texts; a list repeats its name, what is absent or null is left out."""
        pairs: list[tuple[str, str]] = []
        for name, value in values.items():
            made = self._made(value, f"{place}.{name}")
            for each in made if isinstance(made, list) else [made]:
                if each is not MISSING and each is not None:
                    pairs.append((name, text_of(each, f"{place}.{name}")))
        return tuple(pairs)

    def _changes(self, step: Json) -> bool:
        operation = self.api.find(step["op"])
        return self.interface.writes and operation is not None and operation.method not in ("GET", "HEAD", "OPTIONS")

    def _acts_each_time(self, step: Json) -> bool:
        """Whether sending it again may have a second effect."""
        if "op" not in step or step.get("idempotent") or not self._changes(step):
            return False
        operation = self.api.find(step["op"])
        return operation is not None and operation.method not in SAFE_METHODS

    # --- answers ----------------------------------------------------------------------------------------------------

    def _with(self, answer: Incoming | None) -> Json:
        if answer is None:
            raise RuntimeError("a call was answered with nothing")
        return {**self.document, "status": answer.status, "headers": answer.headers, "body": answer.body}

    def _judge(self, step: Json, document: Json) -> None:
        """Is this answer what the step expects? If not, raise the error that fits it best."""
        place = f"{self.interface.name}.{step['id']}"
        if "gone" in step and "walk" not in step and holds(step["gone"], document, place=f"{place}.gone"):
            message = self._message(document)
            words = SAYS % {"problem": message} if message else UNKNOWN_THERE
            raise Missing(words, note=f"{place}: {message or UNKNOWN_THERE}")
        if "expect" in step:
            expected = holds(step["expect"], document, place=f"{place}.expect")
        else:
            expected = 200 <= document["status"] < 300
        if not expected and "poll" in step:
            expected = holds(step["poll"]["until"], document, place=f"{place}.poll.until")
        if not expected:
            raise self._error(step, document)

    def _error(self, step: Json, document: Json) -> ConsoleError:
        status, message = document["status"], self._message(document)
        place = f"{self.interface.name}.{step['id']}"
        words = SAYS % {"problem": message} if message else ANSWERED % {"status": status}
        note = f"{place}: {status}, {message}" if message else f"{place}: {status}"
        if self.interface.gone is not None and holds(
            self.interface.gone, document, place=f"{self.interface.name}.gone"
        ):
            return Missing(words, note=note)
        for rule in (*(step.get("errors") or ()), *self.template.errors):
            if holds(rule["when"], document, place=f"{place}.errors"):
                if "message" in rule:
                    words = f"{rule['message']} ({words})"
                if rule.get("retryable"):
                    return _unavailable(words, note, document, rule["code"])
                return PlatformRefused(words, code=rule["code"], note=note)
        if status in BROKEN_ON_THE_WAY and self._acts_each_time(step):
            return OutcomeUnknown(words, note=note)
        if status == 429 or status >= 500:
            return _unavailable(words, note, document)
        if status == 401:
            return PlatformRefused(NOT_ACCEPTED % {"problem": words}, code="credential_refused", note=note)
        return PlatformRefused(words, note=note)

    def _message(self, document: Json) -> str:
        """What the platform says went wrong, from the declared places only."""
        for path in self.template.error_message:
            found = evaluate({"$from": path, "$optional": True, "$pick": "first"}, document, place="errorMessage")
            if isinstance(found, str | int | float) and str(found).strip():
                return " ".join(str(found).split())[:300]
        return ""

    # --- position ---------------------------------------------------------------------------------------------------

    def _keep(self, step: Json, answer: Incoming, items: list[Any] | None) -> None:
        wanted = self.interface.headers | ALWAYS_KEPT_HEADERS
        headers = {name: value for name, value in answer.headers.items() if name in wanted}
        kept: Json = {"status": answer.status, "headers": headers, "body": answer.body}
        if items is not None:
            kept["items"] = items
        self.state["steps"][step["id"]] = kept
        self.state.update(at=self.state["at"] + 1, polls=0)
        self.state.pop("unsure", None)
        self.moved = True

    def _wait(self, seconds: float) -> Wait:
        if len(json.dumps(self.state)) > MAX_POSITION:
            raise Unfit(self.interface.name, TOO_LARGE)
        self.moved = False
        return Wait(seconds, self.state, self._known())

    def _known(self) -> Json:
        """As much of `known` as there is by now."""
        made: Json = {}
        for name, value in self.interface.known.items():
            try:
                found = self._made(value, f"{self.interface.name}.known.{name}")
            except Unfit:
                continue
            if found is not MISSING and found is not None:
                made[name] = found
        return made


def _paged(request: Json, most: int) -> Json:
    """The request, asking for no more rows than the platform gives on a page."""
    if not most or request.get("page_size", 0) <= most:
        return request
    return {**request, "page_size": most, "offset": (request["page"] - 1) * most}


def _party(step: Json) -> Json:
    """Whose credential a step uses, and at which door."""
    return {name: step[name] for name in ("cred", "auth") if name in step}


def _pause_before(step: Json) -> float:
    """There is no sense in asking at once whether a job is through."""
    return min(float(step["poll"]["every"]), RETRY_SECONDS) if "poll" in step else 0.0


def _asked_seconds(answer: Incoming) -> float | None:
    """`Retry-After` in seconds; the form with a date is not worth a clock that is wrong."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isdecimal() and len(text) < 8 else None


def _unavailable(words: str, note: str, document: Json, code: str | None = None) -> PlatformUnavailable:
    seconds = _asked_seconds(Incoming(document["status"], document["headers"]))
    if seconds is None:
        return PlatformUnavailable(words, code=code, note=note)
    return AskedToWait(words, seconds, code=code, note=note)


def _refused(words: str, place: str, code: str) -> PlatformRefused:
    return PlatformRefused(words, code=code, note=f"{place}: {words}")


def _not_through(poll: Json, place: str) -> PlatformRefused:
    """Everybody reads for how long it was waited; how often it was asked, and where, is for operators."""
    seconds = poll["limit"] * poll["every"]
    long = seconds >= 90
    words = (
        NOT_THROUGH % {"minutes": round(seconds / 60)} if long else NOT_THROUGH_SOON % {"seconds": round(seconds, 1)}
    )
    note = f"{place}: {POLLED % {'polls': poll['limit'], 'every': poll['every']}}"
    return PlatformRefused(words, code="poll_limit", note=note)
