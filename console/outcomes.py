"""How an attempt to deliver something ended, and the sentence that people read about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from console.sentences import told

WORKER_LOST = "worker_lost"
SWITCHED_OFF = "switched_off"
NO_ADDRESS = "no_address"
MAIL_OFF = "mail_off"
INTERNAL = "internal"
GONE = "gone"

SENTENCES = {
    "answered": _("The receiver answered %(detail)s instead of 2xx."),
    "redirected": _(
        "The receiver answered with a redirect (%(detail)s), which is not followed. Enter the address that it leads to."
    ),
    GONE: _("The receiver answered 410: it does not want to be called any more."),
    "too_slow": _("The receiver did not answer within %(detail)s seconds."),
    "unreachable": _("The receiver cannot be reached: %(detail)s"),
    "broken_off": _("The connection to the receiver broke off: %(detail)s"),
    "not_trusted": _("The receiver does not prove who it is: %(detail)s"),
    "address_refused": _("The console does not call this address: %(detail)s"),
    SWITCHED_OFF: _("The webhook was switched off before this could be sent."),
    "mail_unreachable": _("The mail server cannot be used: %(detail)s"),
    "mail_refused": _("The mail server refused the mail: %(detail)s"),
    "mail_later": _("The mail server does not take the mail now: %(detail)s"),
    NO_ADDRESS: _("There is no e-mail address to send it to."),
    MAIL_OFF: _("This console does not send mail any more."),
    WORKER_LOST: _("The worker that was sending it was lost; whether it arrived is not known."),
    INTERNAL: _("Something unexpected happened (%(detail)s); the log of the worker tells more."),
}
DETAIL_LENGTH = 300


@dataclass(frozen=True)
class Outcome:
    """`code` is empty when it has arrived. `final`: another attempt is pointless. `wait`: the receiver asks for it.

    `shared`: for mail, what went wrong is the server's trouble and not this letter's, so others had better wait.
    """

    code: str = ""
    detail: str = ""
    status: int | None = None
    final: bool = False
    shared: bool = False
    wait: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.code


def sentence(code: str, detail: str = "") -> str:
    """Why something did not arrive, in the reader's language; empty when nothing went wrong."""
    if not code:
        return ""
    return str(SENTENCES[code]) % {"detail": told(detail)} if code in SENTENCES else code
