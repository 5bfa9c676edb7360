"""Pages of unions: all of them in one list, one of them with its members, and what can be done to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.blockers import blockers_of
from console.models import Flow, User
from console.policies import Verdict, denied
from console.views.base import ActionView, DetailPage, ListPage, Page, ServiceFormView
from platforms.models import Platform
from platforms.policies import may_upgrade_nodes
from platforms.services.upgrades import outdated_nodes
from unions import reads
from unions.forms import DeleteUnionForm, MoveForm, QuitForm, ReleaseUnionForm, RuleChangeForm
from unions.models import (
    LIVE_MEMBER_STATES,
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Union,
    UnionState,
)
from unions.policies import (
    fits,
    may_propose_delete,
    may_propose_join,
    may_propose_quit,
    may_propose_rule,
    may_release_union,
    supports,
)
from unions.services import endings, rules
from unions.services import unions as service
from unions.services.upgrades import upgrade_nodes_of_union
from unions.views.cards import cards_of, rule_in_words
from unions.views.panels import union_panels
from unions.views.topology import topology, web
from unions.views.wizard import may_create_any

MAX_COMING = 20


class UnionList(ListPage):
    """Unions of every platform, and above them what is being asked for or built."""

    template_name = "unions/union_list.html"
    partial_name = "unions/_union_table.html"
    filters = {"state": UnionState}
    search_in = ("name", "unionid", "creator__name")

    def get_queryset(self) -> QuerySet[Union]:
        rows = self.narrowed(reads.unions(self.actor))
        if platform := self.request.GET.get("platform"):
            rows = rows.filter(platform__oemtype=platform)
        if not self.request.GET.get("state"):
            rows = rows.exclude(state=UnionState.DELETED)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        under_way = Proposal.objects.under_way().filter(kind=ProposalKind.CREATE).values("pk")
        coming = reads.proposals(self.actor).filter(pk__in=under_way)
        context = super().get_context_data(**kwargs)
        return context | {
            "web": web(context["object_list"]),
            "platforms": Platform.objects.visible_to(self.actor).official(),
            "coming": cards_of(coming[:MAX_COMING], self.actor),
            "may_create": may_create_any(self.actor),
            "standing": reads.standing_of(self.actor),
            "live": True,
        }


class UnionByNumber(Page):
    """From a row's number, as flows and the audit log keep it, to the union's page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        union = reads.found(Union.objects.visible_to(self.actor), pk=pk)
        return redirect("unions:union-detail", union.unionid)


class UnionDetail(DetailPage):
    """One union: its members, what upper floors know of them, its proposals, and what can be done."""

    template_name = "unions/union_detail.html"
    partial_name = "unions/_union_live.html"
    context_object_name = "union"

    def get_object(self, queryset: Any = None) -> Union:
        return reads.found(reads.unions(self.actor), unionid=self.kwargs["unionid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        union: Union = context["union"]
        proposals = list(reads.proposals(self.actor).filter(union=union)[:20])
        members, present = list(union.members.all()), union.present
        moving = any(member.state in (MemberState.JOINING, MemberState.QUITTING) for member in members)
        busy = any(proposal.flow is not None and not proposal.flow.is_final for proposal in proposals)
        return context | {
            "members": present,
            "former": [member for member in members if member.state not in LIVE_MEMBER_STATES],
            "cards": cards_of(proposals, self.actor),
            "topology": topology(present),
            "panels": union_panels.rendered_for(self.actor, union),
            "live": moving or busy or union.state in (UnionState.BUILDING, UnionState.DELETING),
            "chain_panels": bool(union.uid),
            "rule": rule_in_words(union.rule, union.threshold),
            "inside": bool(reads.inside_ids(self.actor, [union])),
            "outdated": _outdated(self.actor, union),
            **actions_on(self.actor, union),
        }


def _outdated(actor: User, union: Union) -> int:
    """How many of its nodes the actor could bring to the image of the settings."""
    if union.state != UnionState.ACTIVE or not may_upgrade_nodes(actor, union.platform):
        return 0
    return outdated_nodes(union.platform, union.network_id).count()


class UpgradeUnionNodes(ActionView):
    """The button that brings a union's nodes to the image of the settings."""

    success_message = gettext_lazy("The upgrade has begun: one node after the other.")

    def perform(self) -> Flow:
        return upgrade_nodes_of_union(actor=self.actor, unionid=self.kwargs["unionid"])

    def get_success_url(self) -> str:
        return reverse("unions:union-detail", args=[self.kwargs["unionid"]])


def actions_on(actor: User, union: Union) -> dict[str, Any]:
    """What can be done, each with the organizations it can be done for, or the reason why not."""
    mine = list(reads.spoken_for(actor).select_related("space").order_by("name"))
    places = [each.organization_id for each in union.present]
    inside = [each for each in mine if each.pk in places]
    outside = [each for each in mine if each.pk not in places]
    joining = [(each, _may_join(actor, union, each)) for each in outside or mine]
    quitting = [(each, _may_quit(actor, union, each)) for each in inside or mine]
    changing = [(each, may_propose_rule(actor, union, each)) for each in inside or mine]
    return {
        "may_change_rule": _any(changing),
        "rule_changers": [each for each, verdict in changing if verdict],
        "may_join": _any(joining),
        "joiners": [each for each, verdict in joining if verdict],
        "may_quit": _any(quitting),
        "quitters": [each for each, verdict in quitting if verdict],
        "may_delete": may_propose_delete(actor, union) and supports(union.platform, "delete_network"),
        "may_release": may_release_union(actor, union),
    }


def _may_join(actor: User, union: Union, organization: Organization) -> Verdict:
    """What the service will judge, and what the platform can do: the button says it before anybody fills in a form."""
    return (
        may_propose_join(actor, union, organization)
        and supports(union.platform, "join_network")
        and fits(union.platform, organization)
    )


def _may_quit(actor: User, union: Union, organization: Organization) -> Verdict:
    return may_propose_quit(actor, union, organization) and supports(union.platform, "quit_network")


def _any(judged: list[tuple[Organization, Verdict]]) -> Verdict:
    """Yes if there is one organization for which it may be done; else the reason of the first."""
    if not judged:
        return denied(_("You speak for no organization."))
    return next((verdict for _each, verdict in judged if verdict), judged[0][1])


class _UnionForm(ServiceFormView):
    """A form about the union in the address; what it proposes has a page of its own."""

    @cached_property
    def union(self) -> Union:
        return reads.found(reads.unions(self.actor), unionid=self.kwargs["unionid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        members = [member.organization for member in self.union.present]
        rule = rule_in_words(self.union.rule, self.union.threshold)
        return super().get_context_data(**kwargs) | {"union": self.union, "members": members, "rule": rule}

    def came_from(self) -> str:
        return reverse("unions:union-detail", args=[self.union.unionid])

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class _Move(_UnionForm):
    form_class: type[MoveForm] = MoveForm
    template_name = "unions/union_move.html"
    choices_name = ""

    @cached_property
    def actions(self) -> dict[str, Any]:
        return actions_on(self.actor, self.union)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"organizations": self.actions[self.choices_name]}


class JoinUnion(_Move):
    """Ask to be let in."""

    choices_name = "joiners"
    extra_context = {"move": "join"}
    success_message = gettext_lazy("The members have been asked.")

    def allowed(self) -> Verdict:
        return self.actions["may_join"]

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_join(actor=self.actor, unionid=self.union.unionid, **form.cleaned_data)


class QuitUnion(_Move):
    """Leave."""

    form_class: type[MoveForm] = QuitForm
    choices_name = "quitters"
    extra_context = {"move": "quit"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = reads.proposals(self.actor).filter(union=self.union, kind=ProposalKind.JOIN, state=ProposalState.OPEN)
        return super().get_context_data(**kwargs) | {"open_cards": cards_of(rows, self.actor)}

    success_message = gettext_lazy("The organization is leaving; its nodes are being reclaimed.")

    def allowed(self) -> Verdict:
        return self.actions["may_quit"]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.union.name}

    def perform(self, form: forms.Form) -> Proposal:
        wanted = {name: form.cleaned_data[name] for name in ("orgcode", "comment")}
        return service.propose_quit(actor=self.actor, unionid=self.union.unionid, **wanted)


class ChangeRule(_Move):
    """Propose another rule."""

    form_class: type[MoveForm] = RuleChangeForm
    choices_name = "rule_changers"
    template_name = "unions/union_rule.html"
    success_message = gettext_lazy("The members have been asked.")

    def allowed(self) -> Verdict:
        return self.actions["may_change_rule"]

    def get_initial(self) -> dict[str, Any]:
        return {"rule": self.union.rule, "threshold": self.union.threshold}

    def perform(self, form: forms.Form) -> Proposal:
        return rules.propose_rule(actor=self.actor, unionid=self.union.unionid, **form.cleaned_data)


class DeleteUnion(_UnionForm):
    """Delete, after typing the union's name."""

    form_class = DeleteUnionForm
    template_name = "unions/union_delete.html"
    success_message = gettext_lazy("The union is being deleted.")

    def allowed(self) -> Verdict:
        """Whoever may ask at all sees the page: what stands in the way is named on it."""
        return may_propose_delete(self.actor, self.union) and supports(self.union.platform, "delete_network")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"blockers": blockers_of("union", self.union)}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.union.name}

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_delete(
            actor=self.actor, unionid=self.union.unionid, comment=form.cleaned_data["comment"]
        )


class ReleaseUnion(_UnionForm):
    """Let go of a union that its placeholders keep from being deleted, after typing its name."""

    form_class = ReleaseUnionForm
    template_name = "unions/union_release.html"
    success_message = gettext_lazy("The union is not managed here any more.")

    def allowed(self) -> Verdict:
        return may_release_union(self.actor, self.union)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        blockers = [each for each in blockers_of("union", self.union) if each.code != "placeholder"]
        placeholders = [each.organization for each in self.union.present if each.organization.is_placeholder]
        return super().get_context_data(**kwargs) | {"blockers": blockers, "placeholders": placeholders}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.union.name}

    def perform(self, form: forms.Form) -> Union:
        return endings.release_union(actor=self.actor, unionid=self.union.unionid, reason=form.cleaned_data["reason"])

    def get_success_url(self) -> str:
        return self.came_from()
