"""One operation of the standard interface in a draft: a proposal, another choice, a reason, a sample, a dry run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from console.errors import ConsoleError, Missing
from console.views.base import put_into
from platforms.mapping.proposal import candidates, sketch
from platforms.mapping.proposal.ranking import SHOWN
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.writing import excerpt, rendered
from platforms.models import Draft
from platforms.services import drafts as service
from platforms.standard import OPERATIONS
from platforms.studio_forms import CallForm, ReasonForm, RevisionForm, SampleForm
from platforms.views.platforms import OPERATION_TITLES
from platforms.views.studio.base import DraftPage, shown
from platforms.views.studio.draft import call_shown
from platforms.workbench import exchanges, run_now

Action = Callable[..., Draft]
# What a button is called -> the form that it sends, the service, what the service is given, and the words afterwards.
ACTIONS: dict[str, tuple[type[RevisionForm], Action, tuple[str, ...], Any]] = {
    "sketch": (CallForm, service.sketch_interface, ("call",), _("The skeleton stands in the mapping.")),
    "reason": (ReasonForm, service.say_unsupported, ("reason",), _("The reason stands in the mapping.")),
    "clear": (RevisionForm, service.take_out, (), _("The operation was taken out of the mapping.")),
    "sample": (SampleForm, service.put_sample, ("sample",), _("The sample was saved.")),
    "example": (RevisionForm, service.put_example, (), _("An example was made from the API file.")),
}


class InterfacePage(DraftPage):
    """Everything about one operation of the draft."""

    tab = "mapping"

    @property
    def name(self) -> str:
        name: str = self.kwargs["operation"]
        if name not in OPERATIONS:
            raise Missing()
        return name

    def get(self, request: HttpRequest, draft_id: int, operation: str) -> HttpResponse:
        return self.page({})

    def post(self, request: HttpRequest, draft_id: int, operation: str) -> HttpResponse:
        asked = request.POST.get("action", "")
        if asked not in ACTIONS:
            raise Missing()
        kind, perform, fields, words = ACTIONS[asked]
        form = kind(request.POST)
        if form.is_valid():
            data = form.cleaned_data
            given = {("text" if name == "sample" else name): data[name] for name in fields}
            try:
                perform(actor=self.actor, draft=self.draft, revision=data["revision"], operation=self.name, **given)
            except ConsoleError as problem:
                if problem.status in (403, 404):
                    raise
                put_into(form, problem)
            else:
                messages.success(request, str(words))
                anchor = "#run" if asked in ("sample", "example") else ""
                return HttpResponseRedirect(f"{request.path}{anchor}")
        return self.page({asked: form}, status=422)

    def page(self, forms: dict[str, Any], status: int = 200) -> HttpResponse:
        bench, name = self.bench, self.name
        run = run_now(bench, name)
        line = bench.lines[name]
        number, text = excerpt(self.draft.mapping, ("interfaces", name)) if bench.document else (0, "")
        sample = self._sample_alone()
        revision = {"revision": self.draft.revision}
        names = list(OPERATIONS)
        place = names.index(name)
        context = self.frame(
            line=line,
            name=name,
            title=OPERATION_TITLES[name],
            asked=_fields(OPERATIONS[name].request),
            answered=_fields(OPERATIONS[name].answer),
            findings=shown(line.findings),
            number=number,
            text=text,
            ranked=self._ranked(),
            calls=[each.id for each in bench.api.operations.values()][:2000] if bench.api else [],
            call_form=forms.get("sketch") or CallForm(initial=revision | {"call": (line.calls or [""])[0]}),
            reason_form=forms.get("reason") or ReasonForm(initial=revision | {"reason": line.reason}),
            sample_form=forms.get("sample") or SampleForm(initial=revision | {"sample": sample}),
            failed=next((each.non_field_errors() for each in forms.values()), None),
            run=run.as_dict() if run else None,
            exchanges=exchanges(run, bench.samples[name]) if run else [],
            before=names[place - 1] if place else "",
            after=names[place + 1] if place + 1 < len(names) else "",
        )
        return render(self.request, "platforms/studio/interface.html", context, status=status)

    def _sample_alone(self) -> str:
        sample = self.bench.raw_samples.get(self.name)
        return f"{rendered(sample)}\n" if sample else ""

    def _ranked(self) -> list[dict[str, Any]]:
        """The likeliest operations of the API file, the first with the skeleton that would be written."""
        api = self.bench.api
        if api is None:
            return []
        found = []
        for number, each in enumerate(candidates(api, self.name)[:SHOWN]):
            if each.points <= 0:
                break
            row = {"candidate": each, **call_shown(api, each.operation), "best": not number and each.is_likely}
            if each.instead:
                row["instead"] = OPERATION_TITLES[each.instead]
            found.append(row)
        chosen = self.request.GET.get("call") or (found[0]["candidate"].operation.id if found else "")
        operation = api.find(chosen)
        for row in found:
            if operation is not None and row["candidate"].operation.id == operation.id:
                try:
                    row["skeleton"] = rendered({self.name: sketch(api, self.name, operation)})
                except (BadReference, TooTangled):
                    row["skeleton"] = ""
        return found

    def get_success_url(self) -> str:
        return reverse("platforms:studio-interface", args=[self.draft.pk, self.name])


def _fields(model: Any) -> list[dict[str, Any]]:
    """The fields of a standard request or answer; of a list those of its elements."""
    schema = model.model_json_schema(mode="serialization")
    properties = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if "items" in properties:
        reference = properties["items"].get("items", {}).get("$ref", "")
        schema = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
        properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    return [{"name": name, "required": name in required, "kind": _words(each)} for name, each in properties.items()]


def _words(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return next((_words(each) for each in schema["anyOf"] if each.get("type") != "null"), "")
    return str(schema.get("format") or schema.get("type") or "object")
