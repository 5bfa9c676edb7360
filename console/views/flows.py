"""Work under way and work that has ended: the list, one flow step by step, and what an operator may do to it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console import reads, shell
from console.models import Flow, FlowState, Step, StepLog, StepState, User
from console.policies import (
    Verdict,
    may_cancel_flow,
    may_decide_step,
    may_operate_flow,
    may_retry_step,
    may_skip_step,
)
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
        if self.request.GET.get("decision") == "needed":
            rows = rows.needing_decision()  # type: ignore[attr-defined]
        kind = self.request.GET.get("kind", "")
        return rows.filter(kind=kind) if kind else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        kinds = Flow.objects.visible_to(self.actor).order_by("kind").values_list("kind", flat=True).distinct()
        chosen = {name: self.request.GET.get(name, "") for name in ("decision", "kind")}
        context["choices"] = context["choices"] | {
            "decision": [("needed", _("needed"))],
            "kind": [(kind, shell.words_for(kind)) for kind in kinds],
        }
        context["chosen"] = context["chosen"] | chosen
        return context | {
            "narrowed": context["narrowed"] or any(chosen.values()),
            "live": context["page_obj"].number == 1,
        }


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
        steps = list(flow.steps.all())
        return context | {
            "steps": steps,
            "may_operate": may_operate_flow(self.actor),
            "may_cancel": may_cancel_flow(self.actor, flow),
            "help": {step.pk: help_for(self.actor, step) for step in steps if is_in_trouble(step)},
            "decisions": {
                step.pk: {**reads.decision_of(step), "may": may_decide_step(self.actor, step)}
                for step in steps
                if step.decision
            },
            "live": not flow.is_final,
            "lasting": {
                "done": [each for each in steps if each.lasting and each.state == StepState.DONE],
                "left": [each for each in steps if each.lasting and each.state != StepState.DONE],
            },
        }


def is_in_trouble(step: Step) -> bool:
    """Whether an operator may have to help."""
    waits = step.state in (StepState.LATER, StepState.UNDOING)
    return step.is_stuck or step.stopped_half_way or (waits and (step.error or step.undo_error) is not None)


def help_for(actor: User, step: Step) -> dict[str, Verdict]:
    """What an operator may do about it; nothing is offered to others."""
    if not may_operate_flow(actor):
        return {}
    return {"retry": may_retry_step(actor, step), "skip": may_skip_step(actor, step)}


class FlowLog(ListPage):
    """What the steps of one flow wrote down: every attempt, with its requests and answers."""

    template_name = "console/flow_log.html"
    partial_name = "console/_flow_log_table.html"
    paginate_by = 50
    search_in = ("message",)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if request.user.is_authenticated:
            self.flow = reads.found(reads.flows(self.actor), pk=kwargs["flow_id"])

    def get_queryset(self) -> QuerySet[StepLog]:
        rows = self.narrowed(reads.log_of(self.flow))
        step = self.request.GET.get("step", "")
        return rows.filter(step__name=step) if step else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        chosen = self.request.GET.get("step", "")
        steps = [(step.name, step.title_text) for step in Step.objects.filter(flow=self.flow).order_by("number")]
        return context | {
            "flow": self.flow,
            "choices": {"step": steps},
            "chosen": context["chosen"] | {"step": chosen},
            "narrowed": context["narrowed"] or bool(chosen),
        }


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


class DecideStep(_FlowAction):
    """Answer a step that asks how to go on."""

    success_message = _("Your decision is carried out.")

    def perform(self) -> Flow:
        return service.decide_step(
            actor=self.actor,
            flow_id=self.kwargs["flow_id"],
            step_id=self.kwargs["step_id"],
            choice=self.request.POST.get("choice", ""),
            candidate=self.request.POST.get("candidate", ""),
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
