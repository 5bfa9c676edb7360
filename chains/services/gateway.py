"""One request through the gateway: judged and counted in a transaction, asked for outside of one, and written down.

`pass_on` is the door. What a transaction sent is in the audit log twice: that it was asked for, before the node is
asked, and what became of it. Reading is counted, and each grant's day is summed up in one entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from chains.gateway import calling
from chains.gateway.requests import RpcRequest
from chains.gateway.targets import refuse_stopped
from chains.models import AccessGrant, Blockchain, GrantUse, Node, NodeState
from chains.policies import require_gateway
from console import audit
from console.errors import ConsoleError, Missing, NotAllowed, PlatformUnavailable, TooMany
from console.models import User
from console.transactions import joins_transaction, use_case

SUMMARIZED_AT_ONCE = 200


@dataclass(frozen=True)
class Admitted:
    """A request that may go out, and to which nodes."""

    grant: AccessGrant
    nodes: tuple[Node, ...]


def pass_on(*, actor: User, uid: str, body: Any, read_only: bool = False) -> Any:
    """The answer to a JSON-RPC request, single or batch, by a node of the actor's own organization.

    Raises Missing (no such chain in sight), NotSupported, Invalid, NotAllowed (no grant, or not this method), TooMany,
    PlatformUnavailable, OutcomeUnknown, PlatformRefused, Busy.
    """
    chain = _chain(actor, uid)
    request = RpcRequest.read(body)
    if read_only and request.sends:
        raise NotAllowed(_("This token may only read."), code="read_only_token")
    admitted = admit(actor=actor, blockchain=chain, request=request)
    try:
        answers = calling.ask(chain, admitted.grant.organization, admitted.nodes, request)
    except ConsoleError as problem:
        if request.sends:
            record_outcome(actor=actor, grant=admitted.grant, outcome={"error": problem.code})
        raise
    if request.sends:
        record_outcome(actor=actor, grant=admitted.grant, outcome={"answers": _outcomes(request, answers)})
    return answers if request.is_batch else answers[0]


def _chain(actor: User, uid: str) -> Blockchain:
    """The chain, if the actor sees it and it can be spoken to."""
    rows = Blockchain.objects.visible_to(actor).select_related("business_chain__platform__version")
    chain = rows.filter(uid=uid).first()
    if chain is None:
        raise Missing()
    require_gateway(chain)
    return chain


@use_case
def admit(*, actor: User, blockchain: Blockchain, request: RpcRequest) -> Admitted:
    """Choose the grant, count the calls against it, and write down what will be sent."""
    now = timezone.now()
    grant = AccessGrant.objects.select_for_update(of=("self",)).get(pk=_choose(actor, blockchain, request, now).pk)
    if grant.revoked_at is not None or grant.is_expired:
        raise NotAllowed(_("This grant has ended."), code="no_grant")
    refuse_stopped(blockchain, request)
    nodes = healthy_nodes(grant)
    _count(grant, request, now)
    if request.sends:
        about = {"grant": grant.pk, "orgcode": grant.organization.orgcode, "transactions": len(request.sends)}
        audit.record("chains.gateway.sending", actor=actor, target=blockchain, **about)
    return Admitted(grant, tuple(nodes))


@joins_transaction
def _choose(actor: User, blockchain: Blockchain, request: RpcRequest, now: datetime) -> AccessGrant:
    """The first grant that allows every method of the request, the actor's own before those of all members."""
    rows = AccessGrant.objects.usable_by(actor, now).filter(blockchain=blockchain)
    grants = list(rows.filter(organization__blockchains=blockchain).order_by(F("user").asc(nulls_last=True), "pk"))
    if not grants:
        raise NotAllowed(
            _("You have no access grant for this chain: an administrator of your organization makes one."),
            code="no_grant",
        )
    wanted = {each.method for each in request.calls}
    for grant in grants:
        if wanted <= set(grant.methods):
            return grant
    allowed = {method for grant in grants for method in grant.methods}
    name = next((each.method for each in request.calls if each.method not in allowed), request.calls[0].method)
    raise NotAllowed(_("The method %(name)s is not granted to you.") % {"name": name}, code="method_not_granted")


def healthy_nodes(grant: AccessGrant) -> list[Node]:
    """Running nodes of the grant's organization, those read last first; PlatformUnavailable when there is none."""
    nodes = list(Node.objects.filter(blockchain=grant.blockchain_id, organization=grant.organization_id))
    running = [node for node in nodes if node.state == NodeState.RUNNING and node.endpoint]
    if running:
        return sorted(running, key=lambda node: (-node.read_at.timestamp(), node.pk))
    words = {"name": grant.organization.name}
    if nodes:
        text = _("No node of %(name)s on this chain runs at the moment.") % words
    else:
        text = _("%(name)s has no node of its own on this chain.") % words
    raise PlatformUnavailable(text, code="no_node")


@joins_transaction
def _count(grant: AccessGrant, request: RpcRequest, now: datetime) -> None:
    """Add the calls to the minute and the day; TooMany, with how long to wait, when they do not fit."""
    minute, number = now.replace(second=0, microsecond=0), len(request.calls)
    if grant.minute != minute:
        grant.minute, grant.in_minute = minute, 0
    if grant.in_minute + number > grant.rate_per_minute:
        left = (minute + timedelta(minutes=1) - now).total_seconds()
        text = _("This grant allows %(limit)s calls a minute.") % {"limit": grant.rate_per_minute}
        raise _too_many(text, "rate_exceeded", left)
    use, _made = GrantUse.objects.get_or_create(grant=grant, day=now.date())
    if use.total + number > grant.quota_per_day:
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        text = _("This grant allows %(limit)s calls a day (UTC).") % {"limit": grant.quota_per_day}
        raise _too_many(text, "quota_exceeded", (tomorrow - now).total_seconds())
    grant.in_minute += number
    grant.save(update_fields=["minute", "in_minute"])
    use.sends += len(request.sends)
    use.reads += number - len(request.sends)
    use.save(update_fields=["reads", "sends"])


def _too_many(text: str, code: str, seconds: float) -> TooMany:
    problem = TooMany(text, code=code)
    problem.wait = seconds  # type: ignore[attr-defined] # becomes Retry-After
    return problem


def _outcomes(request: RpcRequest, answers: Sequence[Any]) -> list[Any]:
    """For each transaction its hash, or what the node said against it."""
    pairs = zip(request.calls, answers, strict=True)
    return [
        {"hash": str(answer["result"])[:100]} if "result" in answer else {"refused": answer["error"]["message"][:200]}
        for call, answer in pairs
        if call.sends
    ]


@use_case
def record_outcome(*, actor: User, grant: AccessGrant, outcome: dict[str, Any]) -> None:
    """What became of the transactions of a request."""
    audit.record("chains.gateway.sent", actor=actor, target=grant.blockchain, grant=grant.pk, **outcome)


@use_case
def summarize_uses() -> int:
    """One audit entry for each grant and day that is over; returns how many were written."""
    over = GrantUse.objects.select_for_update(of=("self",)).filter(summarized=False, day__lt=timezone.now().date())
    rows = list(over.select_related("grant__blockchain", "grant__organization").order_by("pk")[:SUMMARIZED_AT_ONCE])
    for use in rows:
        use.summarized = True
        use.save(update_fields=["summarized"])
        audit.record(
            "chains.gateway.used",
            actor=None,
            target=use.grant.blockchain,
            grant=use.grant_id,
            orgcode=use.grant.organization.orgcode,
            day=use.day.isoformat(),
            reads=use.reads,
            sends=use.sends,
        )
    return len(rows)
