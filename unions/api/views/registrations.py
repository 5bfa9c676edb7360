"""Registering, deciding, and the rules that decide alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.views import APIView

from console.api.reading import parsed
from console.policies import may_administer, require
from unions import reads
from unions.api.filters import RegistrationFilter, RegistrationRuleFilter
from unions.api.serializers import (
    ReasonRequest,
    RegistrationAnswer,
    RegistrationRequest,
    RegistrationRuleRequest,
    RegistrationRuleSerializer,
)
from unions.models import Registration, RegistrationRule
from unions.services import registrations as service

CLOUD_EXAMPLE = OpenApiExample(
    "cloud",
    summary=_("A department in the cloud"),
    request_only=True,
    value={
        "username": "tax",
        "password": "a long password",
        "email": "clerk@tax.example.gov",
        "organization": {
            "name": "Tax Bureau",
            "category": "cloud",
            "tenantid": "tenant-1",
            "ak": "…",
            "sk": "…",
        },
    },
)
ON_PREM_EXAMPLE = OpenApiExample(
    "on_prem",
    summary=_("A department with its own machines"),
    request_only=True,
    value={
        "username": "housing",
        "password": "a long password",
        "email": "clerk@housing.example.gov",
        "organization": {
            "name": "Housing Office",
            "category": "on_prem",
            "nodelist": [{"ip": "127.0.0.11", "port": 9001}],
            "tlscert": "-----BEGIN CERTIFICATE-----…",
        },
    },
)


class Registrations(generics.ListAPIView[Registration]):
    """Whoever has no account yet asks for one here, with an organization."""

    serializer_class = RegistrationAnswer
    filterset_class = RegistrationFilter
    ordering_fields = ["created_at", "organization_name", "state"]
    throttle_scope = "registrations"

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    def get_throttles(self) -> list[BaseThrottle]:
        return [ScopedRateThrottle()] if self.request.method == "POST" else []

    def get_queryset(self) -> QuerySet[Registration]:
        return reads.registrations(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_registrations", tags=["registrations"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Registrations: all of them for administrators, one's own for everybody else."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="register",
        tags=["registrations"],
        request=RegistrationRequest,
        responses={201: RegistrationAnswer},
        examples=[CLOUD_EXAMPLE, ON_PREM_EXAMPLE],
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Ask for an account and an organization. A rule may approve it at once; otherwise an administrator decides."""
        registration = service.register(**parsed(RegistrationRequest, request))
        headers = {"Location": f"{request.path}/{registration.pk}"}
        return Response(RegistrationAnswer(registration).data, status=status.HTTP_201_CREATED, headers=headers)


class RegistrationDetail(APIView):
    """How far one registration is; for its user and for administrators."""

    @extend_schema(operation_id="get_registration", tags=["registrations"], responses=RegistrationAnswer)
    def get(self, request: Request, registration_id: int) -> Response:
        """One registration."""
        registration = reads.found(reads.registrations(request.user), pk=registration_id)  # type: ignore[arg-type]
        return Response(RegistrationAnswer(registration).data)


class ApproveRegistration(APIView):
    """Say yes."""

    @extend_schema(
        operation_id="approve_registration", tags=["registrations"], request=None, responses=RegistrationAnswer
    )
    def post(self, request: Request, registration_id: int) -> Response:
        """Approve a registration: the organization is made and bound to its resource space."""
        registration = service.approve_registration(actor=request.user, registration_id=registration_id)  # type: ignore[arg-type]
        return Response(RegistrationAnswer(registration).data)


class RefuseRegistration(APIView):
    """Say no, and why."""

    @extend_schema(
        operation_id="refuse_registration", tags=["registrations"], request=ReasonRequest, responses=RegistrationAnswer
    )
    def post(self, request: Request, registration_id: int) -> Response:
        """Refuse a registration with a reason that the applicant reads."""
        registration = service.refuse_registration(
            actor=request.user,  # type: ignore[arg-type]
            registration_id=registration_id,
            **parsed(ReasonRequest, request),
        )
        return Response(RegistrationAnswer(registration).data)


class RegistrationRules(generics.ListAPIView[RegistrationRule]):
    """Rules for automatic approval; for administrators."""

    serializer_class = RegistrationRuleSerializer
    queryset = RegistrationRule.objects.select_related("platform")
    filterset_class = RegistrationRuleFilter
    ordering_fields = ["name", "created_at"]

    @extend_schema(operation_id="list_registration_rules", tags=["registrations"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Rules by which registrations are approved without an administrator."""
        require(may_administer(request.user))
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_rule",
        tags=["registrations"],
        request=RegistrationRuleRequest,
        responses={201: RegistrationRuleSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a rule; what is left empty matches every registration."""
        rule = service.create_rule(actor=request.user, **parsed(RegistrationRuleRequest, request))  # type: ignore[arg-type]
        return Response(RegistrationRuleSerializer(rule).data, status=status.HTTP_201_CREATED)


class RegistrationRuleDetail(APIView):
    """One rule."""

    @extend_schema(
        operation_id="delete_rule", tags=["registrations"], responses={204: OpenApiResponse(description=_("Deleted."))}
    )
    def delete(self, request: Request, rule_id: int) -> Response:
        """Delete a rule; what it approved stays approved."""
        service.delete_rule(actor=request.user, rule_id=rule_id)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)
