"""The support site names models and fields in the reader's language, and migrations do not see it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import translation

OURS = [
    model for name in ("console", "platforms", "unions", "chains") for model in apps.get_app_config(name).get_models()
]
THE_SAME = {"ID"}


def names_of(model: type) -> list[str]:
    meta = model._meta  # type: ignore[attr-defined]
    fields = [field.verbose_name for field in [*meta.local_fields, *meta.local_many_to_many]]
    return [str(name) for name in (meta.verbose_name, meta.verbose_name_plural, *fields)]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_name_is_translated(model: type) -> None:
    with translation.override("en"):
        english = names_of(model)
    with translation.override("zh-hans"):
        chinese = names_of(model)
    assert [name for name, same in zip(english, chinese, strict=True) if name == same and name not in THE_SAME] == []


@pytest.mark.django_db
def test_names_make_no_migration() -> None:
    said = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=said)
    assert "No changes detected" in said.getvalue()
