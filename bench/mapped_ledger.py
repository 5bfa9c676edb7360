"""The observer reading mapped platforms' ledgers against the bare HTTP client that reads the same and keeps nothing."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import httpx

from bench.plane import PlaneProcess

CHAINS = int(os.environ.get("BENCH_CHAINS", "20"))
BLOCKS = 200
TRANSACTIONS = 2
PAGE = 50
PATIENCE = 120.0


def measure() -> dict[str, Any]:
    """Run in a process whose environment names the data directory and the database."""
    from django.core.management import call_command

    from chains.models import Block, Transaction
    from chains.observing.observer import Observer

    call_command("migrate", verbosity=0)
    with PlaneProcess(CHAINS, BLOCKS, TRANSACTIONS) as address:
        began = time.perf_counter()
        chains, read = _bare(address)
        bare = time.perf_counter() - began
        _rows(address, chains)
        began = time.perf_counter()
        observer = Observer()
        while Block.objects.count() < read["blocks"] or Transaction.objects.count() < read["transactions"]:
            _read_each_once(observer)
        observed = time.perf_counter() - began
        again = time.perf_counter()
        _read_each_once(observer)
        idle = (time.perf_counter() - again) / CHAINS
    return {
        "chains": CHAINS,
        "blocks": read["blocks"],
        "transactions": read["transactions"],
        "bare reading, blocks/s": round(read["blocks"] / bare, 1),
        "observer into the database, blocks/s": round(read["blocks"] / observed, 1),
        "ratio": round(observed / bare, 2),
        "a chain without news, ms": round(idle * 1000, 2),
    }


def _bare(address: str) -> tuple[list[str], dict[str, int]]:
    """Every page of every ledger, one call after the other."""
    read = {"blocks": 0, "transactions": 0}
    with httpx.Client(base_url=address) as client:
        chains = [row["id"] for row in client.get("/networks/net-0/chains").json()["items"]]
        for chain in chains:
            for kind in read:
                page = 1
                while rows := client.get(f"/chains/{chain}/{kind}", params={"page": page, "size": PAGE}).json()[
                    "items"
                ]:
                    read[kind] += len(rows)
                    page += 1
    return chains, read


def _all_pages(client: httpx.Client, path: str) -> int:
    number, page = 0, 1
    while rows := client.get(path, params={"page": page, "size": PAGE}).json()["items"]:
        number, page = number + len(rows), page + 1
    return number


def _rows(address: str, chains: list[str]) -> None:
    """A platform and its chains, as registration and building would leave them."""
    from bench.rows import chains_of
    from platforms.models import Platform, PlatformVersion
    from platforms.standard import OPERATIONS
    from tests.chains import plane_files

    supported = {name: {"supported": name not in ("get_monitoring", "list_nodes"), "reason": ""} for name in OPERATIONS}
    platform = Platform.objects.create(
        oemtype="bench", name="Bench", kind="mapped", cloudtype="both", base_url=address, capabilities=supported
    )
    platform.version = PlatformVersion.objects.create(
        platform=platform, number=1, api_file=plane_files.api_file(), mapping=plane_files.mapping()
    )
    chains_of(platform, chains)


def _read_each_once(observer: Any) -> None:
    from chains.models import Blockchain

    Blockchain.objects.update(next_read_at=None)
    written, deadline = 0, time.monotonic() + PATIENCE
    while written < CHAINS:
        written += observer.tick(patience=1.5)
        if time.monotonic() > deadline or Blockchain.objects.exclude(read_error="").exists():
            errors = set(Blockchain.objects.values_list("read_error", flat=True))
            raise SystemExit(f"the observer does not get on: {errors}")


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
