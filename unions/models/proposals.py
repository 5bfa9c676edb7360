"""Proposals and votes: what was asked, who has a say, what they said."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from console.models import Flow, User
from console.models.flows import OPEN_FLOW_STATES
from platforms.models import Platform
from unions.models.organizations import MemberRole, Organization
from unions.models.rules import Rule, rule_is_whole
from unions.models.unions import LIVE_MEMBER_STATES, Union, UnionMember


class ProposalKind(models.TextChoices):
    CREATE = "create", _("Create a union")
    JOIN = "join", _("Join a union")
    QUIT = "quit", _("Quit a union")
    DELETE = "delete", _("Delete a union")
    CHAIN_CREATE = "chain_create", _("Create a chain")
    CHAIN_JOIN = "chain_join", _("Join a chain")
    CHAIN_QUIT = "chain_quit", _("Quit a chain")
    CHAIN_DELETE = "chain_delete", _("Delete a chain")
    CHAIN_SCALE = "chain_scale", _("Change the number of nodes")
    CONTRACT_DEPLOY = "contract_deploy", _("Deploy a contract")
    CONTRACT_UPGRADE = "contract_upgrade", _("Upgrade a contract")
    CONTRACT_STOP = "contract_stop", _("Stop a contract")
    CONTRACT_RESUME = "contract_resume", _("Let a contract run again")
    CONTRACT_DELETE = "contract_delete", _("Delete a contract")
    CONTRACT_RULE = "contract_rule", _("Change the rules for contracts")
    RULE = "rule", _("Change the rule of a union")
    CLAIM = "claim", _("Claim a placeholder")
    MEND = "mend", _("Mend a difference")


class ProposalState(models.TextChoices):
    OPEN = "open", _("Open")
    CARRIED = "carried", _("Agreed")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, user: User) -> ProposalQuerySet:
        """Administrators and auditors see all; everybody else what concerns an organization of theirs.

        That is: what it asked for, what it has a say in, and what is asked of the unions that it is in.
        """
        if user.is_administrator or user.is_auditor:
            return self
        organizations = Organization.objects.of_user(user).values("pk")
        electors = Elector.objects.filter(proposal=OuterRef("pk"), organization__in=organizations)
        fellows = UnionMember.objects.filter(
            union=OuterRef("union"), organization__in=organizations, state__in=LIVE_MEMBER_STATES
        )
        return self.filter(Exists(electors) | Exists(fellows) | models.Q(proposer__in=organizations))

    def waiting_for(self, user: User) -> ProposalQuerySet:
        """Open proposals on which an organization that the user speaks for has not voted yet."""
        mine = Organization.objects.of_user(user, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR).values("pk")
        voted = Vote.objects.filter(proposal=OuterRef("proposal"), organization=OuterRef("organization"))
        electors = Elector.objects.in_force().filter(proposal=OuterRef("pk"), organization__in=mine)
        waiting = models.Q(Exists(electors.filter(~Exists(voted))))
        if user.is_administrator:
            waiting |= models.Q(console_asked=True, console_agrees=None)
        return self.filter(waiting, state=ProposalState.OPEN)

    def on_platform(self, oemtype: str) -> ProposalQuerySet:
        """Those about unions and chains of one platform; none for a platform that is not there."""
        platform = Platform.objects.filter(oemtype=oemtype).values_list("pk", flat=True).first()
        return self.filter(payload__platform=platform) if platform is not None else self.none()

    def under_way(self) -> ProposalQuerySet:
        """Open, or agreed to and being carried out: what nothing that contradicts it may be proposed beside."""
        carried_out = models.Q(state=ProposalState.CARRIED, flow__state__in=OPEN_FLOW_STATES)
        return self.filter(models.Q(state=ProposalState.OPEN) | carried_out)

    def to_be_reminded(self, hours: float) -> ProposalQuerySet:
        """Open, with less than `hours` left, and nobody has been reminded yet."""
        now = timezone.now()
        return self.filter(
            state=ProposalState.OPEN,
            reminded_at=None,
            expires_at__gt=now,
            expires_at__lte=now + timedelta(hours=hours),
        )

    def stranded(self) -> ProposalQuerySet:
        """Open, although the flow that should carry it out was cancelled."""
        return self.filter(state=ProposalState.OPEN).exclude(flow__state__in=OPEN_FLOW_STATES)


class Proposal(ConcurrentTransitionMixin, models.Model):
    """Something that organizations decide together. `payload` is all that its flow needs to carry it out."""

    kind = models.CharField(_("kind"), max_length=20, choices=ProposalKind)
    union = models.ForeignKey(Union, null=True, blank=True, on_delete=models.CASCADE, related_name="proposals")
    subject_key = models.CharField(max_length=300)
    subject_name = models.CharField(_("union"), max_length=200)
    proposer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="proposals")
    concerns = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    payload = models.JSONField(default=dict)
    rule = models.CharField(_("rule"), max_length=20, choices=Rule, default=Rule.EVERYONE)  # as it was when opened
    threshold = models.PositiveSmallIntegerField(_("share"), null=True, blank=True)  # percent
    state = FSMField(_("state"), default=ProposalState.OPEN, choices=ProposalState.choices, protected=True)
    comment = models.TextField(_("comment"), blank=True)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"))
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)  # why it was withdrawn
    console_asked = models.BooleanField(default=False)  # nobody else can answer: an administrator does, too
    console_agrees = models.BooleanField(null=True, blank=True)
    console_answered_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    console_comment = models.TextField(blank=True)
    flow = models.ForeignKey(Flow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_key"],
                name="one_open_proposal_per_subject",
                condition=models.Q(state=ProposalState.OPEN),
            ),
            models.CheckConstraint(name="proposal_state_known", condition=models.Q(state__in=ProposalState.values)),
            models.CheckConstraint(name="proposal_rule_whole", condition=rule_is_whole()),
        ]

    def __str__(self) -> str:
        return self.subject_name

    @property
    def topic(self) -> str:
        """What its flow's approval step sleeps on."""
        return f"proposal:{self.pk}"

    def silent(self) -> list[Organization]:
        """Those who have a say and have not answered."""
        voted = self.votes.values("organization_id")
        rows = self.electors.in_force().exclude(organization__in=voted).select_related("organization")
        return [row.organization for row in rows]

    @transition(state, source=ProposalState.OPEN, target=ProposalState.CARRIED)
    def carry(self) -> None:
        self.decided_at = timezone.now()

    @transition(state, source=ProposalState.OPEN, target=ProposalState.REFUSED)
    def refuse(self) -> None:
        self.decided_at = timezone.now()

    @transition(state, source=ProposalState.OPEN, target=ProposalState.WITHDRAWN)
    def withdraw(self, reason: str = "") -> None:
        self.decided_at, self.reason = timezone.now(), reason

    @transition(state, source=ProposalState.OPEN, target=ProposalState.EXPIRED)
    def expire(self) -> None:
        self.decided_at = timezone.now()


class ElectorQuerySet(models.QuerySet["Elector"]):
    def in_force(self) -> ElectorQuerySet:
        """Those whose answer counts."""
        return self.filter(lapsed_at=None)


class Elector(models.Model):
    """An organization that has a say in a proposal, until it leaves the union that the proposal is about."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="electors")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    lapsed_at = models.DateTimeField(null=True, blank=True)

    objects = ElectorQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["proposal", "organization"], name="elector_once")]

    def __str__(self) -> str:
        return str(self.organization)


class Vote(models.Model):
    """One organization's answer; it answers once."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="votes")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    agree = models.BooleanField()
    comment = models.TextField(blank=True)
    cast_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    cast_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["cast_at", "id"]
        constraints = [models.UniqueConstraint(fields=["proposal", "organization"], name="vote_once")]

    def __str__(self) -> str:
        return f"{self.organization}: {'yes' if self.agree else 'no'}"
