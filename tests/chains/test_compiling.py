"""The compiler, as the real process that it is: programs, errors with their place, and what it may not do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from chains.compiling import CompilationFailed, compile_sources, compiler_version
from chains.compiling.compiler import _command, _environment, _home
from console.errors import Invalid

REGISTER = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import "./Owned.sol";
interface Reader { function entries() external view returns (uint256); }
contract Register is Owned {
    uint256 public entries;
    constructor(uint256 first) { entries = first; }
    function add() external { entries += 1; }
}
"""
OWNED = (
    "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\ncontract Owned { address public owner = msg.sender; }\n"
)


@pytest.fixture(scope="module")
def program() -> Path:
    """The drop-in for the compiler's native program."""
    return _home() / "bin/solc"


def test_sources_become_programs_that_can_be_told_apart() -> None:
    made = compile_sources({"Register.sol": REGISTER, "Owned.sol": OWNED})
    assert made.compiler == compiler_version()
    assert made.warnings == ()
    assert [each.entry for each in made.deployable()] == ["Owned.sol:Owned", "Register.sol:Register"]
    register = made.choose("Register")
    assert register.bytecode.startswith("0x60")
    assert len(register.runtime_hash) == 66
    assert [each["label"] for each in register.storage_layout["storage"]] == ["owner", "entries"]
    with pytest.raises(Invalid) as caught:
        made.choose("")
    assert "Owned.sol:Owned, Register.sol:Register" in caught.value.errors["entry"][0]


def test_errors_have_their_place_and_nothing_is_fetched() -> None:
    with pytest.raises(CompilationFailed) as caught:
        compile_sources({"A.sol": '// 营业执照\nimport "@openzeppelin/contracts/Ownable.sol";\ncontract A {}\n'})
    (only,) = caught.value.diagnostics
    assert (only.file, only.line, only.column, only.kind) == ("A.sol", 2, 1, "ParserError")
    assert "Nothing is fetched" in only.message
    with pytest.raises(CompilationFailed) as caught:
        compile_sources({"A.sol": "pragma solidity ^0.8.0;\ncontract A { function f() public { uint8 x = 300; } }\n"})
    (only,) = caught.value.diagnostics
    assert (only.line, only.column, only.kind) == (2, 36, "TypeError")
    assert caught.value.errors["source"][0].startswith("A.sol:2:36: TypeError")


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({}, "no sources"),
        ({"../A.sol": "x"}, "leads out"),
        ({"/A.sol": "x"}, "leads out"),
        ({"A.sol": "a\x00"}, "no text"),
        ({"A.sol": "x" * (1024 * 1024 + 1)}, "1024 KB"),
        ({f"{at}.sol": "" for at in range(101)}, "100 files"),
    ],
)
def test_what_is_not_compiled_at_all(sources: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_sources(sources)
    assert words in caught.value.errors["source"][0]


def test_a_contract_that_needs_a_library_elsewhere_is_refused() -> None:
    text = """pragma solidity ^0.8.0;
library Sums { function add(uint256 a, uint256 b) external pure returns (uint256) { return a + b; } }
contract A { function f() external pure returns (uint256) { return Sums.add(1, 2); } }"""
    with pytest.raises(Invalid, match="needs the library Sums"):
        compile_sources({"A.sol": text})


def test_what_takes_too_long_is_stopped(settings: object) -> None:
    settings.COMPILE_SECONDS = 0.05  # type: ignore[attr-defined]
    with pytest.raises(Invalid) as caught:
        compile_sources({"Owned.sol": OWNED})
    assert caught.value.code == "compiler_stopped"


def test_what_wants_too_much_memory_is_stopped(settings: object) -> None:
    settings.COMPILE_MEMORY_MB = 60  # type: ignore[attr-defined]
    with pytest.raises(Invalid) as caught:
        compile_sources({"Owned.sol": OWNED})
    assert caught.value.code == "compiler_stopped"


def test_the_process_reaches_no_file_no_program_and_no_network(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    script = tmp_path / "try.js"
    script.write_text(
        f"""const tried = {{}};
        for (const [name, act] of Object.entries({{
            read: () => require("fs").readFileSync({json.dumps(str(secret))}, "utf8"),
            write: () => require("fs").writeFileSync({json.dumps(str(tmp_path / "out"))}, "x"),
            run: () => require("child_process").execSync("true"),
        }})) try {{ act(); tried[name] = "could"; }} catch (problem) {{ tried[name] = problem.code; }}
        tried.environment = Object.keys(process.env);
        tried.interfaces = Object.values(require("os").networkInterfaces()).flat().length;
        console.log(JSON.stringify(tried));"""
    )
    command = _command()
    at = command.index("--no-warnings")
    command = [*command[:at], f"--allow-fs-read={script}", "--no-warnings", str(script)]
    environment = {**os.environ, **_environment(), "SECRET_KEY": "never"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    said = json.loads(done.stdout)
    assert said["read"] == said["write"] == said["run"] == "ERR_ACCESS_DENIED"
    assert said["environment"] == ["SOLC_HOME"]
    assert said["interfaces"] == 0 or os.geteuid() != 0  # where the system grants a network of one's own


def test_the_program_for_scanners_reads_files_and_what_they_import(program: Path, tmp_path: Path) -> None:
    (tmp_path / "Register.sol").write_text(REGISTER)
    (tmp_path / "Owned.sol").write_text(OWNED)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert f"Version: {compiler_version()}" in version
    wanted = "abi,ast,bin,bin-runtime,srcmap,srcmap-runtime,userdoc,devdoc,hashes"
    done = subprocess.run(
        [program, "Register.sol", "--combined-json", wanted, "--allow-paths", "."],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    made = json.loads(done.stdout)
    assert set(made["contracts"]) == {"Register.sol:Register", "Register.sol:Reader", "Owned.sol:Owned"}
    assert made["contracts"]["Register.sol:Register"]["hashes"]["add()"] == "4f2be91f"
    assert sorted(made["sourceList"]) == ["Owned.sol", "Register.sol"]
    assert made["sources"]["Owned.sol"]["AST"]["nodeType"] == "SourceUnit"
    (tmp_path / "Owned.sol").write_text("contract Owned {")
    done = subprocess.run(
        [program, "Register.sol", "--combined-json", "abi"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Owned.sol" in done.stderr
