"""The tests' databases are made from the models, which is fast; here the migrations are held against them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.utils.connection import ConnectionProxy

from console.environment import ROOT

FRESH = "console_migrated"
OURS = ("console_", "platforms_", "unions_", "chains_")


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[BaseDatabaseWrapper]:
    """A database of the same kind, made by `manage.py migrate` from nothing."""
    if connection.vendor == "postgresql":
        values = connection.settings_dict
        url = f"postgres://{values['USER']}@{values['HOST']}:{values['PORT']}/{FRESH}"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {FRESH}")
            cursor.execute(f"CREATE DATABASE {FRESH}")
    else:
        url = f"sqlite:///{tmp_path / 'fresh.sqlite3'}"
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"],
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


@pytest.mark.django_db(transaction=True)  # PostgreSQL makes no database within a transaction
def test_the_migrations_lead_to_the_models(migrated: BaseDatabaseWrapper) -> None:
    by_models, by_migrations = _described(connection), _described(migrated)
    assert by_migrations.keys() == by_models.keys() != set()
    for table, found in by_models.items():
        assert by_migrations[table] == found, table


def _described(database: BaseDatabaseWrapper | ConnectionProxy) -> dict[str, Any]:
    """Columns and constraints of each table; not their names, which keep the memory of renamed fields."""
    with database.cursor() as cursor:
        listed = database.introspection.get_table_list(cursor)
        tables = [each.name for each in listed if each.type == "t" and each.name.startswith(OURS)]
        return {
            table: {
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
