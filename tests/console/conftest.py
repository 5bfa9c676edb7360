"""The cast of the ground floor: Root administers, Otto audits, Alice owns what is done, Bob is a stranger to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from console.flows import advance
from console.models import User
from tests.console.flowkit import World, world

PASSWORD = "correct horse battery"


def person(name: str, role: str = "", **fields: object) -> User:
    return User.objects.create_user(name, f"{name}@example.gov", PASSWORD, console_role=role, **fields)


@pytest.fixture
def root(db: None) -> User:
    return person("root", "administrator")


@pytest.fixture
def otto(db: None) -> User:
    return person("otto", "auditor")


@pytest.fixture
def alice(db: None) -> User:
    return person("alice")


@pytest.fixture
def bob(db: None) -> User:
    return person("bob")


@pytest.fixture
def outside() -> Iterator[World]:
    """What the test's steps act upon, empty."""
    world.clear()
    yield world
    world.clear()


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Every test may knock as often as the limits allow, and may nudge."""
    cache.clear()
    advance._silent_until = 0.0
