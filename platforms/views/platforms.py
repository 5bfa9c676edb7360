"""Pages of platforms: all of them, one of them, and what administrators do with them."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from console.errors import Missing
from console.policies import Verdict, require
from console.views.base import ActionView, DetailPage, ListPage, ServiceFormView
from platforms import expiry, reads
from platforms.dependants import Dependants, hanging_on
from platforms.forms import ChangeForm, NativeChangeForm, RegisterForm, RetireForm
from platforms.models import (
    ENDED_PLATFORM_STATES,
    Cloudtype,
    Draft,
    Health,
    Kernel,
    Platform,
    PlatformKind,
    PlatformState,
    PlatformVersion,
)
from platforms.policies import (
    may_register_platform,
    may_retire_platform,
    may_see_platform_details,
    may_update_platform,
)
from platforms.presets import Preset, presets
from platforms.services import files as file_service
from platforms.services import platforms as service
from platforms.standard import OPERATIONS
from platforms.views.files import report_context, shown_findings
from platforms.views.native import native_facts
from platforms.views.panels import figure_titles, figures_for, platform_panels

HEALTH_SECONDS = 15  # how often a page looks for a new health
SHOWN_TENANTS = 100
GROUPS = {
    "network": _("Networks"),
    "chain": _("Chains"),
    "contract": _("Contracts"),
    "operation": _("Reading and monitoring"),
    "registry": _("The platform itself"),
}
OPERATION_TITLES = {
    "create_network": _("Create a network"),
    "delete_network": _("Delete a network"),
    "join_network": _("Join a network"),
    "quit_network": _("Quit a network"),
    "create_chain": _("Create a chain"),
    "delete_chain": _("Delete a chain"),
    "join_chain": _("Join a chain"),
    "quit_chain": _("Quit a chain"),
    "create_subchain": _("Create a chain on nodes that exist"),
    "join_subchain": _("Join a chain with nodes that exist"),
    "add_node": _("Add a node"),
    "remove_node": _("Remove a node"),
    "deploy_contract": _("Deploy a contract"),
    "upgrade_contract": _("Upgrade a contract"),
    "delete_contract": _("Delete a contract"),
    "send_transaction": _("Send a transaction"),
    "get_ledger_summary": _("Ledger summary"),
    "list_transactions": _("List of transactions"),
    "get_transaction": _("One transaction"),
    "list_blocks": _("List of blocks"),
    "get_monitoring": _("Monitoring figures"),
    "get_network": _("One network"),
    "list_nodes": _("List of nodes"),
    "get_chain": _("One chain"),
    "list_networks": _("List of networks"),
    "list_chains": _("List of chains"),
    "get_health": _("Health"),
    "list_tenants": _("List of tenants"),
}


def capability_groups(platform: Platform) -> list[dict[str, Any]]:
    """What the platform can do, by group, each with the reason for what it cannot."""
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in GROUPS}
    for name, operation in OPERATIONS.items():
        supported, _reason = platform.capability(name)
        said = str((platform.capabilities.get(name) or {}).get("reason", ""))
        row = {"name": name, "title": OPERATION_TITLES[name], "supported": supported, "reason": said}
        groups[operation.group].append(row)
    return [
        {"title": title, "rows": groups[name], "supported": sum(row["supported"] for row in groups[name])}
        for name, title in GROUPS.items()
    ]


class PlatformList(ListPage):
    """The platforms in service; with a filter also those on the way and those that were."""

    template_name = "platforms/platform_list.html"
    partial_name = "platforms/_platform_table.html"
    filters = {"state": PlatformState, "health": Health, "kernel": Kernel, "cloudtype": Cloudtype}
    search_in = ("name", "oemtype")

    def get_queryset(self) -> QuerySet[Platform]:
        rows = self.narrowed(reads.platforms(self.actor))
        if not self.request.GET.get("state"):
            rows = rows.exclude(state__in=ENDED_PLATFORM_STATES)
        return rows.order_by("-is_default", "name", "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        rows: list[Platform] = list(context["object_list"])
        figures = figures_for(self.actor, rows)
        coming = any(row.state in (PlatformState.STAGED, PlatformState.CHECKING) for row in rows)
        if not may_see_platform_details(self.actor):
            context["choices"].pop("state")
        return context | {
            "rows": [(row, figures[row.pk]) for row in rows],
            "figure_titles": figure_titles(),
            "may_register": may_register_platform(self.actor),
            "live": True if coming else HEALTH_SECONDS,
        }


def _certificates(platform: Platform, *, own: bool) -> list[dict[str, Any]]:
    """The server's certificate, and for whoever administers the one that we show it: until when, and how urgent."""
    found = [(_("Server certificate"), platform.certificate_expires_at)]
    if own:
        found.append((_("Our client certificate"), platform.client_certificate_expires_at))
    now, watched = timezone.now(), platform.state == PlatformState.OFFICIAL
    return [
        {"title": title, "ends": ends, "over": watched and ends <= now, "soon": watched and ends <= now + expiry.soon()}
        for title, ends in found
        if ends is not None
    ]


class PlatformDetail(DetailPage):
    """One platform: how it is, what it can do, and for administrators what it is made of."""

    template_name = "platforms/platform_detail.html"
    partial_name = "platforms/_platform_live.html"
    context_object_name = "platform"

    def get_object(self, queryset: Any = None) -> Platform:
        return reads.platform_in_full(self.actor, self.kwargs["oemtype"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        platform: Platform = context["platform"]
        coming = platform.state in (PlatformState.STAGED, PlatformState.CHECKING)
        context |= {
            "groups": capability_groups(platform),
            "panels": platform_panels.rendered_for(self.actor, platform),
            "details": bool(may_see_platform_details(self.actor)),
            "may_register": may_register_platform(self.actor),
            "may_update": may_update_platform(self.actor, platform),
            "may_retire": may_retire_platform(self.actor, platform),
            "live": True if coming else HEALTH_SECONDS,
            "oob": self.asked_by_htmx,
            "certificates": _certificates(platform, own=bool(may_see_platform_details(self.actor))),
        }
        return context | (self._inside(platform) if context["details"] else {})

    def _inside(self, platform: Platform) -> dict[str, Any]:
        """What administrators and auditors see."""
        tenants = list(platform.tenants.all()[: SHOWN_TENANTS + 1])
        return {
            "native": native_facts(self.actor, platform),
            "flow": reads.flows_of(platform).prefetch_related("steps").first(),
            "versions": list(platform.versions.all()),
            "findings": shown_findings(reads.findings_of(platform.version), {}),
            "tenants": tenants[:SHOWN_TENANTS],
            "draft": self._draft_of(platform) if platform.state == PlatformState.REFUSED else None,
            "tenant_count": len(tenants) if len(tenants) <= SHOWN_TENANTS else platform.tenants.count(),
        }

    def _draft_of(self, platform: Platform) -> Draft | None:
        """The reader's draft that a refused platform was registered from."""
        return Draft.objects.visible_to(self.actor).filter(registration=platform).without_files().first()


class PlatformByNumber(DetailPage):
    """Where a row of the record leads: its oemtype may have had several lives."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        from django.shortcuts import redirect

        row = Platform.objects.visible_to(self.actor).filter(pk=kwargs["platform_id"]).first()
        if row is None:
            raise Missing()
        return redirect("platforms:platform-detail", row.oemtype)


class PlatformVersionPage(DetailPage):
    """The files of one version, and what their check has found."""

    template_name = "platforms/version_detail.html"
    context_object_name = "version"

    @cached_property
    def platform(self) -> Platform:
        return reads.platform_named(self.actor, self.kwargs["oemtype"])

    def get_object(self, queryset: Any = None) -> PlatformVersion:
        require(may_see_platform_details(self.actor))
        version = self.platform.versions.select_related("created_by").filter(number=self.kwargs["number"]).first()
        if version is None:
            raise Missing()
        return version

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        version: PlatformVersion = context["version"]
        texts = {"api_file": version.api_file, "mapping": version.mapping}
        return context | {
            "platform": self.platform,
            "in_use": version.pk == self.platform.version_id,
            "findings": shown_findings(reads.findings_of(version), texts),
            "samples": json.dumps(version.samples, ensure_ascii=False, indent=2) if version.samples else "",
            "may_update": may_update_platform(self.actor, self.platform),
        }


def initial_of(platform: Platform) -> dict[str, Any]:
    """What a form about the platform shows; never a credential."""
    setup = service.setup_of(platform)
    samples = json.dumps(setup.samples, ensure_ascii=False, indent=2) if setup.samples else ""
    names = (*ChangeForm.PLACE, "api_file", "mapping", "is_default")
    return {**{name: getattr(setup, name) for name in names}, "samples": samples}


def initial_of_preset(chosen: Preset) -> dict[str, Any]:
    """What a registration with a preset's files begins with."""
    names = ("kernel", "cloudtype", "base_url", "api_file", "mapping")
    samples = json.dumps(chosen.samples, ensure_ascii=False, indent=2)
    given = {name: getattr(chosen, name) for name in names}
    return {"oemtype": chosen.slug, "name": chosen.title, **given, "samples": samples}


class _SetupFormView(ServiceFormView):
    """A form with files: “check” shows what is wrong with them, without scripts too."""

    def allowed(self) -> Verdict:
        return may_register_platform(self.actor)

    def form_valid(self, form: Any) -> HttpResponse:
        if "check" not in self.request.POST:
            return super().form_valid(form)
        files = form.texts()
        texts = {name: files[name] or "" for name in ("api_file", "mapping")}
        report = file_service.check(actor=self.actor, samples=files["samples"], **texts)
        return self.render_to_response(self.get_context_data(form=form, **report_context(report, texts)))


class PlatformRegister(_SetupFormView):
    """A new platform."""

    form_class = RegisterForm
    template_name = "platforms/platform_register.html"
    success_message = _("The registration has begun. The platform is checked and asked before it goes into service.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"presets": presets(), "chosen": self.request.GET.get("preset", "")}

    def get_initial(self) -> dict[str, Any]:
        """Empty, a preset's (`?preset=`), or what was handed in with a registration that was refused (`?from=`)."""
        chosen = next((each for each in presets() if each.slug == self.request.GET.get("preset")), None)
        if chosen is not None:
            return initial_of_preset(chosen)
        number = self.request.GET.get("from", "")
        rows = reads.platforms(self.actor).filter(state=PlatformState.REFUSED)
        refused = rows.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        return {"oemtype": refused.oemtype, **initial_of(refused)} if refused is not None else {}

    def perform(self, form: RegisterForm) -> service.Started:
        given = {"oemtype": form.cleaned_data["oemtype"], **form.setup()}
        return service.register_platform(actor=self.actor, **given)

    def get_success_url(self) -> str:
        return reverse("platforms:platform-detail", args=[self.result.platform.oemtype])


class _PlatformForm(_SetupFormView):
    """A form about the platform in the address."""

    @cached_property
    def platform(self) -> Platform:
        return reads.platform_named(self.actor, self.kwargs["oemtype"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"platform": self.platform}

    def came_from(self) -> str:
        return reverse("platforms:platform-detail", args=[self.platform.oemtype])


class PlatformChange(_PlatformForm):
    """Name, addresses, credentials, files."""

    success_message = _("The platform was changed.")

    @property
    def is_native(self) -> bool:
        return self.platform.kind != PlatformKind.MAPPED

    def get_form_class(self) -> type[Any]:
        return NativeChangeForm if self.is_native else ChangeForm

    def get_template_names(self) -> list[str]:
        return ["platforms/native_change.html" if self.is_native else "platforms/platform_change.html"]

    def allowed(self) -> Verdict:
        return may_update_platform(self.actor, self.platform)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"is_default": self.platform.is_default}

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.platform)

    def perform(self, form: ChangeForm) -> Platform:
        return service.update_platform(actor=self.actor, oemtype=self.platform.oemtype, **form.setup())


class RetirePlatform(_PlatformForm):
    """The end of a platform's service, after typing its name."""

    form_class = RetireForm
    template_name = "platforms/platform_retire.html"
    success_message = _("The platform is out of service.")

    def allowed(self) -> Verdict:
        return may_retire_platform(self.actor, self.platform)

    def get_form_kwargs(self) -> dict[str, Any]:
        others = (
            Platform.objects.official().filter(kind=self.platform.kind).exclude(pk=self.platform.pk).order_by("name")
        )
        successors = {row.oemtype: row.name for row in others} if self.hanging else None
        return super().get_form_kwargs() | {"name": self.platform.name, "successors": successors}

    @cached_property
    def hanging(self) -> list[Dependants]:
        return hanging_on(self.platform)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"hanging": self.hanging}

    def perform(self, form: RetireForm) -> Platform:
        return service.retire_platform(actor=self.actor, oemtype=self.platform.oemtype, **form.chosen())


class UseVersion(ActionView):
    """Go back to an earlier version of the files, or forward again."""

    success_message = _("The platform is spoken to by this version now.")

    def perform(self) -> Platform:
        return service.use_version(actor=self.actor, oemtype=self.kwargs["oemtype"], number=self.kwargs["number"])

    def get_success_url(self) -> str:
        return reverse("platforms:platform-detail", args=[self.kwargs["oemtype"]])
