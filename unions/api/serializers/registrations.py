"""Registrations, and the rules that decide them alone."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from unions.api.serializers.limits import COMMENT_LENGTH
from unions.api.serializers.organizations import MachineSerializer, OrganizationRequest
from unions.models import Category, Registration, RegistrationRule, RegistrationState


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
