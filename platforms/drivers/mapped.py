"""The driver that runs a mapping: no code for a platform, only its files."""

from __future__ import annotations

import threading
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from console.errors import NotSupported, PlatformRefused
from platforms.auth.authenticator import Authenticator
from platforms.drivers.base import Capability, Credentials, Finished, Json, Pending
from platforms.http import Incoming, PlatformClient
from platforms.mapping.apifile import ApiFile
from platforms.mapping.interpreter import Call, Wait, run
from platforms.mapping.template import Template
from platforms.standard import OPERATIONS, Request


class MappedDriver:
    """Speaks to a platform as its template says. One connection pool for each address and TLS identity."""

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
        self._clients: dict[tuple[str, str], PlatformClient] = {}
        self._lock = threading.Lock()
        self._authenticator = Authenticator(template, api, self._client)

    @classmethod
    def from_text(cls, *, api_file: str, mapping: str, **options: Any) -> MappedDriver:
        """From the files' texts; Invalid when one cannot be read."""
        return cls(Template.parse(mapping), ApiFile.parse(api_file), **options)

    def capabilities(self) -> dict[str, Capability]:
        unsaid = _("The platform's mapping does not offer this operation.")
        return {
            name: Capability(True)
            if name in self.template.interfaces
            else Capability(False, self.template.unsupported.get(name, unsaid))
            for name in OPERATIONS
        }

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
            raise NotSupported(self.capabilities()[operation].reason)
        trace: list[Json] = []
        steps = run(self.template, self.api, interface, request.model_dump(mode="json"), key=key, position=position)
        answer: Incoming | None = None
        try:
            # A resumed run begins with its next call; a fresh one with its first.
            event = next(steps)
            while True:
                if isinstance(event, Wait):
                    return Pending(event.position, event.seconds, tuple(trace))
                answer = self._send(event, credentials, trace)
                event = steps.send(answer)
        except StopIteration as end:
            return Finished(self._checked(operation, end.value), tuple(trace))

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _send(self, call: Call, credentials: Credentials, trace: list[Json]) -> Incoming:
        party = getattr(credentials, call.cred) or credentials.platform
        options = self.template.auth_for(party.category, call.auth)

        def told(message: str) -> None:
            trace.append({"message": message, "step": call.step})

        answer = self._authenticator.send(call.request, party, options, told)
        told(f"{call.request.method} {call.request.path} → {answer.status}")
        return answer

    def _client(self, name: str, tlscert: str) -> PlatformClient:
        """The pool to the address of this name, with this TLS identity."""
        address = self._addresses.get(name)
        if address is None:
            raise PlatformRefused(_("The platform was registered without its address “%(name)s”.") % {"name": name})
        with self._lock:
            client = self._clients.get((address, tlscert))
            if client is None:
                client = PlatformClient(
                    address,
                    allow_private=self._allow_private,
                    tlscert=tlscert,
                    ca_certificate=self._ca_certificate,
                )
                self._clients[(address, tlscert)] = client
            return client

    def _checked(self, operation: str, result: Any) -> Any:
        """The result as the standard answer; PlatformRefused names the first place that does not fit."""
        try:
            return OPERATIONS[operation].answer.model_validate(result)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
            text = f"MAPPING at {operation}.result{place}: {first['msg']}"
            raise PlatformRefused(text, code="mapping_failed") from problem
