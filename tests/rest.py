"""What the tests of the REST layer have in common."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from console.models import User


def client(user: User | None = None) -> APIClient:
    """A client that is signed in as `user`, or nobody's."""
    made = APIClient()
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
