"""Besu at the level of its protocol: what it is given, held against its documentation, and how it is asked.

There is no Besu here to run. What answers in its stead speaks as the documentation says: a token for name and password,
JSON-RPC for the token, and refusals. The script that asks inside the container is run for real.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chains.gateway.methods import METHODS
from console.errors import PlatformRefused
from platforms.drivers.evm import besu
from platforms.drivers.evm.book import Chain
from platforms.drivers.evm.consensus import BesuQbft, consensus_of
from platforms.drivers.evm.kernels import Besu, kernel_named
from platforms.drivers.evm.observed import consensus_seen, observed
from platforms.drivers.evm.programs import Settings
from platforms.drivers.evm.rpc import Rpc
from tests.platforms.evm.test_consensus import FOUNDING, NODE, OTHER

SETTINGS = Settings("besu", "hyperledger/besu:24.10.0")
QBFT = consensus_of("besu")
CHAIN = Chain("chain-1", "net-1", "Permits", "qbft", FOUNDING.number, 3, genesis={"config": {}}, nodes=(NODE, OTHER))
VALIDATORS = [
    "0x64a702e6263b7297a96638cac6ae65e6541f4169",
    "0x3923390ad55e90c237593b3b0e401f3b08a03185",
    "0xaefdb9a738c9f433e5b6b212a6d62f6370c2f692",
    "0xc7eeb9a4e00ce683cf93039b212648e01c6c6b78",
]
PUBLISHED = (  # of Besu's documentation on QBFT: the extra data of these four
    "0xf87aa00000000000000000000000000000000000000000000000000000000000000000f8549464a702e6263b7297a96638cac6ae65e6541f41"
    "69943923390ad55e90c237593b3b0e401f3b08a0318594aefdb9a738c9f433e5b6b212a6d62f6370c2f69294c7eeb9a4e00ce683cf93039b2126"
    "48e01c6c6b78c080c0"
)
IP = "127.0.55.1"


def test_the_first_block_is_as_the_documentation_has_it() -> None:
    """The extra data of four validators, byte for byte; and the names around it, which are not GoQuorum's."""
    assert isinstance(QBFT, BesuQbft)
    assert "0x" + QBFT._extra(*VALIDATORS).hex() == PUBLISHED
    block = QBFT.genesis(FOUNDING)
    assert block["config"] == {
        "chainId": FOUNDING.number,
        "berlinBlock": 0,
        "qbft": {"epochlength": 30000, "blockperiodseconds": 3, "requesttimeoutseconds": 6},
    }
    assert block["extraData"] == consensus_of("quorum").genesis(FOUNDING)["extraData"]
    assert block["mixHash"] == "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
    assert set(block) == {
        *("config", "nonce", "timestamp", "extraData", "gasLimit", "difficulty", "mixHash", "coinbase", "alloc")
    }


def test_votes_have_besus_names() -> None:
    assert json.loads(QBFT.vote(NODE.address, into=True)) == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "qbft_proposeValidatorVote",
        "params": [NODE.address, True],
    }
    assert json.loads(QBFT.forget_vote(NODE.address))["method"] == "qbft_discardValidatorVote"
    assert json.loads(QBFT.validators)["params"] == ["latest"]


def test_a_consensus_of_others_is_refused() -> None:
    with pytest.raises(PlatformRefused, match="only qbft"):
        consensus_of("besu", "ibft")


def test_what_others_reach_answers_no_question_of_management() -> None:
    wish = besu.running(CHAIN, NODE, QBFT, SETTINGS)
    line = " ".join(wish.command)
    assert wish.entrypoint == ("/opt/besu/bin/besu",)
    assert f"--rpc-http-host=10.0.0.5 --rpc-http-port={NODE.rpc_port}" in line
    assert "--rpc-http-authentication-enabled" in line
    assert "--discovery-enabled=false" in line
    open_to_all = next(flag for flag in wish.command if "no-auth" in flag).partition("=")[2].split(",")
    assert not [method for method in open_to_all if method.startswith(("admin_", "qbft_", "perm_", "miner_", "debug_"))]
    assert "eth_sendTransaction" not in open_to_all
    assert set(METHODS) <= set(open_to_all), "what applications may ask through the gateway"
    static = json.loads(besu.peer_files(CHAIN, NODE)[besu.STATIC])
    assert static == [OTHER.enode]


def test_keys_and_password_are_made_once(tmp_path: Path) -> None:
    """The script that prepares a node, run with a program in Besu's place that writes what Besu would."""
    program = tmp_path / "besu"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"password hash"*) echo "some warning"; echo "\\$2a\\$10\\$hash";;\n'
        f"*export-address*) echo 0x{'1a' * 20} > {tmp_path}/address;; esac\n"
    )
    program.chmod(0o755)
    script = QBFT.prepare.replace("/opt/besu/bin/besu", str(program)).replace("/data", str(tmp_path))

    def run() -> str:
        return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True).stdout.strip()

    assert run() == "0x" + "1a" * 20
    password = (tmp_path / "password").read_text()
    assert re.fullmatch(r"[0-9a-f]{48}", password)
    credentials = (tmp_path / "auth.toml").read_text()
    assert credentials == '[Users.console]\npassword = "$2a$10$hash"\npermissions=["*:*"]\n'
    assert run() == "0x" + "1a" * 20
    assert (tmp_path / "password").read_text() == password


# --- asking -----------------------------------------------------------------------------------------------------------


class Speaker(BaseHTTPRequestHandler):
    """Answers as Besu's documentation says; in chunks, as Besu does."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/login":
            known = body == {"username": "console", "password": "secret"}
            self._answer(200 if known else 401, {"token": "aaa.bbb.ccc"} if known else None)
        elif isinstance(body, list):
            self._answer(200, [self._result(each) for each in body])
        elif self.headers.get("Authorization") != "Bearer aaa.bbb.ccc":
            self._answer(
                401, {"jsonrpc": "2.0", "id": body["id"], "error": {"code": -40100, "message": "Unauthorized"}}
            )
        else:
            self.asked.append((body["method"], body["params"]))
            self._answer(200, self._result(body))

    def _result(self, call: Any) -> dict[str, Any]:
        results: dict[str, Any] = {
            "qbft_getValidatorsByBlockNumber": VALIDATORS,
            "qbft_proposeValidatorVote": True,
            "net_enode": "enode://aa@127.0.0.1:30303",
        }
        if call["method"] in results:
            return {"jsonrpc": "2.0", "id": call["id"], "result": results[call["method"]]}
        return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32601, "message": "Method not found"}}

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if text:
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def speaker() -> Iterator[int]:
    server = ThreadingHTTPServer((IP, 0), Speaker)
    Speaker.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


def ask(port: int, question: str, password: Path) -> tuple[int, str]:
    command = besu.command(replace(NODE, ip=IP, rpc_port=port), question)
    done = subprocess.run([*command, str(password)], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash, which Besu's image has")
def test_a_node_is_asked_with_its_own_password(speaker: int, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    kernel, password = kernel_named("besu"), tmp_path / "password"
    assert isinstance(kernel, Besu)

    code, printed = ask(speaker, QBFT.validators, password)
    assert (code, kernel.answer(NODE, printed)) == (0, VALIDATORS)
    assert kernel.answer(NODE, ask(speaker, QBFT.vote(NODE.address, into=True), password)[1]) is True
    assert kernel.answer(NODE, ask(speaker, kernel.enode, password)[1]).startswith("enode://")
    assert Speaker.asked[1] == ("qbft_proposeValidatorVote", [NODE.address, True])

    with pytest.raises(PlatformRefused, match="Method not found"):
        kernel.answer(NODE, ask(speaker, besu.question("debug_nothing"), password)[1])
    password.write_text("wrong")
    code, printed = ask(speaker, QBFT.validators, password)
    assert code == 1
    with pytest.raises(PlatformRefused):
        kernel.answer(NODE, printed)


def test_an_observed_besu_chain_says_who_seals(speaker: int) -> None:
    """Where a node tells everybody: under Besu's names, too."""
    chain = observed(f"7@{IP}:{speaker}")
    assert chain is not None
    rpc = Rpc(allow_private=True)
    try:
        assert consensus_seen(rpc, chain) == ("qbft", VALIDATORS)
    finally:
        rpc.close()
