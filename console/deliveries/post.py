"""Sending what was promised: claim a delivery by conditional UPDATE, send it, settle it if the claim still holds.

As with the steps of flows, the row is the promise and its lease says who has it in hand: a worker that dies is
succeeded when the lease has run out, and what it knew is not written over what its successor knows (the fence). A
message may so arrive twice; its id is the same, and the receiver tells by it.

What is sent is sent by threads, which are given frozen values and touch no row: a receiver that is slow to answer
holds up nobody else. A webhook is sent one message at a time, and after a failure it rests, for longer each time.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from uuid import uuid4

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from console import outcomes
from console.deliveries.parcels import prepared
from console.deliveries.settle import Claim, Lost, settle
from console.models import Channel, Delivery, DeliveryAttempt, DeliveryState, WebhookState
from console.outcomes import Outcome
from console.transactions import whole

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
AT_ONCE = 8
LETTERS_AT_ONCE = 4
LOOK_SECONDS = 0.25  # while something is under way, how often to look for more


@functools.cache
def post() -> Post:
    """This process's."""
    return Post()


class Post:
    """What one worker has under way. It lives from turn to turn, so that a turn need not wait for who is slow."""

    def __init__(self) -> None:
        self._ended: SimpleQueue[tuple[Claim, Outcome]] = SimpleQueue()
        self._in_hand: dict[Claim, float] = {}

    def turn(self, patience: float) -> int:
        """Send what is due and settle what has ended, for at most so many seconds; how many attempts were begun."""
        until, begun = time.monotonic() + patience, 0
        while True:
            begun += self._take_up()
            left = until - time.monotonic()
            if not self._in_hand or left <= 0:
                return begun
            try:
                claim, outcome = self._ended.get(timeout=min(left, LOOK_SECONDS))
            except Empty:
                continue
            if self._in_hand.pop(claim, None) is not None:
                _settle_safely(claim, outcome)

    def _take_up(self) -> int:
        """Begin as much as there is room for. What has outlived its lease is somebody else's by now."""
        now, begun = time.monotonic(), 0
        self._in_hand = {claim: since for claim, since in self._in_hand.items() if now - since < LEASE_SECONDS}
        while len(self._in_hand) < AT_ONCE and (claim := _next(list(self._in_hand))):
            self._in_hand[claim] = time.monotonic()
            begun += 1
            self._begin(claim)
        return begun

    def _begin(self, claim: Claim) -> None:
        """Send in a thread of its own. What cannot even be written down has ended already."""
        try:
            send = prepared(claim.delivery_id)
        except Exception as problem:  # a text that cannot be filled in, a secret that no key opens
            send = _unexpected(claim, problem)
        if isinstance(send, Outcome):
            self._ended.put((claim, send))
            return
        name = f"delivery-{claim.delivery_id}"
        threading.Thread(target=self._send, args=(claim, send), name=name, daemon=True).start()

    def _send(self, claim: Claim, send: Callable[[], Outcome]) -> None:
        try:
            outcome = send()
        except Exception as problem:
            outcome = _unexpected(claim, problem)
        self._ended.put((claim, outcome))


# --- claiming ---------------------------------------------------------------------------------------------------------


def due() -> QuerySet[Delivery]:
    """Deliveries that somebody should be sending and, as far as their own rows say, nobody is."""
    now = timezone.now()
    waiting = Q(state=DeliveryState.WAITING, due_at__lte=now)
    left = Q(state=DeliveryState.SENDING, lease_until__lte=now)
    return Delivery.objects.filter(waiting | left)


def sendable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those whose way is open: letters, and what goes to a webhook that is on and whose owner may sign in."""
    owned = Q(webhook__owner=None) | Q(webhook__owner__is_active=True)
    return rows.filter(Q(channel=Channel.MAIL) | (Q(webhook__state=WebhookState.ACTIVE) & owned))


def _next(in_hand: list[Claim]) -> Claim | None:
    """Take the oldest delivery that is due and in nobody's way."""
    busy = {claim.webhook_id for claim in in_hand if claim.webhook_id}
    rows = sendable(due())
    if busy:
        rows = rows.filter(Q(webhook=None) | ~Q(webhook__in=busy))
    if len(in_hand) - len(busy) >= LETTERS_AT_ONCE:
        rows = rows.exclude(channel=Channel.MAIL)
    for delivery_id in rows.order_by("due_at", "pk").values_list("pk", flat=True)[:AT_ONCE]:
        if claim := whole(partial(_claim, delivery_id)):
            return claim
    return None


def _claim(delivery_id: int) -> Claim | None:
    """One conditional UPDATE, by the row's own columns alone, decides who sends it; the attempt is on record."""
    owner = uuid4()
    lease = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    rows = due().filter(pk=delivery_id)
    if not rows.update(
        state=DeliveryState.SENDING, owner=owner, lease_until=lease, attempts_made=F("attempts_made") + 1
    ):
        return None
    number, webhook_id = Delivery.objects.values_list("attempts_made", "webhook_id").get(pk=delivery_id)
    earlier = DeliveryAttempt.objects.filter(delivery_id=delivery_id, ended_at=None)
    earlier.update(ended_at=timezone.now(), code=outcomes.WORKER_LOST)
    DeliveryAttempt.objects.create(delivery_id=delivery_id, number=number)
    return Claim(delivery_id, owner, number, webhook_id)


# --- settling ---------------------------------------------------------------------------------------------------------


def _settle_safely(claim: Claim, outcome: Outcome) -> None:
    """One that cannot be settled must not hold up the others: its lease runs out and it is tried again."""
    try:
        settle(claim, outcome)
    except Lost:
        logger.warning("delivery %s was taken over by another worker", claim.delivery_id)
    except Exception as problem:
        logger.error("delivery %s could not be settled", claim.delivery_id, exc_info=problem)


def _unexpected(claim: Claim, problem: Exception) -> Outcome:
    logger.error("delivery %s failed unexpectedly", claim.delivery_id, exc_info=problem)
    return Outcome(outcomes.INTERNAL, type(problem).__name__)
