"""Take-overs: what is asked, and what became of each network."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chains.models import NetworkVerdict, TakeOver, TakeOverNetwork
from console.api.serializers import StrictSerializer, ToldField
from console.sentences import told
from platforms.observing import Management
from platforms.services.requests import MAX_NETWORKS
from unions.api.serializers import MANAGEMENT
from unions.matching import KnownBy


class TakeOverRequest(StrictSerializer):
    """Which networks; none named means all that the platform lists."""

    network_ids = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, default=list, max_length=MAX_NETWORKS
    )
    dry_run = serializers.BooleanField(required=False, default=False, help_text=_("Only show what would be created."))


class StartedTakeOver(serializers.Serializer[Any]):
    """Work has been promised: follow the flow, read the result at `take-overs/{take_over}`."""

    flow = serializers.CharField()
    take_over = serializers.CharField()
    oemtype = serializers.CharField()
    dry_run = serializers.BooleanField()


class PlannedMember(serializers.Serializer[Any]):
    """A member of a network, and who it is here."""

    name = serializers.CharField()
    tenantid = serializers.CharField()
    member_ids = serializers.ListField(child=serializers.CharField())
    orgcode = serializers.CharField(help_text=_("Empty: unknown; a placeholder stands for it."))
    known_by = serializers.ChoiceField(choices=KnownBy.choices)


class PlannedChain(serializers.Serializer[Any]):
    """A chain of a network."""

    chain_id = serializers.CharField()
    name = serializers.CharField()
    nodes = serializers.IntegerField()


class NetworkPlan(serializers.Serializer[Any]):
    """What is created of a network, or would be; and what the platform does not tell."""

    name = serializers.CharField(help_text=_("Name of the union."))
    members = PlannedMember(many=True)
    chains = PlannedChain(many=True)
    missing = serializers.ListField(child=serializers.CharField())


class TakeOverNetworkAnswer(serializers.ModelSerializer[TakeOverNetwork]):
    """One network."""

    verdict = serializers.ChoiceField(choices=NetworkVerdict.choices)
    reason = ToldField(help_text=_("Why it cannot be taken over."))
    unionid = serializers.CharField(source="union.unionid", default=None, allow_null=True)
    management = serializers.ChoiceField(choices=Management.choices, help_text=MANAGEMENT)
    plan = serializers.SerializerMethodField()

    class Meta:
        model = TakeOverNetwork
        fields = ["network_id", "name", "verdict", "reason", "unionid", "management", "plan"]

    @extend_schema_field(NetworkPlan(allow_null=True))
    def get_plan(self, row: TakeOverNetwork) -> dict[str, Any] | None:
        return {**row.plan, "missing": [told(each) for each in row.plan["missing"]]} if row.plan else None


class TakeOverBrief(serializers.ModelSerializer[TakeOver]):
    """A take-over."""

    id = serializers.CharField()
    oemtype = serializers.CharField(source="platform.oemtype")
    flow = serializers.CharField(source="flow_id", allow_null=True)
    state = serializers.CharField(source="flow.state", default="", help_text=_("Of its flow."))

    class Meta:
        model = TakeOver
        fields = ["id", "oemtype", "flow", "state", "network_ids", "dry_run", "left_out", "created_at"]


class TakeOverAnswer(TakeOverBrief):
    """A take-over with its networks."""

    networks = TakeOverNetworkAnswer(many=True)

    class Meta(TakeOverBrief.Meta):
        fields = [*TakeOverBrief.Meta.fields, "networks"]
