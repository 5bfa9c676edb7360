"""What the REST layer takes and gives for organizations, unions and proposals: shapes only, no writing.

The field names are those of tables 1 and 2 (`orgcode`, `tenantid`, `nodelist`, `unionid`, `creatororg`, `orgs` …).
Secrets go in and never come out: an answer says `has_ak`, not `ak`.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from unions.addresses import MAX_MACHINES
from unions.models import (
    Category,
    MemberRole,
    Membership,
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
    RegistrationRule,
    RegistrationState,
    ResourceSpace,
    Rule,
    SpaceKind,
    Union,
    UnionMember,
    UnionState,
    Vote,
)
from unions.services.spaces import MAX_SECRET
from unions.services.spaces import SECRET_FIELDS as SECRETS

MAX_ORGS = 200
COMMENT_LENGTH = 2000


# --- machines, credentials, organizations ---------------------------------------------------------------------------


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
    nodelist = MachineSerializer(many=True, required=False, max_length=MAX_MACHINES)


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
    nodelist = MachineSerializer(many=True, required=False, max_length=MAX_MACHINES)


class OrganizationBrief(serializers.ModelSerializer[Organization]):
    """What everyone signed in may know of an organization."""

    class Meta:
        model = Organization
        fields = ["orgcode", "name", "category"]


class OrganizationAnswer(serializers.Serializer[Organization]):
    """Table 1. Beyond `orgcode`, `name`, `category` the fields are there for own members and administrators only."""

    orgcode = serializers.CharField()
    name = serializers.CharField()
    category = serializers.ChoiceField(choices=Category.choices)
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
        brief = {"orgcode": instance.orgcode, "name": instance.name, "category": instance.category}
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


class ResourceSpaceAnswer(serializers.ModelSerializer[ResourceSpace]):
    """Where an organization's nodes live, how many it may have and how many it has."""

    orgcode = serializers.CharField(source="organization.orgcode")
    kind = serializers.ChoiceField(choices=SpaceKind.choices)
    oemtype = serializers.SerializerMethodField()
    nodelist = MachineSerializer(many=True, source="machines.all")
    quota = serializers.SerializerMethodField()
    use = serializers.SerializerMethodField()

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
        ]

    def get_oemtype(self, space: ResourceSpace) -> str:
        return space.platform.oemtype if space.platform else ""

    @extend_schema_field({"type": "object", "properties": {"nodes": {"type": "integer"}}})
    def get_quota(self, space: ResourceSpace) -> dict[str, int]:
        return {"nodes": space.quota_nodes}

    @extend_schema_field({"type": "object", "properties": {"nodes": {"type": "integer"}}})
    def get_use(self, space: ResourceSpace) -> dict[str, int]:
        return {"nodes": self.context.get("used_nodes", {}).get(space.organization_id, 0)}


# --- registrations --------------------------------------------------------------------------------------------------


class RegistrationRequest(StrictSerializer):
    """An account and the organization that it asks for."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(write_only=True, max_length=128, trim_whitespace=False)
    email = serializers.EmailField(max_length=254)
    organization = OrganizationRequest()


class RegisteredOrganization(serializers.Serializer[Any]):
    """What was asked for, secrets left out."""

    name = serializers.CharField()
    category = serializers.ChoiceField(choices=Category.choices)
    oemtype = serializers.CharField()
    tenantid = serializers.CharField()
    projectid = serializers.CharField()
    nodelist = MachineSerializer(many=True)


class RegistrationAnswer(serializers.ModelSerializer[Registration]):
    """How far a registration is."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=RegistrationState.choices)
    orgcode = serializers.SerializerMethodField(help_text=_("Assigned on approval."))
    username = serializers.CharField(source="user.username")
    organization = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields = ["id", "state", "orgcode", "reason", "username", "organization", "created_at", "decided_at"]

    def get_orgcode(self, registration: Registration) -> str | None:
        return registration.organization.orgcode if registration.organization else None

    @extend_schema_field(RegisteredOrganization)
    def get_organization(self, registration: Registration) -> dict[str, Any]:
        details = registration.details
        return {
            "name": registration.organization_name,
            "category": registration.category,
            "oemtype": registration.platform.oemtype if registration.platform else "",
            "tenantid": registration.tenantid,
            "projectid": details.get("projectid", ""),
            "nodelist": details.get("nodelist", []),
        }


class ReasonRequest(StrictSerializer):
    """Why something is refused."""

    reason = serializers.CharField(max_length=COMMENT_LENGTH)


class RegistrationRuleSerializer(serializers.ModelSerializer[RegistrationRule]):
    """A rule for automatic approval: every field given must match."""

    id = serializers.CharField(read_only=True)
    oemtype = serializers.SerializerMethodField()

    class Meta:
        model = RegistrationRule
        fields = ["id", "name", "category", "oemtype", "email_domain", "enabled", "created_at"]

    def get_oemtype(self, rule: RegistrationRule) -> str:
        return rule.platform.oemtype if rule.platform else ""


class RegistrationRuleRequest(StrictSerializer):
    """A rule to be made; what is empty matches everything."""

    name = serializers.CharField(max_length=100)
    category = serializers.ChoiceField(choices=Category.choices, required=False, allow_blank=True)
    oemtype = serializers.CharField(required=False, allow_blank=True, max_length=60)
    email_domain = serializers.CharField(required=False, allow_blank=True, max_length=200)
    enabled = serializers.BooleanField(required=False)


# --- unions ---------------------------------------------------------------------------------------------------------


class UnionMemberAnswer(serializers.ModelSerializer[UnionMember]):
    """An organization's place in a union."""

    orgcode = serializers.CharField(source="organization.orgcode")
    name = serializers.CharField(source="organization.name")
    state = serializers.ChoiceField(choices=MemberState.choices)

    class Meta:
        model = UnionMember
        fields = ["orgcode", "name", "member_id", "state", "joined_at", "left_at"]


class UnionAnswer(serializers.ModelSerializer[Union]):
    """Table 2, with the union's state and its members' states. `orgs` leaves out who has left."""

    id = serializers.CharField()
    creatororg = serializers.CharField(source="creator.orgcode")
    oemtype = serializers.CharField(source="platform.oemtype")
    orgs = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=UnionState.choices)
    members = UnionMemberAnswer(many=True)

    class Meta:
        model = Union
        fields = [
            "id",
            "uid",
            "unionid",
            "creatororg",
            "name",
            "oemtype",
            "orgs",
            "state",
            "network_id",
            "members",
            "created_at",
            "deleted_at",
        ]

    def get_orgs(self, union: Union) -> list[str]:
        return [member.organization.orgcode for member in union.members.all() if member.state != MemberState.LEFT]


class UnionRequest(StrictSerializer):
    """A union to be proposed. `orgs` are those invited; the creator need not be named again."""

    name = serializers.CharField(max_length=200)
    oemtype = serializers.CharField(required=False, allow_blank=True, max_length=60, default="")
    creatororg = serializers.CharField(max_length=40)
    orgs = serializers.ListField(child=serializers.CharField(max_length=40), max_length=MAX_ORGS)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class MoveRequest(StrictSerializer):
    """Which organization joins or quits."""

    orgcode = serializers.CharField(max_length=40)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class DeletionRequest(StrictSerializer):
    """A word to those concerned; a deletion without a body is fine."""

    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class StartedProposal(serializers.Serializer[Any]):
    """Work has been promised: follow the flow, or the proposal that it waits for."""

    flow = serializers.CharField()
    proposal = serializers.CharField()
    unionid = serializers.CharField()


# --- proposals ------------------------------------------------------------------------------------------------------


class VoteRequest(StrictSerializer):
    """One organization's answer."""

    orgcode = serializers.CharField(max_length=40)
    agree = serializers.BooleanField()
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class VoteAnswer(serializers.ModelSerializer[Vote]):
    """An answer that was given."""

    orgcode = serializers.CharField(source="organization.orgcode")
    username = serializers.SerializerMethodField()

    class Meta:
        model = Vote
        fields = ["orgcode", "agree", "comment", "username", "cast_at"]

    def get_username(self, vote: Vote) -> str:
        return vote.cast_by.get_username() if vote.cast_by else ""


class ProposalSubject(serializers.Serializer[Any]):
    """The union that a proposal is about."""

    unionid = serializers.CharField()
    name = serializers.CharField()
    oemtype = serializers.CharField()


class ProposalAnswer(serializers.ModelSerializer[Proposal]):
    """A proposal, who has a say in it and what they said."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ProposalKind.choices)
    state = serializers.ChoiceField(choices=ProposalState.choices)
    rule = serializers.ChoiceField(choices=Rule.choices)
    unionid = serializers.SerializerMethodField()
    subject = serializers.SerializerMethodField()
    proposer = serializers.CharField(source="proposer.orgcode")
    concerns = serializers.SerializerMethodField(help_text=_("The organization that joins or quits."))
    electorate = serializers.SerializerMethodField()
    waiting_for = serializers.SerializerMethodField(help_text=_("Organizations that have not answered yet."))
    votes = VoteAnswer(many=True)
    flow = serializers.SerializerMethodField()

    class Meta:
        model = Proposal
        fields = [
            "id",
            "kind",
            "state",
            "rule",
            "unionid",
            "subject",
            "proposer",
            "concerns",
            "electorate",
            "waiting_for",
            "votes",
            "comment",
            "opened_at",
            "expires_at",
            "decided_at",
            "flow",
        ]

    def get_unionid(self, proposal: Proposal) -> str:
        return str(proposal.payload.get("unionid", "")) or (proposal.union.unionid if proposal.union else "")

    @extend_schema_field(ProposalSubject)
    def get_subject(self, proposal: Proposal) -> dict[str, str]:
        oemtype = self.context["oemtypes"].get(proposal.payload.get("platform"), "")
        return {"unionid": self.get_unionid(proposal), "name": proposal.subject_name, "oemtype": oemtype}

    def get_concerns(self, proposal: Proposal) -> str | None:
        return proposal.concerns.orgcode if proposal.concerns else None

    def get_electorate(self, proposal: Proposal) -> list[str]:
        return [elector.organization.orgcode for elector in proposal.electors.all()]

    def get_waiting_for(self, proposal: Proposal) -> list[str]:
        if proposal.state != ProposalState.OPEN:
            return []
        answered = {vote.organization_id for vote in proposal.votes.all()}
        return [row.organization.orgcode for row in proposal.electors.all() if row.organization_id not in answered]

    def get_flow(self, proposal: Proposal) -> str | None:
        return str(proposal.flow_id) if proposal.flow_id else None
