"""What hangs on a platform: the floors above say it, each in its app's `ready()`, so that nobody retires it under them.

`add_dependants("unions", unions_on)`, where `unions_on(platform)` gives a `Dependants` or None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from platforms.models import Platform


@dataclass(frozen=True)
class Dependants:
    """Things of one kind, a few of them by name."""

    title: str | Promise  # in the plural: “unions”
    count: int
    names: tuple[str, ...] = ()
    code: str = "in_use"  # stable: programs may rely on it
    link: str = ""  # path of the page that lists them

    def __str__(self) -> str:
        if not self.names:
            return f"{self.count} {self.title}"
        named = _(", ").join(self.names[:5])
        if self.count > 5:
            named += _(" and %(count)d more") % {"count": self.count - 5}
        return _("%(count)s %(things)s (%(names)s)") % {"count": self.count, "things": self.title, "names": named}


Teller = Callable[[Platform], Dependants | None]
_tellers: dict[str, Teller] = {}


def add_dependants(name: str, teller: Teller) -> None:
    _tellers[name] = teller


def remove_dependants(name: str) -> None:
    _tellers.pop(name, None)


def hanging_on(platform: Platform) -> list[Dependants]:
    """Everything that needs the platform to stay."""
    found = [teller(platform) for _name, teller in sorted(_tellers.items())]
    return [each for each in found if each is not None and each.count]
