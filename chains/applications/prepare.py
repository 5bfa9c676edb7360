"""Commands of a build, run by `cell` as a program of its own: lay out an application's folder, mark it as complete.

    python -I prepare.py begin SOURCE HOME
    python -I prepare.py done HOME DIGEST

The mark is written last: a folder without it is half a build, and is begun anew.
"""

import json
import os
import shutil
import sys
from pathlib import Path

MARK = "installed.json"


def begin(source: Path, home: Path) -> None:
    if home.exists():
        shutil.rmtree(home)
    (home / "app").mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and not path.is_symlink():
            shutil.copyfile(path, home / "app" / path.name)
            if path.name in ("package.json", "package-lock.json"):
                shutil.copyfile(path, home / path.name)


def done(home: Path, digest: str) -> None:
    (home / MARK).write_text(json.dumps({"digest": digest}))


if __name__ == "__main__":
    os.umask(0o022)  # whoever it runs as later can read it
    verb, place, other = sys.argv[1:]
    if verb == "begin":
        begin(Path(place), Path(other))
    else:
        done(Path(place), other)
