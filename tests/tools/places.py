"""Where the tests of the whole product are, so that `make test` finds them without loading all the others.

And which of them share a console or a browser, and so are run by one process. That is said by their names here: the
marks of xdist's own groups are lost with pytest 9.2 (it takes no other name for a test that is collected), and each
process started a console for itself.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = ("tests/stack", "tests/browser", "tests/chaos")
FILES = "test_*_browser.py"  # one room's pages in a browser: they lie with that room's other tests
SHARING = {  # two consoles, so that two can work at once
    "the pages of the product": re.compile(r"tests/browser/"),
    "the product": re.compile(
        r"tests/stack/test_(faults\.py|scenario\.py::test_on_the_embedded"
        r"|supervisor\.py::test_(a_second_start|what_dies)|seed\.py::test_without)"
    ),
    "the product on own machines": re.compile(r"tests/stack/test_own_machines\.py"),
    "the pages of a room": re.compile(r"tests/\w+/test_\w+_browser\.py"),
}


def of_the_whole_product() -> list[str]:
    files = (ROOT / "tests").rglob(FILES)
    return [*FOLDERS, *sorted(str(file.relative_to(ROOT)) for file in files if not is_in_a_folder(file))]


def is_in_a_folder(file: Path) -> bool:
    return any(ROOT / folder in file.parents for folder in FOLDERS)


def is_of_the_whole_product(file: Path) -> bool:
    return is_in_a_folder(file) or file.match(FILES)


def shared_by(nodeid: str) -> str:
    """The name of what the test shares with others; empty when it stands alone."""
    return next((name for name, tests in SHARING.items() if tests.match(nodeid)), "")
