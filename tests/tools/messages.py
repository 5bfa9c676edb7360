"""Is every text of the product in the Chinese catalogue, translated, and with the same placeholders?"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

from console.environment import ROOT

CATALOGUE = ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
SHOWN = 20
# What makemessages shall not read: what others wrote, and what tests say.
IGNORED = ("var/*", "static/*", "tests/*", "bench/*", ".venv/*", "node_modules/*", "deploy/*", "docs/*")


def faults_of_messages() -> str:
    """Everything that is wrong with the catalogue, in words; empty when it is complete."""
    catalogue = polib.pofile(str(CATALOGUE))
    faults = [f"not translated: {entry.msgid!r}" for entry in catalogue.untranslated_entries()]
    faults += [f"fuzzy: {entry.msgid!r}" for entry in catalogue.fuzzy_entries()]
    faults += [fault for entry in catalogue.translated_entries() for fault in _broken_placeholders(entry)]
    faults += _not_extracted(catalogue)
    more = f"\n… and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return "\n".join(faults[:SHOWN]) + more


def _broken_placeholders(entry: polib.POEntry) -> list[str]:
    wanted = set(PLACEHOLDER.findall(entry.msgid))
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    plural = wanted | set(PLACEHOLDER.findall(entry.msgid_plural)) if entry.msgid_plural else wanted
    return [
        f"other placeholders than in {entry.msgid!r}: {text!r}"
        for text in texts
        if set(PLACEHOLDER.findall(text)) not in (wanted, plural)
    ]


def _not_extracted(catalogue: polib.POFile) -> list[str]:
    """Texts that the code has now and the catalogue has not, or the other way round."""
    if shutil.which("xgettext") is None:
        print("translations: new texts are not looked for, gettext is missing")
        return []
    with tempfile.TemporaryDirectory() as folder:
        fresh = polib.pofile(str(_extract(Path(folder))))
    have = {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}
    want = {(entry.msgctxt, entry.msgid) for entry in fresh if not entry.obsolete}
    return [f"new in the code: {msgid!r}" for _, msgid in sorted(want - have, key=str)] + [
        f"no longer in the code: {msgid!r}" for _, msgid in sorted(have - want, key=str)
    ]


def _extract(folder: Path) -> Path:
    """makemessages on a copy, so that checking changes nothing."""
    copy = folder / "copy"
    copy.mkdir()
    for name in ("console", "platforms", "unions", "chains", "templates", "manage.py", "locale"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        elif source.exists():
            shutil.copy(source, copy / name)
    ignored = [word for pattern in IGNORED for word in ("--ignore", pattern)]
    command = [sys.executable, "manage.py", "makemessages", "--locale", "zh_Hans", "--no-obsolete", *ignored]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    return copy / CATALOGUE.relative_to(ROOT)


if __name__ == "__main__":
    answer = faults_of_messages()
    print(answer or "complete")
    sys.exit(1 if answer else 0)
