"""Business chains wished for, scaled and deleted at the same moment: one wins, the others hear why."""

from __future__ import annotations

import pytest

from chains.services.orders import (
    propose_chain,
    propose_chain_delete,
    propose_chain_join,
    propose_chain_quit,
    propose_scaling,
)
from console.models import Flow
from tests.chains.test_business_chains import agreed, built, union, wish  # noqa: F401 - a fixture among them
from tests.console.races import at_once
from tests.unions.cast import Cast
from unions.models import Proposal, Reservation, Union
from unions.services.unions import propose_delete, propose_join

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 6


def test_one_of_several_deletions_wins(cast: Cast, union: Union) -> None:  # noqa: F811
    chain = built(cast)
    before = Flow.objects.count()
    delete = lambda: propose_chain_delete(actor=cast.alice, uid=chain.uid)  # noqa: E731
    assert at_once(*[delete] * THREADS) == {"done": 1, "conflict": THREADS - 1}
    assert Proposal.objects.filter(kind="chain_delete").count() == 1
    assert Flow.objects.count() == before + 1


def test_a_chain_is_not_deleted_beside_its_union_or_what_moves_on_it(cast: Cast, union: Union) -> None:  # noqa: F811
    chain = built(cast)
    row = chain.blockchains.get()
    scale = {"blockchain_uid": row.uid, "orgcode": cast.housing.orgcode, "nodes": 2}
    endings = at_once(
        lambda: propose_chain_delete(actor=cast.alice, uid=chain.uid),
        lambda: propose_delete(actor=cast.alice, unionid=union.unionid),
        lambda: propose_scaling(actor=cast.bob, **scale),
        lambda: propose_chain_quit(actor=cast.bob, uid=chain.uid, orgcode=cast.housing.orgcode),
    )
    assert endings["done"] == 1
    assert set(endings) <= {"done", "conflict", "blocked"}, "who comes too late hears what stands in the way"


def test_a_name_and_the_last_places_are_given_once(cast: Cast, union: Union) -> None:  # noqa: F811
    cast.tax.space.quota_nodes = 2  # one is in use
    cast.tax.space.save()
    named = lambda: propose_chain(actor=cast.alice, **wish(cast, "isolated"))  # noqa: E731
    others = [
        lambda name=f"Other {n}": propose_chain(actor=cast.alice, **wish(cast, "isolated", name=name))
        for n in range(THREADS)
    ]
    endings = at_once(named, named, *others)
    assert endings["done"] == 1
    assert set(endings) <= {"done", "conflict", "invalid", "quota_exceeded"}
    assert Reservation.objects.filter(space=cast.tax.space).count() == 1


def test_an_organization_asks_once_to_come_into_a_chain(cast: Cast, union: Union) -> None:  # noqa: F811
    chain = built(cast)
    agreed(cast, propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode))
    join = lambda: propose_chain_join(actor=cast.carol, uid=chain.uid, orgcode=cast.social.orgcode)  # noqa: E731
    assert at_once(*[join] * THREADS) == {"done": 1, "conflict": THREADS - 1}
    assert Proposal.objects.filter(kind="chain_join").count() == 1
