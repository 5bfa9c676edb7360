"""The warehouse: manifests in folders, of this tree and of `APPLICATIONS_DIR`, read and checked."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import get_language, gettext_noop
from jsonschema import Draft202012Validator

from console.sentences import kept

HERE = Path(__file__).resolve().parent
OWN = HERE / "catalogue"
MOST_BYTES = 2 * 2**20  # of one folder; lock files are the most of it
SCHEMA = Draft202012Validator(json.loads((HERE / "schemas/manifest.json").read_text()))
PINNED = re.compile(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==[^\s;]+(\s*;[^\\]*?)?(\s--hash=sha256:[0-9a-f]{64})+$"
)

NO_MANIFEST = gettext_noop("The folder has no manifest.yaml that can be read as YAML.")
WRONG = kept(gettext_noop("The manifest is not right at %(place)s: %(problem)s"))
OTHER_NAME = gettext_noop("The folder is not named like the application.")
TWICE = gettext_noop("There is an application of this name already.")
NO_PLAIN_FILE = kept(gettext_noop("%(file)s is missing, or is not a plain file."))
TOO_LARGE = gettext_noop("The folder holds more than two megabytes.")
NOT_PINNED = kept(gettext_noop("Not every package has a version and a hash: %(package)s"))


class BadManifest(Exception):
    """The sentence says why."""


@dataclass(frozen=True)
class Needs:
    """What the application may use, all its processes together; CPU time and the size of a file are each process's."""

    compiler: bool = False
    seconds: int = 120
    cpu_seconds: int = 120
    memory_mb: int = 1024
    disk_mb: int = 64
    processes: int = 64


@dataclass(frozen=True)
class Manifest:
    """An application that can be installed. `digest` is of all files of its folder, so that a change is seen."""

    name: str
    title: str
    version: str
    publisher: str
    licence: str
    homepage: str
    summaries: dict[str, str]
    gives: tuple[str, ...]
    needs: Needs
    entry: tuple[str, str]
    folder: Path
    digest: str
    python: str = ""
    npm: bool = False
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """In the reader's language, as far as the publisher wrote it."""
        return self.summaries.get((get_language() or "en").lower()) or self.summaries["en"]

    @property
    def label(self) -> str:
        """Where it lives, beside other versions of it."""
        return f"{self.version}-{self.digest[:8]}"


@dataclass(frozen=True)
class Broken:
    """A folder of the warehouse that holds nothing usable, and why."""

    name: str
    problem: str


@dataclass(frozen=True)
class Warehouse:
    manifests: dict[str, Manifest]
    broken: list[Broken]


def warehouse() -> Warehouse:
    """All that can be installed, by name, and what is wrong with the rest. What stands in this tree comes first."""
    found: dict[str, Manifest] = {}
    broken: list[Broken] = []
    for folder in (*_folders(OWN), *_folders(settings.APPLICATIONS_DIR)):
        try:
            manifest = read(folder)
            if manifest.name in found:
                raise BadManifest(TWICE)
            found[manifest.name] = manifest
        except BadManifest as problem:
            broken.append(Broken(folder.name, str(problem)))
    return Warehouse(dict(sorted(found.items())), broken)


def _folders(place: Path | None) -> list[Path]:
    if place is None or not place.is_dir():
        return []
    return sorted(each for each in place.iterdir() if each.is_dir() and each.name[0] not in "._")


def read(folder: Path, name: str = "") -> Manifest:
    """The manifest of a folder, of the application `name` or of that which the folder is named like.

    BadManifest says what is wrong with it.
    """
    files = _files(folder)
    stamp = tuple((str(path), at.st_mtime_ns, at.st_size) for path, at in files)
    found = _read(folder, name or folder.name, stamp)
    if isinstance(found, str):
        raise BadManifest(found)
    return found


def _files(folder: Path) -> list[tuple[Path, Any]]:
    """Its plain files, nothing below; links and the like do not count."""
    try:
        listed = [(path, path.lstat()) for path in sorted(folder.iterdir())]
    except OSError:
        raise BadManifest(NO_MANIFEST) from None
    files = [(path, at) for path, at in listed if stat.S_ISREG(at.st_mode)]
    if sum(at.st_size for _path, at in files) > MOST_BYTES:
        raise BadManifest(TOO_LARGE)
    return files


@functools.lru_cache(maxsize=64)
def _read(folder: Path, name: str, stamp: tuple[tuple[str, int, int], ...]) -> Manifest | str:
    """Read once for each state of the files; a sentence when it is not usable."""
    try:
        raw = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return NO_MANIFEST
    error = next(iter(sorted(SCHEMA.iter_errors(raw), key=str)), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "manifest.yaml"
        return WRONG % {"place": place, "problem": error.message[:200]}
    names = {Path(path).name for path, _time, _size in stamp}
    packages = raw["packages"]
    wanted = [raw["entry"][1], *packages.values(), *(["package.json"] if "npm" in packages else [])]
    for file in wanted:
        if file not in names:
            return NO_PLAIN_FILE % {"file": file}
    if raw["name"] != name:
        return OTHER_NAME
    if "python" in packages and (loose := unpinned((folder / packages["python"]).read_text(errors="replace"))):
        return NOT_PINNED % {"package": loose[:100]}
    return Manifest(
        **{key: raw[key] for key in ("name", "title", "version", "publisher", "licence", "homepage")},
        summaries=raw["summary"],
        gives=tuple(raw["gives"]),
        needs=Needs(**raw["needs"]),
        entry=tuple(raw["entry"]),
        folder=folder,
        digest=_digest(folder, sorted(names)),
        python=packages.get("python", ""),
        npm="npm" in packages,
        raw=raw,
    )


def unpinned(requirements: str) -> str:
    """The first line that is not exactly one version with its hashes; pip's own options are none, either."""
    joined = re.sub(r"\s*\\\n\s*", " ", requirements)
    lines = (line.strip() for line in joined.splitlines())
    return next((line for line in lines if line and line[0] != "#" and not PINNED.match(line)), "")


def _digest(folder: Path, names: list[str]) -> str:
    total = hashlib.sha256()
    for name in names:
        content = (folder / name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()
