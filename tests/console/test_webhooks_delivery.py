"""From the notification to the receiver: promised with it, tried again, given up, held, and never in anybody's way."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from console import audit, kinds
from console.deliveries.post import LEASE_SECONDS, Post
from console.deliveries.settle import Claim, Lost, settle
from console.models import (
    AuditEntry,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Notification,
    User,
    Webhook,
    WebhookState,
)
from console.outcomes import Outcome
from console.services.deliveries import forget_old, send_again
from console.services.notifications import notify
from console.services.webhooks import (
    renew_webhook_secret,
    switch_off_webhook,
    switch_on_webhook,
)
from console.services.webhooks import (
    test_webhook as try_webhook,
)
from tests.console.conftest import person
from tests.console.postbox import (
    Received,
    hook,
    hurry,
    let_leases_expire,
    receiving,
    send,
    states,
    tell,
    the_delivery,
    turns_until,
)

pytestmark = pytest.mark.django_db(transaction=True)
ATTEMPTS = len(settings.DELIVERY_PAUSES) + 1


@pytest.fixture(autouse=True)
def _known_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tests.a", "tests.b"):
        monkeypatch.setitem(kinds._kinds, name, kinds.Kind(name, name, kinds.Group.WORK))


def claimed(post: Post) -> Claim:
    return next(iter(post._in_hand))


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_what_a_user_is_told_arrives_signed(alice: User, root: User) -> None:
    with receiving() as receiver:
        _hook, secret = hook(alice, receiver.url)
        (told,) = tell(alice, subject=root)
        assert send() == 1
    (received,) = receiver.got
    assert received.is_signed_with(secret)
    delivery = the_delivery()
    assert received.headers["webhook-id"] == delivery.message_id
    assert received.json == {
        "id": delivery.message_id,
        "event": "union",
        "title": "The union Permits is open",
        "body": "Reason: all agreed",
        "link": f"{settings.PUBLIC_URL}/unions/union-1",
        "subject": {"type": "console.user", "id": str(root.pk), "label": "root"},
        "at": told.created_at.isoformat().replace("+00:00", "Z"),
        "attempt": 1,
    }
    assert delivery.state == DeliveryState.DELIVERED
    assert [(each.number, each.status, each.arrived) for each in delivery.attempts.all()] == [(1, 204, True)]


def test_it_is_written_in_the_owners_language() -> None:
    mei = person("mei", language="zh-hans")
    with receiving() as receiver:
        hook(mei, receiver.url)
        tell(mei, title="Log out")  # Django itself brings its translation
        send()
    assert receiver.got[0].json["title"] == "注销"


def test_a_user_is_told_by_each_webhook_and_nobody_elses(alice: User, bob: User) -> None:
    with receiving() as first, receiving() as second, receiving() as stranger:
        hook(alice, first.url)
        hook(alice, second.url)
        hook(bob, stranger.url)
        tell(alice)
        send()
    assert (len(first.got), len(second.got), len(stranger.got)) == (1, 1, 0)


def test_the_consoles_own_webhook_gets_an_event_once(alice: User, bob: User, root: User) -> None:
    with receiving() as receiver:
        hook(root, receiver.url, for_console=True)
        tell(alice, bob)
        send()
    assert [each.json["event"] for each in receiver.got] == ["union"]


def test_only_the_events_that_were_chosen(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url, events=["tests.a"])
        tell(alice, kind="tests.b")
        tell(alice, kind="tests.a")
        send()
    assert [each.json["event"] for each in receiver.got] == ["tests.a"]


def test_whoever_may_not_sign_in_any_more_is_told_nothing(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        User.objects.filter(pk=alice.pk).update(is_active=False)
        tell(alice)
        assert send() == 0
        assert receiver.got == []
    assert Delivery.objects.count() == 1


def test_a_use_case_that_fails_promises_nothing(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        with pytest.raises(ZeroDivisionError):
            told_in_vain(alice)
        assert send() == 0
    assert not Delivery.objects.exists()
    assert not Notification.objects.exists()


def told_in_vain(user: User) -> None:
    with transaction.atomic():
        tell(user)
        raise ZeroDivisionError


def test_a_secret_that_no_key_opens_disturbs_nobody(alice: User, bob: User) -> None:
    """The keys were changed and the old ones thrown away: the use case goes on, so does everybody else's webhook."""
    with receiving() as receiver:
        hook(alice, receiver.url)
        with transaction.atomic(), transaction.get_connection().cursor() as cursor:
            cursor.execute("UPDATE console_webhook SET secret = 'no ciphertext' WHERE owner_id = %s", [alice.pk])
        hook(bob, receiver.url)
        tell(alice, bob)
        send()
        assert len(receiver.got) == 1
    broken = Delivery.objects.get(webhook__owner=alice)
    assert (broken.state, broken.code) == (DeliveryState.WAITING, "internal")


# --- retries ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_later_under_the_same_id(alice: User) -> None:
    with receiving(500, 503) as receiver:
        made, secret = hook(alice, receiver.url)
        tell(alice)
        assert send() == 1
        delivery = the_delivery()
        assert (delivery.state, delivery.code, delivery.detail) == (DeliveryState.WAITING, "answered", "500")
        assert delivery.due_at > timezone.now()
        assert "500" in delivery.reason
        assert send() == 0, "not before it is due"
        hurry()
        send()
        hurry()
        send()
    assert states() == ["delivered"]
    assert [each.json["attempt"] for each in receiver.got] == [1, 2, 3]
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1
    assert all(each.is_signed_with(secret) for each in receiver.got)
    assert [each.code for each in the_delivery().attempts.all()] == ["answered", "answered", ""]
    made.refresh_from_db()
    assert (made.failures, made.rests_until) == (0, None)


def test_pauses_grow_and_a_receiver_may_ask_for_longer_ones(alice: User) -> None:
    pauses = []
    with receiving(500, 500, 500, (429, {"retry-after": "7200"})) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        for _attempt in range(4):
            hurry()
            send()
            pauses.append((the_delivery().due_at - timezone.now()).total_seconds())
    assert pauses == sorted(pauses)
    assert pauses[3] > 7100 > pauses[2] > pauses[1] > pauses[0] > 0


@override_settings(WEBHOOK_PAUSE_AFTER=1000)
def test_after_the_last_attempt_it_is_given_up_and_says_why(alice: User) -> None:
    with receiving(*[500] * ATTEMPTS) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        for _attempt in range(ATTEMPTS + 3):
            send()
            hurry()
    delivery = the_delivery()
    assert len(receiver.got) == ATTEMPTS == delivery.attempts.count()
    assert (delivery.state, delivery.reason) == ("failed", "The receiver answered 500 instead of 2xx.")
    assert delivery.ended_at is not None


def test_what_cannot_heal_is_given_up_at_once(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        with override_settings(ALLOW_PRIVATE_WEBHOOKS=False):
            send()
    assert (the_delivery().state, the_delivery().code, receiver.got) == ("failed", "address_refused", [])


def test_a_person_can_have_it_sent_again(alice: User) -> None:
    with receiving(410) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
        assert states() == ["failed"]
        switch_on_webhook(actor=alice, webhook_id=made.pk)
        send_again(actor=alice, delivery_id=the_delivery().pk)
        send()
        assert states() == ["delivered"]
        send_again(actor=alice, delivery_id=the_delivery().pk)
        send()
    assert [each.json["attempt"] for each in receiver.got] == [1, 2, 3]
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1
    assert AuditEntry.objects.filter(action="console.delivery.sent_again").count() == 2


@override_settings(WEBHOOK_PAUSE_AFTER=1000)
def test_what_is_sent_again_has_all_its_attempts_again(alice: User) -> None:
    with receiving(*[500] * (2 * ATTEMPTS)) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        for _attempt in range(ATTEMPTS):
            hurry()
            send()
        send_again(actor=alice, delivery_id=the_delivery().pk)
        for _attempt in range(ATTEMPTS + 2):
            hurry()
            send()
    assert len(receiver.got) == 2 * ATTEMPTS
    assert the_delivery().attempts_made == 2 * ATTEMPTS


# --- a webhook that keeps failing -------------------------------------------------------------------------------------


def test_it_rests_after_a_failure_and_others_wait_with_it(alice: User) -> None:
    with receiving(500) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        tell(alice)
        assert send() == 1, "the second message waits with the first"
        tell(alice)
        assert send() == 0, "and so does one that is told now"
        assert states() == ["waiting"] * 3
        Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(due_at=timezone.now())
        assert send() == 3, "once one has arrived, the others follow at once"
    assert states() == ["delivered"] * 3


@override_settings(WEBHOOK_PAUSE_AFTER=3)
def test_it_is_paused_its_owner_told_and_what_is_to_be_sent_is_held(alice: User) -> None:
    with receiving(500, 500, 500) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        for _attempt in range(3):
            hurry()
            send()
        made.refresh_from_db()
        assert made.state == WebhookState.PAUSED
        told = Notification.objects.get(kind="webhook")
        assert (told.user, told.link) == (alice, f"/webhooks/{made.pk}")
        assert told.title_text == "The webhook Permit server was paused"
        assert "3 times" in told.body_text
        assert AuditEntry.objects.filter(action="console.webhook.paused", actor=None).count() == 1
        tell(alice)
        hurry()
        assert send() == 0
        assert states() == ["waiting", "waiting"]
        switch_on_webhook(actor=alice, webhook_id=made.pk)
        assert send() == 2
    assert states() == ["delivered", "delivered"]


@override_settings(WEBHOOK_PAUSE_AFTER=1)
def test_the_consoles_own_is_told_of_to_its_administrators(alice: User, root: User, otto: User) -> None:
    with receiving(500) as receiver:
        hook(root, receiver.url, for_console=True)
        tell(alice)
        send()
    assert [row.user for row in Notification.objects.filter(kind="webhook")] == [root]


@override_settings(WEBHOOK_PAUSE_AFTER=1)
def test_two_webhooks_that_fail_do_not_tell_each_other(alice: User) -> None:
    with receiving(500) as first, receiving(500) as second:
        hook(alice, first.url)
        hook(alice, second.url)
        tell(alice)
        send()
        hurry()
        send()
    assert (len(first.got), len(second.got)) == (1, 1)
    assert Notification.objects.filter(kind="webhook").count() == 2
    assert Delivery.objects.filter(notification__kind="webhook").count() == 0


def test_a_receiver_that_is_gone_is_paused_at_once(alice: User) -> None:
    with receiving(410) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
    made.refresh_from_db()
    assert (made.state, states()) == (WebhookState.PAUSED, ["failed"])


def test_what_is_switched_off_sends_nothing_and_says_so(alice: User) -> None:
    with receiving(500) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
        switch_off_webhook(actor=alice, webhook_id=made.pk)
        tell(alice)
        hurry()
        assert send() == 0
        assert (states(), the_delivery().code) == (["failed"], "switched_off")
        switch_on_webhook(actor=alice, webhook_id=made.pk)
        assert send() == 0, "what was given up is not sent by itself"


def test_switched_off_while_a_message_is_under_way(alice: User) -> None:
    with receiving(500) as receiver:
        made, _secret = hook(alice, receiver.url)
        tell(alice)
        post = Post()
        post.turn(0)
        switch_off_webhook(actor=alice, webhook_id=made.pk)
        send(post)
    assert states() == ["failed"]


# --- in nobody's way --------------------------------------------------------------------------------------------------


def test_a_slow_receiver_holds_up_nobody_else(alice: User, bob: User) -> None:
    go_on = threading.Event()

    def slow(_received: Received) -> int:
        go_on.wait(40)
        return 200

    with receiving(slow) as first, receiving() as second:
        hook(alice, first.url)
        hook(bob, second.url)
        post = Post()
        tell(alice)
        assert turns_until(post, lambda: len(first.got) == 1)
        for _message in range(5):
            tell(bob)
        assert turns_until(post, lambda: states() == ["sending", *["delivered"] * 5])
        assert len(second.got) == 5, "while the first has not answered yet"
        go_on.set()
        send(post)
    assert states() == ["delivered"] * 6


def test_a_webhook_is_sent_one_message_at_a_time_and_in_order(alice: User) -> None:
    def dawdling(_received: Received) -> int:
        time.sleep(0.02)
        return 200

    with receiving(*[dawdling] * 6) as receiver:
        hook(alice, receiver.url)
        for number in range(6):
            tell(alice, title=f"Message {number}")
        send()
    assert receiver.most_at_once == 1
    assert [each.json["title"] for each in receiver.got] == [f"Message {number}" for number in range(6)]


def test_many_receivers_are_called_at_once(alice: User) -> None:
    together = threading.Barrier(4)

    def meets(_received: Received) -> int:
        together.wait(20)
        return 200

    with receiving(*[meets] * 4) as receiver:
        for _number in range(4):
            hook(alice, receiver.url)
        tell(alice)
        send()
    assert states() == ["delivered"] * 4


def test_one_that_cannot_even_be_written_down_is_given_up_alone(alice: User, bob: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        hook(bob, receiver.url)
        tell(alice, bob)
        broken = Delivery.objects.get(webhook__owner=alice)
        Webhook.objects.filter(owner=alice).update(url="http://exa\x01mple/")
        send()
        assert len(receiver.got) == 1
        broken.refresh_from_db()
        assert (broken.state, broken.code) == ("failed", "unreachable")


# --- workers that die -------------------------------------------------------------------------------------------------


def test_a_lost_worker_is_succeeded_when_its_lease_has_run_out(alice: User) -> None:
    never = threading.Event()

    def hangs(_received: Received) -> int:
        never.wait(40)
        return 200

    with receiving(hangs) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        dead = Post()
        assert turns_until(dead, lambda: len(receiver.got) == 1)
        assert states() == ["sending"]
        assert send() == 0, "somebody has it in hand"
        let_leases_expire()
        assert send() == 1
        assert states() == ["delivered"]
        never.set()
        send(dead)
    assert states() == ["delivered"], "who comes back from the dead changes nothing"
    assert [each.code for each in the_delivery().attempts.all()] == ["worker_lost", ""]
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1


def test_the_fence(alice: User) -> None:
    with receiving(500) as receiver:
        hook(alice, receiver.url)
        tell(alice)
        dead = Post()
        dead.turn(0)
        claim = claimed(dead)
        let_leases_expire()
        Delivery.objects.update(owner="00000000-0000-0000-0000-000000000000")
        before = Delivery.objects.values().get()
        with pytest.raises(Lost):
            settle(claim, Outcome())
        assert Delivery.objects.values().get() == before
        assert Webhook.objects.get().last_success_at is None


def test_a_delivery_that_takes_every_worker_down_is_given_up(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        for _death in range(ATTEMPTS):
            Post()._take_up()
            let_leases_expire()
        send()
        delivery = the_delivery()
    assert (delivery.state, delivery.code, delivery.attempts_made) == ("failed", "worker_lost", ATTEMPTS)
    assert [each.code for each in delivery.attempts.all()] == ["worker_lost"] * ATTEMPTS
    assert len(receiver.got) <= ATTEMPTS


def test_what_hangs_beyond_its_lease_makes_room(alice: User) -> None:
    post = Post()
    with receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        post.turn(0)
        post._in_hand = {claim: time.monotonic() - LEASE_SECONDS - 1 for claim in post._in_hand}
        assert post.turn(0) == 0
        assert post._in_hand == {}


# --- secrets, tests, the log ------------------------------------------------------------------------------------------


def test_a_new_secret_and_the_old_one_for_a_while(alice: User) -> None:
    with receiving() as receiver:
        made, old = hook(alice, receiver.url)
        _made, new = renew_webhook_secret(actor=alice, webhook_id=made.pk)
        tell(alice)
        send()
        assert receiver.got[0].is_signed_with(new)
        assert receiver.got[0].is_signed_with(old)
        Webhook.objects.update(previous_until=timezone.now())
        tell(alice)
        send()
    assert receiver.got[1].is_signed_with(new)
    assert not receiver.got[1].is_signed_with(old)


def test_secrets_are_sealed_and_neither_logged_nor_audited(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    with receiving(500) as receiver:
        made, secret = hook(alice, receiver.url + "?password=hunter2")
        tell(alice)
        send()
    key = secret.removeprefix("whsec_")
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT secret FROM console_webhook WHERE id = %s", [made.pk])
        assert key not in cursor.fetchone()[0]
    everything = repr([*AuditEntry.objects.values(), *DeliveryAttempt.objects.values(), *Delivery.objects.values()])
    for text in (everything, repr(Webhook.objects.get()), str(Webhook.objects.get().secret), caplog.text):
        assert key not in text
        assert "hunter2" not in text
    assert list(audit.verify()) == []


def test_a_test_is_tried_once(alice: User) -> None:
    with receiving(500) as receiver:
        made, secret = hook(alice, receiver.url)
        try_webhook(actor=alice, webhook_id=made.pk)
        send()
        hurry()
        assert send() == 0
    (received,) = receiver.got
    assert received.json["event"] == "test"
    assert received.json["subject"] is None
    assert received.is_signed_with(secret)
    assert states() == ["failed"]


def test_the_log_is_kept_for_so_long(alice: User) -> None:
    with receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        tell(alice)
        send()
    old = timezone.now() - timedelta(days=settings.DELIVERY_DAYS, seconds=1)
    Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(created_at=old)
    assert forget_old() == 1
    assert Delivery.objects.count() == DeliveryAttempt.objects.count() == 1
    assert Notification.objects.count() == 2


def test_telling_more_people_asks_no_more(alice: User, root: User, django_assert_num_queries: Any) -> None:
    hook(alice, "http://127.0.0.1:9/")
    hook(root, "http://127.0.0.1:9/", for_console=True)
    crowd = [person(f"clerk{number}") for number in range(30)]
    for number in range(10):
        hook(crowd[number], "http://127.0.0.1:9/")
    with override_settings(MAIL_ENABLED=True), transaction.atomic():
        with django_assert_num_queries(4):
            notify([alice], kind="union", title="Told")
        with django_assert_num_queries(4):
            notify([alice, *crowd], kind="union", title="Told")
    assert Delivery.objects.count() == (1 + 1 + 1) + (1 + 1 + 10 + 31)
