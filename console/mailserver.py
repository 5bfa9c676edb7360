"""Where mail goes out: one address in the environment (`EMAIL_URL`), read into what Django's mail backends want."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BACKENDS = "django.core.mail.backends"
KNOWN = "smtp://user:password@host:587?tls=yes, smtps://user:password@host, file:///folder, or console:"
YES = ("yes", "true", "1", "on")
PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True)
class MailServer:
    """How mail leaves. Without a backend of its own the console sends none."""

    backend: str = f"{BACKENDS}.dummy.EmailBackend"
    enabled: bool = False
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    folder: str = ""
    sender: str = ""


def sender_at(public_url: str) -> str:
    """Who writes when nobody says: the console, at its own name. Mail servers take no bare IP address for one."""
    host = urlsplit(public_url).hostname or ""
    return f"Concord <concord@{host if any(letter.isalpha() for letter in host) and ':' not in host else 'localhost'}>"


def read_mail_url(url: str, *, data_dir: Path, sender: str) -> MailServer:
    """The mail server that `url` names; none for an empty one. `sender` is who writes, unless `?from=` says so."""
    if not url.strip():
        return MailServer(sender=sender)
    parts = urlsplit(url.strip())
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    sender = options.get("from", sender)
    if parts.scheme == "console":
        return MailServer(f"{BACKENDS}.console.EmailBackend", enabled=True, sender=sender)
    if parts.scheme == "file":
        folder = unquote(parts.path) or str(data_dir / "mail")
        return MailServer(f"{BACKENDS}.filebased.EmailBackend", enabled=True, folder=folder, sender=sender)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ImproperlyConfigured(f"EMAIL_URL is none that the console knows. Write one of: {KNOWN}.")
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError as problem:
        raise ImproperlyConfigured("The port in EMAIL_URL is no number from 1 to 65535.") from problem
    return MailServer(
        f"{BACKENDS}.smtp.EmailBackend",
        enabled=True,
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp" and options.get("tls", "").lower() in YES,
        tls=parts.scheme == "smtps",
        sender=sender,
    )
