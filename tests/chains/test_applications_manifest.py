"""Manifests of images: what is taken, and what is wrong with the others, in words that name it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chains.applications.manifest import MOST_BYTES, BadManifest, Manifest, read
from console.environment import ROOT
from tests.chains.images import image_application
from tests.chains.programs import application

DIGEST = "sha256:" + "a1" * 32
REFERENCE = f"registry.example:5000/tools/ruler@{DIGEST}"


def made(folder: Path, image: dict[str, Any], **changes: Any) -> Manifest:
    return read(image_application(folder, image, **changes))


def test_an_image_is_named_by_its_registry_and_its_digest(tmp_path: Path) -> None:
    found = made(tmp_path, {"reference": REFERENCE, "entrypoint": ["/bin/ruler"], "command": ["--all"]})
    assert found.image is not None
    assert (found.image.source, found.image.registry) == ("registry.example:5000/tools/ruler", "registry.example:5000")
    assert (found.image.digest, found.image.entrypoint, found.image.command) == (DIGEST, ("/bin/ruler",), ("--all",))
    assert (found.entry, found.needs.cpus, found.needs.memory_mb) == ((), 1, 64)


def test_an_archive_counts_by_the_hash_that_the_manifest_names(tmp_path: Path) -> None:
    """It may be large; the rest of the folder may not."""
    home = image_application(tmp_path, {"archive": "ruler.tar", "sha256": "0" * 64})
    with (home / "ruler.tar").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    first = read(home)
    assert first.image is not None
    assert (first.image.source, first.image.digest) == ("ruler.tar", f"sha256:{'0' * 64}")
    (home / "README").write_text("changed")
    assert read(home).digest != first.digest
    with (home / "other.tar").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BadManifest, match="more than two megabytes"):
        read(home)


@pytest.mark.parametrize(
    ("image", "changes", "words"),
    [
        ({}, {}, "either from a registry"),
        ({"reference": REFERENCE, "archive": "a.tar", "sha256": "0" * 64}, {}, "either from a registry"),
        ({"reference": "registry.example/tools/ruler:1.0"}, {}, "its digest, as in host/name@sha256:…: registry"),
        ({"reference": f"ruler@{DIGEST}"}, {}, "with its registry and its digest"),
        ({"reference": REFERENCE[:-1]}, {}, "with its registry and its digest"),
        ({"reference": f"-v/ruler@{DIGEST}"}, {}, "with its registry and its digest"),
        ({"archive": "ruler.tar"}, {}, "SHA-256"),
        ({"reference": REFERENCE, "sha256": "0" * 64}, {}, "SHA-256"),
        ({"archive": "../ruler.tar", "sha256": "0" * 64}, {}, "image/archive"),
        ({"archive": "ruler.tar", "sha256": "0" * 64}, {}, "ruler.tar is missing"),
        ({"reference": REFERENCE, "command": []}, {}, "image/command"),
        ({"reference": REFERENCE, "privileged": True}, {}, "privileged"),
        ({"reference": REFERENCE}, {"entry": ["python", "adapter.py"]}, "either packages with an entry, or an image"),
        ({"reference": REFERENCE}, {"packages": {}}, "either packages with an entry, or an image"),
        ({"reference": REFERENCE}, {"needs": {"compiler": True}}, "brings the compiler"),
        ({"reference": REFERENCE}, {"needs": {"cpus": 0}}, "needs/cpus"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(
    tmp_path: Path, image: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadManifest) as refused:
        made(tmp_path, image, **changes)
    assert words in str(refused.value)


def test_packages_are_held_to_what_is_theirs(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match=r"needs\.cpus is for images"):
        read(application(tmp_path, needs={"cpus": 1}))
    home = application(tmp_path)
    whole = (home / "manifest.yaml").read_text()
    (home / "manifest.yaml").write_text(whole.replace("packages: {}\n", ""))
    with pytest.raises(BadManifest, match="either packages with an entry, or an image"):
        read(home)
    entry = "entry:\n- python\n- adapter.py\n"
    assert entry in whole
    (home / "manifest.yaml").write_text(whole.replace(entry, ""))
    with pytest.raises(BadManifest, match="Packages need an entry"):
        read(home)


def test_the_documentations_example_is_a_manifest() -> None:
    found = read(ROOT / "docs/examples/slither-image")
    assert found.image is not None
    assert (found.image.registry, found.gives) == ("registry.example", ("contract-scan",))
