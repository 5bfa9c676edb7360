"""What becomes of chains when their platform is retired, or the console lets go of their union."""

from __future__ import annotations

from django.utils import timezone

from chains.models import Blockchain, BusinessChain, ChainState, TakeOver
from chains.services.chains import mark_deleted
from console.models import User
from console.models.flows import OPEN_FLOW_STATES
from console.transactions import joins_transaction
from platforms.models import Platform
from unions.models import Union


def under_way(platform: Platform) -> list[str]:
    """Chains that are being built, and take-overs that have not ended."""
    building = Blockchain.objects.filter(business_chain__platform=platform, state=ChainState.CREATING)
    open_ones = TakeOver.objects.filter(platform=platform, flow__state__in=OPEN_FLOW_STATES).select_related("flow")
    return [*building.values_list("name", flat=True), *(each.flow.title_text for each in open_ones if each.flow)]


@joins_transaction
def hand_over(platform: Platform, target: Platform, actor: User) -> None:
    """They are read through the target from now on."""
    mine = BusinessChain.objects.filter(platform=platform)
    Blockchain.objects.filter(business_chain__in=mine).update(
        next_read_at=timezone.now(), read_failures=0, reader=None, lease_until=None
    )
    mine.update(platform=target)


@joins_transaction
def release(platform: Platform, actor: User) -> None:
    """They end here; on the platform they stay."""
    live = Blockchain.objects.live().filter(business_chain__platform=platform)
    mark_deleted(actor=actor, blockchain_ids=list(live.values_list("pk", flat=True)))


@joins_transaction
def release_chains_of(union: Union, actor: User) -> None:
    """They end here with their union; on the platform they stay."""
    live = Blockchain.objects.live().filter(business_chain__union=union)
    mark_deleted(actor=actor, blockchain_ids=list(live.values_list("pk", flat=True)))
