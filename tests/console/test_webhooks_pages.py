"""The pages about webhooks and mail: who sees them, what they say, what their buttons do, what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from console.models import Delivery, User, Webhook, WebhookState
from console.services.deliveries import mail_preferences
from tests.console.pages import part, queries, said, signed_in
from tests.console.postbox import free_port, hook, hurry, mail_goes_to, mail_server, receiving, send, tell

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/hooks"
LIST, NEW, MAIL = "/webhooks", "/webhooks/new", "/profile/mail"
FORM = {"name": "Permit server", "url": NOWHERE, "events": ["union"]}


def page(who: User, address: str) -> str:
    response = signed_in(who).get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def is_live(content: str, address: str) -> bool:
    return f'hx-get="{address}"' in content


def of(webhook: Webhook, *more: str) -> str:
    return "/".join([LIST, str(webhook.pk), *more])


def addresses(owner: User) -> list[str]:
    webhook, _secret = hook(owner, NOWHERE)
    tell(owner)
    delivery = Delivery.objects.get(webhook=webhook)
    return [LIST, NEW, of(webhook), of(webhook, "change"), of(webhook, f"deliveries/{delivery.pk}"), MAIL]


# --- everybody's pages ------------------------------------------------------------------------------------------------


def test_every_page_opens_for_its_owner_and_leads_strangers_to_the_door(alice: User) -> None:
    for address in addresses(alice):
        content = page(alice, address)
        assert content.count("<h1") == 1, address
        response = Client().get(address)
        assert (response.status_code, response.url.split("?")[0]) == (302, reverse("console:login")), address


def test_what_one_may_not_see_is_not_there(alice: User, bob: User) -> None:
    for address in addresses(alice)[2:5]:
        assert signed_in(bob).get(address).status_code == 404, address
    assert "Permit server" not in page(bob, LIST)


def test_parts_are_answered_alone(alice: User) -> None:
    for address in addresses(alice)[2::2]:
        content = part(signed_in(alice), address).content
        assert b"<html" not in content, address
        assert b'id="live"' in content, address


@pytest.mark.parametrize("which", [0, 2, 4, 5])
def test_a_page_asks_no_more_when_there_is_more(alice: User, which: int) -> None:
    with override_settings(MAIL_ENABLED=True):
        address = addresses(alice)[which]
        client = signed_in(alice)
        few = queries(client, address)
        for _number in range(6):
            hook(alice, NOWHERE)
            tell(alice)
        assert queries(client, address) == few <= 10


def test_empty_pages_say_what_they_are_for(alice: User) -> None:
    assert "No webhooks yet" in page(alice, LIST)
    webhook, _secret = hook(alice, NOWHERE)
    assert "Nothing was sent yet" in page(alice, of(webhook))
    assert "No message is in this state" in page(alice, of(webhook) + "?state=failed")
    assert "No webhook matches" in page(alice, LIST + "?q=zzz")


def test_the_account_leads_there(alice: User) -> None:
    profile = page(alice, "/profile")
    assert f'href="{LIST}"' in profile
    assert f'href="{MAIL}"' in profile


# --- making one -------------------------------------------------------------------------------------------------------


def test_a_secret_is_shown_once(alice: User) -> None:
    client = signed_in(alice)
    response = client.post(NEW, FORM)
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    webhook = Webhook.objects.get()
    secret = webhook.secret.reveal()
    assert secret in response.content.decode()
    for address in (LIST, of(webhook), of(webhook, "change"), "/audit"):
        assert secret not in client.get(address).content.decode()
    again = client.post(of(webhook, "renew-secret"))
    webhook.refresh_from_db()
    assert webhook.secret.reveal() != secret
    assert webhook.secret.reveal() in again.content.decode()
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": " "}, "name"),
        ({"url": "ftp://example.gov"}, "url"),
        ({"url": "http://169.254.169.254/"}, "url"),
        ({"url": ""}, "url"),
        ({"events": ["weather"]}, "events"),
    ],
)
def test_wrong_input_stands_at_its_field(alice: User, changed: dict[str, Any], field: str) -> None:
    webhook, _secret = hook(alice, NOWHERE, events=["union"])
    before = list(Webhook.objects.values())
    for address in (NEW, of(webhook, "change")):
        response = signed_in(alice).post(address, FORM | changed)
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {field}
    assert list(Webhook.objects.values()) == before


def test_only_administrators_are_offered_one_for_the_console(alice: User, root: User) -> None:
    assert "For the whole console" not in page(alice, NEW)
    assert "For the whole console" in page(root, NEW)
    signed_in(alice).post(NEW, FORM | {"for_console": "on"})
    assert Webhook.objects.get().owner == alice
    signed_in(root).post(NEW, FORM | {"for_console": "on"})
    assert Webhook.objects.filter(owner=None).count() == 1


@override_settings(WEBHOOKS_PER_OWNER=1)
def test_no_more_than_allowed_is_said_above_the_form(alice: User) -> None:
    hook(alice, NOWHERE)
    response = signed_in(alice).post(NEW, FORM)
    assert response.status_code == 422
    assert "more are not allowed" in response.content.decode()


def test_changing(alice: User) -> None:
    webhook, _secret = hook(alice, NOWHERE, events=["union"])
    content = page(alice, of(webhook, "change"))
    assert 'value="Permit server"' in content
    response = signed_in(alice).post(of(webhook, "change"), {"name": "Archive", "url": "https://a.example.gov/"})
    assert response.url == of(webhook)
    webhook.refresh_from_db()
    assert (webhook.name, webhook.url, webhook.kinds) == ("Archive", "https://a.example.gov/", [])


# --- one, and its log -------------------------------------------------------------------------------------------------


def test_a_test_is_seen_in_the_log(alice: User) -> None:
    with receiving(503) as receiver:
        webhook, _secret = hook(alice, receiver.url)
        client = signed_in(alice)
        assert client.post(of(webhook, "test")).url == of(webhook)
        assert is_live(page(alice, of(webhook)), of(webhook))
        send()
        content = page(alice, of(webhook))
        assert not is_live(content, of(webhook)), "nothing is under way any more"
    assert "A test by the console" in content
    assert "The receiver answered 503 instead of 2xx." in content
    assert 'data-state="failed"' in content


def test_every_attempt_and_what_is_sent(alice: User) -> None:
    with receiving(500) as receiver:
        webhook, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
        delivery = Delivery.objects.get()
        address = of(webhook, f"deliveries/{delivery.pk}")
        content = page(alice, address)
        assert "The receiver answered 500 instead of 2xx." in content
        assert delivery.message_id in content
        assert "It is waiting" in content
        assert "Send now" in content
        response = signed_in(alice).post(f"{address}/again")
        assert response.url == address
        send()
        content = page(alice, address)
    assert "the receiver answered 204" in content
    assert "It has arrived." in content


@override_settings(WEBHOOK_PAUSE_AFTER=1)
def test_a_paused_one_says_why_and_what_to_do(alice: User) -> None:
    with receiving(500) as receiver:
        webhook, _secret = hook(alice, receiver.url)
        tell(alice)
        send()
        content = page(alice, of(webhook))
        assert "The console has paused this webhook" in content
        assert "The receiver answered 500 instead of 2xx." in content
        assert of(webhook, "test") not in content
        delivery = Delivery.objects.get()
        held = page(alice, of(webhook, f"deliveries/{delivery.pk}"))
        assert "It is held" in held
        assert "Switch the webhook on first." in held
        again = signed_in(alice).post(of(webhook, f"deliveries/{delivery.pk}/again"))
        assert said(again) == ["Switch the webhook on first."]
        assert signed_in(alice).post(of(webhook, "on")).url == of(webhook)
        send()
    assert 'data-state="done"' in page(alice, of(webhook))


def test_off_and_gone(alice: User) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    client = signed_in(alice)
    client.post(of(webhook, "off"))
    webhook = Webhook.objects.get()
    assert webhook.state == WebhookState.OFF
    assert 'data-state="off"' in page(alice, of(webhook))
    assert client.post(of(webhook, "delete")).url == LIST
    assert not Webhook.objects.exists()


BUTTONS = ("on", "off", "test", "renew-secret", "delete")


@pytest.mark.parametrize("button", BUTTONS)
def test_buttons_are_the_owners(alice: User, bob: User, button: str) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    before = list(Webhook.objects.values())
    assert signed_in(bob).post(of(webhook, button)).status_code == 404
    assert signed_in(alice).get(of(webhook, button)).status_code == 405
    assert Client().post(of(webhook, button)).status_code == 302
    assert list(Webhook.objects.values()) == before
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("button", BUTTONS)
def test_auditors_look_and_read_why_they_may_not(root: User, otto: User, button: str) -> None:
    webhook, _secret = hook(root, NOWHERE, for_console=True)
    content = page(otto, of(webhook))
    assert f'action="{of(webhook, button)}"' not in content
    assert "Only administrators of the console may do this." in content
    before = list(Webhook.objects.values())
    assert signed_in(otto).post(of(webhook, button)).status_code == 403
    assert signed_in(otto).get(of(webhook, "change")).status_code == 403
    assert list(Webhook.objects.values()) == before


def test_the_audit_log_calls_it_by_name_and_leads_there(root: User) -> None:
    webhook, _secret = hook(root, NOWHERE)
    content = page(root, "/audit")
    assert "Webhook made" in content
    assert f'href="{of(webhook)}"' in content


def test_operators_see_what_nobody_sends(alice: User, root: User) -> None:
    def seen() -> tuple[bool, str, str]:
        figures = dict(line.rsplit(" ", 1) for line in Client().get("/metrics").content.decode().splitlines())
        waiting = figures['concord_deliveries{channel="webhook",state="waiting"}']
        late = float(figures["concord_deliveries_due_oldest_seconds"]) > 60
        return "Is the messenger running?" in page(root, "/"), waiting, str(late)

    assert seen() == (False, "0.0", "False")
    hook(alice, NOWHERE)
    tell(alice)
    assert seen() == (False, "1.0", "False")
    Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=5))
    assert seen() == (True, "1.0", "True")
    Webhook.objects.update(state=WebhookState.PAUSED)
    assert seen() == (False, "1.0", "False"), "what is held is not late"


# --- mail -------------------------------------------------------------------------------------------------------------


def test_without_a_mail_server_the_pages_say_so(alice: User) -> None:
    assert "This console sends no mail" in page(alice, "/profile")
    content = page(alice, MAIL)
    assert "This console sends no mail" in content
    assert 'action="/profile/mail/test"' not in content
    assert said(signed_in(alice).post("/profile/mail/test"))[0].startswith("This console sends no mail")


@override_settings(MAIL_ENABLED=True)
def test_without_an_address_the_pages_say_so(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="")
    assert "Enter your e-mail address above" in page(alice, "/profile")
    assert "Enter your e-mail address first." in page(alice, MAIL)


@override_settings(MAIL_ENABLED=True)
def test_wishes_are_saved_on_the_profile(alice: User) -> None:
    client = signed_in(alice)
    assert client.get("/profile").content.decode().count("checked") == len(mail_preferences(alice))
    response = client.post("/profile/mail/wanted", {"wanted": ["answers", "operation"]})
    assert response.url == "/profile"
    assert [group for group, wants in mail_preferences(alice).items() if wants] == ["answers", "operation"]
    assert client.get("/profile").content.decode().count("checked") == 2
    assert said(client.post("/profile/mail/wanted", {"wanted": ["weather"]}))[-1] == "There is no such group."
    client.post("/profile/mail/wanted", {})
    assert not any(mail_preferences(alice).values())


def test_what_became_of_each_letter(alice: User, bob: User) -> None:
    with mail_server() as server:
        server.says["alice@example.gov"] = "550 no such mailbox"
        tell(alice)
        send()
        content = page(alice, MAIL)
        assert "The mail server refused the mail: 550 no such mailbox" in content
        again = f"/profile/mail/{Delivery.objects.get().pk}/again"
        assert f'action="{again}"' in content
        assert signed_in(bob).post(again).status_code == 404
        assert "no such mailbox" not in page(bob, MAIL)
        server.says.clear()
        assert signed_in(alice).post(again).url == MAIL
        send()
        assert 'data-state="done"' in page(alice, MAIL)
    assert len(server.letters) == 1


def test_a_test_letter_says_what_is_wrong_with_the_server(alice: User) -> None:
    with mail_goes_to(free_port()):
        client = signed_in(alice)
        assert client.post("/profile/mail/test").url == MAIL
        assert is_live(page(alice, MAIL), MAIL)
        send()
        hurry()
        content = page(alice, MAIL)
    assert "The mail server cannot be used" in content
    assert not is_live(content, MAIL)
    assert settings.MAIL_ENABLED is False
