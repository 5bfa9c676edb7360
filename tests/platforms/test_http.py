"""The HTTP client against a server that misbehaves: each fault in its own words, in time, and never a second effect."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from console.errors import OutcomeUnknown, PlatformRefused, PlatformUnavailable
from platforms.http import Incoming, Outgoing, PlatformClient, encode_path_value
from tests.platforms.rough import Authority, Behaviour, Rough, answering, resetting, server_context

GET = Outgoing("GET", "/things", (("a", "1 & 2"),), (("x-one", "1"),))
POST = Outgoing("POST", "/things", body={"name": "x"})


def client(server: Rough, **options: Any) -> PlatformClient:
    return PlatformClient(server.address, **{"allow_private": True, "call_seconds": 1.5, **options})


def sent(behaviour: Behaviour, request: Outgoing = GET, **options: Any) -> Incoming:
    with Rough(behaviour) as server:
        return client(server, **options).send(request)


def test_a_request_as_it_is_meant() -> None:
    with Rough(answering(b'{"ok": true}', status="201 Created", headers="X-Thing: 7")) as server:
        answer = client(server).send(POST)
        assert (answer.status, answer.body, answer.headers["x-thing"]) == (201, {"ok": True}, "7")
        head, _end, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /things HTTP/1.1\r\n")
    assert b"content-type: application/json" in head
    assert b"accept-encoding: identity" in head
    assert body == b'{"name": "x"}'


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v1/networks/a%2Fb", "/v1/networks/a%2Fb"),
        ("/v1/all networks", "/v1/all%20networks"),
        ("/v1/联盟#x", "/v1/%E8%81%94%E7%9B%9F%23x"),
        ("/v1/networks:search(x=1)", "/v1/networks:search(x=1)"),
    ],
)
def test_what_an_api_file_has_for_a_path_cannot_break_the_request(path: str, target: str) -> None:
    with Rough(answering(b"{}")) as server:
        made = PlatformClient(f"{server.address}/base/", allow_private=True)
        made.send(Outgoing("POST", path, (("q", "a b"),), idempotent=True))
        made.close()
        host = f"host: 127.0.0.1:{server.port}"
    head, _, body = server.requests[0].decode().lower().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == f"post /base{target.lower()}?q=a%20b http/1.1"
    assert host in lines
    assert "content-length: 0" in lines
    assert body == ""


def test_headers_by_small_names_and_joined() -> None:
    headers = "X-One: a\r\nx-one: b"
    assert sent(answering(b"{}", headers=headers)).headers["x-one"] == "a, b"


def test_one_connection_serves_many_calls() -> None:
    peers = set()

    def behave(connection: socket.socket, request: bytes) -> None:
        peers.add(connection.getpeername())
        answering(b"{}")(connection, request)

    with Rough(behave) as server:
        opened = client(server)
        for _ in range(3):
            opened.send(GET)
    assert len(peers) == 1


def test_a_cookie_is_not_sent_back() -> None:
    """One pool serves every party of a platform: what one was given must not speak for another."""
    with Rough(answering(b"{}", headers="set-cookie: session=of-one-party; path=/")) as server:
        opened = client(server)
        for _ in range(2):
            opened.send(GET)
        assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", None),
        (b"  \n", None),
        (b'""', ""),
        (b"[1.5]", [1.5]),
        (b'\xef\xbb\xbf{"bom": 1}', {"bom": 1}),
        (b'{"nul\\u0000": "a\\u0000b"}', {"nul": "ab"}),
        (b'["\\ud800"]', ["\ufffd\ufffd\ufffd"]),
        ("[“é”]".replace("“", '"').replace("”", '"').encode(), ["é"]),
    ],
)
def test_json_is_judged_by_its_bytes(body: bytes, found: Any) -> None:
    assert sent(answering(body, headers="content-type: text/html")).body == found


@pytest.mark.parametrize(
    "body", [b"<html></html>", b"{", b"[NaN]", b"[1e999]", b"[-Infinity]", b"[" * 100_000, b"\xff\xfe\xfd", b"9" * 9000]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(PlatformRefused, match="not JSON"):
        sent(answering(body))


def test_an_errors_page_is_not_read() -> None:
    answer = sent(answering(b"<html>Bad gateway</html>", status="502 Bad Gateway"))
    assert (answer.status, answer.body) == (502, None)
    assert sent(answering(b"<Error/>", status="404 Not Found")).body is None


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "304 Not Modified"])
def test_redirects_are_never_followed(status: str) -> None:
    with Rough(answering(b"", status=status, headers="location: http://169.254.169.254/latest/meta-data")) as server:
        with pytest.raises(PlatformRefused, match="redirect"):
            client(server).send(GET)
        assert len(server.requests) == 1


def test_a_huge_body_is_cut_off_while_it_streams() -> None:
    taken = 0

    def behave(connection: socket.socket, request: bytes) -> None:
        nonlocal taken
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 300000000\r\n\r\n")
        for _ in range(300):
            connection.sendall(b"x" * 1_000_000)
            taken += 1

    with pytest.raises(PlatformRefused, match=r"more than 0\.954 MB"):
        sent(behave, max_body=1_000_000)
    assert taken < 100


def test_compressed_answers_are_refused_before_they_unfold() -> None:
    with pytest.raises(PlatformRefused, match="compressed"):
        sent(answering(b"\x1f\x8b", headers="content-encoding: gzip"))


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_byte_at_a_time_is_over_with_the_call(part: str) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        text = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
        if part == "body":
            connection.sendall(text)
        for byte in text + b" " * 100_000 if part == "head" else b" " * 100_000:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    begun = time.monotonic()
    with pytest.raises(PlatformUnavailable, match="did not answer in time") as problem:
        sent(behave)
    assert "did not answer GET /things" in problem.value.note
    assert time.monotonic() - begun < 4


def test_silence_is_over_with_the_call() -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        time.sleep(5)

    begun = time.monotonic()
    with pytest.raises(PlatformUnavailable):
        sent(behave)
    with pytest.raises(OutcomeUnknown):
        sent(behave, POST)
    assert time.monotonic() - begun < 8


def test_nobody_knows_what_became_of_a_post_that_was_cut_off() -> None:
    with Rough(resetting) as server:
        with pytest.raises(OutcomeUnknown, match="did not say what became of") as problem:
            client(server).send(POST)
        assert "what became of POST /things" in problem.value.note
        assert len(server.requests) == 1, "it was sent once"


@pytest.mark.parametrize(
    "request_", [GET, Outgoing("DELETE", "/things/1"), Outgoing("POST", "/things", body={}, idempotent=True)]
)
def test_what_may_be_repeated_is_merely_unavailable(request_: Outgoing) -> None:
    with pytest.raises(PlatformUnavailable) as problem:
        sent(resetting, request_)
    assert not isinstance(problem.value, OutcomeUnknown)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PlatformUnavailable, match="cannot be reached") as problem:
        PlatformClient(f"http://127.0.0.1:{port}", allow_private=True).send(POST)
    assert not isinstance(problem.value, OutcomeUnknown), "it was never sent"


def test_an_unknown_name() -> None:
    with pytest.raises(PlatformUnavailable, match="cannot be resolved"):
        PlatformClient("http://no-such-host.invalid", allow_private=True).send(GET)


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "allow_private", "refused"),
    [
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("fd00::1", False, True),
        ("::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("2002:0a00:0001::1", False, True),
        ("169.254.169.254", True, True),
        ("::ffff:169.254.169.254", True, True),
        ("fe80::1", True, True),
        ("0.0.0.0", True, True),
        ("224.0.0.1", True, True),
        ("10.1.2.3", True, False),
        ("127.0.0.1", True, False),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, address: str, allow_private: bool, refused: bool) -> None:
    """What a name resolves to is judged; connecting is all that is left out here."""
    connected: list[str] = []

    def resolve(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(target: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        connected.append(target[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    expected = PlatformRefused if refused else PlatformUnavailable
    with pytest.raises(expected) as problem:
        PlatformClient("http://platform.example", allow_private=allow_private).send(GET)
    assert (problem.value.code == "address_refused") == refused
    assert connected == ([] if refused else [address])


def test_the_address_that_was_judged_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves differently the second time is not asked a second time."""
    with Rough(answering(b"{}")) as server:
        port, asked = server.port, []

        def resolve(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
            asked.append(host)
            answer = host if host[0].isdigit() else "127.0.0.1" if len(asked) == 1 else "127.0.0.66"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert PlatformClient(f"http://rebinding.example:{port}", allow_private=True).send(GET).status == 200
        assert asked.count("rebinding.example") == 1
    assert b"host: rebinding.example" in server.requests[0].lower()


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_cannot_stand_in_a_path(value: str) -> None:
    with pytest.raises(PlatformRefused, match="cannot stand in a path"):
        encode_path_value(value)


def test_path_values_cannot_leave_their_place() -> None:
    assert encode_path_value("../a/b?c#d") == "..%2Fa%2Fb%3Fc%23d"


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    context = server_context(tmp_path, Authority.new().issued("server"))
    with Rough(answering(b"{}"), context) as server:
        with pytest.raises(PlatformRefused, match="does not prove who it is") as problem:
            client(server).send(POST)
        assert problem.value.code == "certificate_not_trusted"
        assert server.requests == []


def test_a_server_of_a_trusted_authority(tmp_path: Path) -> None:
    authority = Authority.new()
    with Rough(answering(b"{}"), server_context(tmp_path, authority.issued("server"))) as server:
        assert client(server, ca_certificate=authority.pem).send(GET).status == 200


def test_an_expired_server(tmp_path: Path) -> None:
    authority = Authority.new()
    with (
        Rough(answering(b"{}"), server_context(tmp_path, authority.issued("server", days=-1))) as server,
        pytest.raises(PlatformRefused, match="expired"),
    ):
        client(server, ca_certificate=authority.pem).send(GET)


def test_a_client_certificate_opens_the_door(tmp_path: Path) -> None:
    """The bundle's order does not matter: authority, certificate and key are told apart."""
    authority = Authority.new()
    context = server_context(tmp_path, authority.issued("server"), clients=authority.pem)
    with Rough(answering(b"{}"), context) as server:
        bundle = authority.pem + authority.issued("department")
        assert client(server, tlscert=bundle).send(GET).status == 200
        stranger = Authority.new("Stranger").issued("department")
        for nobody in ("", stranger):
            with pytest.raises(PlatformRefused, match="does not accept our certificate"):
                client(server, tlscert=nobody, ca_certificate=authority.pem).send(POST)
        assert len(server.requests) == 1


def test_a_certificate_text_that_is_damaged() -> None:
    with pytest.raises(PlatformRefused, match="cannot be used"):
        PlatformClient("https://127.0.0.1:1", allow_private=True, ca_certificate="-----BEGIN CERTIFICATE-----\nx")
