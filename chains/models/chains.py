"""Business chains (table 3), the blockchains they consist of (table 4), and their nodes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chains.limits import limit
from console.models import User
from platforms.models import Cloudtype, Platform
from platforms.observing import Management, management_of
from unions.models import LIVE_MEMBER_STATES, Organization, Union


class Createmode(models.TextChoices):
    MULTI_SUBCHAIN = "multi_subchain", _("Several chains that share nodes")
    ISOLATED = "isolated", _("Several chains that share no node")
    PRIVATE = "private", _("One chain in one space")


class ChainState(models.TextChoices):
    CREATING = "creating", _("Being created")
    RUNNING = "running", _("Running")
    DELETED = "deleted", _("Deleted")


class NodeState(models.TextChoices):
    CREATING = "creating", _("Being created")
    RUNNING = "running", _("Running")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    MISSING = "missing", _("Gone from the platform")


class BusinessChainQuerySet(models.QuerySet["BusinessChain"]):
    def visible_to(self, user: User) -> BusinessChainQuerySet:
        """Administrators and auditors see all; everybody else the chains that an organization of theirs is in."""
        if user.is_administrator or user.is_auditor:
            return self
        mine = Organization.objects.of_user(user).values("pk")
        chains = BusinessChain.organizations.through.objects.filter(organization_id__in=mine).values("businesschain_id")
        return self.filter(pk__in=chains)


class BusinessChain(models.Model):
    """What users ordered: one or more blockchains under one name."""

    uid = models.CharField(_("id"), max_length=40, unique=True, editable=False)
    union = models.ForeignKey(Union, null=True, blank=True, on_delete=models.CASCADE, related_name="business_chains")
    name = models.CharField(_("name"), max_length=200)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    creator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    organizations = models.ManyToManyField(Organization, related_name="business_chains")
    network_id = models.CharField(_("network"), max_length=200, blank=True)  # of its own, where it has no union
    createmode = models.CharField(_("mode"), max_length=20, choices=Createmode, default=Createmode.MULTI_SUBCHAIN)
    state = models.CharField(_("state"), max_length=20, choices=ChainState, default=ChainState.RUNNING)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = BusinessChainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="business_chain_state_known", condition=models.Q(state__in=ChainState.values))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def network(self) -> str:
        """Its network on the platform: the union's, or its own."""
        return self.union.network_id if self.union else self.network_id

    def mode_in_words(self, ledgers: int) -> str:
        """`createmode`, where there is one ledger only, said of that."""
        if ledgers == 1 and self.createmode == Createmode.MULTI_SUBCHAIN:
            return gettext("One chain, whose nodes can serve further chains")
        if ledgers == 1 and self.createmode == Createmode.ISOLATED:
            return gettext("One chain with nodes of its own")
        return self.get_createmode_display()

    @property
    def management(self) -> Management:
        """Whether the console manages it or only observes it."""
        return management_of(self.platform, self.network)

    def speaker(self) -> Organization:
        """Who speaks to the platform for it: its creator; once that has left, whoever speaks for the union."""
        if self.union is None or self.union.members.filter(organization=self.creator_id, state__in=LIVE_MEMBER_STATES):
            return self.creator
        return self.union.acting_creator()


class BlockchainQuerySet(models.QuerySet["Blockchain"]):
    def visible_to(self, user: User) -> BlockchainQuerySet:
        """As its business chain."""
        return self.filter(business_chain__in=BusinessChain.objects.visible_to(user))

    def live(self) -> BlockchainQuerySet:
        return self.filter(state=ChainState.RUNNING)

    def stale(self) -> BlockchainQuerySet:
        """`is_stale` as a filter; a chain that was made just now has its first moments."""
        unread = models.Q(read_at=None, created_at__lt=fresh_since())
        return self.live().filter(models.Q(read_at__lt=fresh_since()) | unread)

    def that_stand(self) -> BlockchainQuerySet:
        """Those with `stands_since`."""
        since = models.F("block_time") + models.F("patience")
        return self.live().filter(read_at__gte=fresh_since(), read_at__gt=since, missing_since=None)


def fresh_since() -> datetime:
    """What was read before is old."""
    return timezone.now() - timedelta(seconds=limit("STALE_SECONDS"))


class Blockchain(models.Model):
    """One ledger. The head's figures are what the observer read last, at `read_at`."""

    uid = models.CharField(_("id"), max_length=40, unique=True, editable=False)
    business_chain = models.ForeignKey(BusinessChain, on_delete=models.CASCADE, related_name="blockchains")
    external_id = models.CharField(_("externalid"), max_length=200)
    name = models.CharField(_("name"), max_length=200)
    extrainfo = models.TextField(blank=True)
    cloudtype = models.CharField(_("cloudtype"), max_length=20, choices=Cloudtype, default=Cloudtype.CLOUD)
    organizations = models.ManyToManyField(Organization, related_name="blockchains")
    infraspec = models.JSONField(default=dict, blank=True)
    blockspec = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=ChainState, default=ChainState.RUNNING)
    created_at = models.DateTimeField(default=timezone.now)

    height = models.PositiveBigIntegerField(_("height"), null=True, blank=True)
    block_hash = models.CharField(max_length=100, blank=True)
    block_time = models.DateTimeField(null=True, blank=True)
    patience = models.DurationField(null=True, blank=True)  # it stands after so long without a block; null: never
    transactions_total = models.PositiveBigIntegerField(_("transactions"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    read_error = models.CharField(max_length=500, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)  # the platform says that there is no such chain
    read_failures = models.PositiveIntegerField(default=0)  # in a row; 0 after a reading that went well
    details_read_at = models.DateTimeField(null=True, blank=True)  # nodes and monitoring
    # These three change twice with every reading. They stand in no index, so that PostgreSQL need touch none of them.
    next_read_at = models.DateTimeField(null=True, blank=True)
    reader = models.UUIDField(null=True, blank=True, editable=False)  # whose reading it is until `lease_until`
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = BlockchainQuerySet.as_manager()

    class Meta:
        ordering = ["business_chain", "id"]
        constraints = [
            models.CheckConstraint(name="blockchain_state_known", condition=models.Q(state__in=ChainState.values))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_stale(self) -> bool:
        """Whether the figures are older than they should be while the chain runs."""
        return self.state == ChainState.RUNNING and (self.read_at or self.created_at) < fresh_since()

    @property
    def stands_since(self) -> datetime | None:
        """When the newest block was made, where more should have come since; None also where nobody knows."""
        if self.state != ChainState.RUNNING or self.missing_since or self.is_stale:
            return None
        if self.read_at is None or self.block_time is None or self.patience is None:
            return None
        return self.block_time if self.read_at > self.block_time + self.patience else None


class Node(models.Model):
    """A blockchain node, on the space of the organization that it belongs to."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="nodes")
    organization = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="nodes")
    external_id = models.CharField(max_length=200)
    role = models.CharField(_("role"), max_length=40, default="peer")
    endpoint = models.CharField(_("endpoint"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=NodeState, default=NodeState.UNKNOWN)
    version = models.CharField(_("version"), max_length=100, blank=True)
    read_at = models.DateTimeField(_("read"), default=timezone.now)

    class Meta:
        ordering = ["blockchain", "id"]
        constraints = [models.UniqueConstraint(fields=["blockchain", "external_id"], name="node_once_per_blockchain")]

    def __str__(self) -> str:
        return self.endpoint or self.external_id
