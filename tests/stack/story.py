"""The government scenario (G4) as one story, for whichever database and broker stand behind the console."""

from __future__ import annotations

from typing import Any

from tests.stack import sandbox
from tests.stack.caller import Caller
from tests.stack.departments import Office, chain_of, nodes_of, propose_union
from tests.stack.product import Product, until


def play(product: Product) -> None:
    """Register, unite, join, read, quit, delete; and nothing is left on the platform afterwards."""
    office = Office(product)
    before = sandbox.networks(product)
    tax, housing = office.cloud("Tax Office", 0), office.cloud("Housing Authority", 1)
    social = office.on_prem("Social Security", ip="127.0.0.11")

    started = propose_union("Permits", tax, housing)
    waiting = tax.caller.flow(started["flow"], until=("waiting",))
    assert waiting["progress"]["done"] < waiting["progress"]["total"]
    assert [row["id"] for row in housing.caller.all("proposals?waiting_for=me")] == [started["proposal"]]
    assert social.caller.all("proposals?waiting_for=me") == []
    social.agree(started["proposal"], expect=404)
    assert sandbox.networks(product) == before
    housing.agree(started["proposal"])
    assert tax.caller.flow(started["flow"])["state"] == "done"

    union = tax.caller.get(f"unions/{started['unionid']}")
    assert set(union["orgs"]) == {tax.orgcode, housing.orgcode}
    chain = chain_of(tax, union["unionid"])
    assert union["uid"] == chain["chain"]
    assert {node["orgcode"] for node in nodes_of(tax, chain["id"])} == {tax.orgcode, housing.orgcode}
    _ledger_grows(tax.caller, chain["id"])

    joining = social.caller.post(f"unions/{union['unionid']}/join", {"orgcode": social.orgcode}, expect=202)
    tax.agree(joining["proposal"])
    social.caller.flow(joining["flow"], until=("waiting",))
    housing.agree(joining["proposal"])
    assert social.caller.flow(joining["flow"])["state"] == "done"
    nodes = {node["orgcode"]: node for node in nodes_of(social, chain["id"])}
    assert set(nodes) == {tax.orgcode, housing.orgcode, social.orgcode}
    assert "127.0.0.11:" in nodes[social.orgcode]["endpoint"]
    _same_chain_everywhere(list(nodes.values()))

    quitting = housing.caller.post(f"unions/{union['unionid']}/quit", {"orgcode": housing.orgcode}, expect=202)
    assert housing.caller.flow(quitting["flow"])["state"] == "done"
    assert {node["orgcode"] for node in nodes_of(tax, chain["id"])} == {tax.orgcode, social.orgcode}
    housing.caller.get(f"blockchains/{chain['id']}", expect=404)

    ending = tax.caller.delete(f"unions/{union['unionid']}", expect=202)
    assert tax.caller.flow(ending["flow"])["state"] == "done"
    assert sandbox.networks(product) == before
    until(lambda: not sandbox.anvils(product), seconds=20, what="the chain's process ends")
    assert office.administrator.get("audit/verify")["ok"]


def _ledger_grows(caller: Caller, blockchain: str) -> None:
    """The observers read, and what they read gets more."""

    def height() -> int:
        return caller.get(f"blockchains/{blockchain}/ledger")["height"] or 0

    until(lambda: height() > 0, seconds=60, what="the ledger is read for the first time")
    first = height()
    until(lambda: height() > first, seconds=60, what="the ledger grows")
    ledger = caller.get(f"blockchains/{blockchain}/ledger")
    assert {"height", "block_hash", "block_time", "transactions", "read_at"} <= set(ledger)
    blocks: list[dict[str, Any]] = caller.all(f"blockchains/{blockchain}/blocks")
    assert any(block["transactions"] for block in blocks)
    by_height = {block["height"]: block for block in blocks}
    linked = [(by_height[number], by_height[number - 1]) for number in by_height if number - 1 in by_height]
    assert linked
    assert all(block["parent_hash"] == parent["hash"] for block, parent in linked)


def _same_chain_everywhere(nodes: list[dict[str, Any]]) -> None:
    """Every member's own endpoint answers, and for the same chain."""
    firsts = {sandbox.ask(node["endpoint"], "eth_getBlockByNumber", "0x0", False)["hash"] for node in nodes}
    assert len(firsts) == 1
