"""Periodic doors of this floor."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from unions.models import Proposal, ProposalState
from unions.services.proposals import expire_proposal


@shared_task(name="unions.expire_proposals", expires=60)
def expire_proposals() -> None:
    overdue = Proposal.objects.filter(state=ProposalState.OPEN, expires_at__lte=timezone.now())
    for proposal_id in overdue.values_list("pk", flat=True)[:200]:
        expire_proposal(proposal_id=proposal_id)


BEAT = {"unions-expire-proposals": {"task": "unions.expire_proposals", "schedule": 60.0, "options": {"expires": 60}}}
