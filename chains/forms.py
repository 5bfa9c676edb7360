"""Forms of this floor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains.gateway.methods import METHODS
from chains.models import Createmode, Preset
from chains.planning import MAX_NODES, Advice, Priority, Trust, advise
from chains.services.chain_requests import ANEW
from chains.services.grants import MAX_QUOTA, MAX_RATE
from chains.services.reports import MOST_REASON
from console.errors import Invalid
from platforms.services.requests import read_network_ids
from unions.forms import MoveForm, TypedName
from unions.models import Organization


class LookForm(forms.Form):
    """Which networks to look at; empty: all of them."""

    network_ids = forms.CharField(
        label=_("Networks"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("One id in each line. Leave this empty to see all that the platform lists."),
    )

    def clean_network_ids(self) -> list[str]:
        try:
            return read_network_ids([line for line in self.cleaned_data["network_ids"].splitlines() if line.strip()])
        except Invalid as problem:
            raise forms.ValidationError(problem.detail) from problem


class ChosenNetworksForm(forms.Form):
    """Those of the preview that are to be taken over."""

    network_ids = forms.MultipleChoiceField(
        label=_("Networks"), error_messages={"required": _("Choose at least one network.")}
    )

    def __init__(self, *args: Any, network_ids: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["network_ids"].choices = [(each, each) for each in network_ids]  # type: ignore[attr-defined]


class ChainForm(forms.Form):
    """A business chain as people wish for it. `union` is the one that is chosen, `everyone` who can take part."""

    name = forms.CharField(
        label=_("Name of the chain"), max_length=200, help_text=_("What it is for, for example “Land register”.")
    )
    unionid = forms.ChoiceField(
        label=_("Union"),
        required=False,
        help_text=_("Its members can take part. Without a union the chain gets a network of its own, in one space."),
    )
    creatororg = forms.ChoiceField(label=_("On behalf of"), required=False)
    orgs = forms.MultipleChoiceField(label=_("Who takes part"), required=False, widget=forms.CheckboxSelectMultiple)
    trust = forms.ChoiceField(
        label=_("How far do they trust each other?"),
        choices=Trust.choices,
        widget=forms.RadioSelect,
        initial=Trust.WEAK,
    )
    priority = forms.ChoiceField(
        label=_("What do they need most?"), choices=Priority.choices, widget=forms.RadioSelect, initial=Priority.COST
    )
    createmode = forms.ChoiceField(
        label=_("Mode"),
        required=False,
        choices=[("", _("As proposed")), *Createmode.choices],
        widget=forms.RadioSelect,
        initial="",
    )
    ledgers = forms.CharField(
        label=_("Chains"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("One name in each line. Leave this empty for one chain that is called like the whole."),
    )
    nodes = forms.IntegerField(
        label=_("Nodes of each on a chain"), required=False, min_value=1, max_value=MAX_NODES, initial=None
    )
    base = forms.ChoiceField(
        label=_("Nodes"),
        required=False,
        choices=[("", _("Use nodes that run already, where there are any")), (ANEW, _("Build new nodes"))],
    )
    comment = forms.CharField(
        label=_("Message to those who are asked"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, unions: Any, union: Any, everyone: Any, mine: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [each for each in everyone if each.pk in mine]
        self.everyone = everyone
        none = [("", _("No union"))]
        self._choose("unionid", [*none, *((each.unionid, f"{each.name} · {each.platform.name}") for each in unions)])
        self._choose("creatororg", [(each.orgcode, each.name) for each in own])
        self._choose("orgs", [(each.orgcode, each.name) for each in everyone])

    def _choose(self, field: str, choices: Any) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def answer(self, field: str) -> str:
        """What is chosen, whether or not the rest of the form is sound."""
        return str(self[field].value() or self.fields[field].initial or "")

    def ledger_names(self) -> list[str]:
        return [line.strip() for line in self.answer("ledgers").splitlines() if line.strip()]

    def advice(self) -> Advice:
        """The mode that fits what was answered."""
        return advise(self.answer("trust"), self.answer("priority"), chains=len(self.ledger_names()))

    def wish(self) -> dict[str, Any]:
        """The business chain in the words of the services."""
        nodes = self["nodes"].value()
        number = int(nodes) if str(nodes or "").isdecimal() else None
        mode = self.answer("createmode") or self.advice().createmode
        shares = mode == Createmode.MULTI_SUBCHAIN
        spec = {"nodes": number, "base": self.answer("base") if shares and self.answer("base") else None}
        chosen = {each.orgcode for each in self.everyone} & set(self["orgs"].value() or [])
        creators = [code for code, _name in self.fields["creatororg"].choices]  # type: ignore[attr-defined]
        creator = self.answer("creatororg")
        return {
            "name": self.answer("name").strip(),
            "unionid": self.answer("unionid"),
            "creatororg": creator if creator in creators else next(iter(creators), ""),
            "orgs": [each.orgcode for each in self.everyone if each.orgcode in chosen and each.orgcode != creator],
            "createmode": mode,
            "blockchains": [{"name": name} for name in self.ledger_names()],
            "infraspec": {name: value for name, value in spec.items() if value is not None},
        }


class ChainMoveForm(MoveForm):
    """Which organization joins the chain, and a word to those in it."""


class ChainName(TypedName):
    """What cannot be taken back takes the chain's name, typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].label = _("Name of the chain")


class QuitChainForm(ChainName, MoveForm):
    """Which organization quits, with the chain's name."""


class DeleteChainForm(ChainName):
    """Delete a chain, with its name."""

    comment = forms.CharField(
        label=_("Message"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class ScaleForm(MoveForm):
    """How many nodes an organization shall have; `counted` are those it has."""

    nodes = forms.IntegerField(label=_("Nodes"), min_value=1, max_value=MAX_NODES)
    field_order = ("orgcode", "nodes", "comment")

    def __init__(self, *args: Any, counted: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["orgcode"].choices  # type: ignore[attr-defined]
        self.fields["orgcode"].choices = [  # type: ignore[attr-defined]
            (code, gettext("%(name)s (%(number)s now)") % {"name": name, "number": counted.get(code, 0)})
            for code, name in choices
        ]
        self.fields["nodes"].help_text = gettext(
            "So many there shall be. Chains that share nodes change together; what came last is given back first."
        )


class AccessGrantForm(forms.Form):
    """Who may reach the chain, by which methods, how often, for how long."""

    DAYS = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("Never"))]

    orgcode = forms.ChoiceField(label=_("Organization"), help_text=_("Its nodes are asked, and only its."))
    username = forms.CharField(
        label=_("Member"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("The user whose token the program has. Empty: every member of the organization."),
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Permit server")}),
    )
    preset = forms.ChoiceField(
        label=_("Methods"), choices=Preset.choices, widget=forms.RadioSelect, initial=Preset.READ, required=False
    )
    methods = forms.MultipleChoiceField(
        label=_("Chosen methods"),
        required=False,
        choices=[(each, each) for each in METHODS],
        widget=forms.CheckboxSelectMultiple,
    )
    quota_per_day = forms.IntegerField(label=_("Calls a day"), min_value=1, max_value=MAX_QUOTA, initial=10_000)
    rate_per_minute = forms.IntegerField(label=_("Calls a minute"), min_value=1, max_value=MAX_RATE, initial=120)
    days = forms.ChoiceField(label=_("Expires after"), choices=DAYS, initial="90", required=False)

    def __init__(self, *args: Any, organizations: list[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["orgcode"].choices = [(each.orgcode, each.name) for each in organizations]  # type: ignore[attr-defined]

    def clean_preset(self) -> str:
        return self.cleaned_data["preset"] or Preset.READ

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("preset") != Preset.CUSTOM:
            cleaned["methods"] = []  # ticked, and then another preset was chosen
        return cleaned

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class AcceptFindingForm(forms.Form):
    """Why a finding is borne."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MOST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is kept in the audit log with your name, and shown with the finding."),
    )


class RetentionForm(forms.Form):
    """How much of a ledger is kept. Whether something goes, and has to be confirmed, the service says."""

    keep_blocks = forms.IntegerField(
        label=_("Newest blocks"), min_value=0, help_text=_("So many are kept, with their transactions. 0: all.")
    )
    keep_days = forms.IntegerField(
        label=_("Days"),
        min_value=0,
        help_text=_("No block older than this is kept. 0: of any age. Where both are given, a block goes by either."),
    )
    follow = forms.BooleanField(label=_("Follow the console's rule instead"), required=False)
    confirmed = forms.BooleanField(label=_("Throw these blocks away for good"), required=False)
