"""Secrets: sealed at rest, never shown, sealed anew when keys change."""

from __future__ import annotations

import copy
import json
import pickle
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django import forms
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.forms.models import model_to_dict
from rest_framework.serializers import ModelSerializer

from console import secrets
from console.models import AuditEntry
from console.secrets import Sealed, seal, unseal
from console.services.secrets import reseal, sealed_fields
from platforms.models import Platform, PlatformKind

pytestmark = pytest.mark.django_db
TEXT = "s3cr3t-of-the-platform"


@pytest.fixture
def platform() -> Platform:
    return Platform.objects.create(
        oemtype="vault", name="Vault", kind=PlatformKind.MAPPED, base_url="http://127.0.0.1:9", credentials=TEXT
    )


def at_rest(platform: Platform) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM platforms_platform WHERE id = %s", [platform.pk])
        return cursor.fetchone()[0]


# --- a secret does not show itself ------------------------------------------------------------------------------------


def test_it_is_sealed_at_rest_and_reads_back(platform: Platform) -> None:
    assert TEXT not in at_rest(platform)
    assert unseal(at_rest(platform)) == TEXT
    assert Platform.objects.get(pk=platform.pk).credentials.reveal() == TEXT


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert seal(TEXT) != seal(TEXT)


def test_no_instance_carries_it_in_clear() -> None:
    assert TEXT not in repr(vars(Platform(credentials=TEXT)))


SHOWN = {
    "str": str,
    "repr": repr,
    "format": "{}".format,
    "in a list": lambda secret: repr([secret]),
    "json": lambda secret: json.dumps({"secret": secret}, default=str),
    "logged": lambda secret: f"{secret!r:>20}",
}


@pytest.mark.parametrize("way", SHOWN)
def test_it_prints_as_dots(way: str) -> None:
    shown = SHOWN[way](Sealed(TEXT))
    assert TEXT not in shown
    assert "•" in shown or "\\u2022" in shown


def test_it_is_dumped_nowhere(platform: Platform) -> None:
    class Everything(ModelSerializer):
        class Meta:
            model = Platform
            fields = "__all__"

    row = Platform.objects.get(pk=platform.pk)
    for dumped in (
        serializers.serialize("json", [row]),
        serializers.serialize("xml", [row]),
        repr(model_to_dict(row)),
        json.dumps(Everything(row).data, default=str),
        repr(list(Platform.objects.values())),
    ):
        assert TEXT not in dumped


def test_no_form_shows_or_takes_it(platform: Platform) -> None:
    class Form(forms.ModelForm):
        class Meta:
            model = Platform
            fields = ["name", "credentials"]

    assert list(Form(instance=platform).fields) == ["name"]


def test_it_does_not_leave_the_process() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Sealed(TEXT))
    assert copy.deepcopy({"secret": Sealed(TEXT)})["secret"].reveal() == TEXT


def test_it_cannot_be_searched(platform: Platform) -> None:
    for lookup in ("contains", "startswith", "in", "regex"):
        with pytest.raises(TypeError, match="cannot be searched"):
            list(Platform.objects.filter(**{f"credentials__{lookup}": TEXT}))
    assert not Platform.objects.filter(credentials=TEXT).exists()


def test_nothing_and_the_empty_text_stay_what_they_are(platform: Platform) -> None:
    for value in (None, ""):
        platform.credentials = value
        platform.save()
        assert at_rest(platform) == value
        assert not Platform.objects.get(pk=platform.pk).credentials


# --- keys change ------------------------------------------------------------------------------------------------------


@pytest.fixture
def keys(settings: Any, tmp_path: Path) -> list[str]:
    """One key, in a file of its own."""
    settings.KEYS_DIR = tmp_path
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]
    (tmp_path / "sealing-keys").write_text(settings.SEALING_KEYS[0])
    return settings.SEALING_KEYS


def in_file(settings: Any) -> list[str]:
    return (settings.KEYS_DIR / "sealing-keys").read_text().split()


def test_every_sealed_column_is_known() -> None:
    assert {f"{model._meta.label}.{field.name}" for model, field in sealed_fields()} >= {
        "platforms.Platform.credentials",
        "unions.ResourceSpace.ak",
        "unions.ResourceSpace.sk",
        "unions.ResourceSpace.token",
        "unions.ResourceSpace.tlscert",
    }


def test_a_new_key_seals_everything_anew(keys: list[str], platform: Platform, settings: Any) -> None:
    before, out = at_rest(platform), StringIO()
    call_command("rotate_secrets", "--new-key", stdout=out)
    assert "1 secrets were sealed anew" in out.getvalue()
    assert len(in_file(settings)) == 2
    assert in_file(settings)[1] == keys[0]
    assert at_rest(platform) != before
    assert Fernet(in_file(settings)[0]).decrypt(at_rest(platform).encode()).decode() == TEXT
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data) == ("console.secrets.rotated", {"resealed": 1, "cannot_be_opened": []})


def test_the_old_key_opens_nothing_afterwards(keys: list[str], platform: Platform, settings: Any) -> None:
    old = keys[0]
    call_command("rotate_secrets", "--new-key", "--drop-old", stdout=StringIO())
    assert in_file(settings) == settings.SEALING_KEYS
    assert old not in in_file(settings)
    assert Platform.objects.get(pk=platform.pk).credentials.reveal() == TEXT
    settings.SEALING_KEYS = [old]
    with pytest.raises(ImproperlyConfigured, match="No sealing key"):
        Platform.objects.get(pk=platform.pk)


def test_rotating_twice_changes_nothing_the_second_time(keys: list[str], platform: Platform) -> None:
    call_command("rotate_secrets", "--new-key", stdout=StringIO())
    before = at_rest(platform)
    assert reseal() == (0, [])
    assert at_rest(platform) == before


def test_what_no_key_opens_is_named_and_keeps_the_old_keys(keys: list[str], platform: Platform, settings: Any) -> None:
    lost = Platform.objects.create(
        oemtype="lost", name="Lost", kind=PlatformKind.MAPPED, base_url="http://127.0.0.1:9", credentials="x"
    )
    foreign = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE platforms_platform SET credentials = %s WHERE id = %s", [foreign, lost.pk])
    with pytest.raises(CommandError, match=rf"platforms\.Platform\.credentials of {lost.pk}"):
        call_command("rotate_secrets", "--new-key", "--drop-old", stdout=StringIO())
    assert len(in_file(settings)) == 2
    assert secrets.is_newly_sealed(at_rest(platform)), "the others are sealed anew all the same"


def test_keys_of_the_environment_are_changed_there(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALING_KEYS", Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="SEALING_KEYS"):
        call_command("rotate_secrets", "--new-key")


def test_the_key_file_is_its_owners_alone(keys: list[str], settings: Any) -> None:
    call_command("rotate_secrets", "--new-key", stdout=StringIO())
    assert (settings.KEYS_DIR / "sealing-keys").stat().st_mode & 0o077 == 0
