"""What the list of platforms can be narrowed by; the names are those of the answers."""

from __future__ import annotations

import django_filters

from console.api.filters import WordsFilter
from platforms.models import Cloudtype, Health, Kernel, Platform, PlatformKind, PlatformState


class PlatformFilter(django_filters.FilterSet):
    q = WordsFilter("name", "oemtype")
    state = django_filters.MultipleChoiceFilter(choices=PlatformState.choices)
    kind = django_filters.ChoiceFilter(choices=PlatformKind.choices)
    cloudtype = django_filters.ChoiceFilter(choices=Cloudtype.choices)
    kernel = django_filters.ChoiceFilter(choices=Kernel.choices)
    health = django_filters.MultipleChoiceFilter(choices=Health.choices)
    is_default = django_filters.BooleanFilter()

    class Meta:
        model = Platform
        fields: list[str] = []
