"""Reading a real node's ledger into the database, against `ethereum-etl` and a raw reader that keeps nothing.

The node is an anvil with blocks of four transactions, every second one with a log. Blocks, transactions, receipts and
logs are read: by the observer, in full and catching up; by `ethereum-etl` into files; by the raw reader into nothing.
All read the same node in the same run, in turn, `BENCH_ROUNDS` times; each one's best counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BLOCKS = int(os.environ.get("BENCH_BLOCKS", "5000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TRANSACTIONS = 4
PATIENCE = 300.0
RAW = str(Path(__file__).with_name("raw_reader.py"))


def measure() -> dict[str, Any]:
    """Run in a process whose environment names the data directory and the database."""
    from django.core.management import call_command

    from bench.peers import peers
    from bench.rows import observed_chains
    from tests.chains.anvil import anvil_chain

    call_command("migrate", verbosity=0)
    programs = peers()
    with anvil_chain() as node:
        node.mine(BLOCKS - node.height - 1, transactions=TRANSACTIONS)
        (row,) = observed_chains([node.chain_id])
        address, last = f"http://127.0.0.1:{node.port}", node.height
        contest: dict[str, Callable[[], float]] = {
            "ethereum-etl": lambda: _by_etl(programs, address, last),
            "raw": lambda: _by_raw_reader(programs, address, last, "full"),
            "observer": lambda: _by_observer(row, last, catch_up=last + 1),
            "raw catching up": lambda: _by_raw_reader(programs, address, last, "light"),
            "observer catching up": lambda: _by_observer(row, last, catch_up=0),
        }
        times: dict[str, list[float]] = {name: [] for name in contest}
        for _round in range(ROUNDS):
            for name, read in contest.items():
                times[name].append(read())
        transactions = _stored(row)[1]
    best = {name: (last + 1) / min(each) for name, each in times.items()}
    return {
        "blocks": last + 1,
        "transactions": transactions,
        **{f"{name}, blocks/s": round(each, 1) for name, each in best.items()},
        "observer : ethereum-etl": round(best["observer"] / best["ethereum-etl"], 2),
        "observer : raw": round(best["observer"] / best["raw"], 2),
        "observer catching up : ethereum-etl": round(best["observer catching up"] / best["ethereum-etl"], 2),
        "observer catching up : raw": round(best["observer catching up"] / best["raw catching up"], 2),
    }


def _by_etl(programs: Path, address: str, last: int) -> float:
    """Blocks and transactions, then the receipts and logs of these, as its documentation goes about it."""
    etl, node = str(programs / "ethereumetl"), f"--provider-uri {address} --batch-size 100 --max-workers 4"
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for command in (
            f"export_blocks_and_transactions --start-block 0 --end-block {last} {node}"
            " --blocks-output blocks.csv --transactions-output transactions.csv",
            "extract_csv_column --input transactions.csv --column hash --output hashes.txt",
            f"export_receipts_and_logs --transaction-hashes hashes.txt {node}"
            " --receipts-output receipts.csv --logs-output logs.csv",
        ):
            _run([etl, *command.split()], folder)
        return time.perf_counter() - began


def _by_raw_reader(programs: Path, address: str, last: int, mode: str) -> float:
    return float(_run([str(programs / "python"), RAW, address, str(last), mode]).split()[0])


def _run(command: list[str], folder: str | None = None) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def _by_observer(row: Any, last: int, *, catch_up: int) -> float:
    from django.conf import settings

    from chains.models import Block, Blockchain, Transaction
    from chains.observing.observer import Observer
    from platforms.drivers import forget_drivers

    settings.OBSERVE_CATCH_UP_BLOCKS = catch_up
    for model in (Transaction, Block):
        model.objects.all().delete()
    _tidy()
    forget_drivers()  # nothing is known of the chain any more
    Blockchain.objects.update(next_read_at=None, read_error="")
    observer, deadline = Observer(), time.monotonic() + PATIENCE
    began = time.perf_counter()
    while not Block.objects.filter(blockchain=row, height=last).exists():
        observer.tick(patience=1.0)
        if time.monotonic() > deadline or Blockchain.objects.exclude(read_error="").exists():
            raise SystemExit(f"the observer does not get on: {Blockchain.objects.values_list('read_error', flat=True)}")
    took = time.perf_counter() - began
    blocks, transactions, logs = _stored(row)
    if (blocks, transactions, logs) != (
        last + 1,
        last * TRANSACTIONS - TRANSACTIONS + 1,
        (last - 1) * TRANSACTIONS // 2,
    ):
        raise SystemExit(f"not everything was read: {blocks} blocks, {transactions} transactions, {logs} logs")
    return took


def _stored(row: Any) -> tuple[int, int, int]:
    from chains.models import Block, Transaction

    transactions = Transaction.objects.filter(blockchain=row)
    logs = transactions.filter(extrainfo__contains='"topics"')
    return Block.objects.filter(blockchain=row).count(), transactions.count(), logs.count()


def _tidy() -> None:
    """What the database does by itself in its own time, and not in the middle of the measuring."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE chains_block, chains_transaction")


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
