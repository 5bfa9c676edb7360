"""Who may speak to the sandbox: its operator's key, ready tenants with keys, and a CA for on-prem organizations."""

from __future__ import annotations

import ipaddress
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TENANTS = (
    "Tax Bureau",
    "Housing Bureau",
    "Social Insurance Bureau",
    "Civil Affairs Bureau",
    "Public Security Bureau",
    "Health Commission",
    "Education Bureau",
    "Provincial Tax Service",
    "Provincial Housing Service",
)
VALID_DAYS = 730


def ensure_identities(folder: Path) -> None:
    """Make what is missing: `tenants.json`, `operator-key`, `tls/`, `onprem/`. Everything is private to its owner."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "tenants.json").exists():
        _write(folder / "tenants.json", json.dumps([_tenant(n, name) for n, name in enumerate(TENANTS, 1)], indent=2))
    if not (folder / "operator-key").exists():
        _write(folder / "operator-key", f"op_{secrets.token_urlsafe(24)}")
    if not (folder / "onprem/client.pem").exists():
        _make_certificates(folder)


def read_tenants(folder: Path) -> list[dict[str, str]]:
    return json.loads((folder / "tenants.json").read_text())


def operator_key(folder: Path) -> str:
    return (folder / "operator-key").read_text().strip()


def _tenant(number: int, name: str) -> dict[str, str]:
    return {
        "tenantid": f"tenant-{number:02d}-{secrets.token_hex(4)}",
        "tenantname": name,
        "projectid": f"project-{number:02d}",
        "projectname": f"{name} project",
        "ak": f"AK{secrets.token_hex(10).upper()}",
        "sk": secrets.token_urlsafe(30),
    }


def _make_certificates(folder: Path) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Sandbox CA", ca_key.public_key(), ca_key, "Sandbox CA", authority=True)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _certificate("Sandbox", server_key.public_key(), ca_key, "Sandbox CA", server=True)
    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _certificate("On-prem department", client_key.public_key(), ca_key, "Sandbox CA")
    _write(folder / "tls/server.pem", _pem(server) + _pem(server_key))
    _write(folder / "tls/ca.pem", _pem(ca))
    _write(folder / "onprem/ca.pem", _pem(ca))
    _write(folder / "onprem/client.pem", _pem(client) + _pem(client_key))


def _certificate(
    name: str, public_key: Any, ca_key: Any, ca_name: str, *, authority: bool = False, server: bool = False
) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ca_name)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if authority:
        builder = builder.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
        )
    else:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if server:
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), loopback]), critical=False
        )
    return builder.sign(ca_key, hashes.SHA256())


def _pem(thing: Any) -> str:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    form = serialization.PrivateFormat.PKCS8
    return thing.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text)
