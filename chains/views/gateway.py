"""Pages of the gateway: a chain's access grants, making one, revoking one; and the connection files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains import reads
from chains.downloads import zip_answer
from chains.forms import AccessGrantForm
from chains.gateway.address import gateway_address
from chains.models import AccessGrant, Blockchain, Preset
from chains.policies import gateway_serves, may_grant_access, may_revoke_grant
from chains.services import grants as service
from chains.services.downloads import hand_out_sdk
from chains.views.chains import OfBlockchain
from console.models import User
from console.policies import Verdict, denied
from console.views.base import ActionView, ListPage, Page, ServiceFormView
from unions.models import Organization

STATES = {"in_force": gettext_lazy("In force"), "ended": gettext_lazy("Ended")}


def grantors(actor: User, blockchain: Blockchain) -> list[tuple[Organization, Verdict]]:
    """The chain's organizations, each with whether the actor may grant access for it."""
    rows = blockchain.organizations.order_by("name")
    return [(each, may_grant_access(actor, blockchain, each)) for each in rows]


def may_grant_any(actor: User, blockchain: Blockchain) -> Verdict:
    """Yes if for one of its organizations; else the reason, of the chain before that of people."""
    if not (verdict := gateway_serves(blockchain)):
        return verdict
    judged = [verdict for _each, verdict in grantors(actor, blockchain)]
    if (yes := next((verdict for verdict in judged if verdict), None)) is not None:
        return yes
    state = next((verdict for verdict in judged if verdict.because_of_state), None)
    return state or denied(_("Only an administrator of an organization on this chain grants access."))


class GrantList(OfBlockchain, ListPage):
    """Who may reach the chain: all that the reader may see."""

    template_name = "chains/grant_list.html"
    filters = {"preset": Preset}
    search_in = ("purpose", "organization__name", "user__username")

    def get_queryset(self) -> QuerySet[AccessGrant]:
        """Those in force first."""
        rows = self.narrowed(reads.access_grants(self.actor).filter(blockchain=self.blockchain))
        ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        if self.state in STATES:
            rows = rows.filter(ended) if self.state == "ended" else rows.exclude(ended)
        return rows.order_by(Case(When(ended, then=1), default=0), "-created_at", "-pk")

    @property
    def state(self) -> str:
        return self.request.GET.get("state", "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["choices"] = context["choices"] | {"state": list(STATES.items())}
        context["chosen"] = context["chosen"] | {"state": self.state}
        return context | {
            "blockchain": self.blockchain,
            "address": gateway_address(self.blockchain),
            "serves": gateway_serves(self.blockchain),
            "may_grant": may_grant_any(self.actor, self.blockchain),
            "narrowed": context["narrowed"] or self.state in STATES,
            "rows": self._judged(context["object_list"]),
        }

    def _judged(self, grants: Iterable[AccessGrant]) -> list[tuple[AccessGrant, Verdict]]:
        """Each grant with whether the reader may revoke it, judged once for each organization."""
        verdicts: dict[int, Verdict] = {}
        for grant in grants:
            if grant.organization_id not in verdicts:
                verdicts[grant.organization_id] = may_revoke_grant(self.actor, grant)
        return [(grant, verdicts[grant.organization_id]) for grant in grants]


class GrantCreate(OfBlockchain, ServiceFormView):
    """A new grant."""

    form_class = AccessGrantForm
    template_name = "chains/grant_create.html"
    success_message = gettext_lazy("Access was granted.")

    @cached_property
    def organizations(self) -> list[Organization]:
        return [each for each, verdict in grantors(self.actor, self.blockchain) if verdict]

    def allowed(self) -> Verdict:
        return may_grant_any(self.actor, self.blockchain)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"organizations": self.organizations}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"blockchain": self.blockchain}

    def perform(self, form: forms.Form) -> AccessGrant:
        wanted = {name: value for name, value in form.cleaned_data.items() if name != "days"}
        expires_at = form.expires_at()  # type: ignore[attr-defined]
        return service.create_grant(actor=self.actor, blockchain=self.blockchain.uid, expires_at=expires_at, **wanted)

    def came_from(self) -> str:
        return reverse("chains:grant-list", args=[self.blockchain.uid])


class RevokeGrant(ActionView):
    """End a grant."""

    success_message = gettext_lazy("The grant has ended; programs that use it are refused from now on.")

    def perform(self) -> AccessGrant:
        return service.revoke_grant(actor=self.actor, grant_id=self.kwargs["grant_id"])

    def get_success_url(self) -> str:
        return reverse("chains:grant-list", args=[self.kwargs["uid"]])


class DownloadSdk(Page):
    """Connection files for an organization of the reader."""

    def get(self, request: HttpRequest, uid: str) -> HttpResponse:
        files = hand_out_sdk(actor=self.actor, uid=uid, orgcode=request.GET.get("orgcode", ""))
        return zip_answer(files)
