"""The book of a native driver, kept in the database. Every function is a transaction of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from console.errors import Conflict, Missing, PlatformRefused
from platforms.briefly import briefly
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Network, Node, Sending
from platforms.hosts.spaces import Space
from platforms.models import (
    NativeAccount,
    NativeChain,
    NativeMember,
    NativeNetwork,
    NativeNode,
    NativeSending,
    Platform,
)
from platforms.signing import account_of, new_key

MAX_SLOTS = 1000
TRIES = 20


class DatabaseBook:
    """What one platform's native driver has built."""

    def __init__(self, platform_id: int) -> None:
        self._platform_id = platform_id

    # --- networks -----------------------------------------------------------------------------------------------------

    @briefly
    def networks(self) -> list[Network]:
        rows = NativeNetwork.objects.filter(platform_id=self._platform_id).prefetch_related("members")
        return [_network(row) for row in rows]

    @briefly
    def network(self, network_id: str) -> Network:
        return _network(self._network_row(network_id))

    @briefly
    def open_network(self, network: Network) -> None:
        """Write it down; one that is there already stays as it is."""
        with transaction.atomic():
            row, _new = NativeNetwork.objects.get_or_create(
                network_id=network.network_id, defaults={"platform_id": self._platform_id, "name": network.name}
            )
            for orgcode, name in network.members.items():
                NativeMember.objects.get_or_create(network=row, orgcode=orgcode, defaults={"name": name})

    @briefly
    def drop_network(self, network_id: str) -> None:
        NativeNetwork.objects.filter(platform_id=self._platform_id, network_id=network_id).delete()

    @briefly
    def add_member(self, network_id: str, orgcode: str, name: str) -> None:
        row = self._network_row(network_id)
        NativeMember.objects.get_or_create(network=row, orgcode=orgcode, defaults={"name": name})

    @briefly
    def drop_member(self, network_id: str, orgcode: str) -> None:
        NativeMember.objects.filter(network__network_id=network_id, orgcode=orgcode).delete()

    # --- chains -------------------------------------------------------------------------------------------------------

    @briefly
    def chains(self, network_id: str = "") -> list[Chain]:
        rows = self._chain_rows()
        return [_chain(row) for row in (rows.filter(network__network_id=network_id) if network_id else rows)]

    @briefly
    def chain(self, chain_id: str) -> Chain:
        row = self._chain_rows().filter(chain_id=chain_id).first()
        if row is None:
            raise Missing(say.NO_CHAIN % {"id": chain_id})
        return _chain(row)

    @briefly
    def open_chain(self, chain: Chain) -> Chain:
        wanted = {name: getattr(chain, name) for name in ("name", "consensus", "number", "period")}
        NativeChain.objects.get_or_create(
            chain_id=chain.chain_id, defaults={**wanted, "network": self._network_row(chain.network_id)}
        )
        return self.chain(chain.chain_id)

    @briefly
    def change_chain(self, chain_id: str, **changes: Any) -> None:
        NativeChain.objects.filter(chain_id=chain_id).update(**changes)

    @briefly
    def drop_chain(self, chain_id: str) -> None:
        with transaction.atomic():
            NativeNode.objects.filter(chain__chain_id=chain_id).delete()
            NativeChain.objects.filter(chain_id=chain_id).delete()

    # --- nodes --------------------------------------------------------------------------------------------------------

    @briefly
    def open_node(self, chain: Chain, space: Space, *, image: str, validator: bool = True, name: str = "") -> Node:
        """The organization's node of this name, written down with a machine and ports if it is new."""
        node_id = f"{chain.chain_id}-{space.orgcode}{f'-{name}' if name else ''}"
        for _try in range(TRIES):
            row = NativeNode.objects.select_related("chain").filter(node_id=node_id).first()
            if row is not None:
                return _node(row)
            ip, port = _least_busy(space)
            slot = _free_slot(ip)
            try:
                with transaction.atomic():
                    NativeNode.objects.create(
                        chain=NativeChain.objects.get(chain_id=chain.chain_id),
                        node_id=node_id,
                        orgcode=space.orgcode,
                        validator=validator,
                        ip=ip,
                        engine_port=port,
                        slot=slot,
                        p2p_port=settings.EVM_P2P_PORT + slot,
                        rpc_port=settings.EVM_RPC_PORT + slot,
                        image=image,
                    )
            except IntegrityError:
                continue  # somebody took the slot, or wrote the node down, at the same moment
        raise Conflict(say.NO_MACHINE % {"orgcode": space.orgcode})

    @briefly
    def change_node(self, node_id: str, **changes: Any) -> None:
        NativeNode.objects.filter(node_id=node_id).update(**changes)

    @briefly
    def drop_node(self, node_id: str) -> None:
        NativeNode.objects.filter(node_id=node_id).delete()

    # --- accounts -----------------------------------------------------------------------------------------------------

    @briefly
    def signing_key(self, chain_id: str, orgcode: str) -> str:
        """Made when it is first asked for."""
        made = new_key()
        row, _new = NativeAccount.objects.get_or_create(
            chain=self._chain_rows().get(chain_id=chain_id),
            orgcode=orgcode,
            defaults={"address": account_of(made), "key": made},
        )
        return str(row.key.reveal())  # type: ignore[attr-defined]

    @briefly
    def sending(self, key: str, number: int) -> Sending | None:
        row = NativeSending.objects.filter(key=key, number=number).first()
        return _sending(row) if row else None

    @briefly
    def open_sendings(self, chain_id: str, orgcode: str) -> list[Sending]:
        """Those that nobody has seen in a block yet, in their order."""
        rows = NativeSending.objects.filter(account__chain__chain_id=chain_id, account__orgcode=orgcode)
        return [_sending(row) for row in rows.exclude(raw="").order_by("nonce")]

    @briefly
    def open_sending(self, chain_id: str, orgcode: str, key: str, number: int, sending: Sending) -> Sending | None:
        """Write it down; None when its nonce was taken at the same moment."""
        account = NativeAccount.objects.get(chain__chain_id=chain_id, orgcode=orgcode)
        about = {"nonce": sending.nonce, "hash": sending.hash, "raw": sending.raw}
        try:
            with transaction.atomic():
                NativeSending.objects.create(account=account, key=key, number=number, **about)
        except IntegrityError:
            return self.sending(key, number)
        return sending

    @briefly
    def close_sending(self, key: str, number: int) -> None:
        NativeSending.objects.filter(key=key, number=number).update(raw="")

    # --- inside -------------------------------------------------------------------------------------------------------

    def _network_row(self, network_id: str) -> NativeNetwork:
        rows = NativeNetwork.objects.filter(platform_id=self._platform_id).prefetch_related("members")
        row = rows.filter(network_id=network_id).first()
        if row is None:
            raise Missing(say.NO_NETWORK % {"id": network_id})
        return row

    def _chain_rows(self) -> QuerySet[NativeChain]:
        rows = NativeChain.objects.filter(network__platform_id=self._platform_id)
        return rows.select_related("network").prefetch_related("nodes")


def book_of(platform: Platform) -> DatabaseBook:
    return DatabaseBook(platform.pk)


def _least_busy(space: Space) -> tuple[str, int]:
    """The machine with the fewest nodes."""
    if not space.machines:
        raise PlatformRefused(say.NO_MACHINE % {"orgcode": space.orgcode}, code="no_machine")
    on = {machine: NativeNode.objects.filter(ip=machine[0]).count() for machine in space.machines}
    return min(space.machines, key=lambda machine: on[machine])


def _free_slot(ip: str) -> int:
    taken = set(NativeNode.objects.filter(ip=ip).values_list("slot", flat=True))
    return next(slot for slot in range(MAX_SLOTS) if slot not in taken)


def _network(row: NativeNetwork) -> Network:
    return Network(row.network_id, row.name, {each.orgcode: each.name for each in row.members.all()})


def _chain(row: NativeChain) -> Chain:
    same = ("chain_id", "name", "consensus", "number", "period", "genesis", "built")
    counted = ("counted_height", "counted_transactions")
    chain = Chain(network_id=row.network.network_id, **{name: getattr(row, name) for name in (*same, *counted)})
    return replace(chain, nodes=tuple(_node(each, chain.chain_id) for each in row.nodes.all()))


def _sending(row: NativeSending) -> Sending:
    return Sending(row.hash, row.raw, row.nonce)


def _node(row: NativeNode, chain_id: str = "") -> Node:
    same = ("node_id", "orgcode", "validator", "ip", "engine_port", "p2p_port", "rpc_port", "image", "previous_image")
    known = ("address", "enode", "built")
    return Node(chain_id=chain_id or row.chain.chain_id, **{name: getattr(row, name) for name in (*same, *known)})
