"""Periodic doors of this floor: how platforms are, which tenants they have, whether a certificate ends."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from platforms import expiry, observe
from platforms.models import Platform
from platforms.services.certificates import warn_of_certificate, warn_of_client_certificate


@shared_task(name="platforms.probe", expires=30)
def probe() -> None:
    observe.probe_platforms()


@shared_task(name="platforms.refresh_tenants", expires=300)
def refresh_tenants() -> None:
    observe.refresh_tenants()


@shared_task(name="platforms.warn_of_certificates", expires=600)
def warn_of_certificates() -> None:
    latest = timezone.now() + expiry.soon()
    official = Platform.objects.official()
    for platform_id in official.filter(certificate_expires_at__lte=latest).values_list("pk", flat=True):
        warn_of_certificate(platform_id=platform_id)
    for platform_id in official.filter(client_certificate_expires_at__lte=latest).values_list("pk", flat=True):
        warn_of_client_certificate(platform_id=platform_id)


BEAT = {
    "platforms-probe": {"task": "platforms.probe", "schedule": 30.0, "options": {"expires": 30}},
    "platforms-certificates": {
        "task": "platforms.warn_of_certificates",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "platforms-tenants": {"task": "platforms.refresh_tenants", "schedule": 600.0, "options": {"expires": 300}},
}
