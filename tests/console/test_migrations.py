"""New databases are made from the models, which is fast; here the migrations are held against them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.utils.connection import ConnectionProxy

from console.environment import ROOT

FRESH = "console_migrated"
APPS = ("console", "platforms", "unions", "chains")
OURS = tuple(f"{app}_" for app in APPS)


@pytest.fixture
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A database of the same kind, made by `manage.py migrate` from nothing; each parameter is one call."""
    if connection.vendor == "postgresql":
        values = connection.settings_dict
        url = f"postgres://{values['USER']}@{values['HOST']}:{values['PORT']}/{FRESH}"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {FRESH}")
            cursor.execute(f"CREATE DATABASE {FRESH}")
    else:
        url = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(tmp_path)}
    for arguments in request.param:
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    name = FRESH if connection.vendor == "postgresql" else str(tmp_path / "fresh.sqlite3")
    fresh = ConnectionHandler({"default": {**connection.settings_dict, "NAME": name}})["default"]
    yield fresh
    fresh.close()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {FRESH}")


# The first call of the second way leaves something behind, so that the next one goes from migration to migration.
WAYS = pytest.mark.parametrize(
    "migrated", [[()], [("contenttypes",), ()]], ids=["from the models", "by every migration"], indirect=True
)


@WAYS
@pytest.mark.django_db(transaction=True)  # PostgreSQL makes no database within a transaction
def test_each_way_leads_to_the_models(migrated: BaseDatabaseWrapper) -> None:
    by_models, by_migrate = _described(connection), _described(migrated)
    assert by_migrate.keys() == by_models.keys() != set()
    for table, found in by_models.items():
        assert by_migrate[table] == found, table
    if connection.vendor == "postgresql":
        assert by_migrate["chains_blockchain"]["storage"] == ["fillfactor=50"]
    notes = _notes(migrated)
    assert notes["permissions"] == PERMISSIONS
    assert {(app, name) for app, name in notes["applied"] if app in APPS} == {
        (each.parts[-3], each.stem) for app in APPS for each in (ROOT / app / "migrations").glob("0*.py")
    }


def _notes(database: BaseDatabaseWrapper) -> dict[str, set[tuple[str, str]]]:
    """What later migrations and Django's own rights build on."""
    with database.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
        cursor.execute(
            "SELECT app_label, codename FROM auth_permission JOIN django_content_type"
            " ON content_type_id = django_content_type.id"
        )
        return {"applied": applied, "permissions": set(cursor.fetchall())}


PERMISSIONS = {
    (model._meta.app_label, f"{verb}_{model._meta.model_name}")
    for model in apps.get_models()
    for verb in model._meta.default_permissions
}


def _described(database: BaseDatabaseWrapper | ConnectionProxy) -> dict[str, Any]:
    """Columns and constraints of each table; not their names, which keep the memory of renamed fields."""
    with database.cursor() as cursor:
        listed = database.introspection.get_table_list(cursor)
        tables = [each.name for each in listed if each.type == "t" and each.name.startswith(OURS)]
        storage = _storage(database)
        return {
            table: {
                "storage": storage.get(table),
                "columns": {
                    each.name: (each.type_code, each.display_size, each.null_ok)
                    for each in database.introspection.get_table_description(cursor, table)
                },
                "constraints": sorted(
                    repr({name: value for name, value in sorted(each.items()) if name not in ("definition", "options")})
                    for each in database.introspection.get_constraints(cursor, table).values()
                ),
            }
            for table in tables
        }


def _storage(database: BaseDatabaseWrapper | ConnectionProxy) -> dict[str, list[str]]:
    """How PostgreSQL keeps the rows of a table, where it was told so."""
    if database.vendor != "postgresql":
        return {}
    with database.cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r'")
        return dict(cursor.fetchall())
