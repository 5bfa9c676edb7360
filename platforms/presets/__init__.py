"""Presets: files for platforms that are known already, ready to be registered. One folder for each.

`presets()` and `preset(slug)` give frozen values; what a registrant has to fill in stands in `parameters`, and
`mapping_with` puts it into the mapping's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from django.utils.translation import gettext as _

from console.errors import Invalid, Missing
from platforms.mapping.documents import read_document

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Parameter:
    """What a registrant fills in: a value of the mapping, by its dotted place."""

    place: str
    title: str
    default: str | int

    def read(self, text: str) -> str | int:
        """The value that a registrant typed, of the type that the mapping wants. Invalid names the place."""
        if not isinstance(self.default, int):
            return text.strip()
        try:
            return int(text)
        except ValueError as problem:
            raise Invalid.field(self.place, _("A whole number is expected.")) from problem


@dataclass(frozen=True)
class Preset:
    """One platform's files and what a registration form should show beside them."""

    slug: str
    title: str
    summary: str
    kernel: str
    cloudtype: str
    address: str  # parameters stand in it by their places
    credentials: Mapping[str, str]  # field of the platform's own credential -> what goes there
    organization: Mapping[str, str]  # field of an organization's resource space -> what goes there
    parameters: tuple[Parameter, ...]
    api_file: str = field(repr=False)
    mapping: str = field(repr=False)
    samples: Mapping[str, Any] = field(repr=False)
    readme: str = field(repr=False)

    def address_with(self, values: Mapping[str, str]) -> str:
        """The address, with the parameters that stand in it: `{auth.region}`."""
        text = self.address
        for each in self.parameters:
            text = text.replace(
                "{" + each.place + "}", quote(str(values.get(each.place, each.default)).strip(), safe="")
            )
        return text

    @property
    def base_url(self) -> str:
        return self.address_with({})

    def mapping_with(self, values: Mapping[str, str]) -> str:
        """The mapping's text with these values in it, everything else as it stands. Invalid names unknown places."""
        known = {each.place: each for each in self.parameters}
        text = self.mapping
        for place, value in values.items():
            if place not in known:
                raise Invalid.field(place, _("The preset has no such parameter."))
            text = _replaced(text, place, known[place].read(str(value)))
        return text


def presets() -> tuple[Preset, ...]:
    """All of them, by title."""
    folders = sorted(path.parent.name for path in _FOLDER.glob("*/preset.yaml"))
    return tuple(sorted((_read(slug) for slug in folders), key=lambda each: each.title))


def preset(slug: str) -> Preset:
    """The one of this name; Missing when there is none."""
    found = next((each for each in presets() if each.slug == slug), None)
    if found is None:
        raise Missing(_("There is no preset “%(slug)s”.") % {"slug": slug})
    return found


@cache
def _read(slug: str) -> Preset:
    folder = _FOLDER / slug
    about = read_document((folder / "preset.yaml").read_text(), field="preset")
    mapping = (folder / "mapping.yaml").read_text()
    return Preset(
        slug=slug,
        title=about["title"],
        summary=about["summary"],
        kernel=about["kernel"],
        cloudtype=about["cloudtype"],
        address=about["base_url"],
        credentials=about["credentials"],
        organization=read_document(mapping, field="mapping").get("organization") or {},
        parameters=tuple(Parameter(**each) for each in about.get("parameters", ())),
        api_file=(folder / "api.yaml").read_text(),
        mapping=mapping,
        samples=json.loads((folder / "samples.json").read_text()),
        readme=(folder / "README.md").read_text(),
    )


def _replaced(text: str, place: str, value: str | int) -> str:
    """The YAML text with another scalar at a dotted place; comments and order stay."""
    node: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for name in place.split("."):
        node = next(each for key, each in node.value if key.value == name)
    return text[: node.start_mark.index] + json.dumps(value, ensure_ascii=False) + text[node.end_mark.index :]
