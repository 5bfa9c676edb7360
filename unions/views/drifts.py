"""Pages of differences between platforms and the records: the list, one of them, and what can be done about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console.models import Flow, User
from console.policies import Verdict, may_administer
from console.views.base import ActionView, DetailPage, ListPage, ServiceFormView
from platforms.models import Platform
from unions import reads
from unions.forms import IgnoreForm
from unions.models import Drift, DriftKind, DriftState, Union
from unions.policies import may_compare_union, may_mend_drift
from unions.services import drifts as service

PANEL_ROWS = 4


class DriftList(ListPage):
    """Differences that concern the reader; settled ones only where they are asked for."""

    template_name = "unions/drift_list.html"
    partial_name = "unions/_drift_table.html"
    filters = {"state": DriftState, "kind": DriftKind}
    search_in = ("name", "key", "union__name")

    def get_queryset(self) -> QuerySet[Drift]:
        rows = self.narrowed(reads.drifts(self.actor))
        if not self.request.GET.get("state"):
            rows = rows.exclude(state=DriftState.SETTLED)
        if platform := self.request.GET.get("platform"):
            rows = rows.filter(platform__oemtype=platform)
        if unionid := self.request.GET.get("union"):
            rows = rows.filter(union__unionid=unionid)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        platforms = list(Platform.objects.visible_to(self.actor).official())
        return context | {
            "platforms": platforms,
            "narrowed": context["narrowed"] or bool(self.request.GET.get("union")),
            "may_compare": may_administer(self.actor),
        }


class DriftDetail(DetailPage):
    """One difference: both sides, and the ways to mend it."""

    template_name = "unions/drift_detail.html"
    partial_name = "unions/_drift_live.html"
    context_object_name = "drift"

    def get_object(self, queryset: Any = None) -> Drift:
        return reads.found(reads.drifts(self.actor), pk=self.kwargs["drift_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        drift: Drift = context["drift"]
        ways, notes = reads.open_ways(self.actor, drift)
        return context | {
            "ways": ways if drift.state == DriftState.OPEN else [],
            "notes": notes,
            "may_ignore": may_mend_drift(self.actor, drift),
            "may_reopen": may_administer(self.actor),
            "live": drift.state == DriftState.MENDING,
        }


class _DriftAction(ActionView):
    def get_success_url(self) -> str:
        return reverse("unions:drift-detail", args=[self.kwargs["drift_id"]])


class MendDrift(_DriftAction):
    """Mend it in the chosen way."""

    success_message = _("Those whom it touches are asked; once they agree it is mended.")

    def perform(self) -> Drift:
        way = self.request.POST.get("way", "")
        drift = service.mend_drift(actor=self.actor, drift_id=self.kwargs["drift_id"], way=way)
        if drift.state == DriftState.SETTLED:
            self.success_message = _("It is mended.")
        return drift


class ReopenDrift(_DriftAction):
    """Look at it again."""

    success_message = _("The difference is open again.")

    def perform(self) -> Drift:
        return service.reopen_drift(actor=self.actor, drift_id=self.kwargs["drift_id"])


class IgnoreDrift(ServiceFormView):
    """Leave it as it is, with a reason."""

    template_name = "unions/drift_ignore.html"
    form_class = IgnoreForm
    success_message = _("The difference is ignored.")

    @cached_property
    def drift(self) -> Drift:
        return reads.found(reads.drifts(self.actor), pk=self.kwargs["drift_id"])

    def allowed(self) -> Verdict:
        return may_mend_drift(self.actor, self.drift)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"drift": self.drift}

    def perform(self, form: forms.Form) -> Drift:
        return service.ignore_drift(actor=self.actor, drift_id=self.drift.pk, reason=form.cleaned_data["reason"])

    def came_from(self) -> str:
        return reverse("unions:drift-detail", args=[self.drift.pk])


class _Comparison(ActionView):
    """Start a comparison, and lead to its flow."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().post(request, *args, **kwargs)

    def back(self) -> str:
        raise NotImplementedError

    def get_success_url(self) -> str:
        flow: Flow | None = self.result
        return reverse("console:flow-detail", args=[flow.pk]) if flow is not None else self.back()


class ComparePlatform(_Comparison):
    def perform(self) -> Flow:
        return service.compare_platform(actor=self.actor, oemtype=self.kwargs["oemtype"])

    def back(self) -> str:
        return reverse("platforms:platform-detail", args=[self.kwargs["oemtype"]])


class CompareUnion(_Comparison):
    def perform(self) -> Flow:
        return service.compare_union(actor=self.actor, unionid=self.kwargs["unionid"])

    def back(self) -> str:
        return reverse("unions:union-detail", args=[self.kwargs["unionid"]])


# --- what the pages of unions and platforms show ----------------------------------------------------------------------


def union_panel(user: User, union: Union) -> dict[str, Any]:
    """What differs of the union, and the button that looks again."""
    rows = reads.drifts(user).filter(union=union)
    return {
        **_standing(rows),
        "compare": reverse("unions:union-compare", args=[union.unionid]),
        "may_compare": may_compare_union(user, union),
        "all": f"{reverse('unions:drift-list')}?union={union.unionid}",
    }


def platform_panel(user: User, platform: Platform) -> dict[str, Any]:
    """What differs on the platform, and the button that looks again."""
    rows = reads.drifts(user).filter(platform=platform)
    return {
        **_standing(rows),
        "compare": reverse("unions:platform-compare", args=[platform.oemtype]),
        "may_compare": may_administer(user),
        "all": f"{reverse('unions:drift-list')}?platform={platform.oemtype}",
    }


def _standing(rows: QuerySet[Drift]) -> dict[str, Any]:
    shown = list(rows.filter(state__in=[DriftState.OPEN, DriftState.MENDING])[: PANEL_ROWS + 1])
    return {"drifts": shown[:PANEL_ROWS], "more": len(shown) > PANEL_ROWS}


def open_drifts(user: User) -> int:
    """The number on the badge."""
    if not user.is_administrator:
        return 0
    return Drift.objects.filter(state=DriftState.OPEN).count()
