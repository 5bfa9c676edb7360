"""What platforms call the things, the verbs and the fields of the standard interface.

Words are lower case and singular; `words("ListBlockchainChannels")` is `("list", "blockchain", "channel")`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SINGULAR = {"consortia": "consortium", "metadata": "metadata", "data": "data", "status": "status", "dlts": "dlt"}

THINGS: dict[str, frozenset[str]] = {
    "network": frozenset({"network", "consortium", "union", "blockchain", "instance", "alliance", "federation"}),
    "chain": frozenset({"chain", "channel", "group", "environment", "subchain", "ledgername"}),
    "subchain": frozenset({"subchain"}),
    "contract": frozenset({"contract", "chaincode", "smartcontract"}),
    "node": frozenset({"node", "peer", "validator"}),
    "member": frozenset({"member", "membership", "participant", "org", "organization", "invitation", "front"}),
    "block": frozenset({"block"}),
    "transaction": frozenset({"transaction", "tx", "trans", "txn"}),
    "ledger": frozenset({"ledger", "summary", "overview", "general", "statistic", "stat", "height"}),
    "figure": frozenset({"metric", "monitor", "monitoring", "performance", "figure", "statistic", "stat"}),
    "health": frozenset({"health", "healthz", "healthcheck", "ping", "alive", "heartbeat", "readiness", "version"}),
    "tenant": frozenset({"tenant", "customer", "subscriber"}),
}
# Words that name a thing only when nothing better stands beside them: a job, a proposal is no network.
OTHER_THINGS = frozenset(
    {
        "job", "task", "operation", "proposal", "vote", "token", "login", "certificate", "user", "account", "receipt",
        "record", "notification", "role", "key", "event", "log", "alarm", "order", "agent", "file", "template", "image",
    }
)  # fmt: skip

VERBS: dict[str, frozenset[str]] = {
    "create": frozenset({"create", "add", "new", "build", "apply", "make", "found", "provision", "setup"}),
    "delete": frozenset({"delete", "remove", "destroy", "drop", "end", "terminate", "release", "unsubscribe"}),
    "join": frozenset({"join", "invite", "add", "accept", "enroll", "register", "create", "new"}),
    "quit": frozenset({"quit", "leave", "remove", "exit", "delete", "withdraw", "kick"}),
    "share": frozenset({"share", "attach", "create", "join"}),
    "deploy": frozenset({"deploy", "install", "instantiate", "create", "commit"}),
    "upgrade": frozenset({"upgrade", "update", "migrate"}),
    "stop": frozenset({"delete", "remove", "terminate", "freeze", "stop", "disable", "uninstall", "destroy"}),
    "get": frozenset({"get", "show", "describe", "read", "query", "detail", "info", "fetch", "find"}),
    "list": frozenset({"list", "all", "query", "page", "search", "get", "show", "fetch"}),
}
# To join a network is not to create one: where the thing itself is named, only these verbs will do.
STRICT: dict[str, frozenset[str]] = {
    "join": frozenset({"join", "invite", "add", "accept", "enroll"}),
    "quit": frozenset({"quit", "leave", "remove", "exit", "kick"}),
    "upgrade": VERBS["upgrade"],
    "share": frozenset({"share", "attach"}),
}
_OPPOSITE = {
    "create": frozenset({"delete", "remove", "destroy", "drop", "quit", "leave", "cancel", "stop"}),
    "delete": frozenset(
        {"create", "add", "new", "invite", "join", "cancel", "list", "get", "deploy", "install", "upgrade"}
    ),
}
OPPOSITES: dict[str, frozenset[str]] = {
    "create": _OPPOSITE["create"],
    "join": _OPPOSITE["create"],
    "share": _OPPOSITE["create"],
    "deploy": _OPPOSITE["create"],
    "upgrade": _OPPOSITE["create"],
    "delete": _OPPOSITE["delete"],
    "quit": _OPPOSITE["delete"],
    "stop": _OPPOSITE["delete"],
    "get": frozenset({"create", "delete", "export", "download", "list"}),
    "list": frozenset({"create", "delete", "export", "download"}),
}


@dataclass(frozen=True)
class Wanted:
    """What the operation that answers a standard operation is about: a verb, things, and how sure each of them is."""

    verb: str
    things: dict[str, float]  # entry of THINGS -> 1 when it names the thing, less when it only may
    around: str = ""  # a thing that has to stand in the path or the name as well


# Without a call of its own, another one may do: a list that answers shows that a platform is up.
INSTEAD: dict[str, tuple[str, ...]] = {
    "get_health": ("list_networks", "list_chains"),
    "get_monitoring": ("get_ledger_summary",),
    "get_chain": ("list_chains",),
}

WANTED: dict[str, Wanted] = {
    "create_network": Wanted("create", {"network": 1}),
    "delete_network": Wanted("delete", {"network": 1}),
    "join_network": Wanted("join", {"member": 1, "network": 0.4}),
    "quit_network": Wanted("quit", {"member": 1, "network": 0.4}),
    "create_chain": Wanted("create", {"chain": 1}),
    "delete_chain": Wanted("delete", {"chain": 1}),
    "join_chain": Wanted("join", {"node": 1, "member": 1, "chain": 0.7}, around="chain"),
    "quit_chain": Wanted("quit", {"node": 1, "member": 1, "chain": 0.7}, around="chain"),
    "create_subchain": Wanted("create", {"subchain": 1}),
    "join_subchain": Wanted("share", {"node": 1, "subchain": 1}, around="chain"),
    "add_node": Wanted("create", {"node": 1}),
    "remove_node": Wanted("delete", {"node": 1}),
    "deploy_contract": Wanted("deploy", {"contract": 1}),
    "upgrade_contract": Wanted("upgrade", {"contract": 1}),
    "delete_contract": Wanted("stop", {"contract": 1}),
    "send_transaction": Wanted("create", {"transaction": 1}),
    "get_ledger_summary": Wanted("get", {"ledger": 1}),
    "list_transactions": Wanted("list", {"transaction": 1}),
    "get_transaction": Wanted("get", {"transaction": 1}),
    "list_blocks": Wanted("list", {"block": 1}),
    "get_monitoring": Wanted("get", {"figure": 1}),
    "get_network": Wanted("get", {"network": 1}),
    "list_nodes": Wanted("list", {"node": 1}),
    "get_chain": Wanted("get", {"chain": 1}),
    "list_networks": Wanted("list", {"network": 1}),
    "list_chains": Wanted("list", {"chain": 1}),
    "get_health": Wanted("get", {"health": 1}),
    "list_tenants": Wanted("list", {"tenant": 1}),
}

# What fields are called, the surest word first. `*` stands for the thing that the operation is about; what begins
# with `=` counts only where the operation is about the field's own thing: an `id` is a node's in a list of nodes.
FIELDS: dict[str, tuple[str, ...]] = {
    "network_id": ("networkid", "consortiumid", "blockchainid", "unionid", "instanceid", "networkname", "network"),
    "chain_id": ("chainid", "channelid", "groupid", "environmentid", "channelname", "chainname", "channel", "group"),
    "contract_id": ("contractid", "chaincodeid", "contractaddress", "contract"),
    "member_id": ("memberid", "membershipid", "participantid", "orgid", "member", "membership"),
    "node_id": ("nodeid", "peerid", "*id", "=id", "nodename", "*name"),
    "tx_id": ("txid", "transhash", "txhash", "transactionhash", "transactionid", "hash", "=id"),
    "name": ("name", "*name", "label", "displayname", "title", "alias"),
    "description": ("description", "desc", "remark", "comment", "note"),
    "kernel": ("kernel", "framework", "frameworktype", "protocol", "blockchaintype", "engine"),
    "consensus": ("consensus", "consensustype", "consensusalgorithm", "algorithm"),
    "status": ("status", "*status", "state", "*state", "phase", "health", "provisioningstate", "lifecyclestate"),
    "state": ("state", "*state", "status", "*status", "phase", "active", "provisioningstate", "lifecyclestate"),
    "created": ("created", "createdat", "createtime", "creationdate", "createdtime", "creationtime", "made"),
    "height": ("height", "blocknumber", "blockheight", "number", "latestblock", "blockcount", "blocknum"),
    "block_height": ("blockheight", "blocknumber", "blocknum", "height", "block"),
    "from_height": ("fromheight", "fromblock", "startheight", "startblock"),
    "to_height": ("toheight", "toblock", "endheight", "endblock"),
    "hash": ("hash", "blockhash", "pkhash", "currenthash", "=id"),
    "block_hash": ("blockhash", "latestblockhash", "currentblockhash", "hash"),
    "parent_hash": ("parenthash", "previoushash", "prehash", "prevhash", "previousblockhash"),
    "block_time": ("blocktime", "blocktimestamp", "latestblocktime", "timestamp", "time"),
    "time": ("time", "timestamp", "blocktimestamp", "createdat", "createtime", "generatedtime"),
    "at": ("at", "time", "timestamp"),
    "transactions": ("transactions", "transactioncount", "txcount", "transcount", "txnum", "transactionnum", "txs"),
    "nodes": ("nodes", "nodecount", "nodenum", "peercount"),
    "total": ("total", "totalcount", "count", "totalnum", "recordcount"),
    "index": ("index", "transactionindex", "transindex", "txindex"),
    "sender": ("sender", "from", "transfrom", "creator", "creatormspid"),
    "to": ("to", "transto", "recipient"),
    "value": ("value", "amount"),
    "input": ("input", "data", "payload"),
    "contract": ("contract", "contractaddress", "chaincode", "chaincodename"),
    "address": ("address", "contractaddress"),
    "transaction": ("transaction", "transactionhash", "txhash", "txid"),
    "endpoint": ("endpoint", "url", "address", "host", "ip"),
    "version": ("version", "release", "softwareversion", "clientversion"),
    "detail": ("detail", "message", "note", "reason", "description"),
    "role": ("role", "nodetype", "type"),
    "orgcode": ("orgcode", "externalid", "org", "orgname", "organization", "organizationid", "orgid", "owner"),
    "tenantid": ("tenantid", "tenant", "domainid", "accountid", "subscriptionid", "principal", "account", "=id"),
    "tenantname": ("tenantname", "domainname", "accountname", "=name", "=label", "=title"),
    "projectid": ("projectid", "project", "resourcegroupname", "resourcegroup"),
    "projectname": ("projectname",),
    "bytecode": ("bytecode", "contractbin", "bytecodebin", "bin"),
    "abi": ("abi", "contractabi", "abiinfo"),
    "arguments": ("arguments", "args", "constructorparams", "params", "funcparam"),
    "page": ("page", "pagenumber", "pagenum", "pageno", "pageindex", "currentpage"),
    "page_size": ("pagesize", "perpage", "limit", "maxresult", "maxresults", "size", "rowsperpage"),
    "offset": ("offset", "skip"),
}
OWN = {"node_id": "node", "tx_id": "transaction", "hash": "block", "tenantid": "tenant", "tenantname": "tenant"}
KEYS = ("clientrequesttoken", "idempotencykey", "requestid", "clienttoken", "idempotencytoken", "requesttoken")

STATES: dict[str, frozenset[str]] = {
    "running": frozenset(
        {"available", "active", "running", "live", "normal", "ok", "online", "up", "ready", "started", "joined",
         "healthy", "in", "success", "successful", "done", "completed", "finished", "succeeded", "created", "deployed"}
    ),
    "creating": frozenset(
        {"creating", "pending", "initializing", "initialising", "building", "starting", "provisioning", "queued",
         "joining", "deploying", "updating", "upgrading", "live_pending", "new", "in_progress", "waiting", "setup"}
    ),
    "failed": frozenset(
        {"failed", "error", "broken", "create_failed", "creation_failed", "abnormal", "unhealthy", "down",
         "delete_failed", "failure", "rejected", "expired", "cancelled", "canceled", "inaccessible_encryption_key"}
    ),
    "stopped": frozenset({"stopped", "offline", "inactive", "paused", "frozen", "suspended", "hibernated", "out"}),
    "deleting": frozenset({"deleting", "terminating", "removing", "leaving", "delete_pending", "remove_pending"}),
    "deleted": frozenset({"deleted", "terminated", "removed", "left", "gone"}),
}  # fmt: skip
HEALTH = {"running": "up", "creating": "degraded", "failed": "down", "stopped": "down"}
HEALTH |= dict.fromkeys(("degraded", "slow", "partial", "warning", "warn", "yellow", "amber"), "degraded")
HEALTH |= dict.fromkeys(("green", "pass", "serving"), "up")
HEALTH |= dict.fromkeys(("red", "bad", "fail", "not_serving"), "down")
TRANSACTION = {"running": "committed", "creating": "pending", "failed": "failed"}
KERNELS = ("fabric", "quorum", "ethereum")


@lru_cache(maxsize=20_000)
def words(text: str) -> tuple[str, ...]:
    """A name's words, lower case and singular, whichever way it is written."""
    return tuple(_singular(piece.lower()) for piece in _PIECES.findall(text))


@lru_cache(maxsize=20_000)
def squeezed(text: str) -> str:
    """A name without case and marks: `block_number` and `blockNumber` are the same."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _singular(word: str) -> str:
    if word in _SINGULAR:
        return _SINGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word


def state_of(value: object, wanted: tuple[object, ...]) -> str | None:
    """What a platform's word for a state is here; None when nothing is known of it, or it is not among the wanted."""
    word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    found = next((ours for ours, theirs in STATES.items() if word in theirs or word == ours), None)
    for table in ({}, HEALTH, TRANSACTION):
        ours = table.get(found or word, found or word) if table else found
        if ours is not None and ours in wanted:
            return ours
    return None


def rank_of(field: str, name: str, thing: str = "") -> int | None:
    """How well a name fits a field: 0 is best; None when it does not. `thing` is what a bare `id` would be of."""
    wanted = squeezed(field)
    known = FIELDS.get(field, (wanted,))
    written = squeezed(name)
    of_thing = THINGS.get(thing, frozenset())
    for number, each in enumerate((wanted, *known)):
        if each.startswith("*"):
            if any(written == f"{word}{each[1:]}" for word in of_thing):
                return number
        elif written == each or (each.startswith("=") and written == each[1:] and OWN.get(field) == thing):
            return number
    return None
