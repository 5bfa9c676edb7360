"""Pages on which it is said how much of ledgers is kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy

from chains.forms import RetentionForm
from chains.policies import may_set_retention
from chains.retention import rule_of
from chains.services import retention as service
from chains.views.chains import OfBlockchain
from console.policies import Verdict
from console.views.base import Page, ServiceFormView


class Retention(ServiceFormView):
    """The rule of all chains that have none of their own."""

    form_class = RetentionForm
    template_name = "chains/retention.html"
    success_message = gettext_lazy("The rule was changed; what goes by it is thrown away portion by portion.")
    blockchain: Any = None

    def allowed(self) -> Verdict:
        return may_set_retention(self.actor)

    def get_initial(self) -> dict[str, Any]:
        rule = rule_of(self.blockchain)
        return {"keep_blocks": rule.keep_blocks, "keep_days": rule.keep_days}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        back = self.get_success_url()
        about = {"blockchain": self.blockchain, "rule": rule_of(self.blockchain), "back": back}
        return super().get_context_data(**kwargs) | about

    def perform(self, form: forms.Form) -> Any:
        uid = self.blockchain.uid if self.blockchain else None
        wanted = dict(form.cleaned_data)
        if wanted.pop("follow", False) and uid is not None:
            return service.drop_retention(actor=self.actor, uid=uid, confirmed=wanted["confirmed"])
        return service.set_retention(actor=self.actor, uid=uid, **wanted)

    def get_success_url(self) -> str:
        return reverse("chains:chain-list")


class BlockchainRetention(OfBlockchain, Retention, Page):
    """The rule of one chain."""

    def get_success_url(self) -> str:
        return reverse("chains:chain-detail", args=[self.blockchain.uid])
