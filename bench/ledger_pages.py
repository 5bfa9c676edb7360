"""Pages and REST lists of a ledger with ten million transactions, against the same with ten thousand.

Two databases on one PostgreSQL server are filled alike, so that every page is full in both, and asked in turn. What
counts is the ratio of times (the best of `BENCH_ROUNDS`, for a neighbour's load only adds), and that the number of
queries is the same. `BENCH_TRANSACTIONS` makes the large one smaller.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

BIG = int(os.environ.get("BENCH_TRANSACTIONS", "10000000"))
SMALL = min(10_000, BIG)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
AT_ONCE = 3  # of one size, then the other's turn
IN_BLOCK = 20
PARTIES = 100
DAYS = 60  # that the ledger covers, in each size
PORTION = 1_000_000
LIMIT = 1.5

BLOCKS = """
INSERT INTO chains_block (blockchain_id, height, hash, parent_hash, time, transactions_count)
SELECT %(chain)s, n, '0x' || md5('b' || n) || md5(n || 'b'), '0x' || md5('b' || n - 1) || md5(n - 1 || 'b'),
       now() - (%(blocks)s - n) * (interval '1 day' * %(days)s / %(blocks)s), %(in_block)s
FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""
TRANSACTIONS = """
INSERT INTO chains_transaction (blockchain_id, hash, height, index, time, sender, recipient, value, contract, status,
                                input, extrainfo, details)
SELECT %(chain)s, '0x' || md5('t' || n) || md5(n || 't'), n / %(in_block)s, n %% %(in_block)s,
       now() - (%(blocks)s - n / %(in_block)s) * (interval '1 day' * %(days)s / %(blocks)s),
       '0x' || substr(md5('a' || n %% %(parties)s) || md5(n %% %(parties)s || 'a'), 1, 40),
       '0x' || substr(md5('a' || n * 7 %% %(parties)s) || md5(n * 7 %% %(parties)s || 'a'), 1, 40), '1',
       CASE n %% 100 WHEN 17 THEN '0x' || substr(md5('c' || n) || md5(n || 'c'), 1, 40) ELSE '' END,
       CASE n %% 100 WHEN 13 THEN 'failed' ELSE 'committed' END, '0xa9059cbb' || md5(n::text), '',
       'read'
FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""
STATISTICS = """
INSERT INTO chains_ledgerstatistic (blockchain_id, period, start, from_height, to_height, blocks, transactions, failed,
                                    senders_due)
SELECT %(chain)s, %(period)s, date_trunc(%(period)s, time), min(height), max(height), count(*),
       sum(transactions_count), 0, true
FROM chains_block GROUP BY 3
"""


class Sized:
    """A database with so many transactions, and somebody who looks at its pages."""

    def __init__(self, name: str, transactions: int) -> None:
        from django.test import Client

        from tests.rest import client

        self.name, self.transactions = name, transactions
        self.blocks = transactions // IN_BLOCK
        self.use()
        began = time.perf_counter()
        self.uid = self._fill()
        self.filled = time.perf_counter() - began
        self.browser, self.caller = Client(), client(self.user)
        self.browser.force_login(self.user)

    def use(self) -> None:
        """From here on this database is asked."""
        _connect(self.name)

    def _fill(self) -> str:
        from django.db import connection
        from django.utils import timezone

        from chains.models import Blockchain
        from console.models import ConsoleRole, User

        self.user = User.objects.create_user("bench", password=None, console_role=ConsoleRole.ADMINISTRATOR)
        (row,) = _chain_rows()
        for statement, number in ((BLOCKS, self.blocks), (TRANSACTIONS, self.transactions)):
            self._insert(statement, row.pk, number)
        with connection.cursor() as cursor:
            for period in ("hour", "day"):
                cursor.execute(STATISTICS, {"period": period, "chain": row.pk})
            cursor.execute("VACUUM ANALYZE")
        Blockchain.objects.update(
            height=self.blocks - 1, transactions_total=self.transactions, read_at=timezone.now(), next_read_at=None
        )
        return str(row.uid)

    def _insert(self, statement: str, chain: int, number: int) -> None:
        from django.db import connection

        about = {"chain": chain, "blocks": self.blocks, "in_block": IN_BLOCK, "parties": PARTIES, "days": DAYS}
        with _without_indexes("chains_transaction" in statement), connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            for first in range(0, number, PORTION):
                last = min(first + PORTION, number) - 1
                cursor.execute(statement, {**about, "first": first, "last": last})
                if number > PORTION:
                    print(f"{self.name}: {last + 1} of {number}", file=sys.stderr, flush=True)

    def paths(self) -> dict[str, Callable[[], Any]]:
        """What is looked at, by name; the same places in each size."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT hash, sender FROM chains_transaction WHERE height = %s LIMIT 1", [self.blocks // 2])
            tx_hash, sender = cursor.fetchone()
            cursor.execute("SELECT contract FROM chains_transaction WHERE contract <> '' LIMIT 1")
            (contract,) = cursor.fetchone()
        here, middle = f"/chains/{self.uid}", self.blocks // 2
        there = f"/api/v1/blockchains/{self.uid}"
        pages = {
            "all chains": "/chains",
            "chain": here,
            "charts": f"{here}/charts",
            "statistics": f"{here}/statistics",
            "blocks": f"{here}/blocks",
            "blocks, in the middle": f"{here}/blocks?cursor=below-{middle}",
            "block": f"{here}/blocks/{middle}",
            "transactions": f"{here}/transactions",
            "transactions, in the middle": f"{here}/transactions?cursor=below-{middle}.7",
            "transactions, the end": f"{here}/transactions?cursor=end",
            "transactions of an address": f"{here}/transactions?address={sender}",
            "transactions that failed": f"{here}/transactions?status=failed",
            "transaction": f"{here}/transactions/{tx_hash}",
            "find an address": f"{here}/find?q={sender}",
            "search a hash": f"/search?q={tx_hash}",
            "search an address": f"/search?q={contract}",
            "search a height": f"/search?q={middle}",
        }
        lists = {
            "blocks": f"{there}/blocks",
            "blocks by height": f"{there}/blocks?from_height={middle}&to_height={middle + 100}",
            "transactions": f"{there}/transactions",
            "transactions, in the middle": f"{there}/transactions?cursor=below-{middle}.7",
            "transactions, page 100": f"{there}/transactions?page=100",
            "transactions of a sender": f"{there}/transactions?sender={sender}",
            "transactions of an address": f"{there}/transactions?address={sender}",
            "transactions that failed": f"{there}/transactions?status=failed",
            "transaction": f"{there}/transactions/{tx_hash}",
            "statistics": f"{there}/statistics?period=day",
            "ledger": f"{there}/ledger",
        }
        return {
            **{f"page: {name}": partial(self.browser.get, path) for name, path in pages.items()},
            **{f"REST: {name}": partial(self.caller.get, path) for name, path in lists.items()},
        }


def measure() -> dict[str, Any]:
    """Run in a process whose environment names a PostgreSQL server."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    call_command("migrate", verbosity=0)
    migrated = connection.settings_dict["NAME"]
    _connect("postgres")
    with connection.cursor() as cursor:
        for name in ("bench_small", "bench_big"):
            cursor.execute(f'CREATE DATABASE {name} TEMPLATE "{migrated}"')
    small, big = Sized("bench_small", SMALL), Sized("bench_big", BIG)
    figures: dict[str, Any] = {
        "transactions": f"{SMALL} and {BIG}",
        "filling the large database, s": round(big.filled),
    }
    worst, same = 0.0, True
    asked = [(size, size.use() or size.paths()) for size in (small, big)]  # type: ignore[func-returns-value]
    for name in asked[0][1]:
        times, queries = _compared([(size, paths[name]) for size, paths in asked])
        ratio = times[1] / times[0]
        worst, same = max(worst, ratio), same and queries[0] == queries[1]
        figures[name] = (
            f"{times[0] * 1000:.1f} → {times[1] * 1000:.1f} ms, {ratio:.2f} ×, {queries[0]} → {queries[1]} queries"
        )
    return figures | {"worst ratio": round(worst, 2), f"within {LIMIT} ×": worst <= LIMIT, "queries constant": same}


def _connect(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()


def _compared(asked: list[tuple[Sized, Callable[[], Any]]]) -> tuple[list[float], list[int]]:
    """Seconds and queries of each, measured in turn."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times: list[list[float]] = [[] for _each in asked]
    queries = [0 for _each in asked]
    for _turn in range(ROUNDS // AT_ONCE + 1):
        for number, (size, ask) in enumerate(asked):
            size.use()
            with CaptureQueriesContext(connection) as captured:
                answer = ask()
            if answer.status_code not in (200, 302):
                raise SystemExit(f"{size.name} answered {answer.status_code}: {answer.content[:500]!r}")
            queries[number] = len(captured)
            for _round in range(AT_ONCE):
                began = time.perf_counter()
                ask()
                times[number].append(time.perf_counter() - began)
    return [min(each) for each in times], queries


def _without_indexes(heavy: bool) -> Any:
    """While very many rows are written, the transactions' indexes and key are away."""
    from contextlib import contextmanager

    from django.db import connection

    from chains.models import Transaction

    @contextmanager
    def away() -> Any:
        parts = [*Transaction._meta.indexes, *Transaction._meta.constraints] if heavy else []
        with connection.schema_editor() as editor:
            for part in parts:
                removing = editor.remove_index if part in Transaction._meta.indexes else editor.remove_constraint
                removing(Transaction, part)
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
        with connection.schema_editor() as editor:
            for part in parts:
                adding = editor.add_index if part in Transaction._meta.indexes else editor.add_constraint
                adding(Transaction, part)

    return away()


def _chain_rows() -> list[Any]:
    """A chain of nobody's platform: nothing is read here."""
    from chains.models import Blockchain, BusinessChain
    from platforms.models import Platform
    from unions.models import Category, Organization, ResourceSpace, SpaceKind

    platform = Platform.objects.create(oemtype="bench", name="Bench", kind="mapped", cloudtype="both")
    creator = Organization.objects.create(orgcode="org-bench", name="Bench", category=Category.CLOUD)
    ResourceSpace.objects.create(organization=creator, kind=SpaceKind.TENANT, platform=platform, tenantid="bench")
    ordered = BusinessChain.objects.create(uid="bc-1", name="Bench", platform=platform, creator=creator)
    return [Blockchain.objects.create(uid="b-1", business_chain=ordered, external_id="chain-1", name="Bench")]


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
