"""Webhooks, what was sent to them, and the wishes about mail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import kinds, reads
from console.api.delivery_filters import DeliveryFilter, WebhookFilter
from console.api.delivery_serializers import (
    DeliveryAnswer,
    DeliveryDetailAnswer,
    EventAnswer,
    MailAnswer,
    MailRequest,
    NewWebhookRequest,
    WebhookAnswer,
    WebhookRequest,
    WebhookSecretAnswer,
)
from console.api.reading import parsed
from console.deliveries.parcels import payload_of
from console.models import Delivery, User, Webhook
from console.services import deliveries, webhooks

EXAMPLE = OpenApiExample(
    "permits",
    request_only=True,
    value={"name": "Permit server", "url": "https://permits.example.gov/concord", "events": ["invitation", "union"]},
)


def _shown(actor: User, webhook_id: int, secret: str = "") -> dict[str, Any]:
    hook = reads.found(reads.webhooks(actor), pk=webhook_id)
    if not secret:
        return dict(WebhookAnswer(hook).data)
    return dict(WebhookAnswer(hook).data) | {"secret": secret}


class Webhooks(generics.ListAPIView[Webhook]):
    """Your webhooks; overseers see those of the console, too."""

    serializer_class = WebhookAnswer
    filterset_class = WebhookFilter
    ordering_fields = ["name", "created_at", "last_success_at", "last_failure_at"]

    def get_queryset(self) -> QuerySet[Webhook]:
        return reads.webhooks(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_webhooks", tags=["webhooks"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your webhooks. Their secrets are not shown."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_webhook",
        tags=["webhooks"],
        request=NewWebhookRequest,
        responses={201: WebhookSecretAnswer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """A new webhook. Its secret is in this answer and nowhere else; what is sent is signed with it."""
        hook, secret = webhooks.create_webhook(actor=request.user, **parsed(NewWebhookRequest, request))  # type: ignore[arg-type]
        answer = _shown(request.user, hook.pk, secret)  # type: ignore[arg-type]
        return Response(answer, status=status.HTTP_201_CREATED)


class WebhookDetail(APIView):
    """One webhook."""

    @extend_schema(operation_id="get_webhook", tags=["webhooks"], responses=WebhookAnswer)
    def get(self, request: Request, webhook_id: int) -> Response:
        """One webhook, and how it fares."""
        return Response(_shown(request.user, webhook_id))  # type: ignore[arg-type]

    @extend_schema(
        operation_id="update_webhook",
        tags=["webhooks"],
        request=WebhookRequest(partial=True),
        responses=WebhookAnswer,
        examples=[OpenApiExample("moved", request_only=True, value={"url": "https://permits.example.gov/hooks"})],
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        """Another name, address or choice of events."""
        changes = parsed(WebhookRequest, request, partial=True)
        webhooks.update_webhook(actor=request.user, webhook_id=webhook_id, **changes)  # type: ignore[arg-type]
        return Response(_shown(request.user, webhook_id))  # type: ignore[arg-type]

    @extend_schema(operation_id="delete_webhook", tags=["webhooks"], request=None, responses={204: None})
    def delete(self, request: Request, webhook_id: int) -> Response:
        """Delete a webhook and the log of what it was sent."""
        webhooks.delete_webhook(actor=request.user, webhook_id=webhook_id)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)


class SwitchOn(APIView):
    """Send again."""

    @extend_schema(operation_id="switch_on_webhook", tags=["webhooks"], request=None, responses=WebhookAnswer)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Switch a webhook on; what was held while it was paused goes out at once."""
        webhooks.switch_on_webhook(actor=request.user, webhook_id=webhook_id)  # type: ignore[arg-type]
        return Response(_shown(request.user, webhook_id))  # type: ignore[arg-type]


class SwitchOff(APIView):
    """Send nothing any more."""

    @extend_schema(operation_id="switch_off_webhook", tags=["webhooks"], request=None, responses=WebhookAnswer)
    def post(self, request: Request, webhook_id: int) -> Response:
        """Switch a webhook off; what waits to be sent is given up."""
        webhooks.switch_off_webhook(actor=request.user, webhook_id=webhook_id)  # type: ignore[arg-type]
        return Response(_shown(request.user, webhook_id))  # type: ignore[arg-type]


class RenewSecret(APIView):
    """Another secret."""

    @extend_schema(operation_id="renew_webhook_secret", tags=["webhooks"], request=None, responses=WebhookSecretAnswer)
    def post(self, request: Request, webhook_id: int) -> Response:
        """A new secret, shown this once. For a day what is sent carries a signature by the old one, too."""
        hook, secret = webhooks.renew_webhook_secret(actor=request.user, webhook_id=webhook_id)  # type: ignore[arg-type]
        return Response(_shown(request.user, hook.pk, secret))  # type: ignore[arg-type]


class TestWebhook(APIView):
    """Try it out."""

    @extend_schema(operation_id="test_webhook", tags=["webhooks"], request=None, responses={201: DeliveryAnswer})
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send the event `test`, tried once. The answer is the delivery; ask for it to see how it went."""
        delivery = webhooks.test_webhook(actor=request.user, webhook_id=webhook_id)  # type: ignore[arg-type]
        return Response(DeliveryAnswer(delivery).data, status=status.HTTP_201_CREATED)


class Events(generics.ListAPIView[Any]):
    """What a webhook can be told."""

    serializer_class = EventAnswer
    pagination_class = None
    filter_backends: list[Any] = []

    def get_queryset(self) -> Any:
        return kinds.events()

    @extend_schema(operation_id="list_webhook_events", tags=["webhooks"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The events that a webhook can be told."""
        return super().get(request, *args, **kwargs)


class WebhookDeliveries(generics.ListAPIView[Delivery]):
    """What a webhook was sent."""

    serializer_class = DeliveryAnswer
    filterset_class = DeliveryFilter
    ordering_fields = ["id", "due_at"]

    def get_queryset(self) -> QuerySet[Delivery]:
        if getattr(self, "swagger_fake_view", False):
            return Delivery.objects.none()
        hook = reads.found(reads.webhooks(self.request.user), pk=self.kwargs["webhook_id"])  # type: ignore[arg-type]
        return reads.deliveries_to(hook)

    @extend_schema(operation_id="list_webhook_deliveries", tags=["webhooks"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What the webhook was sent or is to be sent, the latest first."""
        return super().get(request, *args, **kwargs)


class WebhookDelivery(APIView):
    """One message on its way."""

    @extend_schema(operation_id="get_webhook_delivery", tags=["webhooks"], responses=DeliveryDetailAnswer)
    def get(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """One message with every attempt. What the receiver answered is not kept, save for its status."""
        return Response(_delivery_shown(request.user, webhook_id, delivery_id))  # type: ignore[arg-type]


class SendAgain(APIView):
    """Once more."""

    @extend_schema(
        operation_id="send_webhook_delivery_again", tags=["webhooks"], request=None, responses=DeliveryDetailAnswer
    )
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        """Send a message again, under the same id; or at once, when it waits for its next attempt."""
        hook = reads.found(reads.webhooks(request.user), pk=webhook_id)  # type: ignore[arg-type]
        delivery = reads.found(reads.deliveries_to(hook), pk=delivery_id)
        deliveries.send_again(actor=request.user, delivery_id=delivery.pk)  # type: ignore[arg-type]
        return Response(_delivery_shown(request.user, webhook_id, delivery_id))  # type: ignore[arg-type]


def _delivery_shown(actor: User, webhook_id: int, delivery_id: int) -> dict[str, Any]:
    hook = reads.found(reads.webhooks(actor), pk=webhook_id)
    delivery = reads.found(reads.deliveries_to(hook).prefetch_related("attempts"), pk=delivery_id)
    delivery.payload = payload_of(delivery)  # type: ignore[attr-defined]
    return dict(DeliveryDetailAnswer(delivery).data)


class Mail(APIView):
    """Mail to you."""

    @extend_schema(operation_id="get_mail", tags=["notifications"], responses=MailAnswer)
    def get(self, request: Request) -> Response:
        """Whether mail reaches you, and which events you want it for."""
        return Response(_mail(request.user))  # type: ignore[arg-type]

    @extend_schema(
        operation_id="update_mail",
        tags=["notifications"],
        request=MailRequest,
        responses=MailAnswer,
        examples=[OpenApiExample("less", request_only=True, value={"wanted": {"operation": False}})],
    )
    def patch(self, request: Request) -> Response:
        """Say which events you want mail for."""
        deliveries.set_mail_preferences(actor=request.user, **parsed(MailRequest, request))  # type: ignore[arg-type]
        return Response(_mail(request.user))  # type: ignore[arg-type]


def _mail(user: User) -> dict[str, Any]:
    wanted = deliveries.mail_preferences(user)
    return {"enabled": settings.MAIL_ENABLED, "address": user.email, "wanted": wanted}
