"""Lists of a ledger come in slices by key, each saying how far and how fresh what it lists is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from chains.api.serializers import StandingAnswer
from chains.keyset import END, PAGED, Cursor, KeyedList, Slice
from console.api.pagination import Pages
from console.errors import Invalid, Missing


class LedgerPages(Pages):
    """`next` and `previous` lead through the whole list; `page` counts its first rows only."""

    cursor_query_param = "cursor"

    request: Request

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        size = self.get_page_size(request) or self.page_size
        ascending = request.query_params.get("ordering", "") == "height"
        found = KeyedList(view.sources(queryset), view.key_fields, ascending)
        self.slice = self._slice(found, size)
        self.count, self.counted_all = found.count()
        self.standing = view.standing
        return self.slice.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.count,
                "counted_all": self.counted_all,
                "next": self._link(self.slice.later),
                "previous": self._link(self.slice.earlier),
                **StandingAnswer(self.standing).data,
                "results": data,
            }
        )

    def _slice(self, found: KeyedList, size: int) -> Slice:
        asked = self.request.query_params.get(self.cursor_query_param)
        if asked is None:
            return found.slice(size, offset=self._offset(size))
        if asked == END:
            return found.last(size)
        cursor = Cursor.read(asked)
        if cursor is None:
            raise Invalid.field("cursor", _("Take the cursor from “next” or “previous”, or write “end”."))
        return found.slice(size, cursor)

    def _offset(self, size: int) -> int:
        """Rows in front of the page that is asked for by its number."""
        asked = self.request.query_params.get(self.page_query_param, "1")
        if not (asked.isascii() and asked.isdigit() and asked.strip("0")):
            raise Invalid.field("page", _("Give a whole number from 1."))
        offset = (int(asked[:18]) - 1) * size
        if offset >= PAGED:
            words = _("Pages have numbers up to row %(most)s; follow “next” for what lies behind.")
            raise Missing.field("page", words % {"most": PAGED})
        return offset

    def _link(self, cursor: str) -> str | None:
        if not cursor:
            return None
        url = remove_query_param(self.request.build_absolute_uri(), self.page_query_param)
        return replace_query_param(url, self.cursor_query_param, cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For the API file."""
        drawn = super().get_paginated_response_schema(schema)
        moment = {"type": "string", "format": "date-time", "nullable": True}
        number = {"type": "integer", "nullable": True}
        drawn["properties"] |= {
            "counted_all": {"type": "boolean", "description": "False: there are more rows than `count`."},
            "indexed_from": number,
            "indexed_up_to": number,
            "height": number,
            "behind": number,
            "read_at": moment,
            "stale": {"type": "boolean"},
        }
        return drawn

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """For the API file."""
        cursor = {
            "name": self.cursor_query_param,
            "required": False,
            "in": "query",
            "description": "From `next` or `previous` of an answer; `end`: the end of the list.",
            "schema": {"type": "string"},
        }
        return [*super().get_schema_operation_parameters(view), cursor]
