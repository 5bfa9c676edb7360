"""Platforms: read them, register, change and retire them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console.api.reading import parsed
from console.api.views import StartsWork
from console.errors import Missing
from console.models import User
from console.policies import require
from platforms import reads
from platforms.api.filters import PlatformFilter
from platforms.api.serializers import (
    DependantAnswer,
    PlatformAnswer,
    PlatformBrief,
    PlatformChanges,
    PlatformRequest,
    RetireRequest,
    StartedPlatform,
    VersionAnswer,
    VersionRequest,
)
from platforms.dependants import hanging_by_kind
from platforms.models import Platform
from platforms.policies import may_see_platform_details
from platforms.services import platforms as service

EXAMPLE = OpenApiExample(
    "mapped",
    summary=_("A platform with a management plane"),
    request_only=True,
    value={
        "oemtype": "acme-cloud",
        "name": "Acme Blockchain Cloud",
        "kind": "mapped",
        "cloudtype": "cloud",
        "kernel": "fabric",
        "base_url": "https://bcs.acme.example",
        "credentials": {"token": "…"},
        "api_file": "openapi: 3.0.3\npaths: …",
        "mapping": "mapping: 1\nauth: {kind: bearer}\ninterfaces: …",
        "samples": {"get_health": {"answers": {"read": {"status": 200, "body": {"state": "OK"}}}}},
    },
)


def started(registration: service.Started) -> dict[str, Any]:
    """What a registration answers."""
    platform = registration.platform
    return {"flow": str(registration.flow.pk), "oemtype": platform.oemtype, "state": platform.state}


def in_full(request: Request, oemtype: str) -> Response:
    """The platform, as much of it as the reader may see."""
    platform = reads.platform_in_full(request.user, oemtype)  # type: ignore[arg-type]
    context = {
        "detailed": bool(may_see_platform_details(request.user)),  # type: ignore[arg-type]
        "version_in_use": platform.version_id,
    }
    return Response(PlatformAnswer(platform, context=context).data)


class Platforms(StartsWork, generics.ListAPIView[Platform]):
    """The platforms, and the door for new ones."""

    serializer_class = PlatformBrief
    filterset_class = PlatformFilter
    ordering_fields = ["name", "oemtype", "created_at", "health", "state"]

    def get_queryset(self) -> QuerySet[Platform]:
        return reads.platforms(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_platforms", tags=["platforms"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Official platforms; administrators and auditors also see the staging area and the past."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="register_platform",
        tags=["platforms"],
        request=PlatformRequest,
        responses={202: StartedPlatform},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Register a platform. Its files are checked, it is asked how it is, and only then it becomes official.

        For administrators.
        """
        wanted = parsed(PlatformRequest, request)
        actor: User = request.user  # type: ignore[assignment]
        return self.start(request, lambda: started(service.register_platform(actor=actor, **wanted)))


class PlatformDetail(APIView):
    """One platform."""

    @extend_schema(operation_id="get_platform", tags=["platforms"], responses=PlatformAnswer)
    def get(self, request: Request, oemtype: str) -> Response:
        """One platform: state, health, and what it can do, with the reason for what it cannot."""
        return in_full(request, oemtype)

    @extend_schema(
        operation_id="update_platform", tags=["platforms"], request=PlatformChanges, responses=PlatformAnswer
    )
    def patch(self, request: Request, oemtype: str) -> Response:
        """Change name, addresses, credentials, certificate, default or files. Changed files become a new version.

        The files are checked before anything changes; what hangs on the platform stays. For administrators.
        """
        changes = parsed(PlatformChanges, request)
        service.update_platform(actor=request.user, oemtype=oemtype, **changes)  # type: ignore[arg-type]
        return in_full(request, oemtype)


class RetirePlatform(APIView):
    """The end of a platform's service."""

    @extend_schema(operation_id="retire_platform", tags=["platforms"], request=RetireRequest, responses=PlatformAnswer)
    def post(self, request: Request, oemtype: str) -> Response:
        """Take a platform out of service. For administrators.

        What hangs on it is handed over to another platform, or released; without either, the platform stays while
        anything hangs on it (409 `platform_in_use`). While something is being done on it, it stays as well (409
        `work_under_way`).
        """
        wanted = parsed(RetireRequest, request)
        service.retire_platform(actor=request.user, oemtype=oemtype, **wanted)  # type: ignore[arg-type]
        return in_full(request, oemtype)


class PlatformDependants(APIView):
    """What needs the platform to stay."""

    @extend_schema(
        operation_id="list_platform_dependants", tags=["platforms"], responses=DependantAnswer(many=True), filters=False
    )
    def get(self, request: Request, oemtype: str) -> Response:
        """What hangs on a platform, by kind: what to hand over or to release before it is retired."""
        platform = reads.platform_named(request.user, oemtype)  # type: ignore[arg-type]
        require(may_see_platform_details(request.user))  # type: ignore[arg-type]
        found = [
            {"kind": name, "title": each.title, "count": each.count, "names": each.names, "link": each.link}
            for name, each in hanging_by_kind(platform).items()
        ]
        return Response(DependantAnswer(found, many=True).data)


class PlatformVersionDetail(APIView):
    """One version of a platform's files."""

    @extend_schema(operation_id="get_platform_version", tags=["platforms"], responses=VersionAnswer)
    def get(self, request: Request, oemtype: str, number: int) -> Response:
        """The files of a version, and what their check has found. For administrators and auditors."""
        require(may_see_platform_details(request.user))  # type: ignore[arg-type]
        platform = reads.platform_named(request.user, oemtype)  # type: ignore[arg-type]
        version = platform.versions.select_related("created_by").filter(number=number).first()
        if version is None:
            raise Missing()
        return Response(VersionAnswer(version, context={"version_in_use": platform.version_id}).data)


class UsePlatformVersion(APIView):
    """Going back, or forward again."""

    @extend_schema(
        operation_id="use_platform_version", tags=["platforms"], request=VersionRequest, responses=PlatformAnswer
    )
    def post(self, request: Request, oemtype: str) -> Response:
        """Use another version of the files. All of them were checked when they came in. For administrators."""
        wanted = parsed(VersionRequest, request)
        service.use_version(actor=request.user, oemtype=oemtype, **wanted)  # type: ignore[arg-type]
        return in_full(request, oemtype)
