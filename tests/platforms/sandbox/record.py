"""`python -m tests.platforms.sandbox.record`: record the samples that the sandbox hands in, from a real run of it.

For each standard interface an example of our request and what the platform answered, step by step.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import django

from tests.platforms.sandbox.running import FILES, Json, Running, rpc, until


def record(folder: Path) -> Json:
    """Walk through the whole life on a fresh sandbox."""
    from platforms import standard
    from tests.platforms.sandbox.mapped import Mapped

    running = Running(folder, "--pace", "0.3").start()
    try:
        running.open().post("/traffic", json={"enabled": False}).raise_for_status()
        mapped, samples = Mapped(running), {}
        tax, housing, social = mapped.cloud(1, "org-tax"), mapped.cloud(2, "org-housing"), mapped.on_prem("org-social")

        def take(operation: str, request: standard.Request, *parties: standard.Party) -> standard.Answer:
            mapped.driver.answers.clear()
            answer = mapped.carry(operation, request, *parties)
            answers = {step: found[0] if len(found) == 1 else found for step, found in mapped.driver.answers.items()}
            asked = request.model_dump(mode="json", exclude_defaults=True)
            samples[operation] = {"request": asked, "answers": answers}
            return answer

        everything = standard.EmptyRequest()
        take("get_health", everything)
        take("list_tenants", everything)
        create = standard.CreateNetworkRequest(name="Permits", kernel="ethereum", creator=tax, members=(housing,))
        network = take("create_network", create, tax).network_id
        for member in (housing, social):
            request = standard.JoinNetworkRequest(network_id=network, member=member, inviter=tax)
            take("join_network", request, tax, member)
        chain = take("create_chain", standard.CreateChainRequest(network_id=network, name="main", creator=tax), tax)
        about = {"network_id": network, "chain_id": chain.chain_id}
        take("join_chain", standard.JoinChainRequest(**about, member=social), tax, social)
        nodes = take("list_nodes", standard.ListNodesRequest(**about)).items
        sent = _transact(nodes[0].endpoint)
        for operation, request in (
            ("get_network", standard.GetNetworkRequest(network_id=network)),
            ("list_networks", everything),
            ("get_chain", standard.GetChainRequest(**about)),
            ("list_chains", standard.ListChainsRequest(network_id=network)),
            ("get_ledger_summary", standard.ChainRequest(chain_id=chain.chain_id)),
            ("get_monitoring", standard.ChainRequest(chain_id=chain.chain_id)),
            ("list_blocks", standard.ListBlocksRequest(chain_id=chain.chain_id, from_height=1, to_height=2)),
            ("list_transactions", standard.ListTransactionsRequest(chain_id=chain.chain_id, page_size=2)),
            ("get_transaction", standard.GetTransactionRequest(chain_id=chain.chain_id, tx_id=sent)),
        ):
            take(operation, request)
        take("quit_chain", standard.QuitChainRequest(**about, member=social), tax, social)
        take("delete_chain", standard.DeleteChainRequest(**about, creator=tax), tax)
        for member in (housing, social):
            take("quit_network", standard.QuitNetworkRequest(network_id=network, member=member), tax, member)
        take("delete_network", standard.DeleteNetworkRequest(network_id=network, creator=tax), tax)
        return samples
    finally:
        running.stop()


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
