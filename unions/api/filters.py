"""What lists of this floor can be narrowed by; the names are those of the answers."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from unions.models import (
    Category,
    Drift,
    DriftKind,
    DriftState,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
    RegistrationRule,
    RegistrationState,
    ResourceSpace,
    SpaceKind,
    Union,
    UnionState,
)


class RegistrationFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=RegistrationState.choices)
    category = django_filters.ChoiceFilter(choices=Category.choices)

    class Meta:
        model = Registration
        fields: list[str] = []


class RegistrationRuleFilter(django_filters.FilterSet):
    category = django_filters.ChoiceFilter(choices=Category.choices)
    oemtype = django_filters.CharFilter(field_name="platform__oemtype")
    enabled = django_filters.BooleanFilter()

    class Meta:
        model = RegistrationRule
        fields: list[str] = []


class OrganizationFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", help_text=_("Part of the name."))
    category = django_filters.ChoiceFilter(choices=Category.choices)
    state = django_filters.ChoiceFilter(choices=OrganizationState.choices)

    class Meta:
        model = Organization
        fields: list[str] = []


class MembershipFilter(django_filters.FilterSet):
    role = django_filters.MultipleChoiceFilter(choices=MemberRole.choices)

    class Meta:
        model = Membership
        fields: list[str] = []


class ResourceSpaceFilter(django_filters.FilterSet):
    orgcode = django_filters.CharFilter(field_name="organization__orgcode")
    kind = django_filters.ChoiceFilter(choices=SpaceKind.choices)
    oemtype = django_filters.CharFilter(field_name="platform__oemtype")

    class Meta:
        model = ResourceSpace
        fields: list[str] = []


class UnionFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", help_text=_("Part of the name."))
    oemtype = django_filters.CharFilter(field_name="platform__oemtype")
    state = django_filters.MultipleChoiceFilter(choices=UnionState.choices)
    creatororg = django_filters.CharFilter(field_name="creator__orgcode")
    orgcode = django_filters.CharFilter(
        field_name="members__organization__orgcode", distinct=True, help_text=_("A member, present or past.")
    )

    class Meta:
        model = Union
        fields: list[str] = []


class DriftFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DriftState.choices)
    kind = django_filters.MultipleChoiceFilter(choices=DriftKind.choices)
    oemtype = django_filters.CharFilter(field_name="platform__oemtype")
    unionid = django_filters.CharFilter(field_name="union__unionid")
    orgcode = django_filters.CharFilter(field_name="organization__orgcode")

    class Meta:
        model = Drift
        fields: list[str] = []


class ProposalFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=ProposalState.choices)
    kind = django_filters.MultipleChoiceFilter(choices=ProposalKind.choices)
    unionid = django_filters.CharFilter(field_name="payload__unionid")
    oemtype = django_filters.CharFilter(method="filter_platform", help_text=_("The platform of what is asked about."))
    waiting_for = django_filters.ChoiceFilter(
        choices=[("me", _("me"))],
        method="filter_waiting",
        help_text=_("`me`: proposals on which an organization that you speak for has not answered yet."),
    )

    class Meta:
        model = Proposal
        fields: list[str] = []

    def filter_platform(self, queryset, name: str, value: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return queryset.on_platform(value)

    def filter_waiting(self, queryset, name: str, value: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return queryset.waiting_for(self.request.user)
