"""What is known of a ledger beyond its stored blocks: how much happened when, what is missing, what was taken back."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.chains import Blockchain


class Period(models.TextChoices):
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


class LedgerTally(models.Model):
    """Up to which block a ledger has been counted. Its row is the lock of whoever counts or takes back."""

    blockchain = models.OneToOneField(Blockchain, primary_key=True, on_delete=models.CASCADE, related_name="tally")
    counted_to = models.PositiveBigIntegerField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.blockchain_id}: {self.counted_to}"


class LedgerStatistic(models.Model):
    """What happened on a ledger in an hour or a day of UTC. It outlives the blocks that it was counted from."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="statistics", db_index=False)
    period = models.CharField(_("period"), max_length=10, choices=Period)
    start = models.DateTimeField(_("start"))
    from_height = models.PositiveBigIntegerField(_("first block"))
    to_height = models.PositiveBigIntegerField(_("last block"))
    blocks = models.PositiveBigIntegerField(_("blocks"), default=0)
    transactions = models.PositiveBigIntegerField(_("transactions"), default=0)
    failed = models.PositiveBigIntegerField(_("failed transactions"), default=0)
    senders = models.PositiveIntegerField(_("different senders"), null=True, blank=True)
    senders_due = models.BooleanField(default=True)  # they are counted once the period is over

    class Meta:
        ordering = ["-start"]
        constraints = [
            models.UniqueConstraint(fields=["blockchain", "period", "start"], name="ledger_statistic_once"),
            models.CheckConstraint(name="ledger_statistic_period_known", condition=models.Q(period__in=Period.values)),
        ]
        indexes = [
            models.Index(fields=["period", "start"], name="ledger_statistic_due", condition=models.Q(senders_due=True))
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} {self.period}"


class LedgerGap(models.Model):
    """Blocks that the platform did not show when they were asked for; nobody asks again."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="gaps", db_index=False)
    from_height = models.PositiveBigIntegerField(_("first block"))
    to_height = models.PositiveBigIntegerField(_("last block"))

    class Meta:
        ordering = ["from_height"]
        constraints = [models.UniqueConstraint(fields=["blockchain", "from_height"], name="ledger_gap_once")]

    def __str__(self) -> str:
        return f"{self.from_height}–{self.to_height}"


class Reorganisation(models.Model):
    """Stored blocks turned out not to be the chain's any more: its head took another way, or was rolled back."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="reorganisations", db_index=False)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    from_height = models.PositiveBigIntegerField(_("first block"))
    to_height = models.PositiveBigIntegerField(_("last block"))
    blocks = models.PositiveBigIntegerField(_("blocks"))
    transactions = models.PositiveBigIntegerField(_("transactions"))
    old_head = models.CharField(_("old head"), max_length=100)

    class Meta:
        ordering = ["-found_at", "-pk"]
        indexes = [models.Index(fields=["blockchain", "-found_at"], name="reorganisation_newest")]

    def __str__(self) -> str:
        return f"{self.from_height}–{self.to_height}"


class DroppedTransaction(models.Model):
    """A transaction of a block that a reorganisation took off the chain. Mostly it is in another block soon."""

    reorganisation = models.ForeignKey(Reorganisation, on_delete=models.CASCADE, related_name="dropped")
    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="+", db_index=False)
    hash = models.CharField(_("hash"), max_length=100)
    height = models.PositiveBigIntegerField(_("block"))

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["blockchain", "hash"], name="dropped_transaction_hash")]

    def __str__(self) -> str:
        return self.hash
