"""`manage.py register_platform`: a registration brought up to date with a file, and its end waited for."""

from __future__ import annotations

import json
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from console.flows import engine
from console.models import AuditEntry, Flow, Step, User
from platforms.models import Platform, PlatformVersion
from tests.platforms.plane import Plane, running_plane


@pytest.fixture
def worker(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the command sleeps, there is a worker at work; here it takes turns with it."""

    def sleep(seconds: float) -> None:
        Step.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        for step_id in engine.due_steps():
            engine.run_step(step_id)

    monkeypatch.setattr(time, "sleep", sleep)


def written(folder: Path, plane: Plane, **changes: Any) -> str:
    path = folder / "registration.json"
    path.write_text(json.dumps(plane.registration(**changes)))
    return str(path)


def run(file: str, **options: Any) -> str:
    out = StringIO()
    call_command("register_platform", file=file, stdout=out, **{"wait": 20.0, **options})
    return out.getvalue()


def test_it_registers_and_waits(worker: None, plane: Plane, tmp_path: Path) -> None:
    assert run(written(tmp_path, plane), wait=True) == "registering testbed\ntestbed: official\n"
    platform = Platform.objects.get()
    assert (platform.state, platform.registered_by.username) == ("official", "root")


def test_again_changes_nothing(worker: None, plane: Plane, tmp_path: Path) -> None:
    file = written(tmp_path, plane)
    run(file)
    before, entries = Platform.objects.get(), AuditEntry.objects.count()
    assert run(file) == "testbed: official\n"
    assert Platform.objects.get().revision == before.revision
    assert (Flow.objects.count(), AuditEntry.objects.count()) == (1, entries)


def test_what_differs_is_changed(worker: None, plane: Plane, tmp_path: Path) -> None:
    run(written(tmp_path, plane))
    with running_plane() as other:
        other.tokens = {"new-token": "operator"}
        file = written(tmp_path, other, credentials={"token": "new-token"})
        assert run(file) == "changed testbed\ntestbed: official\n"
        platform = Platform.objects.get()
        assert platform.base_url == other.address
    assert PlatformVersion.objects.count() == 1


def test_a_refusal_is_a_failure_with_the_reason(worker: None, plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"refused: .* does not accept the credential"):
        run(written(tmp_path, plane, credentials={"token": "wrong-token"}))
    assert run(written(tmp_path, plane)).endswith("testbed: official\n"), "once mended, it goes in"


def test_bad_input_is_a_failure_that_names_fields(root: User, plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="base_url: An address") as problem:
        run(written(tmp_path, plane, base_url="nowhere", name=""))
    assert "name: A name" in str(problem.value)
    assert not Platform.objects.exists()


def test_without_waiting_it_ends_at_once(root: User, plane: Plane, tmp_path: Path) -> None:
    file = written(tmp_path, plane)
    assert run(file, wait=None) == "registering testbed\ntestbed: staged\n"
    assert run(file, wait=None) == "testbed: staged\n", "one registration is enough"
    assert Flow.objects.count() == 1
    with pytest.raises(CommandError, match="still staged after 0 s"):
        run(file, wait=0.3)


def test_files_and_people_that_are_not_there(root: User, plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(str(tmp_path / "nothing.json"))
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(CommandError, match="an object is expected"):
        run(str(tmp_path / "list.json"))
    with pytest.raises(CommandError, match="no such administrator"):
        run(written(tmp_path, plane), actor="nobody")
    User.objects.all().delete()
    with pytest.raises(CommandError, match="no administrator yet"):
        run(written(tmp_path, plane))
