"""Drifts: where a platform and the records differ, and the ways to mend that."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from unions.api.serializers.limits import COMMENT_LENGTH
from unions.models import Drift, DriftKind, DriftState
from unions.reads import open_ways


class WayAnswer(serializers.Serializer[Any]):
    """One way to mend a difference, and whether it is open to you now."""

    name = serializers.CharField()
    title = serializers.CharField(help_text=_("In the reader's language."))
    explanation = serializers.CharField(help_text=_("In the reader's language."))
    page = serializers.CharField(help_text=_("The page that does it; empty when `mend` does."))
    asks = serializers.BooleanField(help_text=_("Those whom it touches are asked first."))
    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text=_("Why not."))


class DriftAnswer(serializers.ModelSerializer[Drift]):
    """A difference as it was seen last. `ours` is what is recorded here, `theirs` what the platform has."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=DriftKind.choices)
    title = serializers.CharField(source="get_kind_display", help_text=_("In the reader's language."))
    state = serializers.ChoiceField(choices=DriftState.choices)
    oemtype = serializers.CharField(source="platform.oemtype")
    unionid = serializers.CharField(source="union.unionid", default=None, allow_null=True)
    orgcode = serializers.CharField(source="organization.orgcode", default=None, allow_null=True)
    ours = serializers.DictField()
    theirs = serializers.DictField()
    way = serializers.CharField(help_text=_("How it was, or is being, mended."))
    proposal = serializers.CharField(source="proposal_id", allow_null=True)

    class Meta:
        model = Drift
        fields = [
            "id",
            "kind",
            "title",
            "name",
            "state",
            "oemtype",
            "unionid",
            "orgcode",
            "ours",
            "theirs",
            "way",
            "reason",
            "proposal",
            "found_at",
            "seen_at",
            "ended_at",
        ]


class DriftDetailAnswer(DriftAnswer):
    """A difference with the ways to mend it, and what is not offered."""

    ways = serializers.SerializerMethodField()
    notes = serializers.SerializerMethodField(help_text=_("What is not offered, and what to do instead."))

    class Meta(DriftAnswer.Meta):
        fields = [*DriftAnswer.Meta.fields, "ways", "notes"]

    @extend_schema_field(WayAnswer(many=True))
    def get_ways(self, drift: Drift) -> Any:
        return WayAnswer(open_ways(self.context["request"].user, drift)[0], many=True).data

    def get_notes(self, drift: Drift) -> list[str]:
        return open_ways(self.context["request"].user, drift)[1]


class MendRequest(StrictSerializer):
    """How to mend it, and a word to those who are asked."""

    way = serializers.CharField(max_length=30)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class IgnoreRequest(StrictSerializer):
    """Why it may stay as it is."""

    reason = serializers.CharField(max_length=COMMENT_LENGTH)


class StartedComparison(serializers.Serializer[Any]):
    """The comparison is under way; what it finds is listed once its flow is done."""

    flow = serializers.CharField()
