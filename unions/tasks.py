"""Periodic doors of this floor."""

from __future__ import annotations

import contextlib

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from console.errors import Conflict, Missing
from platforms import expiry
from platforms.models import Platform
from unions.models import Proposal, ProposalState, ResourceSpace
from unions.services.certificates import warn_of_certificate
from unions.services.drifts import compare_platform
from unions.services.proposals import close_stranded, expire_proposal, remind_electors

MAX_AT_ONCE = 200


@shared_task(name="unions.expire_proposals", expires=60)
def expire_proposals() -> None:
    overdue = Proposal.objects.filter(state=ProposalState.OPEN, expires_at__lte=timezone.now())
    for proposal_id in list(overdue.values_list("pk", flat=True)[:MAX_AT_ONCE]):
        expire_proposal(proposal_id=proposal_id)


@shared_task(name="unions.remind_electors", expires=60)
def remind_all() -> None:
    waiting = Proposal.objects.to_be_reminded(settings.PROPOSAL_REMINDER_HOURS)
    for proposal_id in list(waiting.values_list("pk", flat=True)[:MAX_AT_ONCE]):
        remind_electors(proposal_id=proposal_id)


@shared_task(name="unions.close_stranded", expires=10)
def close_stranded_proposals() -> None:
    for proposal_id in list(Proposal.objects.stranded().values_list("pk", flat=True)[:MAX_AT_ONCE]):
        close_stranded(proposal_id=proposal_id)


@shared_task(name="unions.warn_of_certificates", expires=600)
def warn_of_certificates() -> None:
    latest = timezone.now() + expiry.soon()
    for space_id in ResourceSpace.objects.filter(tlscert_expires_at__lte=latest).values_list("pk", flat=True):
        warn_of_certificate(space_id=space_id)


@shared_task(name="unions.reconcile", expires=600)
def reconcile() -> None:
    """Compare every official platform; one whose last comparison is still under way is left to that."""
    for oemtype in list(Platform.objects.official().values_list("oemtype", flat=True)):
        with contextlib.suppress(Conflict, Missing):
            compare_platform(actor=None, oemtype=oemtype)


BEAT = {
    "unions-certificates": {"task": "unions.warn_of_certificates", "schedule": 600.0, "options": {"expires": 600}},
    **(
        {
            "unions-reconcile": {
                "task": "unions.reconcile",
                "schedule": settings.RECONCILE_MINUTES * 60.0,
                "options": {"expires": 600},
            }
        }
        if settings.RECONCILE_MINUTES
        else {}
    ),
    "unions-expire-proposals": {"task": "unions.expire_proposals", "schedule": 60.0, "options": {"expires": 60}},
    "unions-remind-electors": {"task": "unions.remind_electors", "schedule": 60.0, "options": {"expires": 60}},
    "unions-close-stranded": {"task": "unions.close_stranded", "schedule": 10.0, "options": {"expires": 10}},
}
