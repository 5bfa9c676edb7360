"""What becomes of chains when their platform is retired: read through the successor, or not at all any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chains.models import Blockchain, ChainState, TakeOver
from console.errors import Conflict
from console.models import Flow
from platforms.models import Platform, Tenant
from platforms.services.platforms import retire_platform
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Ledger, Plane
from tests.unions.cast import Cast

Chain = Callable[..., tuple[Blockchain, Ledger]]


def test_the_successor_serves_the_chains(cast: Cast, chain: Chain, observe: Callable[..., int]) -> None:
    row, ledger = chain()
    renewed = Platform.objects.create(
        oemtype="renewed", name="Renewed", kind="mapped", cloudtype="both", capabilities=cast.platform.capabilities
    )
    plane = Plane()
    plane.ledgers[ledger.id] = ledger
    speak_to(renewed, plane)
    renewed.check_in()
    renewed.accept()
    renewed.save()
    for tenant in cast.platform.tenants.all():
        Tenant.objects.create(platform=renewed, tenantid=tenant.tenantid)
    retire_platform(actor=cast.root, oemtype="testbed", hand_over_to="renewed")
    row.refresh_from_db()
    assert row.business_chain.platform == renewed
    asked = len(plane.asked)
    observe(row)
    row.refresh_from_db()
    assert (row.read_error, row.height) == ("", 0)
    assert len(plane.asked) > asked, "the successor was asked"
    plane.close()


def test_released_chains_are_not_read_any_more(cast: Cast, chain: Chain) -> None:
    row, _ledger = chain()
    retire_platform(actor=cast.root, oemtype="testbed", release=True)
    row.refresh_from_db()
    assert (row.state, row.business_chain.state) == (ChainState.DELETED, ChainState.DELETED)
    assert not Blockchain.objects.live().exists()


def test_a_take_over_has_to_end_first(cast: Cast, chain: Chain) -> None:
    row, _ledger = chain()
    flow = Flow.objects.create(kind="chains.take_over", title="Take over what is there")
    TakeOver.objects.create(platform=cast.platform, flow=flow)
    with pytest.raises(Conflict, match="has to end first: Take over what is there"):
        retire_platform(actor=cast.root, oemtype="testbed", release=True)
    row.refresh_from_db()
    assert row.state == ChainState.RUNNING
