"""A union on a cloud platform and one on own machines: one list, one inbox, one way to look at both."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chains.models import Blockchain
from console.models import User
from platforms.models import Platform
from platforms.sandbox.anvil import find_anvil
from tests.chains.ledger_plane import Ledger
from tests.chains.test_observed import Theirs, node, own_machines, parks, rest, taken_over  # noqa: F401 - fixtures
from tests.chains.test_pages import page, words
from tests.unions.cast import Cast
from unions.models import MemberRole, Membership, Organization, UnionMember
from unions.services.rules import propose_rule

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
MakeChain = Callable[..., tuple[Blockchain, Ledger]]


def names(user: User, path: str) -> set[str]:
    return {row["name"] for row in rest(user, path)["results"]}


def test_both_worlds_are_one_to_who_is_in_both(
    node: Theirs,  # noqa: F811
    cast: Cast,
    own_machines: Platform,  # noqa: F811
    parks: tuple[User, Organization],  # noqa: F811
    chain: MakeChain,
    observe: Callable[..., int],
) -> None:
    permits, ledger = chain("Permits")
    ledger.mine(7)
    trees = taken_over(cast, node)
    UnionMember.objects.create(union=trees, organization=cast.social, member_id="social")
    (watched,) = Blockchain.objects.filter(business_chain__union=trees)
    alice, garden = cast.alice, parks[1]
    office = permits.business_chain.union
    assert office is not None
    Membership.objects.create(user=alice, organization=garden, role=MemberRole.OPERATOR)

    # One list, by REST and on the page, and each platform's part of it.
    both = {"Permits", trees.name}
    for path, on_page in (("unions", "/unions"), ("chains", "/chains")):
        assert names(alice, path) == both
        assert names(alice, f"{path}?oemtype=own") == {trees.name}
        assert names(alice, f"{path}?oemtype=testbed") == {"Permits"}
        assert shown(alice, on_page, both) == both
        assert shown(alice, f"{on_page}?platform=own", both) == {trees.name}
        assert shown(alice, f"{on_page}?platform=testbed", both) == {"Permits"}

    # One observer reads both ledgers, in one go.
    assert observe(permits, watched) == 2
    assert (permits.height, permits.read_error) == (7, "")
    assert (watched.height >= 0, watched.read_error) == (True, "")

    # One inbox: what is asked in either waits there, each with the platform it is about.
    asked = {"rule": "majority", "threshold": None}
    first = propose_rule(actor=cast.bob, unionid=office.unionid, orgcode=cast.housing.orgcode, **asked)
    second = propose_rule(actor=cast.carol, unionid=trees.unionid, orgcode=cast.social.orgcode, **asked)
    waiting = "proposals?waiting_for=me"
    assert ids(alice, waiting) == {first.pk, second.pk}
    assert ids(alice, f"{waiting}&oemtype=own") == {second.pk}
    assert ids(alice, f"{waiting}&oemtype=testbed") == {first.pk}
    assert ids(alice, f"{waiting}&oemtype=nowhere") == set()
    assert shown(alice, "/inbox", both) == both
    assert shown(alice, "/proposals?platform=own", both) == {trees.name}

    # One picture of both, and the same one of either.
    assert 'aria-label="2 unions, the platforms that they are on, and the 4 organizations in them"' in page(
        alice, "/unions"
    )
    for union in (office, trees):
        html = page(alice, f"/unions/{union.unionid}")
        assert re.search(rf'aria-label="{union.name} and its 2 members"', html)
        assert words(html).count("Observed") == 0
        assert ("only observes" in words(html)) == (union == trees)


def ids(user: User, path: str) -> set[Any]:
    return {int(row["id"]) for row in rest(user, path)["results"]}


def shown(user: User, path: str, among: set[str]) -> set[str]:
    """Which of these names are in the page's own part, without menus and filters."""
    html = page(user, path, live=True)
    return {name for name in among if name in words(html)}
