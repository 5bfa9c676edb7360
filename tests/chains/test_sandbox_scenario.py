"""The government scenario (G4) on the real sandbox with real EVM chains, wholly in this process: no Celery, no mock.

What the console's rows say is held against the sandbox's own word, and against the nodes themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chains.models import Block, Blockchain, BusinessChain, ChainState, Node, Transaction
from chains.observing.observer import Observer
from console.flows import engine
from console.models import Flow, FlowState, User
from platforms.models import Platform, PlatformState
from platforms.sandbox.anvil import find_anvil
from platforms.services.platforms import register_platform, update_platform
from tests.platforms.sandbox.running import Running
from tests.unions.cast import registered
from unions.models import MemberState, Organization, Proposal, Union, UnionState
from unions.services.proposals import cast_vote
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_anvil() is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
PATIENCE = 90.0  # seconds


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path).start()
    assert made.open().post("/traffic", json={"perMinute": 240}).status_code == 200
    yield made
    made.stop()


def until(reached: Callable[[], bool], what: str, observer: Observer | None = None) -> None:
    """Keep promises when they are due, and read chains, as the workers do."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        for step_id in engine.due_steps():
            engine.run_step(step_id)
        if observer is not None:
            observer.tick(patience=0.1)
        time.sleep(0.05)


def ended(flow_id: Any) -> Flow:
    until(lambda: Flow.objects.get(pk=flow_id).is_final, "the flow to end")
    return Flow.objects.get(pk=flow_id)


def done(proposal: Proposal) -> None:
    flow = ended(proposal.flow_id)
    assert flow.state == FlowState.DONE, flow.error


class Departments:
    """Tax and housing in the cloud, social security on its own machines."""

    def __init__(self, administrator: User, sandbox: Running) -> None:
        self.tax_clerk, self.tax = registered(administrator, "tina", self._cloud("Tax", sandbox.tenants[0]))
        self.housing_clerk, self.housing = registered(administrator, "hugo", self._cloud("Housing", sandbox.tenants[1]))
        machines = {"category": "on_prem", "nodelist": [{"ip": "127.0.0.31", "port": 9001}], "tlscert": sandbox.tlscert}
        self.social_clerk, self.social = registered(
            administrator, "sara", {"name": "Social", "oemtype": "sandbox", **machines}
        )

    @staticmethod
    def _cloud(name: str, tenant: dict[str, str]) -> dict[str, Any]:
        keys = {key: tenant[key] for key in ("tenantid", "projectid", "ak", "sk")}
        return {"name": name, "category": "cloud", "oemtype": "sandbox", **keys}

    def agree(self, proposal: Proposal) -> None:
        for clerk, organization in ((self.tax_clerk, self.tax), (self.housing_clerk, self.housing)):
            if proposal.electors.filter(organization=organization).exists():
                cast_vote(actor=clerk, proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
        done(proposal)


def their(sandbox: Running, what: str) -> list[dict[str, Any]]:
    """What the sandbox itself says is there."""
    return sandbox.operator().get(f"/v1/{what}").json()["items"]


def rpc(endpoint: str, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return httpx.post(endpoint, json=body, trust_env=False).json()["result"]


def assert_same_nodes(sandbox: Running, *owners: Organization) -> None:
    """The rows are the sandbox's nodes, one for each owner, and each answers at its own address."""
    rows = Node.objects.select_related("organization").filter(state="running")
    assert {row.external_id for row in rows} == {each["nodeId"] for each in their(sandbox, "nodes")}
    assert {row.organization for row in rows} == set(owners)
    assert len({rpc(row.endpoint, "eth_chainId") for row in rows}) == 1
    assert len({row.endpoint.split(":")[1] for row in rows}) == len(owners), "every space has an address of its own"


def assert_same_ledger(blockchain: Blockchain) -> None:
    """What was read is what a node says: block by block, hash by hash."""
    endpoint = Node.objects.filter(blockchain=blockchain).first().endpoint
    blocks = list(Block.objects.filter(blockchain=blockchain).order_by("height"))
    assert [block.height for block in blocks] == list(range(len(blocks)))
    for block in blocks:
        theirs = rpc(endpoint, "eth_getBlockByNumber", hex(block.height), False)
        assert (block.hash, block.parent_hash) == (
            theirs["hash"],
            theirs["parentHash"] if block.height else block.parent_hash,
        )
        assert int(block.time.timestamp()) == int(theirs["timestamp"], 16)
        kept = Transaction.objects.filter(blockchain=blockchain, height=block.height).order_by("index")
        assert list(kept.values_list("hash", flat=True)) == theirs["transactions"]


def test_the_government_scenario_from_registration_to_deletion(root: User, sandbox: Running) -> None:
    # The platform registers by its files alone.
    flow = ended(register_platform(actor=root, **sandbox.registration).flow.pk)
    assert flow.state == FlowState.DONE, flow.error
    platform = Platform.objects.get(oemtype="sandbox")
    assert (platform.state, platform.is_default, platform.health) == (PlatformState.OFFICIAL, True, "up")

    # Departments register; tax creates a union with housing; housing agrees; nodes are built in both spaces.
    cast = Departments(root, sandbox)
    asked = propose_union(
        actor=cast.tax_clerk, name="Permits", oemtype="", creatororg=cast.tax.orgcode, orgs=[cast.housing.orgcode]
    )
    cast.agree(asked)
    union, blockchain = Union.objects.get(), Blockchain.objects.get()
    assert (union.state, union.uid) == (UnionState.ACTIVE, BusinessChain.objects.get().uid)
    assert {each["networkId"] for each in their(sandbox, "networks")} == {union.network_id}
    assert {each["chainId"] for each in their(sandbox, "chains")} == {blockchain.external_id}
    assert_same_nodes(sandbox, cast.tax, cast.housing)
    assert blockchain.blockspec == {"consensus": "single sequencer", "kernel": "ethereum"}

    # Observers read its ledger.
    observer = Observer()
    until(lambda: Block.objects.filter(height=5).exists(), "five blocks", observer)
    assert_same_ledger(blockchain)
    assert Transaction.objects.exists()

    # Social security asks to join; both agree; its node is built on its own machine.
    cast.agree(propose_join(actor=cast.social_clerk, unionid=union.unionid, orgcode=cast.social.orgcode))
    assert union.members.get(organization=cast.social).state == MemberState.ACTIVE
    assert_same_nodes(sandbox, cast.tax, cast.housing, cast.social)
    assert Node.objects.get(organization=cast.social).endpoint == "http://127.0.0.31:9001"

    # The sandbox is stopped and started again: the same chain with the same head, and reading goes on.
    head = Block.objects.order_by("-height").first()
    sandbox.stop()
    Blockchain.objects.update(next_read_at=None)
    until(lambda: Blockchain.objects.get().read_failures > 0, "a failed reading", observer)
    sandbox.start()
    registration = sandbox.registration
    addresses = {name: registration[name] for name in ("base_url", "on_prem_base_url")}
    update_platform(actor=root, oemtype="sandbox", **addresses)
    Blockchain.objects.update(next_read_at=None)
    until(lambda: Block.objects.filter(height=head.height + 3).exists(), "new blocks after the restart", observer)
    assert Block.objects.get(height=head.height).hash == head.hash
    assert_same_ledger(blockchain)

    # Housing quits; its node is reclaimed.
    done(propose_quit(actor=cast.housing_clerk, unionid=union.unionid, orgcode=cast.housing.orgcode))
    assert_same_nodes(sandbox, cast.tax, cast.social)

    # Tax deletes the union; nothing is left but history.
    done(propose_delete(actor=cast.tax_clerk, unionid=union.unionid))
    union.refresh_from_db()
    blockchain.refresh_from_db()
    assert (union.state, blockchain.state) == (UnionState.DELETED, ChainState.DELETED)
    for what in ("networks", "chains", "nodes"):
        assert their(sandbox, what) == [], what
    assert not Node.objects.exists()
    assert Block.objects.filter(blockchain=blockchain).exists()
    assert observer.tick(patience=1) == 0, "a deleted chain is not read"


@pytest.mark.parametrize(("operation", "fault"), [("createChain", "fail"), ("createNode", "nonsense")])
def test_a_sandbox_that_fails_half_way_leaves_nothing_behind(
    root: User,
    sandbox: Running,
    operation: str,
    fault: str,
) -> None:
    flow = ended(register_platform(actor=root, **sandbox.registration).flow.pk)
    assert flow.state == FlowState.DONE, flow.error
    cast = Departments(root, sandbox)
    answer = sandbox.open().post("/sandbox-faults", json={"fault": fault, "times": 1, "on": [operation]})
    assert answer.status_code == 201, answer.text
    asked = propose_union(
        actor=cast.tax_clerk, name="Permits", oemtype="", creatororg=cast.tax.orgcode, orgs=[cast.housing.orgcode]
    )
    cast_vote(actor=cast.housing_clerk, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=True)
    flow = ended(asked.flow_id)
    assert flow.state == FlowState.UNDONE, flow.error
    for what in ("networks", "chains", "nodes"):
        assert their(sandbox, what) == [], what
    for model in (Union, BusinessChain, Blockchain, Node):
        assert not model.objects.exists(), model
