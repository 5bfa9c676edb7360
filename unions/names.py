"""Names that people give to organizations and unions: one line, one spelling of the spaces."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from console.errors import Invalid

MAX_NAME = 200  # characters
MAX_KEY = 240


def read_name(value: Any, *, field: str = "name") -> str:
    """The name with single spaces; Invalid when it is no text, empty, too long, or holds control characters."""
    if not isinstance(value, str):
        raise Invalid.field(field, _("A text is needed."))
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in value.strip()):
        raise Invalid.field(field, _("Line breaks and control characters are not allowed."))
    name = " ".join(value.split())
    if not name or len(name) > MAX_NAME:
        raise Invalid.field(field, _("A name of 1 to 200 characters is needed."))
    return name


def key_of(name: str) -> str:
    """What two names have in common that people take for the same: case, width and accents' spelling do not count.

    Databases differ in what they fold (SQLite knows ASCII only), so the key is worked out here and stored.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    key = " ".join(folded.split())
    if len(key) <= MAX_KEY:
        return key
    return f"{key[:200]}{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def plain_name(text: str) -> str:
    """What somebody else calls a thing, made fit to be a name here: one line, at most 200 characters; maybe empty."""
    letters = (letter if unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp") else " " for letter in text)
    return " ".join("".join(letters).split())[:MAX_NAME].strip()
