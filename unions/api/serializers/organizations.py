"""Organizations and their spaces (table 1). Secrets go in and never come out: an answer says `has_ak`, not `ak`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from unions.addresses import MAX_MACHINES
from unions.api.serializers.limits import COMMENT_LENGTH
from unions.models import (
    Category,
    MemberRole,
    Membership,
    Organization,
    OrganizationState,
    ResourceSpace,
    SpaceKind,
)
from unions.quotas import MAX_QUOTA, Figures
from unions.services.spaces import MAX_SECRET
from unions.services.spaces import SECRET_FIELDS as SECRETS


class MachineSerializer(StrictSerializer):
    """One machine of an on-prem organization."""

    ip = serializers.CharField(max_length=255, help_text=_("Address of the machine: IPv4, IPv6 or a host name."))
    port = serializers.IntegerField(min_value=1, max_value=65535)


class OrganizationRequest(StrictSerializer):
    """Table 1 as an applicant fills it in: a tenant for cloud, machines and a certificate for on-prem."""

    name = serializers.CharField(max_length=200)
    category = serializers.ChoiceField(
        choices=Category.choices, required=False, help_text=_("Left out: as the platform is deployed.")
    )
    oemtype = serializers.CharField(
        required=False, allow_blank=True, max_length=60, help_text=_("Platform of the tenant; empty: the default one.")
    )
    tenantid = serializers.CharField(required=False, allow_blank=True, max_length=100)
    projectid = serializers.CharField(required=False, allow_blank=True, max_length=100)
    ak = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    sk = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    token = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    tlscert = serializers.CharField(
        required=False,
        allow_blank=True,
        write_only=True,
        trim_whitespace=False,
        max_length=100_000,
        help_text=_("PEM text: the certificate, its private key, and the authority of the machines."),
    )
    nodelist = MachineSerializer(many=True, required=False, max_length=MAX_MACHINES)  # type: ignore[call-arg]


class OrganizationChanges(StrictSerializer):
    """What may change of an organization; what is left out stays as it is."""

    name = serializers.CharField(max_length=200, required=False)
    projectid = serializers.CharField(required=False, allow_blank=True, max_length=100)
    ak = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    sk = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    token = serializers.CharField(required=False, allow_blank=True, write_only=True, max_length=MAX_SECRET)
    tlscert = serializers.CharField(
        required=False, allow_blank=True, write_only=True, trim_whitespace=False, max_length=100_000
    )
    nodelist = MachineSerializer(many=True, required=False, max_length=MAX_MACHINES)  # type: ignore[call-arg]


class OrganizationBrief(serializers.ModelSerializer[Organization]):
    """What everyone signed in may know of an organization."""

    class Meta:
        model = Organization
        fields = ["orgcode", "name", "category", "state"]


class OrganizationAnswer(serializers.Serializer[Organization]):
    """Table 1. Beyond `orgcode`, `name`, `category` and `state` the fields are there for own members and
    administrators only."""

    orgcode = serializers.CharField()
    name = serializers.CharField()
    category = serializers.ChoiceField(choices=Category.choices)
    state = serializers.ChoiceField(
        choices=OrganizationState.choices,
        help_text=_("`placeholder`: found on a platform; nobody speaks for it until it is claimed."),
    )
    oemtype = serializers.CharField(required=False)
    tenantid = serializers.CharField(required=False)
    tenantname = serializers.CharField(required=False)
    projectid = serializers.CharField(required=False)
    projectname = serializers.CharField(required=False)
    nodelist = MachineSerializer(many=True, required=False)
    has_ak = serializers.BooleanField(required=False)
    has_sk = serializers.BooleanField(required=False)
    has_token = serializers.BooleanField(required=False)
    has_tlscert = serializers.BooleanField(required=False)
    tlscert_expires_at = serializers.DateTimeField(required=False, allow_null=True)
    created_at = serializers.DateTimeField(required=False)

    def to_representation(self, instance: Organization) -> dict[str, Any]:
        """The brief shape, or the whole one when the organization's pk is in `context["detailed"]`."""
        brief = {name: getattr(instance, name) for name in ("orgcode", "name", "category", "state")}
        if instance.pk not in self.context.get("detailed", ()):
            return brief
        return {**brief, **_space_details(instance), "created_at": _iso(instance.created_at)}


def _space_details(organization: Organization) -> dict[str, Any]:
    space = getattr(organization, "space", None)
    if space is None:
        return {}
    return {
        "oemtype": space.platform.oemtype if space.platform else "",
        "tenantid": space.tenantid,
        "tenantname": space.tenantname,
        "projectid": space.projectid,
        "projectname": space.projectname,
        "nodelist": [{"ip": machine.ip, "port": machine.port} for machine in space.machines.all()],
        **{f"has_{name}": bool(getattr(space, name)) for name in SECRETS},
        "tlscert_expires_at": _iso(space.tlscert_expires_at),
    }


def _iso(moment: Any) -> str | None:
    return serializers.DateTimeField().to_representation(moment) if moment else None


class ClaimRequest(StrictSerializer):
    """Which organization the placeholder stands for, and a word to those who decide."""

    orgcode = serializers.CharField(max_length=40, help_text=_("Your organization."))
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class MembershipAnswer(serializers.ModelSerializer[Membership]):
    """A person of an organization."""

    username = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ["username", "role", "created_at"]


class MembershipRequest(StrictSerializer):
    """Whom to take in, and what they may do."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=MemberRole.choices)


class Amounts(serializers.Serializer[Any]):
    """So many nodes, and so many chains to take part in."""

    nodes = serializers.IntegerField()
    chains = serializers.IntegerField()


class QuotaAmounts(serializers.Serializer[Any]):
    """How many there may be; null: no limit."""

    nodes = serializers.IntegerField(allow_null=True)
    chains = serializers.IntegerField(allow_null=True)


class QuotaRequest(StrictSerializer):
    """What a space may hold; null: no limit. What is left out stays."""

    nodes = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=MAX_QUOTA)
    chains = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=MAX_QUOTA)


class ResourceSpaceChanges(StrictSerializer):
    """What an administrator may change of a resource space."""

    quota = QuotaRequest()


class ResourceSpaceAnswer(serializers.ModelSerializer[ResourceSpace]):
    """Where an organization's nodes live, how many it may have and how many it has."""

    orgcode = serializers.CharField(source="organization.orgcode")
    kind = serializers.ChoiceField(choices=SpaceKind.choices)
    oemtype = serializers.SerializerMethodField()
    nodelist = MachineSerializer(many=True, source="machines.all")
    quota = serializers.SerializerMethodField()
    use = serializers.SerializerMethodField()
    reserved = serializers.SerializerMethodField(help_text=_("Promised to work that is under way."))

    class Meta:
        model = ResourceSpace
        fields = [
            "orgcode",
            "kind",
            "oemtype",
            "tenantid",
            "tenantname",
            "projectid",
            "projectname",
            "nodelist",
            "tlscert_expires_at",
            "quota",
            "use",
            "reserved",
        ]

    def get_oemtype(self, space: ResourceSpace) -> str:
        return space.platform.oemtype if space.platform else ""

    @extend_schema_field(QuotaAmounts)
    def get_quota(self, space: ResourceSpace) -> dict[str, int | None]:
        return {"nodes": space.quota_nodes, "chains": space.quota_chains}

    @extend_schema_field(Amounts)
    def get_use(self, space: ResourceSpace) -> dict[str, int]:
        return asdict(self._figures(space).used)

    @extend_schema_field(Amounts)
    def get_reserved(self, space: ResourceSpace) -> dict[str, int]:
        return asdict(self._figures(space).reserved)

    def _figures(self, space: ResourceSpace) -> Figures:
        """Of a page of spaces at once, when the view has handed them in."""
        figures: Figures = self.context["figures"][space.pk]
        return figures
