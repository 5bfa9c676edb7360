"""An organization in the words of the standard interface: who it is, where its nodes go, what opens its space."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from console.errors import Missing
from console.secrets import Sealed
from console.sentences import kept
from platforms import standard
from platforms.drivers import credentials_of
from platforms.drivers.base import Credentials, PartyCredential
from platforms.hosts.spaces import Space
from platforms.models import Platform
from unions.models import Organization, ResourceSpace

NO_MACHINES = kept(gettext_noop("The organization %(orgcode)s has no machines."))


def party_of(organization: Organization) -> standard.Party:
    """The organization and its resource space, without secrets."""
    space = organization.space
    return standard.Party(
        orgcode=organization.orgcode,
        name=organization.name,
        category=organization.category,  # type: ignore[arg-type]
        tenantid=space.tenantid,
        tenantname=space.tenantname,
        projectid=space.projectid,
        machines=tuple(standard.Machine(ip=machine.ip, port=machine.port) for machine in space.machines.all()),
    )


def credentials_for(
    platform: Platform, *, creator: Organization | None = None, member: Organization | None = None
) -> Credentials:
    """The credential conversion: whoever calls this console, the platform sees its own kind of credential.

    Nobody has given one for a placeholder: the platform's own stands in.
    """
    return Credentials(
        platform=credentials_of(platform),
        creator=_credential(creator.space) if creator and not creator.is_placeholder else None,
        member=_credential(member.space) if member and not member.is_placeholder else None,
    )


def own_credentials(organization: Organization) -> Credentials:
    """Everything is asked as the organization itself, and so the platform shows only what it may see."""
    own = _credential(organization.space)
    return Credentials(platform=own, creator=own, member=own)


def machines_of(orgcode: str) -> Space:
    """The machines of an on-prem organization, and what opens them; Missing for one that has none."""
    space = ResourceSpace.objects.filter(organization__orgcode=orgcode).prefetch_related("machines").first()
    machines = () if space is None else tuple((machine.ip, machine.port) for machine in space.machines.all())
    if space is None or not machines:
        raise Missing(NO_MACHINES % {"orgcode": orgcode})
    return Space(orgcode, machines, _text(space.tlscert))


def _credential(space: ResourceSpace) -> PartyCredential:
    return PartyCredential(
        ak=_text(space.ak),
        sk=_text(space.sk),
        token=_text(space.token),
        tlscert=_text(space.tlscert),
        category=space.organization.category,
    )


def _text(value: Sealed | str | None) -> str:
    return value.reveal() if isinstance(value, Sealed) else value or ""
