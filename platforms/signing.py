"""Transactions of EVM chains, signed here. What the sandbox and the native driver have in common; no I/O.

Prices are those of chains without a fee market: one gas price, mostly zero.
"""

from __future__ import annotations

import functools
import secrets
import sys
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
UPGRADE = "0x4f1ef286"  # the first four bytes of keccak256("upgradeToAndCall(address,bytes)")
ERROR = "08c379a0"  # of keccak256("Error(string)")
WORD = 64  # hexadecimal digits


@dataclass(frozen=True)
class Signed:
    raw: str
    hash: str
    nonce: int


@functools.cache
def accounts() -> Any:
    """`eth_account.Account`. It takes a second to import, and most processes never sign.

    A dependency (py_ecc) lets the whole process recurse 100,000 deep as it is imported: JSON nested that deeply would
    then end the interpreter instead of being refused. That is taken back.
    """
    bearable = sys.getrecursionlimit()
    from eth_account import Account

    sys.setrecursionlimit(bearable)
    return Account


def new_key() -> str:
    """A private key: 0x and 64 hexadecimal digits."""
    return f"0x{secrets.token_hex(32)}"


def account_of(key: str) -> str:
    """The address that belongs to the key."""
    return str(accounts().from_key(key).address)


def sign(key: str, *, number: int, nonce: int, to: str, data: str, gas: int, gas_price: int = 0) -> Signed:
    """A transaction for the chain of this number; without `to` it creates a contract."""
    from eth_utils import to_checksum_address

    transaction: Json = {
        "chainId": number,
        "nonce": nonce,
        "gas": gas,
        "gasPrice": gas_price,
        "value": 0,
        "data": data or "0x",
        **({"to": to_checksum_address(to)} if to else {}),
    }
    signed = accounts().sign_transaction(transaction, key)
    return Signed(f"0x{bytes(signed.raw_transaction).hex()}", f"0x{bytes(signed.hash).hex()}", nonce)


def upgrade_call(implementation: str) -> str:
    """What a proxy is told to run the code at this address."""
    return f"{UPGRADE}{implementation.removeprefix('0x').lower().rjust(WORD, '0')}{64:064x}{0:064x}"


def reason_in(data: Any) -> str:
    """The text of `revert("…")`; empty for anything else."""
    raw = data.removeprefix("0x") if isinstance(data, str) else ""
    if not raw.startswith(ERROR):
        return ""
    try:
        body = bytes.fromhex(raw[len(ERROR) :])
        length = int.from_bytes(body[32:64], "big")
        return body[64 : 64 + min(length, 500)].decode()
    except ValueError:
        return ""
