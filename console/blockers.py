"""What stands in the way of an ending: each thing by name, with the way out.

A floor says what of its own hangs on things of a floor below: `add_teller("user", user_blockers)`, in its app's
`ready()`. Whoever ends a thing asks for all of it (`require_unblocked`) and refuses with the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from console.errors import Blocked, Blocker

Teller = Callable[[Any], Iterable[Blocker]]
_tellers: dict[str, list[Teller]] = {}


def add_teller(subject: str, teller: Teller) -> None:
    """`subject` is what is ended: user, organization, union, platform."""
    _tellers.setdefault(subject, []).append(teller)


def blockers_of(subject: str, thing: Any) -> list[Blocker]:
    """Everything that has to be seen to first."""
    return [blocker for teller in _tellers.get(subject, []) for blocker in teller(thing)]


def require_unblocked(subject: str, thing: Any) -> None:
    """Go on, or raise Blocked (409) with the list."""
    if found := blockers_of(subject, thing):
        raise Blocked(found)
