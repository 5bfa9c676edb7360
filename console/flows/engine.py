"""Keeping promises: claim a step by conditional UPDATE, run it, settle it if the claim still holds.

A worker may die at any point: its lease runs out and another worker claims the step again, so an action may run
twice, and its key is what makes the effect happen once. Whoever settles must still own the lease (the fence), so a
worker that was thought dead and comes back changes nothing.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import OperationalError, models
from django.db.models import functions
from django.utils import timezone
from django.utils.translation import gettext as _

from console.cleansing import cleansed, storable
from console.errors import ConsoleError, PlatformUnavailable
from console.flows import advance
from console.flows.blueprint import Asleep, Done, Ending, Json, Later, RegisteredAction, UnknownAction, action_named
from console.flows.context import StepContext
from console.models import Flow, Step, StepLog, StepState
from console.models.flows import CLAIMED
from console.transactions import whole

logger = logging.getLogger(__name__)

MAX_BACKOFF_SECONDS = 300
MOST_NUDGES = 100  # that wait at the broker because of the sweep; more would be repetitions
NUDGE_SECONDS = 5.0  # how long a nudge may be on its way before it counts as lost
MAX_CLAIMS = 3  # times the attempts that are allowed: so often a step may take its worker down with it
NUDGED_AGAIN_AFTER = timedelta(seconds=10)
RUNS_IN_A_ROW = 4


class Lost(Exception):
    """The lease ran out and somebody else has the step: whatever we know is no longer ours to write."""


class WorkersLost(ConsoleError):
    """The step takes down every worker that tries it."""

    code = advance.WORKER_LOST


HEALING = (PlatformUnavailable, OperationalError, UnknownAction)  # an action unknown here is known to newer workers


def due() -> models.QuerySet[Step]:
    """Steps that somebody should be working on and, as far as the rows say, nobody is."""
    now = timezone.now()
    free = models.Q(lease_until=None) | models.Q(lease_until__lte=now)
    idle = models.Q(state__in=[StepState.READY, StepState.LATER])
    left = models.Q(state__in=[StepState.RUNNING, StepState.UNDOING]) & free
    return Step.objects.filter(idle | left, due_at__lte=now).order_by("due_at")


def due_steps(limit: int = 500) -> list[int]:
    return list(due().values_list("pk", flat=True)[:limit])


def sweep(room: int = MOST_NUDGES) -> int:
    """Nudge the workers for at most `room` due steps; the repair of lost nudges and dead workers.

    What became ready a moment ago is left out: its own nudge is on the way, and a second one would only be in the
    way of the others.
    """
    nudged = models.Q(state=StepState.READY, due_at__gt=timezone.now() - timedelta(seconds=NUDGE_SECONDS))
    due = Step.objects.filter(_claimable()).exclude(nudged).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[: max(room, 0)])
    with transaction.atomic():
        advance.nudge(ids)
    return len(ids)
