"""The one small family of errors, raised anywhere and mapped once: to problem details for REST, to a page for people.

Each class carries the HTTP status that it becomes. `errors` names fields by dotted path
(`organization.tenantid`) so that a form and an API client can both point at the place. `detail` is a sentence for
everybody; `note` tells those who operate the console where and what exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext_lazy as _

FieldErrors = Mapping[str, Sequence[str]]


class ConsoleError(Exception):
    """Base of all errors that are meant for whoever asked."""

    status = 500
    code = "internal"
    title = _("Something went wrong")

    def __init__(
        self, detail: object = "", *, code: str | None = None, errors: FieldErrors | None = None, note: str = ""
    ) -> None:
        self.detail = str(detail or self.title)
        self.note = note
        self.code = code or type(self).code
        self.errors = {name: [str(text) for text in texts] for name, texts in (errors or {}).items()}
        super().__init__(self.detail)

    @classmethod
    def field(cls, name: str, text: object, *, code: str | None = None) -> Self:
        """An error about one field, with the same words as detail."""
        return cls(text, code=code, errors={name: [str(text)]})

    def as_dict(self) -> dict[str, object]:
        """The error as plain JSON, the form in which flow steps keep it."""
        body: dict[str, object] = {"code": self.code, "detail": self.detail}
        if self.errors:
            body["errors"] = self.errors
        if self.note:
            body["note"] = self.note
        return body

    @property
    def for_operators(self) -> str:
        """The words with their place, if there is more to tell than everybody is told."""
        return self.note or self.detail


class BadRequest(ConsoleError):
    status, code, title = 400, "bad_request", _("Bad request")


class NotAllowed(ConsoleError):
    status, code, title = 403, "not_allowed", _("Not allowed")


class Missing(ConsoleError):
    status, code, title = 404, "not_found", _("Not found")


class Conflict(ConsoleError):
    status, code, title = 409, "conflict", _("Conflict")


@dataclass(frozen=True)
class Blocker:
    """One thing that has to be seen to first: what it is and the way out, in a sentence, and the page where that is."""

    code: str  # stable: programs may rely on it
    text: str
    link: str = ""  # path of a page of this console


class Blocked(Conflict):
    """Something hangs on what shall be ended; `blockers` names all of it."""

    code, title = "blocked", _("Something stands in the way")

    def __init__(self, blockers: Sequence[Blocker], *, detail: object = "", code: str | None = None) -> None:
        self.blockers = tuple(blockers)
        self.headline = str(detail or self.title)
        super().__init__(detail or " ".join(each.text for each in blockers), code=code)


class NotSupported(ConsoleError):
    """The platform cannot do this; `detail` is the reason that its capability statement gives."""

    status, code, title = 409, "not_supported", _("Not supported by the platform")


class TooLarge(ConsoleError):
    status, code, title = 413, "too_large", _("Request too large")


class Invalid(ConsoleError):
    status, code, title = 422, "invalid", _("Invalid input")


class TooMany(ConsoleError):
    status, code, title = 429, "too_many", _("Too many requests")


class Busy(ConsoleError):
    """Our own database does not answer: asking again in a moment helps."""

    status, code, title = 503, "busy", _("Not available for the moment")


class PlatformRefused(ConsoleError):
    """The platform answered and said no, or answered nonsense: trying again does not help."""

    status, code, title = 502, "platform_refused", _("The platform refused")


class PlatformUnavailable(ConsoleError):
    """The platform could not be reached or asked us to wait: time can heal it."""

    status, code, title = 503, "platform_unavailable", _("The platform is not available")


class OutcomeUnknown(PlatformUnavailable):
    """A change was sent and no answer came back: look before creating again."""

    code = "outcome_unknown"
