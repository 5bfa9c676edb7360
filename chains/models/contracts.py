"""Contracts on a chain, their versions, and the rules that a union or a chain has for them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

from chains.models.chains import Blockchain, BusinessChain
from console.models import User
from unions.models import Organization, Union
from unions.names import MAX_KEY


class UpgradeWay(models.TextChoices):
    PROXY = "proxy", _("Behind a proxy: the address and the data stay")
    NEW_VERSION = "new_version", _("As a new version at a new address")


class StopWay(models.TextChoices):
    PAUSED = "paused", _("Paused by its own pause()")
    REFUSED = "refused", _("Refused by the gateway")


class ContractState(models.TextChoices):
    PREPARED = "prepared", _("Prepared")
    CREATING = "creating", _("Being deployed")
    RUNNING = "running", _("Running")
    STOPPED = "stopped", _("Stopped")
    FAILED = "failed", _("Failed")
    DELETED = "deleted", _("Deleted")


class VersionState(models.TextChoices):
    PREPARED = "prepared", _("Prepared")
    CREATING = "creating", _("Being deployed")
    RUNNING = "running", _("In force")
    REPLACED = "replaced", _("Replaced")
    FAILED = "failed", _("Failed")


class Severity(models.TextChoices):
    """How bad a finding is. As a rule: the least bad one that keeps a contract from being deployed."""

    NONE = "none", _("Nothing")
    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: User) -> ContractQuerySet:
        """As their blockchains; what is prepared only, to its owner alone, for nobody else has been told of it."""
        if user.is_administrator or user.is_auditor:
            return self
        mine = Organization.objects.of_user(user).values("pk")
        told = ~Q(state=ContractState.PREPARED) | Q(owner__in=mine)
        return self.filter(told, blockchain__in=Blockchain.objects.visible_to(user))

    def there(self) -> ContractQuerySet:
        """Not deleted."""
        return self.exclude(state=ContractState.DELETED)


class Contract(ConcurrentTransitionMixin, models.Model):
    """A contract under one name and, behind a proxy, one address; what runs there is its version in force."""

    uid = models.CharField(_("id"), max_length=40, unique=True, editable=False)
    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="contracts")
    owner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contracts")
    name = models.CharField(_("name"), max_length=200)
    name_key = models.CharField(max_length=MAX_KEY, editable=False)
    way = models.CharField(_("upgraded"), max_length=20, choices=UpgradeWay, default=UpgradeWay.NEW_VERSION)
    address = models.CharField(_("address"), max_length=100, blank=True)  # the proxy's, where there is one
    contract_id = models.CharField(max_length=200, blank=True)  # the platform's; mostly the address
    state = FSMField(_("state"), default=ContractState.PREPARED, choices=ContractState.choices, protected=True)
    stop_way = models.CharField(_("stopped"), max_length=20, choices=StopWay, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(name="contract_state_known", condition=Q(state__in=ContractState.values)),
            models.CheckConstraint(name="contract_way_known", condition=Q(way__in=UpgradeWay.values)),
            models.CheckConstraint(
                name="contract_stopped_somehow",
                condition=(Q(state=ContractState.STOPPED) & Q(stop_way__in=StopWay.values))
                | (~Q(state=ContractState.STOPPED) & Q(stop_way="")),
            ),
            models.CheckConstraint(
                name="contract_runs_somewhere",
                condition=~Q(state__in=[ContractState.RUNNING, ContractState.STOPPED]) | ~Q(address=""),
            ),
            models.UniqueConstraint(
                fields=["blockchain", "name_key"],
                name="contract_name_once",
                condition=~Q(state=ContractState.DELETED),
                violation_error_message=_("There is a contract of this name on this chain already."),
            ),
        ]
        indexes = [models.Index(fields=["blockchain", "address"], name="contract_by_address")]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_key(self) -> str:
        """Under which proposals about it stand: one at a time, and its chain is not deleted beside them."""
        return f"{self.blockchain.business_chain.uid}:contract:{self.uid}"

    @property
    def version(self) -> ContractVersion | None:
        """What is in force; None before the first one is."""
        return self.versions.filter(state=VersionState.RUNNING).first()

    @property
    def latest(self) -> ContractVersion | None:
        """The newest one, in force or not."""
        return self.versions.order_by("-number").first()

    @transition(state, source=[ContractState.PREPARED, ContractState.FAILED], target=ContractState.CREATING)
    def begin_creating(self) -> None:
        """Its first version is being brought to the chain."""

    @transition(state, source=ContractState.CREATING, target=ContractState.RUNNING)
    def run(self, address: str, contract_id: str) -> None:
        self.address, self.contract_id = address, contract_id

    @transition(state, source=ContractState.CREATING, target=ContractState.FAILED)
    def fail(self) -> None:
        """It is not there, or nobody may use what is there."""

    @transition(state, source=ContractState.RUNNING, target=ContractState.STOPPED)
    def stop(self, way: str) -> None:
        self.stop_way = way

    @transition(state, source=ContractState.STOPPED, target=ContractState.RUNNING)
    def resume(self) -> None:
        self.stop_way = ""

    @transition(
        state,
        source=[ContractState.PREPARED, ContractState.FAILED, ContractState.RUNNING, ContractState.STOPPED],
        target=ContractState.DELETED,
    )
    def delete_for_good(self) -> None:
        self.stop_way, self.deleted_at = "", timezone.now()


class ContractVersion(ConcurrentTransitionMixin, models.Model):
    """One program of a contract: compiled from sources, or brought as an artifact, and where it was put.

    Prepared before it is deployed, so that it can be read and examined first. `sources` is empty for an artifact.
    """

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    sources = models.JSONField(default=dict, blank=True)  # file name → text
    entry = models.CharField(_("contract"), max_length=300)  # as the compiler names it: `File.sol:Name`, or `Name`
    compiler = models.CharField(_("compiler"), max_length=100, blank=True)  # with its whole version
    compiler_settings = models.JSONField(default=dict, blank=True)  # the machine's version, the optimizer
    abi = models.JSONField(default=list)
    bytecode = models.TextField()  # creation code, 0x…, without arguments
    runtime_hash = models.CharField(max_length=66, blank=True)  # Keccak-256 of the code that will stand on the chain
    storage_layout = models.JSONField(default=dict, blank=True)  # what a version behind the same proxy must not disturb
    arguments = models.JSONField(default=list, blank=True)  # of the constructor, or of initialize() behind a proxy
    state = FSMField(_("state"), default=VersionState.PREPARED, choices=VersionState.choices, protected=True)
    address = models.CharField(_("address"), max_length=100, blank=True)  # of its own code, also behind a proxy
    transaction = models.CharField(_("transaction"), max_length=100, blank=True)  # that put it there
    sender = models.CharField(_("sent by"), max_length=100, blank=True)  # the account on the chain
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    deployed_at = models.DateTimeField(_("deployed"), null=True, blank=True)

    class Meta:
        ordering = ["contract", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="contract_version_once"),
            models.UniqueConstraint(
                fields=["contract"], name="one_version_in_force", condition=Q(state=VersionState.RUNNING)
            ),
            models.UniqueConstraint(
                fields=["contract"], name="one_version_being_deployed", condition=Q(state=VersionState.CREATING)
            ),
            models.CheckConstraint(name="contract_version_state_known", condition=Q(state__in=VersionState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.number}"

    @property
    def entry_name(self) -> str:
        """The contract's own name in the sources."""
        return self.entry.rpartition(":")[2]

    @transition(state, source=[VersionState.PREPARED, VersionState.FAILED], target=VersionState.CREATING)
    def begin_creating(self) -> None:
        """It is being brought to the chain."""

    @transition(state, source=VersionState.CREATING, target=VersionState.RUNNING)
    def run(self, *, address: str, transaction: str, sender: str) -> None:
        self.address, self.transaction, self.sender = address, transaction, sender
        self.deployed_at = timezone.now()

    @transition(state, source=VersionState.CREATING, target=VersionState.FAILED)
    def fail(self) -> None:
        """It is not in force, whatever of it is on the chain."""

    @transition(state, source=VersionState.RUNNING, target=VersionState.REPLACED)
    def replace(self) -> None:
        """Another one is in force now."""

    @transition(state, source=VersionState.REPLACED, target=VersionState.RUNNING)
    def run_again(self) -> None:
        """The one that replaced it was taken back."""


class ContractRule(models.Model):
    """What a union, or a chain that belongs to none, demands before something is done with a contract on it."""

    union = models.OneToOneField(Union, null=True, blank=True, on_delete=models.CASCADE, related_name="contract_rule")
    business_chain = models.OneToOneField(
        BusinessChain, null=True, blank=True, on_delete=models.CASCADE, related_name="contract_rule"
    )
    vote_on_deploy = models.BooleanField(_("deploying"), default=False)
    vote_on_upgrade = models.BooleanField(_("upgrading"), default=False)
    vote_on_stop = models.BooleanField(_("stopping"), default=False)
    vote_on_delete = models.BooleanField(_("deleting"), default=False)
    blocking_severity = models.CharField(
        _("blocked by open findings from"), max_length=10, choices=Severity, default=Severity.NONE
    )
    changed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contract_rule_of_one",
                condition=Q(union__isnull=False, business_chain=None) | Q(union=None, business_chain__isnull=False),
            ),
            models.CheckConstraint(
                name="contract_rule_severity_known", condition=Q(blocking_severity__in=Severity.values)
            ),
        ]

    def __str__(self) -> str:
        return str(self.union or self.business_chain)

    @classmethod
    def of(cls, blockchain: Blockchain) -> ContractRule:
        """The rule in force on a ledger."""
        return cls.of_chain(blockchain.business_chain)

    @classmethod
    def of_chain(cls, chain: BusinessChain) -> ContractRule:
        """Its union's, or its own; one that demands nothing where none was made."""
        if chain.union_id is not None:
            return cls.objects.filter(union=chain.union_id).first() or cls(union=chain.union)
        return cls.objects.filter(business_chain=chain).first() or cls(business_chain=chain)

    def demands_vote(self, verb: str) -> bool:
        """`verb`: deploy, upgrade, stop, delete."""
        return bool(getattr(self, f"vote_on_{verb}"))
