"""What a draft ends as: a registered platform, or a new version of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from console.errors import ConsoleError
from console.sentences import told
from console.views.base import ActionView, put_into
from platforms.presets import preset
from platforms.services import drafts as service
from platforms.services.platforms import Started
from platforms.services.requests import CREDENTIALS, credentials_wanted
from platforms.studio_forms import DraftRegisterForm
from platforms.views.studio.base import DraftPage

OF_CLIENTS = {"username": gettext_noop("The client's id"), "password": gettext_noop("The client's secret")}


class DraftRegister(DraftPage):
    """Name, address, credentials: what was typed is kept but for the credentials, then the platform is registered."""

    tab = "register"

    def form(self, data: Any = None) -> DraftRegisterForm:
        initial = {"name": self.draft.title, "oemtype": slugify(self.draft.title)[:60].strip("-"), **self.draft.setup}
        form = DraftRegisterForm(data, initial=initial)
        for name, words in self._meanings().items():
            if name in form.fields:
                form.fields[name].help_text = words
        if said := self.bench.api.address if self.bench.api else "":
            form.fields["base_url"].help_text = _(
                "Everything before the paths of the API file, which says: %(address)s"
            ) % {"address": said[:300]}
        return form

    def get(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        return self.page(self.form())

    def post(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        form = self.form(request.POST)
        valid = form.is_valid()
        typed = {name: form.cleaned_data.get(name, "") for name in service.REMEMBERED if name in form.cleaned_data}
        try:
            self.draft = self._keep(typed)
            if "keep" in request.POST:
                messages.success(request, _("Saved. Credentials are never saved in a draft."))
                return redirect(request.path)
            if valid:
                return self._registered(service.register_from_draft(actor=self.actor, draft=self.draft, **form.setup()))
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            _put(form, problem)
        return self.page(form, status=422)

    def _keep(self, typed: dict[str, Any]) -> Any:
        draft = self.draft
        setup = {**draft.setup, **typed}
        return service.save_draft(actor=self.actor, draft_id=draft.pk, revision=draft.revision, setup=setup)

    def _registered(self, started: Started) -> HttpResponse:
        words = _("The registration has begun. The platform is checked and asked before it goes into service.")
        messages.success(self.request, words)
        return redirect("platforms:platform-detail", started.platform.oemtype)

    def page(self, form: forms.Form, status: int = 200) -> HttpResponse:
        report = self.bench.report
        wanted = credentials_wanted(report.template) if report and report.template else ()
        if self.draft.preset:
            wanted = tuple(self._meanings()) or wanted
        context = self.frame(
            form=form,
            report=report,
            counts=self.bench.counts,
            wanted=[form[name] for name in CREDENTIALS if name in wanted],
            others=[form[name] for name in CREDENTIALS if name not in wanted],
        )
        return render(self.request, "platforms/studio/register.html", context, status=status)

    def _meanings(self) -> dict[str, str]:
        """What goes into each field of the credential, where the draft began with a preset."""
        try:
            said = preset(self.draft.preset).credentials if self.draft.preset else {}
        except ConsoleError:
            said = {}  # the preset is not shipped any more
        template = self.bench.report.template if self.bench.report else None
        kinds = (
            {scheme["kind"] for party, scheme in template.schemes() if party in ("", "platform")} if template else set()
        )
        usual = OF_CLIENTS if "oauth2-client" in kinds else {}
        return {name: _(words) for name, words in {**usual, **said}.items()}


class DraftVersion(ActionView, DraftPage):
    """The files become a new version of their platform's."""

    success_message = gettext_lazy("The platform is spoken to by the new version of its files now.")

    def perform(self) -> Any:
        return service.make_version(actor=self.actor, draft=self.draft)

    def get_success_url(self) -> str:
        if self.result is not None:
            return reverse("platforms:platform-detail", args=[self.result.oemtype])
        return reverse("platforms:studio-register", args=[self.kwargs["draft_id"]])


def _put(form: forms.Form, problem: ConsoleError) -> None:
    """Errors of files have no field here: they stand above the form."""
    of_files = [text for name in ("api_file", "mapping", "samples") for text in problem.errors.get(name, ())]
    rest = {name: texts for name, texts in problem.errors.items() if name not in ("api_file", "mapping", "samples")}
    for text in of_files[:5]:
        form.add_error(None, told(text))
    if rest or not of_files:
        problem.errors = rest
        put_into(form, problem)
