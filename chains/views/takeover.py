"""Pages of take-overs: see what a platform has, choose, confirm, watch. For administrators; auditors may look."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from chains import reads
from chains.forms import ChosenNetworksForm, LookForm
from chains.models import NetworkVerdict, TakeOver, TakeOverNetwork
from chains.services import takeover as service
from console.policies import Verdict, require
from console.views.base import DetailPage, ServiceFormView
from platforms.models import Platform
from platforms.policies import may_operate_platform, may_see_platform_details
from platforms.reads import platform_named
from unions.policies import supports
from unions.reads import found

SHOWN_EARLIER = 10


class LookAtNetworks(ServiceFormView):
    """What a take-over is, which there were, and the button that begins a preview."""

    form_class = LookForm
    template_name = "chains/take_over_begin.html"

    def allowed(self) -> Verdict:
        return may_see_platform_details(self.actor)

    @cached_property
    def platform(self) -> Platform:
        return platform_named(self.actor, self.kwargs["oemtype"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        listing = supports(self.platform, "list_networks")
        showing = supports(self.platform, "get_network")
        return super().get_context_data(**kwargs) | {
            "platform": self.platform,
            "verdict": may_operate_platform(self.actor, self.platform) and (showing or listing),
            "listing": listing,
            "earlier": reads.take_overs(self.actor).filter(platform=self.platform)[:SHOWN_EARLIER],
        }

    def perform(self, form: forms.Form) -> TakeOver:
        return service.request_take_over(
            actor=self.actor,
            oemtype=self.platform.oemtype,
            network_ids=form.cleaned_data["network_ids"],
            dry_run=True,
        )

    def get_success_url(self) -> str:
        return reverse("chains:take-over", args=[self.result.pk])


class TakeOverDetail(DetailPage):
    """One take-over, live: its steps, and each network with what is, or would be, created."""

    template_name = "chains/take_over.html"
    partial_name = "chains/_take_over_live.html"
    context_object_name = "take_over"

    def get_object(self, queryset: Any = None) -> TakeOver:
        require(may_see_platform_details(self.actor))
        return found(reads.take_overs(self.actor), pk=self.kwargs["take_over_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        take_over: TakeOver = context["take_over"]
        flow, rows = take_over.flow, list(take_over.networks.all())
        over = flow is None or flow.is_final
        choosing = take_over.dry_run and over
        return context | {
            "platform": take_over.platform,
            "flow": flow,
            "steps": list(flow.steps.order_by("number")) if flow else [],
            "networks": [] if take_over.dry_run and not over else described(rows),
            "able": sum(row.verdict == NetworkVerdict.NEW for row in rows),
            "counts": counts(rows),
            "choosing": choosing and bool(may_operate_platform(self.actor, take_over.platform)),
            "live": not over,
        }


def described(rows: list[TakeOverNetwork]) -> list[dict[str, Any]]:
    """The rows with the names of the organizations that are meant; one query."""
    codes = {each["orgcode"] for row in rows for each in row.plan.get("members", [])} - {""}
    names = service.names_of(codes)
    return [
        {
            "row": row,
            "members": [
                {**each, "organization": names.get(each["orgcode"], ""), "words": service.known_words(each)}
                for each in row.plan.get("members", [])
            ],
        }
        for row in rows
    ]


def counts(rows: list[TakeOverNetwork]) -> list[tuple[str, str, int]]:
    """How many networks have which verdict: value, words, number."""
    number = Counter(row.verdict for row in rows)
    return [(value, str(words), number[value]) for value, words in NetworkVerdict.choices if number[value]]


class ConfirmTakeOver(ServiceFormView):
    """What will be created of the chosen networks, and the button that does it."""

    form_class = ChosenNetworksForm
    template_name = "chains/take_over_confirm.html"
    success_message = _("The networks are being taken over.")

    def allowed(self) -> Verdict:
        return may_operate_platform(self.actor, self.take_over.platform)

    @cached_property
    def take_over(self) -> TakeOver:
        require(may_see_platform_details(self.actor))
        return found(reads.take_overs(self.actor), pk=self.kwargs["take_over_id"])

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """From the list one comes here with what is chosen; only the button here begins."""
        if "confirmed" not in request.POST:
            return self.get(request, *args, **kwargs)
        return super().post(request, *args, **kwargs)

    def chosen(self) -> list[TakeOverNetwork]:
        asked = self.request.POST.getlist("network_ids")
        rows: QuerySet[TakeOverNetwork] = self.take_over.networks.filter(verdict=NetworkVerdict.NEW)
        return list(rows.filter(network_id__in=asked).select_related("union"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = described(self.chosen())
        strangers = {
            each["tenantid"] or (entry["row"].pk, number)
            for entry in rows
            for number, each in enumerate(entry["members"])
            if not each["orgcode"]
        }
        return super().get_context_data(**kwargs) | {
            "take_over": self.take_over,
            "platform": self.take_over.platform,
            "networks": rows,
            "chains": sum(len(entry["row"].plan["chains"]) for entry in rows),
            "strangers": len(strangers),
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if "confirmed" not in self.request.POST:
            kwargs.pop("data", None)  # nothing is judged yet
        able = self.take_over.networks.filter(verdict=NetworkVerdict.NEW).values_list("network_id", flat=True)
        return kwargs | {"network_ids": list(able)}

    def perform(self, form: forms.Form) -> TakeOver:
        return service.carry_out(
            actor=self.actor, take_over_id=self.take_over.pk, network_ids=form.cleaned_data["network_ids"]
        )

    def get_success_url(self) -> str:
        return reverse("chains:take-over", args=[self.result.pk])
