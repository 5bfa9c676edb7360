"""A real sandbox as a process of its own, and clients that hold every answer against its API file."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "platforms/sandbox"
READY = re.compile(r"^sandbox: (http://\S+)  (https://\S+)$")
COMMAND = (sys.executable, "-m", "platforms.sandbox", "--pace", "0.02")
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used: saves reading this computer's authorities each time
Json = dict[str, Any]
T = TypeVar("T")


class Running:
    """`python -m platforms.sandbox` on a folder; start, stop, kill and start again."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.data_dir, self.folder = data_dir, data_dir / "sandbox"
        self.arguments = ("--cloud-port", str(random.randrange(9_000, 28_000, 20)), *arguments)  # beside others' nodes
        self.process: subprocess.Popen[str] | None = None
        self.base_url = self.on_prem_base_url = ""
        self._clients: list[httpx.Client] = []

    def start(self) -> Running:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = (self.data_dir / "log.jsonl").open("a")
        self.process = subprocess.Popen(
            [*COMMAND, "--data-dir", str(self.data_dir), *self.arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        match = READY.match(line)
        assert match, f"no ready line but {line!r}; the log says {(self.data_dir / 'log.jsonl').read_text()[-2000:]}"
        self.base_url, self.on_prem_base_url = match.groups()
        return self

    def stop(self) -> float:
        """Tell it to end; returns how many seconds it took."""
        begun = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - begun

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(15)

    # --- identities -------------------------------------------------------------------------------------------------

    @property
    def tenants(self) -> list[dict[str, str]]:
        return json.loads((self.folder / "tenants.json").read_text())

    @property
    def registration(self) -> Json:
        return json.loads((self.folder / "registration.json").read_text())

    @property
    def tlscert(self) -> str:
        return (self.folder / "onprem/client.pem").read_text() + (self.folder / "onprem/ca.pem").read_text()

    # --- clients ----------------------------------------------------------------------------------------------------

    def operator(self) -> httpx.Client:
        return self.with_key((self.folder / "operator-key").read_text())

    def tenant(self, number: int) -> httpx.Client:
        return self.with_key(self.tenants[number - 1]["sk"])

    def with_key(self, key: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"}
        return self._made(httpx.Client(base_url=self.base_url, headers=headers, verify=PLAIN))

    def on_prem(self, bundle: Path | None = None) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.folder / "onprem/ca.pem")
        context.load_cert_chain(bundle or self.folder / "onprem/client.pem")
        return self._made(httpx.Client(base_url=self.on_prem_base_url, verify=context))

    def open(self) -> httpx.Client:
        """Without any identity, and without the API file held against the answers."""
        client = httpx.Client(base_url=self.base_url, timeout=20, verify=PLAIN)
        self._clients.append(client)
        return client

    def _made(self, client: httpx.Client) -> httpx.Client:
        client.timeout = httpx.Timeout(20)
        client.event_hooks = {"response": [API.check]}
        self._clients.append(client)
        return client


class ApiFile:
    """The committed API file, held against real answers."""

    def __init__(self) -> None:
        self.document = yaml.safe_load((FILES / "openapi.yaml").read_text())
        self._routes = [
            (re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), item)
            for path, item in self.document["paths"].items()
        ]
        self.seen: set[tuple[str, int]] = set()

    def check(self, response: httpx.Response) -> None:
        """Every answer of a path that the file describes is as the file says."""
        response.read()
        if response.headers.get("content-type", "").startswith("application/json"):
            request = response.request
            self.check_body(request.method, request.url.path, response.status_code, response.json())

    def check_body(self, method: str, path: str, status: int, body: Any) -> None:
        item = next((item for pattern, item in self._routes if pattern.match(path)), None)
        operation = (item or {}).get(method.lower())
        if operation is None:
            return
        responses = operation["responses"]
        assert str(status) in responses or status >= 400, f"{method} {path} → {status} is not in the API file"
        described = self._resolved(responses.get(str(status)) or responses["default"])
        self._validator(described["content"]["application/json"]["schema"]).validate(body)
        self.seen.add((operation["operationId"], status))

    def _resolved(self, node: Json) -> Json:
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"][2:].split("/"):
                found = found[part]
            node = found
        return node

    def _validator(self, schema: Json) -> jsonschema.Draft202012Validator:
        whole = {**schema, "components": self.document["components"]}
        return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


API = ApiFile()


# --- what tests do over and over --------------------------------------------------------------------------------------


def cloud(tenant: dict[str, str], name: str) -> Json:
    return {"externalId": name, "displayName": tenant["tenantname"], "tenantId": tenant["tenantid"]}


def machine(name: str, ip: str = "127.0.0.11", port: int = 9001) -> Json:
    return {"externalId": name, "displayName": "Social Insurance", "hosts": [{"ip": ip, "port": port}]}


def ended(client: httpx.Client, answer: httpx.Response) -> Json:
    """The job that an answer began, when it has ended."""
    assert answer.status_code == 202, answer.text
    path = f"/v1/jobs/{answer.json()['jobId']}"
    return until(lambda: client.get(path).json(), lambda job: job["state"] in ENDED)


def done(client: httpx.Client, answer: httpx.Response) -> Json:
    """What an accepted answer said, once its job has succeeded."""
    job = ended(client, answer)
    assert job["state"] == "SUCCEEDED", job
    return answer.json()


def finished(client: httpx.Client, answer: httpx.Response) -> Json:
    """The job of an accepted answer, once it has succeeded."""
    job = ended(client, answer)
    assert job["state"] == "SUCCEEDED", job
    return job


def until(read: Callable[[], T], holds: Callable[[T], bool], seconds: float = 15) -> T:
    """The first reading that holds."""
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        if holds(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def rpc(endpoint: str, method: str, *parameters: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = httpx.post(endpoint, json=body, timeout=10, verify=PLAIN).json()
    assert "error" not in answer, answer
    return answer["result"]


def processes_of(folder: Path) -> list[int]:
    """Every process on this computer that has the folder in its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in words:
                found.append(int(entry.name))
    return found
