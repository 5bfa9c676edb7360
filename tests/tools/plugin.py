"""Loaded by pytest before Django's settings: tests have a data directory of their own, and a report for `make test`."""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.tools import databases, places

REPORT = "TEST_REPORT"  # where `tests.tools.run` wants the figures of this run
OUTSIDE = ("DATABASE_URL", "BROKER_URL", "DATA_DIR", "PORT", "PUBLIC_URL", "SEED", "EMAIL_URL")

_data_dir = Path(tempfile.mkdtemp(prefix="console-tests-"))
if os.environ.get(REPORT) is None:
    # A developer's own shell may name a console that is in use; tests never touch it, unless they are told so
    # by TEST_DATABASE_URL and TEST_BROKER_URL.
    for name in OUTSIDE:
        os.environ.pop(name, None)
for name in ("DATABASE_URL", "BROKER_URL"):
    if os.environ.get(f"TEST_{name}"):
        os.environ[name] = os.environ[f"TEST_{name}"]
os.environ["DATA_DIR"] = str(_data_dir)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--share",
        choices=(databases.SQLITE, databases.POSTGRESQL),
        help="run only what `make test` runs on this database (tests/tools/databases.py)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs on the other database."""
    share = config.getoption("--share")
    if not share:
        return
    left_out = [item for item in items if share not in databases.databases_of(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if share in databases.databases_of(item)]


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all is loaded: what is made now stays
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    # Every test client is a server that starts: static files are looked for when one is asked for, not all at once.
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_finish() -> None:
    """Hundreds of thousands of objects that live to the end: the collector need not walk them during the tests."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`: who shares a console or a browser is run by one process (`tests/tools/places.py`)."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return places.shared_by(nodeid) or nodeid

    return Sharing(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_data_dir, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """What happened, for `make test` to add up."""
    path = os.environ.get(REPORT)
    if not path:
        return
    stats = terminalreporter.stats
    figures = {
        "passed": len(stats.get("passed", [])) + len(stats.get("xfailed", [])),
        "failed": [report.nodeid for kind in ("failed", "error") for report in stats.get(kind, [])],
        "skipped": [[report.nodeid, _reason(report)] for report in stats.get("skipped", [])],
    }
    Path(path).write_text(json.dumps(figures))


def _reason(report: Any) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")
