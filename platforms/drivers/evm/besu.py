"""Besu: its command line, its files, and how its JSON-RPC is asked from inside its container.

Written by Besu's documentation (24.x); see the README's limits for what that means. Besu opens one port for readers and
for management alike, so what manages is behind a name and password that are made on the host, beside the keys, and only
what reads is answered without.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from platforms.drivers.evm import programs
from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.consensus import Consensus, question
from platforms.drivers.evm.programs import (
    Settings,
    container_name,
    enodes,
    is_ip,
    labels_of,
    listen_address,
    run_once,
    volume_name,
)
from platforms.hosts.docker import Wish

PROGRAM = "/opt/besu/bin/besu"
GENESIS, STATIC, PASSWORD, CREDENTIALS = (
    "/data/genesis.json",
    "/data/static-nodes.json",
    "/data/password",
    "/data/auth.toml",
)
USER = "console"
APIS = "ETH,NET,WEB3,TXPOOL,ADMIN,QBFT"
# What anybody may ask who reaches the port. Besu 24 knows it all; with a name that it does not know it does not start.
OPEN = (
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_getProof",
    "eth_getStorageAt",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
    "eth_syncing",
    "net_listening",
    "net_peerCount",
    "net_version",
    "txpool_besuStatistics",
    "web3_clientVersion",
    "web3_sha3",
)

# Asks for a token with the node's password, then asks the question. Bash by itself: the image has no HTTP client.
ASK = f"""
host=$1 port=$2
call() {{
    exec 3<>"/dev/tcp/$host/$port"
    printf 'POST %s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n%s' "$1" "$2" >&3
    printf 'Content-Type: application/json\\r\\n' >&3
    printf 'Content-Length: %s\\r\\n\\r\\n%s' "${{#3}}" "$3" >&3
    cat <&3
    exec 3>&-
}}
login=$(call /login '' "{{\\"username\\":\\"{USER}\\",\\"password\\":\\"$(cat "${{4:-{PASSWORD}}}")\\"}}")
case $login in *'"token"'*) ;; *) printf '%s\\n' "$login"; exit 1;; esac
token=${{login#*\\"token\\"*:*\\"}}
token=${{token%%\\"*}}
call / "Authorization: Bearer $token"$'\\r\\n' "$3"
"""


ENODE = question("net_enode")


def preparation(chain: Chain, node: Node, consensus: Consensus, *, brought: bool = False) -> Wish:
    """Makes key and password on the host, and prints the validator's address."""
    return _as_root(programs.preparation(chain, node, consensus, brought=brought))


def beginning(chain: Chain, node: Node) -> Wish:
    """Writes the first block and the peers. Besu makes its ledger of them when it starts."""
    script = f'set -e; umask 077\nprintf %s "$1" > {GENESIS}; printf %s "$2" > {STATIC}\n'
    genesis, static = json.dumps(chain.genesis, sort_keys=True), peer_files(chain, node)[STATIC]
    return _as_root(run_once(chain, node, "begin", ["-c", script, "begin", genesis, static]))


def running(chain: Chain, node: Node, consensus: Consensus, settings: Settings) -> Wish:
    """The node itself. It keeps the state of every block, as the nodes of other kernels do."""
    listen = listen_address(node)
    flags = [
        *("--data-path=/data", f"--genesis-file={GENESIS}", "--sync-mode=FULL", "--data-storage-format=FOREST"),
        *(f"--p2p-interface={listen}", f"--p2p-port={node.p2p_port}", "--nat-method=NONE"),
        *((f"--p2p-host={node.ip}",) if is_ip(node.ip) else ()),
        *("--discovery-enabled=false", f"--static-nodes-file={STATIC}"),
        *("--rpc-http-enabled", f"--rpc-http-host={listen}", f"--rpc-http-port={node.rpc_port}"),
        *(f"--rpc-http-api={APIS}", f"--host-allowlist=localhost,127.0.0.1,{node.ip}"),
        *("--rpc-http-authentication-enabled", f"--rpc-http-authentication-credentials-file={CREDENTIALS}"),
        f"--rpc-http-api-methods-no-auth={','.join(OPEN)}",
        *("--min-gas-price=0", "--logging=WARN"),
        *(consensus.flags(node.address) if node.validator else ()),
    ]
    return Wish(
        name=container_name(node),
        image=node.image,
        entrypoint=(PROGRAM,),
        command=tuple(flags),
        labels=labels_of(chain, node),
        volumes={volume_name(node): "/data"},
        limits=settings.limits,
        user="root",
    )


def peer_files(chain: Chain, node: Node) -> dict[str, str]:
    return {STATIC: json.dumps(enodes(chain, besides=node))}


def meet(peers: list[str]) -> list[str]:
    return [question("admin_addPeer", each) for each in peers]


def part(peers: Sequence[str]) -> list[str]:
    return [question("admin_removePeer", each) for each in peers]


def command(node: Node, asked: str) -> list[str]:
    host = node.ip if is_ip(node.ip) else "127.0.0.1"
    return ["bash", "-c", ASK, "ask", host, str(node.rpc_port), asked]


def read(printed: str) -> dict[str, Any]:
    """The JSON-RPC answer in an HTTP response, however that was framed; empty when there is none."""
    begins = printed.find('{"jsonrpc"')
    if begins < 0:
        return {}
    try:
        said, _end = json.JSONDecoder().raw_decode(printed, begins)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _as_root(wish: Wish) -> Wish:
    """The image's own user could not write into a volume that is new."""
    return Wish(**{**vars(wish), "user": "root"})
