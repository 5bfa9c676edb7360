"""Forms of the mapping studio: they read what a person typed or uploaded; whether it is right, services say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from platforms.forms import RegisterForm, text_area, text_of_upload, upload
from platforms.presets import Preset

ACCEPTED = ".yaml,.yml,.json,text/plain"


class StartForm(forms.Form):
    """Own files: the API file at least; the rest may come later."""

    title = forms.CharField(
        label=_("Name of the platform"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Acme Blockchain Cloud"}),
    )
    api_file_upload = forms.FileField(
        label=_("API file"),
        required=False,
        widget=upload(ACCEPTED),
        help_text=_("The vendor's OpenAPI 3.0, 3.1 or Swagger 2.0 file: YAML or JSON, at most 2 MB."),
    )
    api_file = forms.CharField(
        label=_("Or paste the API file"), required=False, strip=False, widget=text_area(5, "openapi: 3.0.3")
    )
    mapping_upload = forms.FileField(
        label=_("Mapping"),
        required=False,
        widget=upload(ACCEPTED),
        help_text=_("If somebody has written one already. Otherwise the studio begins one."),
    )
    samples_upload = forms.FileField(
        label=_("Samples"),
        required=False,
        widget=upload(ACCEPTED),
        help_text=_("Answers that the platform gave, if you have some."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("api_file", "mapping", "samples"):
            given: UploadedFile | None = cleaned.pop(f"{name}_upload", None)
            if given is not None:
                cleaned[name] = text_of_upload(self, f"{name}_upload", given)
        if not self.errors and not cleaned.get("api_file", "").strip():
            self.add_error("api_file_upload", _("Upload the API file, or paste it."))
        self.data = {**{name: self.data.get(name) for name in self.data}, "api_file": cleaned.get("api_file", "")}
        return cleaned


class PresetForm(forms.Form):
    """The parameters of a preset. A place in the mapping is no name for a field: dots become two underscores."""

    def __init__(self, *args: Any, preset: Preset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {each.place.replace(".", "__"): each.place for each in preset.parameters}
        for name, each in zip(self.places, preset.parameters, strict=True):
            self.fields[name] = forms.CharField(
                label=gettext(each.title),
                initial=each.default,
                max_length=300,
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )

    def values(self) -> dict[str, str]:
        return {place: self.cleaned_data[name] for name, place in self.places.items()}


class RevisionForm(forms.Form):
    """Every change says what it was made on."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput())


class TextForm(RevisionForm):
    """One of the draft's files, typed or uploaded."""

    text = forms.CharField(required=False, strip=False, widget=text_area(30))
    file = forms.FileField(label=_("Or upload a file"), required=False, widget=upload(ACCEPTED))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given: UploadedFile | None = cleaned.get("file")
        if given is not None:
            cleaned["text"] = text_of_upload(self, "file", given)
        return cleaned


class CallForm(RevisionForm):
    """Which operation of the API file answers."""

    call = forms.CharField(
        label=_("Operation of the API file"),
        max_length=500,
        widget=forms.TextInput(attrs={"list": "calls", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Type a part of its name or path, and choose."),
    )


class ReasonForm(RevisionForm):
    """Why the platform cannot do it."""

    reason = forms.CharField(
        label=_("Why the platform cannot do it"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("One sentence. People read it where the button would be."),
    )


class SampleForm(RevisionForm):
    """The sample of one interface."""

    sample = forms.CharField(
        label=_("Sample"),
        required=False,
        strip=False,
        widget=text_area(14, "request: {}\nanswers:\n  read: {status: 200, body: {state: OK}}"),
        help_text=_("An example of our request, and what the platform answered to each step. Paste real answers here."),
    )


class DraftRegisterForm(RegisterForm):
    """The registration of a platform whose files are in the draft."""

    FILES = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in RegisterForm.FILES:
            del self.fields[name], self.fields[f"{name}_upload"]

    def clean(self) -> dict[str, Any]:
        return forms.Form.clean(self) or self.cleaned_data

    def setup(self) -> dict[str, Any]:
        return {"oemtype": self.cleaned_data["oemtype"], **super().setup()}
