"""The build of the third-party front end: which icons are found, when it is current, what it leaves out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from console import frontend


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one template and one module that name icons."""
    for name in frontend.PACKAGES:
        (tmp_path / name).write_text("{}")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(
        '{% icon "server-2" %}{% include "components/empty.html" with icon="link" %}{% icon entry.icon %}'
    )
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "frame.py").write_text(
        'STATE_ICONS = {"done": "check", "failed": "x"}\nFLOWS_ICON = "list-check"\n'
        'add_entry(Entry("Inbox", "unions:inbox", "inbox", 20))\nHit("a", "b", "/c", icon="user")\nword = "other"\n'
    )
    return tmp_path


SVG = """<svg xmlns="http://www.w3.org/2000/svg" class="a">
  <path stroke="none" d="M0 0h24v24H0z" fill="none"/>
  <path d="M1 1h2" />
</svg>"""


@pytest.fixture
def npm_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `npm` on the PATH that installs prepared packages and counts its runs: the registry is not asked here."""
    packages, runs = tmp_path / "packages", tmp_path / "npm-runs"
    for source in (*frontend.FILES, *frontend.LICENCES):
        (packages / source).parent.mkdir(parents=True, exist_ok=True)
        (packages / source).write_text("a{}\n/*# sourceMappingURL=tabler.min.css.map */\n//# sourceMappingURL=x.js.map")
    icons = packages / "@tabler" / "icons" / "icons" / "outline"
    icons.mkdir(parents=True)
    for name in ("server-2", "link", "check", "x", "list-check", "inbox", "user"):
        (icons / f"{name}.svg").write_text(SVG)
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" >> {runs}\ncp -r {packages} node_modules\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    runs.write_text("")
    return runs


def test_icons_are_found_where_they_are_named(project: Path) -> None:
    assert frontend.icon_names(project) == ["check", "inbox", "link", "list-check", "server-2", "user", "x"]


def test_a_build_is_made_once_and_again_when_something_changes(project: Path, tmp_path: Path, npm_runs: Path) -> None:
    vendor = tmp_path / "vendor"
    assert frontend.build(root=project, vendor=vendor).built
    assert not frontend.build(root=project, vendor=vendor).built
    assert len(npm_runs.read_text().splitlines()) == 1
    assert "--ignore-scripts" in npm_runs.read_text()
    (vendor / "tabler.min.js").write_text("changed by hand")
    assert frontend.build(root=project, vendor=vendor).built
    (project / "package-lock.json").write_text('{"another": "version"}')
    (vendor / "left-over.js").write_text("from an older build")
    assert frontend.build(root=project, vendor=vendor).built
    assert not (vendor / "left-over.js").exists()


def test_only_named_files_are_taken_and_source_maps_are_cut(project: Path, tmp_path: Path, npm_runs: Path) -> None:
    vendor = tmp_path / "vendor"
    frontend.build(root=project, vendor=vendor)
    manifest = json.loads((vendor / frontend.MANIFEST).read_text())
    assert set(manifest["files"]) == {*frontend.FILES.values(), *frontend.LICENCES.values(), frontend.SPRITE}
    assert "sourceMappingURL" not in (vendor / "tabler.min.css").read_text()
    sprite = (vendor / frontend.SPRITE).read_text()
    assert '<symbol id="server-2" viewBox="0 0 24 24"><path d="M1 1h2" /></symbol>' in sprite


def test_an_unknown_icon_is_an_error_and_leaves_the_old_build(project: Path, tmp_path: Path, npm_runs: Path) -> None:
    vendor = tmp_path / "vendor"
    frontend.build(root=project, vendor=vendor)
    before = (vendor / frontend.MANIFEST).read_text()
    (project / "templates" / "page.html").write_text('{% icon "no-such-thing" %}')
    with pytest.raises(frontend.BuildError, match="no-such-thing"):
        frontend.build(root=project, vendor=vendor)
    assert (vendor / frontend.MANIFEST).read_text() == before


def test_when_npm_fails_the_error_says_what_it_said(project: Path, tmp_path: Path, npm_runs: Path) -> None:
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\necho no such version >&2\nexit 1\n")
    with pytest.raises(frontend.BuildError, match="no such version"):
        frontend.build(root=project, vendor=tmp_path / "vendor")
