"""Certificates of an organization, for its members."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from unions.api.serializers.certificates import CertificatesAnswer
from unions.api.views.unions import actor_of
from unions.services.certificates import hand_out_certificates


class Certificates(APIView):
    """What an organization stored to open its machines, without the key."""

    @extend_schema(operation_id="get_certificates", tags=["downloads"], responses=CertificatesAnswer)
    def get(self, request: Request, orgcode: str) -> Response:
        """Your organization's own certificates as PEM, never a private key. Audited."""
        found = hand_out_certificates(actor=actor_of(request), orgcode=orgcode)
        body = CertificatesAnswer({"orgcode": orgcode, "certificates": found}).data
        return Response(body, headers={"Cache-Control": "no-store"})
