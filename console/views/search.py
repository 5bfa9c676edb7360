"""One search over everything that the floors have handed in; the box in the frame asks it while somebody types."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from console import shell
from console.models import User
from console.views.base import LivePart, Page

IN_BOX, ON_PAGE = 5, 25  # hits of each source
MAX_WORDS = 200  # characters


class Search(LivePart, Page, TemplateView):
    """Hits grouped by where they come from, only what the reader may see."""

    template_name = "console/search.html"
    partial_name = "console/_search_hits.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = self.request.GET.get("q", "").strip()[:MAX_WORDS]
        in_box = bool(getattr(self.request, "htmx", None))
        groups = found(self.actor, words, IN_BOX if in_box else ON_PAGE) if words else []
        return super().get_context_data(**kwargs) | {
            "words": words,
            "groups": groups,
            "count": sum(len(hits) for _title, hits in groups),
        }


def found(actor: User, words: str, limit: int) -> list[tuple[Any, list[shell.Hit]]]:
    """`(title of the source, its hits)`, without the sources that found nothing."""
    groups = [(source.title, list(source.find(actor, words, limit))) for source in shell.sources()]
    return [(title, hits) for title, hits in groups if hits]
