"""How much of a ledger is kept: whose rule it is, what goes by it, and who may say so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from chains.models import Block, Blockchain, LedgerStatistic, RetentionRule
from chains.retention import rule_of
from chains.services import claims, history, ledger
from console.models import AuditEntry
from tests.chains.ledger_plane import Ledger
from tests.chains.test_pages import words
from tests.rest import assert_problem, client
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
ROOM = 300


@pytest.fixture
def row(chain: MakeChain) -> Blockchain:
    """A thousand blocks, one an hour, the newest now."""
    made, _ledger = chain()
    now = timezone.now()
    Block.objects.bulk_create(
        Block(blockchain=made, height=height, hash=f"0x{height}", time=now - timedelta(hours=999 - height))
        for height in range(1000)
    )
    history.count()
    return made


def path(row: Blockchain | None) -> str:
    return f"/api/v1/blockchains/{row.uid}/retention" if row else "/api/v1/ledger-retention"


def put(user: Any, row: Blockchain | None, **body: Any) -> Any:
    return client(user).put(path(row), body, format="json")


def lowest() -> int:
    return int(Block.objects.order_by("height").values_list("height", flat=True)[0])


def test_the_setting_holds_until_somebody_sets_a_rule(row: Blockchain, cast: Cast, settings: Any) -> None:
    settings.KEEP_BLOCKS = 990
    assert client(cast.alice).get(path(row)).json() == {"keep_blocks": 990, "keep_days": 0, "source": "setting"}
    assert put(cast.root, None, keep_blocks=5000).json()["source"] == "console"
    assert client(cast.alice).get(path(row)).json() == {"keep_blocks": 5000, "keep_days": 0, "source": "console"}
    assert put(cast.root, row, keep_blocks=7000).json()["source"] == "chain"
    assert rule_of(row).keep_blocks == 7000
    assert rule_of(None).keep_blocks == 5000
    assert client(cast.root).delete(path(row)).status_code == 204
    assert rule_of(row).source == "console"
    assert set(AuditEntry.objects.filter(action__startswith="chains.retention").values_list("action", flat=True)) == {
        "chains.retention.changed",
        "chains.retention.dropped",
    }


@pytest.mark.parametrize("scope", ["chain", "console"])
def test_what_goes_is_confirmed_first(row: Blockchain, cast: Cast, scope: str) -> None:
    where = row if scope == "chain" else None
    answer = put(cast.root, where, keep_blocks=ROOM)
    assert_problem(answer, 422, "confirmed")
    assert "About 700 stored blocks of 1 chain" in answer.json()["detail"]
    assert not RetentionRule.objects.exists()
    ledger.prune()
    assert lowest() == 0
    assert put(cast.root, where, keep_blocks=ROOM, confirmed=True).status_code == 200
    ledger.prune()
    assert lowest() == 1000 - ROOM
    assert sum(each.blocks for each in LedgerStatistic.objects.filter(period="day")) == 1000


def test_by_age_the_newest_blocks_stay(row: Blockchain, cast: Cast) -> None:
    put(cast.root, row, keep_days=20, confirmed=True)
    ledger.prune()
    assert lowest() == 1000 - 20 * 24
    put(cast.root, row, keep_days=1, confirmed=True)
    ledger.prune()
    assert lowest() == 1000 - 256


def test_readings_begin_where_the_rule_says(row: Blockchain, cast: Cast) -> None:
    put(cast.root, row, keep_blocks=4321)
    claim = claims.claim_chains([row.pk])
    (claimed,) = claims.claimed(claim)
    assert claimed.keep_blocks == 4321


def test_only_administrators_set_rules(row: Blockchain, cast: Cast) -> None:
    for where in (row, None):
        assert_problem(put(cast.alice, where, keep_blocks=5000), 403)
    assert_problem(put(cast.carol, row, keep_blocks=5000), 404)
    assert_problem(client(cast.carol).get(path(row)), 404)
    assert_problem(client(cast.alice).delete(path(row)), 403)
    assert not RetentionRule.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="chains.retention").exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({"keep_blocks": 255}, "keep_blocks"), ({"keep_days": 36501}, "keep_days"), ({"keep_days": -1}, "keep_days")],
)
def test_numbers_that_make_no_sense_are_named(row: Blockchain, cast: Cast, body: Any, field: str) -> None:
    assert_problem(put(cast.root, row, **body), 422, field)


def test_there_is_one_rule_for_all() -> None:
    RetentionRule.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        RetentionRule.objects.create()


def test_the_page_asks_before_it_throws_away(row: Blockchain, cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.root)
    page = f"/chains/{row.uid}/retention"
    assert "Throw these blocks away" not in words(browser.get(page).content.decode())
    answer = browser.post(page, {"keep_blocks": ROOM, "keep_days": 0})
    assert answer.status_code == 422
    seen = words(answer.content.decode())
    assert "About 700 stored blocks" in seen
    assert "Throw these blocks away for good" in seen
    answer = browser.post(page, {"keep_blocks": ROOM, "keep_days": 0, "confirmed": "on"})
    assert (answer.status_code, answer["Location"]) == (302, f"/chains/{row.uid}")
    seen = words(browser.get(f"/chains/{row.uid}/statistics").content.decode())
    assert "The newest 300 blocks stay. That is this chain's own rule." in seen
    answer = browser.post(page, {"keep_blocks": ROOM, "keep_days": 0, "follow": "on"})
    assert answer.status_code == 302
    assert not RetentionRule.objects.exists()
    browser.force_login(cast.alice)
    assert browser.get(page).status_code == 403
