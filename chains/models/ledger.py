"""What was read from ledgers: blocks, transactions, samples of monitoring."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chains.models.chains import Blockchain


class TransactionStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    COMMITTED = "committed", _("Committed")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")


class TransactionDetails(models.TextChoices):
    """Whether value, input and what else only a whole transaction tells have been read."""

    READ = "read", _("Read")
    LATER = "later", _("Read later")
    WANTED = "wanted", _("Being read")
    REFUSED = "refused", _("Not given by the platform")


UNREAD_DETAILS = (TransactionDetails.LATER, TransactionDetails.WANTED)


class Block(models.Model):
    # What begins with the blockchain serves as the index of the key as well.
    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    height = models.PositiveBigIntegerField(_("height"))
    hash = models.CharField(_("hash"), max_length=100)
    parent_hash = models.CharField(_("parent"), max_length=100, blank=True)
    time = models.DateTimeField(_("time"), null=True, blank=True)
    transactions_count = models.PositiveIntegerField(_("transactions"), default=0)

    class Meta:
        ordering = ["-height"]
        constraints = [models.UniqueConstraint(fields=["blockchain", "height"], name="block_once")]
        indexes = [
            models.Index(fields=["hash"]),
            models.Index(fields=["blockchain", "time"], name="block_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.height}"


class Transaction(models.Model):
    """Its indexes are those of the lists: newest first, of one party newest first, and the few that did not succeed."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="transactions", db_index=False)
    hash = models.CharField(_("hash"), max_length=100)
    height = models.PositiveBigIntegerField(_("block"))
    index = models.PositiveIntegerField(default=0)
    time = models.DateTimeField(_("time"), null=True, blank=True)
    sender = models.CharField(_("from"), max_length=100, blank=True)
    recipient = models.CharField(_("to"), max_length=100, blank=True)
    value = models.CharField(_("value"), max_length=100, blank=True)
    contract = models.CharField(_("contract"), max_length=100, blank=True)
    status = models.CharField(_("state"), max_length=20, choices=TransactionStatus, default=TransactionStatus.UNKNOWN)
    input = models.TextField(blank=True)
    extrainfo = models.TextField(blank=True)
    details = models.CharField(max_length=10, choices=TransactionDetails, default=TransactionDetails.READ)

    class Meta:
        ordering = ["-height", "-index"]
        constraints = [models.UniqueConstraint(fields=["hash", "blockchain"], name="transaction_once")]
        indexes = [
            models.Index(fields=["blockchain", "-height", "-index"]),
            models.Index("blockchain", Lower("sender"), "height", "index", name="transaction_of_sender"),
            models.Index("blockchain", Lower("recipient"), "height", "index", name="transaction_of_recipient"),
            models.Index(
                "blockchain", Lower("contract"), name="transaction_of_contract", condition=~models.Q(contract="")
            ),
            models.Index(
                fields=["blockchain", "status", "height", "index"],
                name="transaction_not_committed",
                condition=models.Q(status__in=["failed", "pending", "unknown"]),
            ),
            models.Index(
                fields=["blockchain", "-details", "-height"],
                name="transaction_without_details",
                condition=models.Q(details__in=UNREAD_DETAILS),
            ),
        ]

    def __str__(self) -> str:
        return self.hash


class Sample(models.Model):
    """One reading of one figure of a chain."""

    blockchain = models.ForeignKey(Blockchain, on_delete=models.CASCADE, related_name="samples")
    name = models.CharField(max_length=60)
    value = models.FloatField()
    unit = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at"]
        indexes = [
            models.Index(fields=["blockchain", "name", "at"]),
            models.Index(fields=["blockchain", "at"], name="sample_of_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.value}{self.unit}"
