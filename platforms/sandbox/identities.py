"""Who may speak to the sandbox: its operator's key, ready tenants with keys, and a CA for on-prem organizations."""

from __future__ import annotations

import ipaddress
import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

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
CA_NAME = "Sandbox CA"
CLIENT_NAME = "On-prem department"
VALID_DAYS = 730


def ensure_identities(folder: Path, host: str = "127.0.0.1") -> None:
    """Make what is missing: `tenants.json`, `operator-key`, `tls/`, `onprem/`. Everything is private to its owner.

    The server's own certificate is made anew at every start, so that it never runs out and fits `host`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "tenants.json").exists():
        write_private(
            folder / "tenants.json", json.dumps([_tenant(n, name) for n, name in enumerate(TENANTS, 1)], indent=2)
        )
    if not (folder / "operator-key").exists():
        write_private(folder / "operator-key", f"op_{secrets.token_urlsafe(24)}")
    if not (folder / "tls/ca-key.pem").exists() or not (folder / "tls/ca.pem").exists():
        _make_authority(folder)
    authority = Authority(folder)
    if not (folder / "onprem/client.pem").exists():
        write_private(folder / "onprem/client.pem", authority.issue_client(CLIENT_NAME))
    write_private(folder / "tls/server.pem", authority.issue_server(host))


def read_tenants(folder: Path) -> list[dict[str, str]]:
    return json.loads((folder / "tenants.json").read_text())


def operator_key(folder: Path) -> str:
    return (folder / "operator-key").read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)


class Authority:
    """The sandbox's certificate authority: signs the server's and the on-prem organizations' certificates."""

    def __init__(self, folder: Path) -> None:
        key = serialization.load_pem_private_key((folder / "tls/ca-key.pem").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of the sandbox's CA is not of the kind that the sandbox makes")
        self._key = key
        self.certificate = (folder / "tls/ca.pem").read_text()

    def issue_client(
        self, common_name: str, *, start: datetime | None = None, lifetime: timedelta = timedelta(days=VALID_DAYS)
    ) -> str:
        """PEM text of a client certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _builder(common_name, key.public_key(), start, lifetime).add_extension(usage, critical=False)
        return _pem(self._sign(builder)) + _pem(key)

    def issue_server(self, host: str) -> str:
        """PEM text of the server's certificate and key, for the loopback address and `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        for address in {"127.0.0.1", host}:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(address)))
            except ValueError:
                names.append(x509.DNSName(address))
        builder = (
            _builder("Sandbox", key.public_key())
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        return _pem(self._sign(builder)) + _pem(key)

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _tenant(number: int, name: str) -> dict[str, str]:
    return {
        "tenantid": f"tenant-{number:02d}-{secrets.token_hex(4)}",
        "tenantname": name,
        "projectid": f"project-{number:02d}",
        "projectname": f"{name} project",
        "ak": f"AK{secrets.token_hex(10).upper()}",
        "sk": secrets.token_urlsafe(30),
    }


def _make_authority(folder: Path) -> None:
    """A new CA; what an older one signed is worth nothing any more."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(CA_NAME, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "onprem/client.pem").unlink(missing_ok=True)
    write_private(folder / "tls/ca-key.pem", _pem(key))
    write_private(folder / "tls/ca.pem", _pem(certificate))
    write_private(folder / "onprem/ca.pem", _pem(certificate))


def _builder(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    start: datetime | None = None,
    lifetime: timedelta = timedelta(days=VALID_DAYS),
) -> x509.CertificateBuilder:
    begin = start or datetime.now(UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CA_NAME)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _pem(thing: x509.Certificate | ec.EllipticCurvePrivateKey) -> str:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    form = serialization.PrivateFormat.PKCS8
    return thing.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
