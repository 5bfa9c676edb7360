"""Reading what an administrator says about a platform: every field judged, all that is wrong named at once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from console.errors import ConsoleError, Invalid, NotSupported
from platforms.certificates import public_certificates, read_authorities, read_bundle
from platforms.drivers.base import PartyCredential
from platforms.drivers.evm.observed import observed
from platforms.mapping.apifile import ApiFile
from platforms.mapping.samples import read_samples
from platforms.mapping.secrets import secret_names
from platforms.mapping.template import Template
from platforms.models import Cloudtype, Kernel, PlatformKind

MAX_ADDRESS = 300
MAX_ID = 200  # characters of a network's id
MAX_NETWORKS = 500  # taken over at once
MAX_SECRET = 10_000
NATIVE_KERNELS = (Kernel.ETHEREUM, Kernel.QUORUM, Kernel.BESU)
RESERVED = frozenset({"check", "dry-run", "new", "schema", "studio"})  # addresses under /platforms/
CREDENTIALS = tuple(each.name for each in fields(PartyCredential) if each.name != "category")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NEEDED = {
    "basic": ("username", "password"),
    "aws-sigv4": ("ak", "sk"),
    "huawei-aksk": ("ak", "sk"),
    "mtls": ("tlscert",),
    "oauth2-client": ("username", "password"),
}
_STANDS_FOR = {"username": "ak", "password": "sk"}


@dataclass(frozen=True)
class Setup:
    """How a platform is reached and spoken to."""

    name: str
    cloudtype: str
    kernel: str
    base_url: str
    on_prem_base_url: str = ""
    ca_certificate: str = ""
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    api_file: str = field(default="", repr=False)
    mapping: str = field(default="", repr=False)
    samples: dict[str, Any] = field(default_factory=dict, repr=False)
    is_default: bool = False

    @property
    def row(self) -> dict[str, Any]:
        """The columns of the platform's row, apart from files and default."""
        wanted = ("name", "cloudtype", "kernel", "base_url", "on_prem_base_url", "ca_certificate")
        secret = json.dumps(self.credentials) if self.credentials else None
        return {**{name: getattr(self, name) for name in wanted}, "credentials": secret}


@dataclass(frozen=True)
class Registration:
    oemtype: str
    kind: str
    setup: Setup
    network_ids: tuple[str, ...] = ()  # to be taken over once the platform is official


def read_registration(given: Mapping[str, Any]) -> Registration:
    """A whole registration. Invalid names every field that is wrong; NotSupported what is not to be had yet."""
    _refuse_later(given)
    reader = _Reader(given)
    oemtype = reader.oemtype()
    kind = given.get("kind", PlatformKind.MAPPED)
    if kind not in PlatformKind.values:
        reader.wrong("kind", _("One of: %(values)s.") % {"values": ", ".join(PlatformKind.values)})
    native = kind == PlatformKind.EVM
    setup = reader.native_setup() if native else reader.setup()
    network_ids = reader.observed_networks() if native else reader.network_ids()
    reader.finish()
    return Registration(oemtype, kind, setup, tuple(network_ids))


def read_network_ids(given: Any) -> list[str]:
    """Each id once; Invalid when one is no text of 1 to 200 printable characters, or they are too many."""
    if not isinstance(given, list | tuple):
        raise Invalid.field("network_ids", _("A list of network ids is expected."))
    ids = list(dict.fromkeys(each.strip() if isinstance(each, str) else "" for each in given))
    if len(ids) > MAX_NETWORKS:
        raise Invalid.field("network_ids", _("At most %(limit)s networks at once.") % {"limit": MAX_NETWORKS})
    if any(not each or len(each) > MAX_ID or not each.isprintable() for each in ids):
        raise Invalid.field("network_ids", _("A network id is a text of 1 to 200 printable characters."))
    return ids


def read_setup(given: Mapping[str, Any], *, before: Setup, kind: str = PlatformKind.MAPPED) -> Setup:
    """The setup after a change: what is not given stays as it was, each credential by itself (empty: dropped)."""
    merged = {**asdict(before), **given}
    if isinstance(given.get("credentials"), Mapping):
        merged["credentials"] = {**before.credentials, **given["credentials"]}
    reader = _Reader(merged)
    setup = reader.native_setup() if kind == PlatformKind.EVM else reader.setup()
    reader.finish()
    return setup


def _refuse_later(given: Mapping[str, Any]) -> None:
    kind = given.get("kind", PlatformKind.MAPPED)
    if kind == PlatformKind.FABRIC:
        words = _(
            "Platforms without a management plane (native %(kind)s) are not supported yet. "
            "Register a platform that has one, with its API file and a mapping."
        )
        raise NotSupported.field("kind", words % {"kind": kind})


def client_certificate_end(setup: Setup) -> datetime | None:
    """When the certificate ends that the console shows the platform as its own; None where it shows none."""
    text = setup.credentials.get("tlscert", "")
    if not text or not any(scheme["kind"] == "mtls" for _party, scheme in Template.parse(setup.mapping).schemes()):
        return None
    return next((each.expires_at for each in public_certificates(text) if each.is_own), None)


def credentials_wanted(template: Template) -> tuple[str, ...]:
    """The fields of the platform's own credential that the mapping's authentication needs."""
    found = {name for party, scheme in template.schemes() if party in ("", "platform") for name in _needed_by(scheme)}
    return tuple(name for name in CREDENTIALS if name in found)


def _needed_by(scheme: dict[str, Any]) -> tuple[str, ...]:
    """The fields of a credential that an authentication scheme needs."""
    if scheme["kind"] in ("bearer", "apiKey"):
        return (str(scheme.get("token", "token")),)
    if scheme["kind"] == "login":
        return tuple(secret_names(scheme["steps"]))
    return _NEEDED.get(scheme["kind"], ())


class _Reader:
    """Collects the errors of all fields."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.errors: dict[str, list[str]] = {}

    def wrong(self, name: str, text: str) -> None:
        self.errors.setdefault(name, []).append(text)

    def finish(self) -> None:
        if self.errors:
            raise Invalid(_("The platform's data have errors."), errors=self.errors)

    def setup(self) -> Setup:
        template = self._files()
        setup = Setup(
            name=self._name(),
            cloudtype=self._choice("cloudtype", Cloudtype.values, Cloudtype.CLOUD),
            kernel=self._choice("kernel", ["", *Kernel.values], ""),
            base_url=self._address("base_url", needed=True),
            on_prem_base_url=self._address("on_prem_base_url", needed=False),
            ca_certificate=self._authority(),
            credentials=self._credentials(),
            api_file=self._text("api_file"),
            mapping=self._text("mapping"),
            samples=self._samples(),
            is_default=bool(self.given.get("is_default", False)),
        )
        if template is not None:
            self._fit_schemes(template, setup)
        return setup

    def native_setup(self) -> Setup:
        """A platform without a management plane: nothing is called but the organizations' own machines.

        Its credentials, if there are any, open the registry that the nodes' images are pulled from.
        """
        for name in ("base_url", "on_prem_base_url", "ca_certificate", "api_file", "mapping", "samples"):
            if self.given.get(name):
                self.wrong(name, _("A native platform has no management plane: leave this empty."))
        kernel = self._choice("kernel", list(NATIVE_KERNELS), "")
        if not kernel and "kernel" not in self.errors:
            self.wrong("kernel", _("One of: %(values)s.") % {"values": ", ".join(NATIVE_KERNELS)})
        if self._choice("cloudtype", Cloudtype.values, Cloudtype.ON_PREM) != Cloudtype.ON_PREM:
            self.wrong("cloudtype", _("A native platform builds on organizations' own machines: on_prem."))
        return Setup(
            name=self._name(),
            cloudtype=Cloudtype.ON_PREM,
            kernel=kernel,
            base_url="",
            credentials=self._credentials(),
            is_default=bool(self.given.get("is_default", False)),
        )

    def oemtype(self) -> str:
        value = str(self.given.get("oemtype") or "").strip()
        if not _SLUG.fullmatch(value) or len(value) > 60:
            self.wrong("oemtype", _("Small letters, digits and single hyphens, at most 60, for example “acme-cloud”."))
        elif value in RESERVED:
            self.wrong("oemtype", _("This word is an address of the console; choose another one."))
        return value

    def network_ids(self) -> list[str]:
        """Networks to take over; the mapping has to say how they are read."""
        ids = self._tried(lambda: read_network_ids(self.given.get("network_ids") or [])) or []
        template = None if "mapping" in self.errors else Template.parse(self._text("mapping"))
        if ids and template and not {"get_network", "list_networks"} & set(template.interfaces):
            self.wrong("network_ids", _("The mapping says neither how to list networks nor how to read one."))
        return ids

    def observed_networks(self) -> list[str]:
        """Chains that run already, by their nodes' addresses, to be taken over."""
        ids = self._tried(lambda: read_network_ids(self.given.get("network_ids") or [])) or []
        if any(observed(each) is None for each in ids):
            words = _("Write a chain that runs already as its number and its nodes: 1337@10.0.0.5:8545,10.0.0.6:8545")
            self.wrong("network_ids", words)
        return ids

    # --- fields -----------------------------------------------------------------------------------------------------

    def _name(self) -> str:
        value = " ".join(str(self.given.get("name") or "").split())
        if not value or len(value) > 200 or not value.isprintable():
            self.wrong("name", _("A name of 1 to 200 characters is needed."))
        return value

    def _choice(self, name: str, values: list[str], default: str) -> str:
        value = self.given.get(name, default)
        value = default if value is None else str(value)
        if value not in values:
            self.wrong(name, _("One of: %(values)s.") % {"values": ", ".join(filter(None, values))})
        return value

    def _address(self, name: str, *, needed: bool) -> str:
        value = str(self.given.get(name) or "").strip().rstrip("/")
        if not value and not needed:
            return ""
        problem = _problem_of_address(value)
        if problem:
            self.wrong(name, problem)
        return value

    def _authority(self) -> str:
        value = str(self.given.get("ca_certificate") or "").strip()
        if value:
            self._tried(lambda: read_authorities(value))
        return f"{value}\n" if value else ""

    def _credentials(self) -> dict[str, str]:
        given = self.given.get("credentials")
        if given is None or given == "":
            return {}
        if not isinstance(given, Mapping):
            self.wrong("credentials", _("An object is expected, with %(names)s.") % {"names": ", ".join(CREDENTIALS)})
            return {}
        found: dict[str, str] = {}
        for name, value in given.items():
            if name not in CREDENTIALS:
                known = ", ".join(CREDENTIALS)
                self.wrong(
                    f"credentials.{name}", _("There is no such credential; there is %(names)s.") % {"names": known}
                )
            elif not isinstance(value, str) or len(value) > MAX_SECRET:
                self.wrong(f"credentials.{name}", _("A text of at most %(limit)s characters.") % {"limit": MAX_SECRET})
            elif name == "tlscert":
                if value.strip():
                    self._tried(lambda text=value: read_bundle(text, field="credentials.tlscert"))
                    found[name] = value
            elif not value.strip().isprintable():
                self.wrong(f"credentials.{name}", _("One line of printable characters is expected."))
            elif value.strip():
                found[name] = value.strip()
        return found

    def _text(self, name: str) -> str:
        """A file's text; a client may send JSON as it is."""
        value = self.given.get(name)
        return json.dumps(value) if isinstance(value, Mapping) else str(value or "")

    def _files(self) -> Template | None:
        """The parsed mapping, when both files can be read."""
        for name in ("api_file", "mapping"):
            if not self._text(name).strip():
                self.wrong(
                    name, _("This file is needed: the platform's API file and a mapping say how it is spoken to.")
                )
        if "api_file" not in self.errors:
            self._tried(lambda: ApiFile.parse(self._text("api_file")))
        return None if "mapping" in self.errors else self._tried(lambda: Template.parse(self._text("mapping")))

    def _samples(self) -> dict[str, Any]:
        value = self.given.get("samples") or {}
        self._tried(lambda: read_samples(value))
        return dict(value) if isinstance(value, Mapping) else {}

    def _tried(self, read: Any) -> Any:
        """What a reader gives; what it refuses is kept, by field."""
        try:
            return read()
        except ConsoleError as problem:
            for name, texts in problem.errors.items():
                for text in texts:
                    self.wrong(name, text)
            return None

    # --- what belongs together ----------------------------------------------------------------------------------------

    def _fit_schemes(self, template: Template, setup: Setup) -> None:
        """Addresses and credentials that the mapping's authentication needs."""
        for name, address in template.addresses.items():
            if problem := _problem_of_address(address.rstrip("/")):
                self.wrong("mapping", f"addresses.{name}: {problem}")
        registered = {
            "default": ("base_url", setup.base_url),
            "on_prem": ("on_prem_base_url", setup.on_prem_base_url),
        }
        for party, scheme in template.schemes():
            for key in ("address", "tokenAddress"):
                field_name, address = registered.get(scheme.get(key, "default"), ("", ""))
                if field_name and not address and field_name not in self.errors:
                    self.wrong(field_name, _("The mapping's authentication calls this address; it is needed."))
            if scheme["kind"] == "mtls":
                self._fit_certificate(scheme.get("address", "default"), template, registered)
            if party in ("", "platform"):
                self._fit_credential(scheme, setup.credentials)

    def _fit_certificate(self, name: str, template: Template, registered: dict[str, tuple[str, str]]) -> None:
        """Without TLS nobody can show a certificate."""
        field_name, address = registered.get(name) or ("mapping", template.addresses[name])
        if address and not address.startswith("https://"):
            place = f"addresses.{name}: " if field_name == "mapping" else ""
            self.wrong(field_name, place + _("A client certificate can be shown to an https:// address only."))

    def _fit_credential(self, scheme: dict[str, Any], given: dict[str, str]) -> None:
        if "credentials" in self.errors:
            return
        for name in _needed_by(scheme):
            place = f"credentials.{name}"
            if not given.get(name) and not given.get(_STANDS_FOR.get(name, name)) and place not in self.errors:
                words = _("The mapping's authentication (%(kind)s) needs this credential.")
                self.wrong(place, words % {"kind": scheme["kind"]})


def _problem_of_address(value: str) -> str:
    """Why this is no address for a platform; empty when it is one."""
    example = _("Write it as https://platform.example:8443 or http://10.0.0.5:8080.")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return _("This is no address, or its port is none.") + " " + example
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _("An address that starts with http:// or https:// is needed.") + " " + example
    if parts.username is not None or parts.password is not None:
        return _("Name and password do not belong into the address; give them as credentials.")
    if parts.query or parts.fragment or "?" in value or "#" in value:
        return _("The address ends before “?” and “#”; parameters belong into the mapping.")
    if port == 0:
        return _("Port 0 is none.") + " " + example
    if len(value) > MAX_ADDRESS:
        return _("At most %(limit)s characters.") % {"limit": MAX_ADDRESS}
    if re.search(r"[\s\\<>\"'{}|^`]", value) or not value.isascii() or "/../" in f"{parts.path}/":
        return _("There are characters in it that no address has.") + " " + example
    return ""
