"""PEM texts: who we are at a platform (client certificate, key, authority in one text), and whom we trust there."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.utils.translation import gettext as _

from console.errors import Invalid, PlatformRefused

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
MAX_LENGTH = 64 * 1024  # characters


@dataclass(frozen=True)
class TlsBundle:
    """What was found in a PEM text of a client certificate."""

    subject: str
    expires_at: datetime


def read_bundle(text: str, *, field: str = "tlscert") -> TlsBundle:
    """Check a PEM bundle: a client certificate in force, its private key, unencrypted. Invalid names what is wrong."""
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
    own = _own(keys[0], certificates)
    if own is None:
        raise Invalid.field(field, _("The private key belongs to none of the certificates."))
    _refuse_out_of_force(own, field)
    return TlsBundle(subject=own.subject.rfc4514_string(), expires_at=own.not_valid_after_utc)


@dataclass(frozen=True)
class PublicCertificate:
    """One certificate of a bundle, which everybody may know. Never a key."""

    is_own: bool  # the one that the bundle's key belongs to; the others are authorities
    subject: str
    issuer: str
    serial: str  # hexadecimal
    starts_at: datetime
    expires_at: datetime
    fingerprint: str  # SHA-256, hexadecimal
    pem: str


def public_certificates(text: str) -> list[PublicCertificate]:
    """The certificates of a bundle that was checked when it came in, the own one first; an empty text has none."""
    keys, certificates = _blocks(text, "tlscert")
    own = _own(keys[0], certificates) if keys else None
    made = [
        PublicCertificate(
            is_own=each is own,
            subject=each.subject.rfc4514_string(),
            issuer=each.issuer.rfc4514_string(),
            serial=f"{each.serial_number:x}",
            starts_at=each.not_valid_before_utc,
            expires_at=each.not_valid_after_utc,
            fingerprint=each.fingerprint(hashes.SHA256()).hex(),
            pem=_pem(each),
        )
        for each in certificates
    ]
    return sorted(made, key=lambda each: not each.is_own)


def read_authorities(text: str, *, field: str = "ca_certificate") -> datetime:
    """Check a PEM text of authorities: when the first of them expires. Invalid names what is wrong."""
    keys, certificates = _blocks(text, field)
    if keys:
        raise Invalid.field(field, _("This holds a private key. Only the certificate of the authority is needed."))
    if not certificates:
        raise Invalid.field(field, _("No certificate found: paste the PEM text of the authority."))
    for each in certificates:
        _refuse_out_of_force(each, field)
    return min(each.not_valid_after_utc for each in certificates)


def tls_context(tlscert: str, ca_certificate: str) -> ssl.SSLContext:
    """Whom we trust and who we are. PlatformRefused when the texts, checked when they came in, no longer fit."""
    if not ca_certificate.strip() and not tlscert.strip():
        return _usual_context()
    context = ssl.create_default_context()
    try:
        if ca_certificate.strip():
            context.load_verify_locations(cadata=ca_certificate)
        if tlscert.strip():
            _be(context, tlscert)
    except (Invalid, ssl.SSLError, ValueError) as problem:
        words = _("A certificate for this platform cannot be used: %(problem)s") % {"problem": problem}
        raise PlatformRefused(words, code="certificate_unusable") from problem
    return context


def end_of_certificate(shown: bytes | None) -> datetime | None:
    """Until when a certificate holds that a server has shown (DER); None for what cannot be read."""
    try:
        return x509.load_der_x509_certificate(shown).not_valid_after_utc if shown else None
    except ValueError:
        return None


@functools.cache
def _usual_context() -> ssl.SSLContext:
    """The system's authorities and no identity of ours, for every platform that needs no more: reading them is slow."""
    return ssl.create_default_context()


def _be(context: ssl.SSLContext, tlscert: str) -> None:
    """Our own certificate first, as OpenSSL wants it; what else the bundle holds are authorities."""
    keys, certificates = _blocks(tlscert, "tlscert")
    own = _own(keys[0], certificates) if keys else None
    for each in certificates:
        if each is not own:
            context.load_verify_locations(cadata=_pem(each))
    if own is None:
        return
    chain = [own, *(each for each in certificates if each is not own and each.issuer != each.subject)]
    with _private_file("".join(map(_pem, chain)) + _key_pem(keys[0])) as path:
        context.load_cert_chain(path)


def _own(key: PrivateKeyTypes, certificates: list[x509.Certificate]) -> x509.Certificate | None:
    public = key.public_key()
    return next((each for each in certificates if each.public_key() == public), None)


def _blocks(text: str, field: str) -> tuple[list[PrivateKeyTypes], list[x509.Certificate]]:
    if len(text) > MAX_LENGTH:
        raise Invalid.field(field, _("This is too long for a certificate: at most 64 KiB of PEM text."))
    keys: list[PrivateKeyTypes] = []
    certificates: list[x509.Certificate] = []
    for match in _BLOCK.finditer(text):
        block = match.group(0).encode()
        try:
            if match.group(1) == "CERTIFICATE":
                certificates.append(_readable(x509.load_pem_x509_certificate(block)))
            elif match.group(1).endswith("PRIVATE KEY"):
                keys.append(serialization.load_pem_private_key(block, password=None))
        except UnsupportedAlgorithm as problem:
            raise Invalid.field(
                field,
                _("A PEM block uses an algorithm that is not supported (%(kind)s): take RSA, EC or Ed25519.")
                % {"kind": match.group(1)},
            ) from problem
        except (ValueError, TypeError) as problem:
            raise Invalid.field(
                field,
                _("A PEM block cannot be read (%(kind)s): it is damaged or encrypted.") % {"kind": match.group(1)},
            ) from problem
    return keys, certificates


def _readable(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate, once all that is asked of it later can be read: the library reads lazily."""
    certificate.public_key()
    certificate.subject.rfc4514_string()
    certificate.issuer.rfc4514_string()
    return certificate


def _refuse_out_of_force(certificate: x509.Certificate, field: str) -> None:
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc <= now:
        day = certificate.not_valid_after_utc.date().isoformat()
        raise Invalid.field(field, _("The certificate expired on %(day)s.") % {"day": day})
    if certificate.not_valid_before_utc > now:
        day = certificate.not_valid_before_utc.date().isoformat()
        raise Invalid.field(field, _("The certificate is not valid before %(day)s.") % {"day": day})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: PrivateKeyTypes) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@contextlib.contextmanager
def _private_file(text: str) -> Iterator[str]:
    """A file that only we can read, gone when the block ends; OpenSSL takes keys from files only."""
    descriptor, path = tempfile.mkstemp(prefix="tls-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        yield path
    finally:
        os.unlink(path)
