"""What the evaluation platform itself says it has, asked with its operator's key; and its switch for trouble."""

from __future__ import annotations

from typing import Any

import httpx

from tests.stack.product import Product


def networks(product: Product) -> list[dict[str, Any]]:
    return _items(product, "networks")


def chains(product: Product) -> list[dict[str, Any]]:
    return _items(product, "chains")


def nodes(product: Product) -> list[dict[str, Any]]:
    return _items(product, "nodes")


def anvils(product: Product) -> list[int]:
    """The processes of the chains."""
    return product.named("bin/anvil")


def fault(product: Product, kind: str, *on: str) -> None:
    body: dict[str, Any] = {"fault": kind, "times": 1, **({"on": list(on)} if on else {})}
    response = httpx.post(f"{product.sandbox}/sandbox-faults", json=body)
    assert response.status_code == 201, response.text


def ask(endpoint: str, method: str, *parameters: Any) -> Any:
    """What a node of a chain answers itself."""
    address = endpoint if endpoint.startswith("http") else f"http://{endpoint}"
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    return httpx.post(address, json=question).json()["result"]


def _items(product: Product, name: str) -> list[dict[str, Any]]:
    key = (product.data_dir / "sandbox/operator-key").read_text().strip()
    response = httpx.get(f"{product.sandbox}/v1/{name}", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 200, response.text
    return [item for item in response.json()["items"] if item.get("state") not in ("DELETED", "REMOVED")]
