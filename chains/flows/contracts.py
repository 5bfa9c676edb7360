"""The flows of contracts: deploy, upgrade, stop, let run again, delete, and send.

Each but sending begins with those who have a say. What a step sends to the chain stays there: a chain cannot forget. So
taking a deployment back means that the code is struck from the platform's book and never gets into force; an upgrade
behind a proxy is taken back by telling the proxy to run the old code again.

Beside the arguments that all flows of unions have (`docs/architecture.md`) these have `chain`, `blockchain`,
`contract`, `version`, `way` and `pauses`.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from chains import abi
from chains.compiling.proxy import initializer_of, proxy_creation, proxy_program
from chains.flows.arguments import waiting
from chains.models import Contract, ContractVersion, StopWay, UpgradeWay
from chains.services import contract_records as records
from chains.services import contract_rules as rules
from console import flows
from console.errors import PlatformRefused
from console.flows import Ask, Blueprint, Done, Later, StepContext, Task
from console.sentences import kept
from platforms import standard
from platforms.drivers import driver_for
from platforms.drivers.base import Credentials, repeatable
from platforms.models import Platform
from platforms.signing import upgrade_call
from unions.flows.arguments import actor_of, organization_named, platform_of
from unions.flows.plans import APPROVAL, INVITE
from unions.models import Organization
from unions.spaces import credentials_for, party_of
from unions.steps import perform, remove

Json = dict[str, Any]
PAUSE = {"type": "function", "name": "pause", "inputs": []}
UNPAUSE = {"type": "function", "name": "unpause", "inputs": []}
STAYS = gettext_noop("What was sent stays on the chain. Send another transaction to change it again.")
STRUCK = gettext_noop("The platform has struck it from its book already. Delete it once more to finish.")
NOT_DEPLOYED = kept(gettext_noop("The platform says that the contract is %(status)s."))
UNKNOWN = gettext_noop(
    "The platform did not answer whether it has sent the transaction, and sending it again might do it twice. Is it on "
    "the chain?"
)

# --- plans ------------------------------------------------------------------------------------------------------------

MARK = Task(
    "mark",
    "chains.mark_deploying",
    gettext_noop("Keep the record of the contract true"),
    "chains.mark_deployment_failed",
    needs=(),
    already=True,
)
GATE = Task(
    "gate", "chains.judge_findings", gettext_noop("See whether findings stand in the way"), undo="unions.give_up"
)
LOOK = Task("look", "chains.look_at_contract", gettext_noop("See whether it is still there"), undo="unions.give_up")


def plan_deploy(arguments: Json) -> list[Task]:
    tasks = [
        MARK,
        INVITE,
        APPROVAL,
        GATE,
        Task("code", "chains.deploy_code", gettext_noop("Bring the program to the chain"), "chains.strike_code"),
    ]
    if arguments["way"] == UpgradeWay.PROXY:
        title = gettext_noop("Bring its proxy to the chain")
        tasks.append(Task("proxy", "chains.deploy_proxy", title, "chains.strike_code"))
    return [*tasks, Task("record", "chains.record_deployed", gettext_noop("Write down where it is"))]


def plan_upgrade(arguments: Json) -> list[Task]:
    if arguments["way"] == UpgradeWay.PROXY:
        title = gettext_noop("Bring the new program to the chain and have the proxy run it")
        code = Task("code", "chains.upgrade_code", title, "chains.downgrade_code")
    else:
        code = Task(
            "code", "chains.deploy_code", gettext_noop("Bring the new program to the chain"), "chains.strike_code"
        )
    record = Task("record", "chains.record_upgraded", gettext_noop("Write down which version is in force"))
    return [MARK, INVITE, APPROVAL, GATE, code, record]


def plan_stop(arguments: Json) -> list[Task]:
    tasks = [INVITE, APPROVAL, LOOK]
    if arguments["pauses"]:
        tasks.append(Task("pause", "chains.pause", gettext_noop("Pause it"), "chains.unpause"))
    return [*tasks, Task("record", "chains.record_stopped", gettext_noop("Write down that it is stopped"))]


def plan_resume(arguments: Json) -> list[Task]:
    tasks = [INVITE, APPROVAL, LOOK]
    if Contract.objects.filter(pk=arguments["contract"], stop_way=StopWay.PAUSED).exists():
        tasks.append(Task("unpause", "chains.unpause", gettext_noop("End its pause"), "chains.pause"))
    return [*tasks, Task("record", "chains.record_resumed", gettext_noop("Write down that it runs again"))]


def plan_delete(arguments: Json) -> list[Task]:
    strike = Task(
        "strike", "chains.strike_contract", gettext_noop("Strike it from the platform's book"), lasting=STRUCK
    )
    record = Task("record", "chains.record_contract_deleted", gettext_noop("Strike it from the console's book"))
    return [INVITE, APPROVAL, LOOK, strike, record]


def plan_send(arguments: Json) -> list[Task]:
    return [
        Task("send", "chains.send_to_contract", gettext_noop("Send the transaction"), lasting=STAYS),
        Task("record", "chains.record_sent", gettext_noop("Write down what became of it")),
    ]


def plan_rule(arguments: Json) -> list[Task]:
    return [INVITE, APPROVAL, Task("rule", "chains.record_contract_rule", gettext_noop("Put the rules in force"))]


DEPLOY = flows.register(Blueprint("chains.contract_deploy", gettext_noop("Deploy the contract %(name)s"), plan_deploy))
UPGRADE = flows.register(
    Blueprint("chains.contract_upgrade", gettext_noop("Upgrade the contract %(name)s"), plan_upgrade)
)
STOP = flows.register(Blueprint("chains.contract_stop", gettext_noop("Stop the contract %(name)s"), plan_stop))
RESUME = flows.register(
    Blueprint("chains.contract_resume", gettext_noop("Let the contract %(name)s run again"), plan_resume)
)
DELETE = flows.register(Blueprint("chains.contract_delete", gettext_noop("Delete the contract %(name)s"), plan_delete))
SEND = flows.register(Blueprint("chains.contract_send", gettext_noop("Send to the contract %(name)s"), plan_send))
RULE = flows.register(
    Blueprint("chains.contract_rule", gettext_noop("Change the rules for contracts of %(name)s"), plan_rule)
)

# --- on the chain -----------------------------------------------------------------------------------------------------


@flows.step("chains.deploy_code", asks=UNKNOWN)
def deploy_code(context: StepContext) -> Done | Later | Ask:
    """The program itself; with its arguments, unless these are for what stands behind a proxy."""
    version = _version(context)
    own = [] if context.flow_arguments["way"] == UpgradeWay.PROXY else version.arguments
    data = abi.encode_creation(version.abi, version.bytecode, own)
    return _deploy(context, version.contract.name, version.bytecode, version.abi, own, data)


@flows.step("chains.deploy_proxy", asks=UNKNOWN)
def deploy_proxy(context: StepContext) -> Done | Later | Ask:
    """A proxy that runs the program, and has called its initialize()."""
    version = _version(context)
    initializer = initializer_of(version.abi)
    first = abi.encode_call(initializer, version.arguments) if initializer else "0x"
    code = context.outcome("code")["address"]
    program = proxy_program()
    data = proxy_creation(code, first)
    return _deploy(context, version.contract.name, program.bytecode, program.abi, [code, first], data)


def _deploy(
    context: StepContext, name: str, bytecode: str, own_abi: list[Json], arguments: list[Any], data: str
) -> Done | Later | Ask:
    platform, owner, credentials = _speaks(context)
    if _might_do_it_twice(context, platform, "deploy_contract"):
        return Ask(UNKNOWN)
    request = standard.DeployContractRequest(
        chain_id=_chain_id(context),
        name=name,
        sender=party_of(owner),
        bytecode=bytecode,
        abi=tuple(own_abi),
        arguments=tuple(arguments),
        data=data,
    )
    answer, wait = perform(context, platform, "deploy_contract", request, credentials)
    return waiting(wait) if answer is None else _deployed(answer)


def _deployed(answer: standard.ContractAnswer) -> Done:
    if answer.status not in ("running", "creating", "unknown"):
        raise PlatformRefused(NOT_DEPLOYED % {"status": answer.status}, code="platform_failed")
    return Done(
        {
            "address": answer.address or answer.contract_id,
            "contract_id": answer.contract_id,
            "transaction": answer.transaction,
            "sender": answer.sender,
        }
    )


@flows.step("chains.upgrade_code", asks=UNKNOWN)
def upgrade_code(context: StepContext) -> Done | Later | Ask:
    platform, owner, credentials = _speaks(context)
    if _might_do_it_twice(context, platform, "upgrade_contract"):
        return Ask(UNKNOWN)
    version = _version(context)
    request = standard.UpgradeContractRequest(
        chain_id=_chain_id(context),
        contract_id=version.contract.contract_id,
        name=version.contract.name,
        sender=party_of(owner),
        bytecode=version.bytecode,
        abi=tuple(version.abi),
        data=version.bytecode,
    )
    answer, wait = perform(context, platform, "upgrade_contract", request, credentials)
    return waiting(wait) if answer is None else _deployed(answer)


@flows.step("chains.downgrade_code")
def downgrade_code(context: StepContext) -> Done | Later | Ask:
    """The proxy runs the old code again. Asked for also where nobody knows whether it ever ran the new one."""
    contract = _contract(context)
    current = contract.version
    if current is None or not (context.own_outcome or context.unsure):
        return Done({"skipped": "the proxy was not changed"})
    return _send(context, contract.address, upgrade_call(current.address), contract.owner)


@flows.step("chains.strike_code")
def strike_code(context: StepContext) -> Done | Later:
    """What was deployed stays on the chain, and in nobody's book."""
    contract_id = context.own_outcome.get("contract_id", "")
    return _strike(context, contract_id) if contract_id else Done({"skipped": "nothing was made"})


@flows.step("chains.strike_contract")
def strike_contract(context: StepContext) -> Done | Later:
    contract = _contract(context)
    codes = [each.address for each in contract.versions.exclude(address="") if each.address != contract.contract_id]
    if not contract.contract_id:
        return Done({"skipped": "it is on no chain"})
    context.log("struck from the platform's book; the code stays on the chain", codes=codes)
    return _strike(context, contract.contract_id)


def _strike(context: StepContext, contract_id: str) -> Done | Later:
    platform, owner, credentials = _speaks(context)
    supported, reason = platform.capability("delete_contract")
    if not supported:
        return Done({"skipped": reason})
    request = standard.DeleteContractRequest(
        chain_id=_chain_id(context), contract_id=contract_id, sender=party_of(owner)
    )
    return remove(context, platform, "delete_contract", request, credentials, known={})


@flows.step("chains.pause", asks=UNKNOWN)
def pause(context: StepContext) -> Done | Later | Ask:
    return _switch(context, PAUSE)


@flows.step("chains.unpause", asks=UNKNOWN)
def unpause(context: StepContext) -> Done | Later | Ask:
    return _switch(context, UNPAUSE)


def _switch(context: StepContext, function: Json) -> Done | Later | Ask:
    if context.undoing and not (context.own_outcome or context.unsure):
        return Done({"skipped": "nothing was changed"})
    contract = _contract(context)
    return _send(context, contract.address, abi.encode_call(function, []), contract.owner)


@flows.step("chains.send_to_contract", asks=UNKNOWN)
def send_to_contract(context: StepContext) -> Done | Later | Ask:
    arguments = context.flow_arguments
    return _send(context, arguments["to"], arguments["data"], organization_named(arguments["sender"]))


def _send(context: StepContext, to: str, data: str, sender: Organization) -> Done | Later | Ask:
    platform = platform_of(context)
    if _might_do_it_twice(context, platform, "send_transaction"):
        return Ask(UNKNOWN)
    request = standard.SendTransactionRequest(chain_id=_chain_id(context), sender=party_of(sender), to=to, data=data)
    credentials = credentials_for(platform, creator=sender, member=sender)
    answer, wait = perform(context, platform, "send_transaction", request, credentials)
    if answer is None:
        return waiting(wait)
    return Done({"transaction": answer.transaction, "sender": answer.sender, "status": answer.status})


def _might_do_it_twice(context: StepContext, platform: Platform, operation: str) -> bool:
    """An earlier attempt ended without an answer, and the platform does not know our keys."""
    sure = not context.unsure or context.told_to_try_again
    return not sure and not repeatable(driver_for(platform), operation)


def _speaks(context: StepContext) -> tuple[Platform, Organization, Credentials]:
    platform, owner = platform_of(context), _contract(context).owner
    return platform, owner, credentials_for(platform, creator=owner, member=owner)


def _contract(context: StepContext) -> Contract:
    rows = Contract.objects.select_related("owner__space", "blockchain")
    return rows.get(pk=context.flow_arguments["contract"])


def _version(context: StepContext) -> ContractVersion:
    rows = ContractVersion.objects.select_related("contract__owner__space", "contract__blockchain")
    return rows.get(pk=context.flow_arguments["version"])


def _chain_id(context: StepContext) -> str:
    return _contract(context).blockchain.external_id


# --- local ------------------------------------------------------------------------------------------------------------


@flows.step("chains.mark_deploying", local=True)
def mark_deploying(context: StepContext) -> Done:
    """Done from the start, with the proposal."""
    return Done()


@flows.step("chains.mark_deployment_failed", local=True)
def mark_deployment_failed(context: StepContext) -> Done:
    arguments = context.flow_arguments
    records.record_failed(contract_id=arguments["contract"], version_id=arguments["version"])
    return Done()


@flows.step("chains.judge_findings", local=True)
def judge_findings(context: StepContext) -> Done:
    arguments = context.flow_arguments
    records.judge_again(contract_id=arguments["contract"], version_id=arguments["version"])
    return Done()


@flows.step("chains.look_at_contract", local=True)
def look_at_contract(context: StepContext) -> Done:
    return Done({"state": str(_contract(context).state)})


@flows.step("chains.record_deployed", local=True)
def record_deployed(context: StepContext) -> Done:
    arguments = context.flow_arguments
    contract = records.record_deployed(
        actor=actor_of(context),
        contract_id=arguments["contract"],
        version_id=arguments["version"],
        code=context.outcome("code"),
        proxy=context.outcome("proxy"),
    )
    return Done({"contract": contract.uid, "address": contract.address})


@flows.step("chains.record_upgraded", local=True)
def record_upgraded(context: StepContext) -> Done:
    arguments = context.flow_arguments
    contract = records.record_upgraded(
        actor=actor_of(context),
        contract_id=arguments["contract"],
        version_id=arguments["version"],
        code=context.outcome("code"),
    )
    return Done({"contract": contract.uid, "address": contract.address})


@flows.step("chains.record_stopped", local=True)
def record_stopped(context: StepContext) -> Done:
    arguments = context.flow_arguments
    records.record_stopped(
        actor=actor_of(context), contract_id=arguments["contract"], paused=bool(context.outcome("pause"))
    )
    return Done()


@flows.step("chains.record_resumed", local=True)
def record_resumed(context: StepContext) -> Done:
    records.record_resumed(actor=actor_of(context), contract_id=context.flow_arguments["contract"])
    return Done()


@flows.step("chains.record_contract_deleted", local=True)
def record_contract_deleted(context: StepContext) -> Done:
    records.record_deleted(actor=actor_of(context), contract_id=context.flow_arguments["contract"])
    return Done()


@flows.step("chains.record_sent", local=True)
def record_sent(context: StepContext) -> Done:
    arguments, sent = context.flow_arguments, context.outcome("send")
    records.record_sent(
        actor=actor_of(context),
        contract_id=arguments["contract"],
        function=arguments["function"],
        orgcode=arguments["sender"],
        transaction=sent["transaction"],
    )
    return Done(sent)


@flows.step("chains.record_contract_rule", local=True)
def record_contract_rule(context: StepContext) -> Done:
    rules.put_in_force(actor=actor_of(context), payload=context.flow_arguments)
    return Done()
