"""What lists of this floor can be narrowed by; the names are those of the answers."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from console.models import Flow, FlowState


class FlowFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=FlowState.choices)
    kind = django_filters.CharFilter(help_text=_("For example `unions.create`."))
    subject_type = django_filters.CharFilter(help_text=_("For example `unions.proposal`."))
    subject_id = django_filters.CharFilter()

    class Meta:
        model = Flow
        fields: list[str] = []
