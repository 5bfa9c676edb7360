"""Many at the same moment, on a database with row locks: a message is sent by one, settled by one, and no one waits."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from django.conf import settings
from django.db import connection

from console import audit
from console.deliveries.post import Post, _claim
from console.deliveries.settle import Claim, settle
from console.errors import Conflict
from console.models import AuditEntry, Delivery, DeliveryAttempt, User, Webhook, WebhookState
from console.outcomes import Outcome
from console.services.deliveries import send_again, set_mail_preferences
from console.services.webhooks import create_webhook, switch_off_webhook, switch_on_webhook
from console.transactions import whole
from tests.console.postbox import hook, let_leases_expire, receiving, send, states, tell
from tests.console.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 8
NOWHERE = "http://127.0.0.1:9/"


def claims_of(calls: int, delivery_id: int) -> list[Claim]:
    won: list[Claim] = []

    def claim() -> None:
        if mine := whole(lambda: _claim(delivery_id)):
            won.append(mine)

    assert at_once(*[claim] * calls) == {"done": calls}
    return won


def test_one_of_many_workers_has_the_delivery(alice: User) -> None:
    hook(alice, NOWHERE)
    for _round in range(5):
        tell(alice)
        delivery = Delivery.objects.latest("pk")
        assert len(claims_of(THREADS, delivery.pk)) == 1
        assert delivery.attempts.count() == 1


def test_one_of_many_takes_over_from_a_lost_worker(alice: User) -> None:
    hook(alice, NOWHERE)
    tell(alice)
    delivery = Delivery.objects.get()
    claims_of(1, delivery.pk)
    let_leases_expire()
    assert len(claims_of(THREADS, delivery.pk)) == 1
    codes = delivery.attempts.order_by("number").values_list("number", "code")
    assert list(codes) == [(1, "worker_lost"), (2, "")]


def test_workers_beside_each_other_send_each_message_once(alice: User, bob: User) -> None:
    def work() -> None:
        Post().turn(20)

    with receiving() as receiver:
        for _number in range(3):
            hook(alice, receiver.url)
            hook(bob, receiver.url)
        for _message in range(5):
            tell(alice, bob)
        assert at_once(*[work] * 4) == {"done": 4}
        send()
    ids = Counter(each.headers["webhook-id"] for each in receiver.got)
    assert len(ids) == 30
    assert set(ids.values()) == {1}
    assert set(states()) == {"delivered"}
    assert DeliveryAttempt.objects.count() == 30


def test_a_claim_is_settled_once(alice: User) -> None:
    hook(alice, NOWHERE)
    tell(alice)
    (claim,) = claims_of(1, Delivery.objects.get().pk)
    endings = at_once(*[partial(settle, claim, Outcome("answered", "500", 500))] * THREADS)
    assert endings["done"] == 1
    assert Webhook.objects.get().failures == 1


def test_switching_off_while_attempts_are_settled(alice: User) -> None:
    """One locks webhook, then deliveries; so does the other. Nothing stays waiting for a webhook that is off."""
    made, _secret = hook(alice, NOWHERE)
    for _round in range(5):
        switch_on_webhook(actor=alice, webhook_id=made.pk)
        for _message in range(3):
            tell(alice)
        rows = Delivery.objects.filter(state="waiting").values_list("pk", flat=True)
        claims = [each for pk in rows for each in claims_of(1, pk)]
        calls = [partial(settle, claim, Outcome("answered", "500", 500)) for claim in claims]
        endings = at_once(partial(switch_off_webhook, actor=alice, webhook_id=made.pk), *calls)
        assert endings == {"done": 4}
        assert set(states()) == {"failed"}
    assert list(audit.verify()) == []


def test_a_webhook_is_paused_and_its_owner_told_once(alice: User) -> None:
    made, _secret = hook(alice, NOWHERE)
    Webhook.objects.update(failures=settings.WEBHOOK_PAUSE_AFTER - 1)
    for _message in range(THREADS):
        tell(alice)
    claims = [each for pk in Delivery.objects.values_list("pk", flat=True) for each in claims_of(1, pk)]
    endings = at_once(*[partial(settle, claim, Outcome("answered", "500", 500)) for claim in claims])
    assert endings == {"done": THREADS}
    made.refresh_from_db()
    assert made.state == WebhookState.PAUSED
    assert alice.notifications.filter(kind="webhook").count() == 1
    assert AuditEntry.objects.filter(action="console.webhook.paused").count() == 1


def test_sending_again_by_many(alice: User) -> None:
    with receiving(410) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
        switch_on_webhook(actor=alice, webhook_id=made.pk)
        pk = Delivery.objects.get().pk
        assert at_once(*[partial(send_again, actor=alice, delivery_id=pk)] * THREADS) == {"done": THREADS}
        send()
    assert len(receiver.got) == 2


def test_no_more_webhooks_than_allowed(alice: User) -> None:
    for number in range(settings.WEBHOOKS_PER_OWNER - 1):
        create_webhook(actor=alice, name=f"server {number}", url=NOWHERE)
    endings = at_once(*[partial(create_webhook, actor=alice, name="one more", url=NOWHERE)] * THREADS)
    assert endings == {"done": 1, Conflict.code: THREADS - 1}
    assert alice.webhooks.count() == settings.WEBHOOKS_PER_OWNER


def test_wishes_about_mail_by_many(alice: User) -> None:
    calls = [partial(set_mail_preferences, actor=alice, wanted={"work": False})] * THREADS
    endings = at_once(*calls)
    assert endings["done"] >= 1
    assert set(endings) <= {"done", "conflict"}
    assert list(alice.mail_preferences.values_list("group", "wanted")) == [("work", False)]


def test_the_claim_looks_at_the_rows_own_columns_only(alice: User) -> None:
    """A condition on another table would be judged on an old snapshot, and two workers would both pass it."""
    from django.test.utils import CaptureQueriesContext

    hook(alice, NOWHERE)
    tell(alice)
    with CaptureQueriesContext(connection) as captured:
        whole(lambda: _claim(Delivery.objects.get().pk))
    (update,) = [query["sql"] for query in captured if query["sql"].startswith('UPDATE "console_delivery"')]
    assert "SELECT" not in update
    assert "JOIN" not in update
