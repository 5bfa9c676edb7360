"""A standard operation through a mapping against the bare HTTP client: the same answers of the same platform.

Both are httpx with one connection that stays open, and both take turns, call by call, so that they meet the same
weather. The platform is a process of its own and answers at once: of a real one, the mapping's share is smaller.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx

from bench.plane import PlaneProcess

CALLS = int(os.environ.get("BENCH_CALLS", "5000"))
WARM = 50
Call = Callable[[], Any]


def measure() -> dict[str, Any]:
    """Medians of all calls, and the ratio of the last tenth of them against that of the first: flat is 1."""
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
        contests: dict[str, tuple[Call, Call]] = {
            "one small answer": (
                lambda: bare.get(f"/chains/{chain}/summary").json(),
                lambda: read(driver, "get_ledger_summary", summary, nobody),
            ),
            "fifty rows": (
                lambda: bare.get(f"/chains/{chain}/blocks", params={"page": 1, "size": 50}).json(),
                lambda: read(driver, "list_blocks", blocks, nobody),
            ),
        }
        figures: dict[str, Any] = {"calls": CALLS}
        for name, (plain, mapped) in contests.items():
            figures |= {f"{name}, {what}": value for what, value in _contest(plain, mapped).items()}
        driver.close()
    return figures


def _contest(plain: Call, mapped: Call) -> dict[str, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM + CALLS):
        took = (_milliseconds(plain), _milliseconds(mapped))
        if number >= WARM:
            for each, one in zip(times, took, strict=True):
                each.append(one)
    plain_times, mapped_times = times
    tenth = max(1, CALLS // 10)
    first = statistics.median(mapped_times[:tenth]) / statistics.median(plain_times[:tenth])
    last = statistics.median(mapped_times[-tenth:]) / statistics.median(plain_times[-tenth:])
    bare, through = statistics.median(plain_times), statistics.median(mapped_times)
    return {
        "bare, ms": round(bare, 3),
        "mapped, ms": round(through, 3),
        "ratio": round(through / bare, 2),
        "ratio, last tenth to first": round(last / first, 2),
    }


def _milliseconds(call: Call) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
