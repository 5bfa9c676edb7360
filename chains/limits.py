"""How much the observers read, how often, and how long it is kept. Each is an environment variable of its own name."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Limits(BaseSettings):
    """Read once from the environment; Django's settings of the same name, in capitals, go before."""

    model_config = SettingsConfigDict(env_file=None, env_ignore_empty=True, extra="ignore")

    observe_every_seconds: float = Field(default=2.0, gt=0)  # head, blocks and transactions of a chain
    observe_details_seconds: float = Field(default=15.0, gt=0)  # its nodes and monitoring
    # A reading that has used this much stops between two calls and keeps what it has.
    observe_budget_seconds: float = Field(default=4.0, gt=0)
    observe_deadline_seconds: float = Field(default=15.0, gt=0)  # no answer within this: it counts as not answering
    # Nobody else reads the chain before this; longer than the deadline.
    observe_lease_seconds: float = Field(default=40.0, gt=0)
    observe_max_backoff_seconds: float = Field(default=300.0, gt=0)
    observe_threads: int = Field(default=32, ge=1)  # chains read at the same time by one process
    observe_threads_per_platform: int = Field(default=8, ge=1)  # a hanging platform leaves threads to the others
    observe_at_once: int = Field(default=500, ge=1)  # likewise, where the driver needs no threads; half for a platform
    observe_blocks_per_reading: int = Field(default=500, ge=1)  # catching up goes in portions of this many blocks
    # Deeper below the head, blocks are first read without what only whole transactions tell, where a driver can.
    observe_catch_up_blocks: int = Field(default=200, ge=0)
    stale_seconds: float = Field(default=30.0, gt=0)  # a figure older than this is shown with a warning
    keep_blocks: int = Field(default=100_000, ge=0)  # of each chain, with their transactions; 0 keeps all
    keep_reorganisations_days: int = Field(default=90, ge=1)
    keep_samples_hours: int = Field(default=72, ge=1)
    keep_missing_nodes_seconds: float = Field(default=604_800.0, ge=0)  # a node no longer listed

    gateway_call_seconds: float = Field(default=8.0, gt=0)  # one whole answer; after that no other node is asked
    gateway_max_request_kb: int = Field(default=1024, ge=1)
    gateway_max_answer_kb: int = Field(default=4096, ge=1)
    gateway_max_batch: int = Field(default=50, ge=1)  # calls in one request
    compile_seconds: float = Field(default=30.0, gt=0)  # one compilation of a contract
    compile_memory_mb: int = Field(default=1024, ge=256)

    gateway_at_once: int = Field(default=2, ge=1)  # requests of one process: its other threads stay for everybody else


FROM_ENVIRONMENT = Limits()


def limit(name: str) -> Any:
    """The limit by its name in capitals, such as `OBSERVE_THREADS`."""
    return getattr(settings, name, getattr(FROM_ENVIRONMENT, name.lower()))
