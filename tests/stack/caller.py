"""A business server: speaks REST to the console as `docs` and the API file say, and waits on flows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

from tests.stack.product import Product

FLOW_SECONDS = 120.0
FINAL = ("done", "failed", "undone", "cancelled")


class Caller:
    """One user's token, or nobody's."""

    def __init__(self, product: Product, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=f"{product.address}/api/v1/", headers=headers, timeout=30)

    @classmethod
    def signed_in(cls, product: Product, username: str, password: str) -> Caller:
        body = {"username": username, "password": password, "name": "test"}
        return cls(product, Caller(product).post("tokens", body, expect=201)["token"])

    def get(self, path: str, *, expect: int = 200) -> Any:
        return _answer(self.http.get(path), expect)

    def post(self, path: str, body: Any = None, *, expect: int, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return _answer(self.http.post(path, json=body, headers=headers), expect)

    def patch(self, path: str, body: Any, *, expect: int = 200) -> Any:
        return _answer(self.http.patch(path, json=body), expect)

    def delete(self, path: str, *, expect: int) -> Any:
        return _answer(self.http.delete(path), expect)

    def all(self, path: str) -> list[Any]:
        return self.get(path)["results"]

    def flow(self, flow_id: str, *, until: tuple[str, ...] = FINAL) -> Any:
        """The flow once it is in one of these states."""
        deadline = time.monotonic() + FLOW_SECONDS
        while True:
            flow = self.get(f"flows/{flow_id}")
            if flow["state"] in until:
                return flow
            assert time.monotonic() < deadline, f"the flow does not end: {flow}"
            time.sleep(0.2)


def _answer(response: httpx.Response, expect: int) -> Any:
    asked = f"{response.request.method} {response.request.url.path}"
    assert response.status_code == expect, f"{asked} answered {response.status_code}: {response.text[:1500]}"
    return response.json() if response.content else None


def tenant(product: Product, number: int) -> dict[str, str]:
    """One of the nine ready tenants, as a cloud department fills it in."""
    row = json.loads((product.data_dir / "sandbox/tenants.json").read_text())[number]
    return {name: row[name] for name in ("tenantid", "projectid", "ak", "sk")}


def tlscert(product: Product) -> str:
    folder: Path = product.data_dir / "sandbox/onprem"
    return (folder / "client.pem").read_text() + (folder / "ca.pem").read_text()
