"""Where the tests of the whole product are, so that `make test` finds them without loading all the others."""

from __future__ import annotations

from pathlib import Path

from console.environment import ROOT

FOLDERS = ("tests/stack", "tests/browser", "tests/chaos")
FILES = "test_*_browser.py"  # one room's pages in a browser: they lie with that room's other tests


def of_the_whole_product() -> list[str]:
    files = (ROOT / "tests").rglob(FILES)
    return [*FOLDERS, *sorted(str(file.relative_to(ROOT)) for file in files if not is_in_a_folder(file))]


def is_in_a_folder(file: Path) -> bool:
    return any(ROOT / folder in file.parents for folder in FOLDERS)


def is_of_the_whole_product(file: Path) -> bool:
    return is_in_a_folder(file) or file.match(FILES)
