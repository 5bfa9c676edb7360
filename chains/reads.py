"""What pages and API read of chains, in a fixed number of queries. Nobody here talks to a platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Lower, TruncMinute
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from chains.models import (
    AccessGrant,
    Block,
    Blockchain,
    BusinessChain,
    DroppedTransaction,
    GrantUse,
    LedgerGap,
    LedgerStatistic,
    LedgerTally,
    Node,
    Period,
    Reorganisation,
    Sample,
    TakeOver,
    TakeOverNetwork,
    Transaction,
)
from chains.models.chains import BlockchainQuerySet
from console.models import User
from platforms.dependants import Dependants
from platforms.models import Platform
from unions.models import Union
from unions.quotas import Amount

MAX_POINTS = 720  # of one series
HASH_LENGTH = 8  # shorter texts are not looked up as hashes


def used_by(organization_ids: list[int]) -> dict[int, Amount]:
    """The nodes that organizations have, and the chains that they take part in, for their quota.

    A node that serves several chains is one node.
    """
    found: dict[int, Amount] = defaultdict(Amount)
    nodes = Node.objects.filter(organization_id__in=organization_ids).order_by()
    owned = nodes.values("organization_id", "blockchain__business_chain__platform")
    for row in owned.annotate(number=Count("external_id", distinct=True)):
        found[row["organization_id"]] += Amount(nodes=row["number"])
    places = Blockchain.organizations.through.objects.filter(organization_id__in=organization_ids)
    live = places.filter(blockchain__in=Blockchain.objects.live()).values("organization_id").order_by()
    for place in live.annotate(number=Count("pk")):
        found[place["organization_id"]] += Amount(chains=place["number"])
    return dict(found)


def needed_by_member(platform: Platform, union: Union | None) -> Amount:
    """A node on every ledger of the union's own chain; a new union gets one, where the platform has any."""
    if union is not None:
        live = Blockchain.objects.live().filter(business_chain__uid=union.uid).count() if union.uid else 0
        return Amount(nodes=live, chains=live)
    has_chains = platform.capability("create_chain")[0] or platform.capability("list_chains")[0]
    return Amount(nodes=1, chains=1) if has_chains else Amount()


def business_chains(actor: User) -> QuerySet[BusinessChain]:
    """Business chains with everything that table 3 shows."""
    return (
        BusinessChain.objects.visible_to(actor)
        .select_related("union", "platform", "creator")
        .prefetch_related("organizations", "blockchains__organizations", "blockchains__business_chain")
    )


def blockchains(actor: User) -> BlockchainQuerySet:
    """Blockchains with everything that table 4 shows."""
    return (
        Blockchain.objects.visible_to(actor)
        .select_related("business_chain__union", "business_chain__platform", "business_chain__creator")
        .prefetch_related("organizations")
    )


def with_position(rows: QuerySet[Blockchain]) -> QuerySet[Blockchain]:
    """Adds `indexed_height` and `indexed_from`, up to and from which blocks are stored, and `nodes_total`."""
    stored = Block.objects.filter(blockchain=OuterRef("pk")).values("height")
    highest, lowest = stored.order_by("-height")[:1], stored.order_by("height")[:1]
    nodes = Node.objects.filter(blockchain=OuterRef("pk")).order_by().values("blockchain").annotate(number=Count("pk"))
    return rows.annotate(
        indexed_height=Subquery(highest),
        indexed_from=Subquery(lowest),
        nodes_total=Subquery(nodes.values("number")),
    )


@dataclass(frozen=True)
class Standing:
    """How far the console knows a ledger: what the platform's head is, which blocks are stored, when that was read."""

    height: int | None
    indexed_from: int | None
    indexed_up_to: int | None
    read_at: datetime | None
    stale: bool

    @property
    def behind(self) -> int | None:
        """Blocks between the newest stored one and the platform's head; None: nothing is known."""
        if self.height is None:
            return None
        return max(0, self.height - (-1 if self.indexed_up_to is None else self.indexed_up_to))


def standing_of(row: Blockchain) -> Standing:
    """Of a row that comes from `with_position`."""
    lowest, highest = row.indexed_from, row.indexed_height  # type: ignore[attr-defined]
    return Standing(row.height, lowest, highest, row.read_at, row.is_stale)


def nodes(actor: User) -> QuerySet[Node]:
    return Node.objects.filter(blockchain__in=Blockchain.objects.visible_to(actor)).select_related(
        "organization", "blockchain"
    )


def blocks(actor: User) -> QuerySet[Block]:
    return Block.objects.filter(blockchain__in=Blockchain.objects.visible_to(actor)).select_related("blockchain")


def transactions(actor: User) -> QuerySet[Transaction]:
    return Transaction.objects.filter(blockchain__in=Blockchain.objects.visible_to(actor)).select_related("blockchain")


def access_grants(actor: User) -> QuerySet[AccessGrant]:
    """Grants with `used_today`, and with everything that is shown of them."""
    uses = GrantUse.objects.filter(grant=OuterRef("pk"), day=timezone.now().date()).annotate(
        sum=F("reads") + F("sends")
    )
    rows = AccessGrant.objects.visible_to(actor).select_related("blockchain", "organization", "user", "created_by")
    return rows.annotate(used_today=Coalesce(Subquery(uses.values("sum")[:1]), 0))


def of_party(rows: QuerySet[Transaction], role: str, address: str) -> QuerySet[Transaction]:
    """Transactions with the address as their sender, recipient or contract, whichever way it is spelled."""
    if role == "contract":
        rows = rows.exclude(contract="")  # its index leaves these out
    return rows.filter(Exact(Lower(role), address.strip().lower()))


def touching(rows: QuerySet[Transaction], address: str) -> list[QuerySet[Transaction]]:
    """Transactions from, to, or making the address: one query set for each, because each has an index of its own."""
    return [of_party(rows, role, address) for role in ("sender", "recipient", "contract")]


def chains_touching(actor: User, address: str) -> BlockchainQuerySet:
    """Chains with a transaction from, to, or making the address: a look into the indexes for each chain."""
    rows = Transaction.objects.filter(blockchain=OuterRef("pk"))
    found = [Exists(each) for each in touching(rows, address)]
    return blockchains(actor).filter(found[0] | found[1] | found[2])


def spellings(text: str) -> set[str]:
    """A hash as people write it: with or without 0x, in either case."""
    bare = text.strip().removeprefix("0x").removeprefix("0X")
    return {text.strip(), bare, bare.lower(), bare.upper(), f"0x{bare}", f"0x{bare.lower()}"}


# --- history ----------------------------------------------------------------------------------------------------------

SHOWN_GAPS = 20
LENGTH = {Period.HOUR: timedelta(hours=1), Period.DAY: timedelta(days=1)}
SHOWN_PERIODS = {Period.HOUR: 48, Period.DAY: 60}


def gaps(blockchain: Blockchain) -> list[LedgerGap]:
    """The newest stretches of blocks that the platform did not show."""
    return list(LedgerGap.objects.filter(blockchain=blockchain).order_by("-from_height")[:SHOWN_GAPS])


def reorganisations(blockchain: Blockchain) -> QuerySet[Reorganisation]:
    """Newest first."""
    return Reorganisation.objects.filter(blockchain=blockchain).order_by("-found_at", "-pk")


def dropped(blockchain: Blockchain, tx_hash: str) -> DroppedTransaction | None:
    """The transaction as it was on a branch that the chain has left, the last time."""
    rows = DroppedTransaction.objects.filter(blockchain=blockchain, hash__in=spellings(tx_hash))
    return rows.select_related("reorganisation").order_by("-pk").first()


def statistics(
    blockchain: Blockchain, *, period: str, since: datetime, until: datetime
) -> tuple[list[LedgerStatistic], LedgerTally | None]:
    """Hours or days that begin within the time, the earliest first, and up to where the ledger has been counted."""
    rows = LedgerStatistic.objects.filter(blockchain=blockchain, period=period, start__gte=since, start__lt=until)
    return list(rows.order_by("start")), LedgerTally.objects.filter(blockchain=blockchain).first()


def filled(rows: list[LedgerStatistic], *, period: str, until: datetime) -> list[LedgerStatistic]:
    """The rows, and nothing where nothing was: from the first row on, to the period that is going on."""
    if not rows:
        return []
    step = LENGTH[Period(period)]
    known, start, drawn = {row.start: row for row in rows}, rows[0].start, []
    while start < until:
        drawn.append(known.get(start) or LedgerStatistic(period=period, start=start))
        start += step
    return drawn


# --- series -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """One figure over time."""

    name: str
    unit: str
    points: list[tuple[datetime, float]]


def activity(blockchain_ids: Iterable[int], *, minutes: int) -> dict[int, list[tuple[datetime, int, int]]]:
    """For each chain, minute by minute, `(minute, blocks, transactions)` by the blocks' own times; gaps left out."""
    since = timezone.now() - timedelta(minutes=minutes)
    rows = (
        Block.objects.filter(blockchain__in=list(blockchain_ids), time__gte=since)
        .order_by()
        .annotate(minute=TruncMinute("time"))
        .values("blockchain", "minute")
        .annotate(number=Count("pk"), sum=Sum("transactions_count"))
        .order_by("blockchain", "minute")
    )
    found: dict[int, list[tuple[datetime, int, int]]] = defaultdict(list)
    for row in rows:
        found[row["blockchain"]].append((row["minute"], row["number"], row["sum"] or 0))
    return found


def sparks(blockchain_ids: Iterable[int], *, minutes: int) -> dict[int, list[tuple[int, int]]]:
    """For each chain its transactions in each of the last whole minutes: `(seconds since 1970, number)`."""
    found = activity(blockchain_ids, minutes=minutes)
    grid = _whole_minutes(minutes)
    drawn = {}
    for chain, rows in found.items():
        numbers = {minute: total for minute, _number, total in rows}
        drawn[chain] = [(int(minute.timestamp()), numbers.get(minute, 0)) for minute in grid]
    return drawn


def ledger_series(blockchain: Blockchain, *, minutes: int) -> list[Series]:
    """Transactions per minute, and seconds between blocks, of the last whole minutes; idle minutes are zeros."""
    rows = activity([blockchain.pk], minutes=minutes)[blockchain.pk]
    if not rows:
        return []
    totals = {minute: total for minute, _number, total in rows}
    per_minute = [(minute, float(totals.get(minute, 0))) for minute in _whole_minutes(minutes)]
    whole = {minute for minute, _value in per_minute}
    between = [(minute, round(60 / number, 2)) for minute, number, _total in rows if minute in whole]
    return [Series("transactions_per_minute", "1/min", per_minute), Series("block_time", "s", between)]


def _whole_minutes(number: int) -> list[datetime]:
    """The last minutes that are over, oldest first."""
    this_minute = timezone.now().replace(second=0, microsecond=0)
    return [this_minute - timedelta(minutes=back) for back in range(number, 0, -1)]


def sample_series(blockchain: Blockchain, *, since: datetime, name: str = "") -> list[Series]:
    """What the platform's monitoring gave, thinned to at most `MAX_POINTS` a figure."""
    rows = Sample.objects.filter(blockchain=blockchain, at__gte=since)
    if name:
        rows = rows.filter(name=name)
    gathered: dict[tuple[str, str], list[tuple[datetime, float]]] = defaultdict(list)
    for figure, unit, at, value in rows.order_by("at").values_list("name", "unit", "at", "value").iterator():
        gathered[(figure, unit)].append((at, value))
    return [Series(figure, unit, _thinned(points)) for (figure, unit), points in sorted(gathered.items())]


def _thinned(points: list[tuple[datetime, float]]) -> list[tuple[datetime, float]]:
    step = -(-len(points) // MAX_POINTS)
    return points[::-1][:: step or 1][::-1]  # the newest point is always among them


# --- all together -----------------------------------------------------------------------------------------------------


def totals(actor: User) -> dict[str, int]:
    """What the dashboard says of all live chains that the actor sees."""
    rows = Blockchain.objects.visible_to(actor).live()
    figures = rows.aggregate(
        chains=Count("pk"), read=Count("height"), heights=Sum("height"), transactions=Sum("transactions_total")
    )
    return {
        "chains": figures["chains"],
        "blocks": (figures["heights"] or 0) + figures["read"],  # the first block has height 0
        "transactions": figures["transactions"] or 0,
    }


def liveliest(actor: User, number: int) -> QuerySet[Blockchain]:
    """Live chains, the one with the newest block first."""
    return blockchains(actor).live().order_by(F("block_time").desc(nulls_last=True), "name")[:number]


def chains_on(platform: Platform) -> Dependants:
    """Live chains need their platform to stay."""
    rows = Blockchain.objects.live().filter(business_chain__platform=platform).order_by("name")
    return Dependants(
        pgettext_lazy("counted", "chains"),
        rows.count(),
        tuple(rows.values_list("name", flat=True)[:5]),
        code="chains",
        link=f"/chains?platform={platform.oemtype}",
        single=pgettext_lazy("counted", "chain"),
    )


def take_overs(actor: User) -> QuerySet[TakeOver]:
    """Take-overs with their networks, newest first: for administrators and auditors."""
    if not (actor.is_administrator or actor.is_auditor):
        return TakeOver.objects.none()
    networks = Prefetch("networks", TakeOverNetwork.objects.defer("reading").select_related("union"))
    rows = TakeOver.objects.select_related("platform", "flow", "requested_by").prefetch_related(networks)
    return rows.order_by("-created_at", "-pk")
