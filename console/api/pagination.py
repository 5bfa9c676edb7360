"""Lists come in pages: `{count, next, previous, results}`. A page that is none is refused by name."""

from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage, Paginator
from django.utils.translation import gettext as _
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from console.errors import Invalid, Missing


class Pages(PageNumberPagination):
    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int | None:
        """Rows per page; more than the most are cut to the most."""
        asked = request.query_params.get("page_size")
        if asked is not None and not _is_positive(asked):
            words = _("Give a whole number from 1 to %(most)s.") % {"most": self.max_page_size}
            raise Invalid.field("page_size", words)
        return super().get_page_size(request)

    def get_page_number(self, request: Request, paginator: Paginator[Any]) -> int | str:
        asked = request.query_params.get("page", "1")
        if asked in self.last_page_strings:
            return paginator.num_pages
        if not _is_positive(asked):
            raise Invalid.field("page", _("Give a whole number from 1, or “last”."))
        try:
            return paginator.validate_number(asked[:18])
        except InvalidPage as problem:
            words = _("There is no such page; the last one is %(last)s.") % {"last": paginator.num_pages}
            raise Missing.field("page", words) from problem


def _is_positive(text: str) -> bool:
    return text.isascii() and text.isdigit() and bool(text.strip("0"))
