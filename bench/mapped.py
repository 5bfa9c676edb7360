"""A standard operation through a mapping against the bare HTTP client: the same answers of the same platform."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

import httpx

from bench.plane import PlaneProcess

CALLS = int(os.environ.get("BENCH_CALLS", "300"))
ROUNDS = 3


def measure() -> dict[str, Any]:
    """Best of three rounds, taken in turns, so that both meet the same weather."""
    from platforms.drivers.base import Credentials, read
    from platforms.drivers.mapped import MappedDriver
    from platforms.standard import ChainRequest, ListBlocksRequest
    from tests.chains import plane_files

    with PlaneProcess(1, 100) as address, httpx.Client(base_url=address) as bare:
        driver = MappedDriver.from_text(
            api_file=plane_files.api_file(),
            mapping=plane_files.mapping(),
            addresses={"default": address},
            allow_private=True,
        )
        chain = bare.get("/networks/net-0/chains").json()["items"][0]["id"]
        nobody = Credentials()
        summary, blocks = ChainRequest(chain_id=chain), ListBlocksRequest(chain_id=chain, page=1, page_size=50)
        contests: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "one small answer": (
                lambda: bare.get(f"/chains/{chain}/summary").json(),
                lambda: read(driver, "get_ledger_summary", summary, nobody),
            ),
            "fifty rows": (
                lambda: bare.get(f"/chains/{chain}/blocks", params={"page": 1, "size": 50}).json(),
                lambda: read(driver, "list_blocks", blocks, nobody),
            ),
        }
        figures: dict[str, Any] = {}
        for name, (plain, mapped) in contests.items():
            times = [(_milliseconds(plain), _milliseconds(mapped)) for _ in range(ROUNDS)]
            best = tuple(min(each) for each in zip(*times, strict=True))
            figures |= {
                f"{name}, bare, ms": round(best[0], 3),
                f"{name}, mapped, ms": round(best[1], 3),
                f"{name}, ratio": round(best[1] / best[0], 2),
            }
        driver.close()
    return figures


def _milliseconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1000


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
