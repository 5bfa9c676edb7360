"""What runs on a host for one node: the container as wished, and the scripts that prepare its data.

A node's data are a volume, `/data`: its keys (made there, readable there only), its configuration, its ledger. It
listens on its machine's own address: `p2p_port` for its peers, `rpc_port` for whoever reads and sends transactions.
The management interface is its local socket, which only the container's own console reaches.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from platforms.drivers.evm.book import Chain, Node
from platforms.drivers.evm.consensus import Consensus
from platforms.hosts.docker import Limits, Wish
from platforms.hosts.engine import OWNER, Registry

MANAGEMENT_OFFSET = 10_000  # the port that geth insists on opening for a beacon client
CLIQUE = "clique"  # the consensus of geth itself; Quorum's asks for no gas
SOCKET = "/data/geth.ipc"
CONFIGURATION = "/data/config.toml"
PERMITTED = "/data/permissioned-nodes.json"
ONCE = ("keys", "begin", "room")  # containers that run to their end and go; one that was cut off may be left
BROUGHT = f"{OWNER}-keys"  # a volume of the organization's own on its host, with the file `validator.key`
TAKE = r"""
[ -s /brought/validator.key ] || { echo "the volume concord-keys has no validator.key" >&2; exit 1; }
key=$(tr -d ' \r\n' < /brought/validator.key)
key=${key#0x}
[ ${#key} -eq 64 ] || key=
case $key in
'' | *[!0-9a-fA-F]*) echo "validator.key is to hold 64 hexadecimal digits" >&2; exit 1 ;;
esac
"""  # shell; what is wrong with the file is told without a word of it
# geth takes no flag for a price of nothing: it reads 0 as its usual price, and passes on and seals only what pays that.
# So each start of the container says it once more, at the socket, as soon as there is one.
FREE_OF_CHARGE = f"""
( until [ -S {SOCKET} ] && geth attach --exec 'miner.setGasPrice(0)' {SOCKET} > /dev/null 2>&1; do sleep 1; done ) &
exec geth "$@"
"""
# What it advises others to pay: nothing, whatever somebody else has paid. The whole table, for what is left out is 0.
ADVICE = """
[Eth.GPO]
Blocks = 20
Percentile = 60
MaxHeaderHistory = 1024
MaxBlockHistory = 1024
Default = 0
MaxPrice = 500000000000
IgnorePrice = 1000000000000000000
"""
EVERYTHING = "0.0.0.0"  # noqa: S104


@dataclass(frozen=True)
class Settings:
    """How a platform's nodes are run."""

    kernel: str  # ethereum, quorum
    image: str
    period: int = 2  # seconds between two blocks
    limits: Limits = field(default_factory=Limits)
    archives: Path | None = None  # a folder of image archives, by kernel
    registry: Registry = field(default_factory=Registry)
    allow_private: bool = True

    @property
    def archive(self) -> Path | None:
        """The image's archive on the console's side, if there is one."""
        path = self.archives / f"{self.kernel}.tar" if self.archives else None
        return path if path is not None and path.exists() else None


def labels_of(chain: Chain, node: Node) -> dict[str, str]:
    said = {"network": chain.network_id, "chain": chain.chain_id, "node": node.node_id, "orgcode": node.orgcode}
    return {f"{OWNER}.{name}": value for name, value in said.items()}


def container_name(node: Node) -> str:
    return f"{OWNER}-{node.node_id}"


volume_name = container_name  # one node, one volume, one name


def preparation(chain: Chain, node: Node, consensus: Consensus, *, brought: bool = False) -> Wish:
    """Makes the node's keys on its host, or takes the key that its organization has brought; prints its address."""
    script = f"{TAKE}{consensus.bring}{consensus.prepare}" if brought else consensus.prepare
    wish = run_once(chain, node, "keys", ["-c", f"set -e; umask 077\n{script}"])
    return replace(wish, reads={BROUGHT: "/brought"}) if brought else wish


def beginning(chain: Chain, node: Node) -> Wish:
    """Writes the first block and the configuration. Doing it again changes nothing."""
    script = (
        "set -e; umask 077\n"
        f'printf %s "$1" > /data/genesis.json; printf %s "$2" > {CONFIGURATION}; printf %s "$3" > {PERMITTED}\n'
        "geth --datadir /data init /data/genesis.json\n"
    )
    genesis = json.dumps(chain.genesis, sort_keys=True)
    return run_once(
        chain, node, "begin", ["-c", script, "begin", genesis, configuration(chain, node), permitted(chain)]
    )


def measuring(chain: Chain, node: Node) -> Wish:
    """Prints how much room there is where the node's data are."""
    return run_once(chain, node, "room", ["-c", "df -Pk /data"])


def run_once(chain: Chain, node: Node, what: str, command: list[str]) -> Wish:
    return Wish(
        name=f"{container_name(node)}-{what}",
        image=node.image,
        entrypoint=("sh",),
        command=tuple(command),
        labels=labels_of(chain, node),
        volumes={volume_name(node): "/data"},
        environment={"PRIVATE_CONFIG": "ignore"},
        restart=False,
    )


def running(chain: Chain, node: Node, consensus: Consensus, settings: Settings) -> Wish:
    """The node itself."""
    flags = [
        *("--datadir", "/data", "--config", CONFIGURATION, "--networkid", str(chain.number)),
        *("--syncmode", "full", "--gcmode", "archive"),  # what is sealed stays, however a machine dies
        *("--http", "--http.addr", listen_address(node), "--http.port", str(node.rpc_port)),
        *("--http.api", "eth,net,web3,txpool"),
        *(() if is_ip(node.ip) else ("--http.vhosts", node.ip)),  # addresses are answered anyhow
        *("--ipcpath", SOCKET, "--nat", f"extip:{node.ip}" if is_ip(node.ip) else "none"),
        *("--verbosity", "2", "--miner.gasprice", "0"),
    ]
    if settings.kernel == "ethereum":
        own = node.ip if _is_loopback(node.ip) else "127.0.0.1"
        flags += ["--authrpc.addr", own, "--authrpc.port", str(node.p2p_port + MANAGEMENT_OFFSET)]
    else:
        flags += ["--permissioned"]
    if node.validator:
        flags += consensus.flags(node.address)
    free = settings.kernel == "ethereum"
    return Wish(
        name=container_name(node),
        image=node.image,
        entrypoint=("sh",) if free else ("geth",),
        command=("-c", FREE_OF_CHARGE, "geth", *flags) if free else tuple(flags),
        labels=labels_of(chain, node),
        volumes={volume_name(node): "/data"},
        limits=settings.limits,
        environment={"PRIVATE_CONFIG": "ignore"},
    )


def listen_address(node: Node) -> str:
    """The machine's own address; all of them where the node list has a name."""
    return node.ip if is_ip(node.ip) else EVERYTHING


def configuration(chain: Chain, node: Node) -> str:
    """Its peers, so that it finds them again after a restart; and on geth, which advises others what to pay, that.

    There is room for these and no others; and with as few places, the kernel begins to catch up at once.
    """
    peers = enodes(chain, besides=node)
    known = json.dumps(peers)
    return (
        "[Node.P2P]\n"
        f'ListenAddr = "{listen_address(node)}:{node.p2p_port}"\n'
        f"NoDiscovery = true\nMaxPeers = {max(1, len(peers))}\nDialRatio = 1\n"
        f"StaticNodes = {known}\nTrustedNodes = {known}\n"
        f"{ADVICE if chain.consensus == CLIQUE else ''}"
    )


def permitted(chain: Chain) -> str:
    """Who may connect at all, where the kernel asks."""
    return json.dumps(enodes(chain))


def enodes(chain: Chain, besides: Node | None = None) -> list[str]:
    return [each.enode for each in chain.nodes if each.enode and (besides is None or each.node_id != besides.node_id)]


def _is_loopback(text: str) -> bool:
    return is_ip(text) and ipaddress.ip_address(text).is_loopback


def is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
