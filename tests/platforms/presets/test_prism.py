"""What the mappings send fits the API files, judged by Prism, which `make test` installs (`tests/tools/prism.py`).

Every request that a preset's life sent is sent again to Prism, which plays the API file and refuses what does not fit.
It proves what we send, not what a platform answers.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.platforms.presets.lives import LIVES
from tests.tools import prism

PRISM = prism.command()
OF_THE_WAY = ("host", "content-length", "connection", "accept-encoding")
PRESETS = Path(__file__).parents[3] / "platforms/presets"


@contextmanager
def playing(api_file: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*PRISM, "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), str(api_file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _try in range(900):  # Node.js on a busy machine takes its time
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=2)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(not PRISM, reason="Prism is not installed, or there is no Node.js for it")
@pytest.mark.parametrize("slug", LIVES)
def test_every_request_fits_the_api_file(slug: str, moto: str) -> None:
    with LIVES[slug](moto) as life:
        sent = [(each, platform) for platform in life.platforms for each in platform.seen]
    refused = []
    with playing(PRESETS / slug / "api.yaml") as address:
        for request, platform in sent:
            target = request.target.removeprefix(platform.prefix) if platform.in_address else request.target
            headers = {name: value for name, value in request.headers.items() if name not in OF_THE_WAY}
            answer = httpx.request(request.method, address + target, headers=headers, content=request.content)
            if answer.status_code >= 400:
                refused.append(f"{request.method} {target}: {answer.text[:300]}")
    assert sent
    assert refused == []
