"""Counting votes: a pure function."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from unions.models import Rule


class Outcome(Enum):
    """What the votes so far have settled."""

    OPEN = "open"
    CARRIED = "carried"
    REFUSED = "refused"


def needed(size: int, rule: str = Rule.EVERYONE, threshold: int | None = None) -> int:
    """How many of `size` must agree; `threshold` is a share in percent, 1 to 100, rounded up to whole votes."""
    if rule == Rule.MAJORITY:
        return size // 2 + 1
    if rule == Rule.THRESHOLD and threshold is not None:
        return -(-size * threshold // 100)
    return size


def tally(
    electorate: Collection[str],
    votes: Mapping[str, bool],
    rule: str = Rule.EVERYONE,
    threshold: int | None = None,
) -> Outcome:
    """What `votes` (orgcode to yes or no) settle for `electorate` (orgcodes); votes of strangers do not count.

    An outcome is final as soon as the votes still missing cannot change it. An empty electorate agrees.
    """
    counted = [agree for orgcode, agree in votes.items() if orgcode in electorate]
    size, agreed = len(electorate), sum(counted)
    refused = len(counted) - agreed
    wanted = needed(size, rule, threshold)
    if not size or agreed >= wanted:
        return Outcome.CARRIED
    if size - refused < wanted:
        return Outcome.REFUSED
    return Outcome.OPEN
