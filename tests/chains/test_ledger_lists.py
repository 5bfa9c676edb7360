"""Lists of a ledger: slices by key, parties by index, and what PostgreSQL does for each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from chains import reads
from chains.keyset import PAGED, Cursor, KeyedList
from chains.models import Block, Blockchain, Transaction
from tests.chains.ledger_plane import Ledger
from tests.rest import assert_problem, client
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
ANN, BEN, TIL = (f"0x{letter * 40}" for letter in "abc")


@pytest.fixture
def stored(chain: MakeChain) -> Blockchain:
    """Ten blocks of three transactions: from Ann to Ben, from Ben to himself, and one by which Til is made."""
    row, _ledger = chain()
    Block.objects.bulk_create(
        Block(blockchain=row, height=height, hash=f"0xb{height}", transactions_count=3) for height in range(10)
    )
    parties = [(ANN, BEN.upper(), ""), (BEN, BEN, ""), (ANN, "", TIL.upper())]
    Transaction.objects.bulk_create(
        Transaction(
            blockchain=row,
            hash=f"0xt{height}{index}",
            height=height,
            index=index,
            sender=sender,
            recipient=recipient,
            contract=contract,
            status="failed" if (height, index) == (3, 1) else "committed",
        )
        for height in range(10)
        for index, (sender, recipient, contract) in enumerate(parties)
    )
    return row


def keys(rows: list[Transaction]) -> list[tuple[int, int]]:
    return [(row.height, row.index) for row in rows]


# --- slices -----------------------------------------------------------------------------------------------------------


def test_a_list_is_walked_to_its_end_and_back(stored: Blockchain) -> None:
    for ascending, address, size in itertools.product((False, True), ("", BEN), (1, 4, 7, 30)):
        walk(stored, ascending, address, size)


def walk(stored: Blockchain, ascending: bool, address: str, size: int) -> None:
    rows = Transaction.objects.filter(blockchain=stored)
    sources = reads.touching(rows, address) if address else [rows]
    every = [(height, index) for height in range(10) for index in ((0, 1) if address else (0, 1, 2))]
    every.sort(reverse=not ascending)
    listed = KeyedList(sources, ("height", "index"), ascending)
    part = listed.slice(size)
    assert part.is_first
    there, slices = keys(part.rows), [part]
    while part.later:
        part = listed.slice(size, Cursor.read(part.later))
        there += keys(part.rows)
        slices.append(part)
    assert there == every
    assert keys(listed.last(size).rows) == every[-size:]
    for before in reversed(slices[:-1]):
        part = listed.slice(size, Cursor.read(part.earlier))
        assert keys(part.rows) == keys(before.rows)
    assert part.is_first, "back at the beginning"
    assert listed.count() == (len(every), True)


def test_counting_ends_somewhere(stored: Blockchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chains.keyset.COUNTED", 12)
    listed = KeyedList([Transaction.objects.filter(blockchain=stored)], ("height", "index"))
    assert listed.count() == (12, False)


NO_CURSORS = ["", "below", "below-", "above--3", "beside-3", f"below-{2**70}", "below-٣", "below-1.2.3"]


@pytest.mark.parametrize("text", NO_CURSORS)
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert Cursor.read(text) is None


def test_a_cursor_is_what_it_was_written_as() -> None:
    for text in ("below-12", "above-12.3"):
        assert str(Cursor.read(text)) == text


# --- REST -------------------------------------------------------------------------------------------------------------


def get(user: Any, url: str, **query: Any) -> Any:
    answer = client(user).get(url, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_next_and_previous_lead_through_the_list(stored: Blockchain, cast: Cast) -> None:
    path = f"/api/v1/blockchains/{stored.uid}/transactions"
    found = get(cast.alice, path, address=BEN.upper(), page_size=8)
    assert (found["count"], found["counted_all"], found["previous"]) == (20, True, None)
    second = get(cast.alice, found["next"])
    third = get(cast.alice, second["next"])
    assert third["next"] is None
    hashes = [each["hash"] for page in (found, second, third) for each in page["results"]]
    assert hashes == [f"0xt{height}{index}" for height in range(9, -1, -1) for index in (1, 0)]
    assert get(cast.alice, third["previous"])["results"] == second["results"]
    assert get(cast.alice, path, address=BEN, page_size=8, page=2)["results"] == second["results"]
    assert get(cast.alice, path, address=BEN, page_size=4, cursor="end")["results"] == third["results"]


def test_parties_and_states_narrow_the_list(stored: Blockchain, cast: Cast) -> None:
    path = f"/api/v1/blockchains/{stored.uid}/transactions"
    for query, number in (
        ({"sender": ANN}, 20),
        ({"to": BEN}, 20),
        ({"contract": TIL}, 10),
        ({"address": TIL}, 10),
        ({"status": "committed"}, 29),
        ({"address": ANN, "status": "failed"}, 0),
        ({"address": BEN, "status": "failed"}, 1),
        ({"address": ANN, "from_height": 4, "to_height": 5}, 4),
        ({"address": " "}, 30),
    ):
        assert get(cast.alice, path, **query)["count"] == number, query


@pytest.mark.parametrize("query", ["cursor=nowhere", "page=0", "page=last", "page=x"])
def test_a_place_that_is_none_is_refused_by_name(stored: Blockchain, cast: Cast, query: str) -> None:
    answer = client(cast.alice).get(f"/api/v1/blockchains/{stored.uid}/blocks?{query}")
    assert_problem(answer, 422, query.split("=")[0])


def test_a_page_far_behind_is_reached_by_next_only(stored: Blockchain, cast: Cast) -> None:
    answer = client(cast.alice).get(f"/api/v1/blockchains/{stored.uid}/blocks?page={PAGED // 50 + 1}")
    assert_problem(answer, 404, "page")
    assert "follow “next”" in answer.json()["detail"]


# --- by index ---------------------------------------------------------------------------------------------------------


def plan_of(rows: Any) -> str:
    with connection.cursor() as cursor:
        sql, parameters = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        return json.dumps(cursor.fetchone()[0])


@pytest.fixture
def long(stored: Blockchain) -> Blockchain:
    """So many rows that reading all of them is no way any more."""
    Transaction.objects.bulk_create(
        Transaction(
            blockchain=stored,
            hash=f"0x{number:x}",
            height=10 + number // 10,
            index=number % 10,
            sender=f"0x{number % 500:040x}",
            recipient=f"0x{number % 300:040x}",
            status="committed",
        )
        for number in range(30_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chains_transaction")
    return stored


@pytest.mark.postgres
def test_every_list_is_read_along_an_index(long: Blockchain) -> None:
    rows = Transaction.objects.filter(blockchain=long)
    newest = ("-height", "-index")
    address = f"0x{7:040X}"
    sender, recipient, contract = reads.touching(rows, address)
    far = Cursor.read("below-200.5")
    assert far is not None
    asked = {
        "chains_tran_blockch": rows.order_by(*newest)[:26],
        "transaction_of_sender": sender.order_by(*newest)[:26],
        "transaction_of_recipient": recipient.order_by(*newest)[:26],
        "transaction_of_contract": contract.order_by(*newest)[:26],
        "transaction_not_committed": rows.filter(status="failed").order_by(*newest)[:26],
        "transaction_once": rows.filter(hash__in=reads.spellings("0x7f")),
    }
    for index, query in asked.items():
        plan = plan_of(query)
        assert index in plan, (index, plan)
        assert "Seq Scan" not in plan, (index, plan)
    for index in ("chains_tran_blockch", "transaction_of_sender", "transaction_of_recipient"):
        plan = plan_of(asked[index])
        assert '"Sort"' not in plan, f"{index} gives its rows in order: {plan}"


@pytest.mark.postgres
def test_a_slice_far_behind_begins_within_the_index(long: Blockchain) -> None:
    rows = Transaction.objects.filter(blockchain=long)
    from chains.keyset import _beside

    cursor = Cursor.read("below-200.5")
    assert cursor is not None
    plan = json.loads(plan_of(rows.filter(_beside(("height", "index"), cursor)).order_by("-height", "-index")[:26]))
    (scan,) = plan[0]["Plan"]["Plans"]
    assert scan["Node Type"] == "Index Scan"
    assert "height <= 200" in scan["Index Cond"]
