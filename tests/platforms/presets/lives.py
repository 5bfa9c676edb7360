"""The life of each preset: every interface once, in an order that makes sense, against its platform's stand-in.

The tests run them, and `python -m tests.platforms.presets.record` writes what was answered as the presets' samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from platforms.drivers.base import Credentials, Finished, PartyCredential
from platforms.drivers.mapped import MappedDriver
from platforms.http import Incoming
from platforms.mapping.interpreter import Call
from platforms.presets import preset
from platforms.standard import OPERATIONS
from tests.platforms.presets import amb, azure, bcs, cello, kaleidoscope, webase
from tests.platforms.presets.standin import StandIn

JSON = dict[str, Any]
KEPT_HEADERS = ("location", "retry-after", "x-amzn-errortype")


class Recorder(MappedDriver):
    """A driver that remembers what its steps were answered."""

    def __init__(self, *parts: Any, **options: Any) -> None:
        super().__init__(*parts, **options)
        self.answers: dict[str, list[JSON]] = {}

    def send(self, call: Call, credentials: Credentials, trace: list[JSON]) -> Incoming:
        answer = super().send(call, credentials, trace)
        headers = {name: value for name, value in answer.headers.items() if name in KEPT_HEADERS}
        kept = {"status": answer.status, **({"headers": headers} if headers else {}), "body": answer.body}
        self.answers.setdefault(call.step, []).append(kept)
        return answer


class Life:
    """`do` carries an operation through and keeps it as a sample, with the answer that came out."""

    def __init__(self, driver: Recorder, credentials: Credentials, *platforms: StandIn) -> None:
        self.driver, self.credentials, self.platforms = driver, credentials, platforms
        self.samples: dict[str, JSON] = {}
        self.results: dict[str, JSON] = {}

    def do(self, operation: str, credentials: Credentials | None = None, **request: Any) -> Any:
        asked = OPERATIONS[operation].request.model_validate(request)
        self.driver.answers = {}
        position = None
        while True:
            result = self.driver.perform(
                operation,
                asked,
                credentials=credentials or self.credentials,
                key=f"k-{operation}-{len(self.samples)}",
                position=position,
            )
            if isinstance(result, Finished):
                break
            position = json.loads(json.dumps(result.position))
        if operation not in self.samples:
            self.samples[operation] = {"request": request, "answers": self.driver.answers}
            self.results[operation] = result.answer.model_dump(mode="json")
        return result.answer


def _orgs(*names: str, **more: Callable[[str], Any]) -> list[JSON]:
    return [
        {
            "orgcode": f"org-{name}",
            "name": name.title(),
            "category": "cloud",
            **{field: make(name) for field, make in more.items()},
        }
        for name in names
    ]


@contextmanager
def _living(slug: str, credentials: Credentials, *platforms: StandIn, values: JSON | None = None) -> Iterator[Life]:
    chosen = preset(slug)
    driver = Recorder.from_text(
        api_file=chosen.api_file,
        mapping=chosen.mapping_with(values or {}),
        addresses={"default": platforms[0].address + platforms[0].prefix * platforms[0].in_address},
        allow_private=True,
    )
    try:
        yield Life(driver, credentials, *platforms)  # type: ignore[arg-type]
    finally:
        driver.close()


@contextmanager
def amazon(moto: str) -> Iterator[Life]:
    accounts = dict(zip(("tax", "housing"), (account for _sk, account in amb.ACCOUNTS.values()), strict=False))
    tax, housing = _orgs("tax", "housing", tenantid=accounts.get)
    both = Credentials(platform=amb.PARTIES[0], creator=amb.PARTIES[0], member=amb.PARTIES[1])
    alone = replace(both, member=amb.PARTIES[0])
    with (
        amb.Shim(moto, page=1) as platform,
        _living("amazon-managed-blockchain", both, platform) as life,
    ):
        made = life.do("create_network", name="permits", kernel="fabric", creator=tax, members=[housing])
        network = {"network_id": made.network_id}
        joined = life.do("join_network", **network, member=housing, inviter=tax)
        life.do("get_network", **network)
        life.do("list_nodes", alone, **network)
        life.do("list_networks")
        life.do("get_health")
        life.do("quit_network", **network, member=housing, member_id=joined.member_id)
        life.do("delete_network", **network, creator=tax)
        yield life


@contextmanager
def huawei(_moto: str) -> Iterator[Life]:
    tax, housing = _orgs(
        "tax",
        "housing",
        tenantid=lambda name: f"domain-{name}",
        tenantname=lambda name: f"{name}_bureau",
        projectid=lambda name: f"project-{name}",
    )
    operator = replace(bcs.PARTIES[0], username="admin", password="browser-password")
    both = Credentials(platform=operator, creator=bcs.PARTIES[0], member=bcs.PARTIES[1])
    with ExitStack() as stack:
        platform, agent = stack.enter_context(bcs.Management()), stack.enter_context(bcs.Agent())
        values = {"const.project_id": "project-tax", "addresses.agent": agent.address}
        life = stack.enter_context(_living("huawei-bcs", both, platform, agent, values=values))
        made = life.do("create_network", name="permits", kernel="fabric", creator=tax, members=[housing])
        network = {"network_id": made.network_id}
        joined = life.do("join_network", **network, member=housing, inviter=tax)
        life.do("create_chain", **network, name="ledger", creator=tax, members=[housing])
        chain = {**network, "chain_id": "ledger"}
        life.do("join_chain", **chain, member=housing)
        life.do("create_subchain", **network, name="second", creator=tax, members=[housing], nodes=["peer-1"])
        life.do("join_subchain", **network, chain_id="second", member=housing, nodes=["peer-1"])
        for operation in ("get_network", "list_nodes", "list_chains"):
            life.do(operation, **network)
        life.do("get_chain", **chain)
        for operation in ("get_ledger_summary", "get_monitoring"):
            life.do(operation, chain_id="ledger")
        for operation in ("list_blocks", "list_transactions"):
            life.do(operation, chain_id="ledger", page_size=3)
        life.do("list_networks")
        life.do("get_health")
        life.do("quit_chain", **chain, member=housing)
        life.do("delete_chain", **chain, creator=tax)
        life.do("quit_network", **network, member=housing, member_id=joined.member_id)
        life.do("delete_network", **network, creator=tax)
        yield life


@contextmanager
def fisco(_moto: str) -> Iterator[Life]:
    admin = PartyCredential(username="admin", password=webase.DIGEST)
    (health,) = _orgs("health", machines=lambda _name: [{"ip": "10.0.0.9", "port": 5002}])
    health["category"] = "on_prem"
    with (
        webase.Webase() as platform,
        _living("webase", Credentials(platform=admin), platform) as life,
    ):
        network, chain = {"network_id": "default_chain"}, {"chain_id": "1"}
        for operation in ("list_networks", "list_chains", "get_health"):
            life.do(operation)
        life.do("get_network", **network)
        for operation in ("get_chain", "get_ledger_summary", "get_monitoring"):
            life.do(operation, **chain)
        life.do("list_nodes", **network, **chain)
        life.do("list_blocks", **chain, page_size=3)
        life.do("list_transactions", **chain, page_size=3)
        life.do("get_transaction", **chain, tx_id="0xt3")
        life.do("deploy_contract", **chain, name="Permit", bytecode="0x6080", abi=[{"type": "constructor"}])
        life.do("delete_contract", **chain, contract_id="0xcontract")
        joined = life.do("join_network", **network, member=health)
        life.do("quit_network", **network, member=health, member_id=joined.member_id)
        life.do("delete_network", **network, creator=health)
        yield life


@contextmanager
def cello_engine(_moto: str) -> Iterator[Life]:
    tax = PartyCredential(ak="tax@example.gov", sk=cello.PASSWORD)
    both = Credentials(platform=tax, creator=tax, member=tax)
    (party,) = _orgs("tax")
    with (
        cello.Cello() as platform,
        _living("hyperledger-cello", both, platform) as life,
    ):
        made = life.do("create_chain", network_id="cello", name="permits", creator=party)
        life.do("get_chain", chain_id=made.chain_id)
        life.do("list_chains")
        life.do("get_network", network_id="cello")
        life.do("list_networks")
        life.do("list_nodes", network_id="cello")
        life.do("get_health")
        yield life


@contextmanager
def kaleido_console(_moto: str) -> Iterator[Life]:
    account = PartyCredential(token=kaleidoscope.KEY)
    both = Credentials(platform=account, creator=account, member=account)
    tax, housing = _orgs("tax", "housing")
    with (
        kaleidoscope.Kaleido() as platform,
        _living("kaleido", both, platform) as life,
    ):
        made = life.do("create_network", name="permits", creator=tax, members=[housing])
        network = {"network_id": made.network_id}
        joined = life.do("join_network", **network, member=housing, inviter=tax)
        chain = {**network, "chain_id": life.do("create_chain", **network, name="ledger", creator=tax).chain_id}
        life.do("join_chain", **chain, member=housing)
        for operation in ("get_network", "list_chains"):
            life.do(operation, **network)
        for operation in ("get_chain", "list_nodes"):
            life.do(operation, **chain)
        life.do("list_networks")
        life.do("get_health")
        life.do("quit_chain", **chain, member=housing)
        life.do("delete_chain", **chain, creator=tax)
        life.do("quit_network", **network, member=housing, member_id=joined.member_id)
        life.do("delete_network", **network, creator=tax)
        yield life


@contextmanager
def azure_subscriptions(_moto: str) -> Iterator[Life]:
    operator = PartyCredential(username="app-tax", password=azure.PRINCIPALS["app-tax"][0])
    tax, housing = _orgs("tax", "housing", tenantid=lambda name: f"sub-{name}", projectid=lambda name: f"group-{name}")
    both = Credentials(platform=operator, creator=azure.PARTIES[0], member=azure.PARTIES[1])
    with azure.Azure() as platform, azure.Directory() as directory:
        values = {"const.subscription": "sub-tax", "addresses.directory": directory.address}
        with _living("azure-blockchain-service", both, platform, values=values) as life:
            made = life.do("create_network", name="Permits", kernel="quorum", creator=tax, members=[housing])
            network = {"network_id": made.network_id}
            platform.invite("sub-housing")
            joined = life.do("join_network", **network, member=housing, inviter=tax)
            life.do("get_network", **network)
            life.do("list_nodes", **network)
            life.do("list_networks")
            life.do("get_health")
            life.do("quit_network", **network, member=housing, member_id=joined.member_id)
            life.do("delete_network", **network, creator=tax)
            yield life


LIVES = {
    "amazon-managed-blockchain": amazon,
    "huawei-bcs": huawei,
    "webase": fisco,
    "hyperledger-cello": cello_engine,
    "kaleido": kaleido_console,
    "azure-blockchain-service": azure_subscriptions,
}


def write_samples(folder: Path) -> None:
    with amb.moto_server() as moto:
        for slug, living in LIVES.items():
            with living(moto) as life:
                text = json.dumps(life.samples, ensure_ascii=False, indent=1)
            (folder / slug / "samples.json").write_text(text + "\n")
