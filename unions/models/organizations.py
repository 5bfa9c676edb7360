"""Organizations of one shape for cloud and on-prem users, and the resource space that each is bound to (table 1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import Flow, User
from console.secrets import SealedField
from platforms.models import Platform
from unions.names import MAX_KEY, key_of


class Category(models.TextChoices):
    CLOUD = "cloud", _("Cloud")
    ON_PREM = "on_prem", _("On-prem")


class OrganizationState(models.TextChoices):
    REGISTERED = "registered", _("Registered")
    CLOSED = "closed", _("Closed")  # it has ended; its row stays as history
    PLACEHOLDER = "placeholder", _("Placeholder")  # found on a platform; nobody here speaks for it until it is claimed


class SpaceKind(models.TextChoices):
    TENANT = "tenant", _("Tenant space")
    PHYSICAL = "physical", _("Physical resource set")
    RELEASED = "released", _("Released")  # of an organization that is closed: nothing is bound to it any more
    FOUND = "found", _("Found on the platform")  # of a placeholder: what the platform says, bound to nobody


class MemberRole(models.TextChoices):
    ADMINISTRATOR = "administrator", _("Administrator")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, user: User) -> OrganizationQuerySet:
        """Everyone signed in may know who takes part: an invitation needs a name. Details are a matter of policy."""
        return self if user.is_authenticated else self.none()

    def registered(self) -> OrganizationQuerySet:
        """Those that somebody speaks for: no placeholders, and none that is closed."""
        return self.filter(state=OrganizationState.REGISTERED)

    def of_user(self, user: User, *roles: MemberRole) -> OrganizationQuerySet:
        """Organizations that the user belongs to, in one of the roles if any are named."""
        memberships = Membership.objects.filter(user=user)
        if roles:
            memberships = memberships.filter(role__in=roles)
        return self.filter(pk__in=memberships.values("organization_id"))


class Organization(models.Model):
    """A department or company; `orgcode` is assigned by this console.

    A placeholder stands for a member of a network that was taken over and that nobody here is known to be. It has no
    users, cannot vote or be invited, and is gone once the rightful organization has claimed it.
    """

    orgcode = models.CharField(_("orgcode"), max_length=40, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=MAX_KEY, unique=True, editable=False)
    category = models.CharField(_("category"), max_length=20, choices=Category)
    state = models.CharField(
        _("standing"), max_length=20, choices=OrganizationState, default=OrganizationState.REGISTERED
    )
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")
    created_at = models.DateTimeField(_("registered"), default=timezone.now)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="organization_category_known", condition=models.Q(category__in=Category.values)
            ),
            models.CheckConstraint(
                name="organization_state_known", condition=models.Q(state__in=OrganizationState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = f"#{self.orgcode}" if self.is_closed else key_of(self.name)  # others may have the name then
        super().save(*args, **kwargs)

    @property
    def is_closed(self) -> bool:
        return self.state == OrganizationState.CLOSED

    @property
    def is_placeholder(self) -> bool:
        return self.state == OrganizationState.PLACEHOLDER


def default_quota_nodes() -> int | None:
    """How many nodes a new space may hold; None: as many as it likes."""
    return settings.QUOTA_NODES or None


def default_quota_chains() -> int | None:
    """In how many chains a new space may take part; None: in as many as it likes."""
    return settings.QUOTA_CHAINS or None


class ResourceSpace(models.Model):
    """Where an organization's nodes live: a tenant of a platform, or machines of its own. Bound to one organization.

    A quota of None is no limit.
    """

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="space")
    kind = models.CharField(_("kind"), max_length=20, choices=SpaceKind)
    platform = models.ForeignKey(Platform, null=True, blank=True, on_delete=models.PROTECT, related_name="spaces")
    tenantid = models.CharField(_("tenant id"), max_length=100, blank=True)
    tenantname = models.CharField(_("tenant name"), max_length=200, blank=True)
    projectid = models.CharField(_("project id"), max_length=100, blank=True)
    projectname = models.CharField(_("project name"), max_length=200, blank=True)
    ak = SealedField(null=True, blank=True)
    sk = SealedField(null=True, blank=True)
    token = SealedField(null=True, blank=True)
    tlscert = SealedField(null=True, blank=True)
    tlscert_expires_at = models.DateTimeField(_("certificate expires"), null=True, blank=True)
    tlscert_warned_at = models.DateTimeField(null=True, blank=True)
    quota_nodes = models.PositiveIntegerField(_("node quota"), null=True, blank=True, default=default_quota_nodes)
    quota_chains = models.PositiveIntegerField(_("chain quota"), null=True, blank=True, default=default_quota_chains)

    class Meta:
        ordering = ["organization__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "tenantid"],
                name="tenant_space_bound_once",
                condition=models.Q(kind=SpaceKind.TENANT),
            ),
            models.UniqueConstraint(
                fields=["platform", "tenantid"],
                name="placeholder_once_per_tenant",
                condition=models.Q(kind=SpaceKind.FOUND) & ~models.Q(tenantid=""),
            ),
            models.CheckConstraint(
                name="space_shape",
                condition=(models.Q(kind=SpaceKind.TENANT) & ~models.Q(tenantid=""))
                | models.Q(kind=SpaceKind.PHYSICAL, tenantid="", tenantname="", projectid="", projectname="")
                | models.Q(kind=SpaceKind.FOUND, platform__isnull=False)
                | models.Q(kind=SpaceKind.RELEASED, platform__isnull=True, tenantid="", tenantname="", projectid=""),
            ),
        ]

    def __str__(self) -> str:
        return self.tenantname or self.tenantid or str(self.organization)

    def release(self) -> None:
        """Nothing is bound to it any more, and nothing opens it."""
        self.kind, self.platform = SpaceKind.RELEASED, None
        self.tenantid = self.tenantname = self.projectid = self.projectname = ""
        self.ak = self.sk = self.token = self.tlscert = None
        self.tlscert_expires_at = self.tlscert_warned_at = None


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def held(self) -> ReservationQuerySet:
        """Places that are kept free; what is in use already is counted by what is there."""
        return self.filter(in_use=False)


class Reservation(models.Model):
    """Places in a space that a flow has been promised, from its planning until it ends.

    Once what they were kept for is written down (`in_use`), that is what counts.
    """

    space = models.ForeignKey(ResourceSpace, on_delete=models.PROTECT, related_name="reservations")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="reservations")
    nodes = models.PositiveIntegerField(_("nodes"))
    chains = models.PositiveIntegerField(_("chains"))
    in_use = models.BooleanField(_("in use"), default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["flow", "space"], name="reservation_once_per_flow_and_space")]

    def __str__(self) -> str:
        return f"{self.space}: {self.nodes}"


class Machine(models.Model):
    """One physical node of an on-prem organization's node list."""

    space = models.ForeignKey(ResourceSpace, on_delete=models.CASCADE, related_name="machines")
    ip = models.CharField(_("address"), max_length=255)
    port = models.PositiveIntegerField(_("port"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["ip", "port"], name="machine_bound_once"),
            models.CheckConstraint(name="machine_port_range", condition=models.Q(port__gte=1, port__lte=65535)),
        ]

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


class Membership(models.Model):
    """What a user may do for an organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=MemberRole)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["organization", "user"]
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization}"
