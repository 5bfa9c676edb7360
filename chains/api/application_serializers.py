"""Applications and reports: what is asked, and what is answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chains.applications.manifest import Image, Needs
from chains.models import (
    ApplicationHealth,
    ContainerEngine,
    Finding,
    FindingSeverity,
    FindingState,
    InstallationState,
    ScanReport,
)
from chains.models.reports import WORST_FIRST
from chains.services.reports import MOST_REASON
from chains.shelves import GIVES, Shelf
from console.api.serializers import StrictSerializer


class ScanRequest(StrictSerializer):
    """Which application is to examine the contract."""

    application = serializers.CharField(max_length=40)
    version = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, default=None, help_text=_("Of the contract; the newest if none.")
    )


class AcceptRequest(StrictSerializer):
    """Why a finding is borne."""

    reason = serializers.CharField(max_length=MOST_REASON)


class StartedApplicationWork(serializers.Serializer[Any]):
    flow = serializers.CharField()
    application = serializers.CharField()


class StartedScan(serializers.Serializer[Any]):
    flow = serializers.CharField()
    report = serializers.CharField()
    contract = serializers.CharField()


class ApplicationNeeds(serializers.Serializer[Any]):
    """What it may use."""

    compiler = serializers.BooleanField()
    seconds = serializers.IntegerField()
    cpu_seconds = serializers.IntegerField()
    memory_mb = serializers.IntegerField()
    disk_mb = serializers.IntegerField()
    processes = serializers.IntegerField()
    cpus = serializers.FloatField(help_text=_("Processors; of images only."))


class ApplicationImage(serializers.Serializer[Image]):
    """A container image, and what it is held against."""

    name = serializers.CharField(source="source", help_text=_("With its registry, or the archive in the warehouse."))
    digest = serializers.CharField(help_text=_("Of the registry’s image, or of the archive’s file."))
    from_archive = serializers.BooleanField(source="archive")


class ContainerEngineAnswer(serializers.ModelSerializer[ContainerEngine]):
    """The container engine for applications that are images, as it was last seen."""

    health = serializers.ChoiceField(choices=ApplicationHealth.choices)
    checked_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = ContainerEngine
        fields = ["address", "health", "problem", "host", "version", "cpus", "memory", "checked_at"]


class ApplicationAnswer(serializers.Serializer[Shelf]):
    """An application: what the warehouse has, and what is installed."""

    name = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField(help_text=_("In the language of the request."))
    version = serializers.CharField(help_text=_("Of the warehouse; empty when it is not offered any more."))
    publisher = serializers.CharField(source="said.publisher")
    licence = serializers.CharField(source="said.licence")
    homepage = serializers.CharField(source="said.homepage")
    gives = serializers.ListField(child=serializers.ChoiceField(choices=list(GIVES)))
    needs = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField(
        help_text=_("Of what is installed, or else offered; null for packages, which run on the console’s machines.")
    )
    state = serializers.ChoiceField(choices=InstallationState.choices)
    installed_version = serializers.SerializerMethodField()
    upgrade_available = serializers.BooleanField(source="newer")
    health = serializers.SerializerMethodField()
    tool_version = serializers.CharField(source="installation.tool_version", default="")
    checked_at = serializers.DateTimeField(source="installation.checked_at", default=None, allow_null=True)

    @extend_schema_field(ApplicationNeeds)
    def get_needs(self, shelf: Shelf) -> Any:
        return asdict(Needs(**shelf.said.get("needs", {})))

    @extend_schema_field(ApplicationImage(allow_null=True))
    def get_image(self, shelf: Shelf) -> Any:
        return None if shelf.image is None else ApplicationImage(shelf.image).data

    def get_installed_version(self, shelf: Shelf) -> str:
        return shelf.installation.version if shelf.installation and shelf.there else ""

    @extend_schema_field(serializers.ChoiceField(choices=ApplicationHealth.choices))
    def get_health(self, shelf: Shelf) -> str:
        return str(shelf.installation.health) if shelf.installation else ApplicationHealth.UNKNOWN


class ScanFindingAnswer(serializers.ModelSerializer[Finding]):
    """Something that an application has found."""

    id = serializers.CharField()
    severity = serializers.ChoiceField(choices=FindingSeverity.choices)
    state = serializers.ChoiceField(choices=FindingState.choices)
    place = serializers.SerializerMethodField()
    accepted_by = serializers.CharField(source="accepted_by.username", default=None, allow_null=True)

    class Meta:
        model = Finding
        fields = [
            "id", "rule", "severity", "title", "text", "advice", "counterexample", "place", "state", "reason",
            "accepted_by", "accepted_at",
        ]  # fmt: skip

    @extend_schema_field(
        {
            "type": "object",
            "properties": {
                "file": {"type": "string"},
                "line": {"type": ["integer", "null"]},
                "column": {"type": ["integer", "null"]},
                "function": {"type": "string"},
            },
        }
    )
    def get_place(self, row: Finding) -> Any:
        return {"file": row.file, "line": row.line, "column": row.column, "function": row.function}


class ProofAnswer(serializers.Serializer[Any]):
    """What was to be proved."""

    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["proved", "refuted", "unknown"])
    note = serializers.CharField(required=False)


class ScanReportAnswer(serializers.ModelSerializer[ScanReport]):
    """What an application has reported of a version of a contract."""

    id = serializers.CharField()
    contract = serializers.CharField(source="version.contract.uid")
    version = serializers.IntegerField(source="version.number", help_text=_("Of the contract."))
    checks = ProofAnswer(many=True)
    findings = ScanFindingAnswer(many=True)
    examined = serializers.BooleanField(
        help_text=_("False: it had nothing to prove, so it says nothing, and the rule for contracts does not count it.")
    )
    open = serializers.SerializerMethodField(help_text=_("How many findings nobody has accepted, by severity."))
    flow = serializers.CharField(source="flow_id", allow_null=True)
    started_by = serializers.CharField(source="started_by.username", default=None, allow_null=True)

    class Meta:
        model = ScanReport
        fields = [
            "id", "contract", "version", "application", "application_version", "tool", "state", "problem", "summary",
            "examined", "checks", "open", "findings", "seconds", "flow", "started_by", "created_at", "ended_at",
        ]  # fmt: skip

    @extend_schema_field({"type": "object", "properties": {name: {"type": "integer"} for name in WORST_FIRST}})
    def get_open(self, row: ScanReport) -> Any:
        return {name: getattr(row, f"open_{name}") for name in WORST_FIRST}
