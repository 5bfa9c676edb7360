"""Business chains as they are asked for, planned, and moved."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chains.models import Createmode
from chains.planning import MAX_CHAINS, MAX_NODES, Plan
from console.api.serializers import StrictSerializer
from unions.api.serializers.limits import COMMENT_LENGTH, MAX_ORGS


class WantedLedger(StrictSerializer):
    """One blockchain of a business chain."""

    name = serializers.CharField(max_length=200)
    orgs = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=MAX_ORGS,
        help_text=_("Who is in it; left out: all organizations of the business chain."),
    )
    blockspec = serializers.DictField(
        required=False, help_text=_("Configuration, such as `consensus`; what the platform knows of it counts.")
    )


class ChainRequest(StrictSerializer):
    """A business chain to be planned or proposed. `createmode` alone decides what is built."""

    name = serializers.CharField(max_length=200)
    unionid = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=40,
        help_text=_("Left out: the only union that all of them are in; a private chain gets a network of its own."),
    )
    creatororg = serializers.CharField(max_length=40)
    orgs = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=MAX_ORGS,
        help_text=_("Who takes part; the creator need not be named again."),
    )
    oemtype = serializers.CharField(required=False, allow_blank=True, max_length=60, default="")
    createmode = serializers.ChoiceField(choices=Createmode.choices)
    blockchains = WantedLedger(many=True, required=False, help_text=_("Left out: one for all, named like the chain."))
    infraspec = serializers.DictField(
        required=False,
        help_text=_(
            "`nodes`: how many nodes on a chain, one number or one for each organization; `base`: the id of a "
            "blockchain of the union whose nodes are shared, or `new`. Left out: one node each, and for chains that "
            "share nodes the chain on which most of the organizations have some."
        ),
    )

    def validate_blockchains(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(value) > MAX_CHAINS:
            raise serializers.ValidationError(_("At most %(number)s blockchains at once.") % {"number": MAX_CHAINS})
        return value


class ChainProposalRequest(ChainRequest):
    """With a word to those who are asked."""

    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class ScaleRequest(StrictSerializer):
    """How many nodes an organization shall have on a blockchain."""

    orgcode = serializers.CharField(max_length=40)
    nodes = serializers.IntegerField(min_value=1, max_value=MAX_NODES)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class StartedChainWork(serializers.Serializer[Any]):
    """Work has been promised: follow the flow, or the proposal that it waits for."""

    flow = serializers.CharField()
    proposal = serializers.CharField()
    chain = serializers.CharField(help_text=_("Id of the business chain; one that is being built is there when it is."))
    unionid = serializers.CharField(help_text=_("Empty when it has no union."))


class PlannedSpace(serializers.Serializer[Any]):
    """A resource space, and what the plan takes of it."""

    orgcode = serializers.CharField()
    name = serializers.CharField()
    space = serializers.CharField(source="label")
    left = serializers.IntegerField(allow_null=True, help_text=_("Nodes that may still be built; null: no limit."))
    new_nodes = serializers.SerializerMethodField(help_text=_("Nodes that the plan builds there."))

    def get_new_nodes(self, space: Any) -> int:
        return self.context["new_nodes"].get(space.orgcode, 0)


class PlannedLedger(serializers.Serializer[Any]):
    name = serializers.CharField()
    orgs = serializers.ListField(child=serializers.CharField())
    builder = serializers.CharField()
    blockspec = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_blockspec(self, chain: Any) -> Any:
        return chain.blockspec


class PlannedPlace(serializers.Serializer[Any]):
    """A node, with the blockchains that it serves by their numbers."""

    orgcode = serializers.CharField(help_text=_("In whose space it stands."))
    chains = serializers.ListField(child=serializers.IntegerField())
    new = serializers.BooleanField()
    externalid = serializers.CharField(source="node_id", help_text=_("Its id on the platform; empty when it is new."))


class PlannedStep(serializers.Serializer[Any]):
    """One thing that the platform is asked to do."""

    name = serializers.CharField(source="key")
    operation = serializers.CharField()
    orgcode = serializers.CharField()
    blockchain = serializers.IntegerField(source="chain", allow_null=True)
    needs = serializers.ListField(child=serializers.CharField())


class PlanAnswer(serializers.Serializer[Plan]):
    """What would be built, in which order, and why so. Blockchains are counted from 0."""

    name = serializers.CharField()
    createmode = serializers.ChoiceField(choices=Createmode.choices)
    creatororg = serializers.CharField(source="creator")
    network_id = serializers.CharField(source="network", help_text=_("Empty: one is built."))
    reasons = serializers.ListField(child=serializers.CharField())
    spaces = serializers.SerializerMethodField()
    blockchains = PlannedLedger(source="chains", many=True)
    nodes = PlannedPlace(many=True)
    steps = PlannedStep(many=True)

    @extend_schema_field(PlannedSpace(many=True))
    def get_spaces(self, plan: Plan) -> Any:
        return PlannedSpace(plan.spaces, many=True, context={"new_nodes": plan.new_nodes}).data
