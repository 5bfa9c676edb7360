"""The first page after signing in: what waits, what runs, how things are. Each floor hands in its panels."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from console import shell
from console.views.base import LivePart, Page

REFRESH_SECONDS = 5


class Dashboard(LivePart, Page, TemplateView):
    """A grid of panels."""

    template_name = "console/dashboard.html"
    partial_name = "console/_dashboard_live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        panels = [(panel, panel.context(self.actor)) for panel in shell.panels_for(self.actor)]
        return super().get_context_data(**kwargs) | {"panels": panels, "live": REFRESH_SECONDS}
