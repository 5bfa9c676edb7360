"""An organization in the words of the standard interface: who it is, where its nodes go, what opens its space."""

from __future__ import annotations

from console.secrets import Sealed
from platforms import standard
from platforms.drivers import credentials_of
from platforms.drivers.base import Credentials, PartyCredential
from platforms.models import Platform
from unions.models import Organization, ResourceSpace


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
