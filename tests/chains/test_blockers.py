"""Which machines of a member certainly carry no node, and which chains keep an organization from being closed."""

from __future__ import annotations

import pytest

from chains.blockers import idle_machines, organization_blockers
from chains.models import Blockchain, Node
from console.blockers import blockers_of
from console.errors import Blocked
from console.models import User
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, departments
from unions.models import Machine
from unions.services.organizations import update_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


@pytest.fixture
def blockchain(cast: Cast) -> Blockchain:
    union = active_union(cast, cast.tax, cast.social)
    business_chain = union.business_chains.create(uid="bc-1", name="Permits", platform=cast.platform, creator=cast.tax)
    chain = Blockchain.objects.create(uid="chain-1", business_chain=business_chain, external_id="c", name="Permits")
    chain.organizations.set([cast.tax, cast.social])
    Machine.objects.create(space=cast.social.space, ip="127.0.0.12", port=9001)
    return chain


def test_a_machine_without_a_node_may_go(cast: Cast, blockchain: Blockchain) -> None:
    space, machines = cast.social.space, list(cast.social.space.machines.order_by("ip"))
    assert idle_machines(space, machines) == set()  # no node is known: nobody knows where it is
    node = Node.objects.create(
        blockchain=blockchain, organization=cast.social, external_id="n", endpoint="http://10.9.9.9:8545"
    )
    assert idle_machines(space, machines) == set()  # it is on no machine that is listed
    Node.objects.filter(pk=node.pk).update(endpoint="http://[nonsense")
    assert idle_machines(space, machines) == set()
    node.endpoint = "http://127.0.0.11:30001"
    node.save()
    assert idle_machines(space, machines) == {machines[1].pk}

    both = [{"ip": "127.0.0.11", "port": 9001}, {"ip": "127.0.0.12", "port": 9001}]
    with pytest.raises(Blocked) as problem:
        update_organization(actor=cast.carol, orgcode=cast.social.orgcode, changes={"nodelist": both[1:]})
    assert "127.0.0.11:9001 may carry nodes" in problem.value.detail
    update_organization(actor=cast.carol, orgcode=cast.social.orgcode, changes={"nodelist": both[:1]})
    assert [str(machine) for machine in space.machines.all()] == ["127.0.0.11:9001"]


def test_chains_keep_an_organization_from_being_closed(cast: Cast, blockchain: Blockchain) -> None:
    Node.objects.create(blockchain=blockchain, organization=cast.social, external_id="n")
    assert [each.link for each in organization_blockers(cast.social)] == ["/chains/chain-1"]
    assert {each.code for each in blockers_of("organization", cast.social)} == {"union", "chain"}
    assert organization_blockers(cast.housing) == []
