"""What lists of this floor can be narrowed by; the names are those of the answers."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from chains.models import (
    AccessGrant,
    Block,
    Blockchain,
    BusinessChain,
    ChainState,
    Contract,
    ContractState,
    Createmode,
    Node,
    NodeState,
    Preset,
    Reorganisation,
    ReportState,
    ScanReport,
    TakeOver,
    Transaction,
    TransactionStatus,
    UpgradeWay,
)
from chains.reads import of_party, spellings
from console.api.filters import MomentFilter
from console.models import FlowState


class BusinessChainFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", help_text=_("Part of the name."))
    oemtype = django_filters.CharFilter(field_name="platform__oemtype")
    unionid = django_filters.CharFilter(field_name="union__unionid")
    creatororg = django_filters.CharFilter(field_name="creator__orgcode")
    orgcode = django_filters.CharFilter(field_name="organizations__orgcode", help_text=_("An organization in it."))
    createmode = django_filters.ChoiceFilter(choices=Createmode.choices)
    state = django_filters.MultipleChoiceFilter(choices=ChainState.choices)

    class Meta:
        model = BusinessChain
        fields: list[str] = []


class BlockchainFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", help_text=_("Part of the name."))
    chain = django_filters.CharFilter(field_name="business_chain__uid", help_text=_("Id of the business chain."))
    oemtype = django_filters.CharFilter(field_name="business_chain__platform__oemtype")
    unionid = django_filters.CharFilter(field_name="business_chain__union__unionid")
    orgcode = django_filters.CharFilter(field_name="organizations__orgcode", help_text=_("An organization in it."))
    state = django_filters.MultipleChoiceFilter(choices=ChainState.choices)

    class Meta:
        model = Blockchain
        fields: list[str] = []


class NodeFilter(django_filters.FilterSet):
    orgcode = django_filters.CharFilter(field_name="organization__orgcode")
    state = django_filters.MultipleChoiceFilter(choices=NodeState.choices)
    role = django_filters.CharFilter()

    class Meta:
        model = Node
        fields: list[str] = []


class _HashFilter(django_filters.CharFilter):
    """A hash in any of its spellings."""

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        return qs.filter(hash__in=spellings(value)) if value else qs


class _PartyFilter(django_filters.CharFilter):
    """An address in either case, as the indexes know it."""

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        return of_party(qs, self.field_name, value) if value and value.strip() else qs


class _NumberFilter(django_filters.NumberFilter):
    """A whole number that the databases know."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=2**63 - 1, **kwargs)

    def get_max_validator(self) -> None:
        return None


class BlockFilter(django_filters.FilterSet):
    from_height = _NumberFilter(field_name="height", lookup_expr="gte")
    to_height = _NumberFilter(field_name="height", lookup_expr="lte")
    since = MomentFilter(field_name="time", lookup_expr="gte")
    until = MomentFilter(field_name="time", lookup_expr="lt")
    hash = _HashFilter()
    min_transactions = _NumberFilter(field_name="transactions_count", lookup_expr="gte")

    class Meta:
        model = Block
        fields: list[str] = []


class TransactionFilter(django_filters.FilterSet):
    height = _NumberFilter(help_text=_("Height of the block."))
    from_height = _NumberFilter(field_name="height", lookup_expr="gte")
    to_height = _NumberFilter(field_name="height", lookup_expr="lte")
    status = django_filters.MultipleChoiceFilter(choices=TransactionStatus.choices, distinct=False)
    hash = _HashFilter()
    sender = _PartyFilter()
    to = _PartyFilter(field_name="recipient")
    contract = _PartyFilter(help_text=_("The contract that it made."))

    class Meta:
        model = Transaction
        fields: list[str] = []


class ReorganisationFilter(django_filters.FilterSet):
    height = _NumberFilter(method="replacing", help_text=_("Height of the block."))
    since = MomentFilter(field_name="found_at", lookup_expr="gte")
    until = MomentFilter(field_name="found_at", lookup_expr="lt")

    class Meta:
        model = Reorganisation
        fields: list[str] = []

    def replacing(self, queryset: QuerySet[Reorganisation], name: str, value: int) -> QuerySet[Reorganisation]:
        """Those that have replaced the block of this height."""
        return queryset.filter(from_height__lte=value, to_height__gte=value)


class TakeOverFilter(django_filters.FilterSet):
    dry_run = django_filters.BooleanFilter()
    state = django_filters.MultipleChoiceFilter(
        field_name="flow__state", choices=FlowState.choices, help_text=_("Of its flow.")
    )

    class Meta:
        model = TakeOver
        fields: list[str] = []


class ContractFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", help_text=_("Part of the name."))
    blockchain = django_filters.CharFilter(field_name="blockchain__uid", help_text=_("Id of the blockchain."))
    chain = django_filters.CharFilter(
        field_name="blockchain__business_chain__uid", help_text=_("Id of the business chain.")
    )
    orgcode = django_filters.CharFilter(field_name="owner__orgcode", help_text=_("Whose it is."))
    address = django_filters.CharFilter(lookup_expr="iexact")
    way = django_filters.ChoiceFilter(choices=UpgradeWay.choices)
    state = django_filters.MultipleChoiceFilter(choices=ContractState.choices)

    class Meta:
        model = Contract
        fields: list[str] = []


class AccessGrantFilter(django_filters.FilterSet):
    blockchain = django_filters.CharFilter(field_name="blockchain__uid")
    orgcode = django_filters.CharFilter(field_name="organization__orgcode")
    username = django_filters.CharFilter(field_name="user__username")
    preset = django_filters.ChoiceFilter(choices=Preset.choices)
    revoked = django_filters.BooleanFilter(
        field_name="revoked_at", lookup_expr="isnull", exclude=True, help_text=_("Whether it was ended.")
    )

    class Meta:
        model = AccessGrant
        fields: list[str] = []


class ScanReportFilter(django_filters.FilterSet):
    application = django_filters.CharFilter()
    version = django_filters.NumberFilter(field_name="version__number", help_text=_("Of the contract."))
    state = django_filters.MultipleChoiceFilter(choices=ReportState.choices)

    class Meta:
        model = ScanReport
        fields: list[str] = []
