"""The platform of the benchmarks, as a process of its own: ledgers over HTTP, as in the tests of the observers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.chains.ledger_plane import Plane

ROOT = Path(__file__).resolve().parents[1]


class PlaneProcess:
    """`with PlaneProcess(chains, blocks) as address`: a plane with that many chains of that many blocks."""

    def __init__(self, chains: int, blocks: int, transactions: int = 2) -> None:
        self._numbers = (chains, blocks, transactions)

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "bench.plane", *map(str, self._numbers)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def main(chains: int, blocks: int, transactions: int) -> None:
    plane = Plane()
    for number in range(chains):
        plane.ledger(f"ledger {number}").mine(blocks - 1, transactions=transactions)
    print(plane.address, flush=True)
    sys.stdin.read()
    plane.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
