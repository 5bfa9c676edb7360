"""A platform that attacks, row by row: what it does, and the sentence that whoever asked reads.

Never a hang, a secret in a sentence or a record, a second creation, or more memory than an answer may take.
"""

from __future__ import annotations

import json
import logging
import socket
import time
import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest

from console.errors import ConsoleError, OutcomeUnknown, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.base import Credentials, Finished, PartyCredential, Pending, trace_of
from platforms.drivers.mapped import MappedDriver
from platforms.http import MEGABYTE
from tests.platforms.rough import Behaviour, Rough, answering, resetting

SECRET = "the-operators-own-token"
OPERATOR = Credentials(platform=PartyCredential(token=SECRET, username="operator", password="the-operators-password"))
CALL_SECONDS = 0.8
ANSWER = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
API = {
    "openapi": "3.0.3",
    "info": {"title": "Rough", "version": "1"},
    "paths": {
        "/health": {"get": {"operationId": "health", "responses": ANSWER}},
        "/tenants": {"get": {"operationId": "tenants", "responses": ANSWER}},
        "/networks": {"post": {"operationId": "create", "responses": ANSWER}},
        "/jobs": {"get": {"operationId": "job", "responses": ANSWER}},
        "/pages": {"get": {"operationId": "pages", "responses": ANSWER}},
        "/login": {"post": {"operationId": "login", "responses": ANSWER}},
    },
}
FINE = [{"status": [200], "$.body.code": []}, {"status": [200], "$.body.code": [0]}]  # no code, or code 0
MAPPING: dict[str, Any] = {
    "mapping": 1,
    "platform": "rough",
    "auth": {"kind": "bearer", "token": "token"},
    "errorMessage": ["$.body.message"],
    "interfaces": {
        "get_health": {
            "steps": [{"id": "ask", "op": "health", "expect": FINE}],
            "result": {"status": {"$from": "$.steps.ask.body.state", "$enum": {"OK": "up"}}},
        },
        "list_tenants": {
            "steps": [{"id": "list", "op": "tenants"}],
            "result": {
                "items": {
                    "$each": "$.steps.list.body.rows",
                    "$item": {"tenantid": {"$from": "@.id"}, "tenantname": {"$from": "@.name"}},
                }
            },
        },
        "list_networks": {
            "steps": [
                {
                    "id": "all",
                    "op": "pages",
                    "walk": {"items": "$.body.rows", "next": "$.body.next", "into": "cursor", "maxPages": 3},
                }
            ],
            "result": {"items": {"$each": "$.steps.all.items", "$item": {"network_id": {"$from": "@.id"}}}},
        },
        "delete_network": {
            "steps": [
                {
                    "id": "job",
                    "op": "job",
                    "poll": {
                        "every": 5,
                        "limit": 3,
                        "until": {"$.body.state": ["DONE"]},
                        "while": {"$.body.state": ["BUSY"]},
                    },
                }
            ],
            "result": {"status": "deleted"},
        },
        "create_network": {
            "steps": [{"id": "create", "op": "create", "body": {"name": {"$from": "$.in.name"}}}],
            "result": {"network_id": {"$from": "$.steps.create.body.id"}, "status": "running"},
        },
    },
}
LOGIN = {
    "kind": "login",
    "steps": [{"id": "login", "op": "login", "body": {"word": {"$secret": "password"}}}],
    "result": {"token": {"$from": "$.steps.login.body.token"}},
    "lifetime": 3600,
}
REQUESTS: dict[str, standard.Request] = {
    "get_health": standard.EmptyRequest(),
    "list_tenants": standard.EmptyRequest(),
    "list_networks": standard.EmptyRequest(),
    "delete_network": standard.DeleteNetworkRequest(
        network_id="n-1", creator=standard.Party(orgcode="org-1", name="Tax", category="cloud")
    ),
    "create_network": standard.CreateNetworkRequest(
        name="Permits", creator=standard.Party(orgcode="org-1", name="Tax", category="cloud")
    ),
}


def speaking_to(
    server: Rough, *, allow_private: bool = True, auth: Any = None, host: str = "127.0.0.1"
) -> MappedDriver:
    return MappedDriver.from_text(
        api_file=json.dumps(API),
        mapping=json.dumps({**MAPPING, "auth": auth or MAPPING["auth"]}),
        addresses={"default": server.address.replace("127.0.0.1", host)},
        allow_private=allow_private,
    )


def body(value: Any, status: str = "200 OK", **headers: str) -> Behaviour:
    """An answer whose body says this."""
    lines = ["content-type: application/json", *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items())]
    return answering(json.dumps(value).encode(), status=status, headers="\r\n".join(lines))


# --- how it behaves ---------------------------------------------------------------------------------------------------


def hanging(connection: socket.socket, request: bytes) -> None:
    connection.recv(1)  # until the other side has had enough


def dripping(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.1)


def announcing_for_ever(connection: socket.socket, request: bytes) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def flooding(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 300000000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b"x" * 1_000_000)


def headers_without_end(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1000))


def repeating(connection: socket.socket, request: bytes) -> None:
    """It says back what it was sent, credential and all."""
    body({"message": f"refused: {request.decode()}"}, "403 Forbidden")(connection, request)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other, the last one from then on."""
    left = list(behaviours)
    return lambda connection, request: (left.pop(0) if len(left) > 1 else left[0])(connection, request)


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """`sentence` begins what is read, with ADDRESS for the platform's address; `note` is in what operators read."""

    name: str
    behaviour: Behaviour
    sentence: str
    error: type[ConsoleError] = PlatformRefused
    operation: str = "get_health"
    note: str = ""
    code: str = ""
    allow_private: bool = True
    calls: int = 1
    host: str = "127.0.0.1"


NO_FIT = "The platform and its mapping do not fit together. An administrator has to look at this."
DOWN = PlatformUnavailable
METADATA = answering(b"", status="302 Found", headers="location: http://169.254.169.254/latest/meta-data")
ROWS = (
    Row("hangs", hanging, "ADDRESS did not answer in time, or broke off", DOWN, note="GET /health (ReadTimeout)"),
    Row("a byte at a time", dripping, "ADDRESS did not answer in time, or broke off", DOWN),
    Row("100 Continue for ever", announcing_for_ever, "ADDRESS did not answer in time, or broke off", DOWN),
    Row("headers without end", headers_without_end, "ADDRESS did not answer in time, or broke off", DOWN),
    Row("300 MB", flooding, "ADDRESS answered with more than 8 MB"),
    Row("redirects to the metadata", METADATA, "ADDRESS answered with a redirect (302), which is never followed"),
    Row(
        "a private address",
        body({"state": "OK"}),
        "127.0.0.1 is a private address (127.0.0.1), which this console does not call",
        code="address_refused",
        allow_private=False,
        calls=0,
    ),
    Row(
        "a name of a private address",
        body({"state": "OK"}),
        "localhost is a private address (",
        code="address_refused",
        allow_private=False,
        calls=0,
        host="localhost",
    ),
    Row(
        "pages without end",
        body({"rows": [{"id": "n-1"}], "next": "more"}),
        "The platform's list has more pages than the mapping allows (3).",
        operation="list_networks",
        code="page_limit",
        calls=3,
    ),
    Row(
        "a job's state that means nothing",
        body({"state": "PERHAPS"}),
        NO_FIT,
        operation="delete_network",
        note="which means nothing",
    ),
    Row(
        "HTML",
        answering(b"<html>Sign in</html>", headers="content-type: text/html"),
        "ADDRESS answered 200 with something that is not JSON",
        code="unreadable",
    ),
    Row("an error's page", answering(b"<html>", status="404 Not Found"), "The platform answered 404 and did not say"),
    Row(
        "compressed",
        answering(b"\x1f\x8b", headers="content-encoding: gzip"),
        "ADDRESS answered compressed, which was not asked for",
    ),
    Row("nested without end", answering(b"[" * 200_000), "ADDRESS answered 200 with something that is not JSON"),
    Row("a wrong type", body({"state": {"is": "OK"}}), NO_FIT, note="MAPPING at get_health.result.status: "),
    Row("a word that nobody knows", body({"state": "ODD"}), NO_FIT, note="'ODD' is none of OK", code="mapping_failed"),
    Row("a list for an object", body([{"state": "OK"}]), NO_FIT, note="$.steps.ask.body.state is not there"),
    Row("null for an object", body(None), NO_FIT, note="$.steps.ask.body.state is not there"),
    Row("null for a word", body({"state": None}), NO_FIT, note="get_health.result.status"),
    Row(
        "an object for a list of one",
        body({"rows": {"id": "t-1", "name": "Tax"}}),
        NO_FIT,
        operation="list_tenants",
        note="$.steps.list.body.rows is an object where a list is expected",
    ),
    Row(
        "a null in a row",
        body({"rows": [{"id": "t-1", "name": "Tax"}, {"id": None, "name": "Housing"}]}),
        NO_FIT,
        operation="list_tenants",
        note="list_tenants.result.items[1].tenantid",
    ),
    Row(
        "a number for an id",
        body({"rows": [{"id": 7, "name": "Tax"}]}),
        NO_FIT,
        operation="list_tenants",
        note="list_tenants.result.items[0].tenantid",
    ),
    Row(
        "200 with an error",
        body({"code": 17, "message": "the ledger is locked"}),
        "The platform says: the ledger is locked",
        note="get_health.ask: 200, the ledger is locked",
    ),
    Row(
        "429 with Retry-After",
        body({"message": "slow down"}, "429 Too Many Requests", retry_after="7"),
        "The platform says: slow down",
        DOWN,
    ),
    Row(
        "401",
        body({"message": "who are you"}, "401 Unauthorized"),
        "The platform does not accept the credential. The platform says: who are you",
        code="credential_refused",
    ),
    Row("repeats the credential", repeating, "The platform says: refused: GET /health HTTP/1.1"),
    Row(
        "resets after a POST",
        resetting,
        "ADDRESS did not say what became of what it was asked to do",
        OutcomeUnknown,
        operation="create_network",
        note="POST /networks (ReadError)",
    ),
    Row(
        "hangs after a POST",
        hanging,
        "ADDRESS did not say what became of what it was asked to do",
        OutcomeUnknown,
        operation="create_network",
    ),
    Row(
        "breaks after a POST",
        body({}, "502 Bad Gateway"),
        "The platform answered 502 and did not say why.",
        OutcomeUnknown,
        operation="create_network",
    ),
)


@pytest.fixture(autouse=True)
def _short_patience(settings: Any) -> None:
    settings.PLATFORM_CALL_SECONDS = CALL_SECONDS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_attack_ends_with_its_sentence(row: Row, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Rough(row.behaviour) as server:
        driver, address = speaking_to(server, allow_private=row.allow_private, host=row.host), server.address
        begun = time.monotonic()
        with pytest.raises(row.error) as caught:
            perform(driver, row.operation)
        assert time.monotonic() - begun < 20 * CALL_SECONDS, "it ends, also on a busy machine"
        assert len(server.requests) == row.calls, "asked once, and nothing is created again"
    problem = caught.value
    assert problem.detail.startswith(row.sentence.replace("ADDRESS", address))
    assert row.note in problem.note
    assert row.code in ("", problem.code)
    assert isinstance(problem, OutcomeUnknown) == (row.error is OutcomeUnknown)
    kept = json.dumps([problem.as_dict(), trace_of(problem)], ensure_ascii=False)
    assert SECRET not in kept + caplog.text


def perform(driver: MappedDriver, operation: str, position: Any = None) -> Finished | Pending:
    return driver.perform(operation, REQUESTS[operation], credentials=OPERATOR, key="key-1", position=position)


# --- what ends well ---------------------------------------------------------------------------------------------------


def test_a_list_of_one_stays_a_list() -> None:
    with Rough(body({"rows": [{"id": "t-1", "name": "Tax"}]})) as server:
        result = perform(speaking_to(server), "list_tenants")
    assert isinstance(result, Finished)
    assert [each.tenantid for each in result.answer.items] == ["t-1"]


def test_a_writing_step_comes_back_when_the_platform_says() -> None:
    busy = body({"message": "slow down"}, "429 Too Many Requests", retry_after="7")
    with Rough(in_turn(busy, body({"id": "n-1"}))) as server:
        driver = speaking_to(server)
        first = perform(driver, "create_network")
        assert isinstance(first, Pending)
        assert first.seconds == 7
        second = perform(driver, "create_network", first.position)
        while isinstance(second, Pending):
            second = perform(driver, "create_network", second.position)
    assert second.answer.network_id == "n-1"
    assert len(server.requests) == 2


def test_a_platform_that_says_come_back_in_months_is_looked_at_within_the_hour() -> None:
    """A job that is never through ends at the mapping's limit, whatever the platform asks for."""
    with Rough(body({"state": "BUSY"}, retry_after="9999999")) as server:
        driver, position = speaking_to(server), None
        for _look in range(2):
            result = perform(driver, "delete_network", position)
            assert isinstance(result, Pending)
            assert result.seconds == 3600
            position = result.position
        with pytest.raises(PlatformRefused, match="was not through with it"):
            perform(driver, "delete_network", position)
        assert len(server.requests) == 3


def test_a_token_that_ends_in_the_middle_is_renewed_once() -> None:
    """And when the new one is not believed either, that is the answer: nobody signs in for ever."""
    believed: list[str] = ["token-number-2"]

    def behave(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST /login"):
            logins.append(request)
            body({"token": f"token-number-{len(logins)}"})(connection, request)
        elif any(each.encode() in request for each in believed):
            body({"state": "OK"})(connection, request)
        else:
            body({"message": f"no: {request.decode()}"}, "401 Unauthorized")(connection, request)

    logins: list[bytes] = []
    with Rough(behave) as server:
        driver = speaking_to(server, auth=LOGIN)
        believed.append("token-number-1")
        perform(driver, "get_health")
        believed.remove("token-number-1")
        perform(driver, "get_health")
        assert len(logins) == 2
        believed.clear()
        with pytest.raises(PlatformRefused, match="does not accept the credential") as caught:
            perform(driver, "get_health")
        assert len(logins) == 3, "once more, and no further"
    kept = json.dumps([caught.value.as_dict(), trace_of(caught.value)])
    assert not [each for each in ("token-number", "operators-password") if each in kept]


def test_300_megabytes_take_no_more_memory_than_an_answer_may(settings: Any) -> None:
    """Twice the cap: the body while it comes in, and a copy of it at most."""
    settings.PLATFORM_MAX_BODY_MB = 2
    with Rough(flooding) as server:
        driver = speaking_to(server)
        with pytest.raises(PlatformRefused):  # what is built at the first call is not the body's
            perform(driver, "get_health")
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(PlatformRefused, match="more than 2 MB"):
                perform(driver, "get_health")
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert peak < 2 * 2 * MEGABYTE + flooding_buffers(), peak


def flooding_buffers() -> int:
    """What the attacker itself, in this process, holds to send."""
    return 2_000_000
