"""A private registry of images, the one that everybody runs (Distribution): nobody pulls without name and password."""

from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools.engines import Host

PROGRAM = "docker-registry"
USERNAME, PASSWORD = "puller", "pull-secret-1"
HASH = "$2b$04$abcdefghijklmnopqrstuudiijLFBCg.hdFmU9RvYIMJKaz87WdeS"  # bcrypt
START_SECONDS = 30.0
CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: kernels, path: {folder}/people}}}}
"""


def missing_for_registry() -> str:
    """Why no registry can run here; empty when one can."""
    return "" if shutil.which(PROGRAM) else f"no registry of images: {PROGRAM} (a Debian package) missing"


@dataclass(frozen=True)
class PrivateRegistry:
    address: str

    @property
    def trusted(self) -> str:
        """What an engine's configuration says of a registry without TLS; a real one has a certificate."""
        return f'[[registry]]\nlocation = "{self.address}"\ninsecure = true\n'

    def push(self, host: Host, archive: Path, tag: str, name: str) -> str:
        """Have an engine put an image from an archive into the registry; what it is called there."""
        image = f"{self.address}/{name}"
        host.podman("load", "--input", str(archive))
        host.podman("tag", tag, image)
        host.podman("push", "--tls-verify=false", f"--creds={USERNAME}:{PASSWORD}", image)
        host.podman("rmi", "--force", tag, image)
        return image

    def digest_of(self, name: str, tag: str) -> str:
        """What the registry itself says of an image."""
        kind = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
        asked = urllib.request.Request(f"http://{self.address}/v2/{name}/manifests/{tag}", method="HEAD")
        asked.add_header("Accept", kind)
        asked.add_header("Authorization", "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode())
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return str(answer.headers["Docker-Content-Digest"])


@contextlib.contextmanager
def private_registry(ip: str) -> Iterator[PrivateRegistry]:
    """For the time of the block."""
    with socket.socket() as probe:
        probe.bind((ip, 0))
        address = f"{ip}:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        (Path(folder) / "people").write_text(f"{USERNAME}:{HASH}\n")
        settings = Path(folder) / "registry.yml"
        settings.write_text(CONFIGURATION.format(folder=folder, address=address))
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen([PROGRAM, "serve", str(settings)], stdout=log, stderr=log)
        try:
            _await(address, process, Path(folder) / "log")
            yield PrivateRegistry(address)
        finally:
            process.kill()
            process.wait(10)


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ip, _colon, port = address.rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection((ip, int(port)), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the registry does not start: {log.read_text()[-500:]}")
        time.sleep(0.05)
