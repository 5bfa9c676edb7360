"""Pages of registering: the public form, its state, and the administrators' side."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views import View

from console.policies import may_administer, require
from console.views.base import ActionView, DetailPage, ListPage, ServiceFormView
from unions import reads
from unions.forms import ReasonForm, RegistrationForm, RuleForm
from unions.models import Category, Registration, RegistrationRule, RegistrationState
from unions.policies import may_decide_registration
from unions.services import registrations as service


class RegistrationCreate(ServiceFormView):
    """The public sign-up. Who has registered is signed in and sees how far it is."""

    form_class = RegistrationForm
    template_name = "unions/registration_create.html"
    public = True

    def perform(self, form: Any) -> Registration:
        data = form.cleaned_data
        return service.register(
            username=data["username"],
            password=data["password"],
            email=data["email"],
            organization=form.organization(),
        )

    def done(self, result: Registration) -> HttpResponse:
        if not self.request.user.is_authenticated:
            login(self.request, result.user, backend="django.contrib.auth.backends.ModelBackend")
        return super().done(result)

    def get_success_url(self) -> str:
        return reverse("unions:registration-detail", args=[self.result.pk])


class RegistrationFields(View):
    """The fields of the chosen category; what was typed so far stays."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = RegistrationForm(initial={name: value for name, value in request.GET.items() if name in _KEPT})
        return render(request, "unions/_registration_fields.html", {"form": form})


_KEPT = {"category", "oemtype", "tenantid", "projectid", "nodelist"}


class RegistrationList(ListPage):
    """Who has asked; for administrators and auditors."""

    template_name = "unions/registration_list.html"
    partial_name = "unions/_registration_table.html"
    filters = {"state": RegistrationState, "category": Category}
    search_in = ("organization_name", "user__username", "user__email")

    def get_queryset(self) -> QuerySet[Registration]:
        return self.narrowed(reads.registrations(self.actor))


class RegistrationDetail(DetailPage):
    """One registration: for the applicant its state, for an administrator the decision."""

    template_name = "unions/registration_detail.html"
    partial_name = "unions/_registration_state.html"
    context_object_name = "registration"

    def get_object(self, queryset: Any = None) -> Registration:
        return reads.found(reads.registrations(self.actor), pk=self.kwargs["registration_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        registration: Registration = context["registration"]
        return context | {
            "may_decide": may_decide_registration(self.actor, registration),
            "form": ReasonForm(),
            "details": registration.details,
            "live": registration.state == RegistrationState.PENDING,
        }


class ApproveRegistration(ActionView):
    """Say yes."""

    success_message = _("The organization is registered.")

    def perform(self) -> Registration:
        return service.approve_registration(actor=self.actor, registration_id=self.kwargs["registration_id"])

    def get_success_url(self) -> str:
        return reverse("unions:registration-detail", args=[self.kwargs["registration_id"]])


class RefuseRegistration(ServiceFormView):
    """Say no, with the reason."""

    form_class = ReasonForm
    template_name = "unions/registration_refuse.html"
    success_message = _("The registration was refused; the applicant reads the reason.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        registration = reads.found(reads.registrations(self.actor), pk=self.kwargs["registration_id"])
        return super().get_context_data(**kwargs) | {"registration": registration}

    def perform(self, form: forms.Form) -> Registration:
        return service.refuse_registration(
            actor=self.actor, registration_id=self.kwargs["registration_id"], reason=form.cleaned_data["reason"]
        )

    def get_success_url(self) -> str:
        return reverse("unions:registration-detail", args=[self.kwargs["registration_id"]])


class RuleList(ServiceFormView):
    """The rules that approve alone, and a form for another one."""

    form_class = RuleForm
    template_name = "unions/rule_list.html"
    success_url = reverse_lazy("unions:rule-list")
    success_message = _("The rule is in force.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            require(may_administer(request.user))  # type: ignore[arg-type]
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rules = RegistrationRule.objects.select_related("platform")
        return super().get_context_data(**kwargs) | {"rules": rules}

    def perform(self, form: forms.Form) -> RegistrationRule:
        return service.create_rule(actor=self.actor, **form.cleaned_data)


class DeleteRule(ActionView):
    """Take a rule away."""

    success_message = _("The rule was deleted; what it approved stays approved.")
    success_url = reverse_lazy("unions:rule-list")

    def perform(self) -> None:
        service.delete_rule(actor=self.actor, rule_id=self.kwargs["rule_id"])
