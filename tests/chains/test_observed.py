"""A chain that somebody else runs, taken over by its node's address: what the console may do is said, and held."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from django.test import Client
from rest_framework.test import APIClient

from chains.models import Blockchain, BusinessChain, Createmode
from chains.services.orders import propose_chain, propose_chain_join, propose_scaling
from chains.services.takeover import request_take_over
from console.errors import Conflict
from console.models import Flow, User
from platforms.models import Platform
from platforms.sandbox.anvil import find_anvil
from platforms.services.platforms import register_platform
from tests.chains.test_pages import page, words
from tests.chains.test_take_over import work
from tests.unions.cast import Cast, on_prem, registered
from unions.models import Organization, Proposal, Union, UnionState
from unions.services.unions import propose_delete, propose_join

ANVIL = find_anvil()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(ANVIL is None, reason="needs anvil: `make setup` installs it, or name it in ANVIL"),
]
IP, NUMBER = "127.0.51.1", 7_654_321


@dataclass(frozen=True)
class Theirs:
    """Somebody's node."""

    port: int

    @property
    def network(self) -> str:
        return f"{NUMBER}@{IP}:{self.port}"

    def answers(self) -> bool:
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        try:
            said = httpx.post(f"http://{IP}:{self.port}", json=question, trust_env=False).json()
        except httpx.HTTPError:
            return False
        return bool(said["result"] == hex(NUMBER))


@pytest.fixture
def node() -> Iterator[Theirs]:
    with socket.socket() as probe:
        probe.bind((IP, 0))
        theirs = Theirs(probe.getsockname()[1])
    command = [str(ANVIL), "--host", IP, "--port", str(theirs.port), "--chain-id", str(NUMBER), "--block-time", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not theirs.answers():
            assert time.monotonic() < deadline, "the node does not come up"
            time.sleep(0.05)
        yield theirs
        process.kill()


@pytest.fixture
def own_machines(cast: Cast) -> Platform:
    flow = register_platform(actor=cast.root, oemtype="own", name="Own machines", kind="evm", kernel="ethereum").flow
    work()
    assert Flow.objects.get(pk=flow.pk).state == "done"
    return Platform.objects.get(oemtype="own")


@pytest.fixture
def parks(cast: Cast) -> tuple[User, Organization]:
    """An organization with the machine on which the node runs."""
    return registered(cast.root, "paula", on_prem("Parks", nodelist=[{"ip": IP, "port": 2376}]))


def taken_over(cast: Cast, node: Theirs) -> Union:
    take_over = request_take_over(actor=cast.root, oemtype="own", network_ids=[node.network])
    work()
    (row,) = take_over.networks.all()
    assert row.verdict == "created", (row.verdict, row.reason)
    return Union.objects.get(network_id=node.network)


def rest(user: User, path: str) -> dict:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_what_the_console_may_do_is_said_before_and_after(
    node: Theirs, cast: Cast, own_machines: Platform, parks: tuple[User, Organization]
) -> None:
    paula, organization = parks
    preview = request_take_over(actor=cast.root, oemtype="own", network_ids=[node.network], dry_run=True)
    work()
    (shown,) = rest(cast.root, f"take-overs/{preview.pk}")["networks"]
    assert (shown["verdict"], shown["management"]) == ("new", "observed")
    assert "Observe only" in words(page(cast.root, f"/take-overs/{preview.pk}"))

    union = taken_over(cast, node)
    assert [member.organization for member in union.members.all()] == [organization]
    (blockchain,) = Blockchain.objects.filter(business_chain__union=union)
    assert rest(paula, f"unions/{union.unionid}")["management"] == "observed"
    assert rest(paula, f"chains/{union.uid}")["management"] == "observed"
    assert rest(paula, f"blockchains/{blockchain.uid}")["management"] == "observed"
    for path in (f"/unions/{union.unionid}", f"/chains/{blockchain.uid}"):
        seen = words(page(paula, path))
        assert "The console only observes this chain." in seen
        assert "Observe only: it builds and removes no node" in seen
    assert "The observation ends." in words(page(paula, f"/unions/{union.unionid}/delete"))


def test_what_the_console_may_not_do_is_refused_before_anybody_is_asked(
    node: Theirs, cast: Cast, own_machines: Platform, parks: tuple[User, Organization]
) -> None:
    paula, organization = parks
    union = taken_over(cast, node)
    (blockchain,) = Blockchain.objects.filter(business_chain__union=union)
    before = Proposal.objects.count()
    refused = [
        lambda: propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode),
        lambda: propose_chain(
            actor=paula,
            name="More",
            oemtype="",
            unionid=union.unionid,
            creatororg=organization.orgcode,
            orgs=[],
            createmode="isolated",
        ),
        lambda: propose_scaling(actor=paula, blockchain_uid=blockchain.uid, orgcode=organization.orgcode, nodes=2),
        lambda: propose_chain_join(actor=paula, uid=union.uid, orgcode=organization.orgcode),
    ]
    for ask in refused:
        with pytest.raises(Conflict, match="changes nothing on it"):
            ask()
    assert Proposal.objects.count() == before
    client = Client()
    client.force_login(paula)
    html = client.get(f"/chains/{blockchain.uid}").content.decode()
    assert f'href="/chains/{blockchain.uid}/scale"' not in html
    assert "Add a chain" not in html
    assert "Create a business chain" not in client.get(f"/unions/{union.unionid}").content.decode()


def test_letting_go_ends_the_observation_and_nothing_else(
    node: Theirs, cast: Cast, own_machines: Platform, parks: tuple[User, Organization]
) -> None:
    paula, _organization = parks
    union = taken_over(cast, node)
    propose_delete(actor=paula, unionid=union.unionid)
    work()
    union.refresh_from_db()
    assert union.state == UnionState.DELETED
    assert node.answers()


def test_a_unions_own_chain_is_of_the_mode_that_its_platform_has(
    node: Theirs, cast: Cast, own_machines: Platform, parks: tuple[User, Organization]
) -> None:
    """On own machines a node serves one chain: nothing is shared, and the page says so."""
    union = taken_over(cast, node)
    chain = BusinessChain.objects.get(union=union)
    assert chain.createmode == Createmode.ISOLATED
    (blockchain,) = chain.blockchains.all()
    seen = words(page(parks[0], f"/chains/{blockchain.uid}"))
    assert "One chain with nodes of its own" in seen
    assert "share" not in seen
    assert "Kernel Ethereum" in seen
    assert "Peer" in seen
    assert "Anvil 1." in seen
