"""The audit log: append only, chained, cleansed, and telling when somebody else wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from console import audit
from console.cleansing import DOTS
from console.models import AuditEntry, AuditHead, User
from console.secrets import Sealed
from tests.console.conftest import person
from tests.rest import assert_problem, client

pytestmark = pytest.mark.django_db
URL = "/api/v1/audit"


def append(count: int = 5, actor: User | None = None, **data: Any) -> None:
    for number in range(count):
        with transaction.atomic():
            audit.record("tests.done", actor=actor, target=actor, number=number, **data)


def problems() -> list[tuple[int, str]]:
    return [(each.number, each.problem) for each in audit.verify()]


# --- the chain --------------------------------------------------------------------------------------------------------


def test_entries_are_numbered_and_chained(root: User) -> None:
    append(3, root)
    entries = list(AuditEntry.objects.order_by("number"))
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[0].previous_digest == "0" * 64
    assert [entry.previous_digest for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
    assert problems() == []


def test_the_digest_is_what_the_documentation_says(root: User) -> None:
    append(1, root)
    entry = AuditEntry.objects.get()
    body = {
        "number": 1,
        "at": entry.at.isoformat(timespec="microseconds"),
        "action": "tests.done",
        "actor": [root.pk, "root"],
        "target": ["console.user", str(root.pk), "root"],
        "data": {"number": 0},
        "previous": "0" * 64,
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert entry.digest == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.django_db(transaction=True)
def test_an_entry_belongs_to_its_transaction(root: User) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record("tests.done", actor=root)

    def fails() -> None:
        with transaction.atomic():
            audit.record("tests.done", actor=root)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    append(1, root)
    assert AuditEntry.objects.get().number == 1
    assert problems() == []


def test_the_name_stays_when_the_user_goes(root: User) -> None:
    gone = person("gone")
    append(1, gone)
    gone.delete()
    assert AuditEntry.objects.get().actor_label == "gone"
    assert problems() == []


CHANGED, ASTRAY = "was changed after it was written", "does not follow the entry before it"

CHANGES: dict[str, tuple[Callable[[], Any], list[tuple[int, str]]]] = {
    "a word changed": (
        lambda: AuditEntry.objects.filter(number=3).update(actor_label="mallory"),
        [(3, CHANGED)],
    ),
    "data changed": (
        lambda: AuditEntry.objects.filter(number=3).update(data={"number": 7}),
        [(3, CHANGED)],
    ),
    "changed, and its own digest too": (
        lambda: rewrite(3),
        [(4, ASTRAY)],
    ),
    "removed in the middle": (
        lambda: AuditEntry.objects.filter(number__in=[2, 3]).delete(),
        [(4, "entries 2 to 3 are missing")],
    ),
    "the first removed": (lambda: AuditEntry.objects.filter(number=1).delete(), [(2, "entries 1 to 1 are missing")]),
    "the last removed": (
        lambda: AuditEntry.objects.filter(number=5).delete(),
        [(5, "the log ends at 4, its head says 5")],
    ),
    "all removed": (lambda: AuditEntry.objects.all().delete(), [(5, "the log ends at 0, its head says 5")]),
    "removed with the numbers closed up": (
        lambda: (AuditEntry.objects.filter(number=3).delete(), renumber(4, 3), renumber(5, 4)),
        [(3, ASTRAY), (3, CHANGED), (4, CHANGED), (5, "the log ends at 4, its head says 5")],
    ),
    "one inserted at the end": (lambda: insert(6), [(6, "stands behind the head of the log")]),
    "the head removed": (lambda: AuditHead.objects.all().delete(), [(1, "stands behind the head of the log")]),
    "two swapped": (
        lambda: (renumber(2, 99), renumber(3, 2), renumber(99, 3)),
        [
            (2, ASTRAY),
            (2, CHANGED),
            (3, ASTRAY),
            (3, CHANGED),
            (4, ASTRAY),
        ],
    ),
}


def rewrite(number: int) -> None:
    entry = AuditEntry.objects.get(number=number)
    entry.action = "tests.other"
    AuditEntry.objects.filter(number=number).update(action=entry.action, digest=audit.digest_of(entry))


def renumber(old: int, new: int) -> None:
    AuditEntry.objects.filter(number=old).update(number=new)


def insert(number: int) -> None:
    last = AuditEntry.objects.get(number=number - 1)
    entry = AuditEntry(number=number, at=last.at, action="tests.forged", previous_digest=last.digest)
    entry.digest = audit.digest_of(entry)
    entry.save(force_insert=True)


@pytest.mark.parametrize("case", CHANGES)
def test_tampering_is_seen(root: User, case: str) -> None:
    append(5, root)
    tamper, found = CHANGES[case]
    tamper()
    assert problems() == found
    with pytest.raises(CommandError, match=f"#{found[0][0]} "):
        call_command("verify_audit")


def test_the_command_says_that_all_is_well(root: User) -> None:
    append(4, root)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == "4 entries, the chain holds.\n"


def test_the_database_knows_one_head_and_each_number_once(root: User) -> None:
    append(2, root)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditHead.objects.create(id=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(2)


# --- secrets ----------------------------------------------------------------------------------------------------------

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----"


def test_secrets_are_cleansed_by_name_by_type_and_by_look(root: User) -> None:
    with transaction.atomic():
        entry = audit.record(
            "tests.done",
            actor=root,
            password="hunter2",
            ak="AK",
            organization={"sk": "SK", "tlscert": "PEM", "name": "Tax", "has_token": True, "token": None, "secret": ""},
            sealed=Sealed("open"),
            headers=[{"Authorization": "Bearer x"}],
            comment=f"here is my key: {PEM} and concord_{'x' * 43}.",
        )
    entry.refresh_from_db()
    assert entry.data == {
        "password": DOTS,
        "ak": DOTS,
        "organization": {"sk": DOTS, "tlscert": DOTS, "name": "Tax", "has_token": True, "token": None, "secret": ""},
        "sealed": DOTS,
        "headers": [{"Authorization": DOTS}],
        "comment": f"here is my key: {DOTS} and {DOTS}.",
    }
    assert problems() == []


def test_any_value_is_kept_so_that_the_digest_finds_it_again(root: User) -> None:
    """Databases write numbers and texts in more than one way."""
    append(1, root, big=10**40, float=1e20, small=1e-7, whole=2.0, nan=float("nan"), text="a\x00b\ud800", umlaut="ä€😀")
    assert problems() == []
    assert AuditEntry.objects.get().data["text"] == "a\ufffdb?"


# --- by REST ----------------------------------------------------------------------------------------------------------


def test_only_overseers_read(root: User, otto: User, alice: User) -> None:
    append(2, root)
    for place in (URL, f"{URL}/verify", f"{URL}/export"):
        assert_problem(client().get(place), 401)
        assert_problem(client(alice).get(place), 403)
        assert client(otto).get(place).status_code == 200
        assert client(root).get(place).status_code == 200
        assert_problem(client(root).post(place, {}), 405)
        assert_problem(client(root).delete(place), 405)


def test_an_entry_as_it_is_answered(root: User) -> None:
    append(1, root)
    entry = AuditEntry.objects.get()
    assert client(root).get(URL).json()["results"] == [
        {
            "number": 1,
            "at": entry.at.isoformat(timespec="microseconds"),
            "action": "tests.done",
            "actor": {"id": str(root.pk), "name": "root"},
            "target": {"type": "console.user", "id": str(root.pk), "name": "root"},
            "data": {"number": 0},
            "previous_digest": "0" * 64,
            "digest": entry.digest,
        }
    ]


def test_filters(root: User, alice: User) -> None:
    append(2, root)
    append(1, alice)
    with transaction.atomic():
        other = audit.record("tests.other", actor=None)
    count = lambda **query: client(root).get(URL, query).json()["count"]  # noqa: E731
    assert count() == 4
    assert count(action="tests.other") == 1
    assert count(actor="alice") == 1
    assert count(target_type="console.user", target_id=root.pk) == 2
    assert count(q="tests ROOT") == 2
    assert count(since=other.at.isoformat()) == 1
    assert count(until=other.at.isoformat()) == 3
    assert [row["number"] for row in client(root).get(URL, {"ordering": "number"}).json()["results"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "moment", ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01"]
)
@pytest.mark.parametrize("name", ["since", "until"])
def test_times_that_are_none(root: User, name: str, moment: str) -> None:
    assert_problem(client(root).get(URL, {name: moment}), 422, name)


def test_the_list_has_a_budget(root: User, django_assert_max_num_queries: Any) -> None:
    append(30, root)
    with django_assert_max_num_queries(3):
        assert len(client(root).get(URL).json()["results"]) == 30


def test_verifying_by_rest(root: User) -> None:
    append(3, root)
    assert client(root).get(f"{URL}/verify").json() == {"ok": True, "entries": 3, "breaks": []}
    AuditEntry.objects.filter(number=2).update(action="tests.forged")
    found = client(root).get(f"{URL}/verify").json()
    assert found == {
        "ok": False,
        "entries": 3,
        "breaks": [{"number": 2, "problem": "was changed after it was written"}],
    }


def exported(response: Any) -> list[dict[str, Any]]:
    assert response["Content-Type"].startswith("application/x-ndjson")
    return [json.loads(row) for row in b"".join(response.streaming_content).decode().splitlines()]


def test_the_export_is_complete_ordered_recorded_and_can_be_checked_elsewhere(root: User) -> None:
    append(3, root, sk="s3cr3t")
    response = client(root).get(f"{URL}/export")
    assert "attachment" in response["Content-Disposition"]
    rows = exported(response)
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["action"] == "console.audit.exported"
    assert rows[-1]["actor"]["name"] == "root"
    assert "s3cr3t" not in str(rows)
    digest = "0" * 64
    for row in rows:
        assert row["previous_digest"] == digest
        digest = row["digest"]


def test_the_export_is_narrowed_like_the_list(root: User, alice: User) -> None:
    append(2, root)
    append(1, alice)
    rows = exported(client(root).get(f"{URL}/export", {"actor": "alice"}))
    assert [row["number"] for row in rows] == [3]
    assert AuditEntry.objects.latest("number").data == {"narrowed_by": {"actor": "alice"}}


@pytest.mark.parametrize("accept", ["application/x-ndjson", "application/json", "*/*"])
def test_the_export_is_given_to_whoever_asks_for_lines_or_for_anything(root: User, alice: User, accept: str) -> None:
    append(1, root)
    assert client(root).get(f"{URL}/export", HTTP_ACCEPT=accept).status_code == 200
    assert_problem(client(alice).get(f"{URL}/export", HTTP_ACCEPT=accept), 403)


def test_a_refused_export_is_not_recorded(alice: User) -> None:
    assert_problem(client(alice).get(f"{URL}/export"), 403)
    assert not AuditEntry.objects.exists()
