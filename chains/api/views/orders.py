"""Business chains: plan them, propose them, join, quit, delete, and change the number of nodes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains.api.order_serializers import ChainRequest, PlanAnswer, ScaleRequest, StartedChainWork
from chains.services import orders as service
from console.api.reading import parsed
from console.api.views import StartsWork
from unions.api.serializers import MoveRequest
from unions.api.views.unions import actor_of
from unions.models import Proposal

LAND_REGISTER = OpenApiExample(
    "land-register",
    summary=_("Two ledgers of a union, on the nodes of its chain"),
    request_only=True,
    value={
        "name": "Land register",
        "unionid": "union-m4n5p6q7r8",
        "creatororg": "org-a2b3c4d5e6",
        "orgs": ["org-f7g8h9j2k3"],
        "createmode": "multi_subchain",
        "blockchains": [{"name": "Parcels"}, {"name": "Mortgages", "blockspec": {"consensus": "raft"}}],
    },
)


def promised(proposal: Proposal) -> dict[str, Any]:
    """What a call that proposes something for a chain answers."""
    payload = proposal.payload
    return {
        "flow": str(proposal.flow_id),
        "proposal": str(proposal.pk),
        "chain": payload["chain"],
        "unionid": payload["unionid"],
    }


class PlanChain(APIView):
    """A plan, and nothing else."""

    @extend_schema(
        operation_id="plan_chain",
        tags=["chains"],
        request=ChainRequest,
        responses=PlanAnswer,
        examples=[LAND_REGISTER],
    )
    def post(self, request: Request) -> Response:
        """What `POST chains` would build, from the same body: spaces, nodes, blockchains, steps, and why so.

        Nothing is built, and nothing is written down.
        """
        plan = service.plan_chain(actor=actor_of(request), **parsed(ChainRequest, request))
        return Response(PlanAnswer(plan).data)


class JoinChain(StartsWork, APIView):
    """Ask to be let in."""

    @extend_schema(
        operation_id="propose_chain_join", tags=["chains"], request=MoveRequest, responses={202: StartedChainWork}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Ask to join a business chain. Everyone in it agrees first; in a union, members of it join."""
        wanted, actor = parsed(MoveRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_chain_join(actor=actor, uid=uid, **wanted)))


class QuitChain(StartsWork, APIView):
    """Leave."""

    @extend_schema(
        operation_id="propose_chain_quit", tags=["chains"], request=MoveRequest, responses={202: StartedChainWork}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Quit a business chain; the organization's nodes on it are reclaimed."""
        wanted, actor = parsed(MoveRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_chain_quit(actor=actor, uid=uid, **wanted)))


class ScaleBlockchain(StartsWork, APIView):
    """More nodes, or fewer."""

    @extend_schema(
        operation_id="propose_scaling", tags=["chains"], request=ScaleRequest, responses={202: StartedChainWork}
    )
    def post(self, request: Request, uid: str) -> Response:
        """Have so many nodes of an organization on a blockchain, and on those that share its nodes."""
        wanted, actor = parsed(ScaleRequest, request), actor_of(request)
        return self.start(request, lambda: promised(service.propose_scaling(actor=actor, blockchain_uid=uid, **wanted)))
