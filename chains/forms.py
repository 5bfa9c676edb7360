"""Forms of this floor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.errors import Invalid
from platforms.services.requests import read_network_ids


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
