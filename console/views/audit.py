"""The audit log: who did what, whether the chain of hashes holds, and a copy for the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import audit, reads
from console.models import AuditEntry
from console.policies import may_read_audit, require
from console.sentences import told
from console.services import audit as service
from console.views.base import DetailPage, ListPage, Page

SHOWN_BREAKS = 20
NARROWING = ("q", "action", "since", "until")


class _ForOverseers(Page):
    """Administrators and auditors."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            require(may_read_audit(request.user))
        return super().dispatch(request, *args, **kwargs)


class AuditList(_ForOverseers, ListPage):
    """All entries, the latest first."""

    template_name = "console/audit_list.html"
    partial_name = "console/_audit_table.html"
    search_in = ("actor_label", "target_label", "target_id", "action")
    paginate_by = 25

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return asked_for(self.request, self.narrowed(AuditEntry.objects.all()))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        chosen = {name: self.request.GET.get(name, "") for name in ("action", "since", "until")}
        return context | {
            "chosen": context["chosen"] | chosen,
            "narrowed": context["narrowed"] or any(chosen.values()),
            "actions": AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct(),
        }


def asked_for(request: HttpRequest, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Narrowed by action and by days; a day that is none is ignored."""
    if action := request.GET.get("action", ""):
        rows = rows.filter(action=action)
    if since := _day(request.GET.get("since", "")):
        rows = rows.filter(at__date__gte=since)
    if until := _day(request.GET.get("until", "")):
        rows = rows.filter(at__date__lte=until)
    return rows


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


class AuditDetail(_ForOverseers, DetailPage):
    """One entry, with what holds it in the chain."""

    template_name = "console/audit_detail.html"
    context_object_name = "entry"

    def get_object(self, queryset: Any = None) -> AuditEntry:
        return reads.found(AuditEntry.objects.all(), number=self.kwargs["number"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        entry: AuditEntry = context["entry"]
        return context | {
            "intact": audit.digest_of(entry) == entry.digest,
            "details": json.dumps(entry.data, indent=2, ensure_ascii=False, sort_keys=True) if entry.data else "",
            "newer": AuditEntry.objects.filter(number=entry.number + 1).exists(),
        }


class VerifyAudit(_ForOverseers):
    """Walk the whole chain and say what was found."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        breaks = list(audit.verify())
        if not breaks:
            count = AuditEntry.objects.count()
            text = ngettext(
                "%(count)d entry checked: the chain holds.", "%(count)d entries checked: the chain holds.", count
            )
            messages.success(request, text % {"count": count})
        for each in breaks[:SHOWN_BREAKS]:
            messages.error(
                request, _("Entry %(number)d: %(problem)s.") % {"number": each.number, "problem": told(each.problem)}
            )
        return HttpResponseRedirect(reverse("console:audit-list"))


class ExportAudit(_ForOverseers):
    """The entries that the list shows, one JSON object on each line, oldest first; digests included."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        narrowed_by = {name: value for name, value in request.GET.items() if name in NARROWING and value}
        service.record_export(actor=self.actor, narrowed_by=narrowed_by)
        narrowed = AuditList()
        narrowed.setup(request)
        rows = narrowed.get_queryset().order_by("number")
        answer = StreamingHttpResponse(lines(rows), content_type="application/x-ndjson; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.ndjson"'
        return answer


def lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    for entry in rows.iterator(chunk_size=1000):
        body = {
            "number": entry.number,
            "at": entry.at.isoformat(timespec="microseconds"),
            "action": entry.action,
            "actor": {"id": entry.actor_id, "name": entry.actor_label},
            "target": {"type": entry.target_type, "id": entry.target_id, "name": entry.target_label},
            "data": entry.data,
            "previous_digest": entry.previous_digest,
            "digest": entry.digest,
        }
        yield json.dumps(body, ensure_ascii=False) + "\n"
