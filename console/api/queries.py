"""What the query of a list may say. A word that the list does not know is refused: left out, it answers too much."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.filters import BaseFilterBackend, OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from console.errors import Invalid

OF_EVERY_LIST = ("page", "page_size")


class KnownParameters(BaseFilterBackend):
    """Refuses parameters that neither the list's filters nor its view (`query_parameters`) know."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        known = set(_known(view))
        unknown = {name: [_not_known(name, known)] for name in request.query_params if name not in known}
        if unknown:
            raise Invalid(_("The request has errors."), errors=unknown)
        return queryset


class StrictOrdering(OrderingFilter):
    """Ordering by a field that the list cannot be ordered by is refused, with the fields that it can be."""

    def remove_invalid_fields(self, queryset: QuerySet[Any], fields: Any, view: APIView, request: Request) -> list[str]:
        valid = [name for name, _label in self.get_valid_fields(queryset, view, {"request": request})]
        wrong = [each for each in fields if each.removeprefix("-") not in valid]
        if wrong:
            words = _("Order by %(fields)s; a minus in front turns it round.") % {"fields": ", ".join(valid)}
            raise Invalid.field(self.ordering_param, words)
        return list(fields)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        fields = getattr(view, "ordering_fields", None)
        if not fields:
            return []
        words = f"Of {', '.join(fields)}: one, or several with commas between; a minus in front turns it round."
        return [{"name": self.ordering_param, "in": "query", "description": words, "schema": {"type": "string"}}]


class PlainOrdering(StrictOrdering):
    """The same for a list that is no query set: its few values are put in order by their attributes."""

    def filter_queryset(self, request: Request, queryset: Any, view: APIView) -> Any:
        rows = list(queryset)
        for name in reversed(self.get_ordering(request, queryset, view) or []):
            rows.sort(key=attrgetter(name.removeprefix("-")), reverse=name.startswith("-"))
        return rows


def _known(view: APIView) -> Iterable[str]:
    filterset = getattr(view, "filterset_class", None)
    yield from OF_EVERY_LIST
    yield from getattr(view, "query_parameters", ())
    yield from filterset.base_filters if filterset else ()
    if getattr(view, "ordering_fields", None):
        yield "ordering"


def _not_known(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    if near:
        return _("There is no such parameter. Did you mean “%(near)s”?") % {"near": near[0]}
    return _("There is no such parameter. Known are: %(known)s.") % {"known": ", ".join(sorted(known))}
