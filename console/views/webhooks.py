"""Webhooks: the list, one with what it was sent, and everything that its owner may do. A secret is shown once."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console import kinds, reads
from console.deliveries.parcels import payload_of
from console.forms import NewWebhookForm, WebhookForm
from console.models import Delivery, DeliveryState, Webhook
from console.policies import Verdict, may_change_webhook, may_own_webhook, may_send_again, may_test_webhook
from console.services import deliveries
from console.services import webhooks as service
from console.views.base import ActionView, DetailPage, ListPage, Page, ServiceFormView


class WebhookList(ListPage):
    """The reader's own; overseers see those of the console, too."""

    template_name = "console/webhook_list.html"
    search_in = ("name", "url")

    def get_queryset(self) -> QuerySet[Webhook]:
        return self.narrowed(reads.webhooks(self.actor))


class _OneWebhook:
    """Of the webhook that the address names; Missing where the reader does not see it."""

    kwargs: dict[str, Any]
    actor: Any

    @cached_property
    def webhook(self) -> Webhook:
        return reads.found(reads.webhooks(self.actor), pk=self.kwargs["webhook_id"])


class WebhookDetail(_OneWebhook, ListPage):
    """One webhook, how it fares, and the log of what it was sent, live while something is under way."""

    template_name = "console/webhook_detail.html"
    partial_name = "console/_webhook_live.html"
    filters = {"state": DeliveryState}

    def get_queryset(self) -> QuerySet[Delivery]:
        return self.narrowed(reads.deliveries_to(self.webhook))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        rows: list[Delivery] = list(context["object_list"])
        hook = self.webhook
        return context | {
            "webhook": hook,
            "deliveries": rows,
            "events": [kinds.title_of(name) for name in hook.kinds],
            "may_change": may_change_webhook(self.actor, hook),
            "may_test": may_test_webhook(self.actor, hook),
            "live": any(row.is_open for row in rows),
        }


class _ShowsSecret(Page):
    """Answers with the secret itself; nothing keeps a copy."""

    def shown(self, hook: Webhook, secret: str, *, renewed: bool) -> HttpResponse:
        context = {"webhook": hook, "secret": secret, "renewed": renewed}
        answer = HttpResponse(
            render_to_string("console/webhook_secret.html", context, request=self.request), status=201
        )
        answer["Cache-Control"] = "no-store"
        return answer


class WebhookCreate(_ShowsSecret, ServiceFormView):
    """A new webhook."""

    form_class = NewWebhookForm
    template_name = "console/webhook_form.html"

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if not may_own_webhook(self.actor, for_console=True):
            del form.fields["for_console"]
        return form

    def perform(self, form: Any) -> tuple[Webhook, str]:
        return service.create_webhook(actor=self.actor, **form.cleaned_data)

    def done(self, result: tuple[Webhook, str]) -> HttpResponse:
        return self.shown(*result, renewed=False)


class WebhookChange(_OneWebhook, ServiceFormView):
    """Another name, address or choice of events."""

    form_class = WebhookForm
    template_name = "console/webhook_form.html"
    success_message = _("The webhook was changed.")

    def allowed(self) -> Verdict:
        return may_change_webhook(self.actor, self.webhook)

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.webhook.name, "url": self.webhook.url, "events": self.webhook.kinds}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"webhook": self.webhook}

    def perform(self, form: Any) -> Webhook:
        return service.update_webhook(actor=self.actor, webhook_id=self.webhook.pk, **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("console:webhook-detail", args=[self.kwargs["webhook_id"]])


class _WebhookAction(ActionView):
    def get_success_url(self) -> str:
        return reverse("console:webhook-detail", args=[self.kwargs["webhook_id"]])


class SwitchOn(_WebhookAction):
    """Send again."""

    success_message = _("The webhook is on. What was held is being sent.")

    def perform(self) -> Webhook:
        return service.switch_on_webhook(actor=self.actor, webhook_id=self.kwargs["webhook_id"])


class SwitchOff(_WebhookAction):
    """Send nothing any more."""

    success_message = _("The webhook is off. Nothing is sent to it any more.")

    def perform(self) -> Webhook:
        return service.switch_off_webhook(actor=self.actor, webhook_id=self.kwargs["webhook_id"])


class TestWebhook(_WebhookAction):
    """Try it out."""

    success_message = _("A test is on its way. How it went, you see in the log in a moment.")

    def perform(self) -> Delivery:
        return service.test_webhook(actor=self.actor, webhook_id=self.kwargs["webhook_id"])


class RenewSecret(_ShowsSecret, _WebhookAction):
    """Another secret."""

    def perform(self) -> tuple[Webhook, str]:
        return service.renew_webhook_secret(actor=self.actor, webhook_id=self.kwargs["webhook_id"])

    def done(self, result: tuple[Webhook, str]) -> HttpResponse:
        return self.shown(*result, renewed=True)


class DeleteWebhook(_WebhookAction):
    """The webhook and its log are gone."""

    success_message = _("The webhook was deleted.")

    def perform(self) -> None:
        service.delete_webhook(actor=self.actor, webhook_id=self.kwargs["webhook_id"])

    def done(self, result: None) -> HttpResponse:
        self.success_url = reverse_lazy("console:webhook-list")
        return super().done(result)

    def get_success_url(self) -> str:
        return str(self.success_url or super().get_success_url())


class DeliveryDetail(_OneWebhook, DetailPage):
    """One message: every attempt, and what is sent."""

    template_name = "console/delivery_detail.html"
    partial_name = "console/_delivery_live.html"
    context_object_name = "delivery"

    def get_object(self, queryset: Any = None) -> Delivery:
        rows = reads.deliveries_to(self.webhook).prefetch_related("attempts")
        return reads.found(rows, pk=self.kwargs["delivery_id"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        delivery: Delivery = context["delivery"]
        return context | {
            "webhook": self.webhook,
            "attempts": list(delivery.attempts.all()),
            "payload": json.dumps(payload_of(delivery), ensure_ascii=False, indent=2),
            "may_send_again": may_send_again(self.actor, delivery),
            "live": delivery.is_open,
        }


class SendAgain(_OneWebhook, ActionView):
    """Once more."""

    success_message = _("It is being sent again.")

    def perform(self) -> Delivery:
        delivery = reads.found(reads.deliveries_to(self.webhook), pk=self.kwargs["delivery_id"])
        return deliveries.send_again(actor=self.actor, delivery_id=delivery.pk)

    def get_success_url(self) -> str:
        return reverse("console:delivery-detail", args=[self.kwargs["webhook_id"], self.kwargs["delivery_id"]])
