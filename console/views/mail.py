"""Mail to the reader: what it is wanted for, and what became of each letter."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from console import reads
from console.errors import Invalid
from console.forms import MailForm
from console.models import Delivery, DeliveryState, User
from console.policies import may_send_mail_to
from console.services import deliveries as service
from console.views.base import ActionView, ListPage


def wishes(reader: User) -> dict[str, Any]:
    """What the part of the profile about mail shows."""
    wanted = [group for group, wants in service.mail_preferences(reader).items() if wants]
    return {"mail_enabled": settings.MAIL_ENABLED, "mail_form": MailForm(initial={"wanted": wanted})}


class MailWishes(ActionView):
    """What mail is wanted for."""

    success_message = _("Your choice was saved.")
    success_url = reverse_lazy("console:profile")

    def perform(self) -> dict[str, bool]:
        form = MailForm(self.request.POST)
        if not form.is_valid():
            raise Invalid(_("There is no such group."))
        return service.set_mail_preferences(actor=self.actor, wanted=form.by_group())


class MailList(ListPage):
    """Letters to the reader, the latest first, each with what became of it."""

    template_name = "console/mail_list.html"
    partial_name = "console/_mail_table.html"
    filters = {"state": DeliveryState}

    def get_queryset(self) -> QuerySet[Delivery]:
        return self.narrowed(reads.letters_to(self.actor))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        letters: list[Delivery] = list(context["object_list"])
        return context | {
            "letters": letters,
            "may_send": may_send_mail_to(self.actor),
            "live": any(letter.is_open for letter in letters),
        }


class _MailAction(ActionView):
    success_url = reverse_lazy("console:mail-list")


class TestMail(_MailAction):
    """Try it out."""

    success_message = _("A test is on its way to your address.")

    def perform(self) -> Delivery:
        return service.send_test_mail(actor=self.actor)


class SendMailAgain(_MailAction):
    """Once more."""

    success_message = _("The letter is being sent again.")

    def perform(self) -> Delivery:
        letter = reads.found(reads.letters_to(self.actor), pk=self.kwargs["delivery_id"])
        return service.send_again(actor=self.actor, delivery_id=letter.pk)
