"""What a user has been told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from console import reads
from console.models import Notification
from console.services import notifications as service
from console.views.base import ActionView, ListPage


class NotificationList(ListPage):
    """The reader's own, the latest first."""

    template_name = "console/notification_list.html"
    partial_name = "console/_notification_table.html"

    def get_queryset(self) -> QuerySet[Notification]:
        rows = Notification.objects.filter(user=self.actor)
        return rows.filter(read_at=None) if self.request.GET.get("unread") else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"only_unread": bool(self.request.GET.get("unread"))}


class MarkRead(ActionView):
    """Opening a notification marks it as read and leads to what it is about."""

    success_url = reverse_lazy("console:notification-list")

    def perform(self) -> Notification:
        row = reads.found(Notification.objects.filter(user=self.actor), pk=self.kwargs["notification_id"])
        service.mark_read(actor=self.actor, notification_id=row.pk)
        return row

    def done(self, result: Notification) -> HttpResponse:
        own = url_has_allowed_host_and_scheme(result.link, {self.request.get_host()})
        return HttpResponseRedirect(result.link if result.link and own else self.get_success_url())


class MarkAllRead(ActionView):
    """Nothing is unread afterwards."""

    success_message = _("All notifications are marked as read.")
    success_url = reverse_lazy("console:notification-list")

    def perform(self) -> int:
        return service.mark_read(actor=self.actor)
