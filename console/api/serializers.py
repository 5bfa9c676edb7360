"""What the REST layer of the ground floor takes and gives: shapes only, no writing.

`StrictSerializer` is what every floor's inputs are made of.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.models import Flow, FlowState, Step, StepLog, StepState

REASON_LENGTH = 2000  # characters


class StrictSerializer(serializers.Serializer[Any]):
    """An input that knows its fields: a misspelt one is an error, not a silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(data) - {name for name, field in self.fields.items() if not field.read_only})
            if unknown:
                raise serializers.ValidationError({str(name): [_("There is no such field.")] for name in unknown})
        return super().to_internal_value(data)


# --- flows ------------------------------------------------------------------------------------------------------------


class ErrorAnswer(serializers.Serializer[Any]):
    """Why a flow or a step did not succeed."""

    code = serializers.CharField(help_text=_("Stable: programs may rely on it."))
    detail = serializers.CharField()
    errors = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False, help_text=_("By field.")
    )


class FlowErrorAnswer(ErrorAnswer):
    """Why a flow did not succeed: at which step, and what could not be taken back."""

    step = serializers.CharField(required=False, help_text=_("Name of the step that failed."))
    undo = ErrorAnswer(required=False, help_text=_("What could not be taken back."))


class StepLogAnswer(serializers.Serializer[StepLog]):
    """One line of a step's runtime log."""

    id = serializers.CharField()
    step = serializers.CharField(source="step.name", help_text=_("Name of the step."))
    at = serializers.DateTimeField()
    message = serializers.CharField()
    data = serializers.DictField()


class StepAnswer(serializers.Serializer[Step]):
    """One step of a flow."""

    id = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField(source="title_text", help_text=_("In the reader's language."))
    state = serializers.ChoiceField(choices=StepState.choices)
    attempts = serializers.IntegerField()
    error = ErrorAnswer(allow_null=True)
    undo_error = ErrorAnswer(allow_null=True, help_text=_("Why the step could not be taken back."))
    started = serializers.DateTimeField(source="started_at", allow_null=True)
    ended = serializers.DateTimeField(source="ended_at", allow_null=True)


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


class ReasonRequest(StrictSerializer):
    """Why something is done; for the record."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=REASON_LENGTH, default="")
