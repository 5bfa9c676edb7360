"""The support site's view of this floor: everything to read, nothing to type; each button calls a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from console.errors import ConsoleError
from unions.models import (
    Elector,
    Machine,
    Membership,
    Organization,
    Proposal,
    Registration,
    RegistrationRule,
    ResourceSpace,
    Union,
    UnionMember,
    Vote,
)
from unions.services import proposals, registrations


class ReadOnly:
    """Rows are looked at here; services change them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SupportAdmin(ReadOnly, ModelAdmin):
    """A support view."""

    list_per_page = 50
    show_full_result_count = False

    def carry_out(self, request: HttpRequest, rows: QuerySet[Any], service: Callable[[Any], object]) -> None:
        """Call the service for each chosen row; what it refuses is said, and the others go on."""
        done = 0
        for row in rows:
            try:
                service(row)
                done += 1
            except ConsoleError as problem:
                messages.error(request, f"{row}: {problem.detail}")
        if done:
            messages.success(request, gettext("Done for %(count)s.") % {"count": done})


def page_of(url_name: str, argument: Any) -> SafeString:
    """A link to the same thing in the console."""
    return format_html('<a href="{}">{}</a>', reverse(url_name, args=[argument]), gettext("in the console"))


def without_secrets(model: type[Model]) -> list[str]:
    """Every column but the sealed ones."""
    return [each.name for each in model._meta.fields if each.name not in ("ak", "sk", "token", "tlscert", "secrets")]


class MachineInline(ReadOnly, TabularInline):
    model = Machine
    extra = 0


class MembershipInline(ReadOnly, TabularInline):
    model = Membership
    extra = 0


class UnionMemberInline(ReadOnly, TabularInline):
    model = UnionMember
    extra = 0


class ElectorInline(ReadOnly, TabularInline):
    model = Elector
    extra = 0


class VoteInline(ReadOnly, TabularInline):
    model = Vote
    extra = 0


@admin.register(Organization)
class OrganizationAdmin(SupportAdmin):
    list_display = ("name", "orgcode", "category", "created_at", "page")
    list_filter = ("category",)
    search_fields = ("name", "orgcode")
    inlines = (MembershipInline,)

    @admin.display(description=_("page"))
    def page(self, organization: Organization) -> SafeString:
        return page_of("unions:organization-detail", organization.orgcode)


@admin.register(ResourceSpace)
class ResourceSpaceAdmin(SupportAdmin):
    list_display = ("organization", "kind", "platform", "tenantid", "tlscert_expires_at", "stored")
    list_filter = ("kind", "platform")
    list_select_related = ("organization", "platform")
    search_fields = ("organization__name", "organization__orgcode", "tenantid", "machines__ip")
    inlines = (MachineInline,)
    fields = (*without_secrets(ResourceSpace)[1:], "stored")
    readonly_fields = ("stored",)

    @admin.display(description=_("credentials stored"))
    def stored(self, space: ResourceSpace) -> str:
        return ", ".join(name for name in ("ak", "sk", "token", "tlscert") if getattr(space, name)) or "–"


@admin.register(Registration)
class RegistrationAdmin(SupportAdmin):
    list_display = ("organization_name", "state", "category", "platform", "user", "created_at", "page")
    list_filter = ("state", "category", "platform")
    list_select_related = ("platform", "user")
    search_fields = ("organization_name", "user__username", "user__email", "tenantid")
    fields = without_secrets(Registration)[1:]
    actions = ("approve_registrations",)

    @admin.display(description=_("page"))
    def page(self, registration: Registration) -> SafeString:
        return page_of("unions:registration-detail", registration.pk)

    @admin.action(description=_("Approve the chosen registrations"))
    def approve_registrations(self, request: HttpRequest, rows: QuerySet[Registration]) -> None:
        self.carry_out(
            request,
            rows,
            lambda row: registrations.approve_registration(actor=request.user, registration_id=row.pk),  # type: ignore[arg-type]
        )


@admin.register(RegistrationRule)
class RegistrationRuleAdmin(SupportAdmin):
    list_display = ("name", "category", "platform", "email_domain", "enabled", "created_at")
    list_select_related = ("platform",)
    actions = ("delete_rules",)

    @admin.action(description=_("Delete the chosen rules"))
    def delete_rules(self, request: HttpRequest, rows: QuerySet[RegistrationRule]) -> None:
        self.carry_out(request, rows, lambda row: registrations.delete_rule(actor=request.user, rule_id=row.pk))  # type: ignore[arg-type]


@admin.register(Union)
class UnionAdmin(SupportAdmin):
    list_display = ("name", "unionid", "state", "platform", "creator", "network_id", "created_at", "page")
    list_filter = ("state", "platform")
    list_select_related = ("platform", "creator")
    search_fields = ("name", "unionid", "network_id", "uid")
    inlines = (UnionMemberInline,)

    @admin.display(description=_("page"))
    def page(self, union: Union) -> SafeString:
        return page_of("unions:union-detail", union.unionid)


@admin.register(Proposal)
class ProposalAdmin(SupportAdmin):
    list_display = ("__str__", "state", "proposer", "opened_at", "expires_at", "work", "page")
    list_filter = ("state", "kind")
    list_select_related = ("proposer", "flow")
    search_fields = ("subject_name", "proposer__name", "subject_key")
    inlines = (ElectorInline, VoteInline)
    actions = ("withdraw_proposals",)

    @admin.display(description=_("flow"))
    def work(self, proposal: Proposal) -> str:
        return proposal.flow.get_state_display() if proposal.flow else "–"

    @admin.display(description=_("page"))
    def page(self, proposal: Proposal) -> SafeString:
        return page_of("unions:proposal-detail", proposal.pk)

    @admin.action(description=_("Take back the chosen proposals"))
    def withdraw_proposals(self, request: HttpRequest, rows: QuerySet[Proposal]) -> None:
        self.carry_out(
            request,
            rows,
            lambda row: proposals.withdraw_proposal(actor=request.user, proposal_id=row.pk),  # type: ignore[arg-type]
        )
