"""Dry runs: what would be sent, and the answer or the first fault with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from console.errors import Invalid
from platforms.mapping.apifile import ApiFile
from platforms.mapping.dryrun import KEY, dry_run
from platforms.mapping.samples import parse_samples, read_samples
from platforms.mapping.template import Template
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES

TEMPLATE, API = Template.parse(MAPPING), ApiFile.parse(API_FILE)


def tried(operation: str, **changes: Any) -> dict[str, Any]:
    sample = {**copy.deepcopy(SAMPLES[operation]), **changes}
    return dry_run(TEMPLATE, API, read_samples({operation: sample})[operation]).as_dict()


def test_a_creation_with_polls() -> None:
    outcome = tried("create_network")
    assert outcome["fault"] is None
    assert outcome["result"] == {"network_id": "n-1", "status": "running", "member_id": "", "extrainfo": ""}
    assert outcome["known"] == {"network_id": "n-1"}
    assert [each["step"] for each in outcome["requests"]] == ["create", "built", "built", "built", "read"]
    assert outcome["requests"][0] == {
        "step": "create",
        "cred": "creator",
        "method": "POST",
        "path": "/v1/networks",
        "headers": {},
        "body": {
            "token": KEY,
            "name": "Permits",
            "kernel": "EVM",
            "owner": {"org": "org-tax", "name": "Tax Bureau"},
            "guests": [{"org": "org-housing", "tenant": "12"}],
        },
    }
    assert outcome["requests"][1]["path"] == "/v1/jobs/j-1"
    assert len(outcome["waits"]) == 3


def test_pages() -> None:
    outcome = tried("list_tenants")
    assert [each["path"] for each in outcome["requests"]] == [
        "/v1/tenants?limit=50",
        "/v1/tenants?limit=50&cursor=more",
    ]
    assert [each["tenantid"] for each in outcome["result"]["items"]] == ["11", "12"]


@pytest.mark.parametrize(
    ("operation", "answers", "place", "words"),
    [
        ("get_health", {"health": {"state": "ODD"}}, "get_health.result.status", "'ODD' is none of"),
        ("get_health", {"health": {"state": "OK", "release": 3}}, "get_health.result.version", "valid string"),
        ("get_health", {}, "get_health.health", "no sample answer is left"),
        ("get_health", {"health": {"status": 500, "body": None}}, "get_health.health", "The platform answered 500"),
        ("list_tenants", {"list": {"tenants": {}}}, "list_tenants.list.walk.items", "a list is expected"),
    ],
)
def test_the_first_fault_has_a_place(operation: str, answers: Any, place: str, words: str) -> None:
    outcome = tried(operation, answers=answers)
    assert outcome["result"] is None
    assert outcome["fault"]["place"] == place
    assert words in outcome["fault"]["text"]


def test_a_request_that_is_none_of_ours() -> None:
    outcome = tried("create_network", request={"name": "x"})
    assert outcome["fault"]["place"] == "samples.create_network.request.creator"
    assert outcome["requests"] == []


def test_an_operation_that_is_not_offered() -> None:
    sample = read_samples({"create_chain": {}})["create_chain"]
    assert dry_run(TEMPLATE, API, sample).fault == {
        "place": "create_chain",
        "text": "the mapping does not offer this operation",
        "code": "not_supported",
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "an object is expected"),
        ({"dance": {}}, "dance: no such operation"),
        ({"get_health": []}, "get_health: an object with request and answers"),
        ({"get_health": {"answer": {}}}, "get_health: an object with request and answers"),
        ({"get_health": {"request": 1}}, "get_health.request: an object"),
        ({"get_health": {"answers": [1]}}, "get_health.answers: an object"),
        ({"get_health": {"answers": {"health": {"status": "ok"}}}}, "get_health.answers.health[0].status"),
        ({"get_health": {"answers": {"health": {"status": 99}}}}, "get_health.answers.health[0].status"),
        ({"get_health": {"answers": {"health": {"headers": 1}}}}, "get_health.answers.health[0].headers"),
    ],
)
def test_samples_of_the_wrong_shape(document: Any, words: str) -> None:
    with pytest.raises(Invalid) as problem:
        read_samples(document)
    assert words in problem.value.errors["samples"][0]


def test_samples_as_text() -> None:
    assert parse_samples("  ") == {}
    assert parse_samples(yaml.safe_dump(SAMPLES)) == SAMPLES
    with pytest.raises(Invalid, match="line 2"):
        parse_samples("get_health: {\n  answers: [}")


def test_a_body_alone_is_an_answer_of_200() -> None:
    sample = read_samples({"get_health": {"answers": {"health": {"state": "OK"}}}})["get_health"]
    assert sample.answers["health"][0].status == 200
    assert sample.bodies("health") == [{"state": "OK"}]
