"""What native drivers have built on organizations' own machines: networks, their members, chains, nodes.

Mapped platforms keep such books themselves; behind a native driver there is nobody else who could. A row is written
before anything is made on a host, and goes when nothing is left there, so that what was begun is always found again.
The nodes' keys do not stand here: they are made on the hosts and stay there. The keys with which organizations send
transactions through the console do, sealed.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from console.secrets import SealedField
from platforms.models.platforms import Platform


class NativeNetwork(models.Model):
    """The members of one union, on whose machines chains can be built."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="native_networks")
    network_id = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class NativeMember(models.Model):
    network = models.ForeignKey(NativeNetwork, on_delete=models.CASCADE, related_name="members")
    orgcode = models.CharField(max_length=40)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["network", "orgcode"], name="native_member_once")]

    def __str__(self) -> str:
        return f"{self.name} · {self.network}"


class NativeChain(models.Model):
    """One ledger. `number` is its id in the EVM's sense, `genesis` its first block's description."""

    network = models.ForeignKey(NativeNetwork, on_delete=models.PROTECT, related_name="chains")
    chain_id = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    consensus = models.CharField(max_length=20)
    number = models.PositiveBigIntegerField()
    period = models.PositiveIntegerField()  # seconds between two blocks
    genesis = models.JSONField(default=dict)  # empty until the first validator's address is known
    built = models.BooleanField(default=False)
    counted_height = models.BigIntegerField(default=-1)  # transactions are counted up to and with this block
    counted_transactions = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class NativeNode(models.Model):
    """One node: whose, on which machine, behind which ports, and who it is among its peers."""

    chain = models.ForeignKey(NativeChain, on_delete=models.PROTECT, related_name="nodes")
    node_id = models.CharField(max_length=80, unique=True)
    orgcode = models.CharField(max_length=40)
    validator = models.BooleanField(default=True)
    ip = models.CharField(max_length=255)
    engine_port = models.PositiveIntegerField()
    slot = models.PositiveIntegerField()  # its ports are the base ports and this
    p2p_port = models.PositiveIntegerField()
    rpc_port = models.PositiveIntegerField()
    image = models.CharField(max_length=300)
    previous_image = models.CharField(max_length=300, blank=True)  # to go back to, while it is upgraded
    address = models.CharField(max_length=42, blank=True)  # whom it seals blocks as
    enode = models.CharField(max_length=300, blank=True)
    built = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["ip", "slot"], name="native_node_slot_once")]

    def __str__(self) -> str:
        return self.node_id


class NativeAccount(models.Model):
    """With what an organization signs transactions on one chain."""

    chain = models.ForeignKey(NativeChain, on_delete=models.CASCADE, related_name="accounts")
    orgcode = models.CharField(max_length=40)
    address = models.CharField(max_length=42)
    key = SealedField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["chain", "orgcode"], name="native_account_once")]

    def __str__(self) -> str:
        return self.address


class NativeSending(models.Model):
    """A signed transaction, written down before it is sent; `raw` is empty once it is in a block."""

    account = models.ForeignKey(NativeAccount, on_delete=models.CASCADE, related_name="sendings")
    key = models.CharField(max_length=100)  # of the operation
    number = models.PositiveSmallIntegerField()  # within the operation
    nonce = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=66)
    raw = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["nonce", "id"]
        constraints = [
            models.UniqueConstraint(fields=["key", "number"], name="native_sending_once"),
            models.UniqueConstraint(fields=["account", "nonce"], name="native_sending_nonce_once"),
        ]

    def __str__(self) -> str:
        return self.hash
