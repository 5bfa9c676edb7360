"""What is recorded and told of the certificates that platforms show."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from console.models import ConsoleRole, User
from console.services.notifications import notify
from console.transactions import use_case
from platforms import expiry
from platforms.models import Platform

ENDS = gettext_noop("The certificate of the platform %(name)s expires on %(until)s (UTC)")
ENDED = gettext_noop("The certificate of the platform %(name)s has expired")
TO_DO = gettext_noop(
    "The console does not speak to a platform whose certificate has expired. Whoever runs it has to renew it."
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
    notify(
        User.objects.filter(Q(console_role=ConsoleRole.ADMINISTRATOR) | Q(is_superuser=True), is_active=True),
        kind="certificate",
        title=ENDED if ends <= timezone.now() else ENDS,
        body=TO_DO,
        parameters={"name": platform.name, "until": expiry.shown(ends)},
        link=f"/platforms/{platform.oemtype}",
        subject=platform,
    )
    return True
