"""What becomes of unions, tenant spaces and registrations when their platform is retired, and of a union whose
placeholders nobody claims: the console lets go of it, and on the platform nothing is touched.

Floors above let go of what they keep of a union (`on_release`), all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.blockers import blockers_of
from console.errors import Blocked, Conflict, Invalid
from console.models import User
from console.policies import require
from console.sentences import kept
from console.services.notifications import notify
from console.transactions import joins_transaction, use_case
from platforms.models import Platform
from unions.models import (
    LIVE_MEMBER_STATES,
    Organization,
    Proposal,
    Registration,
    RegistrationRule,
    RegistrationState,
    ResourceSpace,
    Union,
    UnionState,
)
from unions.policies import may_release_union
from unions.services.placeholders import close_unneeded, lock_placeholders
from unions.services.proposals import people_of
from unions.services.union_requests import locked_union

Releaser = Callable[[Union, User], None]
_releasers: list[Releaser] = []

GONE = kept(gettext_noop("The platform %(name)s is out of service."))
HANDED_OVER = gettext_noop("The platform %(name)s is out of service; %(target)s has taken its place")
LET_GO = gettext_noop("The union %(name)s is not managed here any more")
WHY = gettext_noop("Reason: %(reason)s")
RELEASED = gettext_noop("The platform %(name)s is out of service; what was on it is not managed here any more")


def under_way(platform: Platform) -> list[str]:
    """Unions that are being built or deleted, and proposals that wait or are carried out."""
    moving = Union.objects.filter(platform=platform, state__in=[UnionState.BUILDING, UnionState.DELETING])
    asked = Proposal.objects.under_way().filter(Q(union__platform=platform) | Q(payload__platform=platform.pk))
    return [*moving.values_list("name", flat=True), *asked.values_list("subject_name", flat=True)]


@joins_transaction
def hand_over(platform: Platform, target: Platform, actor: User) -> None:
    """The target takes all of it: the same tenants and networks, served by it from now on. Conflict where it cannot."""
    spaces = ResourceSpace.objects.filter(platform=platform).select_for_update().order_by("pk")
    unions = list(_live(platform))
    _refuse_tenants(target, [space.tenantid for space in spaces if space.tenantid])
    _refuse_unions(target, unions)
    people = _concerned(platform, unions)
    spaces.update(platform=target)
    Registration.objects.filter(platform=platform, state=RegistrationState.PENDING).update(platform=target)
    RegistrationRule.objects.filter(platform=platform).update(platform=target)
    for union in unions:
        Union.objects.filter(pk=union.pk).update(platform=target)
        audit.record("unions.union.handed_over", actor=actor, target=union, before=platform.oemtype, to=target.oemtype)
    _tell(people, HANDED_OVER, platform, target=target.name)


@joins_transaction
def release(platform: Platform, actor: User) -> None:
    """Its unions end here; on the platform nothing is deleted. Who waited to be registered is told no."""
    unions = list(_live(platform))
    people = _concerned(platform, unions)
    stand_ins = lock_placeholders(Organization.objects.filter(space__platform=platform))
    for union in unions:
        _end(union)
    close_unneeded(stand_ins, actor=actor)
    for union in unions:
        audit.record("unions.union.released", actor=actor, target=union, unionid=union.unionid)
    for registration in Registration.objects.filter(platform=platform, state=RegistrationState.PENDING):
        reason = GONE % {"name": platform.name}
        registration.refuse(reason, actor)
        registration.secrets = None
        registration.save()
        audit.record("unions.registration.refused", actor=actor, target=registration, reason=reason)
        people.append(registration.user)
    _tell(people, RELEASED, platform)


def on_release(releaser: Releaser) -> None:
    """An upper floor lets go of what it keeps of a union: called inside the transaction."""
    _releasers.append(releaser)


@use_case
def release_union(*, actor: User, unionid: str, reason: str) -> Union:
    """Let go of a union with placeholders in it, by an administrator: on the platform nothing is touched.

    Nobody may take the placeholders' nodes down, so such a union cannot be deleted. Raises Missing, NotAllowed, Invalid
    naming the field, Conflict when there is no placeholder in it, Blocked while something else goes on.
    """
    union = locked_union(actor, unionid)
    require(may_release_union(actor, union))
    if not (reason := reason.strip()):
        raise Invalid.field("reason", _("Say why the console lets go of it."))
    members = [member.organization for member in union.present]
    stand_ins = lock_placeholders(Organization.objects.filter(pk__in=[each.pk for each in members]))
    if left := [each for each in blockers_of("union", union) if each.code != "placeholder"]:
        raise Blocked(left)
    _end(union)
    for releaser in _releasers:
        releaser(union, actor)
    closed = close_unneeded(stand_ins, actor=actor)
    audit.record(
        "unions.union.released",
        actor=actor,
        target=union,
        unionid=union.unionid,
        network=union.network_id,
        reason=reason,
        closed=closed,
    )
    notify(
        people_of(members),
        kind="union",
        title=LET_GO,
        body=WHY,
        parameters={"name": union.name, "reason": reason},
        link=f"/unions/{union.unionid}",
        subject=union,
    )
    return union


def _end(union: Union) -> None:
    for member in union.members.filter(state__in=LIVE_MEMBER_STATES):
        member.leave()
        member.save()
    union.begin_deleting()
    union.delete_for_good()
    union.save()


def _live(platform: Platform) -> Iterable[Union]:
    rows = Union.objects.filter(platform=platform).exclude(state=UnionState.DELETED)
    return rows.select_for_update(of=("self",)).order_by("pk")


def _refuse_tenants(target: Platform, tenantids: list[str]) -> None:
    """Each tenant has to be there, as far as the target reports its tenants, and free."""
    bound = ResourceSpace.objects.filter(platform=target, tenantid__in=tenantids).values_list("tenantid", flat=True)
    known = set(target.tenants.values_list("tenantid", flat=True))
    missing = sorted(set(tenantids) - known) if target.capability("list_tenants")[0] else []
    if bound:
        words = _("On %(target)s these tenants are bound to organizations already: %(names)s.")
        raise Conflict.field("hand_over_to", words % {"target": target.name, "names": ", ".join(bound[:10])})
    if missing:
        words = _("%(target)s does not report these tenants: %(names)s.")
        raise Conflict.field("hand_over_to", words % {"target": target.name, "names": ", ".join(missing[:10])})


def _refuse_unions(target: Platform, unions: list[Union]) -> None:
    same = Q(name_key__in=[each.name_key for each in unions]) | Q(network_id__in=[each.network_id for each in unions])
    taken = list(_live(target).filter(same).values_list("name", flat=True)[:10]) if unions else []  # type: ignore[attr-defined]
    if taken:
        words = _("On %(target)s there are unions of the same name or network: %(names)s.")
        raise Conflict.field("hand_over_to", words % {"target": target.name, "names": ", ".join(taken)})


def _concerned(platform: Platform, unions: list[Union]) -> list[User]:
    """Everybody of an organization with a tenant space there, or in one of the unions."""
    members = Q(union_members__union__in=unions, union_members__state__in=LIVE_MEMBER_STATES)
    return people_of(Organization.objects.filter(Q(space__platform=platform) | members).distinct())


def _tell(people: list[User], title: str, platform: Platform, **more: str) -> None:
    notify(people, kind="platform", title=title, parameters={"name": platform.name, **more})
