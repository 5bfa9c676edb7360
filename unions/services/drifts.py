"""Drifts: compared on demand and by the timetable, written down by the comparison's flow, mended or ignored by people.

Nothing is mended silently. What touches members is proposed to them; what is a matter of records alone, or of nobody
here, is an administrator's word. Locks: union or platform, drift, proposals, flows, audit last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit, flows
from console.errors import Conflict, Invalid
from console.models import Flow, User
from console.models.flows import OPEN_FLOW_STATES
from console.policies import may_administer, require
from console.services.notifications import notify
from console.transactions import joins_transaction, locked_or_missing, use_case
from platforms.models import Platform
from unions.drifts.findings import Finding
from unions.drifts.ways import Way, way_named
from unions.models import Drift, DriftState, Organization, Proposal, ProposalKind, Union
from unions.policies import SPEAKERS, may_compare_union, may_mend_drift, may_propose_mend
from unions.services import proposals
from unions.services.union_requests import locked_union, payload_for

RECONCILE = "unions.reconcile"
FOUND = gettext_noop("“%(name)s”: the platform and the records differ (%(number)s new)")

# --- comparing --------------------------------------------------------------------------------------------------------


@use_case
def compare_platform(*, actor: User | None, oemtype: str) -> Flow:
    """Compare a platform with all that is recorded of it; `actor` is None for the timetable.

    Raises Missing, NotAllowed, Conflict while a comparison of the platform is under way.
    """
    if actor is not None:
        require(may_administer(actor))
    platform = locked_or_missing(Platform.objects.official(), oemtype=oemtype)
    return _start(actor, platform, None)


@use_case
def compare_union(*, actor: User, unionid: str) -> Flow:
    """Compare one union with what its platform has. Raises Missing, NotAllowed, Conflict."""
    union = locked_union(actor, unionid)
    require(may_compare_union(actor, union))
    return _start(actor, union.platform, union)


def _start(actor: User | None, platform: Platform, union: Union | None) -> Flow:
    open_ones = Flow.objects.filter(kind=RECONCILE, state__in=OPEN_FLOW_STATES, arguments__platform=platform.pk)
    if open_ones.filter(arguments__union=union.pk if union else None).exists():
        raise Conflict(_("A comparison is under way already; its result is shown when it has ended."))
    creator = union.acting_creator() if union else None
    flow = flows.start(
        flows.blueprint_named(RECONCILE),
        subject=union or platform,
        requested_by=actor,
        arguments={
            "platform": platform.pk,
            "union": union.pk if union else None,
            "unionid": union.unionid if union else "",
            "creator": creator.orgcode if creator else "",
            "name": union.name if union else platform.name,
        },
        title_values={"name": union.name if union else platform.name},
    )
    if actor is not None:
        audit.record("unions.drift.compared", actor=actor, target=union or platform)
    return flow


@joins_transaction
def record_findings(
    *, platform_id: int, kinds: Collection[str], findings: Iterable[Finding], settled: QuerySet[Drift]
) -> dict[str, int]:
    """Write down what a comparison has found. `settled` are drifts that it would have seen again if they still stood.

    A drift that stands keeps its state, ignored ones too; what is being mended is left to its flow.
    """
    now, findings = timezone.now(), list(findings)
    _lock(platform_id, {finding.union for finding in findings if finding.union is not None})
    standing = Drift.objects.filter(platform_id=platform_id, kind__in=list(kinds)).exclude(state=DriftState.SETTLED)
    rows = {(row.kind, row.key): row for row in standing.select_for_update(of=("self",)).order_by("pk")}
    codes = dict(Organization.objects.values_list("orgcode", "pk"))
    new, seen = [], set()
    for finding in findings:
        identity = (finding.kind, finding.key[:500])
        if identity in seen:
            continue
        seen.add(identity)
        if row := rows.get(identity):
            row.ours, row.theirs, row.seen_at = finding.ours, finding.theirs, now
            row.save()
        else:
            new.append(_written(platform_id, finding, codes, now))
    gone = [row for row in rows.values() if (row.kind, row.key) not in seen and row.state != DriftState.MENDING]
    to_settle = set(settled.filter(pk__in=[row.pk for row in gone]).values_list("pk", flat=True))
    for row in gone:
        if row.pk in to_settle:
            row.settle()
            row.save()
    _tell(new)
    return {"found": len(seen), "new": len(new), "settled": len(to_settle)}


def _lock(platform_id: int, union_ids: set[int]) -> None:
    """One comparison of a platform writes at a time, and unions are locked before their differences, as everywhere.

    Without their keys: others may go on referring to them.
    """
    list(Platform.objects.filter(pk=platform_id).select_for_update(of=("self",), no_key=True))
    list(Union.objects.filter(pk__in=union_ids).select_for_update(of=("self",), no_key=True).order_by("pk"))


def _written(platform_id: int, finding: Finding, codes: dict[str, int], now: datetime) -> Drift:
    return Drift.objects.create(
        platform_id=platform_id,
        union_id=finding.union,
        organization_id=codes.get(finding.orgcode),
        kind=finding.kind,
        key=finding.key[:500],
        name=finding.name[:200],
        ours=finding.ours,
        theirs=finding.theirs,
        found_at=now,
        seen_at=now,
    )


def _tell(new: list[Drift]) -> None:
    """One notification for each union, and one for what is no union's, however much there is."""
    by_union: dict[int | None, list[Drift]] = {}
    for drift in new:
        by_union.setdefault(drift.union_id, []).append(drift)
    for rows in by_union.values():
        union, platform = rows[0].union, rows[0].platform
        members = [member.organization for member in union.present] if union else []
        notify(
            [*proposals.administrators(), *proposals.speakers_of(members)],
            kind="drift",
            title=FOUND,
            parameters={"name": union.name if union else platform.name, "number": len(rows)},
            link=f"/drifts?union={union.unionid}" if union else f"/drifts?platform={platform.oemtype}",
            subject=union or platform,
        )


# --- deciding ---------------------------------------------------------------------------------------------------------


@use_case
def ignore_drift(*, actor: User, drift_id: int, reason: str) -> Drift:
    """Leave a difference as it is, and say why. It is no more counted until somebody looks at it again."""
    drift = _locked(actor, drift_id)
    require(may_mend_drift(actor, drift))
    if not reason.strip():
        raise Invalid.field("reason", _("Say why it may stay as it is."))
    drift.ignore(reason.strip())
    drift.decided_by = actor
    drift.save()
    audit.record("unions.drift.ignored", actor=actor, target=drift, reason=drift.reason)
    return drift


@use_case
def reopen_drift(*, actor: User, drift_id: int) -> Drift:
    """Look at an ignored difference again."""
    drift = _locked(actor, drift_id)
    require(may_administer(actor))
    if drift.state != DriftState.IGNORED:
        raise Conflict(_("Only what is ignored can be opened again."))
    drift.look_again()
    drift.save()
    audit.record("unions.drift.reopened", actor=actor, target=drift)
    return drift


@use_case
def mend_drift(*, actor: User, drift_id: int, way: str, comment: str = "") -> Drift:
    """Mend a difference in one of its ways: propose it to those whom it touches, or do it, where it touches nobody.

    Raises Missing, NotAllowed, Conflict when it is not open or something else goes on, Invalid naming the field.
    """
    drift = _locked(actor, drift_id)
    chosen = way_named(drift.kind, way)
    if chosen is None or chosen.page is not None:
        raise Invalid.field("way", _("This is no way to mend such a difference."))
    require(may_propose_mend(actor, drift) if chosen.plan else may_mend_drift(actor, drift))
    require(chosen.may(drift))
    drift.decided_by = actor
    if chosen.apply is not None:
        drift.way = chosen.name
        drift.settle()
        drift.save()
        chosen.apply(actor, drift)
        audit.record("unions.drift.mended", actor=actor, target=drift, way=chosen.name)
        return drift
    _propose(actor, drift, chosen, comment)
    return drift


def _propose(actor: User, drift: Drift, way: Way, comment: str) -> Proposal:
    """Ask those whom it touches. Where none of them can answer, an administrator does."""
    electorate = way.asked(drift)
    mine = [each for each in electorate if may_speak_by_membership(actor, each)]
    proposer = next(iter([*mine, *electorate]), None) or _anybody(drift)
    drift.begin_mending(way.name)
    drift.save()
    union, member = drift.union, drift.organization
    drift.proposal = proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.MEND,
        subject_key=f"drift:{drift.pk}",
        subject_name=drift.name,
        proposer=proposer,
        electorate=electorate,
        payload={
            **payload_for(drift.platform, union, union.acting_creator() if union else proposer, drift.name),
            "member": member.orgcode if member else "",
            "drift": drift.pk,
            "kind": drift.kind,
            "way": way.name,
            "key": drift.key,
            "theirs": drift.theirs,
            **({} if union else {"network_id": str(drift.ours.get("network_id", ""))}),
        },
        union=union,
        comment=comment,
        by_union_rule=union is not None,
        console_asked=not electorate,
        proposer_agrees=bool(mine),
    )
    drift.save()
    return drift.proposal


def _anybody(drift: Drift) -> Organization:
    """Whose name stands on a proposal that nobody of the union can answer."""
    if drift.organization is not None:
        return drift.organization
    if drift.union is not None:
        return drift.union.acting_creator()
    raise Conflict(_("No organization of this console has to do with it."))


def may_speak_by_membership(actor: User, organization: Organization) -> bool:
    """Whether the actor belongs to those who speak for it, not merely administers the console."""
    return organization.memberships.filter(user=actor, role__in=SPEAKERS).exists()


# --- while its flow runs; called by local steps -----------------------------------------------------------------------


@joins_transaction
def begin_mending(*, drift_id: int, way: str) -> None:
    """Begin again a mending that has stopped half-way; Conflict when it has settled meanwhile."""
    drift = locked_or_missing(Drift.objects.all(), pk=drift_id)
    if drift.state != DriftState.OPEN:
        raise Conflict(gettext_noop("This difference is not open any more."))
    drift.begin_mending(way)
    drift.save()


@joins_transaction
def leave_drift(*, drift_id: int) -> None:
    """The mending came to nothing: the difference is open again."""
    drift = Drift.objects.select_for_update(of=("self",)).filter(pk=drift_id, state=DriftState.MENDING).first()
    if drift is not None:
        drift.leave()
        drift.save()


@joins_transaction
def settle_drift(*, drift_id: int, actor: User | None) -> None:
    """It is mended."""
    drift = locked_or_missing(Drift.objects.all(), pk=drift_id)
    if drift.state != DriftState.SETTLED:
        drift.settle()
        drift.save()
    audit.record("unions.drift.mended", actor=actor, target=drift, way=drift.way)


def _locked(actor: User, drift_id: int) -> Drift:
    """The drift, held still, behind its union: proposals are opened under that lock."""
    rows = Drift.objects.visible_to(actor)
    union_id = rows.filter(pk=drift_id).values_list("union_id", flat=True).first()
    if union_id is not None:
        locked_or_missing(Union.objects.all(), pk=union_id)
    return locked_or_missing(rows.select_related("platform", "organization", "union"), pk=drift_id)
