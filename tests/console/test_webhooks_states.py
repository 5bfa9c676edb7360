"""The diagrams of webhooks and deliveries, literally: every edge, and a refusal from everywhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from console.models import Delivery, DeliveryState, MailPreference, User, Webhook, WebhookState
from console.outcomes import Outcome
from tests.console.postbox import hook, tell

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "http://127.0.0.1:9/"

WEBHOOK_EDGES = {
    ("active", "pause", "paused"),
    ("active", "switch_off", "off"),
    ("paused", "switch_off", "off"),
    ("paused", "switch_on", "active"),
    ("off", "switch_on", "active"),
}

DELIVERY_EDGES = {
    ("sending", "arrive", "delivered"),
    ("sending", "postpone", "waiting"),
    ("sending", "give_up", "failed"),
    ("waiting", "give_up", "failed"),
    ("waiting", "send_again", "waiting"),
    ("delivered", "send_again", "waiting"),
    ("failed", "send_again", "waiting"),
}

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "postpone": (Outcome("answered", "500"), timezone.now()),
    "give_up": (Outcome("answered", "500"),),
    "send_again": (8,),
}


def edges(model: type[Webhook] | type[Delivery]) -> set[tuple[str, str, str]]:
    field = model._meta.get_field("state")
    return {(str(each.source), each.name, str(each.target)) for each in field.get_all_transitions(model)}


def test_the_diagrams_are_these() -> None:
    assert edges(Webhook) == WEBHOOK_EDGES
    assert edges(Delivery) == DELIVERY_EDGES


@pytest.mark.parametrize("model", [Webhook, Delivery])
def test_every_edge_holds_and_every_other_is_refused(model: Any) -> None:
    drawn = edges(model)
    for name in {name for _source, name, _target in drawn}:
        for source, _title in model._meta.get_field("state").choices:
            row = model(state=source)
            target = next((end for begin, verb, end in drawn if (begin, verb) == (source, name)), None)
            if target is None:
                with pytest.raises(TransitionNotAllowed):
                    getattr(row, name)(*ARGUMENTS.get(name, ()))
                assert row.state == source
            else:
                getattr(row, name)(*ARGUMENTS.get(name, ()))
                assert row.state == target


def test_nobody_sets_a_state_by_hand(alice: User) -> None:
    made, _secret = hook(alice, NOWHERE)
    tell(alice)
    for row in (made, Delivery.objects.get()):
        with pytest.raises(AttributeError, match="not allowed"):
            row.state = "off"


def test_a_stale_row_does_not_overwrite(alice: User) -> None:
    made, _secret = hook(alice, NOWHERE)
    stale, fresh = Webhook.objects.get(pk=made.pk), Webhook.objects.get(pk=made.pk)
    fresh.pause()
    fresh.save()
    stale.switch_off()
    with pytest.raises(ConcurrentTransition), transaction.atomic():
        stale.save()


BROKEN: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "a webhook's unknown state": (Webhook, {"state": "lost"}),
    "a delivery's unknown state": (Delivery, {"state": "lost"}),
    "a delivery that is being sent by nobody": (Delivery, {"state": DeliveryState.SENDING}),
    "a delivery that is being sent without a lease": (
        Delivery,
        {"state": DeliveryState.SENDING, "owner": "00000000-0000-0000-0000-000000000000", "lease_until": None},
    ),
    "a delivery to nobody": (Delivery, {"webhook": None}),
    "mail to a webhook": (Delivery, {"channel": "mail"}),
    "an unknown channel": (Delivery, {"channel": "pigeon"}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_database_refuses_what_the_code_forbids(alice: User, case: str) -> None:
    model, values = BROKEN[case]
    hook(alice, NOWHERE)
    tell(alice)
    before = list(model.objects.values())
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**values)
    assert list(model.objects.values()) == before


def test_one_wish_for_a_group(alice: User) -> None:
    MailPreference.objects.create(user=alice, group="work", wanted=True)
    for again in ({"group": "work"}, {"group": "unknown"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            MailPreference.objects.create(user=alice, wanted=False, **again)


def test_every_state_has_a_way_on() -> None:
    assert set(WebhookState.values) == {source for source, _name, _target in WEBHOOK_EDGES}
    assert set(DeliveryState.values) == {source for source, _name, _target in DELIVERY_EDGES}
