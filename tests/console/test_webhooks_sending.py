"""One call of a webhook, against receivers good and bad: signed as the specification wants, judged, over in time."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from console.webhooks import Call, body_of, new_secret, send, signature
from tests.console.postbox import receiving
from tests.platforms.rough import Authority, Behaviour, Rough, answering, resetting, server_context

SECRET = new_secret()
BODY = body_of({"title": "Genehmigung für 许可", "attempt": 1})


def call(url: str, *secrets: str, allow_private: bool = True) -> Call:
    return Call(url, "msg_1", BODY, secrets or (SECRET,), allow_private)


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The vector that the libraries of Standard Webhooks are tested with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_check_in_the_documentation_works() -> None:
    text = (Path(settings.BASE_DIR) / "docs/webhooks.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    with receiving() as receiver:
        send(call(receiver.url, new_secret(), SECRET))
    received = receiver.got[0]
    check = names["is_from_concord"]
    assert check(SECRET, received.headers, received.body)
    assert not check(new_secret(), received.headers, received.body)
    assert not check(SECRET, received.headers, received.body + b" ")
    assert not check(SECRET, received.headers | {"webhook-id": "msg_2"}, received.body)


def test_secrets_are_long_enough_and_never_the_same() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in made)


def test_what_arrives_can_be_verified() -> None:
    with receiving() as receiver:
        outcome = send(call(receiver.url))
    assert (outcome.ok, outcome.status) == (True, 204)
    received = receiver.got[0]
    assert received.path == "/hooks"
    assert received.body == BODY
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "msg_1"
    assert received.is_signed_with(SECRET)
    assert not received.is_signed_with(new_secret())


def test_every_secret_makes_a_signature() -> None:
    old = new_secret()
    with receiving() as receiver:
        send(call(receiver.url, SECRET, old))
    assert receiver.got[0].is_signed_with(SECRET)
    assert receiver.got[0].is_signed_with(old)


def test_a_call_says_neither_secret_nor_body_when_it_is_printed() -> None:
    printed = repr(call("http://127.0.0.1/"))
    assert SECRET not in printed
    assert "attempt" not in printed


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    with receiving(status) as receiver:
        assert send(call(receiver.url)).ok


@pytest.mark.parametrize(
    ("status", "code", "final"),
    [
        (301, "redirected", False),
        (307, "redirected", False),
        (400, "answered", False),
        (401, "answered", False),
        (404, "answered", False),
        (410, "gone", True),
        (422, "answered", False),
        (429, "answered", False),
        (500, "answered", False),
        (503, "answered", False),
    ],
)
def test_everything_else_is_a_failure(status: int, code: str, final: bool) -> None:
    with receiving(status) as receiver:
        outcome = send(call(receiver.url))
    assert (outcome.code, outcome.status, outcome.final) == (code, status, final)
    assert len(receiver.got) == 1


def test_a_redirect_is_not_followed() -> None:
    with receiving() as there, receiving((307, {"location": there.url})) as here:
        assert send(call(here.url)).code == "redirected"
        assert (len(here.got), there.got) == (1, [])


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [
        ("120", 120, 120),
        ("0", 0, 0),
        ("99999999999", 6 * 3600, 6 * 3600),
        ("-5", 0, 0),
        ("soon", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2199 07:28:00 GMT", 6 * 3600, 6 * 3600),
        ("", 0, 0),
    ],
)
def test_how_long_a_receiver_asks_to_wait(asked: str, low: float, high: float) -> None:
    with receiving((503, {"retry-after": asked})) as receiver:
        assert low <= send(call(receiver.url)).wait <= high


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def dripping(connection: socket.socket, request: bytes) -> None:
    """One byte of the head now and then, for ever: no read alone ever takes too long."""
    for letter in b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 1000:
        connection.sendall(bytes([letter]))
        time.sleep(0.1)


def silent(connection: socket.socket, request: bytes) -> None:
    time.sleep(30)


def talking_nonsense(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [(silent, "too_slow"), (dripping, "too_slow"), (resetting, "broken_off"), (talking_nonsense, "broken_off")],
)
def test_receivers_that_do_not_answer(behaviour: Behaviour, code: str) -> None:
    with Rough(behaviour) as server:
        began = time.monotonic()
        outcome = send(call(f"{server.address}/"), call_seconds=1.0)
        assert time.monotonic() - began < 15
    assert (outcome.code, outcome.final) == (code, False)


def test_an_endless_answer_is_not_read() -> None:
    with Rough(endless) as server:
        began = time.monotonic()
        assert send(call(f"{server.address}/")).ok
        assert time.monotonic() - began < 15


def test_nothing_of_the_answer_is_kept() -> None:
    with Rough(answering(b'{"password": "hunter2"}', status="500 hunter2", headers="x-secret: hunter2")) as server:
        assert "hunter2" not in repr(send(call(f"{server.address}/")))


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = send(call(f"http://127.0.0.1:{port}/"))
    assert (outcome.code, outcome.final) == ("unreachable", False)
    assert send(call("http://no-such-host.invalid/")).code == "unreachable"


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[::ffff:169.254.1.1]"])
def test_addresses_that_nobody_has_are_never_called(address: str) -> None:
    outcome = send(call(f"http://{address}/latest/meta-data"))
    assert (outcome.code, outcome.final) == ("address_refused", True)


def test_private_addresses_are_called_only_where_that_is_allowed() -> None:
    with receiving() as receiver:
        assert send(call(receiver.url, allow_private=False)).code == "address_refused"
        assert receiver.got == []
        assert send(call(receiver.url, allow_private=True)).ok


def test_a_name_that_leads_inside_is_refused_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        outcome = send(call(f"http://hooks.example:{receiver.port}/", allow_private=False))
    assert outcome.code == "address_refused"
    assert receiver.got == []


def test_a_receiver_that_nobody_vouches_for(tmp_path: Path) -> None:
    context = server_context(tmp_path, Authority.new().issued("server"))
    with Rough(answering(b""), context) as server:
        outcome = send(call(f"{server.address}/"))
        assert (outcome.code, outcome.final) == ("not_trusted", False)
        assert server.requests == []


def test_the_environments_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    with Rough(lambda connection, request: asked.set()) as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        monkeypatch.setenv("ALL_PROXY", proxy.address)
        assert send(call(receiver.url)).ok
    assert not asked.is_set()
