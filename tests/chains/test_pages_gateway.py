"""The gateway's pages: who has access, granting it, taking it back; and what the chain's page says to programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chains.models import AccessGrant, Blockchain
from chains.services.grants import create_grant
from platforms.models import Kernel
from tests.chains.ledger_plane import Ledger
from tests.chains.test_pages import browser, page, words
from tests.unions.cast import Cast, auditor

pytestmark = pytest.mark.django_db(transaction=True)
MakeChain = Callable[..., tuple[Blockchain, Ledger]]


@pytest.fixture
def row(chain: MakeChain, cast: Cast) -> Blockchain:
    made, _ledger = chain()
    made.business_chain.platform.kernel = Kernel.ETHEREUM
    made.business_chain.platform.save()
    return made


def filled(cast: Cast, **changes: object) -> dict[str, object]:
    asked = {"orgcode": cast.tax.orgcode, "username": "", "purpose": "Permit server", "preset": "read"}
    return {**asked, "quota_per_day": 50, "rate_per_minute": 5, "days": "30", **changes}


def test_access_is_granted_seen_and_taken_back(cast: Cast, row: Blockchain) -> None:
    home = f"/chains/{row.uid}/gateway"
    assert f"/api/v1/gateway/{row.uid}/rpc" in page(cast.alice, f"/chains/{row.uid}")
    assert "No access granted yet" in words(page(cast.alice, home))
    assert "Housing Office" not in page(cast.alice, f"{home}/new"), "only what one administers"
    bad = browser(cast.alice).post(f"{home}/new", filled(cast, username="bob", quota_per_day=0))
    assert bad.status_code == 422
    assert browser(cast.alice).post(f"{home}/new", filled(cast, preset="custom")).status_code == 422
    assert AccessGrant.objects.count() == 0
    made = browser(cast.alice).post(f"{home}/new", filled(cast, methods=["eth_call"]))
    assert (made.status_code, made["Location"]) == (302, home)
    grant = AccessGrant.objects.get()
    assert (grant.preset, grant.quota_per_day, grant.rate_per_minute, grant.user) == ("read", 50, 5, None)
    assert grant.expires_at is not None
    seen = words(page(cast.alice, home))
    assert "Permit server" in seen
    assert "0 of 50" in seen
    assert "Permit server" not in page(cast.bob, home)
    assert f"{home}/{grant.pk}/revoke" not in page(auditor(), home)
    assert browser(cast.bob).post(f"{home}/{grant.pk}/revoke").status_code == 404
    assert 'data-confirm="' in page(cast.alice, home)
    assert browser(cast.alice).post(f"{home}/{grant.pk}/revoke").status_code == 302
    assert "Permit server" not in page(cast.alice, f"{home}?state=in_force&q=")
    assert "Revoked" in words(page(cast.alice, f"{home}?state=ended"))
    assert "Revoked" in words(page(cast.alice, home))


def test_strangers_and_chains_that_are_not_served(cast: Cast, row: Blockchain) -> None:
    home = f"/chains/{row.uid}/gateway"
    assert browser(cast.carol).get(home).status_code == 404
    assert browser(cast.dan).post(f"{home}/new", filled(cast)).status_code == 404
    assert browser(auditor()).get(f"{home}/new").status_code == 403
    assert browser().get(home).status_code == 302
    row.business_chain.platform.kernel = Kernel.FABRIC
    row.business_chain.platform.save()
    assert "this one is Fabric" in words(page(cast.alice, home))
    assert browser(cast.alice).get(f"{home}/new").status_code == 409


def test_the_list_costs_the_same_however_long_it_is(cast: Cast, row: Blockchain) -> None:
    home = f"/chains/{row.uid}/gateway"
    door = browser(cast.alice)
    costs = []
    for number in (1, 9):
        for _each in range(number):
            create_grant(actor=cast.alice, blockchain=row.uid, orgcode=cast.tax.orgcode)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert door.get(home).status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 20, costs
