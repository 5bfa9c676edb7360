"""The pages of chains: what they show, to whom, how they find things, and at which cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.frame import chains_by_platform
from chains.models import Block, Blockchain, ChainState, Transaction
from chains.words import WORDS
from console import shell
from console.models import User
from tests.chains.ledger_plane import Ledger
from tests.unions.cast import Cast, active_union, auditor

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]
Observe = Callable[..., int]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def read_chain(chain: MakeChain, observe: Observe) -> tuple[Blockchain, Ledger]:
    row, ledger = chain()
    ledger.mine(30, transactions=2)
    observe(row)
    now = timezone.now()
    for block in Block.objects.filter(blockchain=row):
        Block.objects.filter(pk=block.pk).update(time=now - timedelta(minutes=2 + 30 - block.height))
    return row, ledger


def browser(user: User | None = None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def page(user: User, path: str, *, live: bool = False, follow: bool = False) -> str:
    headers = {"HX-Request": "true"} if live else {}
    answer = browser(user).get(path, headers=headers, follow=follow)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def words(html: str) -> str:
    """What a reader sees, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


# --- what they show ---------------------------------------------------------------------------------------------------


def test_the_list_shows_every_chain_with_its_head(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    html = page(cast.alice, "/chains")
    seen = words(html)
    assert "Permits" in seen
    assert "Tax Bureau" in seen
    assert re.search(r"Running\s+30\s", seen), "the height"
    assert re.search(r"\s60\s", seen), "the transactions"
    assert "Never read" not in seen
    assert f'href="/chains/{row.uid}"' in html
    points = re.search(r'data-chart="spark"\s+data-points="([^"]*)"', html)
    assert points is not None
    assert points.group(1).count("[") == 31, "thirty minutes and the list around them"


def test_the_list_is_narrowed(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    permits, _ = chain("Permits")
    papers, papers_ledger = chain("Vehicle papers")
    papers_ledger.fault = "error"
    gone, _ = chain("Land registry")
    observe(permits, papers)
    Blockchain.objects.filter(pk=papers.pk).update(created_at=timezone.now() - timedelta(hours=1))
    Blockchain.objects.filter(pk=gone.pk).update(state=ChainState.DELETED)
    for query, shown in {
        "": {"Permits", "Vehicle papers"},
        "?q=vehicle": {"Vehicle papers"},
        "?state=deleted": {"Land registry"},
        "?freshness=stale": {"Vehicle papers"},
        "?platform=testbed": {"Permits", "Vehicle papers"},
        "?platform=other": set(),
        "?state=nonsense": {"Permits", "Vehicle papers"},
    }.items():
        html = page(cast.alice, f"/chains{query}", live=True)
        assert {name for name in ("Permits", "Vehicle papers", "Land registry") if f">{name}<" in html} == shown, query


def test_the_page_of_a_chain_shows_what_monitoring_says(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    assert re.search(r"Monitoring read .* Processors in use 12\.5 %", words(page(cast.alice, f"/chains/{row.uid}")))
    Blockchain.objects.filter(pk=row.pk).update(details_read_at=None)
    assert "Monitoring" not in words(page(cast.alice, f"/chains/{row.uid}", live=True))


def test_a_reader_without_chains_is_told_how_to_get_one(cast: Cast) -> None:
    assert "A chain is built together with a union" in words(page(cast.carol, "/chains"))


def test_the_page_of_a_chain_shows_head_blocks_transactions_and_nodes(
    read_chain: tuple[Blockchain, Ledger], cast: Cast
) -> None:
    row, ledger = read_chain
    html = page(cast.bob, f"/chains/{row.uid}")
    seen = words(html)
    assert re.search(r"Height\s+30\s+Transactions\s+60\s", seen)
    assert f"http://{cast.tax.orgcode}.{ledger.id}:8545" in seen
    assert f'href="/chains/{row.uid}/blocks/30"' in html
    assert f'href="/chains/{row.uid}/transactions/{ledger.blocks[-1]["txs"][1]}"' in html
    assert "not read since" not in seen
    part = page(cast.bob, f"/chains/{row.uid}", live=True)
    assert "<html" not in part
    assert 'hx-trigger="every 2s"' in part
    assert f'data-read="{int(row.read_at.timestamp())}"' in part, "an unchanged chain still shows a new reading"


def test_old_figures_are_called_old(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    Blockchain.objects.update(read_at=timezone.now() - timedelta(minutes=9), read_error="<b>no answer</b>")
    html = page(cast.bob, f"/chains/{row.uid}")
    assert "The chain was not read since" in words(html)
    assert "&lt;b&gt;no answer&lt;/b&gt;" in html
    assert "Old" in words(page(cast.bob, "/chains"))


def test_a_deleted_chain_is_history(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    Blockchain.objects.update(state=ChainState.DELETED)
    html = page(cast.bob, f"/chains/{row.uid}")
    assert "What stands here is history" in words(html)
    assert "data-live" not in html
    assert "not read since" not in words(html)


def test_charts_are_drawn_from_the_ledger(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    html = page(cast.bob, f"/chains/{row.uid}/charts")
    assert html.count('data-chart="line"') == 2
    assert "Not enough blocks" not in html
    Block.objects.update(time=timezone.now() - timedelta(days=1))
    assert page(cast.bob, f"/chains/{row.uid}/charts").count("Not enough blocks") == 2


def test_blocks_and_transactions_are_paged(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    first = page(cast.alice, f"/chains/{row.uid}/blocks")
    (older,) = re.findall(r'rel="next"\s+href="([^"]+)"', first)
    second = page(cast.alice, f"/chains/{row.uid}/blocks{unescape(older)}")
    assert "/blocks/30" in first
    assert "/blocks/5" not in re.findall(r'href="/chains/[^"]*(/blocks/\d+)"', first)
    assert "/blocks/5" in second
    assert "data-live" in first
    assert "data-live" not in second, "an older page does not move"
    html = page(cast.alice, f"/chains/{row.uid}/transactions")
    assert ledger.blocks[-1]["txs"][0] in html
    assert "No transaction matches" in page(cast.alice, f"/chains/{row.uid}/transactions?address=0xnobody")
    assert ledger.blocks[-1]["txs"][0] in page(cast.alice, f"/chains/{row.uid}/transactions?address=0xSENDER")


def test_one_block_and_its_neighbours(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    html = page(cast.alice, f"/chains/{row.uid}/blocks/12")
    assert ledger.blocks[12]["hash"] in html
    assert ledger.blocks[11]["hash"] in html
    assert all(each in html for each in ledger.blocks[12]["txs"])
    assert f'href="/chains/{row.uid}/blocks/11"' in html
    assert f'href="/chains/{row.uid}/blocks/13"' in html
    head = page(cast.alice, f"/chains/{row.uid}/blocks/30")
    assert f'href="/chains/{row.uid}/blocks/31"' not in head


def test_one_transaction(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    Transaction.objects.filter(height=12).update(input="0xfeed<script>", contract="0xmade")
    html = page(cast.alice, f"/chains/{row.uid}/transactions/{ledger.blocks[12]['txs'][1]}")
    assert "0xfeed&lt;script&gt;" in html
    assert "0xmade" in html
    assert f'href="/chains/{row.uid}/blocks/12"' in html


def test_what_is_not_there_is_a_page_that_says_so(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for path in ("blocks/99", "transactions/0xabc"):
        answer = browser(cast.alice).get(f"/chains/{row.uid}/{path}")
        assert answer.status_code == 404
        assert "has not been read, or is kept no longer" in words(answer.content.decode())


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_height_or_a_hash_leads_to_its_page(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    block, transaction = ledger.blocks[7]["hash"], ledger.blocks[9]["txs"][0]
    for asked, target in {
        "12": "blocks/12",
        block: "blocks/7",
        f"  {block.removeprefix('0x').upper()} ": "blocks/7",
        transaction: f"transactions/{transaction}",
    }.items():
        answer = browser(cast.alice).get(f"/chains/{row.uid}/find", {"q": asked})
        assert (answer.status_code, answer["Location"]) == (302, f"/chains/{row.uid}/{target}"), asked
    for asked in ("", "99", "9" * 50, "nothing"):
        answer = browser(cast.alice).get(f"/chains/{row.uid}/find", {"q": asked}, follow=True)
        assert answer.redirect_chain[-1][0] == f"/chains/{row.uid}"
        assert ("Nothing of" in words(answer.content.decode())) is bool(asked)


def test_the_search_of_the_console_finds_chains_blocks_and_transactions(
    read_chain: tuple[Blockchain, Ledger], cast: Cast
) -> None:
    row, ledger = read_chain

    def hits(user: User, asked: str) -> set[str]:
        return {hit.url for source in shell.sources() for hit in source.find(user, asked, 5) if "/chains/" in hit.url}

    here = f"/chains/{row.uid}"
    assert hits(cast.alice, "permi") == {here}
    assert hits(cast.alice, row.business_chain.uid) == {here}
    assert hits(cast.alice, "12") >= {f"{here}/blocks/12"}
    assert hits(cast.alice, ledger.blocks[5]["hash"]) == {f"{here}/blocks/5"}
    assert hits(cast.alice, ledger.blocks[5]["txs"][0]) == {f"{here}/transactions/{ledger.blocks[5]['txs'][0]}"}
    for asked in ("permi", row.business_chain.uid, "12", ledger.blocks[5]["hash"], ledger.blocks[5]["txs"][0]):
        assert hits(cast.carol, asked) == set(), asked


def test_numbers_in_the_audit_log_lead_to_the_page(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for model, pk in ((Blockchain, row.pk), (type(row.business_chain), row.business_chain_id)):
        address = shell.address_of(model._meta.label_lower, str(pk))
        assert address is not None
        assert browser(cast.alice).get(address)["Location"] == f"/chains/{row.uid}"
        assert browser(cast.carol).get(address).status_code == 404


# --- in other pages ---------------------------------------------------------------------------------------------------


def test_the_page_of_a_union_shows_its_chain_to_members_only(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    path = f"/unions/{row.business_chain.union.unionid}"
    for user in (cast.alice, cast.root):
        html = page(user, path)
        assert f'href="/chains/{row.uid}"' in html
        assert f"http://{cast.housing.orgcode}.{ledger.id}:8545" in html
    html = page(cast.carol, path)
    assert row.uid not in html
    assert "Only the members of the union see its chain" in words(html)
    empty = active_union(cast, name="Empty")
    assert "No chain yet" in words(page(cast.alice, f"/unions/{empty.unionid}"))


def test_the_page_of_an_organization_shows_its_chains(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, ledger = read_chain
    html = page(cast.alice, f"/organizations/{cast.tax.orgcode}")
    assert f'href="/chains/{row.uid}"' in html
    assert f"http://{cast.tax.orgcode}.{ledger.id}:8545" in html
    assert f"http://{cast.housing.orgcode}.{ledger.id}:8545" not in html
    assert row.uid not in page(cast.carol, f"/organizations/{cast.tax.orgcode}")


def test_the_pages_of_platforms_count_and_name_their_chains(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for user, seen in ((cast.alice, 1), (cast.root, 1), (cast.carol, 0)):
        html = page(user, "/platforms/testbed")
        assert (f'href="/chains/{row.uid}"' in html) is bool(seen)
        assert ("No chain of yours" in words(html)) is not bool(seen)
        assert chains_by_platform(user, [cast.platform.pk]).get(cast.platform.pk, 0) == seen
    assert row.uid not in page(cast.carol, "/platforms")


def test_every_audit_action_has_words() -> None:
    text = "".join(path.read_text() for path in (ROOT / "chains/services").glob("*.py"))
    recorded = set(re.findall(r'(?:audit\.record|_record_said)\(\s*"([a-z_.]+)"', text))
    assert len(recorded) == 40
    assert recorded == {name for name in WORDS if name.count(".") == 2}, "the others are kinds of flows"


def test_the_dashboard_adds_all_chains_up(chain: MakeChain, observe: Observe, cast: Cast) -> None:
    permits, ledger = chain("Permits")
    papers, papers_ledger = chain("Vehicle papers")
    ledger.mine(9, transactions=1)
    papers_ledger.mine(4, transactions=0)
    observe(permits, papers)
    seen = words(page(cast.alice, "/"))
    assert re.search(r"Chains\s+2\s+Blocks\s+15\s+Transactions\s+9\s", seen)
    assert "Not read lately" not in seen
    Blockchain.objects.filter(pk=papers.pk).update(read_at=timezone.now() - timedelta(hours=1))
    assert re.search(r"Not read lately:\s+Vehicle papers", words(page(cast.alice, "/")))
    assert "Permits" not in words(page(cast.carol, "/"))


# --- to whom ----------------------------------------------------------------------------------------------------------


def paths_of(row: Blockchain) -> list[str]:
    parts = ["", "/charts", "/find?q=1", "/blocks", "/blocks/1", "/transactions"]
    return [f"/chains/{row.uid}{part}" for part in parts]


def test_strangers_and_people_without_an_account_see_nothing(read_chain: tuple[Blockchain, Ledger], cast: Cast) -> None:
    row, _ledger = read_chain
    for path in paths_of(row):
        for stranger in (cast.carol, cast.dan):
            assert browser(stranger).get(path).status_code == 404, path
        answer = browser().get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login")
        assert browser(auditor_once()).get(path).status_code in (200, 302)
    assert "Permits" not in page(cast.carol, "/chains")


def auditor_once() -> User:
    return User.objects.filter(username="otto").first() or auditor()


# --- at which cost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/chains", "/"])
def test_lists_cost_the_same_however_long_they_are(chain: MakeChain, observe: Observe, cast: Cast, path: str) -> None:
    reader = browser(cast.alice)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(path).status_code == 200
        return len(captured)

    observe(*(chain(f"First {number}")[0] for number in range(2)))
    few = cost()
    observe(*(chain(f"More {number}")[0] for number in range(5)))
    assert cost() == few


@pytest.mark.parametrize("part", ["", "/charts", "/statistics", "/blocks", "/transactions", "/blocks/2"])
def test_a_chain_costs_the_same_however_long_it_is(chain: MakeChain, observe: Observe, cast: Cast, part: str) -> None:
    row, ledger = chain()
    reader = browser(cast.alice)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(f"/chains/{row.uid}{part}", headers={"HX-Request": "true"}).status_code == 200
        return len(captured)

    ledger.mine(3, transactions=1)
    observe(row)
    few = cost()
    ledger.mine(60, transactions=3)
    observe(row)
    assert cost() == few
    assert few <= 14, "with the frame's own"
