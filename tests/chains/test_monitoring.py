"""The last figures of a chain's monitoring, in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from chains.models import Blockchain, Sample
from chains.monitoring import newest_figures
from tests.chains.ledger_plane import Ledger

MakeChain = Callable[..., tuple[Blockchain, Ledger]]

NOW = timezone.now()


def said(row: Blockchain, *figures: tuple[str, float, str], ago: int = 0) -> None:
    at = NOW - timedelta(seconds=ago)
    Sample.objects.bulk_create(Sample(blockchain=row, name=n, value=v, unit=u, at=at) for n, v, u in figures)


@pytest.fixture
def row(chain: MakeChain) -> Blockchain:
    row = chain()[0]
    row.details_read_at = NOW
    return row


def test_usual_figures_have_words_and_others_come_as_they_are(row: Blockchain) -> None:
    said(row, ("memory", 3 * 2**20, "bytes"), ("peers", 2, "nodes"), ("block_time", 1.0, "s"), ("cpu", 12.5, "%"))
    said(
        row,
        ("odd", 1234567, "widgets"),
        ("pendingTransactions", 4, "transactions"),
        ("uptime", 7300, "s"),
        ("blocksPerMinute", 10, "1/min"),
        ("height", 9, "blocks"),
        ("head_age", 1, "s"),
        ("nodes", 3, "nodes"),
    )
    said(row, ("peers", 7, "nodes"), ("old", 1, ""), ago=15)
    shown = [(each.name, each.text.replace("\xa0", " ")) for each in newest_figures(row)]
    assert shown == [
        ("Peers of a node", "2"),
        ("Time between blocks", "1 s"),
        ("Transactions that wait", "4"),
        ("Processors in use", "12.5 %"),
        ("Memory in use", "3.0 MB"),
        ("Blocks per minute", "10"),
        ("Running for", "2 hours"),
        ("odd", "1,234,567 widgets"),
    ]
    with translation.override("zh-hans"):
        assert [(each.name, each.text) for each in newest_figures(row)][:2] == [
            ("单个节点的对等节点", "2"),
            ("出块间隔", "1 秒"),
        ]


def test_a_chain_without_monitoring_has_none(row: Blockchain) -> None:
    assert newest_figures(row) == []
    said(row, ("peers", 2, "nodes"))
    row.details_read_at = None
    assert newest_figures(row) == []


def test_whatever_a_platform_says_can_be_shown(row: Blockchain) -> None:
    said(row, ("uptime", 1e300, "s"), ("peers", -1.5, ""), ("memory", -1.0, "bytes"), ("odd", 1e300, "widgets"))
    assert [each.name for each in newest_figures(row)] == ["Peers of a node", "Memory in use", "Running for", "odd"]
    assert {each.name: each.text for each in newest_figures(row)}["Peers of a node"] == "-1.5"
