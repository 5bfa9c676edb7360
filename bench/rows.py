"""Rows of a platform and its chains, as registration and building would leave them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def observed_chains(external_ids: Iterable[str]) -> list[Any]:
    """Chains that are read from their nodes alone, on a platform of the kind `evm`."""
    from platforms.models import Cloudtype, Kernel, Platform, PlatformKind
    from platforms.standard import OPERATIONS

    supported = {name: {"supported": name not in ("get_monitoring", "list_nodes"), "reason": ""} for name in OPERATIONS}
    platform = Platform.objects.create(
        oemtype="bench-evm",
        name="Bench",
        kind=PlatformKind.EVM,
        kernel=Kernel.ETHEREUM,
        cloudtype=Cloudtype.ON_PREM,
        capabilities=supported,
    )
    return chains_of(platform, external_ids)


def chains_of(platform: Any, external_ids: Iterable[str]) -> list[Any]:
    from chains.models import Blockchain, BusinessChain
    from unions.models import Category, Organization, ResourceSpace, SpaceKind

    platform.check_in()
    platform.accept()
    platform.save()
    creator = Organization.objects.create(orgcode="org-bench", name="Bench", category=Category.CLOUD)
    ResourceSpace.objects.create(organization=creator, kind=SpaceKind.TENANT, platform=platform, tenantid="bench")
    ordered = BusinessChain.objects.bulk_create(
        BusinessChain(uid=f"bc-{number}", name=f"Bench {number}", platform=platform, creator=creator)
        for number, _external_id in enumerate(external_ids)
    )
    return Blockchain.objects.bulk_create(
        Blockchain(uid=f"b-{number}", business_chain=each, external_id=external_id, name=each.name)
        for number, (each, external_id) in enumerate(zip(ordered, external_ids, strict=True))
    )
