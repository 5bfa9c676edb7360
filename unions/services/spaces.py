"""What somebody asks for as an organization, read and checked before anything is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from console.errors import Invalid
from platforms.certificates import read_bundle
from platforms.models import Cloudtype, Platform, Tenant
from unions.addresses import read_nodelist
from unions.models import Category
from unions.names import read_name

SECRET_FIELDS = ("ak", "sk", "token", "tlscert")
TENANT_FIELDS = ("tenantid", "projectid", "ak", "sk", "token")
MAX_SECRET = 4096  # characters


@dataclass(frozen=True)
class SpaceRequest:
    """An organization as it was asked for: table 1, checked. Tenant fields or machines, never both."""

    name: str
    category: str
    oemtype: str = ""
    tenantid: str = ""
    tenantname: str = ""
    projectid: str = ""
    projectname: str = ""
    ak: str = ""
    sk: str = ""
    token: str = ""
    tlscert: str = ""
    tlscert_expires_at: str = ""  # ISO 8601
    nodelist: tuple[tuple[str, int], ...] = ()

    @cached_property
    def platform(self) -> Platform | None:
        """The same row for every question about this request: it may be official no more a moment later."""
        return Platform.objects.official().filter(oemtype=self.oemtype).first() if self.oemtype else None

    @property
    def certificate_expiry(self) -> datetime | None:
        return parse_datetime(self.tlscert_expires_at) if self.tlscert_expires_at else None

    def public(self) -> dict[str, Any]:
        """Everything but the secrets, as plain JSON."""
        fields = {name: value for name, value in asdict(self).items() if name not in SECRET_FIELDS}
        return {**fields, "nodelist": [{"ip": ip, "port": port} for ip, port in self.nodelist]}

    def secret(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in SECRET_FIELDS}

    @classmethod
    def restore(cls, public: dict[str, Any], secret: dict[str, str]) -> SpaceRequest:
        """The inverse of `public` and `secret`."""
        machines = tuple((machine["ip"], machine["port"]) for machine in public["nodelist"])
        return cls(**{**public, **secret, "nodelist": machines})


def read_space_request(data: Any, *, prefix: str = "") -> SpaceRequest:
    """Check an organization as a client sends it. Invalid names every wrong field, each behind `prefix`."""
    if not isinstance(data, dict):
        raise Invalid.field(prefix.rstrip("."), _("An object with name and category is needed."))
    reader = _Reader(data)
    name = reader.name()
    platform = reader.platform()
    category = reader.category(platform)
    fields: dict[str, Any] = {"name": name, "category": category}
    if category == Category.CLOUD:
        fields.update(reader.tenant(platform))
    elif category == Category.ON_PREM:
        fields.update(reader.machines(), oemtype=str(data.get("oemtype") or "").strip())
    if reader.errors:
        errors = {prefix + field: texts for field, texts in reader.errors.items()}
        raise Invalid(_("The organization has errors."), errors=errors)
    return SpaceRequest(**fields)


class _Reader:
    """Reads one request field by field and collects what is wrong, so that the user hears it all at once."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.errors: dict[str, list[str]] = {}

    def wrong(self, field: str, text: str) -> None:
        self.errors.setdefault(field, []).append(text)

    def text(self, field: str, limit: int, *, required: bool = False) -> str:
        value = self.data.get(field)
        if value is not None and not isinstance(value, str):
            self.wrong(field, _("A text is needed."))
            return ""
        value = (value or "").strip()
        if required and not value:
            self.wrong(field, _("This field is needed."))
        elif len(value) > limit:
            self.wrong(field, _("At most %(limit)s characters.") % {"limit": limit})
        elif "\x00" in value:
            self.wrong(field, _("Control characters are not allowed."))
        return value

    def name(self) -> str:
        try:
            return read_name(self.data.get("name"))
        except Invalid as problem:
            self.errors.update(problem.errors)
            return ""

    def platform(self) -> Platform | None:
        oemtype = self.text("oemtype", 60)
        if not oemtype:
            return Platform.objects.official().filter(is_default=True).first()
        platform = Platform.objects.official().filter(oemtype=oemtype).first()
        if platform is None:
            self.wrong("oemtype", _("No platform is registered under “%(oemtype)s”.") % {"oemtype": oemtype})
        return platform

    def category(self, platform: Platform | None) -> str:
        """The category as given, or as the platform is deployed (A2)."""
        given = self.data.get("category")
        if given in Category.values:
            return str(given)
        if given:
            self.wrong("category", _("Either cloud or on_prem."))
        elif platform is not None and platform.cloudtype != Cloudtype.BOTH:
            return platform.cloudtype
        else:
            self.wrong("category", _("Say whether the chain runs in a cloud (cloud) or on own machines (on_prem)."))
        return ""

    def tenant(self, platform: Platform | None) -> dict[str, Any]:
        """A tenant space: the id is checked against what the platform reports, the names come from there (A6)."""
        for field in ("nodelist", "tlscert"):
            if self.data.get(field):
                self.wrong(field, _("A cloud organization has a tenant, not machines: leave this empty."))
        tenantid = self.text("tenantid", 100, required=True)
        fields = {name: self.text(name, MAX_SECRET) for name in ("ak", "sk", "token")}
        if not (fields["ak"] and fields["sk"]) and not fields["token"]:
            missing = [name for name in ("ak", "sk") if not fields[name]]
            for name in missing:
                self.wrong(name, _("Access key and secret key are needed, or a token."))
        projectid = self.text("projectid", 100)
        if platform is None:
            if "oemtype" not in self.errors:
                self.wrong("oemtype", _("Name the platform that the tenant belongs to."))
            return {}
        tenant = self._known_tenant(platform, tenantid, projectid)
        return {
            **fields,
            "oemtype": platform.oemtype,
            "tenantid": tenantid,
            "tenantname": tenant.tenantname if tenant else "",
            "projectid": projectid or (tenant.projectid if tenant else ""),
            "projectname": tenant.projectname if tenant else "",
        }

    def _known_tenant(self, platform: Platform, tenantid: str, projectid: str) -> Tenant | None:
        if not tenantid or not platform.capability("list_tenants")[0]:
            return None
        tenant = Tenant.objects.filter(platform=platform, tenantid=tenantid).first()
        if tenant is None:
            self.wrong("tenantid", _("%(platform)s knows no tenant of this id.") % {"platform": platform.name})
        elif projectid and tenant.projectid and projectid != tenant.projectid:
            self.wrong("projectid", _("This project does not belong to the tenant."))
        return tenant

    def machines(self) -> dict[str, Any]:
        for field in TENANT_FIELDS:
            if self.data.get(field):
                self.wrong(field, _("An on-prem organization has machines, not a tenant: leave this empty."))
        fields: dict[str, Any] = {}
        try:
            fields["nodelist"] = tuple(read_nodelist(self.data.get("nodelist")))
        except Invalid as problem:
            self.errors.update(problem.errors)
        tlscert = self.data.get("tlscert")
        try:
            if not isinstance(tlscert, str) or not tlscert.strip():
                raise Invalid.field(
                    "tlscert", _("The TLS certificate is needed: client certificate, key and CA as PEM.")
                )
            bundle = read_bundle(tlscert)
            fields.update(tlscert=tlscert.strip() + "\n", tlscert_expires_at=bundle.expires_at.isoformat())
        except Invalid as problem:
            self.errors.update(problem.errors)
        return fields
