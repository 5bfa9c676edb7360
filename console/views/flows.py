"""Work under way and work that has ended: the list, one flow step by step, and what an operator may do to it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console import reads
from console.models import Flow, FlowState, Step, StepState
from console.policies import may_operate_flow, not_now
from console.services import flows as service
from console.views.base import ActionView, DetailPage, ListPage


class FlowList(ListPage):
    """Flows that the reader asked for or that concern it; overseers see all."""

    template_name = "console/flow_list.html"
    partial_name = "console/_flow_table.html"
    filters = {"state": FlowState}
    search_in = ("subject_label", "kind", "requested_by__username")

    def get_queryset(self) -> QuerySet[Flow]:
        rows = self.narrowed(reads.flows(self.actor))
        kind = self.request.GET.get("kind", "")
        return rows.filter(kind=kind) if kind else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        kinds = Flow.objects.visible_to(self.actor).order_by("kind").values_list("kind", flat=True).distinct()
        chosen = self.request.GET.get("kind", "")
        context["choices"] = context["choices"] | {"kind": [(kind, kind_title(kind)) for kind in kinds]}
        context["chosen"] = context["chosen"] | {"kind": chosen}
        return context | {
            "narrowed": context["narrowed"] or bool(chosen),
            "live": context["page_obj"].number == 1,
        }


def kind_title(kind: str) -> str:
    """`unions.create_union` as words: the kind is a program's name and stays in English."""
    return kind.rpartition(".")[2].replace("_", " ").capitalize()


class FlowDetail(DetailPage):
    """One flow, live."""

    template_name = "console/flow_detail.html"
    partial_name = "console/_flow_live.html"
    context_object_name = "flow"

    def get_object(self, queryset: Any = None) -> Flow:
        return reads.found(reads.flows_in_full(self.actor, log=True), pk=self.kwargs["flow_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        flow: Flow = context["flow"]
        may = may_operate_flow(self.actor)
        over = flow.is_final or flow.undoing
        return context | {
            "steps": list(flow.steps.all()),
            "may_operate": may,
            "may_cancel": not_now(_("It has ended, or is being taken back already.")) if may and over else may,
            "can": {step.pk: can_do(flow, step) for step in flow.steps.all()} if may else {},
            "live": not flow.is_final,
        }


def can_do(flow: Flow, step: Step) -> dict[str, bool]:
    """Which of the two actions the step's state allows; the service judges again."""
    stuck = step.state == StepState.FAILED and step.undo_error is not None
    due = step.state == StepState.LATER
    unbegun = step.state == StepState.WAITING
    return {"retry": stuck or due, "skip": stuck or ((due or unbegun) and not flow.undoing and not flow.is_final)}


class _FlowAction(ActionView):
    def get_success_url(self) -> str:
        return reverse("console:flow-detail", args=[self.kwargs["flow_id"]])


class CancelFlow(_FlowAction):
    """Stop it; what it has done is taken back."""

    success_message = _("The flow is stopped; what it has done is being taken back.")

    def perform(self) -> Flow:
        return service.cancel_flow(
            actor=self.actor, flow_id=self.kwargs["flow_id"], reason=self.request.POST.get("reason", "").strip()[:2000]
        )


class RetryStep(_FlowAction):
    """Try a step again at once."""

    success_message = _("The step is being tried again.")

    def perform(self) -> Flow:
        return service.retry_step(actor=self.actor, flow_id=self.kwargs["flow_id"], step_id=self.kwargs["step_id"])


class SkipStep(_FlowAction):
    """Go on without a step."""

    success_message = _("The step is skipped.")

    def perform(self) -> Flow:
        return service.skip_step(actor=self.actor, flow_id=self.kwargs["flow_id"], step_id=self.kwargs["step_id"])
