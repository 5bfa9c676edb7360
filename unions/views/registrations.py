"""Pages of registering: the public form, its state, and the administrators' side."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views import View
from rest_framework.throttling import ScopedRateThrottle

from console.errors import TooMany
from console.policies import Verdict, may_administer
from console.views.base import ActionView, DetailPage, ListPage, ServiceFormView
from unions import reads
from unions.forms import ReasonForm, RegistrationForm, RuleForm
from unions.models import Category, Registration, RegistrationRule, RegistrationState
from unions.policies import may_decide_registration
from unions.services import registrations as service


class RegistrationCreate(ServiceFormView):
    """The public sign-up. Who has registered is signed in and sees how far it is.

    Who is signed in already keeps the account and asks for an organization only.
    """

    form_class = RegistrationForm
    template_name = "unions/registration_create.html"
    public = True
    throttle_scope = "registrations"

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"with_account": not self.request.user.is_authenticated}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "switch" in request.POST:  # without a script: show the fields of the other category
            kept = {name: request.POST[name] for name in KEPT if name in request.POST}
            form = RegistrationForm(initial=kept, with_account=not request.user.is_authenticated)
            return self.render_to_response(self.get_context_data(form=form))
        return super().post(request, *args, **kwargs)

    def perform(self, form: Any) -> Registration:
        if not ScopedRateThrottle().allow_request(self.request, self):  # type: ignore[arg-type]
            raise TooMany(_("Too many registrations from your address; try again in a minute."))
        if self.request.user.is_authenticated:
            return service.register_another(actor=self.actor, organization=form.organization())
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


KEPT = ("username", "email", "name", "category", "oemtype", "tenantid", "projectid", "nodelist")


class RegistrationFields(View):
    """The fields of the chosen category; what was typed so far stays. Nothing secret is asked for here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = RegistrationForm(initial={name: request.GET[name] for name in KEPT if name in request.GET})
        return render(request, "unions/_registration_fields.html", {"form": form})


class RegistrationList(ListPage):
    """Who has asked; for administrators and auditors."""

    template_name = "unions/registration_list.html"
    partial_name = "unions/_registration_table.html"
    filters = {"state": RegistrationState, "category": Category}
    search_in = ("organization_name", "user__username", "user__email")

    def get_queryset(self) -> QuerySet[Registration]:
        waiting_first = Case(When(state=RegistrationState.PENDING, then=0), default=1)
        return self.narrowed(reads.registrations(self.actor)).order_by(waiting_first, "-created_at", "-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"may_administer": may_administer(self.actor)}


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
            "mine": registration.user_id == self.actor.pk,
            "details": registration.details,
            "certificate_expiry": parse_datetime(registration.details.get("tlscert_expires_at") or ""),
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

    @cached_property
    def registration(self) -> Registration:
        return reads.found(reads.registrations(self.actor), pk=self.kwargs["registration_id"])

    def allowed(self) -> Verdict:
        return may_decide_registration(self.actor, self.registration)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"registration": self.registration}

    def perform(self, form: forms.Form) -> Registration:
        return service.refuse_registration(
            actor=self.actor, registration_id=self.kwargs["registration_id"], reason=form.cleaned_data["reason"]
        )

    def came_from(self) -> str:
        return reverse("unions:registration-detail", args=[self.kwargs["registration_id"]])


class RuleList(ServiceFormView):
    """The rules that approve alone, and a form for another one."""

    form_class = RuleForm
    template_name = "unions/rule_list.html"
    success_url = reverse_lazy("unions:rule-list")
    success_message = _("The rule is in force.")

    def allowed(self) -> Verdict:
        return may_administer(self.actor)

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
