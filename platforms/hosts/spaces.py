"""Where an organization's machines are. The floor above knows; it hands its answer in when the app is ready.

A native driver builds in the spaces of all members at once and asks the validators of one member for their vote on
another, so it has to find more spaces than the one on whose behalf it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from platforms.briefly import briefly


@dataclass(frozen=True)
class Space:
    """The machines of one organization, as (address, port of the engine), and what opens them."""

    orgcode: str
    machines: tuple[tuple[str, int], ...]
    tlscert: str = field(repr=False)


Finder = Callable[[str], Space]
_finders: list[Finder] = []


def find_spaces_by(finder: Finder) -> None:
    """Handed in once. `finder(orgcode)` raises Missing for who has no machines."""
    _finders[:] = [briefly(finder)]


def space_of(orgcode: str) -> Space:
    return _finders[0](orgcode)
