"""Every operation of the REST API, asked for what is not there and sent what nobody can read.

Each answers with a problem, and none of them leaves a row. What the fields of one operation may hold is tested where
the operation is; this file is what holds for all, so that a new one cannot be forgotten.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import yaml
from django.apps import apps
from django.conf import settings

from console.models import User
from tests.rest import client

pytestmark = pytest.mark.django_db

VERBS = ("get", "post", "put", "patch", "delete")
OPEN = {"post /api/v1/registrations", "post /api/v1/tokens"}  # to anyone: they are how one comes in
# A body may say why; the generated file draws none at this verb.
READ_BUT_NOT_DRAWN = {
    "delete /api/v1/chains/{uid}",
    "delete /api/v1/contracts/{uid}",
    "delete /api/v1/unions/{unionid}",
}
TAKES_LISTS = {"post /api/v1/gateway/{uid}/rpc"}  # JSON-RPC has batches: a list is well-formed, the chain is missing

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"
FIVE_MEGABYTES = '{"name": "' + "x" * 5_000_000 + '"}'
NOT_THERE = [
    {"integer": "999999999", "string": "no-such", "uuid": "00000000-0000-4000-8000-000000000000"},
    {"integer": "9" * 30, "string": "x" * 300, "uuid": "ffffffff-ffff-ffff-ffff-ffffffffffff"},
]


class Operation(NamedTuple):
    """One verb at one address of the committed file."""

    verb: str
    path: str
    types: dict[str, str]  # of the parameters in the path
    reads_body: bool

    @property
    def name(self) -> str:
        return f"{self.verb} {self.path}"

    def ask(self, user: User | None, body: str = "", kind: str = JSON, values: Any = NOT_THERE[0]) -> Any:
        """The answer to one call. All calls share a key, which must not remember what was refused."""
        path = self.path.format(**{name: values[needed] for name, needed in self.types.items()})
        caller = client(user)
        caller.raise_request_exception = False
        return caller.generic(self.verb.upper(), path, body, content_type=kind, HTTP_IDEMPOTENCY_KEY="the-same")


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    document = yaml.load((settings.BASE_DIR / "docs/openapi.yaml").read_text(), Loader=yaml.CSafeLoader)
    drawn = [(path, verb, item[verb]) for path, item in document["paths"].items() for verb in VERBS if verb in item]
    found = []
    for path, verb, each in drawn:
        schemas = {given["name"]: given["schema"] for given in each.get("parameters", ()) if given["in"] == "path"}
        types = {name: schema.get("format", schema["type"]) for name, schema in schemas.items()}
        reads_body = "requestBody" in each or f"{verb} {path}" in READ_BUT_NOT_DRAWN
        found.append(Operation(verb, path, types, reads_body))
    return found


@pytest.fixture(autouse=True)
def _no_row_is_changed(root: User) -> Any:
    """Whatever a test here sends: every table has as many rows as before, flows and audit events among them."""
    before = rows()
    yield
    assert rows() == before


def rows() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models() if model._meta.managed}


def told(answer: Any) -> tuple[Any, ...]:
    """The status and the fields of a problem that says what is wrong; anything else as it came."""
    if not answer["Content-Type"].startswith(PROBLEM):
        return answer.status_code, answer["Content-Type"]
    problem = answer.json()
    if problem["status"] != answer.status_code or not problem["code"] or not problem["detail"]:
        return answer.status_code, problem
    return answer.status_code, *sorted(problem.get("errors", ()))


def test_the_literal_sets_name_operations(operations: list[Operation]) -> None:
    assert {each.name for each in operations} >= OPEN | READ_BUT_NOT_DRAWN | TAKES_LISTS
    assert len(operations) > 100
    assert sum(each.reads_body for each in operations) > 50


@pytest.mark.parametrize("body", ["", "{"])
def test_nobody_is_answered_before_signing_in(operations: list[Operation], body: str) -> None:
    found = {each.name: told(each.ask(None, body)) for each in operations if each.name not in OPEN}
    assert found == dict.fromkeys(found, (401,))


def test_what_is_open_to_anyone_names_the_missing_fields(operations: list[Operation]) -> None:
    found = {each.name: told(each.ask(None)) for each in operations if each.name in OPEN}
    assert found == {
        "post /api/v1/registrations": (422, "email", "organization", "password", "username"),
        "post /api/v1/tokens": (422, "name", "password", "username"),
    }


@pytest.mark.parametrize("values", NOT_THERE, ids=["a stranger's", "out of every range"])
def test_what_is_not_there_is_missing(operations: list[Operation], root: User, values: dict[str, str]) -> None:
    asked = [each for each in operations if each.types and not each.reads_body]
    found = {each.name: told(each.ask(root, values=values)) for each in asked}
    assert found == dict.fromkeys(found, (404,))


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("{", JSON, (400,)),
        ("name=x", FORM, (415,)),
        ("--x--", "multipart/form-data; boundary=x", (415,)),
        ("[]", JSON, (422, "body")),
    ],
    ids=["half a body", "a form", "a form with files", "a list"],
)
def test_what_is_no_body_is_refused_before_anything_is_looked_up(
    operations: list[Operation], root: User, body: str, kind: str, expected: tuple[Any, ...]
) -> None:
    exempt = TAKES_LISTS if body == "[]" else set()
    asked = [each for each in operations if each.reads_body and each.name not in exempt]
    found = {each.name: told(each.ask(root, body, kind)) for each in asked}
    assert found == dict.fromkeys(found, expected)


def test_a_body_over_the_limit_is_refused_everywhere(operations: list[Operation], root: User) -> None:
    assert len(FIVE_MEGABYTES) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    found = {each.name: told(each.ask(root, FIVE_MEGABYTES)) for each in operations}
    assert found == dict.fromkeys(found, (413,))
