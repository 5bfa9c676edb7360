"""Notifications: each user's own, in each reader's language, read one by one or all at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_noop

from console.models import Notification, User
from console.services.notifications import notify
from tests.rest import assert_problem, client

pytestmark = pytest.mark.django_db
URL = "/api/v1/notifications"


def tell(*users: User, title: str = "Told %(what)s", **more: Any) -> None:
    with transaction.atomic():
        notify(users, kind="tests", title=title, **{"parameters": {"what": "something"}, **more})


def test_everyone_is_told_once(alice: User, bob: User) -> None:
    tell(alice, bob, alice)
    assert Notification.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_telling_is_part_of_its_transaction(alice: User) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        notify([alice], kind="tests", title="Told")


def test_one_as_it_is_answered(alice: User) -> None:
    tell(alice, body="Go there.", link="/proposals/1")
    row = Notification.objects.get()
    assert client(alice).get(URL).json()["results"] == [
        {
            "id": str(row.pk),
            "kind": "tests",
            "title": "Told something",
            "body": "Go there.",
            "link": "/proposals/1",
            "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
            "read_at": None,
        }
    ]


def test_reading_one_and_reading_all(alice: User, bob: User) -> None:
    for _number in range(3):
        tell(alice, bob)
    first = Notification.objects.filter(user=alice).earliest("pk")
    answer = client(alice).post(f"{URL}/{first.pk}/read")
    assert answer.status_code == 200
    assert answer.json()["read_at"] is not None
    assert client(alice).get(URL, {"unread": "true"}).json()["count"] == 2
    assert client(alice).get(URL, {"unread": "false"}).json()["count"] == 1
    assert client(alice).post(f"{URL}/read").json() == {"read": 2}
    assert client(alice).post(f"{URL}/read").json() == {"read": 0}
    assert client(bob).get(URL, {"unread": "true"}).json()["count"] == 3


def test_reading_again_keeps_the_first_time(alice: User) -> None:
    tell(alice)
    place = f"{URL}/{Notification.objects.get().pk}/read"
    assert client(alice).post(place).json() == client(alice).post(place).json()


def test_others_notifications_are_not_there(alice: User, bob: User, root: User) -> None:
    tell(alice)
    place = f"{URL}/{Notification.objects.get().pk}/read"
    for other in (bob, root):
        assert client(other).get(URL).json()["count"] == 0
        assert_problem(client(other).post(place), 404)
    assert_problem(client().post(place), 401)
    assert Notification.objects.get().read_at is None


def test_they_speak_the_readers_language(alice: User) -> None:
    title = gettext_noop("Running")
    tell(alice, title=title, parameters={})
    with translation.override("zh-hans"):
        expected = translation.gettext(title)
    found = client(alice).get(URL, HTTP_ACCEPT_LANGUAGE="zh-hans").json()["results"][0]["title"]
    assert found == expected


@pytest.mark.parametrize("title", ["100% done", "%(missing)s", "%d things", "%"])
def test_a_title_that_does_not_fit_its_parameters_is_shown_as_it_is(alice: User, title: str) -> None:
    tell(alice, title=title)
    assert client(alice).get(URL).json()["results"][0]["title"] == title


def test_the_list_has_a_budget(alice: User, django_assert_max_num_queries: Any) -> None:
    for _number in range(20):
        tell(alice)
    with django_assert_max_num_queries(2):
        assert len(client(alice).get(URL).json()["results"]) == 20
