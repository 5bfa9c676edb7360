"""What holds for every preset: files that pass the check, samples for all of it, words for the rest."""

from __future__ import annotations

import json

import pytest
import yaml

from console.errors import Invalid, Missing
from platforms.drivers.base import PartyCredential
from platforms.mapping.apifile import ApiFile
from platforms.mapping.check import check_files
from platforms.mapping.dryrun import dry_run
from platforms.mapping.samples import read_samples
from platforms.mapping.template import Template
from platforms.models.platforms import Cloudtype, Kernel
from platforms.presets import Preset, preset, presets
from platforms.standard import OPERATIONS
from tests.platforms.presets.lives import LIVES

ALL = presets()
each_preset = pytest.mark.parametrize("chosen", ALL, ids=lambda chosen: chosen.slug)


def test_there_are_these() -> None:
    assert {each.slug for each in ALL} == set(LIVES)
    assert [each.title for each in ALL] == sorted(each.title for each in ALL)
    assert preset("kaleido").title == "Kaleido"
    with pytest.raises(Missing):
        preset("nobody-knows-it")


@each_preset
def test_the_check_has_no_errors(chosen: Preset) -> None:
    report = check_files(chosen.api_file, chosen.mapping, dict(chosen.samples))
    assert report.errors == []
    assert {name: run.fault for name, run in report.dry_runs.items() if run.fault} == {}


@each_preset
def test_every_interface_is_answered_or_explained(chosen: Preset) -> None:
    template = Template.parse(chosen.mapping)
    assert set(template.interfaces) | set(template.unsupported) == set(OPERATIONS)
    assert not set(template.interfaces) & set(template.unsupported)
    assert set(chosen.samples) == set(template.interfaces)


@pytest.mark.parametrize("slug", LIVES)
def test_a_dry_run_on_what_was_recorded_says_what_the_real_run_said(slug: str, moto: str) -> None:
    """One life, every interface: the recorded answers lead the dry run to the same standard answer."""
    chosen = preset(slug)
    template, api = Template.parse(chosen.mapping), ApiFile.parse(chosen.api_file)
    with LIVES[slug](moto) as life:
        assert set(life.samples) == set(template.interfaces)
        samples = read_samples(json.loads(json.dumps(life.samples)))
        own = {"const.project_id": "project-tax", "const.subscription": "sub-tax"}
        values = {each.place: own[each.place] for each in chosen.parameters if each.place in own}
        template = Template.parse(chosen.mapping_with(values))
        for name, sample in samples.items():
            outcome = dry_run(template, api, sample)
            assert (outcome.fault, outcome.result) == (None, life.results[name])


@each_preset
def test_what_a_form_needs(chosen: Preset) -> None:
    fields = set(PartyCredential.__dataclass_fields__)
    assert set(chosen.credentials) <= fields
    assert set(chosen.organization) <= fields | {"tenantid", "tenantname", "projectid", "nodelist"}
    assert chosen.kernel in ("", *Kernel.values)
    assert chosen.cloudtype in Cloudtype.values
    assert chosen.base_url.startswith(("http://", "https://"))
    assert chosen.readme.count("\n## ") >= 3, "what to fill in, what is not there, how it was tried"


@each_preset
def test_parameters_stand_where_they_say(chosen: Preset) -> None:
    document = yaml.safe_load(chosen.mapping)
    for parameter in chosen.parameters:
        node = document
        for name in parameter.place.split("."):
            node = node[name]
        assert (node, type(node)) == (parameter.default, type(parameter.default))


def test_parameters_go_into_the_text_and_comments_stay() -> None:
    amazon = preset("amazon-managed-blockchain")
    text = amazon.mapping_with({"auth.region": 'eu-"west"-1: # x', "const.threshold": "30"})
    document = yaml.safe_load(text)
    assert document["auth"]["region"] == 'eu-"west"-1: # x'
    assert document["const"]["threshold"] == 30
    assert text.splitlines()[0] == amazon.mapping.splitlines()[0]
    assert len(text.splitlines()) == len(amazon.mapping.splitlines())


def test_parameters_that_stand_in_the_address_are_filled_in() -> None:
    amazon = preset("amazon-managed-blockchain")
    assert amazon.base_url == "https://managedblockchain.us-east-1.amazonaws.com"
    assert amazon.address_with({"auth.region": "eu-west-1"}) == "https://managedblockchain.eu-west-1.amazonaws.com"
    assert amazon.address_with({"auth.region": "x/@evil"}) == "https://managedblockchain.x%2F%40evil.amazonaws.com"


@pytest.mark.parametrize(("place", "value"), [("const.nothing", "1"), ("const.threshold", "many")])
def test_parameters_that_do_not_fit(place: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        preset("amazon-managed-blockchain").mapping_with({place: value})
    assert list(caught.value.errors) == [place]
