"""Proposals in plain words: who asks what, what happens if all agree, who has answered, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.models import FlowState, User
from unions import reads
from unions.drifts.ways import way_named
from unions.models import (
    DriftKind,
    Elector,
    MemberRole,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Rule,
    Vote,
)
from unions.tally import needed

ASKS = {
    ProposalKind.CREATE: gettext_lazy("%(who)s invites %(guests)s to the new union “%(union)s”."),
    ProposalKind.JOIN: gettext_lazy("%(who)s asks to join the union “%(union)s”."),
    ProposalKind.QUIT: gettext_lazy("%(who)s leaves the union “%(union)s”."),
    ProposalKind.DELETE: gettext_lazy("%(who)s deletes the union “%(union)s”."),
    ProposalKind.CHAIN_CREATE: gettext_lazy("%(who)s wants to build the chain “%(union)s”."),
    ProposalKind.CHAIN_JOIN: gettext_lazy("%(who)s asks to join the chain “%(union)s”."),
    ProposalKind.CHAIN_QUIT: gettext_lazy("%(who)s leaves the chain “%(union)s”."),
    ProposalKind.CHAIN_DELETE: gettext_lazy("%(who)s deletes the chain “%(union)s”."),
    ProposalKind.CHAIN_SCALE: gettext_lazy("%(who)s changes the number of its nodes on “%(union)s”."),
    ProposalKind.CONTRACT_DEPLOY: gettext_lazy("%(who)s wants to deploy the contract “%(union)s”."),
    ProposalKind.CONTRACT_UPGRADE: gettext_lazy("%(who)s wants to upgrade the contract “%(union)s”."),
    ProposalKind.CONTRACT_STOP: gettext_lazy("%(who)s wants to stop the contract “%(union)s”."),
    ProposalKind.CONTRACT_RESUME: gettext_lazy("%(who)s wants to let the contract “%(union)s” run again."),
    ProposalKind.CONTRACT_DELETE: gettext_lazy("%(who)s wants to delete the contract “%(union)s”."),
    ProposalKind.CONTRACT_RULE: gettext_lazy("%(who)s proposes other rules for the contracts of “%(union)s”."),
    ProposalKind.RULE: gettext_lazy("%(who)s proposes another rule for the union “%(union)s”: %(rule)s."),
    ProposalKind.CLAIM: gettext_lazy("%(who)s says that the placeholder “%(union)s” stands for it."),
    ProposalKind.MEND: gettext_lazy("A difference is to be mended: %(difference)s (%(union)s). The way: %(way)s."),
}
CONSEQUENCES = {
    ProposalKind.CREATE: gettext_lazy(
        "Once everyone invited has agreed, the network is built with the resource spaces of all members, and a chain "
        "that they share, if the platform builds chains."
    ),
    ProposalKind.JOIN: gettext_lazy(
        "Once enough members have agreed, a node is built in the resource space of %(who)s, "
        "and it receives a copy of the whole ledger."
    ),
    ProposalKind.QUIT: gettext_lazy("The nodes of %(who)s are reclaimed; the union goes on without it."),
    ProposalKind.DELETE: gettext_lazy("The nodes of every member are reclaimed, and the chain is gone for good."),
    ProposalKind.CHAIN_CREATE: gettext_lazy(
        "Once everyone in it has agreed, its ledgers and nodes are built as planned."
    ),
    ProposalKind.CHAIN_JOIN: gettext_lazy(
        "Once every organization in it has agreed, %(who)s gets its place and a copy of every ledger of the chain."
    ),
    ProposalKind.CHAIN_QUIT: gettext_lazy("The nodes of %(who)s on it are reclaimed; the chain goes on without it."),
    ProposalKind.CHAIN_DELETE: gettext_lazy("Its ledgers and the nodes that serve nothing else are gone for good."),
    ProposalKind.CHAIN_SCALE: gettext_lazy("Nodes are built or reclaimed in the space of %(who)s only."),
    ProposalKind.CONTRACT_DEPLOY: gettext_lazy(
        "The program goes to the chain, where everyone on it can call it. What it was compiled from is on its page."
    ),
    ProposalKind.CONTRACT_UPGRADE: gettext_lazy("Another program takes its place. The old one stays on the chain."),
    ProposalKind.CONTRACT_STOP: gettext_lazy(
        "It is paused where it can be paused; otherwise the console passes on nothing to it any more."
    ),
    ProposalKind.CONTRACT_RESUME: gettext_lazy("What stopped it is taken back; everybody can call it again."),
    ProposalKind.CONTRACT_DELETE: gettext_lazy(
        "It leaves the book and the console passes on nothing to it any more. A chain cannot forget: its code stays."
    ),
    ProposalKind.CONTRACT_RULE: gettext_lazy(
        "From then on contracts are deployed, upgraded, stopped and deleted by these rules."
    ),
    ProposalKind.RULE: gettext_lazy(
        "From then on what is asked of the members is decided by it; what is being asked already is not."
    ),
    ProposalKind.CLAIM: gettext_lazy(
        "Once everyone asked has agreed, the places and nodes of the placeholder are those of %(who)s, and the "
        "placeholder is gone. Nothing changes on the platform."
    ),
}
ALONE = gettext_lazy("%(who)s makes a network that it is in already the union “%(union)s”.")
EXISTING = gettext_lazy(
    "Once everyone invited has agreed, a network that is on the platform already becomes this union. Nothing is built; "
    "whoever deletes the union later deletes the network."
)
PROVEN = gettext_lazy("The platform names its tenant, %(tenantid)s, and that is the tenant space of %(who)s.")
NOT_PROVEN = gettext_lazy("The platform names no tenant, so the console cannot check this: agree only if you know it.")
ICONS = {
    ProposalKind.CREATE: "users-plus",
    ProposalKind.JOIN: "user-plus",
    ProposalKind.QUIT: "logout",
    ProposalKind.DELETE: "trash",
    ProposalKind.CHAIN_CREATE: "link",
    ProposalKind.CHAIN_JOIN: "user-plus",
    ProposalKind.CHAIN_QUIT: "logout",
    ProposalKind.CHAIN_DELETE: "trash",
    ProposalKind.CHAIN_SCALE: "server-2",
    ProposalKind.CONTRACT_DEPLOY: "file-code",
    ProposalKind.CONTRACT_UPGRADE: "versions",
    ProposalKind.CONTRACT_STOP: "player-pause",
    ProposalKind.CONTRACT_RESUME: "player-play",
    ProposalKind.CONTRACT_DELETE: "trash",
    ProposalKind.CONTRACT_RULE: "scale",
    ProposalKind.RULE: "scale",
    ProposalKind.CLAIM: "certificate",
    ProposalKind.MEND: "adjustments",
}


def rule_of(proposal: Proposal) -> str:
    """How many of those asked must agree, as it stands in a list of facts."""
    asked = sum(row.lapsed_at is None for row in proposal.electors.all())
    return _("%(needed)s of %(asked)s must agree") % {
        "needed": needed(asked, proposal.rule, proposal.threshold),
        "asked": asked,
    }


def rule_in_words(rule: str, threshold: int | None) -> str:
    """How many must agree, as a part of a sentence."""
    if rule == Rule.THRESHOLD:
        return _("at least %(share)s %% of the members agree") % {"share": threshold}
    return _("more than half of the members agree") if rule == Rule.MAJORITY else _("every member agrees")


@dataclass(frozen=True)
class Answer:
    """What one organization with a say has said so far; `vote` is None while it is silent."""

    organization: Organization
    vote: Vote | None
    speaks: bool
    lapsed: bool


@dataclass(frozen=True)
class Status:
    """What became of a proposal: a state for the badge, a short name for it, and one sentence that says it all."""

    state: str
    title: str
    text: str
    kind: str = "info"  # of the alert that shows it


@dataclass(frozen=True)
class Card:
    """A proposal as a person reads it."""

    proposal: Proposal
    asks: str
    consequence: str
    icon: str
    platform: str
    rule: str
    answers: list[Answer]
    status: Status
    evidence: str = ""  # of a claim
    answers_for_console: bool = False  # the reader may

    @property
    def console_open(self) -> bool:
        """Whether the reader is asked as an administrator."""
        proposal = self.proposal
        unanswered = proposal.console_asked and proposal.console_agrees is None
        return self.answers_for_console and unanswered and proposal.state == ProposalState.OPEN

    @property
    def open_for(self) -> list[Organization]:
        """The reader's organizations that have not answered yet."""
        if self.proposal.state != ProposalState.OPEN:
            return []
        return [each.organization for each in self.answers if each.speaks and each.vote is None and not each.lapsed]

    @property
    def asked(self) -> int:
        return sum(not answer.lapsed for answer in self.answers) + self.proposal.console_asked

    @property
    def given(self) -> int:
        votes = sum(answer.vote is not None and not answer.lapsed for answer in self.answers)
        return votes + (self.proposal.console_agrees is not None)


def cards_of(proposals: Iterable[Proposal], actor: User) -> list[Card]:
    """Cards for a reader; the proposals prefetched as `reads.proposals` does."""
    mine, platforms = speaks_for(actor), reads.platform_names()
    return [card_of(proposal, mine, platforms, administers=actor.is_administrator) for proposal in proposals]


def card_of(proposal: Proposal, speaks_for: set[int], platforms: dict[int, str], *, administers: bool = False) -> Card:
    """`speaks_for` are ids of the reader's organizations, `platforms` their names by id."""
    electors: list[Elector] = list(proposal.electors.all())
    votes = {vote.organization_id: vote for vote in proposal.votes.all()}
    words = {
        "who": (proposal.concerns or proposal.proposer).name,
        "union": proposal.subject_name,
        "rule": rule_in_words(proposal.payload.get("rule", ""), proposal.payload.get("threshold")),
        "guests": get_text_list([row.organization.name for row in electors], _("and")),
        "tenantid": proposal.payload.get("tenantid", ""),
        **_mending(proposal.payload),
    }
    kind = ProposalKind(proposal.kind)
    asks, consequence = ASKS[kind], CONSEQUENCES.get(kind, "%(explanation)s")
    if proposal.payload.get("network_id"):
        asks, consequence = (asks if electors else ALONE), EXISTING
    return Card(
        proposal=proposal,
        asks=str(asks) % words,
        consequence=str(consequence) % words,
        icon=ICONS[kind],
        platform=platforms.get(proposal.payload.get("platform", 0), ""),
        rule=rule_of(proposal),
        answers=[_answer(row, votes, speaks_for) for row in electors],
        status=status_of(proposal),
        evidence=str(PROVEN if words["tenantid"] else NOT_PROVEN) % words if kind == ProposalKind.CLAIM else "",
        answers_for_console=administers,
    )


def _mending(payload: dict[str, Any]) -> dict[str, str]:
    """What a difference is, and how it is to be mended, in words."""
    way = way_named(payload["kind"], payload["way"]) if "drift" in payload else None
    if way is None:
        return {"difference": "", "way": "", "explanation": ""}
    label = str(DriftKind(payload["kind"]).label)
    return {"difference": label, "way": str(way.title), "explanation": str(way.explanation)}


def _answer(row: Elector, votes: dict[int, Vote], speaks_for: set[int]) -> Answer:
    return Answer(
        organization=row.organization,
        vote=votes.get(row.organization_id),
        speaks=row.organization_id in speaks_for,
        lapsed=row.lapsed_at is not None,
    )


def status_of(proposal: Proposal) -> Status:
    """What to tell a person who looks at the proposal now."""
    if proposal.state == ProposalState.CARRIED:
        return _status_of_work(proposal)
    texts: dict[str, Any] = {
        ProposalState.OPEN: ("info", _("It waits for the answers of those asked.")),
        ProposalState.REFUSED: ("danger", _("It was refused. Nothing was built or changed.")),
        ProposalState.WITHDRAWN: ("secondary", _withdrawn(proposal)),
        ProposalState.EXPIRED: ("secondary", _("Not everyone answered in time. Nothing was built or changed.")),
    }
    kind, text = texts[proposal.state]
    return Status(proposal.state, proposal.get_state_display(), text, kind)


def _withdrawn(proposal: Proposal) -> str:
    text = _("It was taken back before everyone had answered. Nothing was built.")
    return text + " " + _("Reason: %(reason)s") % {"reason": proposal.reason} if proposal.reason else text


def _status_of_work(proposal: Proposal) -> Status:
    """Agreed to is not yet done: what the flow behind it has come to."""
    asked = bool(proposal.electors.all()) or proposal.console_asked
    flow = proposal.flow
    if flow is None or flow.state == FlowState.DONE:
        return Status(
            "done", _("Done"), _("It was agreed to and carried out.") if asked else _("It was carried out."), "success"
        )
    if flow.undoing and not flow.is_final:
        return Status("undoing", _("Being taken back"), _("It failed. What was done is being taken back."), "warning")
    if flow.state == FlowState.UNDONE:
        text = (
            _("It was agreed to, but carrying it out failed, and everything was taken back. You can ask again.")
            if asked
            else _("Carrying it out failed, and everything was taken back. You can try again.")
        )
        return Status("failed", _("Failed, taken back"), text, "warning")
    if flow.state == FlowState.CANCELLED:
        text = _("An administrator stopped it, and everything was taken back. You can ask again.")
        return Status("cancelled", _("Stopped, taken back"), text, "warning")
    if flow.state == FlowState.FAILED and flow.stopped_half_way:
        text = _("It stopped half-way. What was removed stays removed; ask for it again to finish the rest.")
        return Status("failed", _("Failed"), text, "danger")
    if flow.state == FlowState.FAILED:
        text = _("Carrying it out failed, and not everything could be taken back. An administrator has to look.")
        return Status("failed", _("Failed"), text, "danger")
    text = _("It was agreed to. It is being carried out.") if asked else _("It is being carried out.")
    return Status("running", _("Being carried out"), text)


def speaks_for(actor: User) -> set[int]:
    """Ids of the organizations that the actor votes for; administrators vote for others by REST only."""
    own = Organization.objects.of_user(actor, MemberRole.ADMINISTRATOR, MemberRole.OPERATOR)
    return set(own.values_list("pk", flat=True))
