"""The worked example of the documentation is in order: checked, and run on its own samples."""

from __future__ import annotations

import re
from pathlib import Path

from platforms.mapping.check import check_files
from platforms.mapping.documents import read_document

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/how-to-add-a-platform.md").read_text()


def block(name: str) -> str:
    found = re.search(rf"^```yaml {name}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_worked_example() -> None:
    samples = read_document(block("samples"), field="samples")
    report = check_files(block("api_file"), block("mapping"), samples)
    assert [each.whole for each in report.findings if each.level != "note"] == []
    assert {name: run.fault for name, run in report.dry_runs.items()} == dict.fromkeys(samples)
    assert report.dry_runs["create_network"].known == {"network_id": "n-1"}
    assert [each["tenantid"] for each in report.dry_runs["list_tenants"].result["items"]] == ["11", "12"]


def test_what_it_points_at_is_there() -> None:
    for path in re.findall(r"`((?:platforms|docs)/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), path
