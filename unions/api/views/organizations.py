"""Organizations, their people and their resource spaces."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.api.views import StartsWork
from console.models import User
from console.policies import require
from unions import reads
from unions.api.filters import MembershipFilter, OrganizationFilter, ResourceSpaceFilter
from unions.api.serializers import (
    ClaimRequest,
    MembershipAnswer,
    MembershipRequest,
    OrganizationAnswer,
    OrganizationChanges,
    ResourceSpaceAnswer,
    ResourceSpaceChanges,
    StartedProposal,
)
from unions.models import Membership, Organization, ResourceSpace
from unions.policies import may_see_organization_details
from unions.quotas import figures_of
from unions.services import organizations as service
from unions.services import placeholders, quotas


def described(actor: User, rows: list[Organization], *, many: bool = True) -> Any:
    """Organizations as the actor may see them: whole, or the name only."""
    context = {"detailed": reads.detailed_ids(actor, rows)}
    if many:
        return OrganizationAnswer(rows, many=True, context=context).data  # type: ignore[arg-type]
    return OrganizationAnswer(rows[0], context=context).data


class Organizations(generics.ListAPIView[Organization]):
    """Who takes part."""

    serializer_class = OrganizationAnswer
    filterset_class = OrganizationFilter
    ordering_fields = ["name", "created_at", "category"]

    def get_queryset(self) -> QuerySet[Organization]:
        return reads.organizations(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_organizations", tags=["organizations"])
    def get(self, request: Request) -> Response:
        """Organizations: code, name and category; the whole of table 1 for one's own and for administrators."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(described(request.user, list(page or [])))  # type: ignore[arg-type]


class OrganizationDetail(APIView):
    """One organization."""

    @extend_schema(operation_id="get_organization", tags=["organizations"], responses=OrganizationAnswer)
    def get(self, request: Request, orgcode: str) -> Response:
        """One organization; details for its members and for administrators."""
        organization = reads.found(reads.organizations(request.user), orgcode=orgcode)  # type: ignore[arg-type]
        return Response(described(request.user, [organization], many=False))  # type: ignore[arg-type]

    @extend_schema(
        operation_id="update_organization",
        tags=["organizations"],
        request=OrganizationChanges,
        responses=OrganizationAnswer,
        examples=[OpenApiExample("key", summary=_("A new key pair"), request_only=True, value={"ak": "…", "sk": "…"})],
    )
    def patch(self, request: Request, orgcode: str) -> Response:
        """Change name, credentials or machines. Credentials are taken and never given back."""
        changes = parsed(OrganizationChanges, request, partial=True)
        service.update_organization(actor=request.user, orgcode=orgcode, changes=changes)  # type: ignore[arg-type]
        return self.get(request, orgcode)

    @extend_schema(
        operation_id="close_organization",
        tags=["organizations"],
        responses={204: OpenApiResponse(description=_("Closed."))},
    )
    def delete(self, request: Request, orgcode: str) -> Response:
        """Close an organization: its space is free again, its people are out of it; what it did stays on record.

        409 with `blockers` while it is in a union, or has work or answers open.
        """
        service.close_organization(actor=request.user, orgcode=orgcode)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)


class ClaimPlaceholder(StartsWork, APIView):
    """A placeholder and who it is."""

    @extend_schema(
        operation_id="propose_claim", tags=["organizations"], request=ClaimRequest, responses={202: StartedProposal}
    )
    def post(self, request: Request, orgcode: str) -> Response:
        """Say that the placeholder stands for your organization. The members of its unions decide.

        Where none of them can answer an administrator does. Then its places and nodes are your organization's.
        """
        wanted = parsed(ClaimRequest, request)
        actor: User = request.user  # type: ignore[assignment]

        def propose() -> dict[str, Any]:
            proposal = placeholders.propose_claim(actor=actor, placeholder=orgcode, **wanted)
            return {"flow": str(proposal.flow_id), "proposal": str(proposal.pk), "unionid": proposal.payload["unionid"]}

        return self.start(request, propose)


class Members(generics.ListAPIView[Membership]):
    """The people of an organization."""

    serializer_class = MembershipAnswer
    filterset_class = MembershipFilter
    ordering_fields = ["user__username", "role", "created_at"]
    ordering = ["user__username"]

    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        user = cast(User, self.request.user)
        organization = reads.found(Organization.objects.visible_to(user), orgcode=self.kwargs["orgcode"])
        require(may_see_organization_details(user, organization))
        return Membership.objects.filter(organization=organization).select_related("user").order_by("user__username")

    @extend_schema(operation_id="list_members", tags=["organizations"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Members and their roles; for the organization's own members and for administrators."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="add_member",
        tags=["organizations"],
        request=MembershipRequest,
        responses={201: MembershipAnswer},
    )
    def post(self, request: Request, orgcode: str) -> Response:
        """Give a user a role in the organization, or another one."""
        membership = service.add_member(actor=request.user, orgcode=orgcode, **parsed(MembershipRequest, request))  # type: ignore[arg-type]
        return Response(MembershipAnswer(membership).data, status=status.HTTP_201_CREATED)


class MemberDetail(APIView):
    """One person of an organization."""

    @extend_schema(
        operation_id="remove_member",
        tags=["organizations"],
        responses={204: OpenApiResponse(description=_("Removed."))},
    )
    def delete(self, request: Request, orgcode: str, username: str) -> Response:
        """Take a user's role in the organization away."""
        service.remove_member(actor=request.user, orgcode=orgcode, username=username)  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResourceSpaces(generics.ListAPIView[ResourceSpace]):
    """Where nodes live, how many there may be and how many there are."""

    serializer_class = ResourceSpaceAnswer
    filterset_class = ResourceSpaceFilter
    ordering_fields = ["organization__name", "quota_nodes", "quota_chains"]

    def get_queryset(self) -> QuerySet[ResourceSpace]:
        return reads.spaces(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_resource_spaces", tags=["organizations"])
    def get(self, request: Request) -> Response:
        """Resource spaces with quota and use: all of them for administrators, one's own for everybody else."""
        rows = list(self.paginate_queryset(self.filter_queryset(self.get_queryset())) or [])
        answers = ResourceSpaceAnswer(rows, many=True, context={"figures": figures_of(rows)}).data
        return self.get_paginated_response(answers)


class ResourceSpaceDetail(APIView):
    """One organization's space."""

    @extend_schema(operation_id="get_resource_space", tags=["organizations"], responses=ResourceSpaceAnswer)
    def get(self, request: Request, orgcode: str) -> Response:
        """What the space of an organization may hold, holds, and has been promised."""
        space = reads.found(reads.spaces(request.user), organization__orgcode=orgcode)  # type: ignore[arg-type]
        return Response(ResourceSpaceAnswer(space, context={"figures": figures_of([space])}).data)

    @extend_schema(
        operation_id="set_quota",
        tags=["organizations"],
        request=ResourceSpaceChanges,
        responses=ResourceSpaceAnswer,
        examples=[
            OpenApiExample("more", summary=_("More nodes"), request_only=True, value={"quota": {"nodes": 40}}),
            OpenApiExample("no-limit", summary=_("No limit"), request_only=True, value={"quota": {"nodes": None}}),
        ],
    )
    def patch(self, request: Request, orgcode: str) -> Response:
        """Change what the space may hold; for administrators. Less than it holds now only stops what is new."""
        quota = parsed(ResourceSpaceChanges, request)["quota"]
        quotas.set_quota(actor=request.user, orgcode=orgcode, changes=quota)  # type: ignore[arg-type]
        return self.get(request, orgcode)
