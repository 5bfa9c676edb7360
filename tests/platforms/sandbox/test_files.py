"""What the sandbox hands in to be registered, and what it keeps on disk."""

from __future__ import annotations

import json
import stat

from cryptography import x509
from openapi_spec_validator import validate

from platforms.sandbox.core import Core  # noqa: F401 - imports without the console's settings
from tests.platforms.sandbox.running import API, FILES, Running


def test_the_api_file_is_a_sound_openapi_file() -> None:
    validate(API.document)


def test_tenants_are_ready(sandbox: Running) -> None:
    tenants = sandbox.tenants
    assert len(tenants) == 9
    for field in ("tenantid", "tenantname", "projectid", "ak", "sk"):
        assert len({tenant[field] for tenant in tenants}) == 9
        assert all(tenant[field] for tenant in tenants)
    answer = sandbox.operator().get("/v1/tenants", params={"limit": 200}).json()
    assert [each["tenantId"] for each in answer["items"]] == [tenant["tenantid"] for tenant in tenants]


def test_secrets_are_private(sandbox: Running) -> None:
    for name in ("tenants.json", "operator-key", "registration.json", "onprem/client.pem", "tls/ca-key.pem"):
        mode = (sandbox.folder / name).stat().st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0, name


def test_the_client_certificate_is_signed_by_the_ca(sandbox: Running) -> None:
    bundle = (sandbox.folder / "onprem/client.pem").read_bytes()
    client = x509.load_pem_x509_certificate(bundle)
    authority = x509.load_pem_x509_certificate((sandbox.folder / "onprem/ca.pem").read_bytes())
    client.verify_directly_issued_by(authority)
    assert b"PRIVATE KEY" in bundle


def test_the_registration_says_where_it_listens(sandbox: Running) -> None:
    registration = sandbox.registration
    assert registration["base_url"] == sandbox.base_url
    assert registration["on_prem_base_url"] == sandbox.on_prem_base_url
    assert registration["credentials"]["token"] == (sandbox.folder / "operator-key").read_text()
    assert registration["ca_certificate"] == (sandbox.folder / "onprem/ca.pem").read_text()
    assert registration["api_file"] == (FILES / "openapi.yaml").read_text()
    assert registration["mapping"] == (FILES / "mapping.yaml").read_text()
    assert registration["samples"] == json.loads((FILES / "samples.json").read_text())
    wanted = {"oemtype": "sandbox", "kind": "mapped", "cloudtype": "both", "kernel": "ethereum", "is_default": True}
    assert wanted.items() <= registration.items()
