"""Presets by REST: what is at hand, and all that a registration needs."""

from __future__ import annotations

from typing import Any

from console.models import User
from platforms.presets import presets
from tests.rest import assert_problem, client


def asked(root: User, **query: str) -> list[dict[str, Any]]:
    return client(root).get("/api/v1/platform-presets", query).json()["results"]


def test_presets(root: User, alice: User) -> None:
    listed = client(root).get("/api/v1/platform-presets").json()
    assert [each["name"] for each in listed["results"]] == [each.slug for each in presets()]
    assert [each["name"] for each in asked(root, ordering="-title")] == [each.slug for each in reversed(presets())]
    assert {each["kernel"] for each in asked(root, kernel="fabric", cloudtype="cloud")} == {"fabric"}
    for field, value in {"kernel": "tin", "colour": "red", "ordering": "colour"}.items():
        assert_problem(client(root).get("/api/v1/platform-presets", {field: value}), 422, field)
    one: dict[str, Any] = client(root).get("/api/v1/platform-presets/kaleido").json()
    chosen = next(each for each in presets() if each.slug == "kaleido")
    assert (one["api_file"], one["mapping"], one["samples"]) == (chosen.api_file, chosen.mapping, chosen.samples)
    assert one["credential_fields"] == {"token": "API key of a Kaleido account"}
    assert one["parameters"][0]["place"] == "const.provider"
    assert one["capabilities"]["create_network"] == {"supported": True, "reason": ""}
    assert one["capabilities"]["list_tenants"]["reason"] == "Kaleido lists no accounts."
    assert_problem(client(root).get("/api/v1/platform-presets/nobody"), 404)
    for path in ("/api/v1/platform-presets", "/api/v1/platform-presets/kaleido"):
        assert_problem(client(alice).get(path), 403)
    files = {name: one[name] for name in ("api_file", "mapping", "samples")}
    checked = client(root).post("/api/v1/platforms/check", files)
    assert checked.json()["passed"] is True
