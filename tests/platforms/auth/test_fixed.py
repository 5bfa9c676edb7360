"""The schemes whose proof does not change from call to call, over the wire."""

from __future__ import annotations

import base64
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from console.errors import PlatformRefused, PlatformUnavailable
from platforms.drivers.base import Credentials, PartyCredential
from platforms.drivers.mapped import MappedDriver
from platforms.sandbox import identities
from platforms.standard import EmptyRequest
from tests.platforms.auth.small import ask, driver_to
from tests.platforms.presets.standin import StandIn

PARTY = PartyCredential(ak="AK", sk="secret:word", token=" token-1\n", username="user", password="pass:wörd")


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "none"}, "authorization", None),
        ({"kind": "basic"}, "authorization", f"Basic {base64.b64encode('user:pass:wörd'.encode()).decode()}"),
        ({"kind": "bearer"}, "authorization", "Bearer token-1"),
        ({"kind": "bearer", "token": "sk"}, "authorization", "Bearer secret:word"),
        ({"kind": "apiKey"}, "x-api-key", "token-1"),
        ({"kind": "apiKey", "name": "Ocp-Key", "token": "ak", "prefix": "Key "}, "ocp-key", "Key AK"),
    ],
)
def test_headers(auth: dict[str, Any], header: str, value: str | None) -> None:
    with StandIn() as platform:
        platform.on("GET", "/health", lambda request: {"detail": "ok"})
        driver = driver_to(auth, address=platform.address)
        assert ask(driver, PARTY).detail == "ok"
        driver.close()
    assert platform.seen[0].headers.get(header) == value


def test_a_key_in_the_query() -> None:
    with StandIn() as platform:
        platform.on("GET", "/health", lambda request: {"detail": "ok"})
        driver = driver_to({"kind": "apiKey", "in": "query", "name": "key", "token": "sk"}, address=platform.address)
        ask(driver, PARTY)
        driver.close()
    assert platform.seen[0].target == "/health?key=secret%3Aword"


def test_a_party_uses_the_scheme_and_address_of_its_category() -> None:
    auth = {
        "platform": {"kind": "bearer"},
        "cloud": {"kind": "basic"},
        "on_prem": {"kind": "none", "address": "on_prem"},
    }
    with StandIn() as platform, StandIn() as on_prem:
        for each in (platform, on_prem):
            each.on("GET", "/health", lambda request: {"detail": request.headers.get("authorization", "")[:6]})
        driver = driver_to(auth, address=platform.address, on_prem=on_prem.address)
        details = [
            ask(driver, PartyCredential(token="t", ak="a", sk="s", category=kind)).detail
            for kind in ("", "cloud", "on_prem")
        ]
        driver.close()
    assert details == ["Bearer", "Basic ", ""]
    assert len(platform.seen) == 2
    assert len(on_prem.seen) == 1


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        subject: Any = self.connection.getpeercert()["subject"]  # type: ignore[attr-defined]
        body = b'{"detail": "%s"}' % subject[0][0][1].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts: object) -> None:
        return None


@pytest.fixture
def tls_platform(tmp_path: Path) -> Any:
    """A server that lets in whoever shows a certificate of its own authority: (address, folder of the identities)."""
    identities.ensure_identities(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "tls/ca.pem"))
    context.load_cert_chain(tmp_path / "tls/server.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = HTTPServer(("127.0.0.1", 0), _Health)
    server.handle_error = lambda *_each: None  # type: ignore[method-assign]  # refused handshakes are what we want
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", tmp_path
    server.shutdown()
    server.server_close()
    thread.join()


def tls_driver(address: str, authority: str) -> MappedDriver:
    made = driver_to({"kind": "mtls"}, address=address)
    return MappedDriver(
        made.template, made.api, addresses={"default": address}, allow_private=True, ca_certificate=authority
    )


def test_mutual_tls(tls_platform: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    address, folder = tls_platform
    driver = tls_driver(address, (folder / "onprem/ca.pem").read_text())
    known = (folder / "onprem/client.pem").read_text()
    assert ask(driver, PartyCredential(tlscert=known)).detail == "On-prem department"
    other = tmp_path_factory.mktemp("other")
    identities.ensure_identities(other)
    with pytest.raises((PlatformRefused, PlatformUnavailable)):
        ask(driver, PartyCredential(tlscert=(other / "onprem/client.pem").read_text()))
    with pytest.raises(PlatformRefused, match="no “tlscert”"):
        ask(driver, PartyCredential())
    driver.close()


def test_a_server_that_nobody_vouches_for(
    tls_platform: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    address, folder = tls_platform
    other = tmp_path_factory.mktemp("other")
    identities.ensure_identities(other)
    driver = tls_driver(address, (other / "onprem/ca.pem").read_text())
    known = PartyCredential(tlscert=(folder / "onprem/client.pem").read_text())
    with pytest.raises((PlatformRefused, PlatformUnavailable)):
        driver.perform("get_health", EmptyRequest(), credentials=Credentials(platform=known), key="")
    driver.close()
