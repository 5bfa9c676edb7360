"""Pages of resource spaces: what each may hold, holds, and has been promised; and the quota, for administrators."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console.policies import Verdict, may_administer
from console.views.base import ListPage, ServiceFormView
from platforms.models import Platform
from unions import reads
from unions.forms import QuotaForm
from unions.models import ResourceSpace, SpaceKind
from unions.quotas import figures_of
from unions.services import quotas as service


class SpaceList(ListPage):
    """Resource spaces: all of them for administrators and auditors, one's own for everybody else."""

    template_name = "unions/space_list.html"
    partial_name = "unions/_space_table.html"
    filters = {"kind": SpaceKind}
    search_in = ("organization__name", "organization__orgcode", "tenantid", "tenantname", "machines__ip")

    def get_queryset(self) -> QuerySet[ResourceSpace]:
        rows = self.narrowed(reads.spaces(self.actor))
        if platform := self.request.GET.get("platform"):
            rows = rows.filter(platform__oemtype=platform)
        return rows.order_by("organization__name", "pk").distinct()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        spaces = list(context["object_list"])
        figures = figures_of(spaces)
        return context | {
            "rows": [(space, figures[space.pk]) for space in spaces],
            "platforms": Platform.objects.visible_to(self.actor).official(),
            "may_set_quota": may_administer(self.actor),
        }


class QuotaChange(ServiceFormView):
    """How much a space may hold."""

    form_class = QuotaForm
    template_name = "unions/quota_change.html"
    success_message = _("The quota was changed.")

    @cached_property
    def space(self) -> ResourceSpace:
        return reads.found(reads.spaces(self.actor), organization__orgcode=self.kwargs["orgcode"])

    def allowed(self) -> Verdict:
        return may_administer(self.actor)

    def get_initial(self) -> dict[str, Any]:
        return {"nodes": self.space.quota_nodes, "chains": self.space.quota_chains}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        figures = figures_of([self.space])[self.space.pk]
        return super().get_context_data(**kwargs) | {"space": self.space, "figures": figures}

    def perform(self, form: forms.Form) -> ResourceSpace:
        return service.set_quota(actor=self.actor, orgcode=self.kwargs["orgcode"], changes=form.cleaned_data)

    def came_from(self) -> str:
        return reverse("unions:space-list")
