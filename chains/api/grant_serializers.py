"""Access grants and the gateway: what is asked, and what is answered."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chains.gateway.methods import METHODS
from chains.models import AccessGrant, Preset
from console.api.serializers import StrictSerializer


class AccessGrantRequest(StrictSerializer):
    """Who may reach which chain, by which methods and how often."""

    blockchain = serializers.CharField(max_length=40, help_text=_("Id of the blockchain."))
    orgcode = serializers.CharField(max_length=40, help_text=_("The organization whose node is asked."))
    username = serializers.CharField(
        max_length=150,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("A member of the organization; empty: all its members."),
    )
    purpose = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    preset = serializers.ChoiceField(choices=Preset.choices, required=False, default=Preset.READ)
    methods = serializers.ListField(
        child=serializers.CharField(max_length=100),
        max_length=len(METHODS),
        required=False,
        default=list,
        help_text=_("The methods allowed, with the preset “custom”."),
    )
    quota_per_day = serializers.IntegerField(min_value=1, required=False, default=10_000)
    rate_per_minute = serializers.IntegerField(min_value=1, required=False, default=120)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class AccessGrantAnswer(serializers.ModelSerializer[AccessGrant]):
    """An access grant, and how much of today's quota (UTC) is used."""

    id = serializers.CharField()
    blockchain = serializers.CharField(source="blockchain.uid")
    orgcode = serializers.CharField(source="organization.orgcode")
    username = serializers.CharField(
        source="user.username", default="", help_text=_("Empty: every member of the organization.")
    )
    methods = serializers.ListField(child=serializers.CharField())
    used_today = serializers.IntegerField(default=0)
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = AccessGrant
        fields = [
            "id", "blockchain", "orgcode", "username", "purpose", "preset", "methods", "quota_per_day",
            "rate_per_minute", "used_today", "expires_at", "revoked_at", "created_by", "created_at",
        ]  # fmt: skip


class RpcCall(serializers.Serializer[Any]):
    """A JSON-RPC 2.0 call, or a list of them."""

    jsonrpc = serializers.ChoiceField(choices=["2.0"])
    method = serializers.ChoiceField(choices=METHODS)
    params = serializers.ListField(required=False)
    id = serializers.IntegerField(help_text=_("A number or a text."))


class RpcAnswer(serializers.Serializer[Any]):
    """What the node answered: a result, or an error of the node's. To a batch, a list of these."""

    jsonrpc = serializers.ChoiceField(choices=["2.0"])
    id = serializers.IntegerField()
    result = serializers.SerializerMethodField(required=False)
    error = serializers.SerializerMethodField(required=False)

    @extend_schema_field(OpenApiTypes.ANY)
    def get_result(self, row: Any) -> Any:
        return row["result"]

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_error(self, row: Any) -> Any:
        return row["error"]
