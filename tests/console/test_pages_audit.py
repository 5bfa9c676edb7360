"""The pages of the audit log: for overseers only, checked, narrowed, exported."""

from __future__ import annotations

import json

import pytest
from django.db import transaction
from django.urls import reverse

from console import audit
from console.models import AuditEntry, User
from tests.console.pages import queries, recorded, said, signed_in

pytestmark = pytest.mark.django_db


# --- audit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/audit", "/audit/1", "/audit/export"])
def test_the_audit_log_is_for_overseers(alice: User, otto: User, address: str) -> None:
    recorded(1, alice)
    refused = signed_in(alice).get(address)
    assert refused.status_code == 403
    assert b"Only administrators and auditors may read the audit log." in refused.content
    assert signed_in(otto).get(address).status_code == 200


def test_an_entry_is_shown_without_its_secrets(otto: User) -> None:
    recorded(1, otto)
    page = signed_in(otto).get("/audit/1").content.decode()
    assert "token 0" in page
    assert "s3cr3t" not in page


def test_the_check_finds_what_was_changed(otto: User) -> None:
    recorded(3, otto)
    verify = reverse("console:audit-verify")
    assert said(signed_in(otto).post(verify)) == ["3 entries checked: the chain holds."]
    AuditEntry.objects.filter(number=2).update(action="nothing.happened")
    assert said(signed_in(otto).post(verify)) == ["Entry 2: was changed after it was written."]
    assert b"was changed after it was written" in signed_in(otto).get("/audit/2").content


def test_the_list_is_narrowed_by_action_day_and_words(otto: User, alice: User) -> None:
    recorded(2, alice)
    with transaction.atomic():
        audit.record("console.flow.cancelled", actor=otto, target=alice)
    client = signed_in(otto)

    def numbers(query: str) -> list[int]:
        return [entry.number for entry in client.get(f"/audit?{query}").context["object_list"]]

    assert numbers("action=console.flow.cancelled") == [3]
    assert numbers("q=alice") == [3, 2, 1]
    assert numbers("q=otto") == [3]
    assert numbers("until=2001-01-01") == []
    assert numbers("since=2001-01-01&until=nonsense") == [3, 2, 1]


def test_the_export_is_what_the_list_shows_and_is_itself_recorded(otto: User, alice: User) -> None:
    recorded(2, alice)
    response = signed_in(otto).get("/audit/export?q=alice")
    lines = [json.loads(line) for line in b"".join(response.streaming_content).decode().splitlines()]
    assert [line["number"] for line in lines] == [1, 2]
    assert lines[1]["previous_digest"] == lines[0]["digest"]
    taken = AuditEntry.objects.get(action="console.audit.exported")
    assert (taken.actor, taken.data) == (otto, {"narrowed_by": {"q": "alice"}})


def test_the_audit_log_asks_no_more_for_more_entries(otto: User) -> None:
    recorded(3, otto)
    client = signed_in(otto)
    few = queries(client, "/audit")
    recorded(20, otto)
    assert queries(client, "/audit") == few <= 9


def test_actions_are_told_in_words_and_unknown_ones_are_readable(otto: User) -> None:
    recorded(1, otto)
    with transaction.atomic():
        audit.record("tests.thing.done_twice", actor=otto)
    page = signed_in(otto).get("/audit").content.decode()
    assert "API token made" in page
    assert "Thing done twice" in page
