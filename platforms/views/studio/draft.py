"""The pages of one draft: mapping, API file, samples; each file to take along; and the end of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.errors import ConsoleError, Missing
from console.policies import require
from console.sentences import told
from console.views.base import ActionView
from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.shapes import Shape, response_shape
from platforms.models import ApiState
from platforms.policies import may_use_studio
from platforms.services import drafts as service
from platforms.studio_forms import TextForm
from platforms.views.files import FILE_TITLES
from platforms.views.studio.base import DraftPage, bench_context, shown
from platforms.workbench import exchanges, matching, run_now, used_by

EDITABLE = 400_000  # characters; a larger text is replaced by an upload, not typed in
CALLS_ON_A_PAGE = 30
MAX_LOOKS = 2_000  # at schemas, for one operation that is shown


class FilePage(DraftPage):
    """One file of the draft in an editor."""

    file = ""
    template_name = ""

    def form(self, data: Any = None, files: Any = None) -> TextForm:
        initial = {"revision": self.draft.revision, "text": getattr(self.draft, self.file)}
        form = TextForm(data, files, initial=initial)
        form.fields["text"].label = FILE_TITLES[self.file]
        return form

    def get(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        return render(request, self.template_name, self.context(self.form()))

    def post(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        form = self.form(request.POST, request.FILES)
        if form.is_valid():
            try:
                self.keep(form)
            except ConsoleError as problem:
                if problem.status in (403, 404):
                    raise
                form.add_error(None if not problem.errors else "text", told(problem.detail))
            else:
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(request.path)
        return render(request, self.template_name, self.context(form), status=422)

    def keep(self, form: TextForm) -> None:
        changes = {self.file: form.cleaned_data["text"].replace("\r\n", "\n")}
        revision = form.cleaned_data["revision"]
        self.draft = service.save_draft(actor=self.actor, draft_id=self.draft.pk, revision=revision, **changes)

    def context(self, form: TextForm) -> dict[str, Any]:
        return self.frame(form=form, editable=len(getattr(self.draft, self.file)) <= EDITABLE, **self.more())

    def more(self) -> dict[str, Any]:
        return {}


class DraftMapping(FilePage):
    """The mapping in an editor, beside what is mapped, missing and unsupported."""

    tab = file = "mapping"
    template_name = "platforms/studio/mapping.html"

    def more(self) -> dict[str, Any]:
        reading = self.draft.api_state == ApiState.READING
        return bench_context(self.bench) | {"live": 2 if reading else False, "start_line": self.request.GET.get("line")}


class MappingPart(DraftPage):
    """What was typed is kept, and what the check says of it comes back. Asked without a text, only the latter."""

    tab = "mapping"

    def get(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        answer = self.answer(request)
        if self.draft.api_state != ApiState.READING:
            answer["HX-Refresh"] = "true"  # the reading may have begun a mapping
        return answer

    def post(self, request: HttpRequest, draft_id: int) -> HttpResponse:
        form = TextForm(request.POST)
        if not form.is_valid():
            return self.answer(request, problem=_("The text could not be saved."))
        revision, text = form.cleaned_data["revision"], form.cleaned_data["text"].replace("\r\n", "\n")
        try:
            self.draft = service.save_draft(actor=self.actor, draft_id=draft_id, revision=revision, mapping=text)
        except ConsoleError as problem:
            if problem.status in (403, 404):
                raise
            return self.answer(request, problem=told(problem.detail))
        return self.answer(request, kept=True)

    def answer(self, request: HttpRequest, *, problem: str = "", kept: bool = False) -> HttpResponse:
        reading = self.draft.api_state == ApiState.READING
        context = self.frame(**bench_context(self.bench), problem=problem, kept=kept, live=2 if reading else False)
        return render(request, "platforms/studio/_workbench.html", context)


class DraftApi(FilePage):
    """The API file: the operations that were found in it, and the file itself."""

    tab, file = "api", "api_file"
    template_name = "platforms/studio/api.html"

    def more(self) -> dict[str, Any]:
        words = self.request.GET.get("q", "")[:200]
        api = self.bench.api
        found = matching(api, words) if api is not None else []
        page = Paginator(found, CALLS_ON_A_PAGE).get_page(self.request.GET.get("page"))
        used = used_by(self.bench)
        return {
            "words": words,
            "page_obj": page,
            "calls": [call_shown(api, each) | {"used": used.get(each.id, [])} for each in page.object_list]
            if api
            else [],
            "count": len(api.operations) if api else 0,
            "problems": shown(self.bench.findings_in(self.file)),
            "live": 2 if self.draft.api_state == ApiState.READING else False,
        }


class DraftSamples(FilePage):
    """The samples in an editor, and each operation run on its own."""

    tab = file = "samples"
    template_name = "platforms/studio/samples.html"

    def more(self) -> dict[str, Any]:
        runs = []
        for name, line in self.bench.lines.items():
            run = run_now(self.bench, name)
            if run is not None:
                runs.append({"line": line, "run": run.as_dict(), "exchanges": exchanges(run, self.bench.samples[name])})
        return {"runs": runs, "problems": shown(self.bench.findings_in(self.file))}


class DraftFile(DraftPage):
    """One of the files, to take along."""

    NAMES = {"api-file": ("api_file", "api"), "mapping": ("mapping", "mapping"), "samples": ("samples", "samples")}

    def get(self, request: HttpRequest, draft_id: int, name: str) -> HttpResponse:
        if name not in self.NAMES:
            raise Missing()
        attribute, stem = self.NAMES[name]
        text = getattr(self.draft, attribute)
        ending = "json" if text.lstrip()[:1] == "{" else "yaml"
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{stem}.{ending}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class DiscardDraft(ActionView):
    """The end of a draft."""

    success_message = gettext_lazy("The draft was discarded.")

    def perform(self) -> None:
        require(may_use_studio(self.actor))
        service.discard_draft(actor=self.actor, draft_id=self.kwargs["draft_id"])

    def get_success_url(self) -> str:
        return reverse("platforms:studio")


def call_shown(api: ApiFile, operation: ApiOperation) -> dict[str, Any]:
    """An operation as people read it: what it takes, and what it answers."""
    about, counted = operation.definition, api.counted(MAX_LOOKS)
    return {
        "operation": operation,
        "summary": str(about.get("summary") or about.get("description") or "")[:300],
        "parameters": [
            {
                "name": str(each.get("name")),
                "place": str(each.get("in")),
                "required": bool(each.get("required")) or each.get("in") == "path",
            }
            for each in operation.parameters
        ],
        "takes": _names(
            lambda: Shape.any_of(Shape.of(each, counted) for each in counted.request_body(operation).json_schemas)
        ),
        "gives": _names(lambda: response_shape(counted, operation)),
    }


def _taken(api: ApiFile, operation: ApiOperation) -> Shape:
    return Shape.any_of(Shape.of(each, api) for each in api.request_body(operation).json_schemas)


def _names(read: Any) -> list[str]:
    try:
        shape = read()
        element = shape.element() if shape.kinds == {"array"} else None
        return (element or shape).names[:40]
    except (BadReference, TooTangled):
        return []
