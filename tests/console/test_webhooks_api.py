"""Webhooks and mail by REST: whose they are, what is refused, and that no secret is ever shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from console.errors import NotAllowed
from console.models import AuditEntry, Delivery, User, Webhook, WebhookState
from console.services import tokens
from console.services.webhooks import switch_off_any_webhook
from tests.console.pages import signed_in
from tests.console.postbox import hook, hurry, receiving, send, tell
from tests.rest import assert_problem, client

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks"
NOWHERE = "http://127.0.0.1:9/hooks"
GOOD = {"name": "Permit server", "url": NOWHERE}


def made(by: User, **more: Any) -> dict[str, Any]:
    response = client(by).post(HOOKS, {**GOOD, **more})
    assert response.status_code == 201, response.content
    return response.json()


# --- the life of one --------------------------------------------------------------------------------------------------


def test_the_secret_is_in_the_answer_and_nowhere_else(alice: User) -> None:
    webhook = made(alice, events=["union", "invitation", "union"])
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook["events"] == ["invitation", "union"]
    assert (webhook["state"], webhook["failures"], webhook["waiting"]) == ("active", 0, 0)
    api, address = client(alice), f"{HOOKS}/{webhook['id']}"
    assert api.get(address).json() == webhook
    assert api.get(HOOKS).json()["results"] == [webhook]
    later = [api.patch(address, {"name": "Permits"}), api.post(f"{address}/switch-off"), api.post(f"{address}/test")]
    for response in (api.get(address), api.get(HOOKS), *later):
        assert "secret" not in response.content.decode()
        assert secret not in response.content.decode()
    entry = AuditEntry.objects.get(action="console.webhook.created")
    assert entry.data == {"url": NOWHERE, "events": ["invitation", "union"], "console": False}


def test_a_message_from_the_notification_to_the_log(alice: User) -> None:
    with receiving(500) as receiver:
        webhook = made(alice, url=receiver.url)
        tell(alice)
        send()
        api, log = client(alice), f"{HOOKS}/{webhook['id']}/deliveries"
        (listed,) = api.get(log).json()["results"]
        assert (listed["event"], listed["state"], listed["attempts"]) == ("union", "waiting", 1)
        assert listed["title"] == "The union Permits is open"
        assert (listed["code"], listed["reason"]) == ("answered", "The receiver answered 500 instead of 2xx.")
        assert listed["next_attempt_at"]
        assert api.get(f"{HOOKS}/{webhook['id']}").json()["failures"] == 1
        again = api.post(f"{log}/{listed['id']}/send-again")
        assert again.status_code == 200
        send()
        detail = api.get(f"{log}/{listed['id']}").json()
    assert (detail["state"], detail["next_attempt_at"]) == ("delivered", None)
    assert [(each["number"], each["status"], each["code"]) for each in detail["log"]] == [
        (1, 500, "answered"),
        (2, 204, ""),
    ]
    assert detail["payload"] == receiver.got[1].json
    assert {each.headers["webhook-id"] for each in receiver.got} == {listed["message_id"]}


def test_a_test(alice: User) -> None:
    with receiving() as receiver:
        webhook = made(alice, url=receiver.url)
        response = client(alice).post(f"{HOOKS}/{webhook['id']}/test")
        assert (response.status_code, response.json()["event"]) == (201, "test")
        send()
        log = f"{HOOKS}/{webhook['id']}/deliveries/{response.json()['id']}"
        assert client(alice).get(log).json()["state"] == "delivered"
    assert receiver.got[0].is_signed_with(webhook["secret"])


def test_tests_that_fail_pause_nothing(alice: User) -> None:
    number = settings.WEBHOOK_PAUSE_AFTER + 1
    with receiving(*[410] * number) as receiver:
        webhook = made(alice, url=receiver.url)
        for _test in range(number):
            client(alice).post(f"{HOOKS}/{webhook['id']}/test")
            send()
        assert len(receiver.got) == number
    after = client(alice).get(f"{HOOKS}/{webhook['id']}").json()
    assert (after["state"], after["failures"]) == ("active", 0)


def test_changing_and_renewing(alice: User) -> None:
    with receiving() as receiver:
        webhook = made(alice)
        address = f"{HOOKS}/{webhook['id']}"
        changed = client(alice).patch(address, {"url": receiver.url, "events": ["union"]}).json()
        assert (changed["name"], changed["url"], changed["events"]) == ("Permit server", receiver.url, ["union"])
        renewed = client(alice).post(f"{address}/renew-secret").json()
        assert renewed["secret"] != webhook["secret"]
        tell(alice)
        send()
    assert receiver.got[0].is_signed_with(renewed["secret"])


def test_a_change_that_changes_nothing_is_none(alice: User) -> None:
    webhook = made(alice)
    for body in ({}, {"name": webhook["name"]}):
        assert client(alice).patch(f"{HOOKS}/{webhook['id']}", body).status_code == 200
    assert not AuditEntry.objects.filter(action="console.webhook.changed").exists()


def test_off_on_and_deleted(alice: User) -> None:
    address = f"{HOOKS}/{made(alice)['id']}"
    api = client(alice)
    for verb, state in (("switch-off", "off"), ("switch-off", "off"), ("switch-on", "active"), ("switch-on", "active")):
        assert api.post(f"{address}/{verb}").json()["state"] == state
    assert AuditEntry.objects.filter(action__startswith="console.webhook.switched").count() == 2
    assert api.delete(address).status_code == 204
    assert_problem(api.get(address), 404)
    assert AuditEntry.objects.filter(action="console.webhook.deleted").count() == 1


def test_what_is_off_or_paused_takes_no_test(alice: User) -> None:
    webhook = made(alice)
    address, api = f"{HOOKS}/{webhook['id']}", client(alice)
    tell(alice)
    delivery = Delivery.objects.get()
    api.post(f"{address}/switch-off")
    assert_problem(api.post(f"{address}/test"), 409)
    assert_problem(api.post(f"{address}/deliveries/{delivery.pk}/send-again"), 409)
    delivery.refresh_from_db()
    assert delivery.state == "failed"
    Webhook.objects.update(state=WebhookState.PAUSED)
    assert_problem(api.post(f"{address}/test"), 409)
    assert Delivery.objects.count() == 1


def test_not_while_it_is_being_sent(alice: User) -> None:
    from console.deliveries.post import Post

    with receiving() as receiver:
        webhook = made(alice, url=receiver.url)
        tell(alice)
        post = Post()
        post.turn(0)
        delivery = Delivery.objects.get()
        response = client(alice).post(f"{HOOKS}/{webhook['id']}/deliveries/{delivery.pk}/send-again")
        assert_problem(response, 409)
        send(post)
    assert len(receiver.got) == 1


# --- whose they are ---------------------------------------------------------------------------------------------------

Call = Callable[[Any, str], Any]
CALLS: dict[str, Call] = {
    "get": lambda api, address: api.get(address),
    "change": lambda api, address: api.patch(address, {"name": "Mine now"}),
    "delete": lambda api, address: api.delete(address),
    "switch on": lambda api, address: api.post(f"{address}/switch-on"),
    "switch off": lambda api, address: api.post(f"{address}/switch-off"),
    "renew": lambda api, address: api.post(f"{address}/renew-secret"),
    "test": lambda api, address: api.post(f"{address}/test"),
    "log": lambda api, address: api.get(f"{address}/deliveries"),
    "message": lambda api, address: api.get(f"{address}/deliveries/{Delivery.objects.get().pk}"),
    "send again": lambda api, address: api.post(f"{address}/deliveries/{Delivery.objects.get().pk}/send-again"),
}
READS = ("get", "log", "message")


def everything() -> list[Any]:
    return [*Webhook.objects.values(), *Delivery.objects.values(), AuditEntry.objects.count()]


@pytest.mark.parametrize("call", CALLS)
def test_a_stranger_sees_nothing_not_even_an_administrator(alice: User, bob: User, root: User, call: str) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    tell(alice)
    before = everything()
    for stranger in (bob, root):
        assert_problem(CALLS[call](client(stranger), f"{HOOKS}/{webhook.pk}"), 404)
    assert everything() == before
    assert client(bob).get(HOOKS).json()["count"] == 0


@pytest.mark.parametrize("call", CALLS)
def test_the_consoles_own_is_changed_by_administrators_and_read_by_auditors(
    alice: User, root: User, otto: User, call: str
) -> None:
    webhook, _secret = hook(root, NOWHERE, for_console=True)
    tell(alice)
    address, before = f"{HOOKS}/{webhook.pk}", everything()
    assert_problem(CALLS[call](client(alice), address), 404)
    by_auditor = CALLS[call](client(otto), address)
    if call in READS:
        assert by_auditor.status_code == 200
    else:
        assert_problem(by_auditor, 403)
    assert everything() == before
    other = User.objects.create_user("ruth", "ruth@example.gov", "x", console_role="administrator")
    assert CALLS[call](client(other), address).status_code in (200, 201, 204)


def test_only_administrators_make_those_of_the_console(alice: User, otto: User) -> None:
    for somebody in (alice, otto):
        assert_problem(client(somebody).post(HOOKS, {**GOOD, "for_console": True}), 403)
    assert everything() == [0]


def test_nobody_and_a_token_that_may_only_read(alice: User) -> None:
    _token, text = tokens.create_token(actor=alice, name="reader", read_only=True)
    assert_problem(client().post(HOOKS, GOOD), 401)
    api = client()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert api.get(HOOKS).status_code == 200
    assert_problem(api.post(HOOKS, GOOD), 403)
    assert not Webhook.objects.exists()


def test_a_delivery_belongs_to_one_webhook(alice: User) -> None:
    first, _secret = hook(alice, NOWHERE, events=["union"])
    second, _secret = hook(alice, NOWHERE, events=["invitation"])
    tell(alice)
    delivery = Delivery.objects.get()
    assert delivery.webhook == first
    assert_problem(client(alice).get(f"{HOOKS}/{second.pk}/deliveries/{delivery.pk}"), 404)
    assert_problem(client(alice).post(f"{HOOKS}/{second.pk}/deliveries/{delivery.pk}/send-again"), 404)


# --- what is refused --------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nothing": ({}, ("name", "url")),
    "no name": ({"url": NOWHERE}, ("name",)),
    "an empty name": ({**GOOD, "name": "  "}, ("name",)),
    "a long name": ({**GOOD, "name": "x" * 101}, ("name",)),
    "a name that is a list": ({**GOOD, "name": ["x"]}, ("name",)),
    "no address": ({"name": "x"}, ("url",)),
    "another scheme": ({**GOOD, "url": "ftp://example.gov/"}, ("url",)),
    "a file": ({**GOOD, "url": "file:///etc/passwd"}, ("url",)),
    "no scheme": ({**GOOD, "url": "permits.example.gov/hooks"}, ("url",)),
    "no host": ({**GOOD, "url": "https:///hooks"}, ("url",)),
    "a port out of range": ({**GOOD, "url": "https://example.gov:99999/"}, ("url",)),
    "half an address": ({**GOOD, "url": "http://[::1/"}, ("url",)),
    "a password": ({**GOOD, "url": "https://user:s3cret@example.gov/"}, ("url",)),
    "a fragment": ({**GOOD, "url": "https://example.gov/#part"}, ("url",)),
    "a space": ({**GOOD, "url": "https://example.gov/a b"}, ("url",)),
    "a line break": ({**GOOD, "url": "https://example.gov/a\r\nhost: x"}, ("url",)),
    "a long address": ({**GOOD, "url": "https://example.gov/" + "x" * 500}, ("url",)),
    "the cloud's metadata": ({**GOOD, "url": "http://169.254.169.254/latest"}, ("url",)),
    "the same, in disguise": ({**GOOD, "url": "http://[::ffff:169.254.169.254]/"}, ("url",)),
    "everywhere": ({**GOOD, "url": "http://0.0.0.0/"}, ("url",)),
    "an unknown event": ({**GOOD, "events": ["union", "weather"]}, ("events",)),
    "an event that is not for webhooks": ({**GOOD, "events": ["webhook"]}, ("events",)),
    "events that are a text": ({**GOOD, "events": "union"}, ("events",)),
    "events that are no texts": ({**GOOD, "events": [{}]}, ("events.0",)),
    "too many events": ({**GOOD, "events": ["union"] * 101}, ("events",)),
    "an unknown field": ({**GOOD, "secret": "whsec_mine"}, ("secret",)),
    "everything at once": ({"name": " ", "url": "x", "events": ["weather"]}, ("name",)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(alice: User, case: str) -> None:
    body, fields = BAD[case]
    response = client(alice).post(HOOKS, body)
    assert_problem(response, 422, *fields)
    assert "s3cret" not in response.content.decode()
    assert everything() == [0]


@pytest.mark.parametrize("case", [case for case in BAD if case not in ("nothing", "no name", "no address")])
def test_bad_changes(alice: User, case: str) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    before = everything()
    body, fields = BAD[case]
    assert_problem(client(alice).patch(f"{HOOKS}/{webhook.pk}", body), 422, *fields)
    assert everything() == before


def test_every_error_of_a_service_is_named_at_once(alice: User) -> None:
    body = {"name": "x", "url": "gopher://example.gov/", "events": ["weather"]}
    assert_problem(client(alice).post(HOOKS, body), 422, "url", "events")


@override_settings(ALLOW_PRIVATE_WEBHOOKS=False)
@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "[::1]", "[fd00::1]"])
def test_private_addresses_where_they_are_not_allowed(alice: User, host: str) -> None:
    assert_problem(client(alice).post(HOOKS, {**GOOD, "url": f"http://{host}/"}), 422, "url")
    assert client(alice).post(HOOKS, {**GOOD, "url": "https://permits.example.gov/"}).status_code == 201


@override_settings(WEBHOOKS_PER_OWNER=2)
def test_no_more_than_allowed(alice: User, bob: User, root: User) -> None:
    for owner in (alice, root):
        made(owner)
        made(owner)
        assert_problem(client(owner).post(HOOKS, GOOD), 409)
    made(bob)
    made(root, for_console=True)


# --- lists ------------------------------------------------------------------------------------------------------------


def test_lists_are_narrowed_and_ordered(alice: User, root: User) -> None:
    hook(root, NOWHERE, for_console=True)
    hook(root, "https://archive.example.gov/")
    Webhook.objects.filter(owner=root).update(name="Archive", state=WebhookState.PAUSED)
    api = client(root)

    def names(query: str) -> list[str]:
        return [each["name"] for each in api.get(f"{HOOKS}?{query}").json()["results"]]

    assert names("") == ["Archive", "Permit server"]
    assert names("ordering=-name") == ["Permit server", "Archive"]
    assert names("state=paused") == names("q=archive") == names("for_console=false") == ["Archive"]
    assert names("for_console=true") == ["Permit server"]
    assert_problem(api.get(f"{HOOKS}?state=nonsense"), 422, "state")


def test_the_log_is_narrowed(alice: User) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    tell(alice, kind="union")
    tell(alice, kind="proposal")
    Delivery.objects.filter(notification__kind="union").update(state="delivered")
    log = f"{HOOKS}/{webhook.pk}/deliveries"
    for query, events in (("", ["proposal", "union"]), ("state=waiting", ["proposal"]), ("event=union", ["union"])):
        found = client(alice).get(f"{log}?{query}").json()["results"]
        assert [each["event"] for each in found] == events


@pytest.mark.parametrize("which", ["webhooks", "deliveries", "delivery"])
def test_a_list_asks_no_more_when_there_is_more(alice: User, which: str) -> None:
    webhook, _secret = hook(alice, NOWHERE)
    tell(alice)
    delivery = Delivery.objects.get()
    log = f"{HOOKS}/{webhook.pk}/deliveries"
    address = {"webhooks": HOOKS, "deliveries": log, "delivery": f"{log}/{delivery.pk}"}[which]

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client(alice).get(address).status_code == 200
        return len(captured)

    few = queries()
    for _number in range(6):
        hook(alice, NOWHERE)
        tell(alice)
        hurry()
        send()
    assert queries() == few <= 4


def test_the_events(alice: User) -> None:
    events = client(alice).get("/api/v1/webhook-events").json()
    assert {"event": "invitation", "title": "You are asked for your answer", "group": "answers"} in events
    assert "webhook" not in [each["event"] for each in events]


# --- mail -------------------------------------------------------------------------------------------------------------


def test_wishes_about_mail(alice: User, bob: User) -> None:
    api = client(alice)
    wanted = {"answers": True, "registrations": True, "work": True, "operation": True}
    assert api.get("/api/v1/mail").json() == {"enabled": False, "address": "alice@example.gov", "wanted": wanted}
    response = api.patch("/api/v1/mail", {"wanted": {"operation": False}})
    assert response.json()["wanted"] == wanted | {"operation": False}
    assert client(bob).get("/api/v1/mail").json()["wanted"] == wanted
    with override_settings(MAIL_ENABLED=True):
        assert api.get("/api/v1/mail").json()["enabled"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ("wanted",)),
        ({"wanted": {"weather": True}}, ("wanted.weather",)),
        ({"wanted": {"actor": True}}, ("wanted.actor",)),
        ({"wanted": {"work": "perhaps"}}, ("wanted.work",)),
        ({"wanted": []}, ("wanted",)),
        ({"work": False}, ("wanted", "work")),
    ],
)
def test_bad_wishes(alice: User, body: dict[str, Any], fields: tuple[str, ...]) -> None:
    assert_problem(client(alice).patch("/api/v1/mail", body), 422, *fields)
    assert not alice.mail_preferences.exists()


# --- the support site -------------------------------------------------------------------------------------------------


def test_support_sees_all_without_secrets_and_can_switch_one_off(alice: User, root: User) -> None:
    webhook, secret = hook(alice, NOWHERE)
    tell(alice)
    site = signed_in(root)
    delivery = Delivery.objects.get()
    for address in ("webhook/", f"webhook/{webhook.pk}/change/", "delivery/", f"delivery/{delivery.pk}/change/"):
        response = site.get(f"/admin/console/{address}")
        assert response.status_code == 200
        assert secret not in response.content.decode()
        assert "••••••" not in response.content.decode()
    assert site.post("/admin/console/webhook/", {"action": "switch_off_webhooks", "_selected_action": [webhook.pk]})
    webhook.refresh_from_db()
    assert webhook.state == WebhookState.OFF
    assert AuditEntry.objects.get(action="console.webhook.switched_off").actor == root
    with pytest.raises(NotAllowed):
        switch_off_any_webhook(actor=alice, webhook_id=webhook.pk)
