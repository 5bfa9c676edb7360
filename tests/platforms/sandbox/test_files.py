"""What the sandbox hands in to be registered, and what it keeps on disk."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

from cryptography import x509
from openapi_spec_validator import validate

from platforms.sandbox.counter import CODE, INCREMENT
from tests.platforms.sandbox.record import TAKES_ANYTHING
from tests.platforms.sandbox.running import API, FILES, ROOT, Running, cloud, done, ended, finished, machine


def test_the_api_file_is_a_sound_openapi_file() -> None:
    validate(API.document)


def test_it_is_a_program_of_its_own() -> None:
    """Nothing of the console comes with it, nor Django."""
    code = "import sys, platforms.sandbox.__main__; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "'aiohttp'" in found
    assert not [name for name in ("django", "console", "unions", "chains", "rest_framework") if f"'{name}'" in found]


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


def test_every_call_of_the_api_file_answers_as_it_says(sandbox: Running) -> None:
    """The clients hold each answer against the file; here every operation is called with success once."""
    API.seen.clear()
    operator, first, third = sandbox.operator(), sandbox.tenant(8), sandbox.on_prem()
    body = {"name": "All", "description": "Everything once", "engine": "EVM", "member": cloud(sandbox.tenants[7], "a")}
    network = done(first, first.post("/v1/networks", json=body))["networkId"]
    here = f"/v1/networks/{network}"
    first.put(f"{here}/invitations/b", json={"displayName": "B"}).raise_for_status()
    done(third, third.post(f"{here}/members", json={"member": machine("b", "127.0.0.31")}))
    chain = f"/v1/chains/{done(first, first.post(f'{here}/chains', json={'name': 'main'}))['chainId']}"
    nodes = [done(third, third.post(f"{chain}/nodes", json={"externalId": "b"}))["nodeId"] for _ in range(2)]
    sandbox.open().post("/traffic", json={"enabled": True, "perMinute": 600}).raise_for_status()
    while not (found := first.get(f"{chain}/transactions").json()["items"]):
        pass
    sandbox.open().post("/traffic", json={"enabled": False}).raise_for_status()
    counter = finished(first, first.post(f"{chain}/contracts", json={"name": "Counter", "data": CODE}))["contractId"]
    done(first, first.post(f"{chain}/transactions", json={"to": counter, "data": INCREMENT}))
    proxy = finished(first, first.post(f"{chain}/contracts", json={"name": "Proxy", "data": TAKES_ANYTHING}))[
        "contractId"
    ]
    done(first, first.put(f"{chain}/contracts/{proxy}", json={"data": CODE}))
    assert [each["name"] for each in first.get(f"{chain}/contracts").json()["items"]] == ["Counter", "Proxy"]
    done(first, first.delete(f"{chain}/contracts/{counter}"))
    for path in ("", "/ledger", "/blocks", "/blocks/0", f"/transactions/{found[0]['hash']}", "/metrics"):
        first.get(chain + path).raise_for_status()
    for path in ("networks", f"networks/{network}", "chains", "nodes", "tenants", "health"):
        operator.get(f"/v1/{path}").raise_for_status()
    second = f"/v1/chains/{done(first, first.post(f'{here}/chains', json={'name': 'second'}))['chainId']}"
    done(third, third.post(f"{second}/shared-nodes", json={"externalId": "b", "nodeIds": nodes}))
    operator.post("/v1/certificates", json={"commonName": "B"}).raise_for_status()
    done(third, third.delete(f"{chain}/nodes/{nodes[0]}", params={"externalId": "b"}))
    done(third, third.delete(f"{chain}/nodes", params={"externalId": "b"}))
    sandbox.open().post("/sandbox-faults", json={"fault": "hang"}).raise_for_status()
    hanging = first.delete(chain)
    first.post(f"/v1/jobs/{hanging.json()['jobId']}/cancel").raise_for_status()
    done(first, first.delete(chain))
    ended(third, third.delete(f"{here}/members/b"))
    done(first, first.delete(here))
    methods = [each for path in API.document["paths"].values() for each in path.values() if isinstance(each, dict)]
    described = {each["operationId"] for each in methods}
    assert {name for name, status in API.seen if status < 300} == described
