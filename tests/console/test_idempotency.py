"""`Idempotency-Key`: the same request twice is one request."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import OperationalError

from console.errors import Conflict
from console.models import Flow, IdempotencyKey, User
from tests.console import doors, flowkit
from tests.console.races import at_once
from tests.rest import assert_problem, client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.doors")]
URL = "/api/v1/tests/orders"
assert flowkit  # its steps are what the orders are made of


def ask(who: User, body: Any = None, *, key: str | None = "k-1", url: str = URL, verb: str = "post") -> Any:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return getattr(client(who), verb)(url, {"name": "one"} if body is None else body, format="json", **headers)


def test_the_same_request_answers_the_same_and_starts_nothing(alice: User) -> None:
    first, again = ask(alice), ask(alice)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json() == {"flow": str(Flow.objects.get().pk), "name": "one"}
    assert first["Location"] == again["Location"] == f"/api/v1/flows/{Flow.objects.get().pk}"
    assert client(alice).get(first["Location"]).json()["title"] == "Order one"


def test_without_a_key_every_request_is_its_own(alice: User) -> None:
    assert ask(alice, key=None).json() != ask(alice, key=None).json()
    assert Flow.objects.count() == 2


@pytest.mark.parametrize(
    "other", [{"body": {"name": "two"}}, {"url": f"{URL}/elsewhere"}, {"url": f"{URL}?dry=1"}, {"verb": "delete"}]
)
def test_the_same_key_with_another_request_is_refused(alice: User, other: dict[str, Any]) -> None:
    ask(alice)
    answer = ask(alice, **other)
    assert_problem(answer, 422)
    assert answer.json()["code"] == "idempotency_key_reused"
    assert Flow.objects.count() == 1


def test_the_order_of_fields_is_no_difference(alice: User) -> None:
    one = client(alice).post(URL, '{"name": "one"}', content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
    two = client(alice).post(URL, '{ "name":\n"one" }', content_type="application/json", HTTP_IDEMPOTENCY_KEY="k")
    assert one.json() == two.json()


def test_keys_are_each_users_own(alice: User, bob: User) -> None:
    assert ask(alice).json() != ask(bob).json()
    assert Flow.objects.count() == 2


def test_a_refused_request_uses_up_no_key(alice: User) -> None:
    assert_problem(ask(alice, {"name": "impossible"}), 409)
    assert_problem(ask(alice, {"nome": "one"}), 422, "name", "nome")
    assert not IdempotencyKey.objects.exists()
    assert ask(alice).status_code == 202


@pytest.mark.parametrize("key", ["", " ", "x" * 201])
def test_keys_that_are_none(alice: User, key: str) -> None:
    answer = ask(alice, key=key)
    assert_problem(answer, 422)
    assert answer.json()["code"] == "bad_idempotency_key"
    assert not Flow.objects.exists()


def test_a_repeat_after_the_answer_was_lost_finds_the_flow(alice: User) -> None:
    """The process died between the commit and the answer: the key stands beside the flow, in the same commit."""
    first = ask(alice)
    IdempotencyKey.objects.update(answer=None)
    assert ask(alice).json() == {"flow": first.json()["flow"]}


def test_an_answer_that_is_promised_with_the_flow_is_never_lost(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "order", partial(doors.order, answer={"name": "one"}))
    first = ask(alice)
    assert IdempotencyKey.objects.get().answer == first.json()
    assert ask(alice).json() == first.json()


def test_a_transaction_that_begins_again_binds_its_key_again(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loser of a deadlock is rolled back with its key; its second try must not go without."""
    tries: list[int] = []

    class Deadlock(Exception):
        sqlstate = "40P01"

    inner = doors.order.__wrapped__

    def stumbles(*, actor: User, **wanted: Any) -> str:
        started = inner(actor=actor, **wanted)
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError from Deadlock()
        return started

    monkeypatch.setattr(doors, "order", doors.use_case(stumbles))
    first = ask(alice)
    assert len(tries) == 2
    assert Flow.objects.count() == IdempotencyKey.objects.count() == 1
    assert ask(alice).json() == first.json()


def test_other_stumbles_are_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    @doors.use_case
    def fails() -> None:
        tries.append(1)
        raise OperationalError("disk full")

    with pytest.raises(OperationalError):
        fails()
    assert len(tries) == 1


def test_what_a_constraint_refuses_is_a_conflict(alice: User) -> None:
    @doors.use_case
    def doubles() -> None:
        User.objects.create(username="alice")

    with pytest.raises(Conflict):
        doubles()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_at_once_start_one_flow_and_hear_the_same(alice: User) -> None:
    for number in range(4):
        heard: list[Any] = []

        def call(key: str = f"k-{number}", heard: list[Any] = heard) -> None:
            heard.append(ask(alice, key=key).json())

        assert at_once(*[call] * 8) == {"done": 8}
        assert len({answer["flow"] for answer in heard}) == 1
        assert Flow.objects.count() == number + 1
