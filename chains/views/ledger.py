"""Pages of a ledger: blocks, transactions, one of each, and finding them by height or hash."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from chains import reads
from chains.decoding import explain
from chains.keyset import END, Cursor, KeyedList
from chains.ledgerwords import left_with_its_branch
from chains.models import Block, DroppedTransaction, Reorganisation, Transaction, TransactionStatus
from chains.models import TransactionDetails as Details
from chains.services import ledger
from chains.views.chains import OfBlockchain
from console.errors import Missing
from console.views.base import DetailPage, ListPage
from unions.reads import found

MAX_DIGITS = 18
TRANSACTIONS_ON_BLOCK = 25


class LedgerList(OfBlockchain, ListPage):
    """Newest first, in slices by key: a page costs the same however long the ledger is."""

    key_fields: ClassVar[tuple[str, ...]] = ("height", "index")

    def sources(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        """Query sets that together are the list."""
        return [rows]

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        """The slice that the address asks for; a cursor that is none is the beginning."""
        listed, asked = KeyedList(self.sources(queryset), self.key_fields), self.request.GET.get("cursor", "")
        part = listed.last(page_size) if asked == END else listed.slice(page_size, Cursor.read(asked))
        return None, part, part.rows, bool(part.earlier or part.later)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        query = self.request.GET.copy()
        query.pop("cursor", None)
        return context | {
            "blockchain": self.blockchain,
            "standing": reads.standing_of(self.blockchain),
            "query": query.urlencode(),
            "live": context["page_obj"].is_first,
        }


class BlockList(LedgerList):
    """All blocks that have been read, newest first."""

    template_name = "chains/block_list.html"
    partial_name = "chains/_block_table.html"
    key_fields = ("height",)

    def get_queryset(self) -> QuerySet[Block]:
        return Block.objects.filter(blockchain=self.blockchain)


class TransactionList(LedgerList):
    """All transactions that have been read, newest first."""

    template_name = "chains/transaction_list.html"
    partial_name = "chains/_transaction_table.html"
    filters = {"status": TransactionStatus}

    @property
    def address(self) -> str:
        return self.request.GET.get("address", "").strip()

    def get_queryset(self) -> QuerySet[Transaction]:
        return self.narrowed(Transaction.objects.filter(blockchain=self.blockchain)).defer("input", "extrainfo")

    def sources(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        return reads.touching(rows, self.address) if self.address else [rows]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"address": self.address, "narrowed": context["narrowed"] or bool(self.address)}


class BlockDetail(OfBlockchain, DetailPage):
    """One block and what is in it."""

    template_name = "chains/block_detail.html"
    context_object_name = "shown"  # `block` is a word of the template language

    def get_object(self, queryset: Any = None) -> Block:
        block = Block.objects.filter(blockchain=self.blockchain, height=self.kwargs["height"]).first()
        if block is None:
            raise Missing(_("This block has not been read, or is kept no longer."))
        return block

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        block: Block = context["shown"]
        near = Block.objects.filter(blockchain=self.blockchain, height__in=[block.height - 1, block.height + 1])
        heights = set(near.values_list("height", flat=True))
        rows = Transaction.objects.filter(blockchain=self.blockchain, height=block.height).order_by("index")
        page = Paginator(rows.defer("input", "extrainfo"), TRANSACTIONS_ON_BLOCK)
        return context | {
            "blockchain": self.blockchain,
            "standing": reads.standing_of(self.blockchain),
            "page_obj": page.get_page(self.request.GET.get("page")),
            "earlier": block.height - 1 if block.height - 1 in heights else None,
            "later": block.height + 1 if block.height + 1 in heights else None,
        }


class TransactionDetail(OfBlockchain, DetailPage):
    """One transaction and what it carries."""

    template_name = "chains/transaction_detail.html"
    context_object_name = "transaction"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What left with its branch has a page that says so, and is missing all the same."""
        try:
            return super().get(request, *args, **kwargs)
        except Missing:
            if self.dropped is None:
                raise
        context = {"blockchain": self.blockchain, "standing": reads.standing_of(self.blockchain)}
        about = {"dropped": self.dropped, "sentence": left_with_its_branch(self.dropped)}
        return render(request, "chains/transaction_dropped.html", context | about, status=404)

    @cached_property
    def dropped(self) -> DroppedTransaction | None:
        return reads.dropped(self.blockchain, self.kwargs["hash"])

    def get_object(self, queryset: Any = None) -> Transaction:
        rows = Transaction.objects.filter(blockchain=self.blockchain, hash__in=reads.spellings(self.kwargs["hash"]))
        row = rows.select_related("blockchain__business_chain__platform").first()
        if row is None:
            raise Missing(_("This transaction has not been read, or is kept no longer."))
        return row

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {
            "blockchain": self.blockchain,
            "standing": reads.standing_of(self.blockchain),
            "dropped": self.dropped,
            "explained": explain(self.actor, context["transaction"]),
        }


class TransactionDetails(OfBlockchain):
    """What only a whole transaction tells, where it was left for later: asked for, and there in a moment."""

    def get(self, request: HttpRequest, uid: str, hash: str) -> HttpResponse:
        return self._answer(found(Transaction.objects.filter(blockchain=self.blockchain), hash=hash))

    def post(self, request: HttpRequest, uid: str, hash: str) -> HttpResponse:
        row = ledger.want_details(actor=self.actor, uid=uid, tx_hash=hash)
        if request.headers.get("HX-Request"):
            return self._answer(row)
        return redirect("chains:transaction-detail", uid, hash)

    def _answer(self, row: Transaction) -> HttpResponse:
        context = {"blockchain": self.blockchain, "transaction": row}
        answer = render(self.request, "chains/_transaction_details.html", context)
        if row.details == Details.READ:
            answer["HX-Refresh"] = "true"  # the whole page has more to show now
        return answer


class ReorganisationList(OfBlockchain, ListPage):
    """When stored blocks turned out not to be the chain's any more."""

    template_name = "chains/reorganisation_list.html"

    def get_queryset(self) -> QuerySet[Reorganisation]:
        return reads.reorganisations(self.blockchain)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"blockchain": self.blockchain, "standing": reads.standing_of(self.blockchain)}


class FindInChain(OfBlockchain):
    """From a height, a hash or an address to its page."""

    def get(self, request: HttpRequest, uid: str) -> HttpResponse:
        words = request.GET.get("q", "").strip()
        height = int(words) if words.isdecimal() and len(words) <= MAX_DIGITS else None
        if height is not None and self._blocks().filter(height=height).exists():
            return redirect("chains:block-detail", uid, height)
        spellings = reads.spellings(words)
        block = self._blocks().filter(hash__in=spellings).first()
        if block is not None:
            return redirect("chains:block-detail", uid, block.height)
        transaction = Transaction.objects.filter(blockchain=self.blockchain, hash__in=spellings).first()
        if transaction is not None:
            return redirect("chains:transaction-detail", uid, transaction.hash)
        if words and reads.chains_touching(self.actor, words).filter(pk=self.blockchain.pk).exists():
            return redirect(f"{reverse('chains:transaction-list', args=[uid])}?{urlencode({'address': words})}")
        if words:
            text = _("Nothing of “%(words)s” has been read. Write a block height, a whole hash or a whole address.")
            messages.warning(request, text % {"words": words[:80]})
        return redirect("chains:chain-detail", uid)

    def _blocks(self) -> QuerySet[Block]:
        return Block.objects.filter(blockchain=self.blockchain)
