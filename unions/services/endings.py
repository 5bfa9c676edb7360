"""What becomes of unions, tenant spaces and registrations when their platform is retired."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.errors import Conflict
from console.models import User
from console.sentences import kept
from console.services.notifications import notify
from console.transactions import joins_transaction
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
from unions.services.proposals import people_of

GONE = kept(gettext_noop("The platform %(name)s is out of service."))
HANDED_OVER = gettext_noop("The platform %(name)s is out of service; %(target)s has taken its place")
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
    for union in unions:
        for member in union.members.filter(state__in=LIVE_MEMBER_STATES):
            member.leave()
            member.save()
        union.begin_deleting()
        union.delete_for_good()
        union.save()
        audit.record("unions.union.released", actor=actor, target=union, unionid=union.unionid)
    for registration in Registration.objects.filter(platform=platform, state=RegistrationState.PENDING):
        reason = GONE % {"name": platform.name}
        registration.refuse(reason, actor)
        registration.secrets = None
        registration.save()
        audit.record("unions.registration.refused", actor=actor, target=registration, reason=reason)
        people.append(registration.user)
    _tell(people, RELEASED, platform)


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
