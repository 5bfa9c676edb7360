"""Placeholders: made for members of networks that nobody here is known to be, and handed over to who they are.

Floors above hand over what they keep of an organization (`on_hand_over`), all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from console import audit
from console.blockers import blockers_of
from console.errors import Conflict, Invalid, Missing
from console.models import User
from console.policies import require
from console.services.notifications import notify
from console.transactions import joins_transaction, use_case
from platforms.models import Cloudtype, Platform, Tenant
from unions.codes import new_code
from unions.models import (
    LIVE_MEMBER_STATES,
    Category,
    MemberState,
    Organization,
    OrganizationState,
    Proposal,
    ProposalKind,
    ResourceSpace,
    SpaceKind,
    Union,
    UnionMember,
)
from unions.names import MAX_NAME, key_of, plain_name
from unions.policies import may_propose_claim
from unions.services import proposals

Mover = Callable[[Organization, Organization], None]
_movers: list[Mover] = []


def on_hand_over(mover: Mover) -> None:
    """An upper floor moves what it keeps: called with the placeholder and its claimant, inside the transaction."""
    _movers.append(mover)


# --- making -----------------------------------------------------------------------------------------------------------


@joins_transaction
def placeholder_for(*, platform: Platform, name: str, tenantid: str, key: str) -> Organization:
    """The placeholder of a tenant on the platform, which there is once; without a tenant always a new one.

    A name alone is no proof that two members are one. `key` tells placeholders of one name apart.
    """
    if tenantid:
        spaces = ResourceSpace.objects.filter(kind=SpaceKind.FOUND, platform=platform, tenantid=tenantid)
        if (space := spaces.select_related("organization").first()) is not None:
            return space.organization
    tenant = Tenant.objects.filter(platform=platform, tenantid=tenantid).first() if tenantid else None
    tenantname = tenant.tenantname if tenant else ""
    cloud = bool(tenantid) or platform.cloudtype != Cloudtype.ON_PREM
    code = new_code("org")
    organization = Organization.objects.create(
        orgcode=code,
        name=_free_name(plain_name(name) or tenantname or key or code, tenantid or key, code),
        category=Category.CLOUD if cloud else Category.ON_PREM,
        state=OrganizationState.PLACEHOLDER,
    )
    ResourceSpace.objects.create(
        organization=organization,
        kind=SpaceKind.FOUND,
        platform=platform,
        tenantid=tenantid,
        tenantname=tenantname,
        quota_nodes=0,
    )
    return organization


def _free_name(base: str, key: str, code: str) -> str:
    """`base [key]`: never the name under which the rightful organization may want to register."""
    for mark in (f" [{key[:60]}]", f" [{code}]"):
        name = base[: MAX_NAME - len(mark)] + mark
        if not Organization.objects.filter(name_key=key_of(name)).exists():
            return name
    raise Conflict(_("There is an organization of this name already."))


@joins_transaction
def drop_unused(organization_ids: Collection[int]) -> None:
    """Placeholders that are in no union are of no use: their union was taken back."""
    unused = Organization.objects.filter(pk__in=organization_ids, state=OrganizationState.PLACEHOLDER)
    unused.filter(union_members=None, created_unions=None).delete()


@joins_transaction
def lock_placeholders(organizations: QuerySet[Organization]) -> list[int]:
    """The placeholders among them, held still: spaces first, as everywhere."""
    ids = list(organizations.filter(state=OrganizationState.PLACEHOLDER).values_list("pk", flat=True))
    list(ResourceSpace.objects.filter(organization__in=ids).select_for_update(of=("self",)).order_by("pk"))
    rows = Organization.objects.filter(pk__in=ids, state=OrganizationState.PLACEHOLDER)
    return [row.pk for row in rows.select_for_update(of=("self",)).order_by("pk")]


@joins_transaction
def close_unneeded(organization_ids: Collection[int], *, actor: User) -> list[str]:
    """End the placeholders that are in no union any more; their rows stay, for the history of those unions."""
    closed = []
    for row in Organization.objects.filter(pk__in=organization_ids).select_related("space").order_by("pk"):
        if blockers_of("organization", row) or _is_claimed(row):
            continue
        row.space.release()
        row.space.save()
        row.state = OrganizationState.CLOSED
        row.save()
        closed.append(row)
    for row in closed:
        audit.record("unions.organization.closed", actor=actor, target=row, orgcode=row.orgcode)
    return [row.orgcode for row in closed]


def _is_claimed(placeholder: Organization) -> bool:
    """Somebody has asked for its place, and that is not settled."""
    return Proposal.objects.under_way().filter(subject_key=_claim_of(placeholder)).exists()


def _claim_of(placeholder: Organization) -> str:
    return f"claim:{placeholder.orgcode}"


# --- claiming ---------------------------------------------------------------------------------------------------------


@use_case
def propose_claim(*, actor: User, placeholder: str, orgcode: str, comment: str = "") -> Proposal:
    """Say that a placeholder stands for one's organization. The other members of its unions decide.

    A union in which nobody else can answer is decided for by an administrator. Raises Missing, Invalid naming the
    field, NotAllowed, Conflict when the platform names another tenant or somebody has claimed it already.
    """
    places = UnionMember.objects.filter(organization__orgcode=placeholder, state__in=LIVE_MEMBER_STATES)
    its_unions = Union.objects.filter(pk__in=places.values("union"))
    unions = list(its_unions.select_for_update(of=("self",), no_key=True).order_by("pk"))  # nobody lets go of one now
    both = Organization.objects.visible_to(actor).select_related("space").filter(orgcode__in=[placeholder, orgcode])
    rows = {each.orgcode: each for each in both.select_for_update(of=("self",)).order_by("pk")}  # neither is closed now
    row, claimant = rows.get(placeholder), rows.get(orgcode)
    if row is None:
        raise Missing()
    if claimant is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    require(may_propose_claim(actor, row, claimant))
    asked = [_others(union, claimant) for union in unions]
    only = unions[0] if len(unions) == 1 else None
    found = row.space
    return proposals.open_proposal(
        actor=actor,
        kind=ProposalKind.CLAIM,
        subject_key=_claim_of(row),
        subject_name=row.name,
        proposer=claimant,
        electorate=list({each.pk: each for others in asked for each in others}.values()),
        payload={
            "platform": found.platform_id,
            "union": only.pk if only else None,
            "unionid": only.unionid if only else "",
            "creator": claimant.orgcode,
            "orgs": [],
            "member": claimant.orgcode,
            "name": row.name,
            "placeholder": row.orgcode,
            "tenantid": found.tenantid,  # equal to the claimant's; empty: nothing to compare
        },
        union=only,
        comment=comment,
        console_asked=not unions or not all(asked),
    )


def _others(union: Union, claimant: Organization) -> list[Organization]:
    """Who can answer in the union, beside the claimant itself."""
    states = [MemberState.ACTIVE, MemberState.QUITTING]
    members = union.members.filter(state__in=states, organization__state=OrganizationState.REGISTERED)
    return [each.organization for each in members.exclude(organization=claimant).select_related("organization")]


@joins_transaction
def hand_over(*, placeholder: str, orgcode: str, actor: User | None) -> Organization:
    """The placeholder's places and nodes become the claimant's; the placeholder is gone. Conflict if it was before."""
    rows = Organization.objects.filter(orgcode__in=[placeholder, orgcode]).select_for_update().order_by("pk")
    by_code = {row.orgcode: row for row in rows}
    old, new = by_code.get(placeholder), by_code.get(orgcode)
    if old is None or new is None or not old.is_placeholder or new.is_closed:
        raise Conflict(gettext_noop("The placeholder is not there any more."))
    unions = list(Union.objects.filter(members__organization=old).distinct().order_by("pk"))
    for union in unions:
        _move_place(union, old, new)
    Union.objects.filter(creator=old).update(creator=new)
    for mover in _movers:
        mover(old, new)
    old.delete()
    live = [union for union in unions if union.members.filter(organization=new, state=MemberState.ACTIVE).exists()]
    for union in live:
        proposals.member_came(union=union, organization=new)
    codes = [union.unionid for union in unions]
    audit.record("unions.placeholder.claimed", actor=actor, target=new, placeholder=placeholder, unionids=codes)
    _tell(new, old.name, unions)
    return new


def _move_place(union: Union, old: Organization, new: Organization) -> None:
    """The place in one union; where the claimant has one of its own already, that one stays."""
    own = union.members.filter(organization=new, state__in=LIVE_MEMBER_STATES).first()
    for member in union.members.select_for_update(of=("self",)).filter(organization=old):
        if own is None or member.state == MemberState.LEFT:
            UnionMember.objects.filter(pk=member.pk).update(organization=new)
            continue
        if not own.member_id:
            UnionMember.objects.filter(pk=own.pk).update(member_id=member.member_id)
        member.delete()


def _tell(organization: Organization, name: str, unions: list[Union]) -> None:
    fellows = Organization.objects.filter(union_members__union__in=unions, union_members__state__in=LIVE_MEMBER_STATES)
    notify(
        proposals.people_of({each.pk: each for each in [organization, *fellows]}.values()),
        kind="union",
        title=gettext_noop("%(organization)s has taken the place of the placeholder %(name)s"),
        parameters={"organization": organization.name, "name": name},
        link=f"/organizations/{organization.orgcode}",
        subject=organization,
    )
