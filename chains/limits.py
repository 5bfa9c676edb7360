"""How much the observers read, how often and how long it is kept. Each may be set in Django's settings by its name."""

from __future__ import annotations

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    "OBSERVE_EVERY_SECONDS": 2.0,  # head, blocks and transactions of a chain
    "OBSERVE_DETAILS_SECONDS": 15.0,  # its nodes and monitoring
    "OBSERVE_BUDGET_SECONDS": 4.0,  # a reading that has used this much stops between two calls and keeps what it has
    "OBSERVE_DEADLINE_SECONDS": 15.0,  # no answer within this: the chain counts as not answering
    "OBSERVE_LEASE_SECONDS": 40.0,  # nobody else reads the chain before; longer than the deadline
    "OBSERVE_MAX_BACKOFF_SECONDS": 300.0,
    "OBSERVE_THREADS": 32,  # chains read at the same time by one process
    "OBSERVE_THREADS_PER_PLATFORM": 8,  # so that one hanging platform leaves threads to the others
    "OBSERVE_BLOCKS_PER_READING": 500,  # catching up goes in portions of this many blocks
    "STALE_SECONDS": 30.0,  # a figure older than this is shown with a warning
    "KEEP_BLOCKS": 100_000,  # of each chain, with their transactions; 0 keeps all
    "KEEP_SAMPLES_HOURS": 72,
    "KEEP_MISSING_NODES_SECONDS": 600.0,  # a node that the platform does not list any more
}


def limit(name: str) -> Any:
    return getattr(settings, name, DEFAULTS[name])
