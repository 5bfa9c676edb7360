"""A platform, the versions of its files, and the tenants that it reports.

The state is the two areas of the registration: `staged` and `checking` are the staging area, `official` is the
official one; `refused` keeps the reason, `retired` the history.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import User
from console.secrets import SealedField
from console.sentences import told


class PlatformKind(models.TextChoices):
    MAPPED = "mapped", _("Mapped")
    EVM = "evm", _("EVM, native")
    FABRIC = "fabric", _("Fabric, native")


class Cloudtype(models.TextChoices):
    CLOUD = "cloud", _("Cloud")
    ON_PREM = "on_prem", _("On-prem")
    BOTH = "both", _("Cloud and on-prem")


class Kernel(models.TextChoices):
    FABRIC = "fabric", "Fabric"
    QUORUM = "quorum", "Quorum"
    BESU = "besu", "Besu"
    ETHEREUM = "ethereum", "Ethereum"


class PlatformState(models.TextChoices):
    STAGED = "staged", _("Staged")
    CHECKING = "checking", _("Being checked")
    OFFICIAL = "official", _("Official")
    REFUSED = "refused", _("Refused")
    RETIRED = "retired", _("Retired")


ENDED_PLATFORM_STATES = (PlatformState.REFUSED, PlatformState.RETIRED)


class Health(models.TextChoices):
    UP = "up", _("Up")
    DEGRADED = "degraded", _("Degraded")
    DOWN = "down", _("Down")
    UNKNOWN = "unknown", _("Unknown")


class PlatformQuerySet(models.QuerySet["Platform"]):
    def visible_to(self, user: User) -> PlatformQuerySet:
        """Administrators and auditors see all; everybody else the official ones."""
        if user.is_administrator or user.is_auditor:
            return self
        return self.official()

    def official(self) -> PlatformQuerySet:
        return self.filter(state=PlatformState.OFFICIAL)

    def live(self) -> PlatformQuerySet:
        """What holds its oemtype: official, or on the way to it."""
        return self.exclude(state__in=ENDED_PLATFORM_STATES)


class Platform(ConcurrentTransitionMixin, models.Model):
    """A registered blockchain platform; `oemtype` is its slug and what unions name it by."""

    oemtype = models.SlugField(_("oemtype"), max_length=60)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=PlatformKind)
    cloudtype = models.CharField(_("cloudtype"), max_length=20, choices=Cloudtype, default=Cloudtype.CLOUD)
    kernel = models.CharField(_("kernel"), max_length=20, choices=Kernel, blank=True, default="")
    base_url = models.URLField(_("address"), max_length=300)
    on_prem_base_url = models.URLField(_("address for on-prem organizations"), max_length=300, blank=True)
    credentials = SealedField(blank=True, null=True)  # JSON of a PartyCredential
    ca_certificate = models.TextField(_("certificate authority"), blank=True)  # PEM; whom the console trusts there
    state = FSMField(_("state"), default=PlatformState.STAGED, choices=PlatformState.choices, protected=True)
    is_default = models.BooleanField(_("default platform"), default=False)
    reason = models.TextField(_("reason"), blank=True)  # why it was refused
    capabilities = models.JSONField(default=dict)  # operation -> {supported, reason}, as the driver declared
    organization_fields = models.JSONField(default=dict, blank=True)  # of a resource space -> what to type, as mapped
    version = models.ForeignKey("PlatformVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    health = models.CharField(_("health"), max_length=20, choices=Health, default=Health.UNKNOWN)
    health_detail = models.CharField(max_length=500, blank=True)
    health_at = models.DateTimeField(null=True, blank=True)
    platform_version = models.CharField(_("version"), max_length=100, blank=True)
    certificate_expires_at = models.DateTimeField(_("certificate expires"), null=True, blank=True)  # the server's own
    certificate_warned_at = models.DateTimeField(null=True, blank=True)
    client_certificate_expires_at = models.DateTimeField(_("client certificate expires"), null=True, blank=True)  # ours
    client_certificate_warned_at = models.DateTimeField(null=True, blank=True)
    registered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("registered"), default=timezone.now)
    revision = models.PositiveIntegerField(default=1)  # grows with every change; the driver cache's key

    objects = PlatformQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["oemtype"],
                name="platform_oemtype_once",
                condition=~models.Q(state__in=[PlatformState.REFUSED, PlatformState.RETIRED]),
            ),
            models.UniqueConstraint(
                fields=["is_default"],
                name="platform_one_default",
                condition=models.Q(is_default=True, state=PlatformState.OFFICIAL),
            ),
            models.CheckConstraint(name="platform_state_known", condition=models.Q(state__in=PlatformState.values)),
            models.CheckConstraint(
                name="platform_official_has_version",
                condition=~models.Q(state=PlatformState.OFFICIAL)
                | ~models.Q(kind=PlatformKind.MAPPED)
                | models.Q(version__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(state, source=PlatformState.STAGED, target=PlatformState.CHECKING)
    def check_in(self) -> None:
        """The registration flow has begun."""

    @transition(state, source=PlatformState.CHECKING, target=PlatformState.OFFICIAL)
    def accept(self) -> None:
        self.reason = ""

    @transition(state, source=[PlatformState.STAGED, PlatformState.CHECKING], target=PlatformState.REFUSED)
    def refuse(self, reason: str) -> None:
        self.reason = reason

    @transition(state, source=PlatformState.OFFICIAL, target=PlatformState.RETIRED)
    def retire(self) -> None:
        self.is_default = False

    def capability(self, operation: str) -> tuple[bool, str]:
        """Whether the platform can do the operation, and if not the reason that users are told."""
        found = self.capabilities.get(operation) or {}
        if found.get("supported"):
            return True, ""
        reason = told(str(found.get("reason") or ""))
        return False, reason or str(_("The platform does not offer this operation."))


class PlatformVersion(models.Model):
    """One version of the files that say how a mapped platform is spoken to."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    api_file = models.TextField()
    mapping = models.TextField()
    samples = models.JSONField(default=dict, blank=True)
    findings = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["platform", "-number"]
        constraints = [models.UniqueConstraint(fields=["platform", "number"], name="platform_version_once")]

    def __str__(self) -> str:
        return f"{self.platform} v{self.number}"


class Tenant(models.Model):
    """A tenant that the platform reports: what a tenant id is checked against and its name resolved from."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="tenants")
    tenantid = models.CharField(max_length=100)
    tenantname = models.CharField(max_length=200, blank=True)
    projectid = models.CharField(max_length=100, blank=True)
    projectname = models.CharField(max_length=200, blank=True)
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["tenantname"]
        constraints = [models.UniqueConstraint(fields=["platform", "tenantid"], name="tenant_once_per_platform")]

    def __str__(self) -> str:
        return self.tenantname or self.tenantid
