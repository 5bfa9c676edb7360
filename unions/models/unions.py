"""Unions (consortia) and who is in them (table 2)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import User
from platforms.models import Platform
from platforms.observing import Management, management_of
from unions.models.organizations import Organization
from unions.models.rules import Rule, rule_is_whole
from unions.names import MAX_KEY, key_of


class UnionState(models.TextChoices):
    BUILDING = "building", _("Being built")
    ACTIVE = "active", _("Active")
    DELETING = "deleting", _("Being deleted")
    DELETED = "deleted", _("Deleted")


class MemberState(models.TextChoices):
    JOINING = "joining", _("Joining")
    ACTIVE = "active", _("Active")
    QUITTING = "quitting", _("Quitting")
    LEFT = "left", _("Left")


LIVE_MEMBER_STATES = (MemberState.JOINING, MemberState.ACTIVE, MemberState.QUITTING)


class UnionQuerySet(models.QuerySet["Union"]):
    def visible_to(self, user: User) -> UnionQuerySet:
        """Administrators and auditors see all; everybody else what exists, for who may ask to join must see it."""
        if user.is_administrator or user.is_auditor:
            return self
        there = models.Q(state__in=[UnionState.ACTIVE, UnionState.DELETING])
        return self.filter(there | models.Q(pk__in=self._places_of(user)))

    def of_user(self, user: User) -> UnionQuerySet:
        """Unions in which an organization of the user is, or was, a member."""
        return self.filter(pk__in=self._places_of(user))

    @staticmethod
    def _places_of(user: User) -> models.QuerySet[Any, Any]:
        organizations = Organization.objects.of_user(user).values("pk")
        return UnionMember.objects.filter(organization__in=organizations).values("union_id")


class Union(ConcurrentTransitionMixin, models.Model):
    """A consortium on one platform."""

    unionid = models.CharField(_("unionid"), max_length=40, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=MAX_KEY, editable=False)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="unions")
    creator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="created_unions")
    network_id = models.CharField(_("network"), max_length=200)
    uid = models.CharField(_("business chain"), max_length=40, blank=True)  # written by the floor above
    rule = models.CharField(_("rule"), max_length=20, choices=Rule, default=Rule.EVERYONE)
    threshold = models.PositiveSmallIntegerField(_("share"), null=True, blank=True)  # percent
    state = FSMField(_("state"), default=UnionState.BUILDING, choices=UnionState.choices, protected=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)
    organizations = models.ManyToManyField(Organization, through="UnionMember", related_name="unions")

    objects = UnionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "name_key"], name="union_name_once", condition=~models.Q(state=UnionState.DELETED)
            ),
            models.UniqueConstraint(
                fields=["platform", "network_id"],
                name="union_network_once",
                condition=~models.Q(state=UnionState.DELETED),
            ),
            models.CheckConstraint(name="union_state_known", condition=models.Q(state__in=UnionState.values)),
            models.CheckConstraint(name="union_rule_whole", condition=rule_is_whole()),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = key_of(self.name)
        super().save(*args, **kwargs)

    @property
    def management(self) -> Management:
        """Whether the console manages its network or only observes it."""
        return management_of(self.platform, self.network_id)

    @property
    def present(self) -> list[UnionMember]:
        """Who is in it; no query when the members were prefetched."""
        return [member for member in self.members.all() if member.state in LIVE_MEMBER_STATES]

    def acting_creator(self) -> Organization:
        """Who speaks to the platform for the union: its creator; once that has left, the member of longest standing.

        A placeholder does so only while there is nobody else.
        """
        members = self.members.filter(state__in=LIVE_MEMBER_STATES).select_related("organization__space")
        present = [member.organization for member in members]
        able = [each for each in present if not each.is_placeholder] or present
        return next((each for each in able if each.pk == self.creator_id), able[0] if able else self.creator)

    @transition(state, source=UnionState.BUILDING, target=UnionState.ACTIVE)
    def open(self) -> None:
        """Everything it needs has been built."""

    @transition(state, source=UnionState.ACTIVE, target=UnionState.DELETING)
    def begin_deleting(self) -> None:
        """Its deletion was decided; nothing new may start on it."""

    @transition(state, source=UnionState.DELETING, target=UnionState.ACTIVE)
    def keep(self) -> None:
        """The deletion was taken back."""

    @transition(state, source=UnionState.DELETING, target=UnionState.DELETED)
    def delete_for_good(self) -> None:
        self.deleted_at = timezone.now()


class UnionMember(ConcurrentTransitionMixin, models.Model):
    """An organization's place in a union; the row stays when it has left, as history."""

    union = models.ForeignKey(Union, on_delete=models.CASCADE, related_name="members")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="union_members")
    member_id = models.CharField(max_length=200, blank=True)
    state = FSMField(_("state"), default=MemberState.ACTIVE, choices=MemberState.choices, protected=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)

    class Meta:
        ordering = ["joined_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["union", "organization"], name="union_member_once", condition=~models.Q(state=MemberState.LEFT)
            ),
            models.CheckConstraint(name="union_member_state_known", condition=models.Q(state__in=MemberState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.union}"

    @transition(state, source=MemberState.JOINING, target=MemberState.ACTIVE)
    def settle_in(self) -> None:
        """Its nodes are there."""

    @transition(state, source=MemberState.ACTIVE, target=MemberState.QUITTING)
    def begin_quitting(self) -> None:
        """Its quitting was decided."""

    @transition(state, source=MemberState.QUITTING, target=MemberState.ACTIVE)
    def stay(self) -> None:
        """The quitting was taken back."""

    @transition(state, source=[MemberState.QUITTING, MemberState.ACTIVE], target=MemberState.LEFT)
    def leave(self) -> None:
        self.left_at = timezone.now()
