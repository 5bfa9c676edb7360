"""Calling a contract and sending to it from a form: arguments by its ABI, read at a node of the organization's own,
sent by its platform on the organization's behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from chains import abi
from chains.gateway import calling
from chains.gateway.requests import RpcRequest
from chains.models import Blockchain, Contract, ContractVersion, Node, NodeState, UpgradeWay
from chains.policies import may_call_contract, may_send_to_contract
from chains.services.contract_requests import acting_organization, speaking_organizations
from chains.services.contracts import visible_contract
from console import audit, flows
from console.errors import Conflict, Invalid, PlatformUnavailable
from console.models import Flow, User
from console.policies import require
from console.transactions import locked_or_missing, use_case
from unions.models import Organization
from unions.services.proposals import people_of
from unions.services.union_requests import payload_for, require_support

Json = dict[str, Any]


class Reverted(Invalid):
    """The contract itself said no."""

    code = "reverted"


@dataclass(frozen=True)
class Called:
    """What a function gave back."""

    signature: str
    results: tuple[abi.Argument, ...]
    node_of: str  # whose node was asked


def call_contract(*, actor: User, uid: str, function: str, arguments: Any, orgcode: str = "") -> Called:
    """Ask a function that changes nothing, at a node of the organization's own.

    Raises Missing, NotAllowed, Conflict, Invalid by field, Reverted with the contract's own words, PlatformUnavailable.
    """
    contract = visible_contract(actor, uid)
    organization = _reader(actor, contract, orgcode)
    require(may_call_contract(actor, contract, organization))
    version, entry = _function(contract, function)
    if not abi.reads_only(entry):
        raise Invalid.field("function", _("%(name)s changes the chain: send it instead.") % {"name": entry["name"]})
    call: Json = {"to": contract.address, "data": abi.encode_call(entry, arguments or [])}
    if version.sender and organization.pk == contract.owner_id:
        call["from"] = version.sender
    answer = ask_node(contract.blockchain, organization, "eth_call", [call, "latest"])
    said = str(_result(answer, version.abi))
    results = abi.decode_output(entry, said)
    if results is None:
        raise Conflict(_("What the contract answered is not what its ABI says: %(data)s") % {"data": said[:200]})
    return Called(abi.signature_of(entry), results, organization.name)


def send_to_contract(
    *, actor: User, uid: str, function: str, arguments: Any, orgcode: str = "", comment: str = ""
) -> Flow:
    """Have the platform send a call that changes the chain, on the organization's behalf; its flow says what became.

    Raises Missing, NotAllowed, Conflict, NotSupported, Invalid by field.
    """
    contract = visible_contract(actor, uid)
    organization = acting_organization(actor, contract.blockchain, orgcode)
    _version, entry = _function(contract, function)
    if abi.reads_only(entry):
        raise Invalid.field("function", _("%(name)s changes nothing: call it instead.") % {"name": entry["name"]})
    data = abi.encode_call(entry, arguments or [])
    return _promise(actor=actor, uid=uid, organization=organization, signature=abi.signature_of(entry), data=data)


@use_case
def _promise(*, actor: User, uid: str, organization: Organization, signature: str, data: str) -> Flow:
    about = ("owner", "blockchain__business_chain__platform", "blockchain__business_chain__union")
    contract = locked_or_missing(Contract.objects.visible_to(actor).select_related(*about), uid=uid)
    require(may_send_to_contract(actor, contract, organization))
    chain = contract.blockchain.business_chain
    require_support(chain.platform, "send_transaction")
    audit.record(
        "chains.contract.sending", actor=actor, target=contract, function=signature, orgcode=organization.orgcode
    )
    return flows.start(
        flows.blueprint_named("chains.contract_send"),
        subject=contract,
        requested_by=actor,
        arguments={
            **payload_for(chain.platform, chain.union, organization, contract.name),
            "contract": contract.pk,
            "sender": organization.orgcode,
            "function": signature,
            "to": contract.address,
            "data": data,
        },
        title_values={"name": contract.name},
        watchers=people_of([organization]),
        answer={"contract": contract.uid},
    )


def ask_node(blockchain: Blockchain, organization: Organization, method: str, params: list[Any]) -> Json:
    """One JSON-RPC call at a running node of the organization; outside of any transaction, as the gateway does."""
    rows = Node.objects.filter(blockchain=blockchain, organization=organization, state=NodeState.RUNNING)
    nodes = [node for node in rows.order_by("-read_at", "pk") if node.endpoint]
    if not nodes:
        text = _("No node of %(name)s on this chain runs at the moment.") % {"name": organization.name}
        raise PlatformUnavailable(text, code="no_node")
    request = RpcRequest.read({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    return calling.ask(blockchain, organization, nodes, request)[0]


def _result(answer: Json, contract_abi: abi.Abi) -> Any:
    if "result" in answer:
        return answer["result"]
    error = answer["error"]
    data = error.get("data")
    found = abi.decode_error(contract_abi, data.get("data", "") if isinstance(data, dict) else data)
    if found is not None:
        values = ", ".join(str(each.value) for each in found.arguments)
        words = values if found.name == "Error" else f"{found.name}({values})"
    else:
        words = error.get("message", "")
    raise Reverted(_("The contract refused: %(problem)s") % {"problem": words})


def _reader(actor: User, contract: Contract, orgcode: str) -> Organization:
    """Whose node is asked: the organization named, else one of the actor's on the chain, else the owner's."""
    if orgcode:
        return acting_organization(actor, contract.blockchain, orgcode)
    own = Organization.objects.of_user(actor).filter(blockchains=contract.blockchain).order_by("name").first()
    return own or contract.owner


def _function(contract: Contract, name: str) -> tuple[ContractVersion, Json]:
    version = contract.version
    entry = abi.function_of(version.abi, name) if version else None
    if version is None or entry is None:
        raise Invalid.field("function", _("The contract has no function %(name)s.") % {"name": name[:200]})
    return version, entry


def senders_of(actor: User, contract: Contract) -> list[Organization]:
    """For whom the actor may send."""
    return speaking_organizations(actor, contract.blockchain)


def plainly(contract: Contract) -> str:
    """What becomes of its data and its address when it is upgraded."""
    if contract.way == UpgradeWay.PROXY:
        return _("Behind a proxy: an upgrade keeps the address and the data.")
    return _("An upgrade is a new contract at a new address, without the data of the old one.")
