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


def tally(electorate: Collection[str], votes: Mapping[str, bool], rule: str = Rule.EVERYONE) -> Outcome:
    """What `votes` (orgcode to yes or no) settle for `electorate` (orgcodes); votes of strangers do not count.

    An outcome is final as soon as the votes still missing cannot change it. An empty electorate agrees.
    """
    counted = [agree for orgcode, agree in votes.items() if orgcode in electorate]
    size, agreed = len(electorate), sum(counted)
    refused = len(counted) - agreed
    needed = size if rule == Rule.EVERYONE else size // 2 + 1
    if not size or agreed >= needed:
        return Outcome.CARRIED
    if size - refused < needed:
        return Outcome.REFUSED
    return Outcome.OPEN
