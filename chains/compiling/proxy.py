"""The proxy behind which a contract can be upgraded: compiled here, from the source beside this file."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from chains import abi
from chains.compiling.compiler import compile_sources
from chains.compiling.values import Program
from platforms.signing import UPGRADE

SOURCE = Path(__file__).with_name("Proxy.sol")
IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
INITIALIZE = "initialize"
Json = dict[str, Any]


@functools.cache
def proxy_program() -> Program:
    """Compiled once for each process; as slow as any compilation the first time."""
    return compile_sources({SOURCE.name: SOURCE.read_text()}).choose("Proxy")


def proxy_creation(implementation: str, initialization: str) -> str:
    """What is sent to create a proxy that runs the code at that address, and calls it once."""
    program = proxy_program()
    return abi.encode_creation(program.abi, program.bytecode, [implementation, initialization])


def initializer_of(contract_abi: abi.Abi) -> Json | None:
    """What takes the constructor's place behind a proxy: the function `initialize`."""
    return next((each for each in abi.entries(contract_abi, "function") if each["name"] == INITIALIZE), None)


def clashes(contract_abi: abi.Abi) -> bool:
    """Whether the proxy would take one of its calls for itself."""
    return any(abi.selector_of(each) == UPGRADE for each in abi.entries(contract_abi, "function"))
