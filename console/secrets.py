"""Secrets sealed at rest: a model field that encrypts, a value that does not show itself.

Encryption is Fernet (AES-128-CBC with HMAC-SHA256, github.com/fernet/spec) with rotating keys:
the first key seals, every key opens. `Sealed` hides its text from repr, logs and templates;
only `reveal()` gives it back, and whoever shows it to a person records that in the audit log.
"""

from __future__ import annotations

import functools
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute


class Sealed:
    """A secret text that prints as dots."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "••••••" if self._text else ""

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret does not leave the process")

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealed:
        return self  # it never changes


@functools.lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def box() -> MultiFernet:
    """The sealing keys in force."""
    return _box(tuple(settings.SEALING_KEYS))


def is_newly_sealed(token: str) -> bool:
    """Whether the newest key opens it."""
    try:
        Fernet(settings.SEALING_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def seal(text: str) -> str:
    return box().encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """The text of a sealed token; ImproperlyConfigured when no key opens it."""
    try:
        return box().decrypt(token.encode()).decode()
    except InvalidToken as problem:
        raise ImproperlyConfigured(
            "No sealing key opens this secret: was a key removed before `rotate_secrets`?"
        ) from problem


class SealedAttribute(DeferredAttribute):
    """Turns a plain text into `Sealed` the moment it is assigned, so that no instance ever carries it in clear."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SealedField(models.TextField):
    """A text column that holds ciphertext only. Reads as `Sealed`; accepts `Sealed` or str; cannot be searched."""

    descriptor_class = SealedAttribute

    def from_db_value(self, value: str | None, *args: Any) -> Sealed | None:
        return None if value is None else Sealed(unseal(value) if value else "")

    def to_python(self, value: Any) -> Sealed | None:
        return value if value is None or isinstance(value, Sealed) else Sealed(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        text = value.reveal() if isinstance(value, Sealed) else str(value)
        return seal(text) if text else ""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in {"isnull", "exact"}:
            raise TypeError("Sealed fields cannot be searched")
        return super().get_lookup(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        return ""  # dumps and exports never carry secrets

    def formfield(self, **kwargs: Any) -> None:  # type: ignore[override]
        return None  # no form shows a secret or writes one past its service
