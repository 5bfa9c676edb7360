"""Reading what an on-prem organization hands over: one PEM text with client certificate, key and authority."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.utils import timezone
from django.utils.translation import gettext as _

from console.errors import Invalid

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
MAX_LENGTH = 64 * 1024  # characters


@dataclass(frozen=True)
class TlsBundle:
    """What was found in a PEM bundle."""

    subject: str
    expires_at: datetime


def read_bundle(text: str, *, field: str = "tlscert") -> TlsBundle:
    """Check a PEM bundle: a client certificate in force, its private key, unencrypted. Invalid names what is wrong."""
    if len(text) > MAX_LENGTH:
        raise Invalid.field(field, _("This is too long for a certificate: at most 64 KiB of PEM text."))
    keys, certificates = _blocks(text, field)
    if not certificates:
        raise Invalid.field(
            field, _("No certificate found: paste the PEM text of the client certificate, its key and the CA.")
        )
    if len(keys) != 1:
        raise Invalid.field(
            field,
            _("Exactly one private key is needed, the client certificate's; found %(count)s.") % {"count": len(keys)},
        )
    public = keys[0].public_key()
    own = next((each for each in certificates if each.public_key() == public), None)
    if own is None:
        raise Invalid.field(field, _("The private key belongs to none of the certificates."))
    now = timezone.now()
    if own.not_valid_after_utc <= now:
        raise Invalid.field(
            field, _("The certificate expired on %(day)s.") % {"day": own.not_valid_after_utc.date().isoformat()}
        )
    if own.not_valid_before_utc > now:
        raise Invalid.field(
            field,
            _("The certificate is not valid before %(day)s.") % {"day": own.not_valid_before_utc.date().isoformat()},
        )
    return TlsBundle(subject=own.subject.rfc4514_string(), expires_at=own.not_valid_after_utc)


def _blocks(text: str, field: str) -> tuple[list[PrivateKeyTypes], list[x509.Certificate]]:
    keys: list[PrivateKeyTypes] = []
    certificates: list[x509.Certificate] = []
    for match in _BLOCK.finditer(text):
        block = match.group(0).encode()
        try:
            if match.group(1) == "CERTIFICATE":
                certificates.append(x509.load_pem_x509_certificate(block))
            elif match.group(1).endswith("PRIVATE KEY"):
                keys.append(serialization.load_pem_private_key(block, password=None))
        except (ValueError, TypeError) as problem:
            raise Invalid.field(
                field,
                _("A PEM block cannot be read (%(kind)s): it is damaged or encrypted.") % {"kind": match.group(1)},
            ) from problem
    return keys, certificates
