"""Connection files: what an application of one organization needs to reach its chain. Handing them out is audited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from chains.gateway.address import gateway_address
from chains.models import Block, Blockchain, ContractState, ContractVersion, Node, Transaction, VersionState
from chains.policies import gateway_serves, kernel_of, may_download_sdk
from console import audit
from console.errors import Invalid, Missing, NotAllowed
from console.models import User
from console.policies import require
from console.transactions import use_case
from unions.models import Organization

MAX_CONTRACTS = 2000
CHAIN_ID_NAMES = ("chainId", "evmChainId", "chain_id")
TOKEN_VARIABLE = "CONCORD_TOKEN"  # noqa: S105 - the name of a variable
Json = dict[str, Any]


@dataclass(frozen=True)
class ConnectionFiles:
    """What differs from chain to chain and from organization to organization; the examples are the same for all."""

    blockchain: str
    orgcode: str
    connection: Json
    address_book: Json


@use_case
def hand_out_sdk(*, actor: User, uid: str, orgcode: str = "", part: str = "") -> ConnectionFiles:
    """The files for one of the actor's organizations on the chain; the first by name where none is named.

    Raises Missing (no such chain in sight), NotAllowed, Conflict.
    """
    rows = Blockchain.objects.visible_to(actor).select_related("business_chain__platform", "business_chain__union")
    chain = rows.filter(uid=uid).first()
    if chain is None:
        raise Missing()
    organization = _organization(actor, chain, orgcode)
    audit.record("chains.sdk.downloaded", actor=actor, target=chain, orgcode=organization.orgcode, part=part or "all")
    number = chain_id_of(chain)
    return ConnectionFiles(
        chain.uid, organization.orgcode, _connection(chain, organization, number), _address_book(chain, number)
    )


def own_organizations(actor: User, chain: Blockchain) -> list[Organization]:
    """Those of the actor that are on the chain."""
    return list(Organization.objects.of_user(actor).filter(blockchains=chain).order_by("name"))


def chain_id_of(chain: Blockchain) -> int | None:
    """The number that transactions are signed for (EIP-155), where the platform has told it."""
    try:
        told = json.loads(chain.extrainfo or "{}")
    except ValueError:
        return None
    found = next((told[name] for name in CHAIN_ID_NAMES if name in told), None) if isinstance(told, dict) else None
    return found if type(found) is int else None


def _organization(actor: User, chain: Blockchain, orgcode: str) -> Organization:
    if orgcode:
        named = Organization.objects.visible_to(actor).filter(orgcode=orgcode).first()
        if named is None:
            raise Invalid.field("orgcode", _("There is no such organization."))
        require(may_download_sdk(actor, chain, named))
        return named
    mine = own_organizations(actor, chain)
    if not mine:
        raise NotAllowed(_("No organization of yours is on this chain; its connection files are for those that are."))
    return mine[0]


def _connection(chain: Blockchain, organization: Organization, number: int | None) -> Json:
    business = chain.business_chain
    nodes = Node.objects.filter(blockchain=chain, organization=organization)
    return {
        "version": 1,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "blockchain": {"id": chain.uid, "name": chain.name, "externalid": chain.external_id},
        "chain": {"id": business.uid, "name": business.name},
        "chain_id": number,
        "kernel": kernel_of(chain),
        "network": {"id": business.network, "oemtype": business.platform.oemtype, "platform": business.platform.name},
        "organization": {"orgcode": organization.orgcode, "name": organization.name},
        "gateway": {"url": gateway_address(chain), "token_variable": TOKEN_VARIABLE} if gateway_serves(chain) else None,
        "nodes": [
            {
                "id": str(node.pk),
                "externalid": node.external_id,
                "role": node.role,
                "endpoint": node.endpoint,
                "state": node.state,
                "version": node.version,
            }
            for node in nodes
        ],
    }


def _address_book(chain: Blockchain, number: int | None) -> Json:
    """Contracts that transactions made, newest first, as far as the ledger has been read.

    Those in the console's book have their name and ABI; they stand here also where the ledger has not been read so far.
    """
    made = Transaction.objects.filter(blockchain=chain).exclude(contract="").order_by("-height", "-index")
    rows = list(made.values("contract", "height", "hash", "sender", "status")[: MAX_CONTRACTS + 1])
    top = Block.objects.filter(blockchain=chain).order_by("-height").values_list("height", flat=True).first()
    known = _in_the_book(chain)
    found = [
        {
            "address": row["contract"],
            "made_in_block": row["height"],
            "made_by_transaction": row["hash"],
            "made_by": row["sender"],
            "status": row["status"],
            **known.pop(row["contract"].lower(), {}),
        }
        for row in rows[:MAX_CONTRACTS]
    ]
    return {
        "blockchain": chain.uid,
        "chain_id": number,
        "read_up_to": top,
        "left_out": len(rows) > MAX_CONTRACTS,
        "contracts": [*({"address": address, **about} for address, about in known.items()), *found],
    }


def _in_the_book(chain: Blockchain) -> dict[str, Json]:
    """Name, state and ABI by address, of the contracts that run, or that are stopped."""
    states = (ContractState.RUNNING, ContractState.STOPPED)
    versions = ContractVersion.objects.filter(
        state=VersionState.RUNNING, contract__blockchain=chain, contract__state__in=states
    )
    rows = versions.select_related("contract__owner").order_by("-deployed_at", "-pk")[:MAX_CONTRACTS]
    return {
        row.contract.address.lower(): {
            "name": row.contract.name,
            "contract": row.contract.uid,
            "owner": row.contract.owner.orgcode,
            "version": row.number,
            "state": str(row.contract.state),
            "abi": row.abi,
        }
        for row in rows
    }
