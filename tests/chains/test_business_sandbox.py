"""Business chains in all three modes on the real sandbox: real EVM chains, held against the sandbox's own word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chains.models import Blockchain, BusinessChain, ChainState, Node
from chains.services.orders import (
    propose_chain,
    propose_chain_delete,
    propose_chain_join,
    propose_chain_quit,
    propose_scaling,
)
from console.models import FlowState, User
from platforms.sandbox.anvil import find_anvil
from platforms.services.platforms import register_platform
from tests.chains.test_sandbox_scenario import Departments, done, ended, rpc, sandbox, their  # noqa: F401 - a fixture
from tests.platforms.sandbox.running import Running
from unions.models import Organization
from unions.services.proposals import cast_vote
from unions.services.unions import propose_union

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]


@pytest.fixture
def cast(root: User, sandbox: Running) -> Departments:  # noqa: F811
    """Tax and housing with a union and its chain, social security beside them."""
    flow = ended(register_platform(actor=root, **sandbox.registration).flow.pk)
    assert flow.state == FlowState.DONE, flow.error
    made = Departments(root, sandbox)
    made.agree(propose_union(**asked(made), oemtype=""))
    return made


def asked(cast: Departments, **more: Any) -> dict[str, Any]:
    about = {"actor": cast.tax_clerk, "name": "Permits", "creatororg": cast.tax.orgcode}
    return {**about, "orgs": [cast.housing.orgcode], **more}


def chain(cast: Departments, name: str, createmode: str, **more: Any) -> BusinessChain:
    cast.agree(propose_chain(**asked(cast, name=name, createmode=createmode, **more)))
    return BusinessChain.objects.get(name=name)


def assert_rows_are_true(sandbox: Running) -> None:  # noqa: F811
    """The rows are the sandbox's nodes, on every chain that they serve, and each answers there."""
    shown = {(each["nodeId"], each["chainId"]): each["endpoint"] for each in their(sandbox, "nodes")}
    rows = Node.objects.select_related("blockchain")
    assert {(row.external_id, row.blockchain.external_id): row.endpoint for row in rows} == shown
    numbers: dict[str, set[str]] = {}
    for row in rows:
        numbers.setdefault(row.blockchain.external_id, set()).add(rpc(row.endpoint, "eth_chainId"))
    assert all(len(found) == 1 for found in numbers.values()), "all nodes of a chain are on it"
    assert len({next(iter(found)) for found in numbers.values()}) == len(numbers), "and on no other"


def ids(blockchain: Blockchain, organization: Organization) -> set[str]:
    return set(blockchain.nodes.filter(organization=organization).values_list("external_id", flat=True))


def test_three_modes_and_their_lives(cast: Departments, sandbox: Running, tmp_path: Path) -> None:  # noqa: F811
    own = Blockchain.objects.get()
    shared = chain(cast, "Land register", "multi_subchain", blockchains=[{"name": "Parcels"}, {"name": "Mortgages"}])
    parcels, mortgages = shared.blockchains.order_by("pk")
    assert ids(parcels, cast.tax) == ids(mortgages, cast.tax) == ids(own, cast.tax)
    assert_rows_are_true(sandbox)

    apart = chain(cast, "Payroll", "isolated", infraspec={"nodes": {cast.tax.orgcode: 2}})
    (payroll,) = apart.blockchains.all()
    assert len(ids(payroll, cast.tax)) == 2
    assert not ids(payroll, cast.tax) & ids(own, cast.tax)
    private = chain(cast, "Archive", "private", orgs=[])
    assert private.union is None
    assert_rows_are_true(sandbox)

    scale = {"actor": cast.housing_clerk, "blockchain_uid": parcels.uid, "orgcode": cast.housing.orgcode}
    done(propose_scaling(**scale, nodes=2))
    assert ids(parcels, cast.housing) == ids(mortgages, cast.housing)
    assert len(ids(parcels, cast.housing)) == 2
    assert_rows_are_true(sandbox)
    done(propose_scaling(**scale, nodes=1))
    assert_rows_are_true(sandbox)

    housing = {"actor": cast.housing_clerk, "uid": shared.uid, "orgcode": cast.housing.orgcode}
    done(propose_chain_quit(**housing))
    assert not ids(parcels, cast.housing)
    assert ids(own, cast.housing), "the shared node still serves the union's own chain"
    assert_rows_are_true(sandbox)
    cast.agree(propose_chain_join(**housing))
    assert ids(parcels, cast.housing) == ids(mortgages, cast.housing) != set()
    assert_rows_are_true(sandbox)

    for each in (shared, apart, private):
        done(propose_chain_delete(actor=cast.tax_clerk, uid=each.uid))
        each.refresh_from_db()
        assert each.state == ChainState.DELETED
    assert {each["chainId"] for each in their(sandbox, "chains")} == {own.external_id}
    assert len(their(sandbox, "networks")) == 1
    assert_rows_are_true(sandbox)


@pytest.mark.parametrize(("operation", "fault"), [("shareNodes", "fail"), ("createNode", "nonsense")])
def test_what_fails_half_way_leaves_the_shared_nodes_as_they_were(
    cast: Departments,
    sandbox: Running,  # noqa: F811
    operation: str,
    fault: str,
) -> None:
    before = their(sandbox, "nodes")
    answer = sandbox.open().post("/sandbox-faults", json={"fault": fault, "times": 1, "on": [operation]})
    assert answer.status_code == 201, answer.text
    two = [{"name": "Parcels"}, {"name": "Mortgages"}]
    wanted = asked(cast, name="Land register", createmode="multi_subchain", blockchains=two, infraspec={"nodes": 2})
    proposal = propose_chain(**wanted)
    cast_vote(actor=cast.housing_clerk, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    flow = ended(proposal.flow_id)
    assert flow.state == FlowState.UNDONE, flow.error
    assert their(sandbox, "nodes") == before
    assert len(their(sandbox, "chains")) == 1
    assert not BusinessChain.objects.filter(name="Land register").exists()
    assert_rows_are_true(sandbox)
