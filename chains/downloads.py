"""Connection files as they are downloaded: one zip, or one of its parts."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from pathlib import Path

from django.http import HttpResponse

from chains.services.downloads import ConnectionFiles

FOLDER = Path(__file__).parent / "sdk"
PARTS = {
    "connection": "connection.json",
    "addresses": "address-book.json",
    "python": "client.py",
    "javascript": "client.mjs",
    "readme": "README.txt",
}


def texts(files: ConnectionFiles) -> dict[str, str]:
    """Every file by its name. Examples are left out for a chain that the gateway does not serve."""
    made = {
        PARTS["connection"]: json.dumps(files.connection, indent=1, ensure_ascii=False) + "\n",
        PARTS["addresses"]: json.dumps(files.address_book, indent=1, ensure_ascii=False) + "\n",
    }
    if files.connection["gateway"] is None:
        return made
    return made | {name: _example(name) for name in ("client.py", "client.mjs", "README.txt")}


def zipped(files: ConnectionFiles) -> bytes:
    """All of them in one folder, named after chain and organization."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts(files).items():
            archive.writestr(f"{folder_of(files)}/{name}", text)
    return made.getvalue()


def folder_of(files: ConnectionFiles) -> str:
    return f"{files.blockchain}-{files.orgcode}"


def zip_answer(files: ConnectionFiles) -> HttpResponse:
    """The zip, as a file to be saved."""
    answer = HttpResponse(zipped(files), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{folder_of(files)}.zip"'
    answer["Cache-Control"] = "no-store"
    return answer


@functools.cache
def _example(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
