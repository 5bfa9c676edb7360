"""Every other locked verb of the ground, by eight at the same moment: one takes effect, and one line is on record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from console import audit
from console.flows import Ask
from console.models import ApiToken, AuditEntry, Channel, Delivery, Notification, User, Webhook
from console.services.deliveries import send_again, set_mail_preferences
from console.services.flows import decide_step
from console.services.notifications import mark_read
from console.services.tokens import create_token, revoke_any_token, revoke_token
from console.services.users import (
    change_password,
    create_user,
    disable_user,
    enable_user,
    reset_password,
    set_language,
    set_role,
    update_profile,
)
from console.services.webhooks import (
    create_webhook,
    delete_webhook,
    renew_webhook_secret,
    switch_off_webhook,
    switch_on_webhook,
    update_webhook,
)
from tests.console.conftest import person
from tests.console.flowkit import run, start, state, step
from tests.console.races import at_once
from tests.console.test_flow_decisions import CANDIDATES, asking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 8
URL = "http://127.0.0.1:9/hook"
OLD, NEW = "before-the-race-of-8", "after-the-race"


def eight(call: Callable[[], Any]) -> dict[str, int]:
    return dict(at_once(*[call] * THREADS))


def recorded(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


# --- people -----------------------------------------------------------------------------------------------------------


def test_one_account_of_a_name(root: User) -> None:
    endings = eight(partial(create_user, actor=root, username="erin", password="a-Long-passw0rd"))
    assert endings.pop("done") == 1
    assert set(endings) <= {"conflict", "invalid"}, endings
    assert User.objects.filter(username="erin").count() == recorded("console.user.created") == 1


@pytest.mark.parametrize("verb", [disable_user, enable_user])
def test_closed_and_opened_once(root: User, alice: User, verb: Callable[..., User]) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=verb is disable_user)
    assert eight(partial(verb, actor=root, user_id=alice.pk)) == {"done": THREADS}
    assert recorded(f"console.user.{verb.__name__.removesuffix('_user')}d") == 1


def test_a_role_is_given_once(root: User, alice: User) -> None:
    assert eight(partial(set_role, actor=root, user_id=alice.pk, console_role="auditor")) == {"done": THREADS}
    assert recorded("console.user.role_set") == 1


def test_the_last_two_administrators_step_down(root: User) -> None:
    for number in range(4):
        other = person(f"other{number}", "administrator")
        endings = at_once(
            partial(set_role, actor=root, user_id=root.pk, console_role=""),
            partial(set_role, actor=other, user_id=other.pk, console_role=""),
        )
        assert (endings["done"], endings["conflict"]) == (1, 1), endings
        assert User.objects.filter(console_role="administrator", is_active=True).count() == 1
        User.objects.filter(pk=other.pk).update(console_role="")
        User.objects.filter(pk=root.pk).update(console_role="administrator")


def test_a_profile_is_one_persons_last_word(alice: User) -> None:
    calls = [
        partial(update_profile, actor=alice, name=f"Alice {n}", email=f"a{n}@example.gov", language="")
        for n in range(THREADS)
    ]
    assert at_once(*calls) == {"done": THREADS}
    alice.refresh_from_db()
    assert alice.email == f"a{alice.first_name.removeprefix('Alice ')}@example.gov", "half of one, half of another"


def test_an_old_password_proves_once(alice: User) -> None:
    alice.set_password(OLD)
    alice.save()
    calls = [partial(change_password, actor=alice, old_password=OLD, new_password=f"{NEW}-{n}") for n in range(THREADS)]
    assert at_once(*calls) == {"done": 1, "invalid": THREADS - 1}
    assert recorded("console.user.password_changed") == 1


def test_a_given_password_is_one_of_those_that_were_given(root: User, alice: User) -> None:
    calls = [partial(reset_password, actor=root, user_id=alice.pk, new_password=f"{NEW}-{n}") for n in range(THREADS)]
    assert at_once(*calls) == {"done": THREADS}
    alice.refresh_from_db()
    assert sum(alice.check_password(f"{NEW}-{n}") for n in range(THREADS)) == 1
    assert recorded("console.user.password_reset") == THREADS


def test_a_language_is_set_once(alice: User) -> None:
    assert eight(partial(set_language, actor=alice, language="zh-hans")) == {"done": THREADS}
    assert recorded("console.user.language_set") == 1


# --- tokens and notifications -----------------------------------------------------------------------------------------


def test_a_token_is_revoked_once(root: User, alice: User) -> None:
    token, _text = create_token(actor=alice, name="server")
    own = [partial(revoke_token, actor=alice, token_id=token.pk)] * (THREADS // 2)
    others = [partial(revoke_any_token, actor=root, token_id=token.pk)] * (THREADS // 2)
    assert at_once(*own, *others) == {"done": THREADS}
    assert recorded("console.token.revoked") == 1
    assert ApiToken.objects.get().revoked_at is not None


def test_read_once(alice: User) -> None:
    Notification.objects.create(user=alice, kind="tests", title="Come")
    counts: list[int] = []
    assert eight(lambda: counts.append(mark_read(actor=alice))) == {"done": THREADS}
    assert sorted(counts) == [0] * (THREADS - 1) + [1]


# --- webhooks and mail ------------------------------------------------------------------------------------------------


@pytest.fixture
def hook(alice: User) -> Webhook:
    return create_webhook(actor=alice, name="hook", url=URL)[0]


@override_settings(WEBHOOKS_PER_OWNER=3)
def test_the_limit_of_webhooks_holds(alice: User) -> None:
    calls = [partial(create_webhook, actor=alice, name=f"hook {n}", url=URL) for n in range(THREADS)]
    assert at_once(*calls) == {"done": 3, "conflict": THREADS - 3}
    assert Webhook.objects.count() == recorded("console.webhook.created") == 3


def test_switched_off_and_on_once(alice: User, hook: Webhook) -> None:
    assert eight(partial(switch_off_webhook, actor=alice, webhook_id=hook.pk)) == {"done": THREADS}
    assert recorded("console.webhook.switched_off") == 1
    assert eight(partial(switch_on_webhook, actor=alice, webhook_id=hook.pk)) == {"done": THREADS}
    assert recorded("console.webhook.switched_on") == 1


def test_the_last_secret_is_the_one_that_is_kept(alice: User, hook: Webhook) -> None:
    """Whoever was told a secret last can check what is sent, and the one before may, too."""
    told: list[str] = []
    call = lambda: told.append(renew_webhook_secret(actor=alice, webhook_id=hook.pk)[1])  # noqa: E731
    assert eight(call) == {"done": THREADS}
    hook.refresh_from_db()
    assert {hook.secret.reveal(), hook.previous_secret.reveal()} <= set(told)
    assert hook.secret.reveal() != hook.previous_secret.reveal()


def test_deleted_once(alice: User, hook: Webhook) -> None:
    change = [partial(update_webhook, actor=alice, webhook_id=hook.pk, name="renamed")] * (THREADS // 2)
    gone = [partial(delete_webhook, actor=alice, webhook_id=hook.pk)] * (THREADS // 2)
    endings = at_once(*change, *gone)
    assert set(endings) <= {"done", "not_found"}, endings
    assert (Webhook.objects.count(), recorded("console.webhook.deleted")) == (0, 1)


def test_sent_again_is_on_record_as_often_as_it_was_said(alice: User, hook: Webhook) -> None:
    delivery = Delivery.objects.create(channel=Channel.WEBHOOK, webhook=hook, attempts_allowed=1)
    Delivery.objects.filter(pk=delivery.pk).update(state="failed", ended_at=timezone.now())
    assert eight(partial(send_again, actor=alice, delivery_id=delivery.pk)) == {"done": THREADS}
    assert recorded("console.delivery.sent_again") == THREADS
    delivery.refresh_from_db()
    assert (delivery.state, delivery.ended_at) == ("waiting", None)


def test_a_wish_about_mail_is_kept_once(alice: User) -> None:
    from console import kinds

    group = next(iter(kinds.Group.values))
    assert eight(partial(set_mail_preferences, actor=alice, wanted={group: False})) == {"done": THREADS}
    assert list(audit.verify()) == []


# --- flows ------------------------------------------------------------------------------------------------------------


def test_one_operator_decides(outside: Any, root: User) -> None:
    """Four say to go on with what was found, four to give up; one of them is heard."""
    outside.will("x", Ask("Which one?", CANDIDATES))
    flow = start(asking())
    run()
    adopt = partial(decide_step, actor=root, flow_id=flow.pk, choice="adopt", candidate="x-1")
    give_up = partial(decide_step, actor=root, flow_id=flow.pk, choice="give_up")
    assert at_once(*[adopt, give_up] * 4) == {"done": 1, "conflict": THREADS - 1}
    assert recorded("console.flow.decided") == 1
    run()
    chosen = step(flow, "x").decision["choice"]
    assert state(flow) == ("done" if chosen == "adopt" else "undone")
