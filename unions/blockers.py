"""What of this floor stands in the way when somebody leaves, ends or takes away what others build on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from console.blockers import add_teller
from console.errors import Blocker
from console.models import User
from unions.models import (
    LIVE_MEMBER_STATES,
    Machine,
    MemberRole,
    Membership,
    Organization,
    Proposal,
    ProposalState,
    Registration,
    RegistrationState,
    Reservation,
    ResourceSpace,
    Union,
    UnionMember,
)

IdleFinder = Callable[[ResourceSpace, list[Machine]], set[int]]
_idle_finders: list[IdleFinder] = []


def hand_in() -> None:
    """Called once, when the app is ready."""
    add_teller("user", user_blockers)
    add_teller("organization", organization_blockers)
    add_teller("union", union_blockers)


def find_idle_machines_with(finder: IdleFinder) -> None:
    """An upper floor says which machines of a space certainly carry nothing: space and machines in, ids out."""
    _idle_finders.append(finder)


# --- people -----------------------------------------------------------------------------------------------------------


def user_blockers(user: User) -> list[Blocker]:
    """Organizations that nobody else could look after, and registrations that would be nobody's."""
    return [*_sole_administrator(user), *_open_registrations(user)]


def _sole_administrator(user: User) -> Iterable[Blocker]:
    words = _("Nobody else administers %(name)s: make another member of it an administrator first.")
    mine = Membership.objects.filter(user=user, role=MemberRole.ADMINISTRATOR).select_related("organization")
    for membership in mine.order_by("organization__name"):
        others = Membership.objects.filter(
            organization=membership.organization_id, role=MemberRole.ADMINISTRATOR, user__is_active=True
        ).exclude(user=user)
        if not others.exists():
            organization = membership.organization
            link = f"/organizations/{organization.orgcode}"
            yield Blocker("sole_administrator", words % {"name": organization.name}, link)


def _open_registrations(user: User) -> Iterable[Blocker]:
    words = _("The registration of %(name)s waits for a decision: approve or refuse it first.")
    for row in Registration.objects.filter(user=user, state=RegistrationState.PENDING):
        yield Blocker("registration", words % {"name": row.organization_name}, f"/registrations/{row.pk}")


# --- organizations ----------------------------------------------------------------------------------------------------


def organization_blockers(organization: Organization) -> list[Blocker]:
    """Unions that it is in, proposals that it has to do with, and work that places are kept for."""
    return [*_unions_of(organization), *_proposals_of(organization), *_work_for(organization)]


def _unions_of(organization: Organization) -> Iterable[Blocker]:
    words = _("It is in the union %(name)s: quit it, or delete it, first.")
    places = UnionMember.objects.filter(organization=organization, state__in=LIVE_MEMBER_STATES)
    for place in places.select_related("union").order_by("union__name"):
        yield Blocker("union", words % {"name": place.union.name}, f"/unions/{place.union.unionid}")


def _proposals_of(organization: Organization) -> Iterable[Blocker]:
    open_ones = Proposal.objects.filter(state=ProposalState.OPEN)
    asked = _("It has asked for something that is still open (%(name)s): take it back, or wait for the answers.")
    for row in open_ones.filter(proposer=organization):
        yield Blocker("proposal", asked % {"name": row.subject_name}, f"/proposals/{row.pk}")
    waiting = _("Its answer is asked for (%(name)s): answer first.")
    for row in open_ones.filter(electors__organization=organization, electors__lapsed_at=None).exclude(
        proposer=organization
    ):
        yield Blocker("proposal", waiting % {"name": row.subject_name}, f"/proposals/{row.pk}")


def _work_for(organization: Organization) -> Iterable[Blocker]:
    words = _("Work that builds in its resource space is under way: wait until it has ended, or have it cancelled.")
    busy = Reservation.objects.filter(space__organization=organization).select_related("flow")
    for row in busy.exclude(flow__pk__in=Proposal.objects.filter(state=ProposalState.OPEN).values("flow")):
        yield Blocker("flow", words, f"/flows/{row.flow_id}")


# --- unions -----------------------------------------------------------------------------------------------------------


def union_blockers(union: Union) -> list[Blocker]:
    """What has to end before a union can be deleted."""
    return [*_placeholders_in(union), *_under_way_on(union)]


def _placeholders_in(union: Union) -> Iterable[Blocker]:
    words = _(
        "%(name)s is a placeholder, whose nodes nobody may take down: its organization has to claim it first, or an "
        "administrator of the console lets go of the union."
    )
    for member in union.present:
        if member.organization.is_placeholder:
            link = f"/organizations/{member.organization.orgcode}"
            yield Blocker("placeholder", words % {"name": member.organization.name}, link)


def _under_way_on(union: Union) -> Iterable[Blocker]:
    is_open = _("A proposal is open (%(kind)s, asked by %(name)s): it must be decided or taken back first.")
    carried_out = _("A proposal is being carried out (%(kind)s, asked by %(name)s): wait until that has ended.")
    for row in Proposal.objects.under_way().filter(union=union).select_related("proposer").order_by("pk"):
        words = is_open if row.state == ProposalState.OPEN else carried_out
        text = words % {"kind": row.get_kind_display(), "name": row.proposer.name}
        yield Blocker("proposal", text, f"/proposals/{row.pk}")


# --- machines ---------------------------------------------------------------------------------------------------------


def machine_blockers(space: ResourceSpace, leaving: list[Machine]) -> list[Blocker]:
    """Unions and work for whose sake machines of a node list have to stay."""
    places = UnionMember.objects.filter(organization=space.organization_id, state__in=LIVE_MEMBER_STATES)
    unions = [place.union for place in places.select_related("union").order_by("union__name")]
    work = Reservation.objects.filter(space=space, in_use=False)
    if not unions and not work.exists():
        return []
    idle = set() if work.exists() else {pk for finder in _idle_finders for pk in finder(space, leaving)}
    names = ", ".join(str(machine) for machine in leaving if machine.pk not in idle)
    if not names:
        return []
    in_use = _("%(machines)s may carry nodes of the union %(name)s: quit the union first, or keep the machine.")
    building = _("Work that may build on %(machines)s is under way: wait until it has ended, or have it cancelled.")
    found = [
        Blocker("union", in_use % {"machines": names, "name": union.name}, f"/unions/{union.unionid}")
        for union in unions
    ]
    return [*found, *(Blocker("flow", building % {"machines": names}, f"/flows/{row.flow_id}") for row in work)]
