"""The thin command-line client, against the console served for real on a port of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.client import main
from console.models import User
from platforms.models import Platform
from tests.unions.cast import PASSWORD
from tests.unions.conftest import pem_bundle
from unions.models import Registration, RegistrationState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call the client as a shell would."""
    monkeypatch.setenv("CONCORD_URL", live_server.url)
    monkeypatch.setenv("CONCORD_PASSWORD", PASSWORD)
    monkeypatch.setenv("CONCORD_SK", "SK-of-one")
    return main


def test_a_cloud_department_registers_and_gets_a_token(run: Any, platform: Platform, capsys: Any) -> None:
    words = "register --username tax --email tax@gov.example --name Tax --category cloud --tenantid t-1 --ak AK-of-one"
    assert run(words.split()) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "pending"
    assert Registration.objects.get().tenantid == "t-1"
    assert run(["token", "--username", "tax"]) == 0
    assert json.loads(capsys.readouterr().out)["token"].startswith("concord_")


def test_an_on_prem_department_registers(run: Any, platform: Platform, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("CONCORD_SK")
    pem = tmp_path / "client.pem"
    pem.write_text(pem_bundle())
    words = "register --username social --email s@gov.example --name Social --category on_prem"
    assert run([*words.split(), "--machine", "127.0.0.11:9001", "--tlscert", str(pem)]) == 0
    assert Registration.objects.get().details["nodelist"] == [{"ip": "127.0.0.11", "port": 9001}]


def test_a_refusal_names_the_fields(run: Any, platform: Platform, capsys: Any) -> None:
    words = "register --username tax --email nobody --name Tax --category cloud --tenantid t-nowhere --ak AK-of-one"
    assert run(words.split()) == 1
    said = capsys.readouterr().err
    assert "email" in said
    assert not User.objects.exists()


def test_calls_with_a_token(run: Any, root: User, platform: Platform, capsys: Any, monkeypatch: Any) -> None:
    root.set_password(PASSWORD)
    root.save()
    words = "register --username a --email a@b.example --name A --category cloud --tenantid t-1 --ak A"
    assert run(words.split()) == 0
    capsys.readouterr()
    assert run(["token", "--username", "root"]) == 0
    monkeypatch.setenv("CONCORD_TOKEN", json.loads(capsys.readouterr().out)["token"])
    registration = Registration.objects.get()
    assert run(["post", f"registrations/{registration.pk}/approve"]) == 0
    registration = Registration.objects.get()
    assert registration.state == RegistrationState.APPROVED
    capsys.readouterr()
    assert run(["get", "organizations"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 1


def test_a_console_that_is_not_there(run: Any, capsys: Any) -> None:
    assert run(["--url", "http://127.0.0.1:9", "get", "unions"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
