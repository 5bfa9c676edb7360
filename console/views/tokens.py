"""Tokens of programs: made here, shown once, revocable."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.forms import TokenForm
from console.models import ApiToken
from console.services import tokens as service
from console.views.base import ActionView, ServiceFormView


class TokenList(ServiceFormView):
    """The reader's tokens, and a form for another one. The new one's text is in the answer itself, nowhere else."""

    form_class = TokenForm
    template_name = "console/token_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tokens = ApiToken.objects.filter(user=self.actor)
        return super().get_context_data(**kwargs) | {"tokens": tokens, "now": timezone.now()}

    def perform(self, form: Any) -> tuple[ApiToken, str]:
        data = form.cleaned_data
        return service.create_token(
            actor=self.actor, name=data["name"], read_only=data["read_only"], expires_at=form.expires_at()
        )

    def done(self, result: tuple[ApiToken, str]) -> HttpResponse:
        token, text = result
        context = self.get_context_data(form=TokenForm(), fresh=token, fresh_text=text)
        answer = self.render_to_response(context, status=201)
        answer["Cache-Control"] = "no-store"
        return answer


class RevokeToken(ActionView):
    """Close the door for a program."""

    success_message = _("The token was revoked; programs that use it are refused from now on.")
    success_url = reverse_lazy("console:token-list")

    def perform(self) -> ApiToken:
        return service.revoke_token(actor=self.actor, token_id=self.kwargs["token_id"])
