"""Pages of chains: all of them in one list, one of them with its head, nodes and newest blocks, live."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from chains import reads
from chains.gateway.address import gateway_address
from chains.models import Block, Blockchain, BusinessChain, ChainState, Node, Period, Transaction
from chains.monitoring import newest_figures
from chains.policies import gateway_serves, may_set_retention
from chains.retention import rule_of
from chains.services.downloads import own_organizations
from chains.views.orders import actions_on, siblings_of
from console.views.base import DetailPage, ListPage, Page
from platforms.models import Platform
from unions.reads import found
from unions.views.wizard import may_create_any

LATEST = 6  # blocks and transactions on the page of a chain
SPARK_MINUTES = 30
CHART_MINUTES = 60
LIST_LIVE_SECONDS = 5
FRESHNESS = {"stale": gettext_lazy("Not read lately"), "stands": gettext_lazy("No new blocks")}


class OfBlockchain(Page):
    """A page about the blockchain in the address."""

    @cached_property
    def blockchain(self) -> Blockchain:
        return found(reads.with_position(reads.blockchains(self.actor)), uid=self.kwargs["uid"])


class ChainList(ListPage):
    """Chains of every platform with their heads and what happened on them lately."""

    template_name = "chains/chain_list.html"
    partial_name = "chains/_chain_table.html"
    filters = {"state": ChainState}
    search_in = ("name", "uid", "external_id", "business_chain__name", "organizations__name")

    def get_queryset(self) -> QuerySet[Blockchain]:
        visible = reads.blockchains(self.actor)
        fresh = {"stale": visible.stale, "stands": visible.that_stand}
        rows = self.narrowed(fresh.get(self.freshness, visible.all)()).order_by("name", "pk").distinct()
        if platform := self.request.GET.get("platform"):
            rows = rows.filter(business_chain__platform__oemtype=platform)
        chosen = self.request.GET.get("state") in ChainState.values
        return rows if chosen else rows.exclude(state=ChainState.DELETED)

    @property
    def freshness(self) -> str:
        """What the list is narrowed to, if it is."""
        chosen = self.request.GET.get("freshness", "")
        return chosen if chosen in FRESHNESS else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["choices"] = context["choices"] | {"freshness": list(FRESHNESS.items())}
        context["chosen"] = context["chosen"] | {"freshness": self.freshness}
        shown = [blockchain.pk for blockchain in context["object_list"]]
        return context | {
            "narrowed": context["narrowed"] or bool(self.freshness),
            "platforms": Platform.objects.visible_to(self.actor).official(),
            "sparks": reads.sparks(shown, minutes=SPARK_MINUTES),
            "minutes": SPARK_MINUTES,
            "may_create": may_create_any(self.actor),
            "live": LIST_LIVE_SECONDS,
        }


class ChainDetail(OfBlockchain, DetailPage):
    """One chain."""

    template_name = "chains/chain_detail.html"
    partial_name = "chains/_chain_live.html"
    context_object_name = "blockchain"

    def get_object(self, queryset: Any = None) -> Blockchain:
        return self.blockchain

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.blockchain
        siblings = siblings_of(row)
        transactions = Transaction.objects.filter(blockchain=row).defer("input", "extrainfo")
        return super().get_context_data(**kwargs) | {
            "standing": reads.standing_of(row),
            "nodes": Node.objects.filter(blockchain=row).select_related("organization").order_by("organization", "pk"),
            "figures": newest_figures(row),
            "blocks": Block.objects.filter(blockchain=row)[:LATEST],
            "transactions": transactions[:LATEST],
            "live": row.state != ChainState.DELETED,
            "siblings": siblings,
            "mode": row.business_chain.mode_in_words(len(siblings) or 1),
            **({} if row.state == ChainState.DELETED or self.asked_by_htmx else self._below(row)),
        }

    def _below(self, row: Blockchain) -> dict[str, Any]:
        """What can be done, below the figures."""
        return actions_on(self.actor, row) | {
            "gateway_address": gateway_address(row),
            "gateway_serves": gateway_serves(row),
            "own_organizations": own_organizations(self.actor, row),
        }


class ChainCharts(OfBlockchain, TemplateView):
    """The chain over time; asked for by the chain's page, less often than the rest."""

    template_name = "chains/_chain_charts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        series = {each.name: _drawn(each) for each in reads.ledger_series(self.blockchain, minutes=CHART_MINUTES)}
        return super().get_context_data(**kwargs) | {
            "blockchain": self.blockchain,
            "minutes": CHART_MINUTES,
            "transactions": series.get("transactions_per_minute", []),
            "block_time": series.get("block_time", []),
        }


class ChainStatistics(OfBlockchain, TemplateView):
    """How much happened, by hours or days; asked for by the chain's page."""

    template_name = "chains/_chain_statistics.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        period = Period.DAY if self.request.GET.get("period") == Period.DAY else Period.HOUR
        now = timezone.now()
        since = now - reads.LENGTH[period] * reads.SHOWN_PERIODS[period]
        rows, tally = reads.statistics(self.blockchain, period=period, since=since, until=now)
        drawn = reads.filled(rows, period=period, until=now)
        newest = reads.gaps(self.blockchain)
        return super().get_context_data(**kwargs) | {
            "blockchain": self.blockchain,
            "period": period.value,
            "number": reads.SHOWN_PERIODS[period],
            "transactions": [[int(row.start.timestamp()), row.transactions, row.failed] for row in drawn],
            "blocks": [[int(row.start.timestamp()), row.blocks] for row in drawn],
            "totals": {name: sum(getattr(row, name) for row in rows) for name in ("blocks", "transactions", "failed")},
            "tally": tally,
            "rule": rule_of(self.blockchain),
            "may_set_retention": may_set_retention(self.actor),
            "standing": reads.standing_of(self.blockchain),
            "gaps": newest,
            "reorganisation": reads.reorganisations(self.blockchain).first(),
        }


def _drawn(series: reads.Series) -> list[list[float]]:
    """Points for the chart; one alone makes no line."""
    if len(series.points) < 2:
        return []
    return [[int(at.timestamp()), value] for at, value in series.points]


class BlockchainByNumber(Page):
    """From a row's number, as the audit log keeps it, to the chain's page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("chains:chain-detail", found(Blockchain.objects.visible_to(self.actor), pk=pk).uid)


class BusinessChainByNumber(Page):
    """A business chain has no page of its own: it is its chain, or the list of its chains."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        business_chain = found(BusinessChain.objects.visible_to(self.actor).prefetch_related("blockchains"), pk=pk)
        blockchains = list(business_chain.blockchains.all())
        if len(blockchains) == 1:
            return redirect("chains:chain-detail", blockchains[0].uid)
        return redirect("chains:chain-list")
