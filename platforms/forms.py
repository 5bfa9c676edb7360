"""Forms: they read what a person typed or uploaded; whether it is right, services say."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from console.errors import Invalid
from console.forms import SecretInput, SecretText
from platforms.mapping.documents import MAX_BYTES
from platforms.mapping.samples import parse_samples
from platforms.models import Cloudtype, Kernel
from platforms.services.requests import CREDENTIALS, NATIVE_KERNELS


def text_area(rows: int, placeholder: str = "", *, widget: type[forms.Textarea] = forms.Textarea) -> forms.Textarea:
    attrs = {"rows": rows, "spellcheck": "false", "autocomplete": "off", "class": "font-monospace"}
    return widget(attrs={**attrs, **({"placeholder": placeholder} if placeholder else {})})


def upload(accept: str) -> forms.FileInput:
    return forms.FileInput(attrs={"accept": accept})


def text_of_upload(form: forms.Form, name: str, given: UploadedFile) -> str:
    """The file's text; what is wrong with it becomes an error of the field."""
    if given.size is not None and given.size > MAX_BYTES:
        form.add_error(name, _("This file is larger than 2 MB."))
        return ""
    try:
        return given.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        form.add_error(name, _("This file is not UTF-8 text."))
        return ""


class FilesForm(forms.Form):
    """API file, mapping and samples: pasted, or uploaded, and then the upload counts."""

    api_file = forms.CharField(
        label=_("API file"),
        required=False,
        strip=False,
        widget=text_area(8, "openapi: 3.0.3"),
        help_text=_("The vendor's OpenAPI 3.0, 3.1 or Swagger 2.0 file: YAML or JSON."),
    )
    api_file_upload = forms.FileField(
        label=_("Or upload the API file"), required=False, widget=upload(".yaml,.yml,.json,text/plain")
    )
    mapping = forms.CharField(
        label=_("Mapping"),
        required=False,
        strip=False,
        widget=text_area(14, "mapping: 1\nauth: {kind: bearer, token: token}\ninterfaces:\n  get_health: …"),
        help_text=_("Which calls of the platform answer which standard interface."),
    )
    mapping_upload = forms.FileField(
        label=_("Or upload the mapping"), required=False, widget=upload(".yaml,.yml,.json,text/plain")
    )
    samples = forms.CharField(
        label=_("Samples"),
        required=False,
        strip=False,
        widget=text_area(6, "get_health:\n  answers:\n    read: {status: 200, body: {state: OK}}"),
        help_text=_("Answers that the platform gave. Where they contradict the API file, the samples count."),
    )
    samples_upload = forms.FileField(
        label=_("Or upload the samples"), required=False, widget=upload(".yaml,.yml,.json,text/plain")
    )

    FILES: tuple[str, ...] = ("api_file", "mapping", "samples")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.FILES:
            given: UploadedFile | None = cleaned.pop(f"{name}_upload", None)
            if given is not None:
                cleaned[name] = text_of_upload(self, name, given)
        self._keep_what_was_uploaded(cleaned)
        cleaned["samples"] = self._samples(cleaned.get("samples") or "")
        return cleaned

    def _keep_what_was_uploaded(self, cleaned: dict[str, Any]) -> None:
        """A browser never fills an upload in again: its text goes into the field, where it can be mended."""
        data = {name: self.data.get(name) for name in self.data}
        texts = {self.add_prefix(name): cleaned[name] for name in self.FILES if name in cleaned}
        self.data = {**data, **texts}

    def _samples(self, text: str) -> dict[str, Any]:
        try:
            return parse_samples(text)
        except Invalid as problem:
            self.add_error("samples", problem.detail)
            return {}

    def texts(self) -> dict[str, Any]:
        """The three files, as they were typed or uploaded."""
        return {name: self.cleaned_data.get(name) for name in self.FILES}


class SetupForm(FilesForm):
    """How a platform is called, where it is, what opens it, and its files."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As clerks read it."))
    cloudtype = forms.ChoiceField(
        label=_("Where it builds nodes"),
        choices=Cloudtype.choices,
        initial=Cloudtype.CLOUD,
        help_text=_("For organizations in the cloud, with machines of their own, or both."),
    )
    kernel = forms.ChoiceField(
        label=_("Kernel"), required=False, choices=[("", _("Several, or not known")), *Kernel.choices]
    )
    base_url = forms.CharField(
        label=_("Address"),
        max_length=300,
        widget=forms.URLInput(attrs={"placeholder": "https://platform.example:8443", "spellcheck": "false"}),
        help_text=_("Everything before the paths of the API file."),
    )
    on_prem_base_url = forms.CharField(
        label=_("Address for on-prem organizations"),
        max_length=300,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://platform.example:8444", "spellcheck": "false"}),
        help_text=_("Only if the mapping names a second address."),
    )
    ca_certificate = forms.CharField(
        label=_("Certificate authority"),
        required=False,
        strip=False,
        widget=text_area(4, "-----BEGIN CERTIFICATE-----"),
        help_text=_("Only if the platform's certificate is not from a public authority."),
    )
    token = forms.CharField(label=_("Token or key"), required=False, max_length=10_000, widget=SecretInput())
    ak = forms.CharField(label=_("Access key (AK)"), required=False, max_length=500, widget=SecretInput())
    sk = forms.CharField(label=_("Secret key (SK)"), required=False, max_length=10_000, widget=SecretInput())
    username = forms.CharField(
        label=_("User name"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(label=_("Password"), required=False, max_length=10_000, widget=SecretInput())
    tlscert = forms.CharField(
        label=_("Client certificate"),
        required=False,
        strip=False,
        widget=text_area(4, "-----BEGIN CERTIFICATE-----", widget=SecretText),
        help_text=_("PEM text: the certificate and its private key."),
    )
    is_default = forms.BooleanField(
        label=_("The default platform"), required=False, help_text=_("Chosen where nobody chooses another one.")
    )

    PLACE: tuple[str, ...] = ("name", "cloudtype", "kernel", "base_url", "on_prem_base_url", "ca_certificate")

    def place_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PLACE]

    def credential_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CREDENTIALS]

    def file_pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Each file's text field and its upload."""
        return [(self[name], self[f"{name}_upload"]) for name in self.FILES]

    def setup(self) -> dict[str, Any]:
        """What the service is given; credentials only where something was typed."""
        data = self.cleaned_data
        given = {name: data[name] for name in (*self.PLACE, *self.FILES, "is_default")}
        credentials = {name: data[name] for name in CREDENTIALS if data[name]}
        return given | ({"credentials": credentials} if credentials else {})


class RegisterForm(SetupForm):
    """A new platform."""

    oemtype = forms.CharField(
        label=_("Short name"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "acme-cloud"}),
        help_text=_(
            "Small letters, digits and hyphens. It stays for good; programs choose the platform by it (oemtype)."
        ),
    )

    PLACE: tuple[str, ...] = ("oemtype", *SetupForm.PLACE)


class ChangeForm(SetupForm):
    """An official platform. What was the default cannot stop being it, only another one can become it."""

    def __init__(self, *args: Any, is_default: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_default"].disabled = is_default
        for name in CREDENTIALS:
            self.fields[name].help_text = _("Leave empty to keep the one that is stored.")


class NativeForm(forms.Form):
    """A platform without a management plane: the console builds its nodes on organizations' own machines."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As clerks read it."))
    kernel = forms.ChoiceField(
        label=_("Kernel"),
        choices=[(kernel.value, kernel.label) for kernel in NATIVE_KERNELS],
        help_text=_(
            "Ethereum seals by clique, Quorum and Besu by QBFT. Besu is driven as its documentation says, and was not "
            "tried with real nodes. The choice stays for good."
        ),
    )
    username = forms.CharField(
        label=_("User name at the registry of images"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Only if the registry asks for one."),
    )
    password = forms.CharField(
        label=_("Password at the registry of images"), required=False, max_length=10_000, widget=SecretInput()
    )
    is_default = forms.BooleanField(
        label=_("The default platform"), required=False, help_text=_("Chosen where nobody chooses another one.")
    )

    PLACE: tuple[str, ...] = ("name", "kernel")

    def place_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.PLACE]

    def setup(self) -> dict[str, Any]:
        """What the service is given; credentials only where something was typed."""
        data = self.cleaned_data
        credentials = {name: data[name] for name in ("username", "password") if data[name]}
        given = {name: data[name] for name in (*self.PLACE, "is_default")}
        return given | ({"credentials": credentials} if credentials else {})


class NativeRegisterForm(NativeForm):
    """A new one."""

    oemtype = RegisterForm.base_fields["oemtype"]

    PLACE: tuple[str, ...] = ("oemtype", *NativeForm.PLACE)


class NativeChangeForm(NativeForm):
    """An official one. Chains of one kernel do not become chains of another: the kernel stays."""

    PLACE: tuple[str, ...] = ("name",)

    def __init__(self, *args: Any, is_default: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["kernel"]
        self.fields["is_default"].disabled = is_default
        for name in ("username", "password"):
            self.fields[name].help_text = _("Leave empty to keep the one that is stored.")


class RetireForm(forms.Form):
    """Ending a platform's service takes its name, typed, and a word on what becomes of what hangs on it."""

    RELEASE = "release"
    outcome = forms.ChoiceField(label=_("What becomes of it"), widget=forms.RadioSelect, required=True)
    confirmation = forms.CharField(
        label=_("Name of the platform"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Type it, to make sure that it is the right one."),
    )

    def __init__(self, *args: Any, name: str, successors: dict[str, str] | None, **kwargs: Any) -> None:
        """`successors`: platforms that could take over, name by oemtype; None when nothing hangs on this one."""
        super().__init__(*args, **kwargs)
        self.name = name
        if successors is None:
            del self.fields["outcome"]
            return
        others = [(f"to:{key}", _("Hand it over to %(name)s") % {"name": title}) for key, title in successors.items()]
        field = cast(forms.ChoiceField, self.fields["outcome"])
        field.choices = [*others, (self.RELEASE, _("Release it: the console forgets it, on the platform it stays"))]

    def chosen(self) -> dict[str, Any]:
        """As the service takes it."""
        outcome = str(self.cleaned_data.get("outcome") or "")
        return {
            "hand_over_to": outcome.removeprefix("to:") if outcome.startswith("to:") else "",
            "release": outcome == self.RELEASE,
        }

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed != self.name:
            raise forms.ValidationError(_("Type the name exactly as it is written: %(name)s") % {"name": self.name})
        return typed
