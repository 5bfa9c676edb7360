"""Reading what somebody asks for as a union, checked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from console.errors import Invalid, NotSupported
from console.models import User
from console.transactions import joins_transaction, locked_or_missing
from platforms.models import Platform
from platforms.services.requests import MAX_ID
from unions.models import MemberState, Organization, OrganizationState, Union
from unions.names import read_name
from unions.policies import fits, supports


@joins_transaction
def read_union_request(
    name: str, oemtype: str, creatororg: str, orgs: Sequence[str], *, alone: bool = False
) -> tuple[Organization, list[Organization], Platform]:
    """Creator, guests and platform; Invalid names every field that is wrong. `alone`: guests are not needed."""
    errors: dict[str, list[str]] = {}
    try:
        read_name(name)
    except Invalid as problem:
        errors.update({field: list(texts) for field, texts in problem.errors.items()})
    platform = chosen_platform(oemtype)
    if platform is None:
        errors["oemtype"] = [_no_platform(oemtype)]
    creator = Organization.objects.select_related("space").filter(orgcode=creatororg).first()
    if creator is None:
        errors["creatororg"] = [_("There is no organization of this code.")]
    codes = [code for code in dict.fromkeys(orgs) if code != creatororg]
    found = {each.orgcode: each for each in _open_organizations(codes)}
    unknown = [code for code in codes if code not in found]
    if unknown:
        errors["orgs"] = [_("Unknown organizations: %(codes)s.") % {"codes": ", ".join(map(str, unknown))}]
    elif placeholders := [each.name for each in found.values() if each.is_placeholder]:
        words = _("Nobody speaks for a placeholder, so it cannot be invited: %(names)s.")
        errors["orgs"] = [words % {"names": _(", ").join(placeholders)}]
    elif not codes and not alone:
        errors["orgs"] = [_("A union needs somebody else: invite at least one other organization.")]
    if errors or creator is None or platform is None:
        raise Invalid(_("The union has errors."), errors=errors)
    return creator, [found[code] for code in codes], platform


def _open_organizations(codes: Sequence[str]) -> QuerySet[Organization]:
    rows = Organization.objects.exclude(state=OrganizationState.CLOSED)
    return rows.select_related("space").filter(orgcode__in=codes)


def read_network_id(value: Any) -> str:
    """The id of a network that exists; empty: a new one is built. Invalid when it is none."""
    network_id = value.strip() if isinstance(value, str) else value
    if not isinstance(network_id, str) or len(network_id) > MAX_ID or (network_id and not network_id.isprintable()):
        raise Invalid.field("network_id", _("A network id is a text of 1 to 200 printable characters."))
    return network_id


def chosen_platform(oemtype: str) -> Platform | None:
    """The official platform of that name; the default one when none is named."""
    official = Platform.objects.official()
    return official.filter(oemtype=oemtype).first() if oemtype else official.filter(is_default=True).first()


def _no_platform(oemtype: str) -> str:
    if oemtype:
        return _("No platform is registered under “%(oemtype)s”.") % {"oemtype": oemtype}
    return _("There is no default platform: name one.")


@joins_transaction
def union_and_organization(actor: User, unionid: str, orgcode: str) -> tuple[Union, Organization]:
    """The union, locked, and who is to join or quit it."""
    union = locked_union(actor, unionid)
    organization = Organization.objects.select_related("space").filter(orgcode=orgcode).first()
    if organization is None:
        raise Invalid.field("orgcode", _("There is no organization of this code."))
    return union, organization


@joins_transaction
def locked_union(actor: User, unionid: str) -> Union:
    """The union by its public id; Missing when the actor does not see it."""
    return locked_or_missing(Union.objects.visible_to(actor).select_related("platform", "creator"), unionid=unionid)


def require_support(platform: Platform, *operations: str) -> None:
    """NotSupported with the reason that the platform gave when it was registered."""
    for operation in operations:
        if not (verdict := supports(platform, operation)):
            raise NotSupported(verdict.reason)


def require_place(platform: Platform, organization: Organization, field: str) -> None:
    """Invalid naming the field when nodes of the organization cannot be built on the platform."""
    verdict = fits(platform, organization)
    if not verdict:
        raise Invalid.field(field, f"{organization.name}: {verdict.reason}")


def present_members(union: Union) -> list[Organization]:
    """Who is in the union today and can answer, whoever is about to leave included; the creator first."""
    states = [MemberState.ACTIVE, MemberState.QUITTING]
    members = union.members.filter(state__in=states, organization__state=OrganizationState.REGISTERED)
    members = members.select_related("organization")
    first = union.acting_creator()
    return sorted((member.organization for member in members), key=lambda each: each.pk != first.pk)


def payload_for(platform: Platform, union: Union | None, creator: Organization, name: str) -> dict[str, Any]:
    """What every flow of this floor is given; `docs/architecture.md` lists the keys."""
    return {
        "platform": platform.pk,
        "union": union.pk if union else None,
        "unionid": union.unionid if union else "",
        "creator": creator.orgcode,
        "orgs": [],
        "member": "",
        "name": name,
    }
