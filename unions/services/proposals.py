"""Proposals: opened with a flow that sleeps on them, decided by votes, withdrawn, or overtaken by time.

Who has a say in what members are asked are the members on the day of the decision: whoever leaves the union loses it,
whoever comes in gets it (`member_left`, `member_came`).

Locks are taken in one order: union, proposals, flows, and the head of the audit log last. So every row is locked and
changed before the first `audit.record`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit, flows
from console.errors import Conflict, Invalid
from console.models import ConsoleRole, Flow, User
from console.policies import require
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from unions.models import (
    Elector,
    MemberRole,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Rule,
    Union,
    Vote,
)
from unions.policies import may_answer_for_console, may_cast_vote, may_withdraw_proposal
from unions.services import quotas
from unions.tally import Outcome, tally

ASKS_MEMBERS = (ProposalKind.JOIN, ProposalKind.RULE)
HALF_WAY = gettext_noop("“%(subject)s” failed half-way; ask for it again to finish it")


@joins_transaction
def open_proposal(
    *,
    actor: User,
    kind: ProposalKind,
    subject_key: str,
    subject_name: str,
    proposer: Organization,
    electorate: Collection[Organization],
    payload: dict[str, Any],
    union: Union | None = None,
    concerns: Organization | None = None,
    comment: str = "",
    blueprint: str = "",
    answer: dict[str, Any] | None = None,
    by_union_rule: bool = False,
    console_asked: bool = False,
    proposer_agrees: bool = True,
) -> Proposal:
    """Ask the electorate, and promise what happens when it agrees. An empty electorate carries at once.

    `blueprint` names the flow of a floor above; `answer` is what the caller is told besides. `by_union_rule`: as many
    must agree as the union's rule says now; otherwise everyone. `console_asked`: an administrator has to agree as
    well. Who proposes and has a say has agreed, unless somebody else proposes in its name (`proposer_agrees`).
    """
    refuse_beside(subject_key)
    proposal = Proposal.objects.create(
        kind=kind,
        union=union,
        subject_key=subject_key,
        subject_name=subject_name,
        proposer=proposer,
        concerns=concerns,
        opened_by=actor,
        payload=payload,
        rule=union.rule if union and by_union_rule else Rule.EVERYONE,
        threshold=union.threshold if union and by_union_rule else None,
        comment=comment,
        console_asked=console_asked,
        expires_at=timezone.now() + timedelta(days=settings.PROPOSAL_DAYS),
    )
    _ask(proposal, electorate, proposer_agrees=proposer_agrees)
    proposal.flow = _promise(proposal, electorate, blueprint or f"unions.{kind}", answer or {})
    proposal.save()
    return proposal


def _ask(proposal: Proposal, electorate: Collection[Organization], *, proposer_agrees: bool) -> None:
    """Give the electorate its say; who proposes has said it already. Carried where that is all it takes."""
    actor, proposer = proposal.opened_by, proposal.proposer
    Elector.objects.bulk_create(Elector(proposal=proposal, organization=each) for each in electorate)
    if proposer_agrees and proposer in electorate:
        Vote.objects.create(proposal=proposal, organization=proposer, agree=True, cast_by=actor)
    audit.record(
        f"unions.proposal.{proposal.kind}_proposed",
        actor=actor,
        target=proposal,
        electorate=[each.orgcode for each in electorate],
        comment=proposal.comment,
    )
    if _count(proposal) is Outcome.CARRIED:
        proposal.carry()


def _promise(proposal: Proposal, electorate: Collection[Organization], blueprint: str, answer: dict[str, Any]) -> Flow:
    """The flow of what happens when they agree; it sleeps until then."""
    concerns, proposer = proposal.concerns, proposal.proposer
    return flows.start(
        flows.blueprint_named(blueprint),
        subject=proposal,
        requested_by=proposal.opened_by,
        arguments={**proposal.payload, "proposal": proposal.pk},
        title_values={"name": proposal.subject_name, "organization": (concerns or proposer).name},
        watchers=people_of([proposer, *electorate, *([concerns] if concerns else [])]),
        answer={"proposal": str(proposal.pk), "unionid": proposal.payload["unionid"], **answer},
    )


def promised_flow(proposal: Proposal) -> Flow:
    """The flow that `open_proposal` has started."""
    if proposal.flow is None:
        raise RuntimeError("a proposal without a flow")
    return proposal.flow


@joins_transaction
def refuse_beside(subject_key: str, *, field: str = "") -> None:
    """Conflict while another proposal on the same subject is open or being carried out."""
    other = Proposal.objects.under_way().filter(subject_key=subject_key).select_for_update(of=("self",)).first()
    if other is None or (other.state == ProposalState.OPEN and _close_if_stranded(other)):
        return
    if other.state == ProposalState.OPEN:
        text = _("There is an open proposal on this already; it must be decided or withdrawn first.")
    else:
        text = _("This has been agreed to already and is being carried out right now; wait until that has ended.")
    raise Conflict(text, errors={field: [text]} if field else None)


@use_case
def cast_vote(*, actor: User, proposal_id: int, orgcode: str, agree: bool, comment: str = "") -> Proposal:
    """Record one organization's answer and, when it settles the proposal, let the flow go on or be taken back.

    Raises Missing when the actor cannot see the proposal, NotAllowed when the organization has no say or the actor
    does not speak for it, Conflict when it is settled already, too late, or the organization has voted.
    """
    proposal = locked_or_missing(Proposal.objects.visible_to(actor), pk=proposal_id)
    organization = Organization.objects.filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    require(may_cast_vote(actor, proposal, organization))
    _refuse_too_late(proposal)
    if proposal.votes.filter(organization=organization).exists():
        raise Conflict(_("%(name)s has voted already.") % {"name": organization.name}, code="voted_already")
    Vote.objects.create(proposal=proposal, organization=organization, agree=agree, cast_by=actor, comment=comment)
    outcome = _settle(proposal)
    audit.record("unions.proposal.voted", actor=actor, target=proposal, orgcode=orgcode, agree=agree, comment=comment)
    _record(proposal, outcome, actor)
    return proposal


@use_case
def answer_for_console(*, actor: User, proposal_id: int, agree: bool, comment: str = "") -> Proposal:
    """An administrator's answer where members cannot decide alone; it counts beside their votes.

    Raises Missing, NotAllowed, Conflict when the console is not asked, has answered, or it is too late.
    """
    proposal = locked_or_missing(Proposal.objects.visible_to(actor), pk=proposal_id)
    require(may_answer_for_console(actor, proposal))
    _refuse_too_late(proposal)
    if proposal.console_agrees is not None:
        raise Conflict(_("The console has answered already."), code="voted_already")
    proposal.console_agrees, proposal.console_answered_by, proposal.console_comment = agree, actor, comment
    outcome = _settle(proposal)
    audit.record("unions.proposal.console_answered", actor=actor, target=proposal, agree=agree, comment=comment)
    _record(proposal, outcome, actor)
    return proposal


def _refuse_too_late(proposal: Proposal) -> None:
    """Conflict when an answer changes nothing any more."""
    if proposal.state != ProposalState.OPEN:
        raise Conflict(_("This proposal has been decided already."))
    if proposal.flow is None or proposal.flow.is_final or proposal.flow.undoing:
        raise Conflict(_("This was stopped by an administrator of the console."), code="stopped")
    if proposal.expires_at <= timezone.now():
        raise Conflict(_("The time to answer is over."), code="expired")


@use_case
def withdraw_proposal(*, actor: User, proposal_id: int, reason: str = "") -> Proposal:
    """Take back what one's own organization asked for; those asked read the reason."""
    proposal = locked_or_missing(Proposal.objects.visible_to(actor), pk=proposal_id)
    require(may_withdraw_proposal(actor, proposal))
    proposal.withdraw(reason.strip())
    proposal.save()
    flows.cancel_waiting(proposal.topic, actor=actor, detail=gettext_noop("The proposal was withdrawn."))
    _free_places(proposal)
    audit.record("unions.proposal.withdrawn", actor=actor, target=proposal, reason=proposal.reason)
    _tell(proposal, gettext_noop("“%(subject)s” was withdrawn"), reason=proposal.reason)
    return proposal


@use_case
def remind_electors(*, proposal_id: int) -> Proposal:
    """Ask those who have not answered once more, shortly before the time is over; once."""
    proposal = locked_or_missing(Proposal.objects.select_related("proposer"), pk=proposal_id)
    now = timezone.now()
    late = proposal.expires_at - timedelta(hours=settings.PROPOSAL_REMINDER_HOURS)
    if proposal.state != ProposalState.OPEN or proposal.reminded_at or not late <= now < proposal.expires_at:
        return proposal
    proposal.reminded_at = now
    proposal.save(update_fields=["reminded_at"])
    silent = proposal.silent()
    audit.record("unions.proposal.reminded", actor=None, target=proposal, orgcodes=[each.orgcode for each in silent])
    notify(
        speakers_of(silent),
        kind="reminder",
        title=gettext_noop("Not answered yet, and the time is nearly over: %(subject)s"),
        body=gettext_noop("%(proposer)s asks for your answer until %(until)s (UTC)."),
        parameters={
            "subject": proposal.subject_name,
            "proposer": proposal.proposer.name,
            "until": f"{proposal.expires_at:%Y-%m-%d %H:%M}",
        },
        link=f"/proposals/{proposal.pk}",
        subject=proposal,
    )
    return proposal


@use_case
def expire_proposal(*, proposal_id: int) -> Proposal:
    """Close a proposal whose time is over; its flow is taken back."""
    proposal = locked_or_missing(Proposal.objects.all(), pk=proposal_id)
    if proposal.state != ProposalState.OPEN or proposal.expires_at > timezone.now():
        return proposal
    proposal.expire()
    proposal.save()
    flows.fail_waiting(proposal.topic, code="expired", detail=gettext_noop("Not everyone answered in time."))
    _free_places(proposal)
    audit.record("unions.proposal.expired", actor=None, target=proposal)
    _tell(proposal, gettext_noop("“%(subject)s” has expired"))
    return proposal


@use_case
def close_stranded(*, proposal_id: int) -> Proposal:
    """Close an open proposal whose flow an operator has cancelled: nobody can carry it out any more."""
    proposal = locked_or_missing(Proposal.objects.all(), pk=proposal_id)
    if proposal.state == ProposalState.OPEN:
        _close_if_stranded(proposal)
    return proposal


@joins_transaction
def _close_if_stranded(proposal: Proposal) -> bool:
    if proposal.flow is None or not (proposal.flow.is_final or proposal.flow.undoing):
        return False
    reason = str((proposal.flow.error or {}).get("detail", ""))
    proposal.withdraw(reason)
    proposal.save()
    _free_places(proposal)
    audit.record("unions.proposal.withdrawn", actor=proposal.flow.cancelled_by, target=proposal, reason=reason)
    _tell(proposal, gettext_noop("“%(subject)s” was stopped"), reason=reason)
    return True


# --- while its flow runs; called by local steps ---------------------------------------------------------------------


@joins_transaction
def lock_proposal(proposal_id: int) -> Proposal:
    """The proposal, held still: whoever decides it right now is waited for."""
    return locked_or_missing(Proposal.objects.select_related("proposer"), pk=proposal_id)


@joins_transaction
def give_up(*, proposal_id: int, actor: User | None, reason: str, half_way: bool = False) -> None:
    """What was agreed to could not be carried out: the vote stands; those concerned hear that it was in vain.

    `half_way`: some of it was done, and stays done.
    """
    proposal = lock_proposal(proposal_id)
    audit.record("unions.proposal.taken_back", actor=actor, target=proposal, reason=reason)
    title = HALF_WAY if half_way else gettext_noop("“%(subject)s” failed and was taken back")
    _tell(proposal, title, reason=reason)


@joins_transaction
def member_left(*, union: Union, organization: Organization) -> None:
    """Who has left has no say any more in what its fellows are asked; that may settle an open question."""
    now = timezone.now()
    concerned = [
        proposal
        for proposal in _open_to_members(union)
        if proposal.electors.in_force().filter(organization=organization).update(lapsed_at=now)
    ]
    outcomes = [_settle(proposal) for proposal in concerned]
    for proposal, outcome in zip(concerned, outcomes, strict=True):
        audit.record("unions.proposal.say_lapsed", actor=None, target=proposal, orgcode=organization.orgcode)
        _record(proposal, outcome, None)


@joins_transaction
def member_came(*, union: Union, organization: Organization) -> None:
    """Who has come in is asked what its fellows are being asked."""
    open_questions = _open_to_members(union)
    for proposal in open_questions:
        Elector.objects.update_or_create(proposal=proposal, organization=organization, defaults={"lapsed_at": None})
    for proposal in open_questions:
        audit.record("unions.proposal.say_given", actor=None, target=proposal, orgcode=organization.orgcode)
        ask(proposal, [organization])


@joins_transaction
def ask(proposal: Proposal, organizations: Iterable[Organization]) -> None:
    """An invitation to vote, for everyone who may."""
    _invite(proposal, speakers_of(organizations))


@joins_transaction
def ask_console(proposal: Proposal) -> None:
    """An invitation to the console's administrators."""
    _invite(proposal, administrators())


def _invite(proposal: Proposal, people: Iterable[User]) -> None:
    notify(
        people,
        kind="invitation",
        title=gettext_noop("%(proposer)s asks for your answer: %(subject)s"),
        parameters={"proposer": proposal.proposer.name, "subject": proposal.subject_name},
        link=f"/proposals/{proposal.pk}",
        subject=proposal,
    )


def _open_to_members(union: Union) -> list[Proposal]:
    """What members are being asked; locked in one order, so that two who move at once do not wait for each other."""
    rows = Proposal.objects.filter(union=union, kind__in=ASKS_MEMBERS, state=ProposalState.OPEN)
    return list(rows.select_related("proposer").select_for_update(of=("self",)).order_by("pk"))


def _settle(proposal: Proposal) -> Outcome:
    """What the answers so far have decided; a decision lets the flow go on or takes it back."""
    outcome = _count(proposal)
    if outcome is Outcome.CARRIED:
        proposal.carry()
        flows.wake(proposal.topic, {"verdict": "carried"})
        _tell(proposal, gettext_noop("“%(subject)s” was agreed to"))
    elif outcome is Outcome.REFUSED:
        proposal.refuse()
        flows.fail_waiting(proposal.topic, code="refused", detail=_refusal_text(proposal))
        _free_places(proposal)
        _tell(proposal, gettext_noop("“%(subject)s” was refused"))
    proposal.save()
    return outcome


def _free_places(proposal: Proposal) -> None:
    """It comes to nothing, and nothing was built yet: the places that its flow has reserved are anybody's at once."""
    if proposal.flow_id is not None:
        quotas.release(proposal.flow_id)


def _count(proposal: Proposal) -> Outcome:
    """What the answers have settled; where the console is asked as well, nothing is carried without it."""
    if proposal.console_agrees is False:
        return Outcome.REFUSED
    outcome = tally(
        set(proposal.electors.in_force().values_list("organization__orgcode", flat=True)),
        dict(proposal.votes.values_list("organization__orgcode", "agree")),
        proposal.rule,
        proposal.threshold,
    )
    waits = proposal.console_asked and proposal.console_agrees is None
    return Outcome.OPEN if waits and outcome is Outcome.CARRIED else outcome


def _record(proposal: Proposal, outcome: Outcome, actor: User | None) -> None:
    if outcome is not Outcome.OPEN:
        audit.record(f"unions.proposal.{outcome.value}", actor=actor, target=proposal)


def _refusal_text(proposal: Proposal) -> str:
    noes = [(str(vote.organization), vote.comment) for vote in proposal.votes.filter(agree=False)]
    if proposal.console_agrees is False:
        noes.append(("Console", proposal.console_comment))
    return "; ".join(f"{name}: {comment}" if comment else name for name, comment in noes)


def administrators() -> list[User]:
    """Everyone who administers the console."""
    rows = User.objects.filter(Q(console_role=ConsoleRole.ADMINISTRATOR) | Q(is_superuser=True), is_active=True)
    return list(rows)


def people_of(organizations: Iterable[Organization]) -> list[User]:
    """Everyone who belongs to one of the organizations."""
    return list(User.objects.filter(memberships__organization__in=list(organizations)).distinct())


def speakers_of(organizations: Iterable[Organization]) -> list[User]:
    """Everyone who may vote for one of the organizations."""
    roles = [MemberRole.ADMINISTRATOR, MemberRole.OPERATOR]
    return list(
        User.objects.filter(memberships__organization__in=list(organizations), memberships__role__in=roles).distinct()
    )


def _tell(proposal: Proposal, title: str, *, reason: str = "") -> None:
    concerned = [
        proposal.proposer,
        *(elector.organization for elector in proposal.electors.select_related("organization")),
    ]
    notify(
        people_of(concerned),
        kind="proposal",
        title=title,
        body=gettext_noop("Reason: %(reason)s") if reason else "",
        parameters={"subject": proposal.subject_name, "reason": reason},
        link=f"/proposals/{proposal.pk}",
        subject=proposal,
    )
