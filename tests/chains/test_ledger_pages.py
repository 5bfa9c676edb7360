"""Pages of a ledger's history: statistics, gaps, reorganisations, and transactions that left with their branch."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from chains.models import Block, Blockchain, LedgerGap
from chains.services import history
from console.models import User
from tests.chains.ledger_plane import Ledger
from tests.unions.cast import Cast

pytestmark = pytest.mark.django_db
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
Observe = Callable[..., int]


@pytest.fixture(autouse=True)
def eager(settings: object) -> None:
    settings.OBSERVE_EVERY_SECONDS = 3600.0  # type: ignore[attr-defined]


def page(user: User, path: str, status: int = 200) -> str:
    made = Client()
    made.force_login(user)
    answer = made.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture
def left(chain: MakeChain, observe: Observe) -> tuple[Blockchain, str, str]:
    """A chain that has left a branch of three blocks, a transaction that went with it, and one that came back."""
    row, ledger = chain()
    ledger.mine(10, transactions=2)
    observe(row)
    lost, back = ledger.blocks[-1]["txs"]
    ledger.reorganise(3, longer_by=2, transactions=0)
    ledger.blocks[-1]["txs"].append(back)
    observe(row)
    return row, lost, back


def test_a_transaction_that_left_says_so(left: tuple[Blockchain, str, str], cast: Cast) -> None:
    row, lost, back = left
    seen = words(page(cast.alice, f"/chains/{row.uid}/transactions/{lost}", 404))
    assert "This transaction was in block 10 of a branch that the chain has left" in seen
    seen = words(page(cast.alice, f"/chains/{row.uid}/transactions/{back}"))
    assert "It was in block 10 of a branch that the chain left" in seen
    seen = words(page(cast.alice, f"/chains/{row.uid}/transactions/0xneverwas", 404))
    assert "has not been read, or is kept no longer" in seen


def test_reorganisations_are_listed(left: tuple[Blockchain, str, str], cast: Cast) -> None:
    row, _lost, _back = left
    seen = words(page(cast.alice, f"/chains/{row.uid}/reorganisations"))
    assert re.search(r"\b8 3 6 0x", seen), seen
    assert "3 blocks from 8 on were replaced" in words(page(cast.alice, f"/chains/{row.uid}/statistics"))
    page(cast.carol, f"/chains/{row.uid}/reorganisations", 404)
    page(cast.carol, f"/chains/{row.uid}/statistics", 404)


def test_statistics_are_drawn_by_hour_and_by_day(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    row, ledger = chain()
    ledger.mine(20, transactions=2)
    observe(row)
    now = timezone.now()
    for height in range(21):
        Block.objects.filter(height=height).update(time=now - timedelta(hours=20 - height))
    history.count()
    for period, most in (("hour", 21), ("day", 2)):
        html = page(cast.alice, f"/chains/{row.uid}/statistics?period={period}")
        points = re.findall(r'data-points="([^"]*)"', html)
        assert {each.count("[") - 1 for each in points} <= {most}, points
        assert points or period == "day", "one day makes no line"
        assert re.search(r"Blocks 21 Transactions 40 Failed transactions 0", words(html))
        assert 'aria-pressed="true"' in html
    assert "Counted up to block 20" in words(html)


def test_gaps_are_said_plainly(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    row, _ledger = chain()
    observe(row)
    LedgerGap.objects.create(blockchain=row, from_height=1000, to_height=1999)
    seen = words(page(cast.alice, f"/chains/{row.uid}/statistics"))
    assert "There are gaps in the history" in seen
    assert "Blocks 1,000 to 1,999" in seen


def test_lists_say_how_far_and_how_fresh_they_are(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    row, ledger = chain()
    ledger.mine(4)
    observe(row)
    for part in ("blocks", "transactions", "blocks/2", f"transactions/{ledger.blocks[2]['txs'][0]}"):
        seen = words(page(cast.alice, f"/chains/{row.uid}/{part}"))
        assert "Blocks 0 to 4 are indexed. That is the platform's head." in seen, part
        assert "Fresh" in seen
    Blockchain.objects.update(height=9, read_at=timezone.now() - timedelta(hours=1))
    seen = words(page(cast.alice, f"/chains/{row.uid}/blocks"))
    assert "The platform's head is 9: 5 blocks to read." in seen
    assert "Old not read since" in seen
