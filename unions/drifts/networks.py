"""Networks on a platform that are known although no union has them: floors above say which (`add_networks`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from platforms.models import Platform

Knower = Callable[[Platform], Iterable[str]]
_knowers: list[Knower] = []


def add_networks(knower: Knower) -> None:
    """`knower(platform)` gives ids of networks; called in every comparison."""
    _knowers.append(knower)


def networks_of_others(platform: Platform) -> set[str]:
    return {network_id for knower in _knowers for network_id in knower(platform)}
