"""What a user was told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import reads
from console.api.filters import NotificationFilter
from console.api.serializers import NotificationAnswer, ReadAnswer
from console.models import Notification
from console.services import notifications as service


class Notifications(generics.ListAPIView[Notification]):
    """Your notifications."""

    serializer_class = NotificationAnswer
    filterset_class = NotificationFilter
    ordering_fields = ["created_at"]

    def get_queryset(self) -> QuerySet[Notification]:
        return reads.notifications(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_notifications", tags=["notifications"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What you were told, the latest first."""
        return super().get(request, *args, **kwargs)


class ReadNotification(APIView):
    """One notification."""

    @extend_schema(operation_id="read_notification", tags=["notifications"], request=None, responses=NotificationAnswer)
    def post(self, request: Request, notification_id: int) -> Response:
        """Mark a notification as read."""
        service.mark_read(actor=request.user, notification_id=notification_id)  # type: ignore[arg-type]
        row = reads.found(reads.notifications(request.user), pk=notification_id)  # type: ignore[arg-type]
        return Response(NotificationAnswer(row).data)


class ReadNotifications(APIView):
    """All notifications."""

    @extend_schema(operation_id="read_notifications", tags=["notifications"], request=None, responses=ReadAnswer)
    def post(self, request: Request) -> Response:
        """Mark all your notifications as read."""
        return Response({"read": service.mark_read(actor=request.user)})  # type: ignore[arg-type]
