"""Unions (table 2) and what may be proposed for them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from platforms.observing import Management
from unions.api.serializers.limits import COMMENT_LENGTH, MAX_ORGS
from unions.models import MemberState, Rule, Union, UnionMember, UnionState

MANAGEMENT = _(
    "What the console may do: `managed`, or `observed` where a chain was taken over by its nodes' addresses: it is "
    "read, and no node is built or removed."
)


class UnionMemberAnswer(serializers.ModelSerializer[UnionMember]):
    """An organization's place in a union."""

    orgcode = serializers.CharField(source="organization.orgcode")
    name = serializers.CharField(source="organization.name")
    member_id = serializers.SerializerMethodField(help_text=_("For members, administrators and auditors; else null."))
    state = serializers.ChoiceField(choices=MemberState.choices)

    class Meta:
        model = UnionMember
        fields = ["orgcode", "name", "member_id", "state", "joined_at", "left_at"]

    def get_member_id(self, member: UnionMember) -> str | None:
        return member.member_id if self.context.get("inside") else None


class UnionAnswer(serializers.ModelSerializer[Union]):
    """Table 2, with the union's state and its members' states. `orgs` leaves out who has left."""

    id = serializers.CharField()
    creatororg = serializers.CharField(source="creator.orgcode")
    oemtype = serializers.CharField(source="platform.oemtype")
    orgs = serializers.SerializerMethodField()
    rule = serializers.ChoiceField(choices=Rule.choices, help_text=_("How many members must agree to what is asked."))
    state = serializers.ChoiceField(choices=UnionState.choices)
    network_id = serializers.SerializerMethodField(help_text=_("For members, administrators and auditors; else null."))
    management = serializers.ChoiceField(choices=Management.choices, help_text=MANAGEMENT)
    members = serializers.SerializerMethodField()

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
            "rule",
            "threshold",
            "state",
            "network_id",
            "management",
            "members",
            "created_at",
            "deleted_at",
        ]

    def get_network_id(self, union: Union) -> str | None:
        return union.network_id if self._inside(union) else None

    @extend_schema_field(UnionMemberAnswer(many=True))
    def get_members(self, union: Union) -> Any:
        context = {"inside": self._inside(union)}
        return UnionMemberAnswer(union.members.all(), many=True, context=context).data

    def _inside(self, union: Union) -> bool:
        """Whether the reader may know what the platform calls the union and its members."""
        return union.pk in self.context.get("inside", ())

    def get_orgs(self, union: Union) -> list[str]:
        return [member.organization.orgcode for member in union.members.all() if member.state != MemberState.LEFT]


class RuleFields(StrictSerializer):
    """How many must agree."""

    rule = serializers.ChoiceField(choices=Rule.choices, default=Rule.EVERYONE)
    threshold = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=100,
        default=None,
        help_text=_("For the rule `threshold`: the share of members that must agree, in percent."),
    )


class UnionRequest(RuleFields):
    """A union to be proposed. `orgs` are those invited; the creator need not be named again."""

    name = serializers.CharField(max_length=200)
    oemtype = serializers.CharField(required=False, allow_blank=True, max_length=60, default="")
    creatororg = serializers.CharField(max_length=40)
    orgs = serializers.ListField(child=serializers.CharField(max_length=40), max_length=MAX_ORGS)
    network_id = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        default="",
        help_text=_("A network that the creator is in already: it becomes the union, and nothing is built."),
    )
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class MoveRequest(StrictSerializer):
    """Which organization joins or quits."""

    orgcode = serializers.CharField(max_length=40)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class RuleRequest(RuleFields):
    """Another rule for a union, and which member proposes it."""

    orgcode = serializers.CharField(max_length=40)
    rule = serializers.ChoiceField(choices=Rule.choices)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class DeletionRequest(StrictSerializer):
    """A word to those concerned; a deletion without a body is fine."""

    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class ReleaseRequest(StrictSerializer):
    """Why the console lets go of a union; its members read it."""

    reason = serializers.CharField(max_length=COMMENT_LENGTH)


class StartedUnionUpgrade(serializers.Serializer[Any]):
    """The flow that upgrades the union's nodes."""

    flow = serializers.CharField()
    unionid = serializers.CharField()


class StartedProposal(serializers.Serializer[Any]):
    """Work has been promised: follow the flow, or the proposal that it waits for."""

    flow = serializers.CharField()
    proposal = serializers.CharField()
    unionid = serializers.CharField()
