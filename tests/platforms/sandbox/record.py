"""`python -m tests.platforms.sandbox.record`: record the samples that the sandbox hands in, from a real run of it.

For each standard interface an example of our request and what the platform answered, step by step.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import django

from tests.platforms.sandbox.running import FILES, Json, Running, rpc, until

TAKES_ANYTHING = "0x60018060095f395ff3" + "00"  # a contract that does nothing with whatever it is told


def record(folder: Path) -> Json:
    """Walk through the whole life on a fresh sandbox."""
    running = Running(folder, "--pace", "0.3").start()
    try:
        running.open().post("/traffic", json={"enabled": False}).raise_for_status()
        return _Walk(running).samples()
    finally:
        running.stop()


class _Walk:
    def __init__(self, running: Running) -> None:
        from platforms import standard
        from tests.platforms.sandbox.mapped import Mapped

        self._standard, self._mapped = standard, Mapped(running)
        self._taken: Json = {}
        self._tax, self._housing = self._mapped.cloud(1, "org-tax"), self._mapped.cloud(2, "org-housing")
        self._social = self._mapped.on_prem("org-social")

    def samples(self) -> Json:
        self._take("get_health", "EmptyRequest")
        self._take("list_tenants", "EmptyRequest")
        network, chain = self._build()
        self._share(network, chain)
        self._contracts(chain)
        self._look(network, chain)
        self._take_down(network, chain)
        return self._taken

    def _take(self, operation: str, request: str, *parties: Any, **fields: Any) -> Any:
        self._mapped.driver.answers.clear()
        asked = getattr(self._standard, request)(**fields)
        answer = self._mapped.carry(operation, asked, *parties)
        answers = {step: found[0] if len(found) == 1 else found for step, found in self._mapped.driver.answers.items()}
        self._taken[operation] = {"request": asked.model_dump(mode="json", exclude_defaults=True), "answers": answers}
        return answer

    def _build(self) -> tuple[str, str]:
        tax, about = self._tax, {"name": "Permits", "kernel": "ethereum", "creator": self._tax}
        made = self._take("create_network", "CreateNetworkRequest", tax, **about, members=(self._housing,))
        network = made.network_id
        for member in (self._housing, self._social):
            about = {"network_id": network, "member": member, "inviter": tax}
            self._take("join_network", "JoinNetworkRequest", tax, member, **about)
        made = self._take("create_chain", "CreateChainRequest", tax, network_id=network, name="main", creator=tax)
        about = {"network_id": network, "chain_id": made.chain_id, "member": self._social}
        self._take("join_chain", "JoinChainRequest", tax, self._social, **about)
        return network, made.chain_id

    def _share(self, network: str, chain: str) -> None:
        """A second chain on the same nodes, and a node more and less."""
        tax, social = self._tax, self._social
        asked = self._standard.ListNodesRequest(network_id=network, chain_id=chain)
        nodes = self._mapped.carry("list_nodes", asked).items
        own = {org: tuple(each.node_id for each in nodes if each.orgcode == org) for org in ("org-tax", "org-social")}
        about = {"network_id": network, "name": "second", "creator": tax, "nodes": own["org-tax"]}
        second = self._take("create_subchain", "CreateSubchainRequest", tax, **about).chain_id
        about = {"network_id": network, "chain_id": second, "member": social}
        self._take("join_subchain", "JoinSubchainRequest", tax, social, **about, nodes=own["org-social"])
        added = self._take("add_node", "AddNodeRequest", tax, social, **about).node_id
        self._take("remove_node", "RemoveNodeRequest", tax, social, **about, node_id=added)
        asked = self._standard.DeleteChainRequest(network_id=network, chain_id=second, creator=tax)
        self._mapped.carry("delete_chain", asked, tax)

    def _contracts(self, chain: str) -> None:
        """A counter deployed, called, struck out; and something that takes an upgrade, though it is no proxy."""
        from platforms.sandbox.counter import CODE, INCREMENT

        about = {"chain_id": chain, "sender": self._tax}
        made = self._take("deploy_contract", "DeployContractRequest", self._tax, **about, name="Counter", data=CODE)
        call = {"to": made.address, "data": INCREMENT}
        self._take("send_transaction", "SendTransactionRequest", self._tax, **about, **call)
        proxy = self._mapped.carry(
            "deploy_contract",
            self._standard.DeployContractRequest(**about, name="Proxy", data=TAKES_ANYTHING),
            self._tax,
        )
        changed = {"contract_id": proxy.contract_id, "name": "Proxy", "data": CODE}
        self._take("upgrade_contract", "UpgradeContractRequest", self._tax, **about, **changed)
        self._take("delete_contract", "DeleteContractRequest", self._tax, **about, contract_id=made.contract_id)

    def _look(self, network: str, chain: str) -> None:
        nodes = self._take("list_nodes", "ListNodesRequest", network_id=network, chain_id=chain).items
        sent = _transact(nodes[0].endpoint)
        self._take("get_network", "GetNetworkRequest", network_id=network)
        self._take("list_networks", "EmptyRequest")
        self._take("get_chain", "GetChainRequest", network_id=network, chain_id=chain)
        self._take("list_chains", "ListChainsRequest", network_id=network)
        self._take("get_ledger_summary", "ChainRequest", chain_id=chain)
        self._take("get_monitoring", "ChainRequest", chain_id=chain)
        self._take("list_blocks", "ListBlocksRequest", chain_id=chain, from_height=1, to_height=2)
        self._take("list_transactions", "ListTransactionsRequest", chain_id=chain, page_size=2)
        self._take("get_transaction", "GetTransactionRequest", chain_id=chain, tx_id=sent)

    def _take_down(self, network: str, chain: str) -> None:
        tax, social, here = self._tax, self._social, {"network_id": network}
        self._take("quit_chain", "QuitChainRequest", tax, social, **here, chain_id=chain, member=social)
        self._take("delete_chain", "DeleteChainRequest", tax, **here, chain_id=chain, creator=tax)
        for member in (self._housing, social):
            self._take("quit_network", "QuitNetworkRequest", tax, member, **here, member=member)
        self._take("delete_network", "DeleteNetworkRequest", tax, **here, creator=tax)


def _transact(endpoint: str) -> str:
    one, two = rpc(endpoint, "eth_accounts")[:2]
    for value in (1, 2):
        sent = rpc(endpoint, "eth_sendTransaction", {"from": one, "to": two, "value": hex(value * 10**18)})
        until(lambda sent=sent: rpc(endpoint, "eth_getTransactionReceipt", sent), bool)
    return sent


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["DATA_DIR"] = temporary
        django.setup()
        made = record(Path(temporary))
    (FILES / "samples.json").write_text(json.dumps(made, indent=1) + "\n")
