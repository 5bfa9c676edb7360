"""Slither and Halmos as they are shipped: installed from the registries once for this tree, run for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chains.applications import compiler, environments, jobs, protocol
from chains.applications.manifest import warehouse
from console.environment import ROOT
from console.errors import ConsoleError
from tests.chains.programs import finished, without_walls

KEPT = (ROOT / "var/tools").resolve() / "applications"
VAULT = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./lib/Owned.sol";

contract Vault is Owned {
    mapping(address => uint256) public balances;

    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    function withdraw() external {
        (bool sent, ) = msg.sender.call{value: balances[msg.sender]}("");
        require(sent);
        balances[msg.sender] = 0;
    }

    function move(address to, uint256 amount) public {
        uint256 mine = balances[msg.sender];
        uint256 theirs = balances[to];
        require(mine >= amount && theirs <= type(uint256).max - amount);
        balances[msg.sender] = mine - amount;
        balances[to] = theirs + amount;
    }
}
"""
OWNED = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Owned {
    address public owner = msg.sender;

    function sweep(address payable to) external {
        require(tx.origin == owner);
        to.transfer(address(this).balance);
    }
}
"""
PROPERTIES = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./Vault.sol";

contract VaultProperties is Vault {
    function check_move_keeps_the_sum(address to, uint256 amount) public {
        balances[msg.sender] = 100;
        uint256 before = balances[msg.sender] + balances[to];
        move(to, amount);
        assert(balances[msg.sender] + balances[to] == before);
    }

    function check_owner_is_somebody() public view {
        assert(owner != address(0));
    }
}
"""
SOURCES = {"Vault.sol": VAULT, "lib/Owned.sol": OWNED, "VaultProperties.sol": PROPERTIES}

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(without_walls()), reason=without_walls() or "-"),
]


@pytest.fixture
def examined(settings: Any) -> Callable[..., protocol.Report]:
    """Run a shipped application on sources."""
    settings.DATA_DIR = KEPT
    try:
        tool = compiler.found()
    except ConsoleError as problem:
        pytest.skip(problem.detail)

    def go(name: str, sources: dict[str, str], file: str, contract: str) -> protocol.Report:
        manifest = warehouse().manifests[name]
        build = f"build-{name}-{manifest.label}"
        if not environments.is_built(name, manifest.label, manifest.digest):
            outcome = finished(build, environments.build_spec(manifest), seconds=900)
            jobs.forget(build)
            if not environments.is_built(name, manifest.label, manifest.digest):
                pytest.skip(f"{manifest.title} could not be installed: {outcome.log[-300:]}")
        request = protocol.scan_request(
            manifest, contract=contract, file=file, sources=sources, compiler=tool.as_told({}), options={}
        )
        outcome = finished("run", environments.run_spec(manifest, shown=tool.shown), request, seconds=400)
        raw = jobs.report_of("run") if outcome.report == "there" else None
        jobs.forget("run")
        return protocol.read_report(outcome, raw)

    return go


@pytest.mark.xdist_group("applications")
def test_slither_finds_what_was_planted(examined: Callable[..., protocol.Report]) -> None:
    report = examined("slither", SOURCES, "Vault.sol", "Vault")
    assert (report.tool, report.version) == ("Slither", warehouse().manifests["slither"].version)
    found = {each["rule"]: each for each in report.findings}
    assert {"reentrancy-eth", "arbitrary-send-eth", "tx-origin"} <= set(found), sorted(found)
    entry = found["reentrancy-eth"]
    assert (entry["severity"], entry["place"]["file"], entry["place"]["function"]) == (
        "high",
        "Vault.sol",
        "withdraw()",
    )
    line = VAULT.splitlines()[entry["place"]["line"] - 1]
    assert "balances[msg.sender]" in line or "withdraw" in line, line
    assert entry["advice"]
    assert found["tx-origin"]["place"]["file"] == "lib/Owned.sol"
    with pytest.raises(protocol.Failed, match="itself says: Invalid solc compilation ParserError"):
        examined("slither", {"Vault.sol": "contract Vault {"}, "Vault.sol", "Vault")


@pytest.mark.xdist_group("applications")
def test_halmos_proves_and_refutes_with_a_counter_example(examined: Callable[..., protocol.Report]) -> None:
    report = examined("halmos", SOURCES, "VaultProperties.sol", "VaultProperties")
    assert (report.tool, report.version) == ("Halmos", warehouse().manifests["halmos"].version)
    outcomes = {each["name"].partition("(")[0]: each["outcome"] for each in report.checks}
    assert outcomes == {
        "VaultProperties.check_move_keeps_the_sum": "refuted",
        "VaultProperties.check_owner_is_somebody": "proved",
    }
    (finding,) = report.findings
    assert (finding["severity"], finding["place"]["file"], finding["place"]["line"]) == (
        "high",
        "VaultProperties.sol",
        7,
    )
    inputs = dict(line.split(" = ") for line in finding["counterexample"].splitlines())
    assert set(inputs) == {"address to", "uint256 amount"}
    assert 0 < int(inputs["uint256 amount"]) <= 100, "to oneself, and something"
    none = examined("halmos", {"Vault.sol": VAULT, "lib/Owned.sol": OWNED}, "Vault.sol", "Vault")
    assert (none.findings, none.checks) == ((), ())
