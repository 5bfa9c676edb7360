"""Who in a network is who here: by tenant, by code, by machines; never by name."""

from __future__ import annotations

import pytest

from console.models import User
from platforms.models import Platform
from platforms.standard import MemberInfo, NetworkInfo, NodeInfo
from tests.unions.cast import Cast, departments
from unions.matching import SeenMember, members_seen, seen_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def network(*members: MemberInfo) -> NetworkInfo:
    return NetworkInfo(network_id="n", name="N", status="running", members=members)


def node(number: int, **more: str) -> NodeInfo:
    return NodeInfo(node_id=f"node-{number}", state="running", **more)  # type: ignore[arg-type]


def seen(cast: Cast, *members: MemberInfo, nodes: tuple[NodeInfo, ...] = ()) -> list[tuple[str, str]]:
    """Orgcode and how it was found out, for each member."""
    return [(each.orgcode, each.known_by) for each in members_seen(cast.platform, network(*members), nodes)]


def test_machines_tell_an_on_prem_organization_if_all_its_nodes_are_on_them(cast: Cast) -> None:
    member = MemberInfo(member_id="m-1", name="Whoever")
    on_its_own = (
        node(1, member_id="m-1", endpoint="http://127.0.0.11:8545"),
        node(2, member_id="m-1", endpoint="127.0.0.11:30303"),
    )
    assert seen(cast, member, nodes=on_its_own) == [(cast.social.orgcode, "machines")]
    elsewhere = node(3, member_id="m-1", endpoint="http://10.9.9.9:8545")
    assert seen(cast, member, nodes=(*on_its_own, elsewhere)) == [("", "")]
    named = MemberInfo(member_id="m-1", name="Whoever", tenantid="t-9")
    assert seen(cast, named, nodes=on_its_own) == [("", "")], "the tenant that the platform names counts first"
    assert seen(cast, member, nodes=(node(1, member_id="m-1", endpoint="http://[::1"),)) == [("", "")]


def test_a_code_on_a_node_tells_its_member_and_a_name_does_not(cast: Cast) -> None:
    member = MemberInfo(member_id="m-1", name=cast.housing.name)
    assert seen(cast, member) == [("", "")]
    assert seen(cast, member, nodes=(node(1, member_id="m-1", orgcode=cast.tax.orgcode),)) == [
        (cast.tax.orgcode, "code")
    ]
    both = (node(1, member_id="m-1", orgcode=cast.tax.orgcode), node(2, member_id="m-1", orgcode=cast.housing.orgcode))
    assert seen(cast, member, nodes=both) == [("", "")], "two codes tell nothing"


def test_who_has_left_does_not_count_and_nodes_speak_where_no_member_is_named(cast: Cast) -> None:
    gone = MemberInfo(member_id="m-1", tenantid="t-1", status="DELETED")
    assert seen(cast, gone, nodes=(node(1, member_id="m-1"),)) == []
    nodes = (node(1, tenantid="t-1"), node(2, tenantid="t-1"), node(3, tenantid="t-8"), node(4))
    assert seen(cast, nodes=nodes) == [(cast.tax.orgcode, "tenant"), ("", "")]


def test_a_member_that_was_kept_is_read_back() -> None:
    member = SeenMember(("m-1", "m-2"), "Name", "t-1", "org-1", "tenant")
    kept = {"member_ids": ["m-1", "m-2"], "name": "Name", "tenantid": "t-1", "orgcode": "org-1", "known_by": "tenant"}
    assert seen_member(kept) == member
