"""What the tests of the REST layer have in common."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import yaml
from django.conf import settings
from rest_framework.test import APIClient

from console.models import User

API_FILE = settings.BASE_DIR / "docs" / "openapi.yaml"


@cache
def api_file() -> dict[str, Any]:
    """The committed API file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast
    return yaml.load(API_FILE.read_text(), loader)


@cache
def described(component: str) -> jsonschema.Draft202012Validator:
    """Holds values against a schema of the API file."""
    schemas = {"components": api_file()["components"], "$ref": f"#/components/schemas/{component}"}
    return jsonschema.Draft202012Validator(schemas)


class Client(APIClient):
    """Whatever is refused or started is answered as the API file says."""

    def request(self, **kwargs: Any) -> Any:
        answer = super().request(**kwargs)
        if answer.status_code == 202:
            assert answer["Location"] == f"/api/v1/flows/{answer.json()['flow']}"
        elif answer.status_code >= 400:
            assert_described(answer.json())
        return answer


def assert_described(problem: dict[str, Any]) -> None:
    """A problem's body is what the API file says, and has no field that it does not know."""
    schemas = api_file()["components"]["schemas"]
    described("Problem").validate(problem)
    assert set(problem) <= set(schemas["Problem"]["properties"])
    for each in problem.get("blockers", ()):
        assert set(each) == set(schemas["ProblemBlocker"]["properties"])


def client(user: User | None = None) -> Client:
    """A client that is signed in as `user`, or nobody's."""
    made = Client()
    if user is not None:
        made.force_authenticate(user)
    return made


def assert_problem(response: Any, status: int, *fields: str) -> None:
    """A problem answer that names exactly these fields."""
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"]
    assert problem["detail"]
    assert sorted(problem.get("errors", {})) == sorted(fields), problem
