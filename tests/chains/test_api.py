"""Chains and ledgers by REST: what is answered, to whom, at which cost, and what bad input gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.models import Block, Blockchain, Node, Sample, Transaction
from tests.chains.ledger_plane import Ledger
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, auditor

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
BASE = "/api/v1"


@pytest.fixture
def read_chain(chain: MakeChain, observe: Callable[..., int]) -> tuple[Blockchain, Ledger]:
    """A chain whose ledger has been read."""
    row, ledger = chain()
    ledger.mine(6, transactions=2)
    observe(row)
    return row, ledger


def get(user: Any, path: str, **query: Any) -> Any:
    answer = client(user).get(f"{BASE}/{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def standing(row: Blockchain) -> dict[str, Any]:
    """What every answer about a ledger says of its reading, six blocks after the first."""
    read_at = row.read_at.isoformat().replace("+00:00", "Z")
    return {"height": 6, "indexed_from": 0, "indexed_up_to": 6, "behind": 0, "read_at": read_at, "stale": False}


# --- what is answered -------------------------------------------------------------------------------------------------


def test_a_business_chain_is_table_3_with_table_4_inside(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    found = get(cast.alice, "chains")
    assert found["count"] == 1
    (chain,) = found["results"]
    assert chain == get(cast.bob, f"chains/{row.business_chain.uid}")
    (blockchain,) = chain.pop("blockchain")
    assert chain.pop("created_at").endswith("Z")
    assert chain == {
        "id": row.business_chain.uid,
        "unionid": row.business_chain.union.unionid,
        "creatororg": cast.tax.orgcode,
        "name": "Permits",
        "oemtype": "testbed",
        "orgs": sorted([cast.tax.orgcode, cast.housing.orgcode], key=chain["orgs"].index),
        "createmode": "multi_subchain",
        "state": "running",
        "management": "managed",
    }
    assert set(chain["orgs"]) == set(blockchain.pop("orgs")) == {cast.tax.orgcode, cast.housing.orgcode}
    assert blockchain.pop("read_at") is not None
    assert blockchain.pop("block_time") == "2026-01-01T00:00:30Z"
    assert blockchain == {
        "id": row.uid,
        "externalid": ledger.id,
        "extrainfo": "",
        "name": "Permits",
        "cloudtype": "cloud",
        "infraspec": {},
        "blockspec": {},
        "state": "running",
        "height": 6,
        "block_hash": ledger.blocks[-1]["hash"],
        "transactions": 12,
        "missing_since": None,
        "read_error": "",
        "stale": False,
        "stands_since": None,
    }


def test_a_blockchain_says_what_it_belongs_to(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    (found,) = get(cast.alice, "blockchains")["results"]
    assert found == get(cast.alice, f"blockchains/{row.uid}")
    assert (found["chain"], found["unionid"]) == (row.business_chain.uid, row.business_chain.union.unionid)
    assert (found["oemtype"], found["creatororg"]) == ("testbed", cast.tax.orgcode)


def test_nodes_are_listed_by_blockchain(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    found = get(cast.alice, "nodes", blockchain=row.uid)
    assert found["count"] == 2
    node = next(each for each in found["results"] if each["orgcode"] == cast.tax.orgcode)
    assert node == {
        "id": str(Node.objects.get(organization=cast.tax).pk),
        "externalid": f"{ledger.id}-{cast.tax.orgcode}",
        "orgcode": cast.tax.orgcode,
        "blockchain": row.uid,
        "role": "validator",
        "endpoint": f"http://{cast.tax.orgcode}.{ledger.id}:8545",
        "state": "running",
        "version": "v1",
        "read_at": node["read_at"],
    }
    assert get(cast.alice, "nodes", orgcode=cast.housing.orgcode)["count"] == 1


def test_the_ledger_says_how_far_it_is_and_how_fresh(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    found = get(cast.alice, f"blockchains/{row.uid}/ledger")
    assert found.pop("read_at") is not None
    assert found == {
        "blockchain": row.uid,
        "height": 6,
        "block_hash": ledger.blocks[-1]["hash"],
        "block_time": "2026-01-01T00:00:30Z",
        "transactions": 12,
        "nodes": 2,
        "indexed_height": 6,
        "indexed_from": 0,
        "indexed_up_to": 6,
        "behind": 0,
        "gaps": [],
        "read_error": "",
        "stale": False,
        "stands_since": None,
    }


def test_an_old_reading_is_called_stale(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    Blockchain.objects.update(read_at=timezone.now() - timedelta(minutes=5), read_error="no answer")
    found = get(cast.alice, f"blockchains/{row.uid}/ledger")
    assert (found["stale"], found["read_error"], found["height"]) == (True, "no answer", 6)


def test_blocks_are_paged_and_narrowed(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    path = f"blockchains/{row.uid}/blocks"
    found = get(cast.alice, path, page_size=3)
    assert (found["count"], [each["height"] for each in found["results"]]) == (7, [6, 5, 4])
    assert found["next"] is not None
    assert {name: found[name] for name in standing(row)} == standing(row)
    assert [each["height"] for each in get(cast.alice, path, from_height=2, to_height=3)["results"]] == [3, 2]
    bare = ledger.blocks[4]["hash"].removeprefix("0x").upper()
    assert [each["height"] for each in get(cast.alice, path, hash=bare)["results"]] == [4]
    assert get(cast.alice, path, min_transactions=1)["count"] == 6
    assert get(cast.alice, path, since="2026-01-01T00:00:25Z", until="2026-01-01T00:00:30Z")["count"] == 1
    assert get(cast.alice, path, ordering="height")["results"][0]["height"] == 0
    one = get(cast.alice, f"{path}/3")
    assert one.pop("ledger") == standing(row)
    assert one == {
        "height": 3,
        "hash": ledger.blocks[3]["hash"],
        "parent_hash": ledger.blocks[2]["hash"],
        "time": "2026-01-01T00:00:15Z",
        "transactions": 2,
    }


def test_transactions_are_paged_and_narrowed(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    path = f"blockchains/{row.uid}/transactions"
    found = get(cast.alice, path)
    assert found["count"] == 12
    assert [(each["height"], each["index"]) for each in found["results"][:3]] == [(6, 1), (6, 0), (5, 1)]
    assert "input" not in found["results"][0]
    assert get(cast.alice, path, height=4)["count"] == 2
    assert get(cast.alice, path, address="0xSENDER")["count"] == 12
    assert get(cast.alice, path, to="0xnobody")["count"] == 0
    wanted = ledger.blocks[4]["txs"][0]
    one = get(cast.alice, f"{path}/{wanted}")
    assert one == get(cast.alice, f"{path}/{wanted.removeprefix('0x')}")
    assert one["ledger"] == standing(row)
    assert (one["hash"], one["height"], one["index"]) == (wanted, 4, 0)
    assert (one["blockchain"], one["status"]) == (row.uid, "committed")
    assert (one["sender"], one["to"], one["value"]) == ("0xsender", "0xrecipient", "1")
    assert (one["contract"], one["input"], one["extrainfo"]) == ("", "", "")


def test_what_has_not_been_read_is_a_404_that_says_so(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for path in ("blocks/99", "transactions/0xabc", f"blocks/{2**70}"):
        answer = client(cast.alice).get(f"{BASE}/blockchains/{row.uid}/{path}")
        assert_problem(answer, 404)
        assert "Blocks up to 6 have been read" in answer.json()["detail"]


def test_monitoring_is_a_series_of_figures(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    now = timezone.now()
    minute = now.replace(second=0, microsecond=0)
    Block.objects.filter(height__in=[1, 2, 3]).update(time=minute - timedelta(minutes=2))
    Block.objects.filter(height=4).update(time=minute - timedelta(minutes=4))
    Sample.objects.create(blockchain=row, name="cpu", value=99, unit="%", at=now - timedelta(hours=9))
    found = get(cast.alice, f"blockchains/{row.uid}/monitoring")
    series = {each["name"]: each for each in found["series"]}
    assert set(series) == {"cpu", "transactions_per_minute", "block_time"}
    assert [point["value"] for point in series["cpu"]["points"]] == [12.5]
    per_minute = [point["value"] for point in series["transactions_per_minute"]["points"]]
    assert (len(per_minute), sum(per_minute), per_minute[-4:]) == (60, 8.0, [2.0, 0.0, 6.0, 0.0])
    assert [point["value"] for point in series["block_time"]["points"]] == [60.0, 20.0]
    only = get(cast.alice, f"blockchains/{row.uid}/monitoring", name="cpu", minutes=600)
    assert [[point["value"] for point in each["points"]] for each in only["series"]] == [[99.0, 12.5]]


# --- to whom ----------------------------------------------------------------------------------------------------------


def paths_of(row: Blockchain) -> list[str]:
    chain, blockchain = f"chains/{row.business_chain.uid}", f"blockchains/{row.uid}"
    parts = ["ledger", "blocks", "blocks/1", "transactions", "monitoring"]
    return [chain, blockchain, *(f"{blockchain}/{part}" for part in parts)]


@pytest.mark.parametrize("who", ["carol", "dan"])
def test_strangers_find_nothing(read_chain: tuple[Blockchain, Ledger], cast: Cast, who: str) -> None:
    row, _ledger = read_chain
    stranger = getattr(cast, who)
    for path in (*paths_of(row), f"nodes?blockchain={row.uid}"):
        assert_problem(client(stranger).get(f"{BASE}/{path}"), 404)
    for path in ("chains", "blockchains", "nodes"):
        assert get(stranger, path)["count"] == 0


def test_members_and_overseers_see_the_chain(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for user in (cast.alice, cast.bob, cast.root, auditor()):
        for path in paths_of(row):
            assert client(user).get(f"{BASE}/{path}").status_code == 200, (user, path)
        assert get(user, "nodes")["count"] == 2


def test_nobody_without_signing_in(read_chain: tuple[Blockchain, Ledger]) -> None:
    row, _ledger = read_chain
    for path in (*paths_of(row), "chains", "blockchains", "nodes"):
        assert_problem(client().get(f"{BASE}/{path}"), 401)


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("blocks?from_height=tall", "from_height"),
        ("blocks?from_height=-1", "from_height"),
        (f"blocks?from_height={2**70}", "from_height"),
        ("blocks?to_height=" + "9" * 400, "to_height"),
        ("blocks?since=yesterday", "since"),
        ("blocks?since=0001-01-01T00:00:00%2B14:00", "since"),
        ("blocks?until=9999-12-31T23:59:59-14:00", "until"),
        ("transactions?status=lost", "status"),
        ("transactions?height=1.5", "height"),
        ("monitoring?minutes=0", "minutes"),
        ("monitoring?minutes=many", "minutes"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(
    read_chain: tuple[Blockchain, Ledger], cast: Cast, path: str, field: str
) -> None:
    row, _ledger = read_chain
    assert_problem(client(cast.alice).get(f"{BASE}/blockchains/{row.uid}/{path}"), 422, field)


@pytest.mark.parametrize("path", ["chains?state=lost", "blockchains?state=lost", "nodes?state=lost"])
def test_an_unknown_state_is_named(read_chain: tuple[Blockchain, Ledger], cast: Cast, path: str) -> None:
    assert_problem(client(cast.alice).get(f"{BASE}/{path}"), 422, "state")


def test_what_is_read_cannot_be_written(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    written = {("post", "chains"), ("delete", f"chains/{row.business_chain.uid}")}  # see test_api_orders.py
    for path in ("chains", *paths_of(row)):
        for method in ("post", "put", "patch", "delete"):
            if (method, path) not in written:
                assert_problem(getattr(client(cast.root), method)(f"{BASE}/{path}", {}, format="json"), 405)
    assert Blockchain.objects.count() == 1


# --- at which cost ----------------------------------------------------------------------------------------------------

LISTS = ["chains", "blockchains", "nodes"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_cost_the_same_however_long_they_are(
    chain: MakeChain, observe: Callable[..., int], cast: Cast, path: str
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(cast.alice, path)
        return len(captured)

    observe(chain("First")[0])
    few = cost()
    observe(*(chain(f"Chain {number}")[0] for number in range(6)))
    assert cost() == few
    assert few <= 7


@pytest.mark.parametrize("part", ["ledger", "blocks", "transactions", "statistics", "monitoring"])
def test_ledgers_cost_the_same_however_long_they_are(
    chain: MakeChain, observe: Callable[..., int], cast: Cast, part: str
) -> None:
    row, ledger = chain()

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(cast.alice, f"blockchains/{row.uid}/{part}")
        return len(captured)

    ledger.mine(2, transactions=1)
    observe(row)
    few = cost()
    ledger.mine(60, transactions=3)
    observe(row)
    assert Transaction.objects.count() == 182
    assert cost() == few
    assert few <= 4
