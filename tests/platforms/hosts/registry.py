"""A private registry of images that holds one small image, and shows it to nobody without name and password."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.tools.images import config_of, layer_of

USERNAME, PASSWORD = "puller", "pull-secret-1"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@contextlib.contextmanager
def private_registry(ip: str, name: str) -> Iterator[str]:
    """Its address, for the time of the block."""
    layer = layer_of()
    config = config_of(layer, version="1", entrypoint=["sh"])
    blobs = {_digest(blob): blob for blob in (layer, config)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _named(config, "application/vnd.docker.container.image.v1+json"),
            "layers": [_named(layer, "application/vnd.docker.image.rootfs.diff.tar")],
        }
    ).encode()
    expected = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers.get("Authorization") != expected:
                self._answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', ("WWW-Authenticate", 'Basic realm="r"'))
            elif self.path.startswith(f"/v2/{name}/manifests/"):
                self._answer(200, manifest, ("Content-Type", MANIFEST), ("Docker-Content-Digest", _digest(manifest)))
            elif self.path.rpartition("/")[2] in blobs:
                self._answer(200, blobs[self.path.rpartition("/")[2]])
            else:
                self._answer(200 if self.path == "/v2/" else 404, b"{}")

        do_HEAD = do_GET

        def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for header in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(*header)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((ip, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{ip}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _named(blob: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "size": len(blob), "digest": _digest(blob)}
