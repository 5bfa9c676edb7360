"""Which database a test runs on in `make test`. Plain pytest asks nobody and runs everything on the one it has.

| a test that | runs on |
|---|---|
| uses no database | SQLite: the second database would see nothing of it |
| is marked `postgres` (races for row locks) | PostgreSQL |
| goes through a door: a page, a form, a REST view, the admin site, a command | PostgreSQL |
| proves at a door what bad input is answered, and that it changes nothing | both |
| carries what is proven elsewhere through a real program: anvil, moto, Slither, a client's own | SQLite |
| uses the database in any other way: services, flows, engine, brokers, observers, audit, lists, migrations | both |

A door parses, calls a service and draws what it answers (three doors, one room); what the service does with the
database is tested in its own room, on both. The doors' own tests stand on PostgreSQL because it is the stricter: it
refuses text that is too long, NUL in text, numbers out of range and wrong types, which SQLite takes. What SQLite takes,
the door must refuse there too, for the product as it comes has SQLite: so the proofs about bad input run on both. The
other doors are walked on SQLite by the tests of the whole product, and by all of these where there is no PostgreSQL.
"""

from __future__ import annotations

import re

import pytest

SQLITE, POSTGRESQL = "sqlite", "postgresql"

DOORS = re.compile(
    r"tests/(?:console|platforms|unions|chains)/test_"
    r"(?:pages\w*|api\w*|\w+_(?:api|pages|doors)|admin|client|command|gateway|probes|problems|requests|studio|tokens"
    r"|users)\.py$"
)
BAD_INPUT = re.compile(
    r"tests/(?:console/test_(?:every_call_api|problems)|unions/test_api_(?:organizations|registrations|unions)"
    r"|chains/test_api)\.py$"
)
PROGRAMS = re.compile(
    r"tests/(?:chains/test_(?:applications_flows|business_sandbox|contracts_sandbox|downloads|ledger_node"
    r"|sandbox_scenario|two_worlds)|platforms/presets/test_scenario)\.py$"
)


def databases_of(item: pytest.Item) -> set[str]:
    return choose(
        item.path.as_posix(),
        uses_database=_uses_database(item),
        needs_postgres=item.get_closest_marker("postgres") is not None,
    )


def choose(path: str, *, uses_database: bool, needs_postgres: bool) -> set[str]:
    """The databases of a test in that file; never none."""
    if needs_postgres:
        return {POSTGRESQL}
    if not uses_database:
        return {SQLITE}
    if DOORS.search(path) and not BAD_INPUT.search(path):
        return {POSTGRESQL}
    return {SQLITE} if PROGRAMS.search(path) else {SQLITE, POSTGRESQL}


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})
