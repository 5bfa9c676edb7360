"""What stands in the first block, byte for byte, and what validators are told; no node is needed for that."""

from __future__ import annotations

import json
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from console.errors import PlatformRefused
from platforms.drivers.evm import programs
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.consensus import Founding, consensus_of
from platforms.drivers.evm.kernels import kernel_named
from platforms.drivers.evm.programs import Settings

ADDRESS = "0x" + "1a" * 20
FOUNDING = Founding(number=1_000_000_001, period=3, validator=ADDRESS, at=1_700_000_000)
NODE = Node(
    node_id="chain-1-org-1",
    chain_id="chain-1",
    orgcode="org-1",
    validator=True,
    ip="10.0.0.5",
    engine_port=2376,
    p2p_port=30304,
    rpc_port=8546,
    image="geth:1",
    address=ADDRESS,
    enode="enode://aa@10.0.0.5:30304",
)
OTHER = replace(NODE, node_id="chain-1-org-2", orgcode="org-2", ip="10.0.0.6", enode="enode://bb@10.0.0.6:30303")
CHAIN = Chain("chain-1", "net-1", "Permits", "clique", FOUNDING.number, 3, nodes=(NODE, OTHER))


def test_the_first_block_names_the_first_validator() -> None:
    clique = consensus_of("ethereum").genesis(FOUNDING)
    assert clique["extraData"] == "0x" + "00" * 32 + "1a" * 20 + "00" * 65
    assert clique["config"]["clique"] == {"period": 3, "epoch": 30000}
    assert clique["config"]["chainId"] == FOUNDING.number
    assert "terminalTotalDifficulty" not in clique["config"]
    assert "londonBlock" not in clique["config"]

    qbft = consensus_of("quorum").genesis(FOUNDING)
    # RLP: [32 bytes, [one address], [], 0, []]
    assert qbft["extraData"] == "0xf83aa0" + "00" * 32 + "d594" + "1a" * 20 + "c080c0"
    assert qbft["config"]["qbft"]["blockPeriodSeconds"] == 3

    ibft = consensus_of("quorum", "IBFT").genesis(FOUNDING)
    # vanity, then RLP: [[one address], no seal, []]
    assert ibft["extraData"] == "0x" + "00" * 32 + "d8d594" + "1a" * 20 + "80c0"
    assert "qbft" not in ibft["config"]


def test_votes_and_their_majority() -> None:
    clique, qbft = consensus_of("ethereum"), consensus_of("quorum")
    assert clique.vote(ADDRESS, into=True) == f"clique.propose('{ADDRESS}', true)"
    assert qbft.vote(ADDRESS, into=False) == f"istanbul.propose('{ADDRESS}', false)"


def test_an_unknown_consensus_is_refused_by_name() -> None:
    with pytest.raises(PlatformRefused, match="raft") as refused:
        consensus_of("quorum", "raft")
    assert refused.value.code == "unknown_consensus"
    assert "qbft, ibft" in str(refused.value)


def test_a_node_listens_on_its_machine_and_knows_its_peers() -> None:
    text = programs.configuration(CHAIN, NODE)
    assert 'ListenAddr = "10.0.0.5:30304"' in text
    assert 'StaticNodes = ["enode://bb@10.0.0.6:30303"]' in text
    assert json.loads(programs.permitted(CHAIN)) == [NODE.enode, OTHER.enode]
    named = replace(NODE, ip="node1.example.org")
    assert 'ListenAddr = "0.0.0.0:30304"' in programs.configuration(CHAIN, named)


def test_what_others_reach_answers_no_question_of_management() -> None:
    command = " ".join(programs.running(CHAIN, NODE, consensus_of("ethereum"), Settings("ethereum", "geth:1")).command)
    assert "--http.addr 10.0.0.5 --http.port 8546 --http.api eth,net,web3,txpool" in command
    assert "--authrpc.addr 127.0.0.1" in command
    assert "--http.vhosts" not in command
    assert f"--unlock {ADDRESS}" in command
    reader = replace(NODE, validator=False)
    quiet = programs.running(CHAIN, reader, consensus_of("ethereum"), Settings("ethereum", "geth:1")).command
    assert not {"--mine", "--unlock"} & set(quiet)


@pytest.mark.parametrize(
    ("lies_there", "taken"),
    [
        ("ab" * 32, "ab" * 32),
        (f"0x{'Cd' * 32}\r\n", "Cd" * 32),
        (None, ""),
        ("", ""),
        ("ab" * 31, ""),
        ("ab" * 31 + "zz", ""),
        ("ab" * 33, ""),
        (":" * 64, ""),
    ],
)
def test_a_key_that_was_brought_is_taken_whole_or_not_at_all(
    tmp_path: Path, lies_there: str | None, taken: str
) -> None:
    """By the shell itself. What is wrong is said without a word of what lies there."""
    if lies_there is not None:
        (tmp_path / "validator.key").write_bytes(lies_there.encode())
    script = programs.TAKE.replace("/brought", str(tmp_path)) + 'printf %s "$key"'
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode == 0) == (taken, bool(taken))
    if not taken:
        assert "validator.key" in done.stderr
        assert len(lies_there or "") < 60 or (lies_there or "") not in done.stderr


def test_only_a_key_that_was_brought_is_looked_for_and_nobody_changes_it() -> None:
    made = programs.preparation(CHAIN, NODE, consensus_of("ethereum"))
    brought = programs.preparation(CHAIN, NODE, consensus_of("ethereum"), brought=True)
    assert (made.reads, brought.reads) == ({}, {"concord-keys": "/brought"})
    assert "/brought" not in made.command[1]
    assert "account import" in brought.command[1]
    assert brought.command[1].endswith(consensus_of("ethereum").prepare), "the rest is as for keys made there"


def test_geth_asks_for_no_gas_and_advises_none() -> None:
    """Read from what the container is told; that geth heeds it is shown on real nodes (tests/stack)."""
    geth = programs.running(CHAIN, NODE, consensus_of("ethereum"), Settings("ethereum", "geth:1"))
    assert (geth.entrypoint, geth.command[0]) == (("sh",), "-c")
    assert "miner.setGasPrice(0)" in geth.command[1]
    assert geth.command[1].rstrip().endswith('exec geth "$@"')
    assert geth.command[2:5] == ("geth", "--datadir", "/data")
    advice = tomllib.loads(programs.configuration(CHAIN, NODE))["Eth"]["GPO"]
    assert (advice["Default"], advice["Blocks"]) == (0, 20)
    quorum = replace(CHAIN, consensus="qbft")
    assert programs.running(quorum, NODE, consensus_of("quorum"), Settings("quorum", "q:1")).entrypoint == ("geth",)
    assert "Eth" not in tomllib.loads(programs.configuration(quorum, NODE))


def test_a_peer_that_has_gone_is_trusted_no_more() -> None:
    (geth,) = kernel_named("ethereum").part([OTHER.enode])
    assert geth == f'admin.removeTrustedPeer("{OTHER.enode}") && admin.removePeer("{OTHER.enode}")'
    (besu,) = kernel_named("besu").part([OTHER.enode])
    assert (json.loads(besu)["method"], json.loads(besu)["params"]) == ("admin_removePeer", [OTHER.enode])
