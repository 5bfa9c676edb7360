"""Compiling Solidity: the pinned compiler as a process of its own, with sources from memory and nothing else.

`compile_sources` is the door. It takes a second or so, so never call it inside of a transaction.
"""

from chains.compiling.compiler import compile_sources, compiler_version
from chains.compiling.values import (
    MAX_FILES,
    MAX_SOURCE_BYTES,
    CompilationFailed,
    Compiled,
    Diagnostic,
    Program,
    runtime_hash_of,
)

__all__ = [
    "MAX_FILES",
    "MAX_SOURCE_BYTES",
    "CompilationFailed",
    "Compiled",
    "Diagnostic",
    "Program",
    "compile_sources",
    "compiler_version",
    "runtime_hash_of",
]
