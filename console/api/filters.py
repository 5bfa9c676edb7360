"""What lists of this floor can be narrowed by; the names are those of the answers."""

from __future__ import annotations

from datetime import UTC, datetime

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from console.models import ApiToken, AuditEntry, Flow, FlowState, Notification, StepLog

MAX_WORDS = 8


class MomentField(django_filters.fields.IsoDateTimeField):
    """ISO 8601; a time that no clock has shown is refused here instead of in the database."""

    def clean(self, value: str) -> datetime | None:
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except (OverflowError, ValueError) as problem:
            raise forms.ValidationError(_("There is no such time.")) from problem


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class WordsFilter(django_filters.CharFilter):
    """Every word stands in one of the fields."""

    def __init__(self, *fields: str) -> None:
        super().__init__(help_text=_("Words; each has to be found."))
        self.fields = fields

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:  # type: ignore[type-arg]
        for word in (value or "").split()[:MAX_WORDS]:
            condition = Q()
            for field in self.fields:
                condition |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(condition)
        return queryset


class FlowFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=FlowState.choices)
    kind = django_filters.CharFilter(help_text=_("For example `unions.create`."))
    subject_type = django_filters.CharFilter(help_text=_("For example `unions.proposal`."))
    subject_id = django_filters.CharFilter()
    needs_decision = django_filters.BooleanFilter(
        method="asking", help_text=_("Flows with a step that asks an operator how to go on.")
    )

    def asking(self, queryset: QuerySet[Flow], name: str, value: bool) -> QuerySet[Flow]:
        return queryset.needing_decision(value)  # type: ignore[attr-defined]

    class Meta:
        model = Flow
        fields: list[str] = []


class TokenFilter(django_filters.FilterSet):
    revoked = django_filters.BooleanFilter(
        field_name="revoked_at", lookup_expr="isnull", exclude=True, help_text=_("Whether it was ended.")
    )
    read_only = django_filters.BooleanFilter()

    class Meta:
        model = ApiToken
        fields: list[str] = []


class AuditFilter(django_filters.FilterSet):
    action = django_filters.CharFilter(help_text=_("For example `console.flow.cancelled`."))
    actor = django_filters.CharFilter(field_name="actor_label", help_text=_("A user name."))
    target_type = django_filters.CharFilter(help_text=_("For example `unions.union`."))
    target_id = django_filters.CharFilter()
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")
    q = WordsFilter("action", "actor_label", "target_label", "target_id")

    class Meta:
        model = AuditEntry
        fields: list[str] = []


class NotificationFilter(django_filters.FilterSet):
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")
    kind = django_filters.CharFilter()

    class Meta:
        model = Notification
        fields: list[str] = []


class FlowLogFilter(django_filters.FilterSet):
    step = django_filters.CharFilter(field_name="step__name", help_text=_("Name of the step."))
    attempt = django_filters.NumberFilter(field_name="attempt")
    undoing = django_filters.BooleanFilter(field_name="undoing")
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")
    q = WordsFilter("message")

    class Meta:
        model = StepLog
        fields: list[str] = []


class RuntimeLogFilter(django_filters.FilterSet):
    flow = django_filters.UUIDFilter(field_name="step__flow")
    kind = django_filters.CharFilter(field_name="step__flow__kind", help_text=_("Kind of the flow."))
    step = django_filters.CharFilter(field_name="step__name", help_text=_("Name of the step."))
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")
    q = WordsFilter("message")

    class Meta:
        model = StepLog
        fields: list[str] = []
