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
REFERENCE = re.compile(  # host[:port]/path[:tag]@sha256:…
    r"^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@(?P<digest>sha256:[0-9a-f]{64})$"
)
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
ONE_WAY = gettext_noop("An application is either packages with an entry, or an image.")
ENTRY_MISSING = gettext_noop("Packages need an entry: what is started with what.")
ONE_SOURCE = gettext_noop(
    "An image comes either from a registry (reference), or from an archive of the folder (archive)."
)
NOT_BY_DIGEST = kept(
    gettext_noop("The image has to be named with its registry and its digest, as in host/name@sha256:…: %(reference)s")
)
NO_SUM = gettext_noop("An archive is named with its SHA-256 (sha256), and a reference without.")
OWN_COMPILER = gettext_noop("An image brings the compiler that it needs; needs.compiler is for packages.")
NO_CPUS = gettext_noop("needs.cpus is for images; the processors of packages cannot be counted.")


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
    cpus: float = 1.0  # of images only


@dataclass(frozen=True)
class Image:
    """A container image: of a registry and pinned by its digest, or an archive in the folder, pinned by its SHA-256."""

    reference: str = ""
    archive: str = ""
    sha256: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """What it is held against."""
        return self.reference.partition("@")[2] if self.reference else f"sha256:{self.sha256}"

    @property
    def source(self) -> str:
        """Where it comes from, without the digest."""
        return self.reference.partition("@")[0] or self.archive

    @property
    def registry(self) -> str:
        return self.reference.partition("/")[0]


@dataclass(frozen=True)
class Manifest:
    """An application that can be installed. `digest` is of all files of its folder, so that a change is seen.

    It is packages with an entry, or an image; an archive of it counts by the hash that the manifest names.
    """

    name: str
    title: str
    version: str
    publisher: str
    licence: str
    homepage: str
    summaries: dict[str, str]
    gives: tuple[str, ...]
    needs: Needs
    folder: Path
    digest: str
    entry: tuple[str, ...] = ()
    python: str = ""
    npm: bool = False
    image: Image | None = None
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
    return [(path, at) for path, at in listed if stat.S_ISREG(at.st_mode)]


@functools.lru_cache(maxsize=64)
def _read(folder: Path, name: str, stamp: tuple[tuple[str, int, int], ...]) -> Manifest | str:
    """Read once for each state of the files; a sentence when it is not usable."""
    sizes = {Path(path).name: size for path, _time, size in stamp}
    if sizes.get("manifest.yaml", 0) > MOST_BYTES:
        return TOO_LARGE
    try:
        raw = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return NO_MANIFEST
    error = next(iter(sorted(SCHEMA.iter_errors(raw), key=str)), None)
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "manifest.yaml"
        return WRONG % {"place": place, "problem": error.message[:200]}
    archive = raw.get("image", {}).get("archive", "")
    if sum(size for file, size in sizes.items() if file != archive) > MOST_BYTES:
        return TOO_LARGE
    wanted = _problem_of_image(raw) if "image" in raw else _problem_of_packages(raw)
    if isinstance(wanted, str):
        return wanted
    for file in wanted:
        if file not in sizes:
            return NO_PLAIN_FILE % {"file": file}
    if raw["name"] != name:
        return OTHER_NAME
    python = raw.get("packages", {}).get("python")
    if python and (loose := unpinned((folder / python).read_text(errors="replace"))):
        return NOT_PINNED % {"package": loose[:100]}
    return manifest_of(raw, folder, _digest(folder, sorted({*sizes} - {archive})))


def manifest_of(raw: dict[str, Any], folder: Path, digest: str) -> Manifest:
    """What a manifest that was found right says."""
    packages, image = raw.get("packages", {}), raw.get("image")
    return Manifest(
        **{key: raw[key] for key in ("name", "title", "version", "publisher", "licence", "homepage")},
        summaries=raw["summary"],
        gives=tuple(raw["gives"]),
        needs=Needs(**raw["needs"]),
        folder=folder,
        digest=digest,
        entry=tuple(raw.get("entry", ())),
        python=packages.get("python", ""),
        npm="npm" in packages,
        image=image_of(image) if image is not None else None,
        raw=raw,
    )


def image_of(said: dict[str, Any]) -> Image:
    return Image(
        **{key: said.get(key, "") for key in ("reference", "archive", "sha256")},
        entrypoint=tuple(said.get("entrypoint", ())),
        command=tuple(said.get("command", ())),
    )


def _problem_of_packages(raw: dict[str, Any]) -> str | list[str]:
    """What is wrong with it; else the files that have to be there."""
    if "packages" not in raw:
        return ONE_WAY
    if "entry" not in raw:
        return ENTRY_MISSING
    if "cpus" in raw["needs"]:
        return NO_CPUS
    packages = raw["packages"]
    return [raw["entry"][1], *packages.values(), *(["package.json"] if "npm" in packages else [])]


def _problem_of_image(raw: dict[str, Any]) -> str | list[str]:
    """Likewise."""
    image = raw["image"]
    if "packages" in raw or "entry" in raw:
        return ONE_WAY
    if ("reference" in image) == ("archive" in image):
        return ONE_SOURCE
    if ("archive" in image) != ("sha256" in image):
        return NO_SUM
    if "reference" in image and not REFERENCE.match(image["reference"]):
        return NOT_BY_DIGEST % {"reference": image["reference"][:200]}
    if raw["needs"].get("compiler"):
        return OWN_COMPILER
    return [image["archive"]] if "archive" in image else []


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
