"""An organization's certificates, without any key."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class CertificateAnswer(serializers.Serializer[Any]):
    """One certificate."""

    kind = serializers.SerializerMethodField(help_text=_("“client”: the organization's own; “authority”: who signed."))
    subject = serializers.CharField()
    issuer = serializers.CharField()
    serial = serializers.CharField(help_text=_("Hexadecimal."))
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    fingerprint = serializers.CharField(help_text=_("SHA-256, hexadecimal."))
    pem = serializers.CharField()

    @extend_schema_field(serializers.ChoiceField(choices=["client", "authority"]))
    def get_kind(self, row: Any) -> str:
        return "client" if row.is_own else "authority"


class CertificatesAnswer(serializers.Serializer[Any]):
    """The certificates that an organization stored, the client certificate first; in the cloud there are none."""

    orgcode = serializers.CharField()
    certificates = CertificateAnswer(many=True)
