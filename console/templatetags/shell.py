"""`{% load shell %}`: the words that every template of the console is written in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms, template
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.paginator import Page
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console import context as frame
from console import sentences
from console import shell as registry

register = template.Library()

LIVE_SECONDS = 2
ONE_LINE = 110  # characters of JSON that still read well on one line
SHORT_FROM = 18  # characters; what is not longer is shown whole

GOOD = ("done", "active", "official", "approved", "agreed", "up", "carried", "ready", "installed", "passed", "healthy")
BUSY = (
    "running", "building", "joining", "quitting", "deleting", "registering", "starting", "installing", "upgrading",
    "undoing", "checking", "staged", "syncing",
)  # fmt: skip
WAITING = (
    "waiting",
    "deciding",
    "pending",
    "open",
    "later",
    "asleep",
    "degraded",
    "warning",
    "stale",
    "unknown",
    "retrying",
)
BAD = ("failed", "refused", "down", "rejected", "critical", "error", "disagreed", "expired", "broken", "stands")
COLOURS = {
    **dict.fromkeys(GOOD, "green"),
    **dict.fromkeys(BUSY, "blue"),
    **dict.fromkeys(WAITING, "yellow"),
    **dict.fromkeys(BAD, "red"),
}
STEP_ICONS = {
    "waiting": "circle-dotted",
    "ready": "circle",
    "running": "loader-2",
    "later": "clock",
    "asleep": "player-pause",
    "deciding": "gavel",
    "done": "check",
    "failed": "x",
    "skipped": "minus",
    "undoing": "arrow-back-up",
    "undone": "arrow-back-up",
}
FILTER_TITLES = {
    "state": gettext_lazy("State"),
    "step": gettext_lazy("Step"),
    "decision": gettext_lazy("Decision"),
    "kind": gettext_lazy("Kind"),
    "category": gettext_lazy("Category"),
    "platform": gettext_lazy("Platform"),
    "health": gettext_lazy("Health"),
    "kernel": gettext_lazy("Kernel"),
    "cloudtype": gettext_lazy("Deployment"),
    "severity": gettext_lazy("Severity"),
    "role": gettext_lazy("Role"),
    "action": gettext_lazy("Action"),
    "createmode": gettext_lazy("Mode"),
    "freshness": gettext_lazy("Freshness"),
    "preset": gettext_lazy("Methods"),
    "gives": gettext_lazy("Capability"),
    "way": gettext_lazy("Upgrades"),
}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """One of Tabler's icons, as decoration: what it means must stand beside it in words."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def state(name: str, title: object = None) -> SafeString:
    """The state of something: a coloured dot and the word."""
    words = title if title not in (None, "") else str(name).replace("_", " ").capitalize()
    colour = COLOURS.get(str(name), "grey")
    return format_html('<span class="state state-{}" data-state="{}">{}</span>', colour, name, words)


@register.simple_tag
def ago(value: datetime | None, never: object = "—") -> SafeString:
    """How long ago (or in how long), kept up to date by a script; the exact time is its tooltip."""
    if value is None:
        return format_html('<span class="text-secondary">{}</span>', never)
    local = timezone.localtime(value)
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>', value.isoformat(), exact, naturaltime(value)
    )


@register.simple_tag
def lasted(started: datetime | None, ended: datetime | None = None) -> str:
    """How long something took, or has been going on."""
    if started is None:
        return "—"
    seconds = max(((ended or timezone.now()) - started).total_seconds(), 0)
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": formats.number_format(max(round(seconds, 1), 0.1))}
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


@register.simple_tag
def next_attempt(due: datetime) -> SafeString:
    """When a step is tried again."""
    if due <= timezone.now():
        return SafeString(_("next attempt at once"))
    return format_html(_("next attempt {}"), ago(due))


@register.simple_tag
def step_state(step: Any) -> SafeString:
    """The state of a step as somebody who waits for it would say it."""
    if step.state == "later":
        return state("retrying", _("Trying again")) if step.error else state("running", _("In progress"))
    if step.state == "asleep":
        return state("waiting", _("Waits for people"))
    if step.state in ("waiting", "ready"):
        return state("planned", _("To do"))
    return state(step.state, step.get_state_display())


@register.simple_tag
def step_icon(state_name: str) -> SafeString:
    """The mark of a step on its timeline."""
    return icon(STEP_ICONS.get(state_name, "circle"))


@register.simple_tag
def short(text: object) -> SafeString:
    """A hash or a long id: shortened, and a button that copies the whole."""
    whole = str(text or "")
    if not whole:
        return format_html('<span class="text-secondary">{}</span>', "—")
    seen = f"{whole[:10]}…{whole[-6:]}" if len(whole) > SHORT_FROM else whole
    return format_html('<span class="short"><code title="{}">{}</code>{}</span>', whole, seen, copy_button(whole))


@register.simple_tag
def copy_button(text: object, title: object = "") -> SafeString:
    """A small button that puts `text` into the clipboard."""
    label = str(title) or _("Copy")
    return format_html(
        '<button type="button" class="btn-copy" data-copy="{}" data-copied="{}" title="{}" aria-label="{}">{}</button>',
        text,
        _("Copied"),
        label,
        label,
        icon("copy"),
    )


@register.simple_tag(takes_context=True)
def live_attrs(context: template.Context) -> SafeString:
    """On the root of a live part: its name, and while the page says `live`, asking again.

    `live` is True for every two seconds, or a number of seconds.
    """
    request, live = context.get("request"), context.get("live")
    if not live or request is None:
        return format_html('id="{}"', "live")
    return format_html(
        'id="live" hx-get="{}" hx-trigger="every {}s" hx-swap="outerHTML" data-live',
        request.get_full_path(),
        LIVE_SECONDS if live is True else int(live),
    )


@register.simple_tag
def field(bound: BoundField, label: object = "", placeholder: object = "") -> SafeString:
    """Label, control, help and errors of one field, tied together for screen readers."""
    widget = bound.field.widget
    if bound.is_hidden:
        return SafeString(str(bound))
    shape = _shape_of(widget)
    attrs = _control_attrs(bound, shape)
    if placeholder:
        attrs["placeholder"] = str(placeholder)
    context = {
        "field": bound,
        "label": label or bound.label,
        "shape": shape,
        "control": "" if shape == "choices" else bound.as_widget(attrs=attrs),
        "help_id": f"{bound.auto_id}_help",
        "error_id": f"{bound.auto_id}_error",
        "many": isinstance(widget, forms.CheckboxSelectMultiple),
        "required": bound.field.required and bound.form.use_required_attribute,
    }
    return SafeString(render_to_string("components/field.html", context))


def _shape_of(widget: forms.Widget) -> str:
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "select" if isinstance(widget, forms.Select) else "plain"


def _control_attrs(bound: BoundField, shape: str) -> dict[str, Any]:
    style = {"check": "form-check-input", "select": "form-select"}.get(shape, "form-control")
    own = bound.field.widget.attrs.get("class", "")
    attrs: dict[str, Any] = {"class": " ".join(filter(None, (style, own, "is-invalid" if bound.errors else "")))}
    described = [f"{bound.auto_id}_error"] if bound.errors else []
    if bound.help_text:
        described.append(f"{bound.auto_id}_help")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return attrs


@register.inclusion_tag("components/pages.html")
def pages(page_obj: Page | None, query: str = "") -> dict[str, Any]:
    """Previous, numbers, next; nothing when everything fits on one page."""
    numbers = list(page_obj.paginator.get_elided_page_range(page_obj.number, on_each_side=1)) if page_obj else []
    return {"page": page_obj, "numbers": numbers, "prefix": f"?{query}&" if query else "?", "gap": "…"}


@register.simple_tag
def filter_title(name: str) -> object:
    """The name of a filter in words."""
    return FILTER_TITLES.get(name, name.replace("_", " ").capitalize())


@register.filter
def in_words(name: str) -> str:
    """An audit action or a kind of flow as people call it."""
    return registry.words_for(name)


@register.simple_tag(name="json")
def as_json(value: object) -> str:
    """A value as JSON text: readable in a `<pre>`, and safe in an attribute because templates escape it."""
    compact = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, list) or len(compact) <= ONE_LINE:
        return compact
    return json.dumps(value, ensure_ascii=False, default=str, indent=2)


@register.filter
def told(text: str) -> str:
    """A sentence that was kept, in the reader's language; any other text as it is."""
    return sentences.told(str(text or ""))


@register.filter
def listed(things: Iterable[object]) -> str:
    """Their names one after the other."""
    return _(", ").join(str(each) for each in things)


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key, "") if mapping else ""


@register.simple_tag
def address(label: str, primary_key: str) -> str | None:
    """The page of the object that a flow or an audit entry names."""
    return registry.address_of(label, primary_key) if label else None


@register.simple_tag(takes_context=True)
def part(context: template.Context, template_name: str, values: Mapping[str, Any]) -> SafeString:
    """A part that another floor has handed in: its template, rendered with its values and this page's request."""
    return SafeString(render_to_string(template_name, dict(values), request=context.get("request")))


@register.simple_tag(takes_context=True)
def navigation_lines(context: template.Context) -> list[frame.NavigationLine]:
    """The navigation, for the frame."""
    request = context.get("request")
    return frame.navigation(request) if request is not None else []


@register.simple_tag(takes_context=True)
def unread_count(context: template.Context) -> int:
    """Unread notifications, for the frame; asked once for a page, which shows it twice."""
    request = context.get("request")
    if request is None:
        return 0
    if not hasattr(request, "unread_count"):
        request.unread_count = frame.unread(request)
    return int(request.unread_count)


@register.simple_tag
def initials(user: object) -> str:
    """Two letters that stand for a person."""
    names = [getattr(user, "first_name", ""), getattr(user, "last_name", "")]
    letters = "".join(name[:1] for name in names if name)
    return (letters or str(getattr(user, "username", ""))[:2]).upper()
