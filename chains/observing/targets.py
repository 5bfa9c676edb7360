"""Claimed chains as targets: what is to be read, and what speaks to its platform, for many chains in few queries."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from uuid import UUID

from chains.limits import limit
from chains.observing.reading import NO_CREDENTIALS, Head, Reading, Target, Tip
from chains.services.claims import WANTED, Claim, Claimed, claimed, moment
from console.errors import ConsoleError
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, Driver, Follower, follower_of
from platforms.models import Platform
from unions.models import Organization
from unions.spaces import credentials_for


def targets_of(claim: Claim) -> tuple[list[Target], list[Reading]]:
    """What has been claimed; and where nobody can speak to the platform, the readings that have failed with that."""
    rows = claimed(claim)
    speakers = _Speakers({row.platform for row in rows}, {row.creator for row in rows})
    found = [_target(row, claim.reader, speakers) for row in rows]
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

    def __init__(self, platforms: set[int], creators: set[int]) -> None:
        self._platforms = Platform.objects.in_bulk(platforms)
        self._creators = creators
        self.bounds = {
            "max_blocks": limit("OBSERVE_BLOCKS_PER_READING"),
            "catch_up_blocks": limit("OBSERVE_CATCH_UP_BLOCKS"),
        }
        # One that hands over portions and holds no thread ends for the sake of nodes and monitoring only.
        self.budget = {True: limit("OBSERVE_DETAILS_SECONDS"), False: limit("OBSERVE_BUDGET_SECONDS")}
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


def _target(row: Claimed, reader: UUID, speakers: _Speakers) -> Target | Reading:
    try:
        speaker = speakers.of(row.platform)
    except ConsoleError as problem:
        target = Target(row.chain, reader, row.platform, row.external_id, row.network_id)
        return Reading(target, error=problem.detail, heals=False)
    asks_by_thread = speaker.follower is None or row.details_due
    return Target(
        row.chain,
        reader,
        row.platform,
        row.external_id,
        row.network_id,
        driver=speaker.driver,
        credentials=speakers.credentials(speaker.platform, row.creator) if asks_by_thread else NO_CREDENTIALS,
        abilities=speaker.abilities,
        tip=None if row.tip_height is None else Tip(row.tip_height, row.tip_hash),
        before=_before(row),
        details=bool(row.details_due),
        keep_blocks=row.keep_blocks,
        budget_seconds=speakers.budget[speaker.in_ranges],
        **speakers.bounds,
        lacking=row.lacking,
        wanted=row.lacking_as == WANTED,
        in_ranges=speaker.in_ranges,
    )


def _before(row: Claimed) -> Head | None:
    """What the last reading said, if it went well."""
    if not row.went_well or row.height is None:
        return None
    return Head(row.height, row.block_hash, row.transactions, moment(row.block_time))
