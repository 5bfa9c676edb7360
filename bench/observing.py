"""One observer process following very many chains, against a bare aiohttp client that asks the same nodes for the same.

The nodes are stubs in one process, whose chains stand still: what is measured is what a poll costs that finds nothing
new, with its claim and its note in the database. Then one node in ten hangs; what does that cost the others?
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

CHAINS = int(os.environ.get("BENCH_CHAINS", "1000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
AT_ONCE = 100
BARE = str(Path(__file__).with_name("bare_poller.py"))


def measure() -> dict[str, Any]:
    """Run in a process whose environment names the data directory and the database."""
    from django.conf import settings
    from django.core.management import call_command

    from bench.peers import peers
    from bench.rows import observed_chains
    from bench.stub_nodes import StubNodes, address_of
    from chains.observing.observer import Observer

    call_command("migrate", verbosity=0)
    settings.OBSERVE_EVERY_SECONDS = 0.001  # all are always due
    settings.OBSERVE_DETAILS_SECONDS = 3600.0  # polls only
    python = str(peers() / "python")
    with StubNodes() as nodes:
        addresses = [address_of(number, nodes.port) for number in range(CHAINS)]
        rows = observed_chains([f"1337@{address}" for address in addresses])
        hanging = [row.pk for number, row in enumerate(rows) if number % 10 == 9]
        observer = Observer()
        _observe(observer, SECONDS)  # every chain has been read once
        bare, observed, alone, beside = [], [], [], []
        for _round in range(ROUNDS):
            bare.append(_bare(python, addresses))
            observed.append(_observe(observer, SECONDS))
            _run_only(observer, hanging, False)
            alone.append(_observe(observer, SECONDS))
            _run_only(observer, hanging, True)
            nodes.say("hang")
            beside.append(_observe(observer, SECONDS))
            nodes.say("answer")
            _run_only(observer, hanging, True)
    return {
        "chains": CHAINS,
        "bare client, polls/s": round(max(bare)),
        "observer, polls/s": round(max(observed)),
        "observer : bare": round(max(observed) / max(bare), 2),
        "observer, nine in ten alone, polls/s": round(max(alone)),
        "observer, these while one in ten hangs, polls/s": round(max(beside)),
        "cost of the hanging to the others": f"{(1 - max(beside) / max(alone)) * 100:.0f} %",
    }


def _bare(python: str, addresses: list[str]) -> float:
    command = [python, BARE, str(SECONDS), str(AT_ONCE), *addresses]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _observe(observer: Any, seconds: float) -> float:
    """Polls per second that went well."""
    before, began, written = _failures(), time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        written += observer.tick(patience=1.0)
    return (written - (_failures() - before)) / (time.perf_counter() - began)


def _failures() -> int:
    from django.db.models import Sum

    from chains.models import Blockchain

    return Blockchain.objects.aggregate(number=Sum("read_failures"))["number"] or 0


def _run_only(observer: Any, hanging: list[int], run: bool) -> None:
    """With those that may hang, or without; nothing of them is under way."""
    from chains.models import Blockchain, ChainState

    rows = Blockchain.objects.filter(pk__in=hanging)
    rows.update(state=ChainState.RUNNING if run else ChainState.DELETED, read_failures=0, next_read_at=None)
    observer.tick(patience=0.5)


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
