"""What the steps of this floor share: which chain they are about, and for whom they speak."""

from __future__ import annotations

from chains.models import Blockchain
from console.flows import Later, StepContext
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials
from platforms.models import Platform
from unions.flows.arguments import creator_of, organization_named, platform_of
from unions.models import Organization
from unions.spaces import credentials_for

LOOK_AGAIN_SECONDS = 5.0
MAX_LOOKS = 240  # 20 minutes


def chain_id_of(context: StepContext) -> str:
    """The platform's id of the step's chain; empty when it was deleted here, or was never made."""
    if "blockchain" in context.arguments:
        live = Blockchain.objects.live().filter(pk=context.arguments["blockchain"])
        return live.values_list("external_id", flat=True).first() or ""
    chains = context.outcome("chain").get("chains") or [{}]
    return chains[0].get("chain_id", "")


def member_of(context: StepContext) -> tuple[Platform, Organization, Credentials]:
    """The platform, the member that the step is about, and what opens the spaces of both sides."""
    platform, member = platform_of(context), organization_named(context.arguments["member"])
    return platform, member, credentials_for(platform, creator=creator_of(context), member=member)


def has_to_look(context: StepContext, platform: Platform) -> bool:
    """What is to be made may be there already, or an operator said which one it is."""
    if driver_for(platform).resumes:
        return False
    return unsure(context, platform) or context.told_to_try_again or bool(context.chosen)


def unsure(context: StepContext, platform: Platform) -> bool:
    """An earlier attempt ended without telling us what it has made.

    Never where the driver resumes: what is there need not be whole, and only asking again under the same key ends it.
    """
    if context.known or driver_for(platform).resumes:
        return False
    return looks_of(context) > 0 or (context.position is None and context.attempt > 1)


def looks_of(context: StepContext) -> int:
    """How often this step has looked already at what an earlier attempt has made."""
    return int((context.position or {}).get("looks", 0))


def look_again(context: StepContext) -> Later | None:
    """Wait for what an earlier attempt has begun; None when that has taken too long."""
    if looks_of(context) >= MAX_LOOKS:
        return None
    return Later(LOOK_AGAIN_SECONDS, {**(context.position or {}), "looks": looks_of(context) + 1})


def waiting(wait: Later | None) -> Later:
    if wait is None:
        raise RuntimeError("a platform call neither finished nor waits")
    return wait
