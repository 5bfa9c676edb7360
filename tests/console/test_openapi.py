"""The committed OpenAPI file is what the code says, and says enough for a stranger to write a client."""

from __future__ import annotations

import difflib
import re
from io import StringIO
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver
from openapi_spec_validator import validate

FILE = settings.BASE_DIR / "docs" / "openapi.yaml"
MAKE = "python manage.py spectacular --file docs/openapi.yaml"
# Plain arrays: what there is of it is few.
SHORT_BY_NATURE = {"list_webhook_events", "list_platform_dependants"}
OF_PAGES = {"page", "page_size", "cursor"}
OF_LEDGERS = {"counted_all", "height", "indexed_from", "indexed_up_to", "behind", "read_at", "stale"}
FOR_ANYBODY = {"create_token", "register"}
LIMITED = {"create_token", "register", "call_gateway"}
VERBS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def drawn() -> str:
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def document(drawn: str) -> dict[str, Any]:
    return yaml.safe_load(drawn)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, item[verb]) for path, item in document["paths"].items() for verb in VERBS if verb in item]


def test_the_committed_file_is_the_codes(drawn: str) -> None:
    committed = FILE.read_text() if FILE.is_file() else ""
    changes = difflib.unified_diff(committed.splitlines(), drawn.splitlines(), "committed", "code", lineterm="", n=1)
    assert not list(changes), f"the API has changed: run `{MAKE}` and read the difference"


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_is_named_once_placed_and_described(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for _path, _verb, operation in found]
    assert len(names) == len(set(names))
    for path, verb, operation in found:
        assert operation.get("description", "").strip(), f"{verb} {path} says nothing"
        assert operation.get("tags"), f"{verb} {path} has no tag"


def refusals(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Answers by status that are described once for all operations."""
    kept = document["components"]["responses"]
    answers = operation["responses"].items()
    return {status: kept[answer["$ref"].rpartition("/")[2]] for status, answer in answers if "$ref" in answer}


def test_how_an_operation_refuses_follows_from_what_it_is(document: dict[str, Any]) -> None:
    for path, verb, operation in operations(document):
        found, names = refusals(document, operation), {each["name"] for each in operation.get("parameters", ())}
        assert all("application/problem+json" in answer["content"] for answer in found.values())
        assert {"401", "503", "default"} <= set(found), path
        assert verb == "get" or "409" in found, path
        assert "404" in found or ("{" not in path and "page" not in names), path
        assert ({"400", "413", "415", "422"} <= set(found)) == ("requestBody" in operation), path
        assert ("403" in found) == (operation["operationId"] not in FOR_ANYBODY), path
        assert ("429" in found) == (operation["operationId"] in LIMITED), path
        assert set(re.findall(r"\b(?:4\d\d|50[23])\b", operation["description"])) <= set(found), path


def test_addresses_have_no_slash_at_their_end(document: dict[str, Any]) -> None:
    for path in document["paths"]:
        assert path.startswith("/api/v1/")
        assert not path.endswith("/")


def answered(document: dict[str, Any], operation: dict[str, Any], status: str) -> set[str]:
    """The fields of an operation's answer."""
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    return set(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"])


def test_what_starts_work_takes_a_key_and_answers_202(document: dict[str, Any]) -> None:
    keyed = {
        (path, verb)
        for path, verb, operation in operations(document)
        if any(each.get("name") == "Idempotency-Key" for each in operation.get("parameters", ()))
    }
    starting = {
        (path, verb): operation for path, verb, operation in operations(document) if "202" in operation["responses"]
    }
    assert ("/api/v1/unions", "post") in starting
    assert set(starting) <= keyed
    for (path, verb), operation in starting.items():
        assert "flow" in answered(document, operation, "202"), f"{verb} {path}"
        headers = operation["responses"]["202"]["headers"]
        assert headers["Location"] == {"$ref": "#/components/headers/Flow"}, f"{verb} {path}"


def test_lists_are_paged_filterable_and_ordered(document: dict[str, Any]) -> None:
    for path, _verb, operation in operations(document):
        name = operation["operationId"]
        if not name.startswith("list_") or name in SHORT_BY_NATURE:
            continue
        told = OF_LEDGERS if name in ("list_blocks", "list_transactions") else set()
        assert answered(document, operation, "200") == {"count", "next", "previous", "results", *told}, path
        words = {each["name"] for each in operation["parameters"] if each["in"] == "query"} - OF_PAGES
        assert "ordering" in words, f"{path} cannot be ordered"
        assert words > {"ordering"}, f"{path} cannot be narrowed"


def test_secrets_go_in_and_do_not_come_out(document: dict[str, Any]) -> None:
    """No answer has a field of a secret's name, but for the token that is shown once."""
    for name, component in document["components"]["schemas"].items():
        if name.endswith("Request") or name == "TokenCreatedAnswer":
            continue
        assert not {"ak", "sk", "token", "tlscert", "password", "credentials"} & set(component.get("properties", ())), (
            name
        )


def test_every_address_of_the_api_is_in_it(document: dict[str, Any]) -> None:
    def patterns(resolver: Any, prefix: str = "") -> list[str]:
        found = []
        for each in resolver.url_patterns:
            text = prefix + str(each.pattern)
            found += patterns(each, text) if hasattr(each, "url_patterns") else [text]
        return found

    routes = [route for route in patterns(get_resolver()) if route.startswith("api/v1/")]
    assert len(routes) == len(document["paths"])
