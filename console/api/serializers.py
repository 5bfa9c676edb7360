"""What the REST layer of the ground floor takes and gives: shapes only, no writing.

`StrictSerializer` is what every floor's inputs are made of.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.audit import as_dict
from console.models import (
    ApiToken,
    AuditEntry,
    ConsoleRole,
    DecisionChoice,
    Flow,
    FlowState,
    Notification,
    Step,
    StepLog,
    StepState,
    User,
)
from console.reads import decision_of
from console.sentences import told

REASON_LENGTH = 2000  # characters


class StrictSerializer(serializers.Serializer[Any]):
    """An input that knows its fields: a misspelt one is an error, not a silence."""

    def to_internal_value(self, data: Any) -> Any:
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = sorted(set(data) - known) if isinstance(data, dict) else []
        faults: dict[str, Any] = {str(name): [_("There is no such field.")] for name in unknown}
        faults |= self._not_texts(data) if isinstance(data, dict) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as problem:
            raise serializers.ValidationError({**problem.detail, **faults}) from problem  # type: ignore[dict-item]
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _not_texts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Numbers where a text belongs: the framework would turn 5 into "5"."""
        texts = (name for name, field in self.fields.items() if isinstance(field, serializers.CharField))
        numbers = (name for name in texts if isinstance(data.get(name), int | float))
        return {name: [_("A text is needed.")] for name in numbers}


class ToldField(serializers.CharField):
    """A sentence that was kept, in the reader's language."""

    def to_representation(self, value: Any) -> str:
        return told(super().to_representation(value))


# --- flows ------------------------------------------------------------------------------------------------------------


class ErrorAnswer(serializers.Serializer[Any]):
    """Why a flow or a step did not succeed."""

    code = serializers.CharField(help_text=_("Stable: programs may rely on it."))
    detail = ToldField()
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text=_("By field.")
    )


class StepErrorAnswer(ErrorAnswer):
    """Which step did not succeed, and why."""

    step = serializers.CharField(required=False, help_text=_("Name of the step."))


class FlowErrorAnswer(StepErrorAnswer):
    """Why a flow did not succeed, and what could not be taken back."""

    undo = StepErrorAnswer(required=False, help_text=_("What could not be taken back."))


class StepLogAnswer(serializers.Serializer[StepLog]):
    """One line of a step's runtime log."""

    id = serializers.CharField()
    step = serializers.CharField(source="step.name", help_text=_("Name of the step."))
    at = serializers.DateTimeField()
    attempt = serializers.IntegerField(allow_null=True, help_text=_("None between two attempts."))
    undoing = serializers.BooleanField(help_text=_("Written while the step was being taken back."))
    message = ToldField()
    data = serializers.DictField()


class CandidateAnswer(serializers.Serializer[Any]):
    """A thing on the platform that may be what the step has made."""

    id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()
    created = serializers.CharField(help_text=_("ISO 8601; empty when the platform does not say."))


class DecisionAnswer(serializers.Serializer[Any]):
    """What an operator is asked, or was asked last."""

    question = ToldField()
    candidates = CandidateAnswer(many=True)
    choices = serializers.ListField(
        child=serializers.ChoiceField(choices=DecisionChoice.choices), help_text=_("Empty once it is decided.")
    )
    choice = serializers.CharField(help_text=_("What was chosen; empty until then."))
    candidate = serializers.CharField()
    by = serializers.CharField()
    asked_at = serializers.DateTimeField()


class StepAnswer(serializers.Serializer[Step]):
    """One step of a flow."""

    id = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField(source="title_text", help_text=_("In the reader's language."))
    state = serializers.ChoiceField(choices=StepState.choices)
    attempts = serializers.IntegerField(
        source="tries", help_text=_("One, and one more after each failure. Asking whether a job is through is none.")
    )
    error = ErrorAnswer(allow_null=True)
    undo_error = ErrorAnswer(allow_null=True, help_text=_("Why the step could not be taken back."))
    decision = serializers.SerializerMethodField(help_text=_("What an operator is asked; none for most steps."))
    started = serializers.DateTimeField(source="started_at", allow_null=True)
    ended = serializers.DateTimeField(source="ended_at", allow_null=True)

    @extend_schema_field(DecisionAnswer(allow_null=True))
    def get_decision(self, step: Step) -> Any:
        return DecisionAnswer(decision_of(step)).data if step.decision else None


class LoggedStepAnswer(StepAnswer):
    """One step of a flow, with its latest log lines where they were asked for."""

    log = serializers.SerializerMethodField(required=False, help_text=_("Only with `log=true`."))

    @extend_schema_field(StepLogAnswer(many=True))
    def get_log(self, step: Step) -> Any:
        return StepLogAnswer(getattr(step, "latest_log", []), many=True).data

    def to_representation(self, instance: Step) -> dict[str, Any]:
        answer = super().to_representation(instance)
        if not hasattr(instance, "latest_log"):
            answer.pop("log")
        return answer


class SubjectAnswer(serializers.Serializer[Flow]):
    """What a flow is about."""

    type = serializers.CharField(source="subject_type")
    id = serializers.CharField(source="subject_id")
    label = serializers.CharField(source="subject_label")


class ProgressAnswer(serializers.Serializer[Any]):
    """How many steps are through, of how many."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class FlowAnswer(serializers.Serializer[Flow]):
    """A flow as lists show it."""

    id = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField(source="title_text", help_text=_("In the reader's language."))
    state = serializers.ChoiceField(choices=FlowState.choices)
    undoing = serializers.BooleanField(help_text=_("What was done is being taken back, or has been."))
    needs_decision = serializers.BooleanField(help_text=_("A step asks an operator how to go on."))
    progress = ProgressAnswer()
    subject = serializers.SerializerMethodField()
    error = FlowErrorAnswer(allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    started = serializers.DateTimeField(source="created_at")
    ended = serializers.DateTimeField(source="ended_at", allow_null=True)

    @extend_schema_field(SubjectAnswer(allow_null=True))
    def get_subject(self, flow: Flow) -> Any:
        return SubjectAnswer(flow).data if flow.subject_type else None


class FlowDetailAnswer(FlowAnswer):
    """A flow with its steps."""

    steps = LoggedStepAnswer(many=True)


class FlowReadRequest(StrictSerializer):
    """How much of a flow is wanted."""

    log = serializers.BooleanField(default=False, help_text=_("Give each step its latest log lines."))


class CancelRequest(StrictSerializer):
    """Why the flow is stopped; for the record."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")


class DecideRequest(StrictSerializer):
    """How a step goes on that nobody could know about."""

    step = serializers.IntegerField(
        required=False, default=None, allow_null=True, help_text=_("Id of the step; needed when several ask.")
    )
    choice = serializers.ChoiceField(
        choices=DecisionChoice.choices,
        help_text=_(
            "`adopt`: go on with the candidate; `again`: look once more, and do it if it is not there; `give_up`: take "
            "the flow back, the candidate with it if one is named."
        ),
    )
    candidate = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class RuntimeLogAnswer(StepLogAnswer):
    """One line of the runtime log, and the flow that it belongs to."""

    flow = serializers.CharField(source="step.flow_id")
    kind = serializers.CharField(source="step.flow.kind")


# --- tokens -----------------------------------------------------------------------------------------------------------


class TokenRequest(StrictSerializer):
    """User name and password for a token."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    name = serializers.CharField(max_length=100, help_text=_("What the token is for, in your words."))
    read_only = serializers.BooleanField(default=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class TokenAnswer(serializers.Serializer[ApiToken]):
    """A token; its text is not kept."""

    id = serializers.CharField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text=_("How the text begins."))
    read_only = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class TokenCreatedAnswer(TokenAnswer):
    """A new token, with its text: it is shown this once."""

    token = serializers.CharField()


# --- people -----------------------------------------------------------------------------------------------------------


class MeAnswer(serializers.Serializer[User]):
    """Whoever asks."""

    id = serializers.CharField()
    username = serializers.CharField()
    name = serializers.CharField(source="get_full_name")
    email = serializers.CharField()
    console_role = serializers.ChoiceField(choices=ConsoleRole.choices)
    administrator = serializers.BooleanField(source="is_administrator")
    language = serializers.ChoiceField(choices=[("", _("as the browser asks for")), *settings.LANGUAGES])
    unread = serializers.SerializerMethodField(help_text=_("Notifications not read yet."))

    def get_unread(self, user: User) -> int:
        return user.notifications.filter(read_at=None).count()


class NotificationAnswer(serializers.Serializer[Notification]):
    """Something that you were told."""

    id = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField(source="title_text", help_text=_("In the reader's language."))
    body = serializers.CharField(source="body_text", help_text=_("In the reader's language."))
    link = serializers.CharField(help_text=_("The page that it is about; empty when there is none."))
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class ReadAnswer(serializers.Serializer[Any]):
    """How many notifications were unread until now."""

    read = serializers.IntegerField()


# --- audit ------------------------------------------------------------------------------------------------------------


class AuditActorAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class AuditTargetAnswer(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class AuditEntryAnswer(serializers.Serializer[AuditEntry]):
    """One entry of the audit log. `digest` is SHA-256 over the entry and the digest before it."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = AuditActorAnswer()
    target = AuditTargetAnswer()
    data = serializers.DictField()
    previous_digest = serializers.CharField()
    digest = serializers.CharField()

    def to_representation(self, instance: AuditEntry) -> dict[str, Any]:
        return as_dict(instance)


class BreakAnswer(serializers.Serializer[Any]):
    """A place where the chain does not hold."""

    number = serializers.IntegerField()
    problem = serializers.CharField()


class VerificationAnswer(serializers.Serializer[Any]):
    """Whether the audit log is as it was written."""

    ok = serializers.BooleanField()
    entries = serializers.IntegerField()
    breaks = BreakAnswer(many=True, help_text=_("The first hundred."))
