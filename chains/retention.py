"""Which rule says how much of a ledger is kept, and which blocks go by it. Reads rows, writes none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import BigIntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.utils import timezone

from chains.limits import limit
from chains.models import Block, Blockchain, RetentionRule
from chains.observing.reading import KNOWN


@dataclass(frozen=True)
class Rule:
    """0 keeps all. `source`: the chain's own rule, the console's, or the setting `KEEP_BLOCKS`."""

    keep_blocks: int
    keep_days: int
    source: str
    row: RetentionRule | None = None


def rule_of(blockchain: Blockchain | None) -> Rule:
    """The rule in force on a chain; without one, on those that have none of their own."""
    rows = RetentionRule.objects.filter(Q(blockchain=blockchain) | Q(blockchain=None)).select_related("changed_by")
    own = sorted(rows, key=lambda row: row.blockchain_id is None)
    if own:
        return Rule(
            own[0].keep_blocks, own[0].keep_days, "console" if own[0].blockchain_id is None else "chain", own[0]
        )
    return Rule(limit("KEEP_BLOCKS"), 0, "setting")


def with_ends(rows: QuerySet[Blockchain], keep_days: int) -> QuerySet[Blockchain]:
    """Adds the lowest and highest stored block, and the highest that is older than so many days."""
    stored = Block.objects.filter(blockchain=OuterRef("pk"))
    old = stored.filter(time__lt=timezone.now() - timedelta(days=keep_days)).order_by("-time")
    return rows.annotate(
        lowest=Subquery(stored.order_by("height").values("height")[:1]),
        highest=Subquery(stored.order_by("-height").values("height")[:1]),
        old=Subquery(old.values("height")[:1]) if keep_days else Value(None, BigIntegerField()),
    )


def cut_of(row: Any, rule: Rule) -> int | None:
    """The highest block that the rule does not keep, of a row from `with_ends`; None when all are kept.

    By age the newest blocks stay all the same: a reorganisation is followed along them.
    """
    if row.highest is None:
        return None
    cuts = []
    if rule.keep_blocks:
        cuts.append(row.highest - rule.keep_blocks)
    if rule.keep_days and row.old is not None:
        cuts.append(min(row.old, row.highest - KNOWN))
    return max(cuts, default=None)


def doomed(rows: QuerySet[Blockchain], rule: Rule) -> tuple[int, int]:
    """About how many blocks go by the rule, and of how many chains."""
    going = []
    for row in with_ends(rows, rule.keep_days):
        cut = cut_of(row, rule)
        if cut is not None and cut >= row.lowest:  # type: ignore[attr-defined]
            going.append(cut - row.lowest + 1)  # type: ignore[attr-defined]
    return sum(going), len(going)
