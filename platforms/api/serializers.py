"""What the REST layer takes and gives for platforms: shapes only, no writing.

Credentials go in and never come out: an answer says `has_credentials`. Addresses, files, findings and tenants are for
administrators and auditors.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer, ToldField
from console.sentences import told
from platforms.mapping.check import Finding, Report
from platforms.mapping.template import Template
from platforms.models import Cloudtype, Health, Kernel, Platform, PlatformKind, PlatformState, PlatformVersion, Tenant
from platforms.presets import Parameter, Preset
from platforms.reads import findings_of
from platforms.services.requests import CREDENTIALS, MAX_NETWORKS
from platforms.standard import OPERATIONS

DETAILS = (
    "base_url",
    "on_prem_base_url",
    "ca_certificate",
    "has_credentials",
    "client_certificate_expires_at",
    "health_detail",
    "registered_by",
    "versions",
    "findings",
    "tenants",
)


# --- what is sent -----------------------------------------------------------------------------------------------------


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}]})
class FileField(serializers.JSONField):
    """A file: its text (YAML or JSON), or JSON as it is."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | dict):
            raise serializers.ValidationError(_("The file's text is expected, or a JSON object."))
        return data


@extend_schema_field(
    {
        "type": "object",
        "properties": {name: {"type": "string"} for name in CREDENTIALS},
        "additionalProperties": False,
        "writeOnly": True,
    }
)
class CredentialsField(serializers.JSONField):
    """What opens the platform. Which of them is needed, the mapping's `auth` says."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.JSONField):
    """A JSON object."""


class FilesRequest(StrictSerializer):
    """The files that say how a platform is spoken to."""

    api_file = FileField(help_text=_("OpenAPI 3.0, 3.1 or Swagger 2.0; YAML or JSON, at most 2 MB."))
    mapping = FileField(help_text=_("The mapping template; its JSON Schema is at `platforms/schema`."))
    samples = ObjectField(
        required=False,
        default=dict,
        help_text=_("operation → {request, answers: {step: answer or list of answers}}."),
    )


class PlatformRequest(StrictSerializer):
    """A registration."""

    oemtype = serializers.CharField(max_length=200, allow_blank=True, help_text=_("The name unions choose it by."))
    name = serializers.CharField(max_length=1000, allow_blank=True)
    kind = serializers.ChoiceField(choices=PlatformKind.choices, default=PlatformKind.MAPPED)
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices, required=False)
    kernel = serializers.ChoiceField(choices=Kernel.choices, required=False, allow_blank=True, default="")
    base_url = serializers.CharField(
        max_length=2000,
        required=False,
        allow_blank=True,
        help_text=_("Where its management plane is. Native platforms have none."),
    )
    on_prem_base_url = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text=_("Where on-prem organizations are served.")
    )
    ca_certificate = serializers.CharField(
        max_length=100_000,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text=_("PEM text: the authority of the platform's own certificate, if it is not a public one."),
    )
    credentials = CredentialsField(required=False, write_only=True)
    api_file = FileField(required=False)
    mapping = FileField(required=False)
    samples = ObjectField(required=False)
    network_ids = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=MAX_NETWORKS,
        help_text=_("Networks to take over once the platform is official."),
    )
    is_default = serializers.BooleanField(default=False)


class PlatformChanges(StrictSerializer):
    """What may change of an official platform; what is left out stays as it is."""

    name = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices, required=False)
    kernel = serializers.ChoiceField(choices=Kernel.choices, required=False, allow_blank=True)
    base_url = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    on_prem_base_url = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    ca_certificate = serializers.CharField(max_length=100_000, required=False, allow_blank=True, trim_whitespace=False)
    credentials = CredentialsField(required=False, write_only=True)
    api_file = FileField(required=False)
    mapping = FileField(required=False)
    samples = ObjectField(required=False)
    is_default = serializers.BooleanField(required=False)


class RetireRequest(StrictSerializer):
    """What becomes of what hangs on the platform; nothing is needed when nothing does."""

    hand_over_to = serializers.CharField(
        max_length=60, required=False, allow_blank=True, help_text=_("`oemtype` of the platform that takes it over.")
    )
    release = serializers.BooleanField(
        required=False, help_text=_("Let go of it: the console forgets it, on the platform it stays.")
    )


class DependantAnswer(serializers.Serializer[Any]):
    """Things of one kind that hang on a platform."""

    kind = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField(), help_text=_("A few of them."))
    link = serializers.CharField(allow_blank=True, help_text=_("The page that lists them."))


class VersionRequest(StrictSerializer):
    """Another version of the files."""

    number = serializers.IntegerField(min_value=1)


class DryRunRequest(FilesRequest):
    """An operation to run on samples."""

    operation = serializers.ChoiceField(choices=sorted(OPERATIONS))


class OperationRequest(StrictSerializer):
    """The request of an operation of the standard interface."""

    request = serializers.JSONField(required=False, default=dict)


# --- what is answered -------------------------------------------------------------------------------------------------


class FindingAnswer(serializers.Serializer[Finding]):
    """Something that a check has found."""

    level = serializers.ChoiceField(choices=["error", "warning", "note"])
    file = serializers.ChoiceField(choices=["api_file", "mapping", "samples"])
    place = serializers.CharField(help_text=_("Such as `create_network.create.body.name`."))
    line = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class FaultAnswer(serializers.Serializer[Any]):
    """What a dry run fails on."""

    place = serializers.CharField()
    text = ToldField()
    code = serializers.CharField()


class SentAnswer(serializers.Serializer[Any]):
    """A request that would be sent."""

    step = serializers.CharField()
    cred = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.JSONField(allow_null=True)


class DryRunAnswer(serializers.Serializer[Any]):
    """What an operation would do, with samples for answers."""

    operation = serializers.CharField()
    requests = SentAnswer(many=True)
    waits = serializers.ListField(child=serializers.FloatField(), help_text=_("Seconds."))
    known = serializers.DictField()
    result = serializers.JSONField(allow_null=True)
    fault = FaultAnswer(allow_null=True)


class CheckAnswer(serializers.Serializer[Report]):
    """What the check has found. With errors, the files are not accepted."""

    passed = serializers.BooleanField()
    findings = FindingAnswer(many=True)
    offers = serializers.SerializerMethodField()
    dry_runs = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_offers(self, report: Report) -> list[str]:
        return sorted(report.template.interfaces) if report.template else []

    @extend_schema_field(DryRunAnswer(many=True))
    def get_dry_runs(self, report: Report) -> Any:
        return DryRunAnswer([each.as_dict() for each in report.dry_runs.values()], many=True).data


class CapabilityAnswer(serializers.Serializer[Any]):
    """Whether an operation can be done, and if not the reason that users are told."""

    supported = serializers.BooleanField()
    reason = serializers.CharField()


class VersionBrief(serializers.Serializer[PlatformVersion]):
    """One version of a platform's files."""

    number = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)
    in_use = serializers.SerializerMethodField()

    def get_in_use(self, version: PlatformVersion) -> bool:
        return version.pk == self.context.get("version_in_use")


class VersionAnswer(VersionBrief):
    """One version with its files."""

    api_file = serializers.CharField()
    mapping = serializers.CharField()
    samples = serializers.DictField()
    findings = serializers.SerializerMethodField()

    @extend_schema_field(FindingAnswer(many=True))
    def get_findings(self, version: PlatformVersion) -> Any:
        return FindingAnswer(findings_of(version), many=True).data  # type: ignore[arg-type]


class TenantAnswer(serializers.Serializer[Tenant]):
    """A tenant that the platform reports."""

    tenantid = serializers.CharField()
    tenantname = serializers.CharField()
    projectid = serializers.CharField()
    projectname = serializers.CharField()
    read_at = serializers.DateTimeField()


class PlatformBrief(serializers.Serializer[Platform]):
    """A platform as lists show it."""

    oemtype = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=PlatformKind.choices)
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices)
    kernel = serializers.ChoiceField(choices=Kernel.choices, allow_blank=True)
    state = serializers.ChoiceField(choices=PlatformState.choices)
    reason = ToldField(help_text=_("Why it was refused."))
    is_default = serializers.BooleanField()
    health = serializers.ChoiceField(choices=Health.choices)
    health_at = serializers.DateTimeField(allow_null=True, help_text=_("When the platform was last asked."))
    version = serializers.CharField(source="platform_version", help_text=_("As the platform says."))
    certificate_expires_at = serializers.DateTimeField(
        allow_null=True, help_text=_("Of the certificate that the platform's server shows; null without https.")
    )
    organization_fields = serializers.SerializerMethodField(
        help_text=_("Field of an organization's space → what to type there; empty: the mapping does not say.")
    )
    created_at = serializers.DateTimeField()

    def get_organization_fields(self, platform: Platform) -> dict[str, str]:
        return {name: gettext(words) for name, words in platform.organization_fields.items()}


class PlatformAnswer(PlatformBrief):
    """A platform. From `base_url` on for administrators and auditors only."""

    capabilities = serializers.SerializerMethodField()
    base_url = serializers.CharField(required=False)
    on_prem_base_url = serializers.CharField(required=False)
    ca_certificate = serializers.CharField(required=False)
    has_credentials = serializers.SerializerMethodField(required=False)
    client_certificate_expires_at = serializers.DateTimeField(
        allow_null=True,
        required=False,
        help_text=_("Of the certificate that the console shows the platform; null where it shows none."),
    )
    health_detail = ToldField(required=False)
    registered_by = serializers.CharField(
        source="registered_by.username", default=None, allow_null=True, required=False
    )
    versions = VersionBrief(many=True, source="versions.all", required=False)
    findings = serializers.SerializerMethodField(required=False)
    tenants = TenantAnswer(many=True, source="tenants.all", required=False)

    @extend_schema_field(serializers.DictField(child=CapabilityAnswer()))
    def get_capabilities(self, platform: Platform) -> dict[str, Any]:
        said = {name: platform.capability(name) for name in OPERATIONS}
        return {name: {"supported": supported, "reason": reason} for name, (supported, reason) in said.items()}

    def get_has_credentials(self, platform: Platform) -> bool:
        return bool(platform.credentials)

    @extend_schema_field(FindingAnswer(many=True))
    def get_findings(self, platform: Platform) -> Any:
        return FindingAnswer(findings_of(platform.version), many=True).data  # type: ignore[arg-type]

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if not self.context.get("detailed", True):
            for name in DETAILS:
                fields.pop(name)
        return fields


class PresetParameter(serializers.Serializer[Any]):
    """A value of the mapping that a registrant fills in."""

    place = serializers.CharField(help_text=_("Its dotted place in the mapping."))
    title = serializers.SerializerMethodField()
    default = serializers.JSONField()

    def get_title(self, parameter: Parameter) -> str:
        return gettext(parameter.title)


class PresetBrief(serializers.Serializer[Any]):
    """Files for a platform that is known already."""

    name = serializers.CharField(source="slug")
    title = serializers.CharField()
    summary = serializers.SerializerMethodField()
    kernel = serializers.ChoiceField(choices=Kernel.choices, allow_blank=True)
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices)
    base_url = serializers.CharField(help_text=_("The usual address, or an example of one."))

    def get_summary(self, preset: Preset) -> str:
        return gettext(preset.summary)


class PresetQuery(serializers.Serializer[Any]):
    """Which presets are asked for."""

    kernel = serializers.ChoiceField(choices=Kernel.choices, required=False)
    cloudtype = serializers.ChoiceField(choices=Cloudtype.choices, required=False)


class PresetAnswer(PresetBrief):
    """A preset with its files: what `POST platforms` takes, once the parameters are filled in."""

    credential_fields = serializers.SerializerMethodField(
        help_text=_("Field of the platform's own credential → what it is.")
    )
    organization_fields = serializers.SerializerMethodField(
        help_text=_("Field of an organization's space → what it is.")
    )
    parameters = PresetParameter(many=True)
    capabilities = serializers.SerializerMethodField()
    api_file = serializers.CharField()
    mapping = serializers.CharField()
    samples = serializers.DictField()
    readme = serializers.CharField(help_text=_("Markdown, in English."))

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_credential_fields(self, preset: Preset) -> dict[str, str]:
        return {name: gettext(words) for name, words in preset.credentials.items()}

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_organization_fields(self, preset: Preset) -> dict[str, str]:
        return {name: gettext(words) for name, words in preset.organization.items()}

    @extend_schema_field(serializers.DictField(child=CapabilityAnswer()))
    def get_capabilities(self, preset: Preset) -> dict[str, Any]:
        offers = Template.parse(preset.mapping).offers()
        return {name: {**each, "reason": told(each["reason"])} for name, each in offers.items()}


class StartedPlatform(serializers.Serializer[Any]):
    """The registration that was started."""

    flow = serializers.CharField(help_text=_("Its progress: `GET flows/{id}`."))
    oemtype = serializers.CharField()
    state = serializers.ChoiceField(choices=PlatformState.choices)


class OperationAnswer(serializers.Serializer[Any]):
    """What the platform answered, in the words of the standard interface."""

    operation = serializers.CharField()
    answer = serializers.DictField()


class StartedUpgrade(serializers.Serializer[Any]):
    """The flow that upgrades the nodes."""

    flow = serializers.CharField()
    oemtype = serializers.CharField()


class StartedOperation(serializers.Serializer[Any]):
    """The flow that carries the operation out."""

    flow = serializers.CharField()
    operation = serializers.CharField()
