"""Contracts: what is asked, and what is answered."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from chains.models import Contract, ContractState, ContractVersion, Severity, StopWay, UpgradeWay, VersionState
from console.api.serializers import StrictSerializer

VERBS = ("deploy", "upgrade", "stop", "delete")


@extend_schema_field(OpenApiTypes.ANY)
class AnyField(serializers.JSONField):
    """Any JSON."""


SOURCE = _("Solidity: one text, or an object of file names and texts. Imports are found among these only.")
ARTIFACT = _("Instead of sources: {abi, bytecode}, as an object or as its JSON text.")
ENTRY = _("The contract that is meant, where the sources hold several: Name, or File.sol:Name.")
ARGUMENTS = _(
    "Of the constructor; behind a proxy, of the function initialize. A list, or an object by name. Large numbers are "
    "texts."
)


class ProgramRequest(StrictSerializer):
    """A program: sources or an artifact."""

    source = AnyField(  # type: ignore[assignment]
        required=False, default=None, allow_null=True, help_text=SOURCE
    )
    artifact = AnyField(required=False, default=None, allow_null=True, help_text=ARTIFACT)
    entry = serializers.CharField(max_length=300, required=False, allow_blank=True, default="", help_text=ENTRY)
    arguments = AnyField(required=False, default=None, allow_null=True, help_text=ARGUMENTS)


class ContractRequest(ProgramRequest):
    """A contract to be."""

    blockchain = serializers.CharField(max_length=40, help_text=_("Id of the blockchain."))
    name = serializers.CharField(max_length=200)
    way = serializers.ChoiceField(choices=UpgradeWay.choices, required=False, default=UpgradeWay.NEW_VERSION)
    orgcode = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("Whose it is; needed by who speaks for several organizations on the chain."),
    )
    deploy = serializers.BooleanField(
        required=False, default=True, help_text=_("False: compile it and write it down, so that it can be examined.")
    )
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class UpgradeRequest(ProgramRequest):
    """The next version."""

    deploy = serializers.BooleanField(
        required=False, default=True, help_text=_("False: compile it and write it down, so that it can be examined.")
    )
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class CommentRequest(StrictSerializer):
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class CompileRequest(StrictSerializer):
    """Sources to look at."""

    source = AnyField(help_text=SOURCE)  # type: ignore[assignment]


class CallRequest(StrictSerializer):
    """A function of a contract, and what it is given."""

    function = serializers.CharField(
        max_length=2000, help_text=_("Its name; its signature, such as add(uint256), where there are several.")
    )
    arguments = AnyField(required=False, default=None, allow_null=True, help_text=_("A list, or an object by name."))
    orgcode = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="ContractRule")
class RuleRequest(StrictSerializer):
    """Rules for contracts that are proposed."""

    orgcode = serializers.CharField(max_length=40, help_text=_("Who proposes."))
    votes = serializers.ListField(
        child=serializers.ChoiceField(choices=VERBS), max_length=4, help_text=_("What is to need a vote.")
    )
    blocking_severity = serializers.ChoiceField(choices=Severity.choices)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class RuleAnswer(serializers.Serializer[Any]):
    """The rules for contracts in force."""

    unionid = serializers.CharField(allow_null=True)
    chain = serializers.CharField()
    votes = serializers.ListField(child=serializers.ChoiceField(choices=VERBS))
    blocking_severity = serializers.ChoiceField(choices=Severity.choices)


@extend_schema_serializer(component_name="ContractVersionAnswer")
class VersionAnswer(serializers.ModelSerializer[ContractVersion]):
    """One version of a contract."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=VersionState.choices)
    abi = serializers.SerializerMethodField()
    arguments = serializers.SerializerMethodField()
    compiler_settings = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = ContractVersion
        fields = [
            "number", "state", "entry", "compiler", "compiler_settings", "abi", "arguments", "runtime_hash", "address",
            "transaction", "sender", "created_by", "created_at", "deployed_at",
        ]  # fmt: skip

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_abi(self, row: ContractVersion) -> Any:
        return row.abi

    @extend_schema_field({"type": "array", "items": {}})
    def get_arguments(self, row: ContractVersion) -> Any:
        return row.arguments

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_compiler_settings(self, row: ContractVersion) -> Any:
        return row.compiler_settings


@extend_schema_serializer(component_name="ContractVersionDetailAnswer")
class VersionDetailAnswer(VersionAnswer):
    """A version with what it was made from."""

    sources = serializers.SerializerMethodField()

    class Meta(VersionAnswer.Meta):
        fields = [*VersionAnswer.Meta.fields, "sources", "bytecode"]

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_sources(self, row: ContractVersion) -> Any:
        return row.sources


class ContractAnswer(serializers.ModelSerializer[Contract]):
    """A contract."""

    id = serializers.CharField(source="uid")
    blockchain = serializers.CharField(source="blockchain.uid")
    chain = serializers.CharField(source="blockchain.business_chain.uid")
    orgcode = serializers.CharField(source="owner.orgcode", help_text=_("Whose it is."))
    state = serializers.ChoiceField(choices=ContractState.choices)
    stop_way = serializers.ChoiceField(choices=[("", ""), *StopWay.choices])
    version = serializers.SerializerMethodField(help_text=_("Number of the version in force."))
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = Contract
        fields = [
            "id", "name", "blockchain", "chain", "orgcode", "way", "state", "stop_way", "address", "version",
            "created_by", "created_at", "deleted_at",
        ]  # fmt: skip

    def get_version(self, row: Contract) -> int | None:
        return next((each.number for each in row.versions.all() if each.state == VersionState.RUNNING), None)


class ContractDetailAnswer(ContractAnswer):
    """A contract with the ABI in force, and its versions."""

    abi = serializers.SerializerMethodField()
    versions = VersionAnswer(many=True)

    class Meta(ContractAnswer.Meta):
        fields = [*ContractAnswer.Meta.fields, "abi", "versions"]

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_abi(self, row: Contract) -> Any:
        rows = list(row.versions.all())
        running = next((each for each in rows if each.state == VersionState.RUNNING), rows[0] if rows else None)
        return running.abi if running else []


class DiagnosticAnswer(serializers.Serializer[Any]):
    """What the compiler says; line and column count from 1 and are 0 where it names no place."""

    severity = serializers.CharField()
    file = serializers.CharField()
    line = serializers.IntegerField()
    column = serializers.IntegerField()
    kind = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class CompiledProgramAnswer(serializers.Serializer[Any]):
    entry = serializers.CharField()
    abi = serializers.ListField(child=serializers.DictField())
    bytecode = serializers.CharField()
    runtime_hash = serializers.CharField()


class CompiledAnswer(serializers.Serializer[Any]):
    """What came of the sources."""

    compiler = serializers.CharField()
    programs = CompiledProgramAnswer(many=True)
    warnings = DiagnosticAnswer(many=True)


class CallArgumentAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.CharField()
    value = AnyField()


class CalledAnswer(serializers.Serializer[Any]):
    """What a function gave back. Whole numbers are texts: JSON's numbers lose digits."""

    function = serializers.CharField(source="signature")
    results = CallArgumentAnswer(many=True)


class StartedContractWork(serializers.Serializer[Any]):
    """Work that has begun, and for which contract."""

    flow = serializers.CharField()
    contract = serializers.CharField()
    proposal = serializers.CharField(required=False)
    unionid = serializers.CharField(required=False)


class StartedRuleWork(serializers.Serializer[Any]):
    flow = serializers.CharField()
    proposal = serializers.CharField()
    chain = serializers.CharField()
    unionid = serializers.CharField()
