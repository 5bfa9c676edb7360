"""What pages and API read of contracts, in a fixed number of queries."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from chains.models import Contract, ContractVersion
from chains.models.contracts import ContractQuerySet
from console.models import User


def contracts(actor: User) -> ContractQuerySet:
    """For lists: without programs."""
    versions = ContractVersion.objects.only("contract", "number", "state").order_by("-number")
    rows = Contract.objects.visible_to(actor).select_related("blockchain__business_chain", "owner", "created_by")
    return rows.prefetch_related(Prefetch("versions", versions))


def contract_details(actor: User) -> QuerySet[Contract]:
    """With every version, the newest first."""
    versions = ContractVersion.objects.select_related("created_by").order_by("-number")
    about = ("blockchain__business_chain__platform", "blockchain__business_chain__union", "owner", "created_by")
    return Contract.objects.visible_to(actor).select_related(*about).prefetch_related(Prefetch("versions", versions))
