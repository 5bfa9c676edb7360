"""Proposals and votes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from console.api.serializers import StrictSerializer
from unions.api.serializers.limits import COMMENT_LENGTH
from unions.models import Proposal, ProposalKind, ProposalState, Rule, Vote


class VoteRequest(StrictSerializer):
    """One organization's answer."""

    orgcode = serializers.CharField(max_length=40)
    agree = serializers.BooleanField()
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class WithdrawalRequest(StrictSerializer):
    """Why it is taken back; those asked read it. A withdrawal without a body is fine."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class ConsoleAnswerRequest(StrictSerializer):
    """The console's answer."""

    agree = serializers.BooleanField()
    comment = serializers.CharField(required=False, allow_blank=True, max_length=COMMENT_LENGTH, default="")


class VoteAnswer(serializers.ModelSerializer[Vote]):
    """An answer that was given."""

    orgcode = serializers.CharField(source="organization.orgcode")
    username = serializers.SerializerMethodField()

    class Meta:
        model = Vote
        fields = ["orgcode", "agree", "comment", "username", "cast_at"]

    def get_username(self, vote: Vote) -> str:
        return vote.cast_by.get_username() if vote.cast_by else ""


class ConsoleAnswer(serializers.Serializer[Any]):
    """What an administrator has said where one is asked; `agree` is null before."""

    agree = serializers.BooleanField(allow_null=True)
    comment = serializers.CharField()
    username = serializers.CharField()


class ProposalSubject(serializers.Serializer[Any]):
    """The union that a proposal is about."""

    unionid = serializers.CharField()
    name = serializers.CharField()
    oemtype = serializers.CharField()


class ProposedRule(serializers.Serializer[Any]):
    """The rule that a union shall have."""

    rule = serializers.ChoiceField(choices=Rule.choices)
    threshold = serializers.IntegerField(allow_null=True)


class ProposalAnswer(serializers.ModelSerializer[Proposal]):
    """A proposal, who has a say in it and what they said."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ProposalKind.choices)
    state = serializers.ChoiceField(choices=ProposalState.choices)
    rule = serializers.ChoiceField(choices=Rule.choices, help_text=_("As the union's was when this was asked."))
    unionid = serializers.SerializerMethodField()
    subject = serializers.SerializerMethodField()
    proposer = serializers.CharField(source="proposer.orgcode")
    concerns = serializers.SerializerMethodField(help_text=_("The organization that joins or quits."))
    electorate = serializers.SerializerMethodField(help_text=_("Who has a say; whoever leaves the union loses it."))
    waiting_for = serializers.SerializerMethodField(help_text=_("Organizations that have not answered yet."))
    votes = VoteAnswer(many=True)
    proposed_rule = serializers.SerializerMethodField(help_text=_("What the union's rule shall be; null for the rest."))
    console = serializers.SerializerMethodField(help_text=_("Null: no administrator is asked."))
    flow = serializers.SerializerMethodField()

    class Meta:
        model = Proposal
        fields = [
            "id",
            "kind",
            "state",
            "rule",
            "threshold",
            "unionid",
            "subject",
            "proposer",
            "concerns",
            "electorate",
            "waiting_for",
            "votes",
            "console",
            "comment",
            "proposed_rule",
            "opened_at",
            "expires_at",
            "reminded_at",
            "decided_at",
            "reason",
            "flow",
        ]

    def get_unionid(self, proposal: Proposal) -> str:
        return str(proposal.payload.get("unionid", "")) or (proposal.union.unionid if proposal.union else "")

    @extend_schema_field(ProposalSubject)
    def get_subject(self, proposal: Proposal) -> dict[str, str]:
        oemtype = self.context["oemtypes"].get(proposal.payload.get("platform"), "")
        return {"unionid": self.get_unionid(proposal), "name": proposal.subject_name, "oemtype": oemtype}

    @extend_schema_field(ProposedRule(allow_null=True))
    def get_proposed_rule(self, proposal: Proposal) -> dict[str, Any] | None:
        if "rule" not in proposal.payload:
            return None
        return {"rule": proposal.payload["rule"], "threshold": proposal.payload.get("threshold")}

    def get_concerns(self, proposal: Proposal) -> str | None:
        return proposal.concerns.orgcode if proposal.concerns else None

    def get_electorate(self, proposal: Proposal) -> list[str]:
        return [row.organization.orgcode for row in proposal.electors.all() if row.lapsed_at is None]

    def get_waiting_for(self, proposal: Proposal) -> list[str]:
        if proposal.state != ProposalState.OPEN:
            return []
        answered = {vote.organization_id for vote in proposal.votes.all()}
        return [
            row.organization.orgcode
            for row in proposal.electors.all()
            if row.lapsed_at is None and row.organization_id not in answered
        ]

    @extend_schema_field(ConsoleAnswer(allow_null=True))
    def get_console(self, proposal: Proposal) -> dict[str, Any] | None:
        if not proposal.console_asked:
            return None
        by = proposal.console_answered_by
        username = by.get_username() if by else ""
        return {"agree": proposal.console_agrees, "comment": proposal.console_comment, "username": username}

    def get_flow(self, proposal: Proposal) -> str | None:
        return str(proposal.flow_id) if proposal.flow_id else None
