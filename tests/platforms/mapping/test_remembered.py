"""Files that were read stay read: the same text, the same object, and nobody's count in it."""

from __future__ import annotations

import json

import pytest

from console.errors import Invalid
from platforms.mapping.apifile import ApiFile
from platforms.mapping.check import check_files
from platforms.mapping.remembered import KEPT_LENGTH
from platforms.mapping.template import Template
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES


def test_a_text_is_read_once() -> None:
    assert ApiFile.parse(API_FILE) is ApiFile.parse(API_FILE)
    assert Template.parse(MAPPING) is Template.parse(MAPPING)


def test_a_check_leaves_what_it_shares_as_it_was() -> None:
    """The check counts its looks at schemas; whoever runs the mapping meanwhile is not to run out of them."""
    api, before = ApiFile.parse(API_FILE), json.dumps(Template.parse(MAPPING).document)
    assert check_files(API_FILE, MAPPING, SAMPLES).passed
    assert not check_files(API_FILE, MAPPING.replace("op: listTenants", "op: listNothing")).passed
    assert api.looks_left is None
    assert json.dumps(Template.parse(MAPPING).document) == before


def test_a_long_text_is_not_kept() -> None:
    long = API_FILE + "\n#" + "x" * KEPT_LENGTH
    assert ApiFile.parse(long) is not ApiFile.parse(long)


def test_what_was_refused_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(Invalid, match="has no paths"):
            ApiFile.parse('{"openapi": "3.0.0"}')
