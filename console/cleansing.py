"""What may be kept and shown: JSON that both databases take, without secrets.

PostgreSQL's jsonb refuses NUL characters, half surrogate pairs and numbers that are none, all of which a platform may
answer; SQLite takes them. So they are replaced before anything is written, and both behave alike.
"""

from __future__ import annotations

import math
import re
from typing import Any

from console.secrets import Sealed

SECRET_WORDS = ("password", "secret", "token", "tlscert", "private", "credential", "authorization", "cookie")
SECRET_NAMES = frozenset({"ak", "sk", "key", "keys", "api_key", "apikey", "x-api-key"})
SECRET_TEXTS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
OUR_TOKENS = re.compile(r"concord_[A-Za-z0-9_-]{43}")
DOTS = "••••••"
LOST = "\ufffd"


def storable(value: Any) -> Any:
    """Plain JSON, every text and number such that any database takes it."""
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, dict):
        return {_sound(str(name)): storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [storable(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int) else _sound(str(value))


def cleansed(value: Any, name: str = "") -> Any:
    """The same without secrets: known by the field's name, by their type, or by what they look like."""
    if isinstance(value, Sealed) or (_is_secret(name) and not isinstance(value, bool)):
        return DOTS if value else value if value is None else ""
    if isinstance(value, dict):
        return {_sound(str(key)): cleansed(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [cleansed(each, name) for each in value]
    value = storable(value)
    return OUR_TOKENS.sub(DOTS, SECRET_TEXTS.sub(DOTS, value)) if isinstance(value, str) else value


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in SECRET_NAMES or any(word in lowered for word in SECRET_WORDS)


def _sound(text: str) -> str:
    return text.replace("\x00", LOST).encode("utf-8", "replace").decode() if not _is_sound(text) else text


def _is_sound(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))
