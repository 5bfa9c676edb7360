"""Where a credential's fields meet a request: by name, at the last moment, never in a template or a record."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from console.errors import PlatformRefused
from platforms.drivers.base import PartyCredential
from platforms.http import Outgoing
from platforms.mapping.secrets import Secret

SHORTEST = 8  # characters; a shorter word cannot be told from the platform's own words in an answer
NAMES = ("ak", "username")  # they say who we are; what they open stays shut
_STANDS_FOR = {"username": "ak", "password": "sk"}


def secret_of(credential: PartyCredential, name: str) -> str:
    """The credential's field; PlatformRefused when it is empty.

    An organization's resource space knows `ak`, `sk`, `token` and `tlscert` only, so user name and password stand in
    `ak` and `sk` there.
    """
    found = (getattr(credential, name) or getattr(credential, _STANDS_FOR.get(name, name))).strip()
    if not found:
        words = _("The credential for this platform has no “%(name)s”. Add it and try again.") % {"name": name}
        raise PlatformRefused(words, code="credential_incomplete")
    return found


def filled(request: Outgoing, credential: PartyCredential) -> Outgoing:
    """The request with the credential's fields where the template named them by `$secret`."""
    taken: list[tuple[str, str]] = []

    def fill(value: Any) -> Any:
        if isinstance(value, Secret):
            taken.append((value.name, _made(value, credential)))
            return taken[-1][1]
        if isinstance(value, dict):
            return {key: fill(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(fill(each) for each in value)
        return value

    query, headers, body = fill(request.query), fill(request.headers), fill(request.body)
    if not taken:
        return request
    hidden = (text for name, text in taken if name not in NAMES)
    return with_secrets(replace(request, query=query, headers=headers, body=body), *hidden)


def with_secrets(request: Outgoing, *texts: str) -> Outgoing:
    """The request, remembering what must not come back in its answer."""
    worth = tuple(text for text in texts if len(text) >= SHORTEST)
    return replace(request, secrets=(*request.secrets, *worth)) if worth else request


def derived_password(secret: str, label: str) -> str:
    """A password that only the owner of `secret` can make again: 24 characters with capital, small letter and digit.

    `printf %s LABEL | openssl dgst -sha256 -hmac SECRET`, its first 21 characters behind `Aa1`.
    """
    return "Aa1" + hmac.new(secret.encode(), label.encode(), hashlib.sha256).hexdigest()[:21]


def _made(place: Secret, credential: PartyCredential) -> str:
    text = secret_of(credential, place.name)
    return derived_password(text, place.label) if place.label else text
