"""Nothing falls through between the two databases: every test runs on at least one of them."""

from __future__ import annotations

import itertools

import pytest

from console.environment import ROOT
from tests.tools import databases
from tests.tools.databases import POSTGRESQL, SQLITE, choose

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/test_*.py"))


def test_every_file_runs_somewhere() -> None:
    for path, uses_database, needs_postgres in itertools.product(FILES, [False, True], [False, True]):
        chosen = choose(str(ROOT / path), uses_database=uses_database, needs_postgres=needs_postgres)
        assert chosen
        assert chosen <= {SQLITE, POSTGRESQL}
        assert not needs_postgres or chosen == {POSTGRESQL}


@pytest.mark.parametrize(
    ("path", "on"),
    [
        ("tests/unions/test_pages.py", {POSTGRESQL}),
        ("tests/chains/test_api_orders.py", {POSTGRESQL}),
        ("tests/unions/test_api_unions.py", {SQLITE, POSTGRESQL}),
        ("tests/console/test_problems.py", {SQLITE, POSTGRESQL}),
        ("tests/chains/test_api.py", {SQLITE, POSTGRESQL}),
        ("tests/chains/test_two_worlds.py", {SQLITE}),
        ("tests/unions/test_moves.py", {SQLITE, POSTGRESQL}),
        ("tests/console/test_audit.py", {SQLITE, POSTGRESQL}),
        ("tests/chains/test_observe.py", {SQLITE, POSTGRESQL}),
    ],
)
def test_doors_and_programs_once_and_the_rest_on_both(path: str, on: set[str]) -> None:
    assert path in FILES
    assert choose(path, uses_database=True, needs_postgres=False) == on
    assert choose(path, uses_database=False, needs_postgres=False) == {SQLITE}


def test_no_file_is_of_two_kinds() -> None:
    assert not [path for path in FILES if databases.DOORS.search(path) and databases.PROGRAMS.search(path)]


def test_the_proofs_about_bad_input_are_six_doors() -> None:
    proofs = [path for path in FILES if databases.BAD_INPUT.search(path)]
    assert len(proofs) == 6
    assert all(databases.DOORS.search(path) for path in proofs)


def test_this_session_runs_nothing_that_belongs_to_the_other_database(request: pytest.FixtureRequest) -> None:
    share = request.config.getoption("--share")
    if share:
        assert all(share in databases.databases_of(item) for item in request.session.items)
    assert all(databases.databases_of(item) for item in request.session.items)
