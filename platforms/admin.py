"""The support site's view of this floor: everything to read, nothing to type; each button calls a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from console.admin import LookOnly, SupportAdmin
from console.models import User
from platforms import reads
from platforms.models import Platform, PlatformVersion, Tenant
from platforms.services import platforms as service


def actor_of(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]


class VersionInline(LookOnly, TabularInline):
    model = PlatformVersion
    fk_name = "platform"
    fields = ("number", "created_by", "created_at")
    readonly_fields = fields
    show_change_link = True
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*reads.FILES, "findings").select_related("created_by")


@admin.register(Platform)
class PlatformAdmin(SupportAdmin):
    """Platforms of every state. Credentials are not shown, only whether there are any."""

    list_display = ("name", "oemtype", "state", "health", "health_at", "kernel", "cloudtype", "is_default", "page")
    list_filter = ("state", "health", "kind", "kernel", "cloudtype")
    search_fields = ("name", "oemtype", "base_url")
    ordering = ("name", "pk")
    inlines = (VersionInline,)
    actions = ("make_default", "retire")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = [each.name for each in Platform._meta.fields if each.name not in ("credentials", "capabilities")]
        return [*shown, "has_credentials", "offers"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Platform]:
        return reads.platforms(actor_of(request))

    @admin.display(description=_("credentials"), boolean=True)
    def has_credentials(self, row: Platform) -> bool:
        return bool(row.credentials)

    @admin.display(description=_("can do"))
    def offers(self, row: Platform) -> str:
        return ", ".join(name for name in row.capabilities if row.capability(name)[0]) or "—"

    @admin.display(description=_("page"))
    def page(self, row: Platform) -> SafeString:
        url = reverse("platforms:platform-by-number", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, gettext("in the console"))

    @admin.action(description=_("Make it the default platform"))
    def make_default(self, request: HttpRequest, rows: QuerySet[Platform]) -> None:
        self.carry_out(
            request,
            rows,
            lambda row: service.update_platform(actor=actor_of(request), oemtype=row.oemtype, is_default=True),
        )

    @admin.action(description=_("Retire"))
    def retire(self, request: HttpRequest, rows: QuerySet[Platform]) -> None:
        self.carry_out(request, rows, lambda row: service.retire_platform(actor=actor_of(request), oemtype=row.oemtype))


@admin.register(PlatformVersion)
class PlatformVersionAdmin(SupportAdmin):
    """Versions of the files, with what their check has found."""

    list_display = ("platform", "number", "created_by", "created_at")
    search_fields = ("platform__name", "platform__oemtype")
    ordering = ("platform__name", "-number")
    fields = ("platform", "number", "created_by", "created_at", "found", "mapping", "api_file", "samples")
    readonly_fields = fields
    actions = ("use_version",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlatformVersion]:
        return super().get_queryset(request).select_related("platform", "created_by")

    @admin.display(description=_("findings"))
    def found(self, row: PlatformVersion) -> str:
        return "\n".join(f"{each.level} · {each.file} · {each.whole}" for each in reads.findings_of(row)) or "—"

    @admin.action(description=_("Use this version"))
    def use_version(self, request: HttpRequest, rows: QuerySet[PlatformVersion]) -> None:
        self.carry_out(
            request,
            rows,
            lambda row: service.use_version(actor=actor_of(request), oemtype=row.platform.oemtype, number=row.number),
        )


@admin.register(Tenant)
class TenantAdmin(SupportAdmin):
    """Tenants as platforms report them."""

    list_display = ("tenantname", "tenantid", "projectid", "platform", "read_at")
    list_filter = ("platform",)
    search_fields = ("tenantname", "tenantid", "projectid", "projectname")
    ordering = ("platform__name", "tenantname")
    list_select_related = ("platform",)
