"""The container engine for applications that are images: the one that the settings name, and how it is reached.

Imports the engine's library only when somebody asks for it: most processes never do.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy, gettext_noop

from console.errors import ConsoleError
from console.sentences import kept

if TYPE_CHECKING:
    from platforms.hosts.engine import Registry
    from platforms.hosts.runs import Runs

TLS_FILES = ("cert.pem", "key.pem", "ca.pem")  # as Docker itself calls them
HUB = ("docker.io", "https://index.docker.io/v1/")  # the registry that clients know by another name

NONE = gettext_noop("No container engine is named for applications (APPLICATIONS_ENGINE).")
NO_ADDRESS = kept(
    gettext_noop("APPLICATIONS_ENGINE is no address of an engine, unix:///path or tcp://host:port: %(found)s")
)
NO_TLS = gettext_noop(
    "An engine that is reached by tcp:// needs APPLICATIONS_ENGINE_TLS: a folder with ca.pem, cert.pem and key.pem."
)
NO_FILE = kept(gettext_noop("%(file)s of APPLICATIONS_ENGINE_TLS cannot be read: %(problem)s"))
NO_AUTH = kept(gettext_noop("APPLICATIONS_REGISTRY_AUTH cannot be read as Docker's config.json: %(problem)s"))

OTHER_CONTENT = kept(gettext_noop("%(file)s has another SHA-256 than the manifest names: %(found)s"))
OTHER_DIGEST = kept(gettext_noop("What the registry has given for %(reference)s has another digest."))
NO_ARCHIVE = kept(
    gettext_noop("%(file)s is not in the warehouse of this machine, and the engine does not have its image.")
)


class NoEngine(ConsoleError):
    status, code, title = 409, "no_engine", gettext_lazy("There is no container engine for applications")


def address() -> str:
    """As the settings name it; empty when they name none."""
    return str(settings.APPLICATIONS_ENGINE)


def engine(*, seconds: float = 0) -> Runs:
    """The engine, met when it is first asked something; NoEngine when the settings are no way to one.

    `seconds` is the patience for each answer, for who must not wait long.
    """
    if not address():
        raise NoEngine(NONE)
    found = urlsplit(address())
    if found.scheme == "unix" and found.path:
        return _here(found.path, seconds)
    try:
        port = found.port
    except ValueError:
        port = None
    if found.scheme != "tcp" or not found.hostname or port is None:
        raise NoEngine(NO_ADDRESS % {"found": address()[:200]})
    return _there(found.hostname, port, _certificates(), seconds)


def _certificates() -> str:
    folder = settings.APPLICATIONS_ENGINE_TLS
    if folder is None:
        raise NoEngine(NO_TLS)
    texts = []
    for name in TLS_FILES:
        try:
            texts.append((folder / name).read_text())
        except (OSError, ValueError) as problem:
            words = {"file": name, "problem": getattr(problem, "strerror", None) or str(problem)}
            raise NoEngine(NO_FILE % words) from None
    return "\n".join(texts)


@functools.lru_cache(maxsize=4)
def _here(path: str, seconds: float) -> Runs:
    from platforms.hosts.connection import CALL_SECONDS, connect_here
    from platforms.hosts.runs import Runs

    return Runs(f"unix://{path}", connect_here(path, seconds=seconds or CALL_SECONDS))


@functools.lru_cache(maxsize=4)
def _there(host: str, port: int, tlscert: str, seconds: float) -> Runs:
    from platforms.hosts.connection import CALL_SECONDS, connect, knock
    from platforms.hosts.runs import Runs

    client = connect(host, port, tlscert, allow_private=True, seconds=seconds or CALL_SECONDS)
    return Runs(f"{host}:{port}", client, knocking=lambda: knock(host, port, tlscert))


def credentials_for(registry: str) -> Registry:
    """Who we are at this registry, and at no other: from a file as `docker login` writes it."""
    from platforms.hosts.engine import Registry

    path = settings.APPLICATIONS_REGISTRY_AUTH
    if path is None:
        return Registry()
    try:
        said = json.loads(Path(path).read_text())["auths"]
        names = HUB if registry == HUB[0] else (registry, f"https://{registry}", f"https://{registry}/v1/")
        for name in names:
            if name in said:
                return Registry(*_who(said[name]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise NoEngine(NO_AUTH % {"problem": reason}) from None  # never its content
    return Registry()


def _who(said: dict[str, str]) -> tuple[str, str]:
    if "auth" not in said:
        return said["username"], said["password"]
    try:
        username, _colon, password = base64.b64decode(said["auth"], validate=True).decode().partition(":")
    except binascii.Error:
        raise ValueError from None
    return username, password
