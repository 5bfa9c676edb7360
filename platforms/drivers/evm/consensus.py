"""How validators agree, one small class for each way: what stands in the first block, and how votes are cast.

Votes are cast inside each validator's own container, over its local socket: the ports that a node opens to others
answer no such question. Whoever has more than half of the validators behind it is voted in, or out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from console.errors import PlatformRefused
from platforms.drivers.evm import words as say

Json = dict[str, Any]
VANITY = "00" * 32
GAS_LIMIT = "0x1c9c380"  # 30 million
TREASURY = "0x33b2e3c9fd0803ce8000000"  # 10^27 wei: what the first validator's account begins with
ANY_NUMBER = 1_000_000_007  # of a first block that is thrown away
MIX_HASH = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"  # says: Byzantine fault tolerance
# Shell: makes what a node's account, or its port of management, is opened with.
UNLOCKING = "[ -s /data/password ] || head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' > /data/password\n"
EPOCH = 30_000  # blocks after which open votes are forgotten

FORKS = (
    "homesteadBlock",
    "eip150Block",
    "eip155Block",
    "eip158Block",
    "byzantiumBlock",
    "constantinopleBlock",
    "petersburgBlock",
    "istanbulBlock",
)


@dataclass(frozen=True)
class Founding:
    """What the first block is made of."""

    number: int  # the chain's id in the EVM's sense
    period: int  # seconds
    validator: str  # address
    at: int  # seconds since 1970


def question(method: str, *parameters: Any) -> str:
    """A call of JSON-RPC, as Besu is asked."""
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})


class Consensus:
    """What differs between the ways to agree. Questions are in the words of the kernel: see `kernels.py`.

    For geth that is JavaScript for the node's own console, for Besu a call of JSON-RPC.
    """

    name: ClassVar[str]
    validators: ClassVar[str]  # question: the addresses of all validators
    namespace: ClassVar[str]
    bring: ClassVar[str]  # shell: puts the key $key, 64 hexadecimal digits, where `prepare` looks for one

    @property
    def prepare(self) -> str:
        """Shell: makes the keys in /data if there are none, and prints the validator's address as its last word."""
        raise NotImplementedError

    def genesis(self, founding: Founding) -> Json:
        raise NotImplementedError

    def flags(self, address: str) -> list[str]:
        """Of a validator's program, beside those of every node."""
        raise NotImplementedError

    def vote(self, address: str, *, into: bool) -> str:
        return f"{self.namespace}.propose('{address}', {str(into).lower()})"

    def forget_vote(self, address: str) -> str:
        """The vote has had its effect: nobody repeats it after a later one."""
        return f"{self.namespace}.discard('{address}') === null"

    def needed_to_change(self, validators: int) -> int:
        return validators // 2 + 1


class Clique(Consensus):
    """Proof of authority as Ethereum's geth speaks it, up to 1.13. Each validator signs with an account of its own."""

    name = "clique"
    namespace = "clique"
    validators = "clique.getSigners()"
    bring = (
        f"{UNLOCKING}"
        '[ -n "$(ls /data/keystore 2>/dev/null)" ] || { printf %s "$key" > /data/brought\n'
        "geth --datadir /data account import --lightkdf --password /data/password /data/brought > /dev/null; }\n"
        "rm -f /data/brought\n"
    )

    @property
    def prepare(self) -> str:
        return (
            f"{UNLOCKING}"
            '[ -n "$(ls /data/keystore 2>/dev/null)" ] || '
            "geth --datadir /data account new --lightkdf --password /data/password > /dev/null\n"  # 192 random bits
            "ls /data/keystore | head -n 1 | tr -d '\\n' | tail -c 40\n"
        )

    def genesis(self, founding: Founding) -> Json:
        forks = (*FORKS, "muirGlacierBlock", "berlinBlock")  # without London: no base fee, gas may be free
        return {
            "config": {
                "chainId": founding.number,
                **dict.fromkeys(forks, 0),
                "clique": {"period": founding.period, "epoch": EPOCH},
            },
            "difficulty": "0x1",
            "gasLimit": GAS_LIMIT,
            "timestamp": hex(founding.at),
            "extraData": f"0x{VANITY}{_bare(founding.validator)}{'00' * 65}",
            "alloc": {_bare(founding.validator): {"balance": TREASURY}},
        }

    def flags(self, address: str) -> list[str]:
        account = ["--unlock", address, "--password", "/data/password", "--allow-insecure-unlock"]
        return ["--mine", "--miner.etherbase", address, *account]


class Qbft(Consensus):
    """Byzantine agreement as Quorum speaks it today. Each validator is known by its node's own key."""

    name = "qbft"
    namespace = "istanbul"
    validators = "istanbul.getValidators()"
    bring = '[ -s /data/geth/nodekey ] || { mkdir -p /data/geth; printf %s "$key" > /data/geth/nodekey; }\n'

    @property
    def prepare(self) -> str:
        """Only a node that runs says who it is, and it runs only with a first block: with any, which is thrown away."""
        nobody = json.dumps(self.genesis(Founding(ANY_NUMBER, 1, "11" * 20, 0)))
        mute = f"--networkid {ANY_NUMBER} --nodiscover --maxpeers 0 --port 0 --ipcdisable --verbosity 0"
        return (
            "[ -s /data/address ] || {\n"
            f"printf %s '{nobody}' > /data/nobody.json\n"
            "geth --datadir /data --verbosity 0 init /data/nobody.json > /dev/null\n"
            f"said=$(geth --datadir /data {mute} --exec admin.nodeInfo.id console 2>&1 | tr -d '\"\\n ')\n"
            "rm -rf /data/geth/chaindata /data/geth/lightchaindata /data/nobody.json\n"
            '[ ${#said} -eq 64 ] || { echo "$said" >&2; exit 1; }\n'
            'printf %s "$said" | tail -c 40 > /data/address; }\n'
            "cat /data/address\n"
        )

    def genesis(self, founding: Founding) -> Json:
        return {
            "config": {
                "chainId": founding.number,
                **dict.fromkeys(FORKS, 0),
                "isQuorum": True,
                "maxCodeSizeConfig": [{"block": 0, "size": 64}],
                **self._rules(founding),
            },
            "difficulty": "0x1",
            "gasLimit": "0xe0000000",
            "timestamp": hex(founding.at),
            "mixHash": MIX_HASH,
            "extraData": "0x" + self._extra(founding.validator).hex(),
            "alloc": {_bare(founding.validator): {"balance": TREASURY}},
        }

    def _rules(self, founding: Founding) -> Json:
        return {
            "qbft": {
                "epochLength": EPOCH,
                "blockPeriodSeconds": founding.period,
                "requestTimeoutSeconds": max(4, 2 * founding.period),
                "policy": 0,
                "ceil2Nby3Block": 0,
            }
        }

    def _extra(self, *validators: str) -> bytes:
        """RLP of vanity, validators, no vote, round 0, no seals."""
        return _rlp([bytes(32), [bytes.fromhex(_bare(each)) for each in validators], [], b"", []])

    def flags(self, address: str) -> list[str]:
        return ["--mine", "--miner.threads", "1", "--emitcheckpoints"]


class Ibft(Qbft):
    """Quorum's older Byzantine agreement, for networks that want it."""

    name = "ibft"

    def _rules(self, founding: Founding) -> Json:
        return {
            "ibft": {
                "epochLength": EPOCH,
                "blockPeriodSeconds": founding.period,
                "requestTimeoutSeconds": max(4, 2 * founding.period),
                "policy": 0,
                "ceil2Nby3Block": 0,
            }
        }

    def _extra(self, *validators: str) -> bytes:
        """Vanity, then RLP of validators, no seal, no committed seals."""
        return bytes(32) + _rlp([[bytes.fromhex(_bare(each)) for each in validators], b"", []])


class BesuQbft(Qbft):
    """The same agreement as Besu speaks it: the same first block's extra data, other names around it."""

    validators = question("qbft_getValidatorsByBlockNumber", "latest")
    bring = '[ -s /data/key ] || printf 0x%s "$key" > /data/key\n'

    prepare = (
        UNLOCKING
        + r"""
[ -s /data/auth.toml ] || {
hash=$(/opt/besu/bin/besu password hash --password="$(cat /data/password)" | grep -o '[$]2.*' | tail -n 1)
[ -n "$hash" ] || { echo "no hash of the password" >&2; exit 1; }
printf '[Users.console]\npassword = "%s"\npermissions=["*:*"]\n' "$hash" > /data/auth.toml; }
[ -s /data/address ] || /opt/besu/bin/besu --data-path=/data public-key export-address --to=/data/address > /dev/null
cat /data/address
"""
    )  # makes a password as well, of which Besu gets the hash: see `besu.py`

    def genesis(self, founding: Founding) -> Json:
        return {
            "config": {"chainId": founding.number, "berlinBlock": 0, **self._rules(founding)},
            "nonce": "0x0",
            "timestamp": hex(founding.at),
            "extraData": "0x" + self._extra(founding.validator).hex(),
            "gasLimit": GAS_LIMIT,
            "difficulty": "0x1",
            "mixHash": MIX_HASH,
            "coinbase": "0x" + "00" * 20,
            "alloc": {_bare(founding.validator): {"balance": TREASURY}},
        }

    def _rules(self, founding: Founding) -> Json:
        return {
            "qbft": {
                "epochlength": EPOCH,
                "blockperiodseconds": founding.period,
                "requesttimeoutseconds": max(4, 2 * founding.period),
            }
        }

    def flags(self, address: str) -> list[str]:
        """Whoever's key is among the validators seals."""
        return []

    def vote(self, address: str, *, into: bool) -> str:
        return question("qbft_proposeValidatorVote", address, into)

    def forget_vote(self, address: str) -> str:
        return question("qbft_discardValidatorVote", address)


OF_KERNEL: dict[str, dict[str, Consensus]] = {
    "ethereum": {"clique": Clique()},
    "quorum": {"qbft": Qbft(), "ibft": Ibft()},
    "besu": {"qbft": BesuQbft()},
}


def consensus_of(kernel: str, name: str = "") -> Consensus:
    """The consensus of this name, or the kernel's usual one. PlatformRefused for one that it does not know."""
    known = OF_KERNEL[kernel]
    found = known.get(name.lower() or next(iter(known)))
    if found is None:
        words = {"kernel": kernel, "consensus": name, "known": ", ".join(known)}
        raise PlatformRefused(say.UNKNOWN % words, code="unknown_consensus")
    return found


def machine_of(genesis: Json) -> str:
    """The EVM's version of a chain with this first block, as compilers name it."""
    return "berlin" if "berlinBlock" in genesis.get("config", {}) else "istanbul"


def _bare(address: str) -> str:
    return address.removeprefix("0x").lower()


def _rlp(value: Any) -> bytes:
    """Ethereum's recursive length prefix, for bytes and lists of them."""
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < 0x80:
            return value
        return _length(len(value), 0x80) + value
    body = b"".join(map(_rlp, value))
    return _length(len(body), 0xC0) + body


def _length(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes([offset + size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits
