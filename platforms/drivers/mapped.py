"""The driver that runs a mapping: no code for a platform, only its files."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop
from pydantic import ValidationError

from console.errors import ConsoleError, NotSupported, PlatformRefused, PlatformUnavailable
from console.sentences import kept
from platforms.auth.authenticator import Authenticator
from platforms.drivers.base import Capability, Credentials, Finished, Json, PartyCredential, Pending, keep_trace
from platforms.drivers.trace import shortened
from platforms.http import SAFE_METHODS, Incoming, Outgoing, PlatformClient
from platforms.mapping.apifile import ApiFile
from platforms.mapping.interpreter import Call, Run, Wait, run
from platforms.mapping.template import Template
from platforms.mapping.values import Unfit
from platforms.standard import OPERATIONS, Request

MAX_SECONDS = 60.0  # of one go; what takes longer has to be split by waits
MAX_BYTES = 32 * 1024 * 1024  # of all answers of one go
MAX_POOLS = 64  # addresses times TLS identities

NOT_OFFERED = gettext_noop("The platform does not offer this operation.")
NO_ADDRESS = kept(gettext_noop("The platform was registered without its address “%(name)s”."))
NOT_THROUGH = kept(gettext_noop("The platform did not answer everything within %(seconds)s seconds."))
TOO_LARGE = kept(gettext_noop("The platform's answers together are larger than %(limit)s bytes."))


class MappedDriver:
    """Speaks to a platform as its template says. One connection pool for each address and TLS identity."""

    resumes = False  # the platform builds; a template says how to ask it, not where an earlier asking has stopped

    def __init__(
        self,
        template: Template,
        api: ApiFile,
        *,
        addresses: dict[str, str],
        allow_private: bool,
        ca_certificate: str = "",
    ) -> None:
        self.template, self.api = template, api
        self._addresses, self._allow_private, self._ca_certificate = addresses, allow_private, ca_certificate
        self._clients: OrderedDict[tuple[str, str], PlatformClient] = OrderedDict()
        self._lock = threading.Lock()
        self._authenticator = Authenticator(template, api, self._client)

    @classmethod
    def from_text(cls, *, api_file: str, mapping: str, **options: Any) -> MappedDriver:
        """From the files' texts; Invalid when one cannot be read."""
        return cls(Template.parse(mapping), ApiFile.parse(api_file), **options)

    def capabilities(self) -> dict[str, Capability]:
        return {name: Capability(**each) for name, each in self.template.offers().items()}

    def repeatable(self, operation: str) -> bool:
        """Whether every call that changes something honours our key, or is looked for before it is repeated."""
        interface = self.template.interfaces.get(operation)
        return interface is not None and not any(self._acts_each_time(step) for step in interface.steps)

    def _acts_each_time(self, step: Json) -> bool:
        if step.get("idempotent") or "lookup" in step:
            return False
        call = self.api.find(step["op"]) if "op" in step else None
        return call is not None and call.method not in SAFE_METHODS

    def perform(
        self,
        operation: str,
        request: Request,
        *,
        credentials: Credentials,
        key: str,
        position: Json | None = None,
    ) -> Finished | Pending:
        interface = self.template.interfaces.get(operation)
        if interface is None:
            reason = self.template.unsupported.get(operation, "")
            raise NotSupported(reason or NOT_OFFERED)
        steps = run(self.template, self.api, interface, request.model_dump(mode="json"), key=key, position=position)
        errand = _Errand(self, operation, credentials)
        try:
            result = errand.carry(steps)
        except ConsoleError as problem:
            raise keep_trace(problem, errand.trace()) from problem.__cause__
        return replace(result, trace=errand.trace()) if interface.writes else result

    def certificate_end(self) -> datetime | None:
        """When the first of the certificates ends that its servers have shown."""
        with self._lock:
            ends = [client.certificate_end for client in self._clients.values()]
        return min((each for each in ends if each is not None), default=None)

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), OrderedDict()
        for client in clients:
            client.close()

    def send(self, call: Call, credentials: Credentials, told: Callable[[str], None]) -> Incoming:
        """The platform's answer to a call, signed as the party that the call names. `told` hears of other calls."""
        party: PartyCredential = getattr(credentials, call.cred) or credentials.platform
        return self._authenticator.send(call.request, party, self.template.auth_for(party.category, call.auth), told)

    def send_to_node(self, request: Outgoing, party: PartyCredential, to: Callable[[str], PlatformClient]) -> Incoming:
        """A node's answer, signed by the `auth` entry `node`; without one nodes are asked without any credential."""
        options = self.template.auth.get("node") or {"kind": "none"}
        return self._authenticator.send(request, party, options, lambda _line: None, to)

    def _client(self, name: str, tlscert: str) -> PlatformClient:
        """The pool to the address of this name, with this TLS identity."""
        address = self._addresses.get(name) or self.template.addresses.get(name)
        if address is None:
            raise PlatformRefused(NO_ADDRESS % {"name": name})
        with self._lock:
            client = self._clients.pop((address, tlscert), None) or PlatformClient(
                address, allow_private=self._allow_private, tlscert=tlscert, ca_certificate=self._ca_certificate
            )
            self._clients[address, tlscert] = client
            if len(self._clients) > MAX_POOLS:
                self._clients.popitem(last=False)  # closed by whoever uses it last, letting it go
            return client


@dataclass(frozen=True, slots=True)
class _Note:
    """What was done. Bodies are cut and cleansed when somebody wants to read them: most readings nobody looks at."""

    message: str
    call: Call
    milliseconds: int
    answer: Incoming | None = None
    aside: bool = False  # a call that the credential needed

    def line(self) -> Json:
        shown: Json = {"message": self.message, "step": self.call.step, "milliseconds": self.milliseconds}
        if self.call.request.body is not None and not self.aside:
            shown["sent"] = shortened(self.call.request.body)
        if self.answer is not None:
            shown |= {"status": self.answer.status, "answered": shortened(self.answer.body)}
        return shown


class _Errand:
    """One go of one operation: the interpreter's calls are carried out until it waits, ends or fails."""

    def __init__(self, driver: MappedDriver, operation: str, credentials: Credentials) -> None:
        self._driver, self._operation, self._credentials = driver, operation, credentials
        self._notes: list[_Note] = []
        self._begun = self._called = time.monotonic()
        self._bytes = 0

    def carry(self, steps: Run) -> Finished | Pending:
        try:
            event = next(steps)
            while not isinstance(event, Wait):
                try:
                    answer = self._answer(event)
                except PlatformUnavailable as problem:
                    event = steps.throw(problem)
                else:
                    event = steps.send(answer)
            return Pending(event.position, event.seconds, known=event.known)
        except StopIteration as end:
            return Finished(self._checked(end.value))

    def trace(self) -> tuple[Json, ...]:
        """What was sent and answered, as far as it may be kept."""
        return tuple(each.line() for each in self._notes)

    def _answer(self, call: Call) -> Incoming:
        """Send, and write down what was sent and answered."""
        line = f"{call.request.method} {call.request.path}"
        self._refuse_excess()
        self._called = time.monotonic()
        try:
            answer = self._driver.send(call, self._credentials, lambda text: self._note(text, call, aside=True))
        except ConsoleError as problem:
            self._note(f"{line} ✗ {problem.for_operators}", call)
            problem.note = f"{self._operation}.{call.step}: {problem.for_operators}"
            raise
        self._bytes += answer.size
        self._note(f"{line} → {answer.status}", call, answer)
        return answer

    def _refuse_excess(self) -> None:
        if time.monotonic() - self._begun > MAX_SECONDS:
            raise PlatformUnavailable(NOT_THROUGH % {"seconds": round(MAX_SECONDS)})
        if self._bytes > MAX_BYTES:
            raise PlatformRefused(TOO_LARGE % {"limit": MAX_BYTES})

    def _note(self, message: str, call: Call, answer: Incoming | None = None, *, aside: bool = False) -> None:
        took = round((time.monotonic() - self._called) * 1000)
        self._notes.append(_Note(message, call, took, answer, aside))

    def _checked(self, result: Any) -> Any:
        """The result as the standard answer; PlatformRefused names the first place that does not fit."""
        try:
            return OPERATIONS[self._operation].answer.model_validate(result)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
            raise Unfit(f"{self._operation}.result{place}", first["msg"]).as_refusal() from problem
