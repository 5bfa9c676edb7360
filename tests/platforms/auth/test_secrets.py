"""Secrets go to the platform and nowhere else: not into reprs, errors, traces, positions, logs, answers."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from console.errors import ConsoleError, Invalid, PlatformRefused
from platforms.auth import scheme_for, scheme_kinds
from platforms.auth.secrets import derived_password, filled, secret_of
from platforms.drivers.base import Credentials, PartyCredential, Pending, trace_of
from platforms.drivers.mapped import MappedDriver
from platforms.http import Outgoing
from platforms.mapping.template import Template
from platforms.standard import CreateNetworkRequest, DeployContractRequest, Party
from tests.platforms.auth.small import API, ask, driver_to
from tests.platforms.presets.standin import Reply, Seen, StandIn

WORDS = {"ak": "AKIDEXAMPLE", "sk": "sk-very-secret", "token": "token-very-secret", "password": "password-very-secret"}
PARTY = PartyCredential(username="alice-the-user", tlscert="-----BEGIN-----", **WORDS)
HIDDEN = (WORDS["sk"], WORDS["token"], WORDS["password"], derived_password(WORDS["sk"], "administrator"))
OPTIONS: dict[str, dict[str, Any]] = {
    "apiKey": {"in": "query", "name": "key"},
    "aws-sigv4": {"service": "s", "region": "r"},
}


class Parrot(StandIn):
    """Repeats everything that it is told."""

    routes = (("GET", "/health", "repeat"), ("POST", "/networks", "repeat"), ("GET", "/networks", "wait"))

    def repeat(self, request: Seen) -> Reply:
        told = f"{request.target} {request.headers} {request.content.decode()}"
        return Reply({"message": told, "state": "BUSY", "told": told}, 400 if request.method == "GET" else 200)

    def wait(self, request: Seen) -> Reply:
        return Reply({"state": "BUSY", "told": str(request.headers)})


def mapping(body: Any, **interface: Any) -> str:
    steps = [
        {"id": "make", "op": "POST /networks", "body": body, "cred": "creator"},
        {
            "id": "ready",
            "op": "GET /networks",
            "cred": "creator",
            "poll": {"every": 1, "limit": 9, "until": {"$.body.state": ["DONE"]}},
        },
    ]
    return json.dumps(
        {
            "mapping": 1,
            "auth": {"kind": "bearer"},
            "errorMessage": ["$.body.message"],
            "interfaces": {
                "create_network": {"steps": steps, "result": {"network_id": "n", "status": "running"}, **interface}
            },
        }
    )


def networks_api() -> str:
    answer = API["paths"]["/health"]["get"]["responses"]  # type: ignore[index]
    document = {**API, "paths": {"/networks": {"post": {"responses": answer}, "get": {"responses": answer}}}}
    return json.dumps(document)


@pytest.mark.parametrize("kind", [kind for kind in scheme_kinds() if kind not in ("login", "oauth2-client", "mtls")])
def test_a_platform_that_repeats_the_credential_does_not_bring_it_back(kind: str) -> None:
    with Parrot() as platform:
        driver = driver_to({"kind": kind, **OPTIONS.get(kind, {})}, address=platform.address)
        with pytest.raises(ConsoleError) as caught:
            ask(driver, PARTY)
        said = f"{caught.value!r} {caught.value.detail} {caught.value.as_dict()} {trace_of(caught.value)}"
        assert not [word for word in HIDDEN if word in said]
        assert "host" in caught.value.detail, "the rest of what it said is kept"
        driver.close()


def test_secrets_of_a_body_are_sent_and_not_kept() -> None:
    body = {
        "user": {"$secret": "username"},
        "word": {"$secret": "password"},
        "admin": {"$secret": "sk", "$derive": "administrator"},
        "name": {"$from": "$.in.name"},
    }
    with Parrot() as platform:
        driver = MappedDriver.from_text(
            api_file=networks_api(),
            mapping=mapping(body),
            addresses={"default": platform.address},
            allow_private=True,
        )
        creator = Party(orgcode="org-1", name="One", category="cloud")
        result: Any = driver.perform(
            "create_network",
            CreateNetworkRequest(name="net", creator=creator),
            credentials=Credentials(creator=PARTY),
            key="k",
        )
        while isinstance(result, Pending) and not platform.calls("GET"):
            result = driver.perform(
                "create_network",
                CreateNetworkRequest(name="net", creator=creator),
                credentials=Credentials(creator=PARTY),
                key="k",
                position=json.loads(json.dumps(result.position)),
            )
        driver.close()
    assert platform.seen[0].json == {
        "user": "alice-the-user",
        "word": WORDS["password"],
        "admin": derived_password(WORDS["sk"], "administrator"),
        "name": "net",
    }
    assert isinstance(result, Pending)
    assert "told" in json.dumps(result.position), "the answer is kept"
    assert not [word for word in HIDDEN if word in json.dumps([result.position, result.trace, result.known])]


def test_data_cannot_name_a_secret() -> None:
    """What an organization puts into its request is never taken for the name of a secret."""
    document = json.loads(mapping({"arguments": {"$from": "$.in.arguments"}}))
    document["interfaces"] = {
        "deploy_contract": {
            "steps": [{"id": "make", "op": "POST /networks", "body": {"arguments": {"$from": "$.in.arguments"}}}],
            "result": {"contract_id": "c", "status": "running"},
        }
    }
    with Parrot() as platform:
        driver = MappedDriver.from_text(
            api_file=networks_api(),
            mapping=json.dumps(document),
            addresses={"default": platform.address},
            allow_private=True,
        )
        request = DeployContractRequest(chain_id="1", name="c", arguments=({"$secret": "sk"}, "<secret: sk>"))
        driver.perform("deploy_contract", request, credentials=Credentials(platform=PARTY), key="k")
        driver.close()
    assert platform.seen[0].json == {"arguments": [{"$secret": "sk"}, "<secret: sk>"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"word": {"$join": ["a", {"$secret": "sk"}]}}, "cannot be joined"),
        ({"word": {"$secret": "tlscert"}}, "create_network"),
        ({"word": {"$secret": "sk", "$as": "string"}}, "create_network"),
        ({"word": {"$secret": "sk", "$derive": 7}}, "create_network"),
    ],
)
def test_a_template_that_names_a_secret_wrongly(body: Any, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        Template.parse(mapping(body))
    assert words in " ".join(caught.value.errors["mapping"])


def test_a_secret_has_no_place_in_a_path() -> None:
    document = json.loads(mapping({}))
    document["interfaces"]["create_network"]["steps"][0]["path"] = {"id": {"$secret": "sk"}}
    template = Template.parse(json.dumps(document))
    step = template.interfaces["create_network"].steps[0]
    assert "sk-very-secret" not in str(filled(Outgoing("GET", "/x", body=step["path"]), PARTY).path)


def test_a_credential_that_lacks_a_field() -> None:
    with pytest.raises(PlatformRefused, match="no “sk”") as caught:
        secret_of(PartyCredential(ak="only"), "sk")
    assert caught.value.code == "credential_incomplete"
    for kind in ("basic", "bearer", "apiKey", "mtls", "aws-sigv4", "huawei-aksk"):
        with pytest.raises(PlatformRefused):
            scheme_for(kind).sign(  # type: ignore[union-attr]
                Outgoing("GET", "/", address="https://x.example"), PartyCredential(), OPTIONS.get(kind, {})
            )


def test_reprs_hide() -> None:
    request = Outgoing("GET", "/x", (("key", "hidden-1"),), (("authorization", "hidden-2"),), {"word": "hidden-3"})
    shown = f"{request!r} {PARTY!r} {Credentials(platform=PARTY)!r}"
    assert "hidden" not in shown
    assert not [word for word in (*WORDS.values(), "alice") if word in shown]


def test_logs_hide_a_key_in_the_query(caplog: pytest.LogCaptureFixture) -> None:
    """As configured: httpx writes addresses with their query into its log, at a level that we do not let through."""
    with Parrot() as platform, caplog.at_level(logging.DEBUG):
        driver = driver_to({"kind": "apiKey", "in": "query", "name": "key"}, address=platform.address)
        with pytest.raises(PlatformRefused):
            ask(driver, PARTY)
        driver.close()
    assert platform.seen[0].query == {"key": WORDS["token"]}
    assert WORDS["token"] not in caplog.text
