"""Connection files of a chain, for the caller's own organization."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.downloads import PARTS, texts, zip_answer
from chains.services.downloads import ConnectionFiles, hand_out_sdk
from console.api.reading import parsed_query
from console.errors import Missing
from unions.api.views.unions import actor_of


class SdkQuery(serializers.Serializer[Any]):
    """Which part, and for which organization."""

    part = serializers.ChoiceField(
        choices=sorted(PARTS),
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Only this file, as JSON; left out: a zip."),
    )
    orgcode = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("One of your organizations; left out: the first by name on this chain."),
    )


class ZipNegotiated(JSONRenderer):
    """Lets a caller ask for a zip by name; problems are answered as JSON all the same."""

    media_type = "application/zip"
    format = "zip"


class Sdk(APIView):
    """Connection profile, address book, and examples that run."""

    renderer_classes = [JSONRenderer, ZipNegotiated]

    @extend_schema(
        operation_id="get_sdk",
        tags=["downloads"],
        parameters=[SdkQuery],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, uid: str) -> HttpResponseBase:
        """What an application of your own organization needs to reach the chain; a zip, or one part of it. Audited.

        An organization that is not in the chain has none (409).
        """
        wanted = parsed_query(SdkQuery, request)
        files = hand_out_sdk(actor=actor_of(request), uid=uid, **wanted)
        return _part(files, wanted["part"]) if wanted["part"] else zip_answer(files)


def _part(files: ConnectionFiles, part: str) -> Response:
    name = PARTS[part]
    text = texts(files).get(name)
    if text is None:
        raise Missing(_("There are no examples for this chain: the gateway does not serve it."))
    body = json.loads(text) if name.endswith(".json") else {"name": name, "text": text}
    return Response(body, headers={"Cache-Control": "no-store"})
