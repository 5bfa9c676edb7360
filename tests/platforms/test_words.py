"""What the shipped mappings tell users is in the catalogue of translations."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.utils import translation
from django.utils.translation import gettext

from platforms.models import Platform
from platforms.presets import presets

FOLDER = Path(__file__).resolve().parents[2] / "platforms"
MAPPINGS = sorted([*FOLDER.glob("presets/*/mapping.yaml"), FOLDER / "sandbox/mapping.yaml"])


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.parent.name)
def test_every_reason_is_translated(path: Path) -> None:
    reasons = set(yaml.safe_load(path.read_text())["unsupported"].values())
    with translation.override("zh-hans"):
        assert [reason for reason in sorted(reasons) if gettext(reason) == reason] == []


def test_a_reason_is_told_in_the_reader_s_language() -> None:
    reason = next(iter(yaml.safe_load(MAPPINGS[0].read_text())["unsupported"].values()))
    platform = Platform(capabilities={"create_chain": {"supported": False, "reason": reason}})
    assert platform.capability("create_chain") == (False, reason)
    with translation.override("zh-hans"):
        assert platform.capability("create_chain") == (False, gettext(reason))
        assert platform.capability("delete_chain") == (False, gettext("The platform does not offer this operation."))


def test_what_is_said_about_presets_is_translated() -> None:
    said = {
        text
        for each in presets()
        for text in (
            each.summary,
            *each.credentials.values(),
            *each.organization.values(),
            *(parameter.title for parameter in each.parameters),
        )
    }
    with translation.override("zh-hans"):
        assert sorted(text for text in said if gettext(text) == text) == []
