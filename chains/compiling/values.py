"""What goes into the compiler and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from eth_utils import keccak

from console.errors import Invalid

Json = dict[str, Any]
MAX_SOURCE_BYTES = 1024 * 1024  # of all files together
MAX_FILES = 100
SHOWN = 20


@dataclass(frozen=True)
class Diagnostic:
    """One thing that the compiler says, with its place; line and column count from 1 and are 0 where it names none."""

    severity: str  # error, warning, info
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    kind: str = ""  # ParserError, TypeError, …
    code: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.kind or self.severity}: {self.message}"

    def as_json(self) -> Json:
        return {
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
        }


class CompilationFailed(Invalid):
    """The sources do not compile; `diagnostics` has every error with its place, `errors` the same as texts."""

    code = "compilation_failed"

    def __init__(self, diagnostics: Sequence[Diagnostic], *, field: str = "source") -> None:
        self.diagnostics = tuple(diagnostics)
        shown = [str(each) for each in self.diagnostics[:SHOWN]]
        super().__init__(_("The sources do not compile: %(problem)s") % {"problem": shown[0]}, errors={field: shown})


@dataclass(frozen=True)
class Program:
    """One contract of the sources, compiled. An abstract contract or an interface has no bytecode."""

    entry: str  # `File.sol:Name`
    abi: list[Json]
    bytecode: str  # creation code, 0x…
    runtime: str  # 0x…, what stands on the chain; without the values of immutables
    storage_layout: Json = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.entry.rpartition(":")[2]

    @property
    def runtime_hash(self) -> str:
        return runtime_hash_of(self.runtime)


@dataclass(frozen=True)
class Compiled:
    """Everything that came of the sources."""

    compiler: str  # its whole version
    settings: Json
    programs: tuple[Program, ...]
    warnings: tuple[Diagnostic, ...] = ()

    def deployable(self) -> list[Program]:
        """Those with code, in the order of their names."""
        return [each for each in self.programs if each.bytecode != "0x"]

    def choose(self, entry: str, *, field: str = "entry") -> Program:
        """The program of this name; with no name the only one there is. Invalid names those that there are."""
        able = self.deployable()
        found = [each for each in able if entry in (each.entry, each.name)] if entry else able
        if len(found) == 1:
            return found[0]
        words = {"names": ", ".join(each.entry for each in able)}
        if not able:
            raise Invalid.field(field, _("The sources hold no contract that can be deployed."))
        raise Invalid.field(field, _("Name the contract to deploy, one of: %(names)s.") % words)


def runtime_hash_of(code: str) -> str:
    """Keccak-256 of code, as `EXTCODEHASH` gives it; empty for no code."""
    raw = bytes.fromhex(code.removeprefix("0x"))
    return f"0x{keccak(raw).hex()}" if raw else ""
