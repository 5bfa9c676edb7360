"""An organization's certificates: handed out to its members, who are told when the client certificate ends."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Missing
from console.models import User
from console.policies import require
from console.secrets import Sealed
from console.services.notifications import notify
from console.transactions import use_case
from platforms import expiry
from platforms.certificates import PublicCertificate, public_certificates
from unions.models import Organization, ResourceSpace
from unions.policies import may_download_certificates
from unions.services.proposals import speakers_of

ENDS = gettext_noop("The client certificate of %(name)s expires on %(until)s (UTC)")
ENDED = gettext_noop("The client certificate of %(name)s has expired")
TO_DO = gettext_noop("With an expired certificate the console cannot reach the machines. Store a new one in time.")


@use_case
def hand_out_certificates(*, actor: User, orgcode: str) -> list[PublicCertificate]:
    """The certificates that the organization stored, never its key; none for one in the cloud. Written down.

    Raises Missing, NotAllowed.
    """
    organization = Organization.objects.visible_to(actor).filter(orgcode=orgcode).select_related("space").first()
    if organization is None:
        raise Missing()
    require(may_download_certificates(actor, organization))
    sealed = organization.space.tlscert
    found: list[PublicCertificate] = public_certificates(sealed.reveal()) if isinstance(sealed, Sealed) else []
    prints = [each.fingerprint for each in found]
    audit.record("unions.certificates.downloaded", actor=actor, target=organization, fingerprints=prints)
    return found


@use_case
def warn_of_certificate(*, space_id: int) -> bool:
    """Tell those who act for the organization, once at each threshold, that its certificate ends or has ended."""
    space = ResourceSpace.objects.select_for_update().filter(pk=space_id).first()
    ends = space.tlscert_expires_at if space is not None else None
    if space is None or ends is None or not expiry.is_due(ends, space.tlscert_warned_at):
        return False
    organization = space.organization
    space.tlscert_warned_at = timezone.now()
    space.save(update_fields=["tlscert_warned_at"])
    notify(
        speakers_of([organization]),
        kind="certificate",
        title=ENDED if ends <= timezone.now() else ENDS,
        body=TO_DO,
        parameters={"name": organization.name, "until": expiry.shown(ends)},
        link=f"/organizations/{organization.orgcode}",
        subject=organization,
    )
    return True
