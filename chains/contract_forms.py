"""Forms of contracts: what a person types or uploads, and fields made from an ABI."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains.compiling import MAX_FILES, MAX_SOURCE_BYTES
from chains.models import Severity, UpgradeWay
from chains.services.contract_requests import SINGLE, Draft, parameters_of
from unions.forms import MoveForm, TypedName

Json = dict[str, Any]
CODE = {"rows": 14, "spellcheck": "false", "autocomplete": "off", "class": "font-monospace"}


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Several files, or none."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFiles, self).clean(each, initial) for each in given if each]


class ArgumentFields(forms.Form):
    """One field for each parameter of a function or a constructor."""

    parameters: Sequence[Json] = ()

    def ask_for(self, parameters: Sequence[Json]) -> None:
        self.parameters = parameters
        for number, each in enumerate(parameters):
            self.fields[f"argument_{number}"] = _field_for(each, number)

    def argument_fields(self) -> list[Any]:
        return [self[f"argument_{number}"] for number in range(len(self.parameters))]

    def arguments(self) -> list[str]:
        """As they were typed; the ABI says whether they fit."""
        return [str(self.data.get(self.add_prefix(f"argument_{at}"), "")) for at in range(len(self.parameters))]


def _field_for(parameter: Json, number: int) -> forms.Field:
    kind, name = parameter["type"], parameter.get("name") or gettext("Value %(number)s") % {"number": number + 1}
    about: Json = {"label": name, "required": False, "help_text": _help(parameter)}
    if kind == "bool":
        return forms.ChoiceField(choices=[("false", "false"), ("true", "true")], **about)
    if kind == "tuple" or kind.endswith("]"):
        return forms.CharField(widget=forms.Textarea(attrs={**CODE, "rows": 3}), **about)
    return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}), **about)


def _help(parameter: Json) -> str:
    kind = parameter["type"]
    if kind.endswith("]"):
        return gettext("%(type)s: JSON, such as %(example)s") % {"type": _typed(parameter), "example": '["1", "2"]'}
    if kind == "tuple":
        names = {part.get("name") or str(at): part["type"] for at, part in enumerate(parameter["components"])}
        return gettext("%(type)s: JSON, such as %(example)s") % {"type": "tuple", "example": json.dumps(names)}
    return str(kind)


def _typed(parameter: Json) -> str:
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    inner = ", ".join(f"{part['type']} {part.get('name', '')}".strip() for part in parameter["components"])
    return f"({inner}){parameter['type'].removeprefix('tuple')}"


class ProgramForm(ArgumentFields):
    """A program: sources, typed or uploaded, or an artifact. `carried` are the files uploaded before."""

    source = forms.CharField(
        label=_("Solidity source"), required=False, max_length=MAX_SOURCE_BYTES, strip=False,
        widget=forms.Textarea(attrs=CODE),
        help_text=_("Nothing is fetched from anywhere: whatever it imports has to be uploaded with it."),
    )  # fmt: skip
    uploads = ManyFiles(
        label=_("Files"), required=False, widget=ManyFilesInput(attrs={"accept": ".sol,.json"}),
        help_text=_("Solidity files, or one artifact of a compiler (JSON with abi and bytecode)."),
    )  # fmt: skip
    carried = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    entry = forms.CharField(
        label=_("Contract"), required=False, max_length=300,
        help_text=_("Its name, where the sources hold several."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    comment = forms.CharField(
        label=_("Message to those who have a say"), required=False, max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def clean_carried(self) -> dict[str, str]:
        try:
            found = json.loads(self.cleaned_data["carried"] or "{}")
        except ValueError:
            found = {}
        kept = found if isinstance(found, dict) else {}
        return {str(name): text for name, text in kept.items() if isinstance(text, str)}

    def clean(self) -> Json:
        cleaned = super().clean() or self.cleaned_data
        carried: dict[str, str] = dict(cleaned.get("carried") or {})
        for file in (cleaned.get("uploads") or [])[:MAX_FILES]:
            try:
                carried[str(file.name)] = file.read(MAX_SOURCE_BYTES + 1).decode()
            except UnicodeDecodeError:
                self.add_error("uploads", gettext("%(name)s is no text.") % {"name": file.name})
        artifacts = [name for name in carried if name.endswith(".json")]
        self.artifact = carried[artifacts[-1]] if artifacts else None
        self.sources = {name: text for name, text in carried.items() if name not in artifacts}
        if str(cleaned.get("source") or "").strip():
            self.sources[SINGLE] = str(cleaned["source"]).replace("\r\n", "\n")  # as browsers send lines
        self.kept = json.dumps(carried) if carried else ""
        self.names = sorted(carried)
        return cleaned

    def program(self) -> Json:
        """For the services."""
        entry = self.cleaned_data["entry"].strip()
        brings: Json = {"artifact": self.artifact} if self.artifact else {"source": self.sources or None}
        return {**brings, "entry": entry}

    def show(self, draft: Draft, way: str) -> None:
        """Ask for the arguments of what was compiled."""
        self.draft = draft
        self.ask_for(parameters_of(draft.abi, way))


class ContractForm(ProgramForm):
    """A contract to be; `places` are chains with the organizations that may deploy there."""

    place = forms.ChoiceField(label=_("Chain and owner"))
    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("By which it is known on this chain."))
    way = forms.ChoiceField(
        label=_("How it is upgraded later"),
        choices=UpgradeWay.choices,
        initial=UpgradeWay.NEW_VERSION,
        widget=forms.RadioSelect,
        help_text=_("Behind a proxy a contract is set up by a function initialize(…), not by a constructor."),
    )

    def __init__(self, *args: Any, places: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = places  # type: ignore[attr-defined]

    def where(self) -> Json:
        blockchain, _space, orgcode = self.cleaned_data["place"].partition(" ")
        return {"blockchain": blockchain, "orgcode": orgcode}


class CommentForm(forms.Form):
    """A word to those who have a say."""

    comment = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class DeleteContractForm(TypedName, CommentForm):
    """Delete a contract, with its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].label = _("Name of the contract")


class FunctionForm(ArgumentFields):
    """What a function is given, and for whom it is called."""

    orgcode = forms.ChoiceField(label=_("On behalf of"), required=False)

    def __init__(self, *args: Any, function: Json, organizations: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["orgcode"].choices = [(o.orgcode, o.name) for o in organizations]  # type: ignore[attr-defined]
        if len(organizations) < 2:
            self.fields["orgcode"].widget = forms.HiddenInput()
            self.initial["orgcode"] = organizations[0].orgcode if organizations else ""
        self.ask_for(function.get("inputs", []))


class ContractRuleForm(MoveForm):
    """Rules for contracts."""

    VERBS = [
        ("deploy", _("Deploying")),
        ("upgrade", _("Upgrading")),
        ("stop", _("Stopping, and letting run again")),
        ("delete", _("Deleting")),
    ]
    votes = forms.MultipleChoiceField(
        label=_("These need a vote of those on the chain"),
        choices=VERBS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    blocking_severity = forms.ChoiceField(
        label=_("Open findings keep a version from being deployed from"),
        choices=Severity.choices,
        help_text=_("With anything but “Nothing”, a version has to be examined by an application first."),
    )
    field_order = ("orgcode", "votes", "blocking_severity", "comment")
