"""Observers follow ledgers: new blocks, restarts, reorganisations, platforms that hang or talk nonsense."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.models import Block, Blockchain, ChainState, Node, Sample, Transaction
from chains.observing.observer import Observer
from chains.observing.reading import Reading, read_chain
from chains.observing.targets import targets_of
from chains.services import claims
from chains.services import ledger as service
from chains.services.places import rewrite_nodes
from platforms.models import Platform
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import GARBAGE, Ledger, Plane
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
Observe = Callable[..., int]


@pytest.fixture(autouse=True)
def eager(settings: Any) -> None:
    settings.OBSERVE_DETAILS_SECONDS = 0.0
    settings.OBSERVE_EVERY_SECONDS = 3600.0  # nothing is due again unless the test says so


@pytest.fixture
def other_plane() -> Iterator[Plane]:
    made = Plane()
    yield made
    made.close()


def assert_stored(row: Blockchain, ledger: Ledger, *, from_height: int = 0) -> None:
    """What is stored is the ledger, block by block and transaction by transaction."""
    kept = [block for block in ledger.blocks if block["height"] >= from_height]
    blocks = Block.objects.filter(blockchain=row).order_by("height")
    assert list(blocks.values_list("height", "hash", "parent_hash", "transactions_count")) == [
        (block["height"], block["hash"], block["parent"], len(block["txs"])) for block in kept
    ]
    transactions = Transaction.objects.filter(blockchain=row).order_by("height", "index")
    assert list(transactions.values_list("hash", "height", "index")) == [
        (each, block["height"], index) for block in kept for index, each in enumerate(block["txs"])
    ]


def assert_fresh(row: Blockchain, ledger: Ledger) -> None:
    assert row.read_at is not None
    assert (row.read_error, row.read_failures, row.reader) == ("", 0, None)
    assert (row.height, row.block_hash) == (ledger.blocks[-1]["height"], ledger.blocks[-1]["hash"])
    assert row.transactions_total == sum(len(block["txs"]) for block in ledger.blocks)


# --- following --------------------------------------------------------------------------------------------------------


def test_a_ledger_is_read_from_its_first_block_and_then_followed(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(7, transactions=3)
    observe(row)
    assert_stored(row, ledger)
    assert_fresh(row, ledger)
    assert row.block_time is not None

    ledger.mine(2, transactions=120)  # more than the platform puts on one page
    ledger.mine(1, transactions=0)
    ledger.asked.clear()
    observe(row)
    assert_stored(row, ledger)
    assert_fresh(row, ledger)
    assert ledger.asked.count("blocks") == 1, "what is stored is not read again"


def test_nothing_new_costs_one_question(chain: MakeChain, observe: Observe, settings: Any) -> None:
    row, ledger = chain()
    observe(row)
    settings.OBSERVE_DETAILS_SECONDS = 3600.0
    ledger.asked.clear()
    observe(row)
    assert ledger.asked == ["summary"]


def test_catching_up_goes_in_portions(chain: MakeChain, observe: Observe, settings: Any) -> None:
    settings.OBSERVE_BLOCKS_PER_READING = 100
    row, ledger = chain()
    ledger.mine(249)
    assert observe(row) == 3
    assert_stored(row, ledger)
    assert row.next_read_at > timezone.now()


def test_each_reading_without_time_left_still_makes_headway(chain: MakeChain, observe: Observe, settings: Any) -> None:
    settings.OBSERVE_BUDGET_SECONDS = 0.0
    row, ledger = chain()
    ledger.mine(4)
    assert observe(row) == 5
    assert_stored(row, ledger)


def test_reading_goes_on_after_a_restart(chain: MakeChain) -> None:
    row, ledger = chain()
    ledger.mine(5)
    Observer().tick(patience=5)
    ledger.mine(5)
    Blockchain.objects.update(next_read_at=None)
    Observer().tick(patience=5)  # another process: nothing is known but the rows
    assert_stored(row, ledger)


def test_reading_twice_changes_nothing(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(5, transactions=2)
    observe(row)
    before = list(Block.objects.values_list("pk", "hash"))
    Block.objects.filter(height__gt=3).delete()  # as if the last write had been lost
    observe(row)
    assert_stored(row, ledger)
    assert [each for each in before if each[0] in dict(Block.objects.values_list("pk", "hash"))] == before[-4:]


def test_a_platform_that_ignores_the_range_is_paged_through(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.ignores_range = True
    ledger.mine(180)
    observe(row)
    assert_stored(row, ledger)
    ledger.mine(3)
    observe(row)
    assert_stored(row, ledger)


def test_a_platform_that_shows_its_newest_blocks_only_is_read_from_there(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(900)
    ledger.shows_from = 850
    observe(row)
    assert_stored(row, ledger, from_height=850)
    assert_fresh(row, ledger)


def test_a_platform_without_block_lists_still_has_a_head(
    chain: MakeChain, observe: Observe, plane: Plane, platform: Platform
) -> None:
    row, ledger = chain()
    speak_to(platform, plane, list_blocks=None, list_nodes=None, get_monitoring=None)
    ledger.mine(3)
    observe(row)
    assert_fresh(row, ledger)
    assert not Block.objects.exists()


# --- reorganisations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 3, 120])
@pytest.mark.parametrize("longer_by", [0, 5])
def test_a_reorganised_head_is_replaced(chain: MakeChain, observe: Observe, depth: int, longer_by: int) -> None:
    row, ledger = chain()
    ledger.mine(150, transactions=1)
    observe(row)
    kept = set(Block.objects.filter(height__lte=150 - depth).values_list("pk", flat=True))
    ledger.reorganise(depth, longer_by=longer_by, transactions=2)
    observe(row)
    assert_stored(row, ledger)
    assert_fresh(row, ledger)
    assert kept <= set(Block.objects.values_list("pk", flat=True)), "what both branches share is not written again"


def test_a_chain_that_began_anew_is_read_anew(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(300)
    observe(row)
    ledger.reorganise(301, longer_by=10)
    observe(row)
    assert_stored(row, ledger)


def test_a_chain_that_got_shorter_is_followed_down(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(20, transactions=2)
    observe(row)
    ledger.cut(8)
    observe(row)
    assert_stored(row, ledger)
    assert_fresh(row, ledger)
    ledger.mine(3)
    observe(row)
    assert_stored(row, ledger)


def test_a_platform_whose_parents_never_match_is_still_followed(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    for _ in range(3):
        ledger.mine(2)
        for block in ledger.blocks:
            block["parent"] = "somewhere"
        observe(row)
    assert_stored(row, ledger)
    assert_fresh(row, ledger)


# --- trouble ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_noted_and_the_last_good_reading_stays(chain: MakeChain, observe: Observe, settings: Any) -> None:
    settings.OBSERVE_EVERY_SECONDS = 2.0
    row, ledger = chain()
    observe(row)
    read_at = row.read_at
    ledger.fault = "error"
    waits = []
    for failures in (1, 2, 3):
        observe(row)
        assert (row.read_at, row.read_failures, row.reader) == (read_at, failures, None)
        assert "come back later" in row.read_error
        waits.append(row.next_read_at - timezone.now())
    assert waits[0] < waits[1] < waits[2], "each failure waits longer for the next try"
    ledger.fault = ""
    observe(row)
    assert_fresh(row, ledger)
    assert row.read_at > read_at


@pytest.mark.parametrize("nonsense", sorted(GARBAGE))
def test_nonsense_is_an_error_of_its_own_chain_only(chain: MakeChain, observe: Observe, nonsense: str) -> None:
    bad, bad_ledger = chain("Bad")
    good, good_ledger = chain("Good")
    bad_ledger.fault = nonsense
    good_ledger.mine(3)
    observe(bad, good)
    assert bad.read_error
    assert bad.read_at is None
    assert not Block.objects.filter(blockchain=bad).exists()
    assert_stored(good, good_ledger)
    assert_fresh(good, good_ledger)


def test_texts_that_no_database_stores_are_cut(chain: MakeChain, observe: Observe) -> None:
    row, ledger = chain()
    ledger.mine(1)
    ledger.blocks[-1]["hash"] = "h\x00" + "x" * 200
    observe(row)
    stored = Block.objects.get(blockchain=row, height=1)
    assert len(stored.hash) == 100
    assert "\x00" not in stored.hash
    assert row.read_error == ""


def test_a_hanging_platform_does_not_hold_up_the_others(
    chain: MakeChain, observe: Observe, other_plane: Plane, cast: Cast, settings: Any
) -> None:
    settings.OBSERVE_DEADLINE_SECONDS = 0.5
    stuck = Platform.objects.create(
        oemtype="stuck",
        name="Stuck",
        kind="mapped",
        base_url="http://127.0.0.1:9",
        capabilities=cast.platform.capabilities,
    )
    speak_to(stuck, other_plane)
    hanging = [chain(f"Hanging {number}", on=other_plane, at=stuck) for number in range(12)]
    for _row, ledger in hanging:
        ledger.fault = "hang"
    good, good_ledger = chain("Good")
    good_ledger.mine(3)
    began = time.monotonic()
    observe(good, *(row for row, _ledger in hanging), patience=0.4)
    assert time.monotonic() - began < 3
    assert_stored(good, good_ledger)

    good_ledger.mine(2)
    observe(good, patience=0.4)
    assert_stored(good, good_ledger)

    time.sleep(0.3)
    observe(patience=0.2)
    given_up = Blockchain.objects.filter(read_error__contains="did not answer")
    assert given_up.count() == 8, "one platform holds a part of the threads only"
    assert not given_up.filter(reader__isnull=False).exists()


def test_what_comes_too_late_is_not_written(chain: MakeChain, observe: Observe, settings: Any, plane: Plane) -> None:
    settings.OBSERVE_DEADLINE_SECONDS = 0.1
    row, ledger = chain()
    ledger.fault = "hang"
    observer = Observer()
    Blockchain.objects.update(next_read_at=None)
    observer.tick(patience=0.5)
    row.refresh_from_db()
    failed = (row.read_error, row.next_read_at)
    plane.released.set()
    ends = time.monotonic() + 10
    while observer.under_way and time.monotonic() < ends:
        observer.tick(patience=0.1)
    row.refresh_from_db()
    assert observer.under_way == 0
    assert (row.read_error, row.next_read_at) == failed


def test_a_chain_that_is_gone_is_asked_rarely(chain: MakeChain, observe: Observe, plane: Plane, settings: Any) -> None:
    row, ledger = chain()
    del plane.ledgers[ledger.id]
    observe(row)
    assert row.read_error
    assert row.next_read_at > timezone.now() + timedelta(seconds=100)


def test_a_platform_that_cannot_be_spoken_to_is_an_error_of_the_chain(chain: MakeChain, observe: Observe) -> None:
    row, _ledger = chain()
    Platform.objects.update(kind="fabric", revision=99)
    observe(row)
    assert row.read_error
    assert row.reader is None


# --- several workers --------------------------------------------------------------------------------------------------


def test_two_workers_never_read_one_chain_at_once(chain: MakeChain) -> None:
    rows = [chain(f"Chain {number}")[0].pk for number in range(4)]
    one = claims.claim_chains(rows[:3])
    two = claims.claim_chains(rows)
    assert [each.chain for each in claims.claimed(one)] == rows[:3]
    assert [each.chain for each in claims.claimed(two)] == rows[3:]


@pytest.mark.postgres
def test_workers_that_race_share_the_chains(chain: MakeChain, settings: Any) -> None:
    made = [chain(f"Chain {number}") for number in range(12)]
    for _row, ledger in made:
        ledger.mine(20)
    settings.OBSERVE_BUDGET_SECONDS = settings.OBSERVE_DEADLINE_SECONDS = 60.0  # however slow the machine is
    begin, written = threading.Barrier(4), []

    def work() -> None:
        begin.wait()
        written.append(Observer().tick(patience=120))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(written) == len(made)
    for row, ledger in made:
        assert ledger.asked.count("summary") == 1
        assert_stored(row, ledger)


def test_a_dead_workers_claim_runs_out(chain: MakeChain, observe: Observe, settings: Any) -> None:
    row, ledger = chain()
    claims.claim_chains([row.pk])  # and the worker dies
    assert observe(row) == 0
    Blockchain.objects.update(lease_until=timezone.now())
    assert observe(row) == 1
    assert_stored(row, ledger)


def test_a_reading_from_before_a_change_of_the_nodes_is_dropped(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    """Otherwise a node that has been given back stands in the records again, as one that is missing."""
    row, _ledger = chain()
    observe(row)
    gone = Node.objects.filter(blockchain=row, organization=cast.tax).get()
    Blockchain.objects.update(next_read_at=None)
    targets, _failed = targets_of(claims.claim_chains([row.pk]))
    before = [read_chain(target) for target in targets]
    assert gone.external_id in {each.node_id for each in before[0].nodes or ()}
    with transaction.atomic():
        rewrite_nodes(actor=None, orgcode=cast.tax.orgcode, found={row.pk: []})
    assert service.store_readings(before) == set()
    assert not Node.objects.filter(blockchain=row, organization=cast.tax).exists()
    row.refresh_from_db()
    assert (row.reader, row.lease_until) == (None, None), "and others may read it"


def test_a_reading_whose_claim_was_taken_over_is_dropped(chain: MakeChain) -> None:
    row, ledger = chain()
    ledger.mine(3)
    slow = Observer()
    slow._claim()
    Blockchain.objects.update(lease_until=timezone.now())
    quick = Observer()
    assert quick.tick(patience=5) == 1
    assert slow.tick(patience=5) == 0
    assert_stored(row, ledger)


def test_a_reading_that_found_nothing_new_is_noted_under_its_own_claim_only(
    chain: MakeChain, observe: Observe, settings: Any
) -> None:
    """Also where a reading of the newer claim, on another chain, is written beside it."""
    rows = [chain(f"Chain {number}")[0] for number in range(3)]
    observe(*rows)
    settings.OBSERVE_DETAILS_SECONDS = 3600.0

    def claim_and_read() -> tuple[claims.Claim, list[Reading]]:
        Blockchain.objects.update(next_read_at=None, lease_until=None)
        claim = claims.claim_chains([row.pk for row in rows])
        return claim, [read_chain(target) for target in targets_of(claim)[0]]

    _old, before = claim_and_read()
    new, after = claim_and_read()
    assert all(reading.quiet for reading in before + after)
    Blockchain.objects.filter(pk=rows[2].pk).update(state=ChainState.DELETED)
    read_at = Blockchain.objects.get(pk=rows[0].pk).read_at
    assert service.store_readings([before[0], after[1], after[2]]) == {rows[1].pk}
    first, second, _gone = Blockchain.objects.order_by("pk")
    assert (first.reader, first.read_at) == (new.reader, read_at), "somebody else is reading it"
    assert (second.reader, second.lease_until) == (None, None)
    assert second.read_at is not None
    assert second.next_read_at is not None
    assert read_at is not None
    assert second.next_read_at > second.read_at > read_at
    assert service.store_readings([after[0]]) == {rows[0].pk}


def test_what_changes_with_every_reading_is_in_no_index(db: None) -> None:
    """Otherwise each reading would write all indexes of the table twice, on PostgreSQL."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Blockchain._meta.db_table)
    indexed = {column for each in found.values() if each["index"] or each["unique"] for column in each["columns"]}
    assert "uid" in indexed
    assert not indexed & {"read_at", "next_read_at", "reader", "lease_until"}


def test_a_chain_that_was_deleted_meanwhile_is_left_alone(chain: MakeChain) -> None:
    row, _ledger = chain()
    observer = Observer()
    observer._claim()
    Blockchain.objects.filter(pk=row.pk).update(state=ChainState.DELETED)
    assert observer.tick(patience=5) == 0
    assert not Block.objects.exists()


# --- nodes, monitoring ------------------------------------------------------------------------------------------------


def test_nodes_and_figures_are_read(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    row, ledger = chain()
    observe(row)
    nodes = Node.objects.filter(blockchain=row).order_by("organization__orgcode")
    assert {(node.organization, node.state, node.version) for node in nodes} == {
        (cast.tax, "running", "v1"),
        (cast.housing, "running", "v1"),
    }
    assert list(Sample.objects.values_list("name", "value", "unit")) == [("cpu", 12.5, "%")]

    ledger.members = [cast.tax.orgcode, cast.social.orgcode]  # a stranger's node is not the chain's business
    observe(row)
    assert set(Node.objects.values_list("organization__orgcode", "state")) == {
        (cast.tax.orgcode, "running"),
        (cast.housing.orgcode, "missing"),
    }
    long_ago = timezone.now() - timedelta(days=8)
    Node.objects.filter(organization=cast.housing).update(read_at=long_ago)
    observe(row)
    assert list(Node.objects.values_list("organization__orgcode", flat=True)) == [cast.tax.orgcode]


# --- cost and cleaning ------------------------------------------------------------------------------------------------


def test_queries_do_not_grow_with_the_chains(chain: MakeChain, settings: Any) -> None:
    settings.OBSERVE_THREADS_PER_PLATFORM = 32

    def cost(number: int) -> int:
        readings = []
        for index in range(number):
            row, ledger = chain(f"Chain {number}.{index}")
            ledger.mine(3)
            readings.append(row.pk)
        claim = claims.claim_chains(readings)

        with CaptureQueriesContext(
            connection,
        ) as captured:
            targets, _failed = targets_of(claim)
            service.store_readings([read_chain(target) for target in targets])
        return len(captured)

    cost(1)  # the platform's driver is made once
    assert cost(2) == cost(9)


def test_old_blocks_and_samples_are_thrown_away(chain: MakeChain, observe: Observe, settings: Any) -> None:
    row, ledger = chain()
    ledger.mine(40, transactions=1)
    observe(row)
    settings.KEEP_BLOCKS = 10
    Sample.objects.create(blockchain=row, name="old", value=1, at=timezone.now() - timedelta(days=30))
    service.prune()
    assert_stored(row, ledger, from_height=31)
    assert not Sample.objects.filter(name="old").exists()
    ledger.mine(30)
    observe(row)
    service.prune()
    assert_stored(row, ledger, from_height=61)
