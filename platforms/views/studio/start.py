"""Where the studio begins: drafts to go on with, presets, one's own files."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console.errors import ConsoleError
from console.policies import Verdict
from console.sentences import told
from console.views.base import ServiceFormView
from platforms.mapping.template import Template
from platforms.models import Draft
from platforms.policies import may_use_studio
from platforms.presets import Preset, preset, presets
from platforms.services import drafts as service
from platforms.standard import OPERATIONS
from platforms.studio_forms import PresetForm, StartForm
from platforms.views.platforms import GROUPS, OPERATION_TITLES
from platforms.views.studio.base import StudioPage

DRAFTS_SHOWN = 10


@cache
def offered(slug: str) -> int:
    """How many operations of the standard interface the preset's platform can do."""
    return len(Template.parse(preset(slug).mapping).interfaces)


class StudioStart(ServiceFormView):
    """Go on with a draft, begin with a preset, or with one's own files."""

    form_class = StartForm
    template_name = "platforms/studio/start.html"

    def allowed(self) -> Verdict:
        return may_use_studio(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Draft.objects.visible_to(self.actor).without_files().select_related("platform", "registration")
        page = Paginator(rows, DRAFTS_SHOWN).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "page_obj": page,
            "drafts": page.object_list,
            "presets": [{"preset": each, "offers": offered(each.slug)} for each in presets()],
            "all_operations": len(OPERATIONS),
        }

    def perform(self, form: StartForm) -> Draft:
        return service.begin_from_files(actor=self.actor, **form.cleaned_data)

    def get_success_url(self) -> str:
        return reverse("platforms:studio-draft", args=[self.result.pk])


class BeginFromPreset(ServiceFormView):
    """What a preset is, what it supports, and its parameters."""

    form_class = PresetForm
    template_name = "platforms/studio/preset.html"
    success_message = _("The draft is there. Look at it, then register the platform.")

    def allowed(self) -> Verdict:
        return may_use_studio(self.actor)

    @cached_property
    def preset(self) -> Preset:
        return preset(self.kwargs["slug"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"preset": self.preset}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        offers = Template.parse(self.preset.mapping).offers()
        groups: list[dict[str, Any]] = [
            {
                "title": title,
                "rows": [
                    {"name": name, "title": OPERATION_TITLES[name], **offers[name]}
                    for name, operation in OPERATIONS.items()
                    if operation.group == group
                ],
            }
            for group, title in GROUPS.items()
        ]
        for each in groups:
            each["supported"] = sum(row["supported"] for row in each["rows"])
        return super().get_context_data(**kwargs) | {"preset": self.preset, "groups": groups, "details": True}

    def perform(self, form: PresetForm) -> Draft:
        return service.begin_from_preset(actor=self.actor, slug=self.preset.slug, values=form.values())

    def get_success_url(self) -> str:
        return reverse("platforms:studio-draft", args=[self.result.pk])


class BeginFromPlatform(StudioPage):
    """A draft with the files of a platform."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, oemtype: str) -> HttpResponse:
        number = request.POST.get("number", "")
        wanted = int(number) if number.isdecimal() and len(number) < 9 else None
        try:
            draft = service.begin_from_platform(actor=self.actor, oemtype=oemtype, number=wanted)
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            messages.error(request, told(problem.detail))
            return redirect("platforms:platform-detail", oemtype)
        return HttpResponseRedirect(reverse("platforms:studio-draft", args=[draft.pk]))
