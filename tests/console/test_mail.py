"""Mail: who gets it about what, in which language, and a real mail server that takes it, refuses it or is not there."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail as outgoing
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import timezone

from console.deliveries.post import Post
from console.errors import Conflict, Invalid
from console.kinds import Group
from console.mailserver import MailServer, read_mail_url, sender_at
from console.models import AuditEntry, Delivery, DeliveryState, MailPreference, Notification, User
from console.services.deliveries import mail_preferences, send_again, send_test_mail, set_mail_preferences
from tests.console.conftest import person
from tests.console.postbox import (
    free_port,
    hook,
    hurry,
    mail_goes_to,
    mail_server,
    receiving,
    send,
    states,
    tell,
    the_delivery,
    turns_until,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def with_mail() -> Any:
    with override_settings(MAIL_ENABLED=True):
        yield


# --- a real server ----------------------------------------------------------------------------------------------------


def test_what_a_user_is_told_arrives(alice: User) -> None:
    with mail_server() as server:
        tell(alice)
        assert send() == 1
    (letter,) = server.letters
    assert letter["subject"] == "[Concord] The union Permits is open"
    assert letter["to"] == "alice@example.gov"
    assert letter["from"] == settings.DEFAULT_FROM_EMAIL
    assert letter["auto-submitted"] == "auto-generated"
    assert the_delivery().key.hex in letter["message-id"]
    text = letter.get_content()
    assert "Hello alice," in text
    assert "Reason: all agreed" in text
    assert f"{settings.PUBLIC_URL}/unions/union-1" in text
    assert f"{settings.PUBLIC_URL}/profile" in text
    assert states() == ["delivered"]


def test_letters_beyond_ascii() -> None:
    mei = person("mei", first_name="梅")
    with mail_server() as server:
        tell(mei, title="联盟“许可”已开放 — Größe")
        send()
    (letter,) = server.letters
    assert letter["subject"].strip() == "[Concord] 联盟“许可”已开放 — Größe"
    assert "Hello 梅," in letter.get_content()


def test_a_title_makes_no_header_of_its_own(alice: User) -> None:
    with mail_server() as server:
        tell(alice, title="Open\r\nBcc: mallory@example.com\r\n\r\nand more")
        send()
    (letter,) = server.letters
    assert letter["bcc"] is None
    assert letter["subject"] == "[Concord] Open Bcc: mallory@example.com and more"


def test_a_recipient_that_does_not_exist_is_given_up_alone(alice: User, bob: User) -> None:
    with mail_server() as server:
        server.says["alice@example.gov"] = "550 5.1.1 no such mailbox"
        tell(alice, bob)
        send()
    assert [letter["to"] for letter in server.letters] == ["bob@example.gov"]
    refused = Delivery.objects.get(user=alice)
    assert (refused.state, refused.code) == (DeliveryState.FAILED, "mail_refused")
    assert "no such mailbox" in refused.reason
    assert refused.attempts.get().status == 550


def test_not_now_is_tried_again(alice: User) -> None:
    with mail_server() as server:
        server.says["alice@example.gov"] = "451 4.7.1 greylisted, come back later"
        tell(alice)
        send()
        delivery = the_delivery()
        assert (delivery.state, delivery.code) == (DeliveryState.WAITING, "mail_later")
        assert delivery.due_at > timezone.now()
        server.says.clear()
        hurry()
        send()
    assert states() == ["delivered"]
    assert len(server.letters) == 1


def test_a_letter_that_the_server_does_not_like(alice: User) -> None:
    with mail_server() as server:
        server.says_to_data.append("554 5.7.1 looks like spam")
        tell(alice)
        send()
    assert (states(), the_delivery().code) == (["failed"], "mail_refused")


def test_a_server_that_is_not_there_fails_no_use_case_and_no_webhook(alice: User) -> None:
    with mail_goes_to(free_port()), receiving() as receiver:
        hook(alice, receiver.url)
        tell(alice)
        send()
        assert len(receiver.got) == 1
        letter = Delivery.objects.get(channel="mail")
        assert (letter.state, letter.code) == (DeliveryState.WAITING, "mail_unreachable")
    assert Notification.objects.filter(user=alice, kind="union").count() == 1
    with mail_server() as server:
        hurry()
        send()
    assert len(server.letters) == 1, "it arrives once the server is back"


@contextmanager
def saying_nothing() -> Iterator[tuple[int, list[socket.socket]]]:
    """A mail server that accepts connections, says nothing, and hangs up in the end."""
    callers: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    callers.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], callers
        listener.shutdown(socket.SHUT_RDWR)
    for caller in callers:
        caller.close()


def test_a_server_that_says_nothing_holds_up_no_webhook(alice: User) -> None:
    with saying_nothing() as (port, callers), receiving() as receiver:
        with mail_goes_to(port, EMAIL_TIMEOUT=20):
            hook(alice, receiver.url)
            for _message in range(9):
                tell(alice)
            post = Post()
            assert turns_until(post, lambda: len(receiver.got) == 9 and len(callers) >= 4)
            post.turn(0.3)
            assert len(callers) == 4, "several letters at a time, but not all that there is room for"
        for caller in list(callers):
            caller.close()
        letters = Delivery.objects.filter(channel="mail")
        assert turns_until(post, lambda: not letters.exclude(state="waiting").exists())
    assert set(letters.values_list("code", flat=True)) <= {"", "mail_unreachable"}


def test_while_the_server_fails_other_letters_wait_with_the_one_that_found_out(alice: User) -> None:
    with mail_goes_to(free_port()):
        for _message in range(20):
            tell(alice)
        assert 1 <= send() < 20
    assert not Delivery.objects.filter(state="waiting", due_at__lte=timezone.now()).exists()


def test_a_worker_lost_while_a_letter_is_under_way(alice: User) -> None:
    with mail_server() as server:
        tell(alice)
        Post()._take_up()
        Delivery.objects.filter(state="sending").update(lease_until=timezone.now())
        send()
    assert states() == ["delivered"]
    assert len({letter["message-id"] for letter in server.letters}) == 1, "a copy can be told by its id"


# --- who gets it ------------------------------------------------------------------------------------------------------


def test_without_a_mail_server_nothing_is_promised(alice: User) -> None:
    assert not settings.MAIL_ENABLED
    tell(alice)
    assert not Delivery.objects.exists()
    with pytest.raises(Conflict, match="sends no mail"):
        send_test_mail(actor=alice)


@pytest.mark.usefixtures("with_mail")
def test_who_gets_none(alice: User) -> None:
    no_address, gone = person("nobody"), person("gone")
    User.objects.filter(pk=no_address.pk).update(email="")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    tell(alice, *User.objects.filter(pk__in=[no_address.pk, gone.pk]))
    assert [each.user for each in Delivery.objects.all()] == [alice]


@pytest.mark.usefixtures("with_mail")
def test_whoever_has_no_address_any_more(alice: User) -> None:
    tell(alice)
    User.objects.filter(pk=alice.pk).update(email="")
    send()
    assert (states(), the_delivery().code) == (["failed"], "no_address")
    assert outgoing.outbox == []


@pytest.mark.usefixtures("with_mail")
def test_mail_that_was_switched_off_meanwhile(alice: User) -> None:
    tell(alice)
    with override_settings(MAIL_ENABLED=False):
        send()
    assert (states(), the_delivery().code) == (["failed"], "mail_off")


@pytest.mark.usefixtures("with_mail")
def test_everybody_says_what_mail_is_wanted_for(alice: User, bob: User) -> None:
    assert mail_preferences(alice) == dict.fromkeys(Group.values, True)
    after = set_mail_preferences(actor=alice, wanted={"work": False})
    assert after == mail_preferences(alice) == dict.fromkeys(Group.values, True) | {"work": False}
    tell(alice, bob, kind="union")
    assert [each.user for each in Delivery.objects.all()] == [bob]
    tell(alice, kind="registration")
    assert Delivery.objects.filter(user=alice).count() == 1
    assert Notification.objects.filter(user=alice).count() == 2, "in the console everything is told"
    set_mail_preferences(actor=alice, wanted={"work": True})
    tell(alice, kind="union")
    assert Delivery.objects.filter(user=alice).count() == 2


def test_wishes_are_on_record_when_they_change(alice: User) -> None:
    set_mail_preferences(actor=alice, wanted={"work": True})
    assert not AuditEntry.objects.exists()
    assert not MailPreference.objects.exists()
    set_mail_preferences(actor=alice, wanted={"work": False, "operation": False})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.data["wanted"]["work"]) == ("console.user.mail_chosen", False)


def test_a_group_that_is_none(alice: User) -> None:
    with pytest.raises(Invalid) as problem:
        set_mail_preferences(actor=alice, wanted={"work": False, "weather": True})
    assert set(problem.value.errors) == {"wanted.weather"}
    assert mail_preferences(alice)["work"]


@pytest.mark.usefixtures("with_mail")
def test_a_letter_speaks_its_readers_language() -> None:
    mei = person("mei", language="zh-hans")
    tell(mei, title="Log out")  # Django itself brings its translation
    send()
    assert outgoing.outbox[0].subject == "[Concord] 注销"


@pytest.mark.usefixtures("with_mail")
def test_a_test_letter_and_sending_again(alice: User, bob: User) -> None:
    delivery = send_test_mail(actor=alice)
    send()
    assert outgoing.outbox[0].subject == "[Concord] A test by the console"
    assert outgoing.outbox[0].to == ["alice@example.gov"]
    send_again(actor=alice, delivery_id=delivery.pk)
    send()
    assert len(outgoing.outbox) == 2
    with pytest.raises(Exception, match="Not found"):
        send_again(actor=bob, delivery_id=delivery.pk)


# --- the address of the server ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", {"enabled": False}),
        ("  ", {"enabled": False}),
        ("smtp://mail.example.gov", {"host": "mail.example.gov", "port": 25, "tls": False, "starttls": False}),
        (
            "smtp://concord%40example.gov:p%2Fw@mail:587?tls=yes",
            {"user": "concord@example.gov", "password": "p/w", "port": 587, "starttls": True, "tls": False},
        ),
        ("smtps://mail", {"port": 465, "tls": True, "starttls": False, "sender": "default"}),
        ("smtps://mail?from=Permits%20%3Cp%40example.gov%3E", {"sender": "Permits <p@example.gov>"}),
        ("console:", {"backend": "django.core.mail.backends.console.EmailBackend"}),
        ("file:///tmp/letters", {"folder": "/tmp/letters"}),
        ("file:", {"folder": "/data/mail"}),
    ],
)
def test_addresses_of_servers(url: str, wanted: dict[str, Any]) -> None:
    read = read_mail_url(url, data_dir=Path("/data"), sender="default")
    assert {name: getattr(read, name) for name in wanted} == wanted
    assert read.enabled == bool(url.strip())


@pytest.mark.parametrize(
    "url", ["mail.example.gov:25", "http://mail", "smtp://", "smtp://mail:99999", "smtp://u:s3cret@"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as problem:
        read_mail_url(url, data_dir=Path("/data"), sender="default")
    assert "s3cret" not in str(problem.value)


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://concord.example.gov", "concord.example.gov"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
    ],
)
def test_who_writes(public_url: str, host: str) -> None:
    assert re.fullmatch(rf"Concord <concord@{re.escape(host)}>", sender_at(public_url))


def test_without_a_server_a_letter_goes_nowhere() -> None:
    assert MailServer().backend.endswith("dummy.EmailBackend")
