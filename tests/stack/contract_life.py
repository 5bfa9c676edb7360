"""The life of contracts on a chain of real nodes, by REST alone: what the console says is held against the nodes."""

from __future__ import annotations

from typing import Any

import httpx

from platforms.signing import account_of, new_key, sign
from tests.chains.contract_sources import PAUSABLE, REGISTER, SECOND
from tests.stack.departments import Department
from tests.stack.product import until

KEY = "0x" + "11" * 32
ENTRY = {"holder": "0x" + "22" * 20, "terms": ["2026", "2027"], "note": "营业执照"}
UNKNOWN_INSTRUCTION = "0x5f5ff3"  # PUSH0, of Shanghai, which chains for consortiums do not have
Json = dict[str, Any]


def live(owner: Department, other: Department, blockchain: str, *, node: str, machine: str) -> None:
    """Behind a proxy, as a new version, stopped, in the ledger, through the gateway.

    `node` is the address of the owner's own, `machine` the version of the chain's EVM.
    """
    register = _behind_a_proxy(owner, other, blockchain, node)
    _as_a_new_version_and_stopped(owner, blockchain)
    _through_the_gateway(owner, blockchain, register)
    _code_for_a_newer_machine_is_told(owner, blockchain, machine)


def _behind_a_proxy(owner: Department, other: Department, blockchain: str, node: str) -> Json:
    register = _deploy(owner, blockchain, "Register", REGISTER, ["7"], way="proxy")
    assert _called(other, register, "number") == "7"
    assert _ask(node, "eth_getCode", register["address"], "latest") != "0x"

    written = _sent(other, register, "write", [KEY, ENTRY])
    assert _called(owner, register, "read", [KEY]) == ENTRY
    receipt = _ask(node, "eth_getTransactionReceipt", written)
    assert receipt["status"] == "0x1"
    assert receipt["from"] != _version(register)["sender"].lower(), "each organization has an account of its own"
    _told_by_the_ledger(owner, blockchain, written, register)

    started = owner.caller.post(f"contracts/{register['id']}/upgrade", {"source": SECOND}, expect=202)
    upgraded = _done(owner, started, register["id"])
    assert (upgraded["address"], upgraded["version"]) == (register["address"], 2)
    assert _called(other, register, "number") == "8", "the data stayed"
    assert _called(other, register, "read", [KEY])["note"] == "营业执照 (2)", "and the new code runs"
    return upgraded


def _told_by_the_ledger(owner: Department, blockchain: str, transaction: str, register: Json) -> None:
    """The observers have read the transaction, and it is told in the contract's own words."""
    path = f"blockchains/{blockchain}/transactions/{transaction}"
    rows = f"blockchains/{blockchain}/transactions"
    until(
        lambda: any(row["hash"] == transaction and row["details"] == "read" for row in owner.caller.all(rows)),
        seconds=60,
        what="the transaction is read",
    )
    told = owner.caller.get(path)
    assert (told["status"], told["to"]) == ("committed", register["address"])
    assert (told["call"]["contract"], told["call"]["name"]) == (register["id"], "write")
    assert told["call"]["arguments"][0]["value"] == KEY
    (log,) = told["logs"]
    assert log["event"]["signature"] == "Written(bytes32,address,uint256)"
    assert [each["value"] for each in log["event"]["arguments"]][::2] == [KEY, "8"]


def _as_a_new_version_and_stopped(owner: Department, blockchain: str) -> None:
    till = _deploy(owner, blockchain, "Till", PAUSABLE, {"first": "5"})
    _sent(owner, till, "add", ["3"])
    assert _called(owner, till, "sum") == "8"
    stopped = _done(owner, owner.caller.post(f"contracts/{till['id']}/stop", {}, expect=202), till["id"])
    assert (stopped["state"], stopped["stop_way"]) == ("stopped", "paused")
    assert _called(owner, till, "paused") is True
    owner.caller.post(f"contracts/{till['id']}/send", {"function": "add", "arguments": ["1"]}, expect=409)
    resumed = _done(owner, owner.caller.post(f"contracts/{till['id']}/resume", {}, expect=202), till["id"])
    assert resumed["state"] == "running"
    body = {"source": PAUSABLE, "arguments": ["1"]}
    renewed = _done(owner, owner.caller.post(f"contracts/{till['id']}/upgrade", body, expect=202), till["id"])
    assert renewed["address"] != till["address"]
    assert _called(owner, till, "sum") == "1", "a new contract, without the data"


def _through_the_gateway(owner: Department, blockchain: str, register: Json) -> None:
    """A business application with a grant and a key of its own: it asks for everything that it signs with."""
    grant = {"blockchain": blockchain, "orgcode": owner.orgcode, "preset": "read_and_send"}
    owner.caller.post("access-grants", grant, expect=201)

    def ask(method: str, *parameters: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = owner.caller.post(f"gateway/{blockchain}/rpc", body, expect=200)
        assert "result" in answer, answer
        return answer["result"]

    number = owner.caller.post("contracts/compile", {"source": REGISTER}, expect=200)["programs"][0]
    assert number["entry"].endswith(":Register")
    count = {"to": register["address"], "data": "0x8381f58a"}  # number()
    assert int(ask("eth_call", count, "latest"), 16) == 8

    key = new_key()
    data = "0xfe4b84df" + f"{9:064x}"  # initialize(uint256), which a stranger may not call a second time
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_estimateGas", "params": [
        {"from": account_of(key), "to": register["address"], "data": data}
    ]}  # fmt: skip
    refused = owner.caller.post(f"gateway/{blockchain}/rpc", body, expect=200)
    assert "initialized already" in refused["error"]["message"]

    code = number["bytecode"]
    asked = {"from": account_of(key), "data": code}
    signed = sign(
        key,
        number=int(ask("eth_chainId"), 16),
        nonce=int(ask("eth_getTransactionCount", account_of(key), "pending"), 16),
        to="",
        data=code,
        gas=int(ask("eth_estimateGas", asked), 16),
        gas_price=int(ask("eth_gasPrice"), 16),
    )
    assert ask("eth_sendRawTransaction", signed.raw) == signed.hash
    until(lambda: ask("eth_getTransactionReceipt", signed.hash), seconds=60, what="the application's transaction")
    receipt = ask("eth_getTransactionReceipt", signed.hash)
    assert (receipt["status"], receipt["from"]) == ("0x1", account_of(key).lower())
    assert ask("eth_getCode", receipt["contractAddress"], "latest") != "0x"


def _code_for_a_newer_machine_is_told(owner: Department, blockchain: str, machine: str) -> None:
    artifact = {"abi": [], "bytecode": UNKNOWN_INSTRUCTION}
    body = {"blockchain": blockchain, "name": "Newer", "artifact": artifact}
    started = owner.caller.post("contracts", body, expect=202)
    flow = owner.caller.flow(started["flow"])
    assert flow["state"] == "undone", flow
    assert flow["error"]["code"] == "unknown_instruction", flow["error"]
    assert machine in flow["error"]["detail"]
    assert owner.caller.get(f"contracts/{started['contract']}")["state"] == "failed"


def _deploy(owner: Department, blockchain: str, name: str, source: str, arguments: Any, **more: Any) -> Json:
    body = {"blockchain": blockchain, "name": name, "source": source, "arguments": arguments, **more}
    started = owner.caller.post("contracts", body, expect=202)
    contract = _done(owner, started, started["contract"])
    assert (contract["state"], contract["version"]) == ("running", 1)
    return contract


def _done(owner: Department, started: Json, uid: str) -> Json:
    flow = owner.caller.flow(started["flow"])
    assert flow["state"] == "done", flow
    return owner.caller.get(f"contracts/{uid}")  # type: ignore[no-any-return]


def _version(contract: Json) -> Json:
    return next(each for each in contract["versions"] if each["number"] == contract["version"])


def _called(department: Department, contract: Json, function: str, arguments: Any = None) -> Any:
    body = {"function": function, "arguments": arguments or []}
    (result,) = department.caller.post(f"contracts/{contract['id']}/call", body, expect=200)["results"]
    return result["value"]


def _sent(department: Department, contract: Json, function: str, arguments: Any) -> str:
    """The transaction's hash."""
    body = {"function": function, "arguments": arguments}
    started = department.caller.post(f"contracts/{contract['id']}/send", body, expect=202)
    flow = department.caller.flow(started["flow"])
    assert flow["state"] == "done", flow
    flow = department.caller.get(f"flows/{started['flow']}?log=true")
    return next(
        line["data"]["hash"] for step in flow["steps"] for line in step["log"] if "hash" in (line.get("data") or {})
    )


def _ask(address: str, method: str, *parameters: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = httpx.post(address, json=question, timeout=10).json()
    assert "result" in answer, answer
    return answer["result"]
