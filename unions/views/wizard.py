"""Creating a union, in one page: name, platform, whom to invite, and what will happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from console.models import User
from console.policies import ALLOWED, Verdict, denied
from console.views.base import Page, ServiceFormView
from platforms.models import Platform
from unions import reads
from unions.forms import UnionForm
from unions.models import Organization, OrganizationState, Proposal
from unions.policies import brings_chain, fits, supports
from unions.services import unions as service


def may_create_any(actor: User) -> Verdict:
    """Whether the actor speaks for anybody at all; the service judges the rest."""
    if reads.spoken_for(actor).exists():
        return Verdict(True)
    return denied(_("You need an organization that you speak for; register one or ask its administrator."))


@dataclass(frozen=True)
class PlatformChoice:
    """A platform as a card of the wizard: what it is, and why it cannot be taken."""

    platform: Platform
    verdict: Verdict
    builds: Verdict  # whether it makes new networks

    @property
    def only_existing(self) -> bool:
        return bool(self.verdict) and not self.builds


@dataclass(frozen=True)
class Guest:
    """An organization that may be invited, or why its nodes cannot be built on the chosen platform."""

    organization: Organization
    verdict: Verdict
    chosen: bool


def platform_choices(actor: User) -> list[PlatformChoice]:
    """Every platform, the default one first."""
    rows = Platform.objects.visible_to(actor).official().order_by("-is_default", "name")
    return [_choice(each) for each in rows]


def _choice(platform: Platform) -> PlatformChoice:
    builds = supports(platform, "create_network") and supports(platform, "join_network")
    shows = supports(platform, "get_network")
    return PlatformChoice(platform, builds or (shows if shows else builds), builds)


class UnionCreate(ServiceFormView):
    """The wizard: name, platform, whom to invite, and a summary of what will happen."""

    form_class = UnionForm
    template_name = "unions/union_create.html"

    @cached_property
    def mine(self) -> list[Organization]:
        return list(reads.spoken_for(self.actor).order_by("name"))

    @cached_property
    def choices(self) -> list[PlatformChoice]:
        return platform_choices(self.actor)

    @cached_property
    def invitable(self) -> list[Organization]:
        return list(reads.organizations(self.actor).filter(state=OrganizationState.REGISTERED))

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "speaks_for": self.mine,
            "platforms": [choice.platform for choice in self.choices],
            "invitable": self.invitable,
        }

    def get_initial(self) -> dict[str, Any]:
        """The platform where the creator's nodes can be built, the default one before others."""
        creator = self.mine[0] if self.mine else None
        usable = [choice.platform for choice in self.choices if choice.builds]
        usable.sort(key=lambda each: creator is not None and not fits(each, creator))
        return {
            "creatororg": creator.orgcode if creator else "",
            "oemtype": usable[0].oemtype if usable else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "may_create": may_create_any(self.actor),
            "standing": reads.standing_of(self.actor),
            "choices": self.choices,
            **wizard_state(context["form"], self.choices, self.invitable),
        }

    def perform(self, form: forms.Form) -> Proposal:
        return service.propose_union(actor=self.actor, **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("unions:proposal-detail", args=[self.result.pk])


def wizard_state(
    form: forms.BaseForm, choices: list[PlatformChoice], organizations: list[Organization]
) -> dict[str, Any]:
    """What is chosen so far: the platform, the creator, those invited, and who cannot be."""
    chosen = str(form["oemtype"].value() or "")
    platform = next((choice.platform for choice in choices if choice.platform.oemtype == chosen), None)
    creator = str(form["creatororg"].value() or "")
    invited = set(form["orgs"].value() or [])
    guests = [
        Guest(each, fits(platform, each) if platform else ALLOWED, each.orgcode in invited)
        for each in organizations
        if each.orgcode != creator
    ]
    found = next((each for each in organizations if each.orgcode == creator), None)
    return {
        "chosen_platform": platform,
        "chain": brings_chain(platform) if platform else ALLOWED,
        "creator": found,
        "creator_fits": fits(platform, found) if platform and found else ALLOWED,
        "guests": guests,
        "invited": [guest.organization for guest in guests if guest.chosen and guest.verdict],
        "summary_name": form["name"].value() or "",
        "existing": bool(str(form["network_id"].value() or "").strip()),
    }


class UnionSummary(Page):
    """The changing half of the wizard: who can be invited, and what will happen."""

    def get(self, request: HttpRequest) -> HttpResponse:
        choices = platform_choices(request.user)  # type: ignore[arg-type]
        everyone = reads.organizations(request.user)  # type: ignore[arg-type]
        organizations = list(everyone.filter(state=OrganizationState.REGISTERED))
        form = UnionForm(
            initial={**request.GET.dict(), "orgs": request.GET.getlist("orgs")},
            speaks_for=list(reads.spoken_for(request.user)),  # type: ignore[arg-type]
            platforms=[choice.platform for choice in choices],
            invitable=organizations,
        )
        context = {"form": form, "oob": True, **wizard_state(form, choices, organizations)}
        return render(request, "unions/_union_guests.html", context)
