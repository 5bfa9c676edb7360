"""Pages of unions: all of them in one list, one of them with its members, and what can be done to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from console.models import User
from console.policies import Verdict, denied
from console.views.base import DetailPage, ListPage, ServiceFormView
from platforms.models import Cloudtype, Platform
from unions import reads
from unions.forms import DeleteUnionForm, MoveForm, UnionForm
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
from unions.policies import may_propose_delete, may_propose_join, may_propose_quit
from unions.services import unions as service
from unions.views.panels import union_panels


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
        coming = reads.proposals(self.actor).filter(kind=ProposalKind.CREATE)
        return super().get_context_data(**kwargs) | {
            "platforms": Platform.objects.visible_to(self.actor).official(),
            "coming": coming.filter(state=ProposalState.OPEN) | coming.filter(union=None, flow__state="running"),
            "may_create": may_create_any(self.actor),
        }


def may_create_any(actor: User) -> Verdict:
    """Whether the actor speaks for anybody at all; the service judges the rest."""
    if reads.spoken_for(actor).exists():
        return Verdict(True)
    return denied(_("You need an organization that you speak for; register one or ask its administrator."))


def platform_choices(actor: User) -> list[dict[str, Any]]:
    """The platforms as cards: what each is, and why one cannot be taken."""
    rows = Platform.objects.visible_to(actor).official().order_by("-is_default", "name")
    choices = []
    for platform in rows:
        supported, reason = platform.capability("create_network")
        joins, join_reason = platform.capability("join_network")
        choices.append(
            {
                "platform": platform,
                "supported": supported and joins,
                "reason": reason if not supported else join_reason,
            }
        )
    return choices


def unfit(platform: Platform | None, organization: Organization) -> str:
    """Why nodes of the organization cannot be built on the platform; empty when they can."""
    if platform is None:
        return ""
    space = organization.space
    if space.platform_id not in (None, platform.pk):
        return _("Its resource space is on another platform.")
    if platform.cloudtype not in (Cloudtype.BOTH, organization.category):
        return _("The platform takes no organizations of this category.")
    return ""


class UnionCreate(ServiceFormView):
    """The wizard: name, platform, whom to invite, and a summary of what will happen."""

    form_class = UnionForm
    template_name = "unions/union_create.html"

    @cached_property
    def mine(self) -> list[Organization]:
        return list(reads.spoken_for(self.actor).order_by("name"))

    @cached_property
    def choices(self) -> list[dict[str, Any]]:
        return platform_choices(self.actor)

    @cached_property
    def invitable(self) -> list[Organization]:
        return list(reads.organizations(self.actor))

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "speaks_for": self.mine,
            "platforms": [choice["platform"] for choice in self.choices],
            "invitable": self.invitable,
        }

    def get_initial(self) -> dict[str, Any]:
        usable = [choice["platform"].oemtype for choice in self.choices if choice["supported"]]
        return {
            "creatororg": self.mine[0].orgcode if len(self.mine) == 1 else "",
            "oemtype": usable[0] if usable else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "may_create": may_create_any(self.actor),
            "choices": self.choices,
            **wizard_state(context["form"], self.choices, self.invitable),
        }

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_union(actor=self.actor, **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


def wizard_state(
    form: forms.BaseForm, choices: list[dict[str, Any]], organizations: list[Organization]
) -> dict[str, Any]:
    """What is chosen so far: the platform, the creator, those invited, and who cannot be."""
    chosen = str(form["oemtype"].value() or "")
    platform = next((c["platform"] for c in choices if c["platform"].oemtype == chosen), None)
    creator = str(form["creatororg"].value() or "")
    invited = set(form["orgs"].value() or [])
    rows = [
        {"organization": each, "reason": unfit(platform, each), "chosen": each.orgcode in invited}
        for each in organizations
        if each.orgcode != creator
    ]
    return {
        "chosen_platform": platform,
        "creator": next((each for each in organizations if each.orgcode == creator), None),
        "guests": rows,
        "invited": [row["organization"] for row in rows if row["chosen"] and not row["reason"]],
        "summary_name": form["name"].value() or "",
    }


class UnionSummary(View):
    """The changing half of the wizard: who can be invited, and what will happen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        choices = platform_choices(request.user)  # type: ignore[arg-type]
        organizations = list(reads.organizations(request.user))  # type: ignore[arg-type]
        form = UnionForm(
            initial={**request.GET.dict(), "orgs": request.GET.getlist("orgs")},
            speaks_for=list(reads.spoken_for(request.user)),  # type: ignore[arg-type]
            platforms=[choice["platform"] for choice in choices],
            invitable=organizations,
        )
        context = {"form": form, **wizard_state(form, choices, organizations)}
        return render(request, "unions/_union_guests.html", context)


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
        members = list(union.members.all())
        moving = any(member.state in (MemberState.JOINING, MemberState.QUITTING) for member in members)
        busy = any(proposal.flow is not None and not proposal.flow.is_final for proposal in proposals)
        return context | {
            "members": [member for member in members if member.state in LIVE_MEMBER_STATES],
            "former": [member for member in members if member.state not in LIVE_MEMBER_STATES],
            "proposals": proposals,
            "panels": union_panels.rendered_for(self.actor, union),
            "live": moving or busy or union.state in (UnionState.BUILDING, UnionState.DELETING),
            **actions_on(self.actor, union),
        }


def actions_on(actor: User, union: Union) -> dict[str, Any]:
    """The three actions, each with the organizations it can be done for, or the reason why not."""
    mine = list(reads.spoken_for(actor).order_by("name"))
    joining = [(each, may_propose_join(actor, union, each)) for each in mine]
    quitting = [(each, may_propose_quit(actor, union, each)) for each in mine]
    return {
        "may_join": _any(joining),
        "joiners": [each for each, verdict in joining if verdict],
        "may_quit": _any(quitting),
        "quitters": [each for each, verdict in quitting if verdict],
        "may_delete": may_propose_delete(actor, union),
    }


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
        members = [m.organization for m in self.union.members.all() if m.state in LIVE_MEMBER_STATES]
        return super().get_context_data(**kwargs) | {"union": self.union, "members": members}

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


class _Move(_UnionForm):
    form_class = MoveForm
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

    choices_name = "quitters"
    extra_context = {"move": "quit"}
    success_message = gettext_lazy("The organization is leaving; its nodes are being reclaimed.")

    def allowed(self) -> Verdict:
        return self.actions["may_quit"]

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_quit(actor=self.actor, unionid=self.union.unionid, **form.cleaned_data)


class DeleteUnion(_UnionForm):
    """Delete, after typing the union's name."""

    form_class = DeleteUnionForm
    template_name = "unions/union_delete.html"
    success_message = gettext_lazy("The union is being deleted.")

    def allowed(self) -> Verdict:
        return may_propose_delete(self.actor, self.union)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"name": self.union.name}

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_delete(
            actor=self.actor, unionid=self.union.unionid, comment=form.cleaned_data["comment"]
        )
