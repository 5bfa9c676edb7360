"""What this floor hands in to the frame of the pages, and to the pages of unions and organizations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import reads, shelves
from chains.models import Block, Blockchain, BusinessChain, ChainState, Contract, Installation, Node
from chains.words import WORDS
from console import kinds, shell
from console.models import User
from console.shell import Entry, Hit, Panel, Source, SubjectPanel
from platforms.models import Platform
from platforms.policies import may_see_platform_details
from platforms.views.panels import Figure, add_figure, platform_panels
from unions.models import LIVE_MEMBER_STATES, Organization, Union
from unions.policies import brings_chain
from unions.views.panels import organization_panels, union_panels

SHOWN = 5  # rows of a panel
SPARK_MINUTES = 30
MAX_DIGITS = 18


def hand_in() -> None:
    """Called once, when the app is ready."""
    shell.add_entry(Entry(gettext_lazy("Chains"), "chains:chain-list", "link", 40))
    shell.add_entry(Entry(gettext_lazy("Applications"), "chains:application-list", "box", 55))
    shell.add_address(Installation, lambda pk: reverse("chains:application-by-number", args=[pk]))
    shell.add_entry(Entry(gettext_lazy("Contracts"), "chains:contract-list", "file-code", 42))
    shell.add_panel(Panel("chains", "chains/_panel_chains.html", chains_panel, order=25, width=6))
    shell.add_source("chains", Source(gettext_lazy("Chains"), find_chains, order=20))
    shell.add_source("contracts", Source(gettext_lazy("Contracts"), find_contracts, order=30))
    shell.add_source("applications", Source(gettext_lazy("Applications"), find_applications, order=40))
    shell.add_source("ledger", Source(gettext_lazy("Blocks and transactions"), find_on_ledgers, order=50))
    shell.add_address(Blockchain, lambda pk: reverse("chains:chain-by-number", args=[pk]))
    shell.add_address(BusinessChain, lambda pk: reverse("chains:business-chain-by-number", args=[pk]))
    shell.add_address(Contract, lambda pk: reverse("chains:contract-by-number", args=[pk]))
    shell.add_words(WORDS)
    kinds.add("chain", gettext_lazy("A chain was built, joined, left or deleted"), kinds.Group.WORK)
    union_panels.add(SubjectPanel("chains", "chains/_union_panel.html", union_panel))
    organization_panels.add(SubjectPanel("chains", "chains/_organization_panel.html", organization_panel))
    platform_panels.add(SubjectPanel("chains", "chains/_platform_panel.html", platform_panel))
    add_figure(Figure(gettext_lazy("Chains"), chains_by_platform))


# --- panels -----------------------------------------------------------------------------------------------------------


def chains_panel(user: User) -> dict[str, Any]:
    """All chains together, the liveliest of them, those that nobody could read lately, and those that stand."""
    liveliest = list(reads.liveliest(user, SHOWN))
    return {
        "totals": reads.totals(user),
        "chains": liveliest,
        "sparks": reads.sparks([row.pk for row in liveliest], minutes=SPARK_MINUTES),
        "minutes": SPARK_MINUTES,
        "stale": list(reads.blockchains(user).stale().order_by("name")[: SHOWN + 1]),
        "stand": list(reads.blockchains(user).that_stand().order_by("name")[: SHOWN + 1]),
    }


def union_panel(user: User, union: Union) -> dict[str, Any]:
    """The union's chains with the nodes of every member; who is not in it is told so."""
    rows = list(
        reads.with_position(reads.blockchains(user)).filter(business_chain__union=union).order_by("state", "pk")
    )
    by_chain: dict[int, list[Node]] = defaultdict(list)
    for node in reads.nodes(user).filter(blockchain__in=rows).order_by("organization__name", "pk"):
        by_chain[node.blockchain_id].append(node)
    return {
        "chains": [(row, by_chain[row.pk]) for row in rows if row.state != ChainState.DELETED],
        "deleted": [row for row in rows if row.state == ChainState.DELETED],
        "hidden": bool(union.uid) and not rows,
        "others": _others_of(user, union, {row.business_chain_id for row in rows}),
        "union": union,
        "no_chain_because": "" if (chain := brings_chain(union.platform)) else chain.reason,
    }


def _others_of(user: User, union: Union, shown: set[int]) -> list[BusinessChain]:
    """Running chains of the union that the reader is not in, told to its members only: they may ask to join."""
    if not Union.objects.of_user(user).filter(pk=union.pk).exists():
        return []
    rows = BusinessChain.objects.filter(union=union, state=ChainState.RUNNING).exclude(pk__in=shown)
    return list(rows.select_related("creator").order_by("name"))


def organization_panel(user: User, organization: Organization) -> dict[str, Any]:
    """The chains that the organization is in, as far as the reader sees them, and its nodes on each."""
    rows = list(reads.blockchains(user).live().filter(organizations=organization).order_by("name"))
    by_chain: dict[int, list[Node]] = defaultdict(list)
    for node in reads.nodes(user).filter(blockchain__in=rows, organization=organization):
        by_chain[node.blockchain_id].append(node)
    return {
        "organization": organization,
        "chains": [(row, by_chain[row.pk]) for row in rows],
        "in_unions": organization.union_members.filter(state__in=LIVE_MEMBER_STATES).exists(),
    }


def platform_panel(user: User, platform: Platform) -> dict[str, Any]:
    """The chains on the platform, as far as the reader sees them."""
    rows = reads.blockchains(user).live().filter(business_chain__platform=platform).order_by("name")
    shown = list(rows[: SHOWN + 1])
    return {
        "platform": platform,
        "chains": shown[:SHOWN],
        "more": len(shown) > SHOWN,
        "may_see_networks": may_see_platform_details(user),
    }


def chains_by_platform(user: User, platform_ids: Sequence[int]) -> dict[int, int]:
    rows = Blockchain.objects.visible_to(user).live().filter(business_chain__platform__in=platform_ids)
    counted = rows.order_by().values_list("business_chain__platform").annotate(Count("pk"))
    return dict(counted)


# --- search -----------------------------------------------------------------------------------------------------------


def find_chains(user: User, words: str, limit: int) -> Iterable[Hit]:
    named = Q(name__icontains=words) | Q(uid__icontains=words) | Q(external_id__icontains=words)
    named |= Q(business_chain__uid__icontains=words)
    for row in reads.blockchains(user).filter(named).order_by("name")[:limit]:
        height = _("height %(height)s") % {"height": row.height} if row.height is not None else _("not read yet")
        url = reverse("chains:chain-detail", args=[row.uid])
        yield Hit(row.name, f"{row.business_chain.platform.name} · {height}", url, icon="link")


def find_contracts(user: User, words: str, limit: int) -> Iterable[Hit]:
    named = Q(name__icontains=words) | Q(uid__icontains=words) | Q(address__iexact=words)
    rows = Contract.objects.visible_to(user).there().filter(named | Q(versions__address__iexact=words)).distinct()
    for row in rows.select_related("blockchain", "owner").order_by("name")[:limit]:
        url = reverse("chains:contract-detail", args=[row.uid])
        yield Hit(row.name, f"{row.blockchain.name} · {row.owner.name}", url, icon="file-code")


def find_applications(user: User, words: str, limit: int) -> Iterable[Hit]:
    for shelf in shelves.shelves_of_words(words)[:limit]:
        url = reverse("chains:application-detail", args=[shelf.name])
        yield Hit(shelf.title, f"{shelf.said['publisher']} · {shelf.state_words}", url, icon="box")


def find_on_ledgers(user: User, words: str, limit: int) -> Iterable[Hit]:
    """Blocks by height or hash, transactions by hash, and the transactions of an address or a contract."""
    if words.isdecimal() and len(words) <= MAX_DIGITS:
        yield from _block_hits(user, Q(height=int(words)), limit)
    elif len(words) >= reads.HASH_LENGTH and " " not in words:
        spelled = Q(hash__in=reads.spellings(words))
        yield from _block_hits(user, spelled, limit)
        for row in reads.transactions(user).filter(spelled)[:limit]:
            title = _("Transaction %(hash)s") % {"hash": f"{row.hash[:18]}…"}
            detail = _("%(chain)s, block %(height)s") % {"chain": row.blockchain.name, "height": row.height}
            url = reverse("chains:transaction-detail", args=[row.blockchain.uid, row.hash])
            yield Hit(title, detail, url, icon="arrows-exchange")
        yield from _address_hits(user, words, limit)


def _address_hits(user: User, address: str, limit: int) -> Iterable[Hit]:
    """Each chain on which the address has sent, received or is a contract that was made."""
    for row in reads.chains_touching(user, address).order_by("name")[:limit]:
        title = _("Transactions of %(address)s") % {"address": address[:42]}
        url = f"{reverse('chains:transaction-list', args=[row.uid])}?{urlencode({'address': address})}"
        yield Hit(title, row.name, url, icon="arrows-exchange")


def _block_hits(user: User, wanted: Q, limit: int) -> Iterable[Hit]:
    rows: Iterable[Block] = reads.blocks(user).filter(wanted).order_by("blockchain__name")[:limit]
    for row in rows:
        title = _("Block %(height)s") % {"height": row.height}
        url = reverse("chains:block-detail", args=[row.blockchain.uid, row.height])
        yield Hit(title, row.blockchain.name, url, icon="box")
