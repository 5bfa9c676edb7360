"""Pages of organizations: who they are, where their nodes live, who belongs to them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console.blockers import blockers_of
from console.models import User
from console.policies import Verdict, denied, may_administer
from console.views.base import ActionView, DetailPage, ListPage, Page, ServiceFormView
from platforms import expiry
from unions import reads
from unions.forms import ClaimForm, CloseForm, MemberForm, OrganizationForm, machine_lines
from unions.models import (
    LIVE_MEMBER_STATES,
    Category,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    Proposal,
    SpaceKind,
    UnionMember,
)
from unions.policies import may_manage_organization, may_propose_claim, may_see_organization_details
from unions.quotas import figures_of
from unions.services import organizations as service
from unions.services import placeholders
from unions.views.panels import organization_panels


class OrganizationList(ListPage):
    """Everyone who takes part."""

    template_name = "unions/organization_list.html"
    partial_name = "unions/_organization_table.html"
    filters = {"state": OrganizationState, "category": Category}
    search_in = ("name", "orgcode")

    def get_queryset(self) -> QuerySet[Organization]:
        live = Q(union_members__state__in=LIVE_MEMBER_STATES)
        rows = reads.organizations(self.actor).annotate(unions_in=Count("union_members", filter=live, distinct=True))
        if self.request.GET.get("state") != OrganizationState.CLOSED:
            rows = rows.exclude(state=OrganizationState.CLOSED)
        return self.narrowed(rows).order_by("name")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"detailed": reads.detailed_ids(self.actor, context["object_list"])}


class OrganizationByNumber(Page):
    """From a row's number, as the audit log keeps it, to the organization's page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        organization = reads.found(Organization.objects.visible_to(self.actor), pk=pk)
        return redirect("unions:organization-detail", organization.orgcode)


class OrganizationDetail(DetailPage):
    """One organization; its space and its people only for those who may see them."""

    template_name = "unions/organization_detail.html"
    context_object_name = "organization"

    def get_object(self, queryset: Any = None) -> Organization:
        return reads.found(reads.organizations(self.actor), orgcode=self.kwargs["orgcode"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        organization: Organization = context["organization"]
        details = may_see_organization_details(self.actor, organization)
        if organization.is_placeholder:
            details = denied(_("Nobody has given the console a resource space of a placeholder."))
            context |= self._claims(organization)
        context |= {
            "details": details,
            "may_manage": may_manage_organization(self.actor, organization),
            "places": UnionMember.objects.filter(organization=organization, union__in=reads.unions(self.actor))
            .select_related("union__platform")
            .order_by("-joined_at"),
        }
        return context | (self._inside(organization) if details else {})

    def _claims(self, placeholder: Organization) -> dict[str, Any]:
        """Who among the reader's organizations may claim it, and whether somebody has."""
        rows = Proposal.objects.under_way().filter(subject_key=f"claim:{placeholder.orgcode}")
        claim = rows.first()
        visible = claim is not None and Proposal.objects.visible_to(self.actor).filter(pk=claim.pk).exists()
        return {
            "may_claim": may_claim_for_any(self.actor, placeholder),
            "open_claim": claim,
            "open_claim_visible": visible,
        }

    def _inside(self, organization: Organization) -> dict[str, Any]:
        """What only its own members and administrators see."""
        expires = organization.space.tlscert_expires_at
        people = list(
            Membership.objects.filter(organization=organization).select_related("user").order_by("user__username")
        )
        administrators = [each.pk for each in people if each.role == MemberRole.ADMINISTRATOR]
        return {
            "space": organization.space,
            "figures": figures_of([organization.space])[organization.space.pk],
            "may_set_quota": may_administer(self.actor),
            "expired": expires is not None and expires <= timezone.now(),
            "expires_soon": expires is not None and expires <= timezone.now() + expiry.soon(),
            "memberships": people,
            "is_member": any(each.user_id == self.actor.pk for each in people),
            "irreplaceable": administrators[0] if len(administrators) == 1 else None,
            "member_form": MemberForm(),
            "roles": MemberRole,
            "mine_to_claim": placeholders_of(organization),
            "panels": organization_panels.rendered_for(self.actor, organization),
        }


def placeholders_of(organization: Organization) -> list[Organization]:
    """Placeholders with the organization's own tenant."""
    space = organization.space
    if not space.tenantid:
        return []
    return list(
        Organization.objects.filter(
            space__kind=SpaceKind.FOUND, space__platform=space.platform_id, space__tenantid=space.tenantid
        )
    )


def claimants(actor: User, placeholder: Organization) -> list[tuple[Organization, Verdict]]:
    """The reader's organizations, each with whether it may claim the placeholder."""
    mine = reads.spoken_for(actor).select_related("space").order_by("name")
    return [(each, may_propose_claim(actor, placeholder, each)) for each in mine]


def may_claim_for_any(actor: User, placeholder: Organization) -> Verdict:
    """Yes if one of the reader's organizations may; else the reason of the first."""
    judged = claimants(actor, placeholder)
    if not judged:
        return denied(_("You speak for no organization."))
    return next((verdict for _each, verdict in judged if verdict), judged[0][1])


class _OrganizationForm(ServiceFormView):
    """A form about the organization in the address."""

    @cached_property
    def organization(self) -> Organization:
        return reads.found(reads.organizations(self.actor), orgcode=self.kwargs["orgcode"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "organization": self.organization,
            "verdict": may_manage_organization(self.actor, self.organization),
        }

    def came_from(self) -> str:
        return reverse("unions:organization-detail", args=[self.kwargs["orgcode"]])


class ClaimPlaceholder(_OrganizationForm):
    """Say that the placeholder stands for one's organization."""

    form_class = ClaimForm
    template_name = "unions/organization_claim.html"
    success_message = _("Those who decide have been asked.")

    def allowed(self) -> Verdict:
        return may_claim_for_any(self.actor, self.organization)

    def get_form_kwargs(self) -> dict[str, Any]:
        able = [each for each, verdict in claimants(self.actor, self.organization) if verdict]
        return super().get_form_kwargs() | {"organizations": able}

    def perform(self, form: forms.Form) -> Proposal:
        return placeholders.propose_claim(actor=self.actor, placeholder=self.kwargs["orgcode"], **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class OrganizationChange(_OrganizationForm):
    """Name, credentials, machines."""

    form_class = OrganizationForm
    template_name = "unions/organization_change.html"
    success_message = _("The organization was changed.")

    def allowed(self) -> Any:
        return may_manage_organization(self.actor, self.organization)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"organization": self.organization}

    def get_initial(self) -> dict[str, Any]:
        space = self.organization.space
        return {
            "name": self.organization.name,
            "projectid": space.projectid,
            "nodelist": machine_lines(space.machines.all()),
        }

    def perform(self, form: Any) -> Organization:
        return service.update_organization(actor=self.actor, orgcode=self.kwargs["orgcode"], changes=form.changes())


class CloseOrganization(_OrganizationForm):
    """End an organization, after typing its name; what stands in the way is named first."""

    form_class = CloseForm
    template_name = "unions/organization_close.html"
    success_message = _("The organization is closed.")

    def allowed(self) -> Any:
        return may_manage_organization(self.actor, self.organization)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.organization.name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"blockers": blockers_of("organization", self.organization)}

    def perform(self, form: forms.Form) -> Organization:
        return service.close_organization(actor=self.actor, orgcode=self.kwargs["orgcode"])


class AddMember(_OrganizationForm):
    """Give a user a role."""

    form_class = MemberForm
    template_name = "unions/member_add.html"
    success_message = _("The member was saved.")

    def allowed(self) -> Any:
        return may_manage_organization(self.actor, self.organization)

    def perform(self, form: forms.Form) -> Membership:
        return service.add_member(actor=self.actor, orgcode=self.kwargs["orgcode"], **form.cleaned_data)


class RemoveMember(ActionView):
    """Take a user's role away."""

    success_message = _("The member was removed.")

    def perform(self) -> None:
        service.remove_member(
            actor=self.actor, orgcode=self.kwargs["orgcode"], username=self.request.POST.get("username", "")
        )

    def get_success_url(self) -> str:
        return reverse("unions:organization-detail", args=[self.kwargs["orgcode"]])
