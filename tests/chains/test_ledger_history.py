"""Statistics, gaps and reorganisations: what is counted, what is taken back, what outlives the blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.models import (
    Block,
    Blockchain,
    DroppedTransaction,
    LedgerGap,
    LedgerStatistic,
    LedgerTally,
    Reorganisation,
    Transaction,
)
from chains.services import history
from chains.services import ledger as service
from chains.tasks import BEAT, count_ledgers
from tests.chains.ledger_plane import BEGIN, Ledger
from tests.rest import assert_problem, client
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
Observe = Callable[..., int]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def eager(settings: Any) -> None:
    settings.OBSERVE_EVERY_SECONDS = 3600.0  # nothing is due again unless the test says so


def figures(row: Blockchain, period: str) -> list[tuple[int, int, int, int, int]]:
    """Hours or days since the ledger's first block: `(number, from, to, blocks, transactions)`."""
    length = HOUR if period == "hour" else timedelta(days=1)
    rows = LedgerStatistic.objects.filter(blockchain=row, period=period).order_by("start")
    return [
        ((each.start - BEGIN) // length, each.from_height, each.to_height, each.blocks, each.transactions)
        for each in rows
    ]


def expected(row: Blockchain, length: timedelta) -> list[tuple[int, int, int, int, int]]:
    """The same, from the stored blocks."""
    found: dict[int, list[Block]] = {}
    for block in Block.objects.filter(blockchain=row, time__isnull=False).order_by("height"):
        found.setdefault((block.time - BEGIN) // length, []).append(block)
    return [
        (number, blocks[0].height, blocks[-1].height, len(blocks), sum(each.transactions_count for each in blocks))
        for number, blocks in sorted(found.items())
    ]


def assert_counted(row: Blockchain) -> None:
    assert figures(row, "hour") == expected(row, HOUR)
    assert figures(row, "day") == expected(row, timedelta(days=1))


def stored(row: Blockchain, heights: range, *, every: timedelta = timedelta(minutes=10), mark: str = "") -> None:
    """Blocks with as many transactions as the last digit of their height says; every third transaction failed."""
    Block.objects.bulk_create(
        Block(
            blockchain=row,
            height=height,
            hash=f"0xb{mark}{height}",
            time=BEGIN + every * height,
            transactions_count=height % 10,
        )
        for height in heights
    )
    Transaction.objects.bulk_create(
        Transaction(
            blockchain=row,
            hash=f"0xt{mark}{height}.{index}",
            height=height,
            index=index,
            sender=f"0xsender{index}",
            status="failed" if index % 3 == 2 else "committed",
        )
        for height in heights
        for index in range(height % 10)
    )


def test_a_period_that_is_new_is_written_once(chain: MakeChain) -> None:
    row, _ledger = chain()
    stored(row, range(40))
    with CaptureQueriesContext(connection) as asked:
        history.count_chain(row.pk)
    table = LedgerStatistic._meta.db_table
    writes = [each["sql"].split()[0] for each in asked if table in each["sql"] and not each["sql"].startswith("SELECT")]
    assert writes == ["INSERT"]
    assert_counted(row)


@pytest.fixture
def row(chain: MakeChain) -> Blockchain:
    return chain()[0]


# --- counting ---------------------------------------------------------------------------------------------------------


def test_blocks_are_counted_once_by_hour_and_day(row: Blockchain) -> None:
    stored(row, range(300))
    assert history.count_chain(row.pk, portion=100) == 100
    assert history.count() == 200
    assert history.count() == 0
    assert_counted(row)
    assert LedgerTally.objects.get().counted_to == 299
    failed = LedgerStatistic.objects.filter(period="day").order_by("start").values_list("failed", flat=True)
    by_day = [
        Transaction.objects.filter(status="failed", height__gte=144 * day, height__lt=144 * (day + 1)).count()
        for day in range(3)
    ]
    assert list(failed) == by_day
    stored(row, range(300, 310))
    assert history.count() == 10
    assert_counted(row)


def test_blocks_without_a_time_are_in_no_period(row: Blockchain) -> None:
    stored(row, range(12))
    Block.objects.filter(height__in=[3, 4]).update(time=None)
    history.count()
    assert_counted(row)
    assert LedgerTally.objects.get().counted_to == 11


def test_the_periodic_task_counts_every_chain(chain: MakeChain) -> None:
    rows = [chain(name)[0] for name in ("Permits", "Papers")]
    for each in rows:
        stored(each, range(30))
    count_ledgers()
    for each in rows:
        assert_counted(each)
    assert BEAT["chains-count"]["task"] == count_ledgers.name


def test_senders_are_told_apart_once_a_period_is_over(row: Blockchain, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(row, range(20))
    history.count()
    rows = LedgerStatistic.objects.order_by("period", "start")
    assert {each.senders for each in rows.filter(period="hour")} == {5, 7, 9}
    assert rows.get(period="day").senders == 9
    stored(row, range(20, 24))
    history.count()
    assert rows.filter(period="hour", senders_due=True).count() == 0
    monkeypatch.setattr(history, "SENDERS_OF", 10)
    LedgerStatistic.objects.update(senders_due=True, senders=1)
    history.count_senders(100)
    assert rows.get(period="day").senders is None, "too many to look at each"
    LedgerStatistic.objects.update(senders_due=True)
    assert history.count_senders(100, now=BEGIN + 2 * HOUR) == 0, "not over yet"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_those_who_count_at_once_count_once(row: Blockchain) -> None:
    stored(row, range(500))
    begin, counted = threading.Barrier(4), []

    def work() -> None:
        begin.wait()
        while number := history.count_chain(row.pk, portion=50):
            counted.append(number)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counted) == 500
    assert_counted(row)


# --- what is missing --------------------------------------------------------------------------------------------------


def test_gaps_are_told(row: Blockchain, cast: Cast) -> None:
    stored(row, range(5, 8))
    stored(row, range(10, 12))
    history.count()
    stored(row, range(20, 22))
    history.count()
    assert list(LedgerGap.objects.values_list("from_height", "to_height")) == [(8, 9), (12, 19)]
    found = client(cast.alice).get(f"/api/v1/blockchains/{row.uid}/ledger").json()
    assert found["gaps"] == [{"from_height": 12, "to_height": 19}, {"from_height": 8, "to_height": 9}]
    assert found["indexed_from"] == 5


# --- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "counted"), [(0, 200), (1, 97), (100, 0), (100, 97), (143, 200), (144, 200), (150, 150), (199, 200)]
)
def test_what_a_reorganisation_takes_is_taken_from_the_figures(row: Blockchain, height: int, counted: int) -> None:
    stored(row, range(200))
    if counted:
        history.count_chain(row.pk, portion=counted)
    history.forget_from(row.pk, height, now=timezone.now())
    history.count()
    assert_counted(row)
    stored(row, range(height, 230), mark="other", every=timedelta(minutes=11))
    history.count()
    assert_counted(row)


def test_a_followed_reorganisation_is_recorded(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    row, ledger = chain()
    ledger.mine(10, transactions=2)
    observe(row)
    history.count()
    old = ledger.blocks[-1]
    lost = old["txs"][0]
    ledger.reorganise(3, longer_by=1, transactions=1)
    observe(row)
    history.count()
    assert_counted(row)
    path = f"/api/v1/blockchains/{row.uid}"
    (found,) = client(cast.alice).get(f"{path}/reorganisations").json()["results"]
    assert found.pop("found_at")
    assert found == {
        "id": Reorganisation.objects.get().pk,
        "from_height": 8,
        "to_height": 10,
        "blocks": 3,
        "transactions": 6,
        "old_head": old["hash"],
    }
    for words, count in {"height=8": 1, "height=10&ordering=-blocks": 1, "height=7": 0, "until=2020-01-01": 0}.items():
        assert client(cast.alice).get(f"{path}/reorganisations?{words}").json()["count"] == count
    answer = client(cast.alice).get(f"{path}/transactions/{lost}")
    assert_problem(answer, 404)
    assert answer.json()["code"] == "dropped"
    assert "block 10 of a branch that the chain has left" in answer.json()["detail"]
    assert_problem(client(cast.carol).get(f"{path}/reorganisations"), 404)


def test_appending_records_no_reorganisation(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    for _ in range(3):
        ledger.mine(4)
        observe(row)
    assert not Reorganisation.objects.exists()
    ledger.cut(2)
    observe(row)
    assert Reorganisation.objects.get().from_height == 11
    assert DroppedTransaction.objects.count() == 2


# --- outliving --------------------------------------------------------------------------------------------------------


def test_figures_outlive_the_blocks(row: Blockchain, settings: Any) -> None:
    settings.KEEP_BLOCKS = 10
    stored(row, range(200))
    assert service.prune_chain(row.pk) == 0, "what is not counted is not thrown away"
    service.prune()
    assert Block.objects.count() == 10
    sums = LedgerStatistic.objects.filter(period="hour")
    assert sum(each.blocks for each in sums) == 200
    assert min(each.from_height for each in sums) == 0


# --- by REST ----------------------------------------------------------------------------------------------------------


def test_statistics_by_rest(row: Blockchain, cast: Cast) -> None:
    stored(row, range(12))
    history.count()
    path = f"/api/v1/blockchains/{row.uid}/statistics"
    found = client(cast.alice).get(path, {"since": BEGIN.isoformat(), "until": (BEGIN + 9 * HOUR).isoformat()}).json()
    assert (found["period"], found["counted_up_to"], found["ledger"]["indexed_up_to"]) == ("hour", 11, 11)
    first, second = found["results"]
    assert first == {
        "start": "2026-01-01T00:00:00Z",
        "blocks": 6,
        "transactions": 15,
        "failed": 3,
        "senders": 5,
        "from_height": 0,
        "to_height": 5,
    }
    assert second["start"] == "2026-01-01T01:00:00Z"
    days = client(cast.alice).get(path, {"period": "day", "since": BEGIN.isoformat()}).json()
    assert [each["blocks"] for each in days["results"]] == [12]
    assert client(cast.alice).get(path).json()["results"] == [], "the last 48 hours"
    assert_problem(client(cast.carol).get(path), 404)
    assert_problem(client(cast.alice).get(path, {"period": "minute"}), 422, "period")
    long_ago = datetime(2001, 1, 1, tzinfo=UTC).isoformat()
    assert_problem(client(cast.alice).get(path, {"since": long_ago}), 422, "since")
