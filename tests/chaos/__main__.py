"""`make chaos`: SEED=, RUNS=, DB=sqlite|postgres. Prints its seed first, a table last; fails when anything is wrong.

One seed draws the same requests, kills and faults; how the processes interleave is up to the machine.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.processes import throw_away
from tests.tools.services import Unavailable, free_port, postgres


def main() -> int:
    seed = os.environ.get("SEED") or secrets.token_hex(4)
    runs = int(os.environ.get("RUNS") or "20")
    database = os.environ.get("DB") or "sqlite"
    if database not in ("sqlite", "postgres"):
        print(f"DB is sqlite or postgres, not {database}")
        return 2
    broker = "Redis" if database == "postgres" else "the embedded broker"
    print(f"SEED={seed} RUNS={runs} DB={database} (with {broker})", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="console-chaos-"))
    try:
        with surroundings(database, folder) as redis_port:
            from tests.chaos.trial import Trial  # the settings read the environment

            return Trial(seed, folder, redis_port).run(runs)
    except Unavailable as problem:
        print(f"Not run: {problem}")
        return 3
    finally:
        if os.environ.get("KEEP"):
            print(f"kept: {folder}")
        else:
            throw_away(folder)


@contextlib.contextmanager
def surroundings(database: str, folder: Path) -> Iterator[int | None]:
    """The environment of the console's processes, ours among them."""
    plain = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tests.chaos.settings", "LOG_LEVEL": "WARNING"}
    os.environ.update({**plain, "CONSOLE_SUPERVISED": "1", "PORT": str(free_port()), "SEED": "none"})
    for name in ("DATABASE_URL", "BROKER_URL"):
        os.environ.pop(name, None)
    if database == "sqlite":
        yield None
        return
    with postgres() as address:
        redis_port = free_port()
        os.environ.update(DATABASE_URL=address, BROKER_URL=f"redis://127.0.0.1:{redis_port}/0")
        yield redis_port


if __name__ == "__main__":
    sys.exit(main())
