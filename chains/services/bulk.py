"""Many rows at once, by the fastest way that the database has: COPY on PostgreSQL, long INSERTs on SQLite."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, models, transaction

from console.transactions import joins_transaction

Row = Sequence[Any]
AT_ONCE = 500  # rows of one INSERT: SQLite takes 32,766 variables


@joins_transaction
def write_rows(model: type[models.Model], fields: Sequence[str], rows: Sequence[Row], *, unique: int) -> None:
    """Insert rows, or overwrite those that are there: the first `unique` fields say which. Values as they are stored.

    New rows are the rule, so COPY is tried first; it takes none when one is there already.
    """
    if rows and (connection.vendor != "postgresql" or not _copied(model, fields, rows)):
        for begin in range(0, len(rows), AT_ONCE):
            _upsert(model, fields, rows[begin : begin + AT_ONCE], unique)


def _upsert(model: type[models.Model], fields: Sequence[str], rows: Sequence[Row], unique: int) -> None:
    """In one statement: between two of them another thread may take the interpreter, and keep it for a while.

    The database's own cursor is given its own marks: Django would look for marks in all of the statement each time.
    """
    columns, mark = _columns(model, fields), "?" if connection.vendor == "sqlite" else "%s"
    changes = ", ".join(f"{each} = excluded.{each}" for each in columns[unique:])
    row = f"({', '.join([mark] * len(columns))})"
    statement = (
        f"INSERT INTO {_table(model)} ({', '.join(columns)}) VALUES {', '.join([row] * len(rows))}"  # noqa: S608
        f" ON CONFLICT ({', '.join(columns[:unique])}) DO UPDATE SET {changes}"
    )
    with connection.wrap_database_errors:
        connection.connection.execute(statement, list(itertools.chain.from_iterable(rows)))


def _copied(model: type[models.Model], fields: Sequence[str], rows: Sequence[Row]) -> bool:
    """Whether all could be copied; else none has been. Binary: no text is made of numbers and times, nor read again."""
    try:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            cursor.copy(
                f"COPY {_table(model)} ({', '.join(_columns(model, fields))}) FROM STDIN (FORMAT BINARY)"
            ) as copy,
        ):
            copy.set_types(_types(model, fields))
            for row in rows:
                copy.write_row(row)
    except IntegrityError:
        return False
    return True


@joins_transaction
def fill_rows(model: type[models.Model], fields: Sequence[str], keys: Sequence[str], rows: Sequence[Row]) -> None:
    """Write these fields of rows that are there; each value row holds the fields, then the keys."""
    if rows:
        quoted = _columns(model, (*fields, *keys))
        changes = ", ".join(f"{each} = %s" for each in quoted[: len(fields)])
        which = " AND ".join(f"{each} = %s" for each in quoted[len(fields) :])
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {_table(model)} SET {changes} WHERE {which}", rows)  # noqa: S608


@joins_transaction
def save_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Save these fields of each."""
    if rows:
        model = type(rows[0])
        saved = [field for name in fields for field in model._meta.concrete_fields if field.name == name]
        fill_rows(
            model,
            fields,
            ("id",),
            [
                (*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in saved), row.pk)
                for row in rows
            ],
        )


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _columns(model: type[models.Model], fields: Sequence[str]) -> list[str]:
    own = {field.name: str(field.column) for field in model._meta.concrete_fields}
    return [connection.ops.quote_name(own[name]) for name in fields]


def _types(model: type[models.Model], fields: Sequence[str]) -> list[str]:
    """What the columns hold, without how long it may be."""
    return [str(model._meta.get_field(name).db_type(connection)).partition("(")[0] for name in fields]


def stored_moment() -> Callable[[datetime | None], Any]:
    """Turns a time into what this database stores; neighbouring rows often have the same."""
    return functools.lru_cache(maxsize=1024)(connection.ops.adapt_datetimefield_value)
