"""What stands in the first block, byte for byte, and what validators are told; no node is needed for that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from console.errors import PlatformRefused
from platforms.drivers.evm import programs
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.consensus import Founding, consensus_of
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
