"""Two commands and then HTTP: the government scenario on the embedded default, and on PostgreSQL with Redis."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.stack import story
from tests.stack.product import Product, running, stops_everything
from tests.tools import services


def test_on_the_embedded_default(product: Product) -> None:
    story.play(product)


def test_on_postgresql_and_redis(tmp_path: Path) -> None:
    try:
        with services.postgres() as database, services.redis() as broker:
            environment = {"DATABASE_URL": database, "BROKER_URL": broker}
            with running(tmp_path / "data", environment=environment) as product:
                story.play(product)
                assert not list((tmp_path / "data").glob("*.sqlite3"))
                stops_everything(product, signal.SIGINT)
    except services.Unavailable as problem:
        pytest.skip(str(problem))
