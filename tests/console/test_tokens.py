"""Tokens: made for whoever knows the password, shown once, kept as a hash, limited, expiring, revocable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from console.models import ApiToken, AuditEntry, User
from console.services.tokens import create_token, digest, revoke_token
from tests.console.conftest import PASSWORD
from tests.rest import assert_problem, client

pytestmark = pytest.mark.django_db
URL = "/api/v1/tokens"
ME = "/api/v1/me"


def ask(**changes: Any) -> Any:
    wanted = {"username": "alice", "password": PASSWORD, "name": "Permit server", **changes}
    return APIClient().post(URL, {name: value for name, value in wanted.items() if value is not None}, format="json")


def bearer(text: str, scheme: str = "Bearer") -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"{scheme} {text}")
    return made


def test_a_password_gives_a_token_that_opens_the_door(alice: User) -> None:
    answer = ask()
    assert answer.status_code == 201
    found = answer.json()
    assert set(found) == {
        "id", "name", "hint", "read_only", "created_at", "expires_at", "last_used_at", "revoked_at", "token"
    }  # fmt: skip
    assert (found["name"], found["read_only"], found["expires_at"]) == ("Permit server", False, None)
    assert found["token"].startswith(found["hint"])
    assert answer["Cache-Control"] == "private, no-store"
    me = bearer(found["token"]).get(ME)
    assert me.json()["username"] == "alice"
    assert bearer(found["token"], "bEARER").get(ME).status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.data) == (
        "console.token.created", alice, {"name": "Permit server", "read_only": False}
    )  # fmt: skip


def test_only_its_hash_is_kept(alice: User) -> None:
    text = ask().json()["token"]
    row = ApiToken.objects.get()
    assert row.digest == digest(text)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM console_apitoken")
        stored = repr(cursor.fetchall())
    assert text not in stored
    assert text not in repr(list(AuditEntry.objects.values()))
    assert text not in str(client(alice).get(URL).json())


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"username": "nobody"}, {"username": "ALICE"}])
def test_wrong_passwords_say_nothing(alice: User, changes: dict[str, str]) -> None:
    answer = ask(**changes)
    assert_problem(answer, 401)
    assert answer.json()["code"] == "bad_credentials"
    assert answer.json()["detail"] == "Unknown user name or wrong password."
    assert not ApiToken.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_disabled_user_gets_none_and_has_none(alice: User) -> None:
    text = ask().json()["token"]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert_problem(ask(), 401)
    assert_problem(bearer(text).get(ME), 401)


PAST = timezone.now() - timedelta(seconds=1)
BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nothing": ({"username": None, "password": None, "name": None}, ("name", "password", "username")),
    "no name": ({"name": " "}, ("name",)),
    "a name too long": ({"name": "x" * 101}, ("name",)),
    "an unknown field": ({"scope": "all"}, ("scope",)),
    "a time that has passed": ({"expires_at": PAST.isoformat()}, ("expires_at",)),
    "a time that is none": ({"expires_at": "soon"}, ("expires_at",)),
    "a yes that is none": ({"read_only": "perhaps"}, ("read_only",)),
    "a name that is a list": ({"name": ["x"]}, ("name",)),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_name_the_field(alice: User, case: str) -> None:
    changes, fields = BAD[case]
    assert_problem(ask(**changes), 422, *fields)
    assert not ApiToken.objects.exists()


def test_a_broken_token_does_not_hinder_asking_for_a_new_one(alice: User) -> None:
    body = {"username": "alice", "password": PASSWORD, "name": "x"}
    assert bearer("concord_broken").post(URL, body, format="json").status_code == 201


def test_knocking_is_limited(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"tokens": "3/min", "registrations": "3/min"})
    assert [ask(password="wrong").status_code for _knock in range(4)] == [401, 401, 401, 429]
    answer = ask()
    assert_problem(answer, 429)
    assert int(answer["Retry-After"]) > 0
    assert client(alice).get(URL).status_code == 200, "reading is not limited"


def test_a_header_of_ones_own_does_not_evade_the_limit(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"tokens": "2/min", "registrations": "2/min"})
    body = {"username": "alice", "password": "wrong", "name": "x"}
    knocks = [APIClient().post(URL, body, format="json", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(3)]
    assert [answer.status_code for answer in knocks] == [401, 401, 429]


# --- what a token opens -----------------------------------------------------------------------------------------------


def test_a_read_only_token_reads(alice: User) -> None:
    reading = bearer(ask(read_only=True).json()["token"])
    assert reading.get(URL).status_code == 200
    for verb, place in (("post", "/api/v1/notifications/read"), ("delete", f"{URL}/{ApiToken.objects.get().pk}")):
        answer = getattr(reading, verb)(place)
        assert_problem(answer, 403)
        assert answer.json()["detail"] == "This token may only read."
    assert ApiToken.objects.get().revoked_at is None


def test_a_token_expires(alice: User) -> None:
    text = ask(expires_at=(timezone.now() + timedelta(hours=1)).isoformat()).json()["token"]
    assert bearer(text).get(ME).status_code == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = bearer(text).get(ME)
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_opens_nothing(alice: User) -> None:
    text = ask().json()["token"]
    place = f"{URL}/{ApiToken.objects.get().pk}"
    assert bearer(text).delete(place).status_code == 204
    assert_problem(bearer(text).get(ME), 401)
    assert client(alice).delete(place).status_code == 204, "again changes nothing"
    assert AuditEntry.objects.filter(action="console.token.revoked").count() == 1
    assert client(alice).get(URL).json()["results"][0]["revoked_at"] is not None


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer concord_", "Bearer ä€", "Bearer a b"]
)
def test_tokens_that_are_none(alice: User, header: str) -> None:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=header)
    assert_problem(made.get(ME), 401)


def test_other_schemes_do_not_count(alice: User) -> None:
    text = ask().json()["token"]
    for scheme in ("Basic", "Token", ""):
        assert_problem(bearer(text, scheme).get(ME), 401)
    assert_problem(APIClient().get(f"{ME}?token={text}"), 401)


def test_tokens_are_each_users_own(alice: User, bob: User, root: User) -> None:
    token, _text = create_token(actor=alice, name="Alice's")
    for other in (bob, root):
        assert client(other).get(URL).json()["count"] == 0
        assert_problem(client(other).delete(f"{URL}/{token.pk}"), 404)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_use_is_noted_but_not_at_every_call(alice: User, django_assert_num_queries: Any) -> None:
    caller = bearer(ask().json()["token"])
    caller.get(ME)
    assert ApiToken.objects.get().last_used_at is not None
    with django_assert_num_queries(2):  # the token, the unread notifications
        caller.get(ME)


def test_the_list_has_a_budget(alice: User, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        token, _text = create_token(actor=alice, name=f"{number:02}")
    revoke_token(actor=alice, token_id=token.pk)
    with django_assert_max_num_queries(2):
        assert len(client(alice).get(URL).json()["results"]) == 20
    names = [row["name"] for row in client(alice).get(URL, {"ordering": "name"}).json()["results"]]
    assert names == sorted(names)
    for words, count in {"revoked=true": 1, "revoked=false": 19, "read_only=true": 0}.items():
        assert client(alice).get(f"{URL}?{words}").json()["count"] == count


def test_who_nobody_is() -> None:
    assert_problem(APIClient().get(URL), 401)
    assert_problem(APIClient().get(ME), 401)


def test_me(root: User) -> None:
    assert client(root).get(ME).json() == {
        "id": str(root.pk),
        "username": "root",
        "name": "",
        "email": "root@example.gov",
        "console_role": "administrator",
        "administrator": True,
        "language": "",
        "unread": 0,
    }
