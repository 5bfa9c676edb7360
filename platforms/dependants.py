"""What hangs on a platform: the floors above say it, each in its app's `ready()`, so that nobody retires it under them.

`add_dependants("unions", unions_on)`, where `unions_on(platform)` gives a `Dependants` or None. `add_ending("unions",
Ending(…))` says what becomes of them when the platform is retired: another platform takes them over, or the console
lets go of them, while on the platform everything stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from console.models import User
from platforms.models import Platform


@dataclass(frozen=True)
class Dependants:
    """Things of one kind, a few of them by name."""

    title: str | Promise  # in the plural: “unions”
    count: int
    names: tuple[str, ...] = ()
    code: str = "in_use"  # stable: programs may rely on it
    link: str = ""  # path of the page that lists them
    single: str | Promise = ""  # the title of just one: “union”

    def __str__(self) -> str:
        things = self.single if self.single and self.count == 1 else self.title
        if not self.names:
            return f"{self.count} {things}"
        named = _(", ").join(self.names[:5])
        if self.count > 5:
            named += _(" and %(count)d more") % {"count": self.count - 5}
        return _("%(count)s %(things)s (%(names)s)") % {"count": self.count, "things": things, "names": named}


@dataclass(frozen=True)
class Ending:
    """What a floor does with its things. All of it stands in the transaction that retires the platform.

    `under_way(platform)` names what is being done just now, which has to end first.
    `hand_over(platform, target, actor)` raises Conflict for what does not fit on the target.
    `release(platform, actor)` lets go.
    """

    under_way: Callable[[Platform], list[str]]
    hand_over: Callable[[Platform, Platform, User], None]
    release: Callable[[Platform, User], None]


Teller = Callable[[Platform], Dependants | None]
_tellers: dict[str, Teller] = {}
_endings: dict[str, Ending] = {}


def add_dependants(name: str, teller: Teller) -> None:
    _tellers[name] = teller


def remove_dependants(name: str) -> None:
    _tellers.pop(name, None)


def add_ending(name: str, ending: Ending) -> None:
    """Floors are gone through from above to below: `name` is the app's."""
    _endings[name] = ending


def hanging_by_kind(platform: Platform) -> dict[str, Dependants]:
    """Everything that needs the platform to stay, by the name of its kind."""
    found = {name: teller(platform) for name, teller in sorted(_tellers.items())}
    return {name: each for name, each in found.items() if each is not None and each.count}


def hanging_on(platform: Platform) -> list[Dependants]:
    return list(hanging_by_kind(platform).values())


def under_way_on(platform: Platform) -> list[str]:
    """What is being done just now with what hangs on the platform."""
    return [words for _name, each in sorted(_endings.items()) for words in each.under_way(platform)]


def hand_all_over(platform: Platform, target: Platform, actor: User) -> None:
    for _name, each in sorted(_endings.items()):
        each.hand_over(platform, target, actor)


def release_all(platform: Platform, actor: User) -> None:
    for _name, each in sorted(_endings.items()):
        each.release(platform, actor)
