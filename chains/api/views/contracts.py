"""Contracts: prepared, deployed, upgraded, stopped, let run again, deleted; called and sent to."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import contract_reads as reads
from chains.api.contract_serializers import (
    VERBS,
    CalledAnswer,
    CallRequest,
    CommentRequest,
    CompiledAnswer,
    CompileRequest,
    ContractAnswer,
    ContractDetailAnswer,
    ContractRequest,
    RuleAnswer,
    RuleRequest,
    StartedContractWork,
    StartedRuleWork,
    UpgradeRequest,
    VersionDetailAnswer,
)
from chains.api.filters import ContractFilter
from chains.models import BusinessChain, Contract, ContractRule
from chains.services import contract_calls, contracts
from chains.services.chain_requests import visible_chain
from chains.services.contract_requests import compile_only
from chains.services.contract_rules import propose_contract_rule
from console.api.reading import parsed
from console.api.views import StartsWork
from unions.api.views.unions import actor_of
from unions.models import Proposal
from unions.reads import found

REGISTER = OpenApiExample(
    "register",
    summary=_("A contract from one source, behind a proxy"),
    request_only=True,
    value={
        "blockchain": "bl-m4n5p6q7r8",
        "name": "Register",
        "source": "pragma solidity ^0.8.0;\ncontract Register { uint256 public number; "
        "function initialize(uint256 first) external { require(number == 0); number = first; } }",
        "arguments": ["7"],
        "way": "proxy",
    },
)


def promised(proposal: Proposal) -> dict[str, Any]:
    """What a call that asks for something answers."""
    return {
        "flow": str(proposal.flow_id),
        "proposal": str(proposal.pk),
        "contract": Contract.objects.values_list("uid", flat=True).get(pk=proposal.payload["contract"]),
        "unionid": proposal.payload["unionid"],
    }


class Contracts(StartsWork, generics.ListAPIView[Contract]):
    """All contracts on chains of one's own."""

    serializer_class = ContractAnswer
    filterset_class = ContractFilter
    ordering_fields = ["name", "created_at", "state"]

    def get_queryset(self) -> QuerySet[Contract]:
        return reads.contracts(self.request.user)  # type: ignore[arg-type]

    @extend_schema(operation_id="list_contracts", tags=["contracts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Contracts on the chains that an organization of yours is in."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="propose_deployment",
        tags=["contracts"],
        request=ContractRequest,
        responses={202: StartedContractWork, 201: ContractDetailAnswer},
        examples=[REGISTER],
    )
    def post(self, request: Request) -> Response:
        """Compile a contract and deploy it.

        Errors of the compiler come back under `source`, each with file, line and column. Where the rule of the union
        demands it, those on the chain are asked first. With open findings of a severity that the union has chosen the
        answer is 409 `blocked_by_findings`, and the contract stays prepared.
        """
        wanted, actor = parsed(ContractRequest, request), actor_of(request)
        deploy, comment = wanted.pop("deploy"), wanted.pop("comment")

        def call() -> dict[str, Any]:
            uid = contracts.prepare_contract(actor=actor, **wanted).contract.uid
            return promised(contracts.propose_deployment(actor=actor, uid=uid, comment=comment))

        if deploy:
            return self.start(request, call)
        return _prepared(actor, contracts.prepare_contract(actor=actor, **wanted))


def _prepared(actor: Any, made: contracts.Prepared) -> Response:
    row = found(reads.contract_details(actor), uid=made.contract.uid)
    return Response(ContractDetailAnswer(row).data, status=status.HTTP_201_CREATED)


class CompileContract(APIView):
    """The compiler, and nothing else."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="compile_contract", tags=["contracts"], request=CompileRequest, responses=CompiledAnswer
    )
    def post(self, request: Request) -> Response:
        """What the sources come to: every contract that could be deployed. Nothing is written down."""
        made = compile_only(**parsed(CompileRequest, request))
        body = {
            "compiler": made[0].compiler if made else "",
            "programs": made,
            "warnings": [each.as_json() for each in (made[0].warnings if made else ())],
        }
        return Response(CompiledAnswer(body).data)


class ContractDetail(StartsWork, APIView):
    """One contract."""

    @extend_schema(operation_id="get_contract", tags=["contracts"], responses=ContractDetailAnswer)
    def get(self, request: Request, uid: str) -> Response:
        """A contract with its ABI and versions."""
        return Response(ContractDetailAnswer(found(reads.contract_details(actor_of(request)), uid=uid)).data)

    @extend_schema(
        operation_id="propose_contract_deletion",
        tags=["contracts"],
        request=CommentRequest,
        responses={202: StartedContractWork},
    )
    def delete(self, request: Request, uid: str) -> Response:
        """Strike a contract from the book; the gateway refuses it. A chain cannot forget: its code stays there."""
        wanted, actor = parsed(CommentRequest, request), actor_of(request)
        return self.start(request, lambda: promised(contracts.propose_deletion(actor=actor, uid=uid, **wanted)))


class ContractVersionDetail(APIView):
    """One version."""

    @extend_schema(operation_id="get_contract_version", tags=["contracts"], responses=VersionDetailAnswer)
    def get(self, request: Request, uid: str, number: int) -> Response:
        """A version with its sources and its bytecode."""
        contract = found(reads.contract_details(actor_of(request)), uid=uid)
        return Response(VersionDetailAnswer(found(contract.versions.all(), number=number)).data)


class DeployContract(StartsWork, APIView):
    """Bring to the chain what is prepared."""

    @extend_schema(
        operation_id="propose_prepared_deployment",
        tags=["contracts"],
        request=CommentRequest,
        responses={202: StartedContractWork},
    )
    def post(self, request: Request, uid: str) -> Response:
        """Deploy a contract that was prepared, or whose deployment has failed."""
        wanted, actor = parsed(CommentRequest, request), actor_of(request)
        return self.start(request, lambda: promised(contracts.propose_deployment(actor=actor, uid=uid, **wanted)))


class UpgradeContract(StartsWork, APIView):
    """Another version."""

    @extend_schema(
        operation_id="propose_upgrade",
        tags=["contracts"],
        request=UpgradeRequest,
        responses={202: StartedContractWork, 201: ContractDetailAnswer},
    )
    def post(self, request: Request, uid: str) -> Response:
        """Put another version in force: behind the proxy with the data, or at a new address without them.

        Without sources and artifact the version that was prepared last is taken.
        """
        wanted, actor = parsed(UpgradeRequest, request), actor_of(request)
        deploy, comment = wanted.pop("deploy"), wanted.pop("comment")
        brings = bool(wanted["source"] or wanted["artifact"]) or not deploy

        def call() -> dict[str, Any]:
            if brings:
                contracts.prepare_version(actor=actor, uid=uid, **wanted)
            return promised(contracts.propose_upgrade(actor=actor, uid=uid, comment=comment))

        if deploy:
            return self.start(request, call)
        return _prepared(actor, contracts.prepare_version(actor=actor, uid=uid, **wanted))


class StopContract(StartsWork, APIView):
    """Stop it."""

    @extend_schema(
        operation_id="propose_stop", tags=["contracts"], request=CommentRequest, responses={202: StartedContractWork}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Pause a contract by its own pause(); where it has none, the gateway passes on nothing to it any more."""
        wanted, actor = parsed(CommentRequest, request), actor_of(request)
        return self.start(request, lambda: promised(contracts.propose_stop(actor=actor, uid=uid, **wanted)))


class ResumeContract(StartsWork, APIView):
    """Let it run again."""

    @extend_schema(
        operation_id="propose_resumption",
        tags=["contracts"],
        request=CommentRequest,
        responses={202: StartedContractWork},
    )
    def post(self, request: Request, uid: str) -> Response:
        """Let a stopped contract run again."""
        wanted, actor = parsed(CommentRequest, request), actor_of(request)
        return self.start(request, lambda: promised(contracts.propose_resumption(actor=actor, uid=uid, **wanted)))


class CallContract(APIView):
    """Reading."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="call_contract", tags=["contracts"], request=CallRequest, responses=CalledAnswer)
    def post(self, request: Request, uid: str) -> Response:
        """Call a function that changes nothing, at a node of your own organization. Read-only tokens may."""
        found_ = contract_calls.call_contract(actor=actor_of(request), uid=uid, **parsed(CallRequest, request))
        return Response(CalledAnswer(found_).data)


class SendToContract(StartsWork, APIView):
    """Writing."""

    @extend_schema(
        operation_id="send_to_contract", tags=["contracts"], request=CallRequest, responses={202: StartedContractWork}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Have the platform send a call that changes the chain, with your organization's account on it."""
        wanted, actor = parsed(CallRequest, request), actor_of(request)

        def call() -> dict[str, Any]:
            flow = contract_calls.send_to_contract(actor=actor, uid=uid, **wanted)
            return {"flow": str(flow.pk), "contract": uid}

        return self.start(request, call)


class ChainContractRule(StartsWork, APIView):
    """The rules for contracts."""

    @extend_schema(operation_id="get_contract_rule", tags=["contracts"], responses=RuleAnswer)
    def get(self, request: Request, uid: str) -> Response:
        """What the chain's union, or the chain where it has none, demands of contracts."""
        return Response(_rule(visible_chain(actor_of(request), uid)))

    @extend_schema(
        operation_id="propose_contract_rule",
        tags=["contracts"],
        request=RuleRequest,
        responses={202: StartedRuleWork},
    )
    def post(self, request: Request, uid: str) -> Response:
        """Propose other rules; the members of the union, or those on the chain, agree first."""
        wanted, actor = parsed(RuleRequest, request), actor_of(request)

        def call() -> dict[str, Any]:
            proposal = propose_contract_rule(actor=actor, chain=uid, **wanted)
            about = {"flow": str(proposal.flow_id), "proposal": str(proposal.pk)}
            return {**about, "chain": uid, "unionid": proposal.payload["unionid"]}

        return self.start(request, call)


def _rule(chain: BusinessChain) -> Any:
    row = ContractRule.of_chain(chain)
    return RuleAnswer(
        {
            "unionid": chain.union.unionid if chain.union else None,
            "chain": chain.uid,
            "votes": [verb for verb in VERBS if row.demands_vote(verb)],
            "blocking_severity": row.blocking_severity,
        }
    ).data
