"""The support view of this floor: everything can be looked at, nothing edited; the one button calls a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from chains.keyset import PAGED
from chains.models import (
    AccessGrant,
    Block,
    Blockchain,
    BusinessChain,
    ContainerEngine,
    Contract,
    ContractRule,
    ContractVersion,
    Finding,
    Installation,
    LedgerStatistic,
    Node,
    Reorganisation,
    Sample,
    ScanReport,
    Transaction,
)
from chains.services.chains import read_soon


class ShortPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than anybody pages: ledgers are long."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:PAGED].count()  # type: ignore[attr-defined]


class LookOnly(ModelAdmin):
    """Rows are written by services only."""

    show_full_result_count = False
    paginator = ShortPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BusinessChain)
class BusinessChainAdmin(LookOnly):
    list_display = ["name", "uid", "union", "platform", "creator", "createmode", "state", "created_at"]
    list_filter = ["state", "createmode", "platform"]
    list_select_related = ["union", "platform", "creator"]
    search_fields = ["name", "uid", "union__unionid"]


@admin.register(Blockchain)
class BlockchainAdmin(LookOnly):
    list_display = ["name", "uid", "state", "height", "read_at", "read_failures", "next_read_at", "read_error"]
    list_filter = ["state", "business_chain__platform"]
    search_fields = ["name", "uid", "external_id"]
    actions = ["read_now"]

    @admin.action(description=gettext_lazy("Read at once"), permissions=["view"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[Blockchain]) -> None:
        number = read_soon(actor=request.user, blockchain_ids=list(queryset.values_list("pk", flat=True)))  # type: ignore[arg-type]
        messages.success(request, _("%(number)s chains are read next.") % {"number": number})


@admin.register(Node)
class NodeAdmin(LookOnly):
    list_display = ["endpoint", "blockchain", "organization", "role", "state", "version", "read_at"]
    list_filter = ["state", "role"]
    list_select_related = ["blockchain", "organization"]
    search_fields = ["endpoint", "external_id", "organization__orgcode"]


@admin.register(Block)
class BlockAdmin(LookOnly):
    ordering = ["-pk"]
    list_display = ["height", "blockchain", "hash", "time", "transactions_count"]
    list_filter = ["blockchain"]
    list_select_related = ["blockchain"]
    search_fields = ["=hash", "=height"]


@admin.register(Transaction)
class TransactionAdmin(LookOnly):
    ordering = ["-pk"]
    list_display = ["hash", "blockchain", "height", "index", "status", "time"]
    list_filter = ["status", "blockchain"]
    list_select_related = ["blockchain"]
    search_fields = ["=hash"]


@admin.register(LedgerStatistic)
class LedgerStatisticAdmin(LookOnly):
    list_display = ["start", "period", "blockchain", "blocks", "transactions", "failed", "senders"]
    list_filter = ["period", "blockchain"]
    list_select_related = ["blockchain"]


@admin.register(Reorganisation)
class ReorganisationAdmin(LookOnly):
    list_display = ["found_at", "blockchain", "from_height", "to_height", "blocks", "transactions"]
    list_filter = ["blockchain"]
    list_select_related = ["blockchain"]


@admin.register(Sample)
class SampleAdmin(LookOnly):
    list_display = ["name", "value", "unit", "blockchain", "at"]
    list_filter = ["name", "blockchain"]
    list_select_related = ["blockchain"]


@admin.register(AccessGrant)
class AccessGrantAdmin(LookOnly):
    list_display = ["__str__", "blockchain", "organization", "user", "preset", "expires_at", "revoked_at", "created_at"]
    list_filter = ["preset"]
    list_select_related = ["blockchain", "organization", "user"]
    search_fields = ["purpose", "blockchain__uid", "organization__orgcode", "user__username"]


@admin.register(Contract)
class ContractAdmin(LookOnly):
    list_display = ["name", "uid", "blockchain", "owner", "way", "state", "address", "created_at"]
    list_filter = ["state", "way"]
    list_select_related = ["blockchain", "owner"]
    search_fields = ["name", "uid", "=address", "blockchain__uid"]


@admin.register(ContractVersion)
class ContractVersionAdmin(LookOnly):
    list_display = ["contract", "number", "entry", "compiler", "state", "address", "deployed_at"]
    list_filter = ["state"]
    list_select_related = ["contract"]
    search_fields = ["contract__name", "contract__uid", "=address", "=transaction"]


@admin.register(ContractRule)
class ContractRuleAdmin(LookOnly):
    list_display = ["__str__", "blocking_severity", "changed_at"]
    list_filter = ["blocking_severity"]
    list_select_related = ["union", "business_chain"]


@admin.register(Installation)
class InstallationAdmin(LookOnly):
    list_display = ["name", "version", "state", "health", "host", "checked_at", "installed_by", "installed_at"]
    list_filter = ["state", "health"]
    search_fields = ["name"]


@admin.register(ContainerEngine)
class ContainerEngineAdmin(LookOnly):
    list_display = ["address", "health", "host", "version", "cpus", "checked_at"]


@admin.register(ScanReport)
class ScanReportAdmin(LookOnly):
    list_display = ["version", "application", "application_version", "state", "started_by", "created_at", "ended_at"]
    list_filter = ["state", "application"]
    list_select_related = ["version__contract", "started_by"]


@admin.register(Finding)
class FindingAdmin(LookOnly):
    list_display = ["title", "rule", "severity", "file", "line", "state", "accepted_by"]
    list_filter = ["state", "severity"]
    list_select_related = ["accepted_by"]
    search_fields = ["title", "rule"]
