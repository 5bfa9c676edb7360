"""After a test that commits, the database is emptied where something was written, instead of flushed whole.

Django's own way empties every table and then makes permissions and content types anew: on either database that costs
more than most of the tests that need it. What stands in the database before the first test stays where it is.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

_standing: dict[str, dict[str, int]] = {}  # alias -> table -> rows that were there before the first test
_flush_whole = TransactionTestCase._fixture_teardown


def remember(alias: str = "default") -> None:
    """Note what the set-up of the database left in it; from now on only that stays."""
    connection = connections[alias]
    _standing[alias] = _count(connection, _written(connection))


def empty(alias: str = "default") -> bool:
    """Delete what tests have written; False if a row that stood there before is gone, or there is one more."""
    connection = connections[alias]
    written = _written(connection)
    standing = _standing[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:  # references are looked at in the end
        for table in written:
            if table not in standing:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
    return _count(connection, list(standing)) == standing


def install() -> None:
    TransactionTestCase._fixture_teardown = _end  # type: ignore[method-assign]


def _end(test: Any) -> None:
    if not empty():
        _flush_whole(test)


def _written(connection: BaseDatabaseWrapper) -> list[str]:
    """The tables that have rows, by one query."""
    tables = connection.introspection.django_table_names(only_existing=False, include_views=False)
    name = connection.ops.quote_name
    questions = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {name(table)})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(questions))
        return [str(table) for (table,) in cursor.fetchall()]


def _count(connection: BaseDatabaseWrapper, tables: list[str]) -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = int(cursor.fetchone()[0])
    return counts
