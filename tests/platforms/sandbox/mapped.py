"""The sandbox as the console speaks to it: by what it hands in for registration, and nothing else."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from platforms import standard
from platforms.drivers.base import Credentials, Json, PartyCredential, Pending
from platforms.drivers.mapped import MappedDriver
from platforms.http import Incoming
from platforms.mapping.interpreter import Call
from tests.platforms.sandbox.running import Running

_numbers = itertools.count(1)


class RecordingDriver(MappedDriver):
    """Keeps what the platform answered, by step: the samples are made from it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.answers: dict[str, list[Json]] = {}

    def send(self, call: Call, credentials: Credentials, trace: list[Json]) -> Incoming:
        answer = super().send(call, credentials, trace)
        self.answers.setdefault(call.step, []).append({"status": answer.status, "body": answer.body})
        return answer


class Mapped:
    """A driver made from the registration, and the parties with their credentials."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.registration = running.registration
        self.driver = RecordingDriver.from_text(
            api_file=self.registration["api_file"],
            mapping=self.registration["mapping"],
            addresses={
                "default": self.registration["base_url"],
                "on_prem": self.registration["on_prem_base_url"],
            },
            allow_private=True,
            ca_certificate=self.registration["ca_certificate"],
        )
        self.platform = PartyCredential(**self.registration["credentials"])

    def cloud(self, number: int, orgcode: str) -> standard.Party:
        tenant = self.running.tenants[number - 1]
        return standard.Party(
            orgcode=orgcode,
            name=tenant["tenantname"],
            category="cloud",
            tenantid=tenant["tenantid"],
            tenantname=tenant["tenantname"],
            projectid=tenant["projectid"],
        )

    def on_prem(self, orgcode: str, ip: str = "127.0.0.12", port: int = 9001) -> standard.Party:
        machine = standard.Machine(ip=ip, port=port)
        return standard.Party(orgcode=orgcode, name="Social Security", category="on_prem", machines=(machine,))

    def credential(self, party: standard.Party | None) -> PartyCredential | None:
        if party is None:
            return None
        if party.category == "on_prem":
            return PartyCredential(tlscert=self.running.tlscert, category="on_prem")
        tenant = next(each for each in self.running.tenants if each["tenantid"] == party.tenantid)
        return PartyCredential(ak=tenant["ak"], sk=tenant["sk"], category="cloud")

    def credentials(self, creator: standard.Party | None, member: standard.Party | None = None) -> Credentials:
        return Credentials(self.platform, self.credential(creator), self.credential(member))

    def carry(
        self,
        operation: str,
        request: standard.Request,
        creator: standard.Party | None = None,
        member: standard.Party | None = None,
        *,
        key: str = "",
        known: Json | None = None,
        credentials: Credentials | None = None,
    ) -> Any:
        """The answer, after all waits. `known` takes in what is known of the thing on the way."""
        credentials = credentials or self.credentials(creator, member)
        key = key or f"key-{next(_numbers)}-{time.time_ns()}"
        position: Json | None = None
        while True:
            result = self.driver.perform(operation, request, credentials=credentials, key=key, position=position)
            if not isinstance(result, Pending):
                return result.answer
            if known is not None:
                known.update(result.known)
            position = json.loads(json.dumps(result.position))
            time.sleep(result.seconds)

    def read(self, operation: str, request: standard.Request) -> Any:
        """A reading, with the platform's own credential."""
        return self.carry(operation, request)
