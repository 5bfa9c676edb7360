"""Drifts: where a platform and these records do not agree. Each stays until it is mended, or is seen no more."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import User
from platforms.models import Platform
from unions.models.organizations import Organization
from unions.models.proposals import Proposal
from unions.models.unions import LIVE_MEMBER_STATES, Union, UnionMember


class DriftKind(models.TextChoices):
    NETWORK_MISSING = "network_missing", _("The network is gone from the platform")
    NETWORK_UNKNOWN = "network_unknown", _("A network that no union here has")
    MEMBER_MISSING = "member_missing", _("A member is not in the network")
    MEMBER_UNKNOWN = "member_unknown", _("The network has a member that the union does not have")
    CHAIN_MISSING = "chain_missing", _("A chain is gone from the platform")
    CHAIN_UNKNOWN = "chain_unknown", _("The network has a chain that is not recorded")
    NODE_MISSING = "node_missing", _("A node is gone from the platform")
    NODE_UNKNOWN = "node_unknown", _("The chain has a node that is not recorded")
    NODE_CHANGED = "node_changed", _("A node is not as it is recorded")


class DriftState(models.TextChoices):
    OPEN = "open", pgettext_lazy("difference", "Open")
    MENDING = "mending", _("Being mended")
    IGNORED = "ignored", _("Ignored")
    SETTLED = "settled", _("Settled")


class DriftQuerySet(models.QuerySet["Drift"]):
    def visible_to(self, user: User) -> DriftQuerySet:
        """Administrators and auditors see all; everybody else what is about a union or an organization of theirs."""
        if user.is_administrator or user.is_auditor:
            return self
        mine = Organization.objects.of_user(user).values("pk")
        unions = UnionMember.objects.filter(organization__in=mine, state__in=LIVE_MEMBER_STATES).values("union_id")
        return self.filter(models.Q(union__in=unions) | models.Q(organization__in=mine))

    def not_settled(self) -> DriftQuerySet:
        """Those that are there still, whether somebody looks at them or not."""
        return self.exclude(state=DriftState.SETTLED)

    def standing(self) -> DriftQuerySet:
        """Those that somebody should look at."""
        return self.filter(state__in=[DriftState.OPEN, DriftState.MENDING])


class Drift(ConcurrentTransitionMixin, models.Model):
    """One difference. `ours` and `theirs` are both sides as they were seen last, each field by its name."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="drifts")
    union = models.ForeignKey(Union, null=True, blank=True, on_delete=models.CASCADE, related_name="drifts")
    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.SET_NULL, related_name="drifts"
    )
    kind = models.CharField(_("kind"), max_length=30, choices=DriftKind)
    key = models.CharField(max_length=500)  # what it is about, among those of its kind on the platform
    name = models.CharField(_("name"), max_length=200)
    ours = models.JSONField(default=dict, blank=True)
    theirs = models.JSONField(default=dict, blank=True)
    state = FSMField(_("state"), default=DriftState.OPEN, choices=DriftState.choices, protected=True)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    way = models.CharField(max_length=30, blank=True)  # how it was, or is being mended
    reason = models.TextField(_("reason"), blank=True)  # why it is ignored
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    proposal = models.ForeignKey(Proposal, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "kind", "key"],
                name="drift_standing_once",
                condition=~models.Q(state=DriftState.SETTLED),
            ),
            models.CheckConstraint(name="drift_kind_known", condition=models.Q(kind__in=DriftKind.values)),
            models.CheckConstraint(name="drift_state_known", condition=models.Q(state__in=DriftState.values)),
            models.CheckConstraint(
                name="drift_ended_when_settled",
                condition=models.Q(state=DriftState.SETTLED, ended_at__isnull=False)
                | (~models.Q(state=DriftState.SETTLED) & models.Q(ended_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.name}"

    @transition(state, source=DriftState.OPEN, target=DriftState.MENDING)
    def begin_mending(self, way: str) -> None:
        """Somebody has chosen how; organizations are asked where it touches them."""
        self.way, self.reason = way, ""

    @transition(state, source=DriftState.MENDING, target=DriftState.OPEN)
    def leave(self) -> None:
        """It came to nothing: refused, withdrawn, or failed."""
        self.way = ""

    @transition(state, source=DriftState.OPEN, target=DriftState.IGNORED)
    def ignore(self, reason: str) -> None:
        self.reason = reason

    @transition(state, source=DriftState.IGNORED, target=DriftState.OPEN)
    def look_again(self) -> None:
        self.reason = ""

    @transition(state, source=[DriftState.OPEN, DriftState.MENDING, DriftState.IGNORED], target=DriftState.SETTLED)
    def settle(self) -> None:
        """Mended, or seen no more."""
        self.ended_at = timezone.now()
