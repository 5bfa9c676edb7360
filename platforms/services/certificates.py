"""What is recorded and told of the certificates that platforms show, and of those that we show them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from console.models import ConsoleRole, User
from console.services.notifications import notify
from console.transactions import joins_transaction, use_case
from platforms import expiry
from platforms.models import Platform

ENDS = gettext_noop("The certificate of the platform %(name)s expires on %(until)s (UTC)")
ENDED = gettext_noop("The certificate of the platform %(name)s has expired")
TO_DO = gettext_noop(
    "The console does not speak to a platform whose certificate has expired. Whoever runs it has to renew it."
)


OWN_ENDS = gettext_noop("The client certificate for the platform %(name)s expires on %(until)s (UTC)")
OWN_ENDED = gettext_noop("The client certificate for the platform %(name)s has expired")
OWN_TO_DO = gettext_noop(
    "The platform knows the console by this certificate and lets it in no longer once it has expired. Store a new one "
    "among the platform's credentials."
)


@use_case
def warn_of_certificate(*, platform_id: int) -> bool:
    """Tell the administrators, once at each threshold, that a platform's server certificate ends or has ended."""
    platform = Platform.objects.official().select_for_update().filter(pk=platform_id).first()
    ends = platform.certificate_expires_at if platform is not None else None
    if platform is None or ends is None or not expiry.is_due(ends, platform.certificate_warned_at):
        return False
    platform.certificate_warned_at = timezone.now()
    platform.save(update_fields=["certificate_warned_at"])
    _tell(platform, ends, ENDED if ends <= timezone.now() else ENDS, TO_DO, f"/platforms/{platform.oemtype}")
    return True


@use_case
def warn_of_client_certificate(*, platform_id: int) -> bool:
    """The same of the certificate by which the platform knows the console."""
    platform = Platform.objects.official().select_for_update().filter(pk=platform_id).first()
    ends = platform.client_certificate_expires_at if platform is not None else None
    if platform is None or ends is None or not expiry.is_due(ends, platform.client_certificate_warned_at):
        return False
    platform.client_certificate_warned_at = timezone.now()
    platform.save(update_fields=["client_certificate_warned_at"])
    change = f"/platforms/{platform.oemtype}/change"
    _tell(platform, ends, OWN_ENDED if ends <= timezone.now() else OWN_ENDS, OWN_TO_DO, change)
    return True


@joins_transaction
def _tell(platform: Platform, ends: datetime, title: str, body: str, link: str) -> None:
    notify(
        User.objects.filter(Q(console_role=ConsoleRole.ADMINISTRATOR) | Q(is_superuser=True), is_active=True),
        kind="certificate",
        title=title,
        body=body,
        parameters={"name": platform.name, "until": expiry.shown(ends)},
        link=link,
        subject=platform,
    )
