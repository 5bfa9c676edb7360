"""The native driver on real machines: what it makes it makes once, and what goes wrong it says and goes on with."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.errors import Missing, NotSupported, PlatformRefused, PlatformUnavailable
from platforms import standard
from platforms.drivers.base import Credentials, Pending
from platforms.drivers.evm import programs, voting
from platforms.drivers.evm.book import Node
from platforms.signing import account_of, new_key, sign
from tests.stack.site import UPGRADE_SECONDS, Site, site
from tests.stack.stranger import CALLS_AGAIN_SECONDS, stranger
from tests.tools.engines import Host, missing_for_engines
from tests.tools.images import missing_for, pack
from tests.tools.ports import taken
from tests.tools.waiting import until

ENGINES = missing_for_engines()
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(ENGINES), reason=ENGINES),
]
DOES_NOT_RUN = ("node_died", "engine_refused", "command_failed", "node_silent")
NO_ETHEREUM, NO_QUORUM = missing_for("ethereum"), missing_for("quorum")


def network(made: Site, *members: int) -> str:
    network_id = made.do("create_network", name="Permits", creator=made.party(members[0])).network_id
    for member in members[1:]:
        made.do("join_network", network_id=network_id, member=made.party(member))
    return str(network_id)


def pack_into(host: Host, tag: str) -> None:
    """An image on the host that holds a shell and no kernel."""
    archive = host.folder / "broken.tar"
    pack(archive, tag=tag)
    host.podman("load", "--input", str(archive))


def bring_key(host: Host) -> str:
    """What an organization does on its machine that brings the validator's key itself; the key's address."""
    key = new_key()
    host.podman("volume", "create", programs.BROUGHT)
    place = host.podman("volume", "inspect", "--format", "{{.Mountpoint}}", programs.BROUGHT).strip()
    Path(place, "validator.key").write_text(f"{key}\n")
    return account_of(key).lower()


def took_the_key(made: Site, chain_id: str, address: str) -> None:
    """The second organization's validator is who its key says, and the volume with it stays as it was."""
    node = made.book.chain(chain_id).node_of("org-1")
    assert node is not None
    assert node.address == address
    said = made.do("get_chain", chain_id=chain_id, network_id=made.book.chain(chain_id).network_id).extrainfo
    assert address in {each.lower() for each in json.loads(said)["validators"]}


def running(made: Site) -> list[int]:
    return [len(host.podman("ps", "--format", "{{.Names}}").split()) for host in made.hosts]


@pytest.mark.skipif(bool(NO_ETHEREUM), reason=NO_ETHEREUM)
def test_ethereum_builds_once_and_goes_on_after_whatever_went_wrong() -> None:
    with site("ethereum", "42", 2) as made:
        network_id = network(made, 0, 1)
        assert network(made, 0, 1) == network_id  # the same key, the same network
        wanted = {"network_id": network_id, "name": "Permits", "creator": made.party(0)}
        with taken(made.hosts[0].ip, 8545), pytest.raises(PlatformRefused, match="already in use") as refused:
            made.do("create_chain", **wanted)
        assert refused.value.code == "port_taken"
        chain_id = made.do("create_chain", **wanted).chain_id
        assert made.do("create_chain", **wanted).chain_id == chain_id
        assert running(made) == [1, 0]

        _a_stranger_finds_no_place(made, chain_id)

        ours = {"network_id": network_id, "chain_id": chain_id}
        address = bring_key(made.hosts[1])
        made.hosts[1].cut()
        with pytest.raises(PlatformUnavailable, match=made.hosts[1].ip):
            made.do("join_chain", **ours, member=made.party(1))
        made.hosts[1].mend()
        made.do("join_chain", **ours, member=made.party(1))
        assert made.do("join_chain", **ours, member=made.party(1)).status == "running"
        assert running(made) == [1, 1]
        took_the_key(made, chain_id, address)

        _a_node_more_and_less(made, ours)
        _watched_from_outside(made, ours)
        _upgraded_one_by_one(made, ours)
        _two_of_two_are_needed(made, ours)
        _who_cannot_be_asked_has_no_vote(made, ours)

        gone = made.book.chain(chain_id).node_of("org-1")
        made.do("quit_chain", **ours, member=made.party(1))
        _nobody_trusts(made, chain_id, gone)
        assert made.hosts[1].left() == [programs.BROUGHT], "what is the organization's own is left alone"
        with pytest.raises(PlatformRefused, match="last one") as refused:
            made.do("quit_chain", **ours, member=made.party(0))
        assert refused.value.code == "last_validator"
        made.do("delete_network", network_id=network_id, creator=made.party(0))
        with pytest.raises(Missing):
            made.do("get_network", network_id=network_id)
        assert [host.left() for host in made.hosts] == [[], [programs.BROUGHT]]


def _a_stranger_finds_no_place(made: Site, chain_id: str) -> None:
    """It has the chain's first block; but all places are for whom the node trusts."""
    chain = made.book.chain(chain_id)
    (node,) = chain.nodes

    def ask(question: str) -> Any:
        return made.driver._hosts.ask(node, question)

    with stranger("ethereum", chain, node) as enode:
        with pytest.raises(AssertionError):
            until(lambda: ask("net.peerCount") > 0, 10, "the stranger to be let in")
        assert ask(f"admin.addTrustedPeer({json.dumps(enode)})")
        until(lambda: ask("net.peerCount") == 1, 2 * CALLS_AGAIN_SECONDS, "whom the node trusts to be let in")
    assert ask(f"admin.removeTrustedPeer({json.dumps(enode)})")


def _a_node_more_and_less(made: Site, ours: dict[str, str]) -> None:
    """It reads along on ports of its own, and seals nothing."""
    more = made.do("add_node", **ours, member=made.party(1)).node_id
    assert made.do("add_node", **ours, member=made.party(1)).node_id == more
    nodes = {node.node_id: node for node in made.do("list_nodes", **ours).items}
    assert (nodes[more].role, nodes[more].state) == ("peer", "running")
    assert nodes[more].endpoint == f"http://{made.hosts[1].ip}:8546"
    assert nodes[more].version == "Geth 1.13.15"
    _taken_without_a_fee(f"http://{made.hosts[1].ip}:8546")
    sealing = next(node_id for node_id, node in nodes.items() if node.role == "validator")
    with pytest.raises(PlatformRefused, match="seals blocks"):
        made.do("remove_node", **ours, member=made.party(int(sealing[-1])), node_id=sealing)
    made.do("remove_node", **ours, member=made.party(1), node_id=more)
    assert running(made) == [1, 1]


def _taken_without_a_fee(address: str) -> None:
    """What somebody without any money sends to a node that seals nothing is passed on, and sealed by the others."""

    def ask(method: str, *parameters: object) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = httpx.post(address, json=question, timeout=10).json()
        assert "result" in answer, answer
        return answer["result"]

    assert int(ask("eth_gasPrice"), 16) == 0
    key = new_key()
    about = {"number": int(ask("eth_chainId"), 16), "nonce": 0, "to": account_of(key), "data": ""}
    sent = ask("eth_sendRawTransaction", sign(key, **about, gas=21_000).raw)
    until(lambda: ask("eth_getTransactionReceipt", sent), 30, "the transaction is in a block")


def _watched_from_outside(made: Site, ours: dict[str, str]) -> None:
    """The same chain, known by its nodes' addresses only: it is read, and nothing on it is changed."""
    inside: standard.ChainInfo = made.do("get_chain", **ours)
    number = json.loads(inside.extrainfo)["chainId"]
    nodes = [f"{host.ip}:8545" for host in made.hosts]
    known_as = f"{number}@{','.join(nodes)}"
    assert [member.member_id for member in made.do("get_network", network_id=known_as).members] == nodes
    (chain,) = made.do("list_chains", network_id=known_as).items
    theirs = {"network_id": known_as, "chain_id": chain.chain_id}
    assert made.do("get_chain", **theirs).status == "running"
    assert {node.state for node in made.do("list_nodes", **theirs).items} == {"running"}
    assert made.do("get_ledger_summary", chain_id=known_as).height > 0
    assert {figure.name for figure in made.do("get_monitoring", chain_id=known_as).figures} >= {"height", "peers"}
    with pytest.raises(PlatformRefused, match="not 7") as refused:
        made.do("get_network", network_id=f"7@{nodes[0]}")
    assert refused.value.code == "other_chain"
    with pytest.raises(PlatformRefused) as refused:
        made.do("get_network", network_id=f"{number}@{made.hosts[0].ip}:1")
    assert refused.value.code == "node_silent"
    with pytest.raises(NotSupported, match="reads it"):
        made.do("join_chain", **theirs, member=made.party(1))
    assert made.do("delete_network", network_id=known_as, creator=made.party(0)).status == "deleted"
    assert running(made) == [1, 1]


def _upgraded_one_by_one(made: Site, ours: dict[str, str]) -> None:
    """Containers of the new image with the old keys; and the old image again where the new one does not run."""
    old, new = made.driver.settings.image, "localhost/concord-ethereum:next"
    nodes = [node.node_id for node in made.do("list_nodes", **ours).items]
    for host in made.hosts:
        host.podman("tag", old, new)
        pack_into(host, "localhost/concord-broken:1")
    before = made.do("get_chain", **ours)
    for node in nodes:
        made.with_image(new).upgrade(node)
    assert {made.hosts[at].podman("ps", "--format", "{{.Image}}").strip() for at in (0, 1)} == {new}
    with pytest.raises(PlatformRefused) as refused:
        made.with_image("localhost/concord-broken:1").upgrade(nodes[0])
    assert refused.value.code in DOES_NOT_RUN
    _a_worker_dies_while_it_replaces(made.with_image("localhost/concord-broken:1"), nodes[1])
    assert {made.hosts[at].podman("ps", "--format", "{{.Image}}").strip() for at in (0, 1)} == {new}
    after = made.do("get_chain", **ours)
    assert json.loads(after.extrainfo)["validators"] == json.loads(before.extrainfo)["validators"]
    for node in nodes:
        made.upgrade(node)


def _a_worker_dies_while_it_replaces(made: Site, node_id: str) -> None:
    """What its go had found out is lost; whoever goes on knows what to go back to all the same."""
    position: Any = None
    dead = False

    def goes_on() -> bool:
        nonlocal position, dead
        result = made.driver.upgrade(node_id, position=position)
        image = next(node.image for chain in made.book.chains() for node in chain.nodes if node.node_id == node_id)
        if image == made.driver.settings.image and not dead:
            dead = True
        else:
            position = result.position
        return False

    with pytest.raises(PlatformRefused) as refused:
        until(goes_on, UPGRADE_SECONDS, "the image that does not run to be refused")
    assert refused.value.code in DOES_NOT_RUN
    assert dead


@pytest.mark.skipif(bool(NO_ETHEREUM), reason=NO_ETHEREUM)
def test_a_joining_that_is_undone_at_the_vote_leaves_no_validator_behind() -> None:
    """A validator that nobody runs would count for ever: one of two seals nothing alone."""
    with site("ethereum", "45", 2) as made:
        network_id = network(made, 0, 1)
        slowly = json.dumps({"period": 5})
        wanted = {"network_id": network_id, "name": "Permits", "creator": made.party(0), "extrainfo": slowly}
        chain_id = made.do("create_chain", **wanted).chain_id
        _join_until_the_vote_is_cast(made, chain_id)
        made.do("quit_chain", network_id=network_id, chain_id=chain_id, member=made.party(1))
        assert running(made) == [1, 0]
        stood = made.do("get_ledger_summary", chain_id=chain_id).height
        until(lambda: made.do("get_ledger_summary", chain_id=chain_id).height > stood + 2, 60, "the chain goes on")


def _join_until_the_vote_is_cast(made: Site, chain_id: str) -> None:
    wanted = standard.OPERATIONS["join_chain"].request(
        network_id=made.book.chain(chain_id).network_id, chain_id=chain_id, member=made.party(1)
    )
    position: Any = None

    def has_voted() -> bool:
        nonlocal position
        result = made.driver.perform(
            "join_chain", wanted, credentials=Credentials(), key="join_chain", position=position
        )
        assert isinstance(result, Pending), "the vote was counted before it could be undone"
        position = result.position
        return any("votes for" in each["message"] for each in result.trace)

    until(has_voted, 60, "a vote for the second validator", every=0.05)


def _two_of_two_are_needed(made: Site, ours: dict[str, str]) -> None:
    """A chain whose majority is cut off stands, and is said to; it goes on when the host is back."""

    def height() -> int:
        return int(made.do("get_ledger_summary", chain_id=ours["chain_id"]).height)

    def status() -> str:
        return str(made.do("get_chain", **ours).status)

    assert status() == "running"
    made.hosts[1].cut()
    stood = height()
    states = {node.orgcode: node.state for node in made.do("list_nodes", **ours).items}
    assert states == {"org-0": "running", "org-1": "unknown"}
    health = made.do("get_health")
    assert health.status == "degraded"
    assert made.hosts[1].ip in health.detail
    assert height() <= stood + 2
    made.hosts[1].mend()
    until(lambda: height() > stood + 3, 30, "the chain goes on")

    made.hosts[1].cut()
    stood = height()
    until(lambda: status() == "stopped", 60, "the chain is said to stand")
    assert height() <= stood + 2
    assert made.do("get_ledger_summary", chain_id=ours["chain_id"]).patience >= 30
    made.hosts[1].mend()
    # Cut off for so long, the nodes have lost each other; geth calls a peer again after 35 seconds. They may miss a
    # block as they meet, which the console's timetable sees to.
    rouse_at = time.monotonic() + CALLS_AGAIN_SECONDS + 5

    def goes_on() -> bool:
        nonlocal rouse_at
        if time.monotonic() > rouse_at:
            made.driver.rouse(ours["chain_id"])
            rouse_at += 60
        return status() == "running"

    until(goes_on, 90, "the chain goes on again")


def _nobody_trusts(made: Site, chain_id: str, gone: Node | None) -> None:
    """Neither now nor after its next start."""
    (left,) = made.book.chain(chain_id).nodes
    assert gone is not None
    command = ("geth", "attach", "--exec", "JSON.stringify(admin.peers)", programs.SOCKET)
    assert gone.enode not in made.hosts[0].podman("exec", programs.container_name(left), *command)
    config = made.hosts[0].podman("exec", programs.container_name(left), "cat", programs.CONFIGURATION)
    assert gone.enode not in config


def _who_cannot_be_asked_has_no_vote(made: Site, ours: dict[str, str]) -> None:
    """Its node seals, so the chain goes on; but the vote would never come, and that is said."""
    made.hosts[1].terminator.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voting, "VOTE_SECONDS", 3.0)
        with pytest.raises(PlatformRefused, match="Only 1 of 2") as refused:
            made.do("quit_chain", **ours, member=made.party(1))
    assert refused.value.code == "no_majority"
    made.hosts[1].terminator.open()
    assert running(made) == [1, 1]


@pytest.mark.skipif(bool(NO_QUORUM), reason=NO_QUORUM)
def test_quorum_votes_members_in_and_out() -> None:
    with site("quorum", "43", 2) as made:
        network_id = network(made, 0, 1)
        older = made.do(
            "create_chain",
            "ibft",
            network_id=network_id,
            name="Older",
            creator=made.party(0),
            extrainfo='{"consensus": "ibft"}',
        )
        made.do("delete_chain", network_id=network_id, chain_id=older.chain_id, creator=made.party(0))
        chain_id = made.do("create_chain", network_id=network_id, name="Permits", creator=made.party(0)).chain_id
        ours = {"network_id": network_id, "chain_id": chain_id}
        address = bring_key(made.hosts[1])
        made.do("join_chain", **ours, member=made.party(1))
        took_the_key(made, chain_id, address)
        chain: standard.ChainInfo = made.do("get_chain", **ours)
        assert (chain.consensus, chain.kernel, chain.status) == ("qbft", "quorum", "running")
        assert set(chain.members) == {"org-0", "org-1"}
        figures = {figure.name: figure.value for figure in made.do("get_monitoring", chain_id=chain_id).figures}
        assert figures["height"] > 0
        assert (figures["peers"], figures["nodes_running"]) == (1, 2)
        assert figures["memory"] > 2**20
        assert figures["disk_free"] > 2**20
        blocks = made.do("list_blocks", chain_id=chain_id, page_size=5).items
        assert [block.parent_hash for block in blocks[:-1]] == [block.hash for block in blocks[1:]]
        made.do("quit_chain", **ours, member=made.party(1))
        made.do("delete_chain", **ours, creator=made.party(0))
        assert [host.left() for host in made.hosts] == [[], [programs.BROUGHT]]


def test_who_cannot_build_is_told_before_anything_is_built() -> None:
    with site("ethereum", "44", 1, image="localhost:1/nothing:1", archives=None) as made:
        with pytest.raises(PlatformRefused) as refused:
            made.do("create_network", name="Permits", creator=made.party(0))
        assert refused.value.code == "no_image"
        clouds = made.party(0).model_copy(update={"category": "cloud"})
        with pytest.raises(PlatformRefused, match="no machines of its own"):
            made.do("create_network", name="Permits", creator=clouds)
        assert made.do("list_networks").items == ()
        assert made.do("get_health").status == "up"
