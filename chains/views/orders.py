"""Business chains ordered and moved by people: the wizard with its plan, and the buttons of a chain's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains.forms import ChainForm, ChainMoveForm, DeleteChainForm, QuitChainForm, ScaleForm
from chains.models import Blockchain, BusinessChain, ChainState, Createmode, Node
from chains.planning import Advice
from chains.policies import (
    chains_support,
    may_propose_chain_delete,
    may_propose_chain_join,
    may_propose_chain_quit,
    may_propose_scaling,
)
from chains.services import orders as service
from chains.services.chain_requests import visible_chain
from chains.views.drawing import drawn
from console.errors import ConsoleError
from console.models import User
from console.policies import Verdict, denied
from console.sentences import told
from console.views.base import Page, ServiceFormView
from unions import reads
from unions.models import MemberState, Organization, OrganizationState, Proposal, Union, UnionState
from unions.views.wizard import may_create_any

# --- the wizard -----------------------------------------------------------------------------------------------------


def unions_of(actor: User) -> list[Union]:
    """Unions for a member of which the actor speaks."""
    mine = reads.spoken_for(actor).values("pk")
    inside = Union.objects.filter(members__organization__in=mine, members__state=MemberState.ACTIVE)
    return list(inside.filter(state=UnionState.ACTIVE).select_related("platform").distinct().order_by("name"))


def participants(union: Union | None, actor: User) -> list[Organization]:
    """Who can take part: the members of the union; without one, everybody who is registered."""
    rows = reads.organizations(actor).filter(state=OrganizationState.REGISTERED).order_by("name")
    if union is not None:
        active = union.members.filter(state=MemberState.ACTIVE).values("organization_id")
        rows = rows.filter(pk__in=active)
    return list(rows)


def form_for(actor: User, data: Any = None, **kwargs: Any) -> ChainForm:
    """The wizard's form; who can take part follows from the union that is chosen."""
    unions = unions_of(actor)
    chosen = (data or kwargs.get("initial") or {}).get("unionid", "")
    union = next((each for each in unions if each.unionid == chosen), None)
    everyone, mine = participants(union, actor), set(reads.spoken_for(actor).values_list("pk", flat=True))
    return ChainForm(data, unions=unions, union=union, everyone=everyone, mine=mine, **kwargs)


class ChainOrder(ServiceFormView):
    """What it is for, who takes part, what they need; the plan beside it, and only then the proposal."""

    template_name = "chains/order.html"

    def get_form(self, form_class: Any = None) -> ChainForm:
        if self.request.method == "POST":
            return form_for(self.actor, self.request.POST)
        return form_for(self.actor, initial=self.starting_point())

    def starting_point(self) -> dict[str, Any]:
        """The union that the person comes from, or the only one there is; everybody in it."""
        unions = unions_of(self.actor)
        asked = self.request.GET.get("union", "")
        union = next((each for each in unions if each.unionid == asked), unions[0] if len(unions) == 1 else None)
        everyone = participants(union, self.actor) if union else []
        mine = set(reads.spoken_for(self.actor).values_list("pk", flat=True))
        own = [each for each in (everyone or participants(None, self.actor)) if each.pk in mine]
        return {
            "unionid": union.unionid if union else "",
            "creatororg": own[0].orgcode if own else "",
            "orgs": [each.orgcode for each in everyone],
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "may_create": may_create_any(self.actor),
            "standing": reads.standing_of(self.actor),
            **planned(self.actor, context["form"]),
        }

    def perform(self, form: Any) -> Proposal:
        return service.propose_chain(actor=self.actor, comment=form.cleaned_data["comment"], **form.wish())

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class ChainPlan(Page):
    """The changing half of the wizard: who can take part, the mode that fits, and the plan."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = form_for(self.actor, request.GET)
        form.is_valid()
        return render(request, "chains/_order_plan.html", {"form": form, "oob": True, **planned(self.actor, form)})


def planned(actor: User, form: ChainForm) -> dict[str, Any]:
    """The advice, and the plan or what is in its way. Nothing is written."""
    wish, advice = form.wish(), form.advice()
    context: dict[str, Any] = {"advice": advice, "mode": wish["createmode"], "followed": _followed(wish, advice)}
    if not wish["creatororg"]:
        return context | {"problems": [_("Say on whose behalf the chain is built.")]}
    try:
        plan = service.plan_chain(actor=actor, **{**wish, "name": wish["name"] or _("New chain")})
    except ConsoleError as problem:
        texts = [told(text) for texts in problem.errors.values() for text in texts]
        return context | {"problems": texts or [told(problem.detail)]}
    return context | {"plan": plan, "drawing": drawn(plan)}


def _followed(wish: dict[str, Any], advice: Advice) -> bool:
    return wish["createmode"] == advice.createmode


# --- the buttons of a chain's page ----------------------------------------------------------------------------------


def actions_on(actor: User, blockchain: Blockchain) -> dict[str, Any]:
    """What can be done with a chain, each with the organizations it can be done for, or the reason why not.

    In a fixed number of queries: for how many organizations the actor speaks does not count.
    """
    chain = blockchain.business_chain
    mine = list(reads.spoken_for(actor).select_related("space").order_by("name"))
    inside = set(chain.organizations.values_list("pk", flat=True))
    with_nodes = set(Node.objects.filter(blockchain=blockchain).values_list("organization_id", flat=True))
    outside = _who_could_join(chain, inside)
    joiners = [each for each in mine if each.pk in outside]
    keeper = chain.creator_id if chain.createmode == Createmode.PRIVATE else None
    quitters = [each for each in mine if each.pk in inside and each.pk != keeper]
    scalers = [each for each in mine if each.pk in with_nodes]
    may_join = _for_one(joiners or mine, lambda each: may_propose_chain_join(actor, chain, each))
    may_quit = _for_one(
        quitters or [each for each in mine if each.pk in inside],
        lambda each: may_propose_chain_quit(actor, chain, each),
    )
    may_scale = _for_one(scalers, lambda each: may_propose_scaling(actor, blockchain, each))
    can_scale = chains_support(chain, "add_node") or chains_support(chain, "remove_node")
    return {
        "may_join": may_join,
        "joiners": joiners if may_join else [],
        "may_quit": may_quit and chains_support(chain, "quit_chain"),
        "quitters": quitters if may_quit else [],
        "may_scale": may_scale and can_scale,
        "scalers": scalers if may_scale else [],
        "may_delete": may_propose_chain_delete(actor, chain) and chains_support(chain, "delete_chain"),
    }


def _who_could_join(chain: BusinessChain, inside: set[int]) -> set[int]:
    """Ids of those outside: in a union its members, else everybody who is registered."""
    if chain.union is not None:
        active = chain.union.members.filter(state=MemberState.ACTIVE)
        return set(active.values_list("organization_id", flat=True)) - inside
    return set(Organization.objects.registered().values_list("pk", flat=True)) - inside


def _for_one(candidates: list[Organization], judge: Callable[[Organization], Verdict]) -> Verdict:
    """What is said of the first of them; they differ in nothing that is judged here."""
    if not candidates:
        return denied(_("No organization of yours can do this here."))
    return judge(candidates[0])


def siblings_of(blockchain: Blockchain) -> list[Blockchain]:
    """The live chains of the same business chain."""
    return list(Blockchain.objects.live().filter(business_chain=blockchain.business_chain).order_by("pk"))


class _ChainMove(ServiceFormView):
    """A form about the business chain in the address; what it proposes has a page of its own."""

    template_name = "chains/chain_move.html"
    choices_name = "joiners"
    verdict_name = "may_join"
    move = "join"

    @cached_property
    def chain(self) -> BusinessChain:
        return visible_chain(self.actor, self.kwargs["uid"])

    @cached_property
    def blockchain(self) -> Blockchain:
        rows = self.chain.blockchains.exclude(state=ChainState.DELETED).order_by("pk")  # type: ignore[attr-defined]
        return reads.found(rows.select_related("business_chain__platform", "business_chain__union"))

    @cached_property
    def actions(self) -> dict[str, Any]:
        return actions_on(self.actor, self.blockchain)

    def allowed(self) -> Verdict:
        return self.actions[self.verdict_name]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"organizations": self.actions[self.choices_name]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "chain": self.chain,
            "blockchain": self.blockchain,
            "ledgers": siblings_of(self.blockchain),
            "members": list(self.chain.organizations.order_by("name")),
            "move": self.move,
        }

    def came_from(self) -> str:
        """The chain's page; for who is not in it yet, the union's."""
        seen = Blockchain.objects.visible_to(self.actor).filter(pk=self.blockchain.pk).exists()
        if seen or self.chain.union is None:
            return reverse("chains:chain-detail", args=[self.blockchain.uid])
        return reverse("unions:union-detail", args=[self.chain.union.unionid])

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class JoinChain(_ChainMove):
    """Ask to be let in."""

    form_class = ChainMoveForm
    success_message = gettext_lazy("Those in the chain have been asked.")

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_chain_join(actor=self.actor, uid=self.chain.uid, **form.cleaned_data)


class QuitChain(_ChainMove):
    """Leave, after typing the chain's name."""

    form_class = QuitChainForm
    choices_name, verdict_name, move = "quitters", "may_quit", "quit"
    success_message = gettext_lazy("The organization is leaving; its nodes are being reclaimed.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.chain.name}

    def perform(self, form: forms.Form) -> Proposal:
        wanted = {name: form.cleaned_data[name] for name in ("orgcode", "comment")}
        return service.propose_chain_quit(actor=self.actor, uid=self.chain.uid, **wanted)


class DeleteChain(_ChainMove):
    """Delete, after typing the chain's name."""

    form_class = DeleteChainForm
    verdict_name, move = "may_delete", "delete"
    success_message = gettext_lazy("The chain is being deleted.")

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs() | {"name": self.chain.name}
        kwargs.pop("organizations")
        return kwargs

    def perform(self, form: forms.Form) -> Proposal:
        comment = form.cleaned_data["comment"]
        return service.propose_chain_delete(actor=self.actor, uid=self.chain.uid, comment=comment)


class ScaleChain(_ChainMove):
    """How many nodes there shall be on one chain, and on those that share its nodes."""

    form_class = ScaleForm
    choices_name, verdict_name, move = "scalers", "may_scale", "scale"
    success_message = gettext_lazy("The number of nodes is being changed.")

    @cached_property
    def chain(self) -> BusinessChain:
        return self.blockchain.business_chain

    @cached_property
    def blockchain(self) -> Blockchain:
        rows = Blockchain.objects.visible_to(self.actor).live()
        rows = rows.select_related("business_chain__platform", "business_chain__union", "business_chain__creator")
        return reads.found(rows, uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        counted: dict[str, int] = {}
        for orgcode in Node.objects.filter(blockchain=self.blockchain).values_list("organization__orgcode", flat=True):
            counted[orgcode] = counted.get(orgcode, 0) + 1
        return super().get_form_kwargs() | {"counted": counted}

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_scaling(actor=self.actor, blockchain_uid=self.blockchain.uid, **form.cleaned_data)
