"""What the tests of this floor have in common: a plane that answers, an administrator, and flows carried through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.flows import engine
from console.models import ConsoleRole, Flow, Step, User
from platforms.drivers import forget_drivers
from platforms.models import Platform
from platforms.services import platforms as service
from tests.platforms.plane import Plane, running_plane


@pytest.fixture(autouse=True)
def _fresh_drivers() -> Iterator[None]:
    """Rows of one test have the numbers of another's: no driver may outlive its test."""
    forget_drivers()
    yield
    forget_drivers()


@pytest.fixture
def plane() -> Iterator[Plane]:
    with running_plane() as made:
        yield made


@pytest.fixture
def root(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_user("root", "root@example.org", "root-Passw0rd", console_role=ConsoleRole.ADMINISTRATOR)


@pytest.fixture
def otto(db: None) -> User:
    return User.objects.create_user("otto", "otto@example.org", console_role=ConsoleRole.AUDITOR)


@pytest.fixture
def alice(db: None) -> User:
    """Somebody who is signed in, and nothing else."""
    return User.objects.create_user("alice", "alice@example.org")


def carry_through(flow: Flow) -> Flow:
    """Run the flow's steps until it ends or sleeps; waiting is cut short."""
    for _round in range(200):
        Step.objects.filter(flow=flow, due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))
        due = [pk for pk in engine.due_steps() if Step.objects.filter(pk=pk, flow=flow).exists()]
        if not due:
            break
        for step_id in due:
            engine.run_step(step_id)
    flow.refresh_from_db()
    return flow


@pytest.fixture
def registered(root: User, plane: Plane) -> Callable[..., Platform]:
    """An official platform that speaks to the plane, registered as users register."""

    def register(**changes: Any) -> Platform:
        started = service.register_platform(actor=root, **plane.registration(**changes))
        flow = carry_through(started.flow)
        assert flow.state == "done", flow.error
        started.platform.refresh_from_db()
        return started.platform

    return register
