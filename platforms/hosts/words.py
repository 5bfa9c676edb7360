"""What hosts are said to have answered: sentences that every process has to know, without the engine's library."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from console.sentences import kept

NOT_PROVEN = kept(gettext_noop("The host %(host)s does not prove who it is: %(problem)s"))
CERTIFICATE_REFUSED = kept(gettext_noop("The host %(host)s refuses the certificate that it is shown."))
UNREACHABLE = kept(gettext_noop("The host %(host)s cannot be reached."))
SILENT = kept(gettext_noop("The host %(host)s does not answer."))
NO_DISK = kept(gettext_noop("The host %(host)s has no space left on its disk."))
NO_IMAGE = kept(gettext_noop("The host %(host)s has no image %(image)s, and could not get it: %(problem)s"))
PORT_TAKEN = kept(gettext_noop("On the host %(host)s something else has the port already: %(problem)s"))
NOT_THERE = kept(gettext_noop("On the host %(host)s this is not there: %(problem)s"))
REFUSED = kept(gettext_noop("The container engine of %(host)s refused: %(problem)s"))
TOO_OLD = kept(gettext_noop("The host %(host)s does not speak Docker's API: %(problem)s"))

RUN_FAILED = kept(gettext_noop("On the host %(host)s preparing %(name)s failed: %(problem)s"))
NOT_ONE_IMAGE = kept(
    gettext_noop("The archive holds %(number)s images for the host %(host)s; it has to be exactly one.")
)
NOT_PRESENT = gettext_noop("no archive and no registry has it")
OTHERS = kept(gettext_noop("On the host %(host)s there is something else of the name %(name)s; remove it there."))
