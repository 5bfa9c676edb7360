"""Every error in the form of whoever asked: problem details under `/api/`, a page elsewhere; never what is inside."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from console.errors import ConsoleError
from console.models import User
from tests.console.doors import FAILURES, SECRET
from tests.rest import assert_described, assert_problem, client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.doors")]

STATUS = {
    "unexpected": (500, "internal"),
    "console": (500, "internal"),
    "bad-request": (400, "bad_request"),
    "not-allowed": (403, "not_allowed"),
    "missing": (404, "not_found"),
    "conflict": (409, "conflict"),
    "blocked": (409, "blocked"),
    "not-supported": (409, "not_supported"),
    "too-large": (413, "too_large"),
    "invalid": (422, "invalid"),
    "too-many": (429, "too_many"),
    "busy": (503, "busy"),
    "platform-refused": (502, "quota"),
    "platform-unavailable": (503, "platform_unavailable"),
    "outcome-unknown": (503, "outcome_unknown"),
    "bad-credentials": (401, "bad_credentials"),
    "unauthenticated": (401, "not_authenticated"),
    "drf-validation": (422, "invalid"),
    "drf-validation-text": (422, "invalid"),
    "drf-permission": (403, "not_allowed"),
    "drf-not-found": (404, "not_found"),
    "drf-parse": (400, "invalid_json"),
    "drf-media": (415, "unsupported_media_type"),
    "drf-method": (405, "method_not_allowed"),
    "drf-acceptable": (406, "not_acceptable"),
    "drf-throttled": (429, "too_many"),
    "drf-unauthenticated": (401, "not_authenticated"),
    "django-permission": (403, "not_allowed"),
    "django-404": (404, "not_found"),
    "django-too-big": (413, "too_large"),
    "django-suspicious": (400, "bad_request"),
    "django-unreadable": (400, "bad_request"),
    "database-value": (422, "invalid"),
    "database-away": (503, "busy"),
    "sqlite-number": (422, "invalid"),
}
FIELDS = {
    "invalid": {"organization.nodelist.0.port": ["No port."]},
    "drf-validation": {"orgs.1.name": ["Missing."], "body": ["No."]},
    "drf-validation-text": {"body": ["No."]},
}
PAGES = ("unexpected", "console", "not-allowed", "missing", "conflict", "not-supported", "invalid", "platform-refused",
         "platform-unavailable", "django-permission", "django-404", "django-suspicious", "django-too-big")  # fmt: skip


def test_what_stands_in_the_way_is_a_list_with_links() -> None:
    problem = Client(raise_request_exception=False).get("/api/v1/tests/fails/blocked").json()
    assert problem["blockers"] == [{"code": "union", "detail": "Quit it first.", "link": "/unions/u-1"}]
    page = Client(raise_request_exception=False).get("/tests/fails/blocked").content.decode()
    assert 'href="/unions/u-1"' in page


def subclasses(of: type) -> set[type]:
    return {of}.union(*(subclasses(each) for each in of.__subclasses__()))


def test_every_class_of_our_errors_is_tried_below() -> None:
    ours = {
        each for each in subclasses(ConsoleError) if each.__module__ in ("console.errors", "console.services.tokens")
    }
    assert ours <= {type(each) for each in FAILURES.values()}
    assert set(STATUS) == set(FAILURES)


@pytest.mark.parametrize("name", STATUS)
def test_a_rest_view_that_fails(name: str) -> None:
    answer = Client(raise_request_exception=False).get(f"/api/v1/tests/fails/{name}")
    status, code = STATUS[name]
    assert_problem(answer, status, *FIELDS.get(name, ()))
    problem = answer.json()
    assert_described(problem)
    assert ("blockers" in problem) == (name == "blocked")
    assert set(problem) - {"errors", "blockers"} == {"type", "title", "status", "detail", "code"}
    assert (problem["code"], problem.get("errors", {})) == (code, FIELDS.get(name, {}))
    assert problem["title"] != "Something went wrong" or status == 500
    assert SECRET not in answer.content.decode()
    assert ("Retry-After" in answer) == (name == "drf-throttled")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_fails(name: str) -> None:
    answer = Client(raise_request_exception=False).get(f"/tests/fails/{name}")
    assert answer.status_code == STATUS[name][0]
    assert answer["Content-Type"].startswith("text/html")
    text = answer.content.decode()
    assert SECRET not in text
    if answer.status_code != 500:  # whose page has words of its own
        assert str(getattr(FAILURES[name], "detail", "")) in text


@pytest.mark.parametrize(
    "path", ["/api/", "/api/nothing", "/api/v1/nothing", "/api/v1/flows/not-an-id", "/api/v1/flows/"]
)
@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_addresses_that_are_none(path: str, verb: str, root: User) -> None:
    for caller in (client(), client(root)):
        assert_problem(getattr(caller, verb)(path), 404)


def test_a_page_that_is_none(root: User) -> None:
    answer = Client().get("/nothing")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (404, "text/html")


def test_an_unknown_host_hears_no_more_than_that(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["console.example.gov"]
    assert_problem(Client().get("/api/v1/me", SERVER_NAME="evil.example"), 400)
    assert Client().get("/", SERVER_NAME="evil.example").status_code == 400


# --- requests that no view can use ------------------------------------------------------------------------------------

TOKENS = "/api/v1/tokens"
JSON = "application/json"


def post(body: bytes | str, content_type: str = JSON, path: str = TOKENS, **headers: str) -> Any:
    return Client().generic("POST", path, body, content_type=content_type, **headers)


@pytest.mark.parametrize(
    "body", ["{", "", "nonsense", "{'a': 1}", '{"a": NaN}', b"\xff\xfe{}", b'{"username": "\xff"}']
)
def test_bodies_that_are_no_json(body: bytes | str) -> None:
    answer = post(body)
    assert_problem(answer, 400) if body else assert_problem(answer, 422, "name", "password", "username")


@pytest.mark.parametrize("body", ["[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 5_000 + "1" + "}" * 5_000])
def test_bottomless_nesting(body: str) -> None:
    assert_problem(post(body), 400)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"text"', "true"])
def test_bodies_that_are_no_objects(body: str) -> None:
    assert_problem(post(body), 422, "body")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "nonsense",
    ],
)
def test_wrong_content_types(content_type: str) -> None:
    assert_problem(post("a=b", content_type), 415)


@pytest.mark.parametrize(
    ("value", "field"),
    [('"a\\u0000b"', "name"), ('"\\ud800"', "name"), ('{"deep": ["\\u0000"]}', "name.deep.0"), ("1e999", "name")],
)
def test_values_that_no_database_keeps_name_their_field(value: str, field: str) -> None:
    body = f'{{"username": "alice", "password": "x", "name": {value}}}'
    assert_problem(post(body), 422, field)


def test_names_of_fields_that_no_database_keeps() -> None:
    assert_problem(post('{"a\\u0000": 1}'), 422, "body")


@pytest.mark.parametrize("path", ["/api/v1/flows", "/login", "/nothing", "/api/nothing"])
def test_nul_bytes_in_the_address(path: str, root: User) -> None:
    for address in (f"{path}%00", f"{path}?q=a%00b", f"{path}?%00"):
        answer = Client().get(address)
        assert answer.status_code == 400
        assert answer["Content-Type"].startswith("application/problem+json" if path.startswith("/api") else "text/html")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/flows?kind=%ff%fe",
        "/api/v1/audit?q=%c3%28",
        "/api/v1/unions/%ff%fe",
        "/search?q=%ff",
        "/flows?q=%ed%a0%80",
    ],
)
def test_broken_utf8_in_the_address(path: str, root: User) -> None:
    signed_in = Client()
    signed_in.force_login(root)
    assert signed_in.get(path).status_code in (200, 404)


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("page=0", 422, "page"),
        ("page=-1", 422, "page"),
        ("page=x", 422, "page"),
        ("page=2", 404, "page"),
        ("page=99999999999999999999999", 404, "page"),
        ("page_size=x", 422, "page_size"),
        ("page_size=0", 422, "page_size"),
        ("ordering=nope", 422, "ordering"),
        ("ordering=-created_at,nope", 422, "ordering"),
        ("stat=running", 422, "stat"),
        ("state=nope", 422, "state"),
    ],
)
def test_queries_that_mean_nothing(query: str, status: int, field: str, root: User) -> None:
    answer = client(root).get(f"/api/v1/flows?{query}")
    assert_problem(answer, status, field)


@pytest.mark.parametrize("query", ["page=last", "page_size=99999999999999999999", "ordering=-created_at,state", ""])
def test_queries_that_mean_something(query: str, root: User) -> None:
    assert client(root).get(f"/api/v1/flows?{query}").status_code == 200


def test_what_was_nearly_right_is_named(root: User) -> None:
    answer = client(root).get("/api/v1/flows?stat=running")
    assert answer.json()["errors"] == {"stat": ["There is no such parameter. Did you mean “state”?"]}


@pytest.mark.parametrize("number", ["0", "99999999999999999999999999"])
def test_numbers_that_are_no_ids(number: str, root: User) -> None:
    assert_problem(client(root).delete(f"/api/v1/tokens/{number}"), 404)
    assert_problem(client(root).post(f"/api/v1/notifications/{number}/read"), 404)


# --- sizes ------------------------------------------------------------------------------------------------------------

FIVE_MEGABYTES = b'{"username": "' + b"x" * 5_000_000 + b'"}'


def send_undeclared(path: str, body: bytes) -> tuple[Any, BytesIO]:
    """A body that comes without having said how long it is."""
    stream = BytesIO(body)
    environ = {"wsgi.input": stream, "CONTENT_TYPE": JSON, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    return Client().request(PATH_INFO=path, REQUEST_METHOD="POST", **environ), stream


def test_a_declared_body_of_five_megabytes(root: User) -> None:
    assert_problem(post(FIVE_MEGABYTES), 413)
    answer = post(FIVE_MEGABYTES, path="/login")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (413, "text/html")


def test_an_undeclared_body_of_five_megabytes() -> None:
    answer, stream = send_undeclared(TOKENS, FIVE_MEGABYTES)
    assert_problem(answer, 413)
    assert stream.read() == b"", "a client that is still sending would miss the answer"
    assert send_undeclared("/login", FIVE_MEGABYTES)[0].status_code == 413


def test_an_undeclared_body_that_is_not_too_large_is_read(alice: User) -> None:
    body = json.dumps({"username": "alice", "password": "correct horse battery", "name": "x"}).encode()
    assert send_undeclared(TOKENS, body)[0].status_code == 201


def test_a_body_that_is_just_not_too_large() -> None:
    body = b'{"username": "' + b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE - 16) + b'"}'
    assert len(body) == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert_problem(post(body), 422, "username", "password", "name")
    assert_problem(post(body + b" "), 413)


def test_a_length_that_is_a_lie() -> None:
    answer = Client().generic("POST", TOKENS, b"{}", content_type=JSON, CONTENT_LENGTH="not a number")
    assert answer.status_code in (400, 422)


def test_the_icon_that_browsers_ask_for_by_themselves() -> None:
    answer = Client().get("/favicon.ico", follow=False)
    assert answer.status_code == 302
    assert answer["Location"].endswith(".svg")
