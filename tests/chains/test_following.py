"""Ledgers read from real nodes, many blocks at once and without a thread: the same rows as block by block."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.test import Client

from chains.models import Block, Blockchain, BusinessChain, Transaction
from chains.observing.observer import Observer
from chains.services import ledger as service
from console.errors import Missing
from platforms.drivers import driver_for, forget_drivers
from platforms.models import Cloudtype, Kernel, Platform, PlatformKind
from platforms.sandbox.anvil import find_anvil
from platforms.standard import OPERATIONS
from tests.chains.anvil import AnvilChain, anvil_chain
from unions.models import Category, Organization, ResourceSpace, SpaceKind

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="there is no anvil: `make setup` installs one"),
]
Read = Callable[..., int]
LEDGER = ("get_ledger_summary", "list_blocks", "list_transactions", "get_transaction")


@pytest.fixture(scope="module")
def filled() -> Iterator[AnvilChain]:
    """A chain that nobody changes."""
    with anvil_chain() as chain:
        chain.mine(230)
        chain.mine(3, transactions=0)
        yield chain


@pytest.fixture
def node() -> Iterator[AnvilChain]:
    with anvil_chain() as chain:
        yield chain


@pytest.fixture
def own(settings: Any) -> Platform:
    settings.OBSERVE_EVERY_SECONDS = 3600.0  # nothing is due again unless the test says so
    settings.OBSERVE_CATCH_UP_BLOCKS = 10_000
    forget_drivers()
    platform = Platform.objects.create(
        oemtype="own",
        name="Own",
        kind=PlatformKind.EVM,
        kernel=Kernel.ETHEREUM,
        cloudtype=Cloudtype.ON_PREM,
        capabilities={name: {"supported": name in LEDGER, "reason": ""} for name in OPERATIONS},
    )
    platform.check_in()
    platform.accept()
    platform.save()
    return platform


@pytest.fixture
def row_of(own: Platform) -> Callable[..., Blockchain]:
    creator = Organization.objects.create(orgcode="org-own", name="Own", category=Category.CLOUD)
    ResourceSpace.objects.create(organization=creator, kind=SpaceKind.TENANT, platform=own, tenantid="own")

    def make(chain_id: str, name: str = "Permits") -> Blockchain:
        ordered = BusinessChain.objects.create(uid=f"bc-{name}", name=name, platform=own, creator=creator)
        return Blockchain.objects.create(uid=f"b-{name}", business_chain=ordered, external_id=chain_id, name=name)

    return make


def read(*rows: Blockchain, observer: Observer | None = None, patience: float = 20.0) -> int:
    Blockchain.objects.filter(pk__in=[row.pk for row in rows]).update(next_read_at=None)
    written = (observer or Observer()).tick(patience=patience)
    for row in rows:
        row.refresh_from_db()
    return written


def stored(row: Blockchain) -> tuple[list[Any], list[Any]]:
    left_out = ("id", "blockchain_id")
    return tuple(  # type: ignore[return-value]
        [
            {name: value for name, value in each.items() if name not in left_out}
            for each in model.objects.filter(blockchain=row).order_by(*order).values()
        ]
        for model, order in ((Block, ["height"]), (Transaction, ["height", "index"]))
    )


def assert_stored(row: Blockchain, chain: AnvilChain) -> None:
    """What is stored is the chain: every block, and every transaction in its place."""
    heights = range(chain.height + 1)
    blocks = chain.batch([("eth_getBlockByNumber", hex(height), False) for height in heights])
    rows = Block.objects.filter(blockchain=row).order_by("height")
    assert list(rows.values_list("height", "hash", "parent_hash", "transactions_count")) == [
        (height, block["hash"], block["parentHash"], len(block["transactions"]))
        for height, block in zip(heights, blocks, strict=True)
    ]
    transactions = Transaction.objects.filter(blockchain=row).order_by("height", "index")
    assert list(transactions.values_list("hash", "height", "index")) == [
        (each, height, index)
        for height, block in zip(heights, blocks, strict=True)
        for index, each in enumerate(block["transactions"])
    ]


def by_thread(own: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver without its follower: block by block, each reading in a thread."""
    monkeypatch.setattr(driver_for(own), "follower", None)


# --- the same rows ----------------------------------------------------------------------------------------------------


def test_both_ways_store_the_same_rows(
    filled: AnvilChain, own: Platform, row_of: Callable[..., Blockchain], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, one_by_one = row_of(filled.chain_id, "At once"), row_of(filled.chain_id, "One by one")
    read(at_once)
    by_thread(own, monkeypatch)
    read(one_by_one)
    assert at_once.read_error == one_by_one.read_error == ""
    assert stored(at_once) == stored(one_by_one)
    assert_stored(at_once, filled)
    assert at_once.transactions_total == Transaction.objects.filter(blockchain=at_once).count()
    logged = Transaction.objects.filter(blockchain=at_once, extrainfo__contains='"topics":["0xabab')
    assert logged.count() == 230 * 2


def test_a_reading_hands_over_in_portions_and_is_followed_up(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    settings.OBSERVE_BLOCKS_PER_READING = 100
    node.mine(450, transactions=1)
    row, observer = row_of(node.chain_id), Observer()
    read(row, observer=observer)
    assert_stored(row, node)
    assert (row.reader, row.read_error, row.height) == (None, "", node.height)
    node.mine(3)
    assert read(row, observer=observer) == 1
    assert_stored(row, node)
    assert row.transactions_total == Transaction.objects.filter(blockchain=row).count()


def test_rows_that_are_there_already_are_overwritten(filled: AnvilChain, row_of: Callable[..., Blockchain]) -> None:
    row = row_of(filled.chain_id)
    read(row)
    before = stored(row)
    Block.objects.filter(height__gt=150).delete()  # as if the last write had been half lost
    Transaction.objects.filter(height=160).update(status="unknown", input="wrong")
    read(row)
    assert stored(row) == before


# --- catching up ------------------------------------------------------------------------------------------------------


def details_of(row: Blockchain) -> dict[str, int]:
    found = Transaction.objects.filter(blockchain=row).order_by().values_list("details").annotate(Count("pk"))
    return dict(found)


def test_what_lies_deep_is_first_read_without_details_and_filled_in_later(
    filled: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    settings.OBSERVE_CATCH_UP_BLOCKS = 50
    quickly, fully = row_of(filled.chain_id, "Quickly"), row_of(filled.chain_id, "Fully")
    read(quickly)
    assert_stored(quickly, filled)
    assert details_of(quickly)["later"] == Transaction.objects.filter(blockchain=quickly, value="").count() > 300
    lacking = Transaction.objects.filter(blockchain=quickly, details="later").first()
    assert lacking is not None
    assert (lacking.input, "nonce" in lacking.extrainfo, "gasUsed" in lacking.extrainfo) == ("", False, True)
    assert lacking.sender
    assert not Transaction.objects.filter(blockchain=quickly, details="read", value="").exists(), "near the head: whole"

    for _reading in range(5):  # the newest first, a stretch with every reading
        read(quickly)
    assert set(details_of(quickly)) == {"read"}
    settings.OBSERVE_CATCH_UP_BLOCKS = 10_000
    read(fully)
    assert stored(quickly) == stored(fully)


def test_details_that_somebody_waits_for_are_read_first(
    filled: AnvilChain, row_of: Callable[..., Blockchain], settings: Any, django_user_model: Any
) -> None:
    settings.OBSERVE_CATCH_UP_BLOCKS = 0
    row, root = row_of(filled.chain_id), django_user_model.objects.create_superuser("root", "", "correct horse")
    row.organizations.add(row.business_chain.creator)
    read(row)
    wanted = Transaction.objects.get(blockchain=row, height=5, index=0)
    with pytest.raises(Missing):
        service.want_details(actor=root, uid=row.uid, tx_hash="0x" + "12" * 32)
    for _twice in range(2):
        assert service.want_details(actor=root, uid=row.uid, tx_hash=wanted.hash).details == "wanted"
    row.refresh_from_db()
    assert row.next_read_at is None, "it is due at once"
    Observer().tick(patience=20)
    wanted.refresh_from_db()
    assert (wanted.details, wanted.value, wanted.input) == ("read", "1", "0x")
    assert service.want_details(actor=root, uid=row.uid, tx_hash=wanted.hash).details == "read"
    assert Transaction.objects.filter(blockchain=row, height__gt=100, details="later").exists()


def test_details_of_a_branch_that_is_gone_are_not_asked_for_for_ever(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    settings.OBSERVE_CATCH_UP_BLOCKS = 0
    node.mine(10)
    row = row_of(node.chain_id)
    read(row)
    Transaction.objects.filter(height=4, index=1).update(hash="0x" + "00" * 32)  # the node knows no such thing
    read(row)
    assert details_of(row) == {"read": 40, "refused": 1}


def test_the_page_and_rest_say_what_has_not_been_read_and_have_it_read(
    filled: AnvilChain, row_of: Callable[..., Blockchain], settings: Any, django_user_model: Any, client: Client
) -> None:
    settings.OBSERVE_CATCH_UP_BLOCKS = 0
    row, root = row_of(filled.chain_id), django_user_model.objects.create_superuser("root", "", "correct horse")
    read(row)
    wanted = Transaction.objects.get(blockchain=row, height=5, index=1)
    client.force_login(root)
    page = f"/chains/{row.uid}/transactions/{wanted.hash}"
    assert "have not been read yet" in client.get(page).content.decode()
    answer = client.post(f"{page}/details", headers={"HX-Request": "true"})
    assert "are being read" in answer.content.decode()
    assert "HX-Refresh" not in answer.headers
    rest = client.get(f"/api/v1/blockchains/{row.uid}/transactions/{wanted.hash}").json()
    assert (rest["details"], rest["value"]) == ("wanted", "")
    Observer().tick(patience=20)
    assert client.get(f"{page}/details", headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "have not been read yet" not in client.get(page).content.decode()
    asked = client.post(f"/api/v1/blockchains/{row.uid}/transactions/{wanted.hash}/details")
    assert (asked.status_code, asked.json()["details"], asked.json()["value"]) == (200, "read", "0")


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("longer_by", [-2, 0, 3])
def test_a_reorganised_head_is_replaced(node: AnvilChain, row_of: Callable[..., Blockchain], longer_by: int) -> None:
    node.mine(20)
    row = row_of(node.chain_id)
    base = node.call("evm_snapshot")
    node.mine(140)
    read(row)
    kept = set(Block.objects.filter(height__lte=21).values_list("pk", flat=True))
    node.call("evm_revert", base)
    node.mine(140 + longer_by, mark=7)
    read(row)
    assert_stored(row, node)
    assert kept <= set(Block.objects.values_list("pk", flat=True)), "what both branches share is not written again"


def test_a_chain_that_changes_while_it_is_read_is_read_to_its_end(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    """Between two portions the chain becomes another one."""
    settings.OBSERVE_BLOCKS_PER_READING = 100
    node.mine(50)
    base = node.call("evm_snapshot")
    node.mine(900, transactions=1)
    row, observer = row_of(node.chain_id), Observer()
    observer._claim()
    first = observer._arrived.get(timeout=20)
    assert first.goes_on
    assert observer._write([first]) == 1
    assert Block.objects.count() == 100
    node.call("evm_revert", base)
    node.mine(400, transactions=1, mark=9)
    observer.tick(patience=20)
    read(row, observer=observer)  # the next reading at the latest sees it
    assert row.read_error == ""
    assert_stored(row, node)


def test_reading_goes_on_after_a_restart_in_the_middle(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    """A process has written a portion and dies; its claim runs out, and another reads on where it stopped."""
    settings.OBSERVE_BLOCKS_PER_READING = 100
    node.mine(600, transactions=1)
    row, dies = row_of(node.chain_id), Observer()
    dies._claim()
    while not Block.objects.exists():
        dies._write(dies._arrivals(20))
    row.refresh_from_db()
    assert row.reader is not None
    assert Observer().tick(patience=1) == 0, "the claim holds while portions come"
    Blockchain.objects.update(lease_until=None)
    Observer().tick(patience=20)
    assert_stored(row, node)
    before = stored(row)
    dies.tick(patience=0.5)  # it was not dead after all: what it brings is dropped
    assert stored(row) == before
    assert dies.under_way == 0


def test_nothing_is_written_behind_a_portion_that_could_not_be(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    settings.OBSERVE_BLOCKS_PER_READING = 100
    node.mine(500, transactions=1)
    row, observer = row_of(node.chain_id), Observer()
    with refused_by_the_database("chains_block", "new.height = 150"):
        observer.tick(patience=3)
    row.refresh_from_db()
    assert row.read_error
    assert (row.reader, observer.under_way) == (None, 0)
    kept = list(Block.objects.order_by("height").values_list("height", flat=True))
    assert kept in ([], list(range(100))), "portions that arrive together are written together, or not at all"
    read(row)
    assert_stored(row, node)


@contextmanager
def refused_by_the_database(table: str, condition: str) -> Iterator[None]:
    """Such rows cannot be written, as if its disk were full."""
    if connection.vendor == "postgresql":
        body = "BEGIN RAISE EXCEPTION 'no space left'; END"
        make = [
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER refused BEFORE INSERT ON {table} FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION refuse()",
        ]
        drop = [f"DROP TRIGGER refused ON {table}", "DROP FUNCTION refuse"]
    else:
        body = "BEGIN SELECT RAISE(ABORT, 'no space left'); END"
        make = [f"CREATE TRIGGER refused BEFORE INSERT ON {table} WHEN {condition} {body}"]
        drop = ["DROP TRIGGER refused"]
    with connection.cursor() as cursor:
        try:
            for statement in make:
                cursor.execute(statement)
            yield
        finally:
            for statement in drop:
                cursor.execute(statement)


def test_a_node_that_hangs_is_given_up_and_its_claim_ends(
    node: AnvilChain, row_of: Callable[..., Blockchain], settings: Any
) -> None:
    settings.OBSERVE_DEADLINE_SECONDS = 0.5
    node.mine(2)
    row, observer = row_of(node.chain_id), Observer()
    os.kill(node.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        observer.tick(patience=10)
        row.refresh_from_db()
        assert time.monotonic() - began < 5
        assert "did not answer" in row.read_error
        assert (row.reader, observer.under_way) == (None, 0)
    finally:
        os.kill(node.pid, signal.SIGCONT)
    read(row)
    assert_stored(row, node)
