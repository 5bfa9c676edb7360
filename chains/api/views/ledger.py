"""The ledger of a blockchain, from the rows that the observers keep fresh."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chains import reads
from chains.api.filters import BlockFilter, ReorganisationFilter, TransactionFilter
from chains.api.pagination import LedgerPages
from chains.api.serializers import (
    BlockAnswer,
    BlockDetailAnswer,
    LedgerAnswer,
    MonitoringAnswer,
    MonitoringQuery,
    ReorganisationAnswer,
    StatisticsAnswer,
    StatisticsQuery,
    TransactionAnswer,
    TransactionDetailAnswer,
)
from chains.decoding import explain
from chains.ledgerwords import left_with_its_branch
from chains.models import Block, Blockchain, Reorganisation, Transaction
from chains.services import ledger
from console.errors import Missing
from unions.api.views.unions import actor_of
from unions.reads import found

HEAD = OpenApiExample(
    "head",
    summary=gettext_lazy("A chain that is being read"),
    response_only=True,
    value={
        "blockchain": "chain-a2b3c4d5e6",
        "height": 4711,
        "block_hash": "0x671ec6ef29a1d04b2c1f0f2f7f1c2a53d4f2c27c6a3b7d6d0b9d2b8c8cca0e11",
        "block_time": "2026-11-24T07:41:46Z",
        "transactions": 9321,
        "nodes": 3,
        "indexed_height": 4711,
        "indexed_from": 0,
        "indexed_up_to": 4711,
        "behind": 0,
        "read_at": "2026-11-24T07:41:48.120000Z",
        "read_error": "",
        "stale": False,
    },
)


class OfBlockchain(APIView):
    """Something about the blockchain in the address."""

    @cached_property
    def blockchain(self) -> Blockchain:
        rows = reads.with_position(Blockchain.objects.visible_to(self.request.user))  # type: ignore[arg-type]
        return found(rows, uid=self.kwargs["uid"])

    @property
    def standing(self) -> reads.Standing:
        return reads.standing_of(self.blockchain)

    def in_words(self, transaction: Transaction) -> Transaction:
        """With what the answer shows beside the row: the ledger's standing, and what the row says."""
        row: Any = transaction
        said = explain(actor_of(self.request), row)
        row.ledger, row.deployed, row.logs, row.call = self.standing, said.created, said.logs, None
        if said.call is not None and said.contract is not None:
            about = {"contract": said.contract.uid, "contract_name": said.contract.name}
            row.call = {**about, **said.call.as_json()}
        return transaction

    def not_read(self, text: str) -> Missing:
        """It may be on the ledger, but it is not among what has been read."""
        height = self.blockchain.indexed_height  # type: ignore[attr-defined]
        known = _("Blocks up to %(height)s have been read.") % {"height": height}
        return Missing(f"{text} {_('Nothing has been read yet.') if height is None else known}")


class Ledger(OfBlockchain):
    """The head."""

    @extend_schema(operation_id="get_ledger", tags=["ledger"], responses=LedgerAnswer, examples=[HEAD])
    def get(self, request: Request, uid: str) -> Response:
        """Height, newest block, number of transactions, and when that was read."""
        return Response(LedgerAnswer(self.blockchain).data)


class LedgerList(OfBlockchain, generics.ListAPIView[Any]):
    """A part of a ledger, newest first, in slices by key."""

    pagination_class = LedgerPages
    key_fields: ClassVar[tuple[str, ...]] = ("height", "index")
    query_parameters: ClassVar[tuple[str, ...]] = ("cursor",)

    def sources(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        """Query sets that together are the list."""
        return [rows]


class Blocks(LedgerList):
    """Blocks, newest first."""

    serializer_class = BlockAnswer
    key_fields = ("height",)
    filterset_class = BlockFilter
    ordering_fields = ["height"]

    def get_queryset(self) -> QuerySet[Block]:
        if getattr(self, "swagger_fake_view", False):
            return Block.objects.none()
        return Block.objects.filter(blockchain=self.blockchain)

    @extend_schema(operation_id="list_blocks", tags=["ledger"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Blocks that have been read, newest first."""
        return super().get(request, *args, **kwargs)


class BlockDetail(OfBlockchain):
    """One block."""

    @extend_schema(operation_id="get_block", tags=["ledger"], responses=BlockDetailAnswer)
    def get(self, request: Request, uid: str, height: int) -> Response:
        """One block. Its transactions: `…/transactions?height=`."""
        block = Block.objects.filter(blockchain=self.blockchain, height=height).first()
        if block is None:
            raise self.not_read(_("There is no block of this height among those that have been read."))
        block.ledger = self.standing  # type: ignore[attr-defined]
        return Response(BlockDetailAnswer(block).data)


class Transactions(LedgerList):
    """Transactions, newest first."""

    query_parameters = ("cursor", "address")

    serializer_class = TransactionAnswer
    filterset_class = TransactionFilter
    ordering_fields = ["height"]

    def get_queryset(self) -> QuerySet[Transaction]:
        if getattr(self, "swagger_fake_view", False):
            return Transaction.objects.none()
        return Transaction.objects.filter(blockchain=self.blockchain).defer("input", "extrainfo")

    def sources(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        address = self.request.query_params.get("address", "").strip()
        return reads.touching(rows, address) if address else [rows]

    @extend_schema(
        operation_id="list_transactions",
        tags=["ledger"],
        parameters=[OpenApiParameter("address", str, description="Sender, recipient, or the contract that was made.")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Transactions that have been read, newest first."""
        return super().get(request, *args, **kwargs)


class TransactionDetail(OfBlockchain):
    """One transaction."""

    @extend_schema(operation_id="get_transaction", tags=["ledger"], responses=TransactionDetailAnswer)
    def get(self, request: Request, uid: str, hash: str) -> Response:
        """One transaction with what it carries, in the words of the contracts that are known on the chain."""
        rows = Transaction.objects.filter(blockchain=self.blockchain, hash__in=reads.spellings(hash))
        transaction = rows.select_related("blockchain__business_chain__platform").first()
        if transaction is None:
            if (lost := reads.dropped(self.blockchain, hash)) is not None:
                raise Missing(left_with_its_branch(lost), code="dropped")
            raise self.not_read(_("There is no transaction of this hash among those that have been read."))
        return Response(TransactionDetailAnswer(self.in_words(transaction)).data)


class TransactionDetails(OfBlockchain):
    """What only a whole transaction tells, where it was left for later."""

    @extend_schema(
        operation_id="want_transaction_details", tags=["ledger"], request=None, responses={200: TransactionDetailAnswer}
    )
    def post(self, request: Request, uid: str, hash: str) -> Response:
        """Have value, input and nonce read next; ask again until `details` is `read` or `refused`.

        No flow is started: an observer reads what is marked before anything else.
        """
        transaction = ledger.want_details(actor=request.user, uid=uid, tx_hash=hash)  # type: ignore[arg-type]
        return Response(TransactionDetailAnswer(self.in_words(transaction)).data)


class Statistics(OfBlockchain):
    """How much happened, by hours or days."""

    @extend_schema(
        operation_id="get_statistics", tags=["ledger"], parameters=[StatisticsQuery], responses=StatisticsAnswer
    )
    def get(self, request: Request, uid: str) -> Response:
        """Blocks, transactions and failed transactions of each hour or day, as far as the ledger was counted."""
        asked = StatisticsQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows, tally = reads.statistics(self.blockchain, **asked.validated_data)
        answer = {
            **asked.validated_data,
            "blockchain": uid,
            "counted_up_to": tally.counted_to if tally else None,
            "counted_at": tally.counted_at if tally else None,
            "ledger": self.standing,
            "results": rows,
        }
        return Response(StatisticsAnswer(answer).data)


class Reorganisations(OfBlockchain, generics.ListAPIView[Reorganisation]):
    """Where the chain has left a branch."""

    serializer_class = ReorganisationAnswer
    filterset_class = ReorganisationFilter
    ordering_fields = ["found_at", "from_height", "blocks"]

    def get_queryset(self) -> QuerySet[Reorganisation]:
        if getattr(self, "swagger_fake_view", False):
            return Reorganisation.objects.none()
        return reads.reorganisations(self.blockchain)

    @extend_schema(operation_id="list_reorganisations", tags=["ledger"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """When stored blocks turned out not to be the chain's any more, newest first."""
        return super().get(request, *args, **kwargs)


class Monitoring(OfBlockchain):
    """Figures over time."""

    @extend_schema(
        operation_id="get_monitoring", tags=["ledger"], parameters=[MonitoringQuery], responses=MonitoringAnswer
    )
    def get(self, request: Request, uid: str) -> Response:
        """Figures of the platform's monitoring; with them transactions per minute and seconds per block."""
        asked = MonitoringQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        minutes, name = asked.validated_data["minutes"], asked.validated_data["name"]
        since = timezone.now() - timedelta(minutes=minutes)
        series = [
            each for each in reads.ledger_series(self.blockchain, minutes=minutes) if name in ("", each.name)
        ] + reads.sample_series(self.blockchain, since=since, name=name)
        shown = [
            {"name": each.name, "unit": each.unit, "points": [{"at": at, "value": value} for at, value in each.points]}
            for each in series
        ]
        answer = {"blockchain": uid, "read_at": self.blockchain.details_read_at, "since": since, "series": shown}
        return Response(MonitoringAnswer(answer).data)
