"""What belongs together in a registration: the mapping's authentication, its addresses, and what was given for it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from console.errors import Invalid
from platforms.services.requests import read_registration
from tests.platforms.plane import API_FILE, MAPPING

LOGIN = {
    "kind": "login",
    "steps": [{"id": "login", "op": "health", "body": {"name": {"$secret": "username"}, "word": {"$secret": "sk"}}}],
    "result": {"token": {"$from": "$.steps.login.body.token"}},
}
OAUTH = {"kind": "oauth2-client", "tokenPath": "/token"}
BASE = "https://platform.example"


def given(auth: dict[str, Any], credentials: dict[str, str], **more: Any) -> dict[str, Any]:
    mapping = {**yaml.load(MAPPING, Loader=yaml.CSafeLoader), "auth": auth, "addresses": more.pop("addresses", {})}
    plain = {"oemtype": "x", "name": "X", "base_url": BASE, "api_file": API_FILE, "credentials": credentials}
    return {**plain, "mapping": yaml.safe_dump(mapping), **more}


@pytest.mark.parametrize(
    ("auth", "credentials", "lacking"),
    [
        (OAUTH, {}, ["credentials.password", "credentials.username"]),
        (OAUTH, {"username": "me"}, ["credentials.password"]),
        (OAUTH, {"ak": "me", "sk": "word"}, []),
        (LOGIN, {}, ["credentials.sk", "credentials.username"]),
        (LOGIN, {"username": "me"}, ["credentials.sk"]),
        (LOGIN, {"ak": "me", "sk": "word"}, []),
        ({"kind": "basic"}, {"username": "me"}, ["credentials.password"]),
        ({"platform": OAUTH, "cloud": LOGIN}, {"username": "me", "password": "word"}, []),
        ({"cloud": LOGIN}, {}, []),
    ],
)
def test_the_credential_that_the_scheme_needs(
    auth: dict[str, Any], credentials: dict[str, str], lacking: list[str]
) -> None:
    if not lacking:
        assert read_registration(given(auth, credentials)).setup.credentials == credentials
        return
    with pytest.raises(Invalid) as caught:
        read_registration(given(auth, credentials))
    assert sorted(caught.value.errors) == lacking
    assert all("needs this credential" in texts[0] for texts in caught.value.errors.values())


@pytest.mark.parametrize(
    ("auth", "more", "field", "words"),
    [
        ({**OAUTH, "tokenAddress": "on_prem"}, {}, "on_prem_base_url", "calls this address"),
        ({**OAUTH, "address": "on_prem"}, {}, "on_prem_base_url", "calls this address"),
        (OAUTH, {"addresses": {"iam": "https://iam.example:0"}}, "mapping", "addresses.iam: Port 0"),
        (OAUTH, {"addresses": {"iam": "https://iam.example/../x"}}, "mapping", "addresses.iam: There are characters"),
        (
            {"kind": "mtls", "address": "iam"},
            {"addresses": {"iam": "http://iam.example"}},
            "mapping",
            "addresses.iam: A cl",
        ),
        ({"kind": "mtls"}, {"base_url": "http://platform.example"}, "base_url", "https:// address only"),
    ],
)
def test_the_addresses_that_the_scheme_calls(
    auth: dict[str, Any], more: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as caught:
        read_registration(given(auth, {"username": "me", "password": "word"}, **more))
    assert words in caught.value.errors[field][0]
    assert not ({"base_url", "on_prem_base_url", "mapping"} - {field}) & set(caught.value.errors)


def test_an_address_of_the_mapping_stands_for_none_that_is_registered() -> None:
    """The token's address is the mapping's own, so no other one is asked for."""
    auth = {**OAUTH, "tokenAddress": "iam"}
    credentials = {"username": "me", "password": "word"}
    setup = read_registration(given(auth, credentials, addresses={"iam": "https://iam.example"})).setup
    assert (setup.base_url, setup.on_prem_base_url) == (BASE, "")
