"""What lists of webhooks and of deliveries can be narrowed by; the names are those of the answers."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from console.api.filters import WordsFilter
from console.models import Delivery, DeliveryState, Webhook, WebhookState


class WebhookFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=WebhookState.choices)
    for_console = django_filters.BooleanFilter(field_name="owner", lookup_expr="isnull")
    q = WordsFilter("name", "url")

    class Meta:
        model = Webhook
        fields: list[str] = []


class DeliveryFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DeliveryState.choices)
    event = django_filters.CharFilter(field_name="notification__kind", help_text=_("For example `invitation`."))

    class Meta:
        model = Delivery
        fields: list[str] = []
