"""Claimed chains as targets: what is to be read, and what speaks to its platform, for many chains in few queries."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from chains.limits import limit
from chains.models import TransactionDetails
from chains.reading import NO_CREDENTIALS, Reading, Target, Tip
from chains.services import ledger
from console.errors import ConsoleError
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Driver, Follower, follower_of
from platforms.models import Platform
from platforms.standard import LedgerSummary
from unions.models import Organization
from unions.spaces import credentials_for

FIELDS = (
    "pk",
    "external_id",
    "business_chain__platform_id",
    "business_chain__creator_id",
    "business_chain__network_id",
    "business_chain__union__network_id",
    "height",
    "block_hash",
    "block_time",
    "transactions_total",
    "read_failures",
    "missing_since",
    "details_read_at",
    "tip_height",
    "tip_hash",
    "lacking",
    "lacking_as",
    "keep_blocks",
)


def targets_of(reader: UUID) -> tuple[list[Target], list[Reading]]:
    """What has been claimed; and where nobody can speak to the platform, the readings that have failed with that."""
    rows = list(ledger.claimed(reader).values_list(*FIELDS, named=True))
    speakers = _Speakers({row.business_chain__platform_id for row in rows}, rows)
    found = [_target(row, reader, speakers) for row in rows]
    return [each for each in found if isinstance(each, Target)], [each for each in found if isinstance(each, Reading)]


@dataclass(frozen=True)
class _Speaker:
    platform: Platform
    driver: Driver
    follower: Follower | None
    abilities: frozenset[str]
    in_ranges: bool


class _Speakers:
    """What speaks to the platforms of one round, made once for all chains of each; and the bounds of its readings."""

    def __init__(self, platforms: set[int], rows: list[Any]) -> None:
        self._platforms = Platform.objects.in_bulk(platforms)
        self._creators = {row.business_chain__creator_id for row in rows}
        self.details_due = timezone.now() - timedelta(seconds=limit("OBSERVE_DETAILS_SECONDS"))
        self.bounds = {
            "max_blocks": limit("OBSERVE_BLOCKS_PER_READING"),
            "catch_up_blocks": limit("OBSERVE_CATCH_UP_BLOCKS"),
        }
        self._made: dict[int, _Speaker | ConsoleError] = {}
        self._credentials: dict[tuple[int, int], Credentials] = {}

    def of(self, platform_id: int) -> _Speaker:
        """Raises what the driver's making raises."""
        if platform_id not in self._made:
            self._made[platform_id] = self._make(self._platforms[platform_id])
        made = self._made[platform_id]
        if isinstance(made, ConsoleError):
            raise made
        return made

    def _make(self, platform: Platform) -> _Speaker | ConsoleError:
        try:
            driver = driver_for(platform)
        except ConsoleError as problem:
            return problem
        follower = follower_of(driver)
        abilities = frozenset(name for name, about in platform.capabilities.items() if about.get("supported"))
        in_ranges = follower is not None and "get_ledger_range" in follower.operations
        return _Speaker(platform, driver, follower, abilities, in_ranges)

    def credentials(self, platform: Platform, creator_id: int) -> Credentials:
        key = platform.pk, creator_id
        if key not in self._credentials:
            creator = self._organizations[creator_id]
            self._credentials[key] = credentials_for(platform, creator=creator, member=creator)
        return self._credentials[key]

    @functools.cached_property
    def _organizations(self) -> dict[int, Organization]:
        return Organization.objects.select_related("space").in_bulk(self._creators)


def _target(row: Any, reader: UUID, speakers: _Speakers) -> Target | Reading:
    details = row.details_read_at is None or row.details_read_at <= speakers.details_due
    common: dict[str, Any] = {
        "blockchain": row.pk,
        "reader": reader,
        "platform": row.business_chain__platform_id,
        "chain_id": row.external_id,
        "network_id": row.business_chain__union__network_id or row.business_chain__network_id,
    }
    try:
        speaker = speakers.of(row.business_chain__platform_id)
    except ConsoleError as problem:
        return Reading(Target(**common), error=problem.detail, heals=False)
    asks_by_thread = speaker.follower is None or details
    return Target(
        **common,
        driver=speaker.driver,
        credentials=speakers.credentials(speaker.platform, row.business_chain__creator_id)
        if asks_by_thread
        else NO_CREDENTIALS,
        abilities=speaker.abilities,
        tip=None if row.tip_height is None else Tip(row.tip_height, row.tip_hash),
        before=_before(row),
        details=details,
        keep_blocks=row.keep_blocks,
        # One that hands over portions and holds no thread ends for the sake of nodes and monitoring only.
        budget_seconds=limit("OBSERVE_DETAILS_SECONDS" if speaker.in_ranges else "OBSERVE_BUDGET_SECONDS"),
        **speakers.bounds,
        lacking=row.lacking,
        wanted=row.lacking_as == TransactionDetails.WANTED,
        in_ranges=speaker.in_ranges,
    )


def _before(row: Any) -> LedgerSummary | None:
    """What the last reading said, if it went well."""
    if row.height is None or row.read_failures or row.missing_since:
        return None
    return LedgerSummary(
        height=row.height,
        block_hash=row.block_hash,
        block_time=row.block_time,
        transactions=row.transactions_total or 0,
    )
