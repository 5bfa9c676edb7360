"""Webhooks: made, changed, tried out, switched on and off. A secret is shown once, when it is made."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from console import audit, kinds, outcomes, webhooks
from console.errors import Conflict, Invalid
from console.models import Channel, Delivery, DeliveryState, User, Webhook, WebhookState
from console.network import AddressRefused, refuse_address
from console.policies import may_administer, may_change_webhook, may_own_webhook, may_test_webhook, require
from console.services.deliveries import nudge
from console.transactions import locked_or_missing, use_case

OLD_SECRET_HOURS = 24  # for so long what is sent is signed with both, so that the receiver can change over
MAX_URL, MAX_NAME = 500, 100  # characters


@use_case
def create_webhook(
    *, actor: User, name: str, url: str, events: list[str] | None = None, for_console: bool = False
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which nobody can read again. `for_console`: it gets what anybody is told."""
    require(may_own_webhook(actor, for_console))
    owner = None if for_console else actor
    if owner is not None:
        User.objects.select_for_update().get(pk=owner.pk)  # so that two at once do not pass the limit
    if Webhook.objects.filter(owner=owner).count() >= settings.WEBHOOKS_PER_OWNER:
        raise Conflict(
            _("There are %(limit)d webhooks already, and more are not allowed. Delete one that is not needed.")
            % {"limit": settings.WEBHOOKS_PER_OWNER}
        )
    secret = webhooks.new_secret()
    hook = Webhook.objects.create(
        owner=owner, secret=secret, **_checked({"name": name, "url": url, "events": events or []})
    )
    audit.record("console.webhook.created", actor=actor, target=hook, **_for_the_record(hook))
    return hook, secret


@use_case
def update_webhook(*, actor: User, webhook_id: int, **changes: Any) -> Webhook:
    """Another name, address or choice of events, as far as they are given: `name`, `url`, `events`."""
    hook = _changeable(actor, webhook_id)
    new = {field: value for field, value in _checked(changes).items() if getattr(hook, field) != value}
    if not new:
        return hook
    for field, value in new.items():
        setattr(hook, field, value)
    hook.save(update_fields=list(new))
    audit.record("console.webhook.changed", actor=actor, target=hook, **_for_the_record(hook))
    return hook


@use_case
def switch_on_webhook(*, actor: User, webhook_id: int) -> Webhook:
    """Send again; what was held while the webhook was paused goes out at once."""
    hook = _changeable(actor, webhook_id)
    if hook.state == WebhookState.ACTIVE:
        return hook
    hook.switch_on()
    hook.save()
    _waiting(hook).update(due_at=timezone.now())
    audit.record("console.webhook.switched_on", actor=actor, target=hook)
    nudge()
    return hook


@use_case
def switch_off_webhook(*, actor: User, webhook_id: int) -> Webhook:
    """Send nothing any more, not even what is waiting; it stays in the log, with the reason."""
    return _switch_off(actor, _changeable(actor, webhook_id))


@use_case
def switch_off_any_webhook(*, actor: User, webhook_id: int) -> Webhook:
    """The same to anybody's, by an administrator. Its owner can switch it on again, unless the account is closed."""
    require(may_administer(actor))
    return _switch_off(actor, locked_or_missing(Webhook.objects.closed(), pk=webhook_id))


def _switch_off(actor: User, hook: Webhook) -> Webhook:
    if hook.state == WebhookState.OFF:
        return hook
    hook.switch_off()
    hook.save()
    outcome = outcomes.Outcome(outcomes.SWITCHED_OFF)
    for delivery in _waiting(hook).select_for_update():
        delivery.give_up(outcome)
        delivery.save()
    audit.record("console.webhook.switched_off", actor=actor, target=hook)
    return hook


@use_case
def renew_webhook_secret(*, actor: User, webhook_id: int) -> tuple[Webhook, str]:
    """A new secret, shown this once. For a day what is sent is signed with the old one, too."""
    hook = _changeable(actor, webhook_id)
    secret = webhooks.new_secret()
    hook.previous_secret, hook.secret = hook.secret, secret
    hook.previous_until = timezone.now() + timedelta(hours=OLD_SECRET_HOURS)
    hook.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit.record("console.webhook.secret_renewed", actor=actor, target=hook)
    return hook, secret


@use_case
def test_webhook(*, actor: User, webhook_id: int) -> Delivery:
    """Send a test, tried once."""
    hook = _changeable(actor, webhook_id)
    require(may_test_webhook(actor, hook))
    delivery = Delivery.objects.create(channel=Channel.WEBHOOK, webhook=hook, attempts_allowed=1)
    audit.record("console.webhook.tested", actor=actor, target=hook)
    nudge()
    return delivery


@use_case
def delete_webhook(*, actor: User, webhook_id: int) -> None:
    """The webhook and its log are gone."""
    hook = _changeable(actor, webhook_id)
    audit.record("console.webhook.deleted", actor=actor, target=hook, **_for_the_record(hook))
    hook.delete()


def _changeable(actor: User, webhook_id: int) -> Webhook:
    hook = locked_or_missing(Webhook.objects.visible_to(actor).closed(), pk=webhook_id)
    require(may_change_webhook(actor, hook))
    return hook


def _waiting(hook: Webhook) -> Any:
    return Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING).order_by("pk")


def _for_the_record(hook: Webhook) -> dict[str, Any]:
    """What the audit log keeps. A query may carry a password of the receiver's, so it is left out."""
    parts = urlsplit(hook.url)
    return {"url": f"{parts.scheme}://{parts.netloc}{parts.path}", "events": hook.kinds, "console": hook.is_of_console}


# --- what is asked for ------------------------------------------------------------------------------------------------


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Name, address and events as the row keeps them; Invalid names every field that is wrong."""
    checks: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "name": ("name", _name),
        "url": ("url", _url),
        "events": ("kinds", _events),
    }
    found: dict[str, Any] = {}
    errors: dict[str, Sequence[str]] = {}
    for field, value in given.items():
        column, check = checks[field]
        try:
            found[column] = check(value)
        except Invalid as problem:
            errors |= dict(problem.errors)
    if errors:
        raise Invalid(_("The request has errors."), errors=errors)
    return found


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name or len(name) > MAX_NAME:
        raise Invalid.field("name", _("A name has 1 to %(limit)d characters.") % {"limit": MAX_NAME})
    return name


def _url(value: str) -> str:
    url = value.strip()
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise Invalid.field(
            "url", _("An address has at most %(limit)d characters and no spaces in it.") % {"limit": MAX_URL}
        )
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise Invalid.field("url", _("This is no address of the web.")) from problem
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid.field("url", _("Enter an address that begins with https:// or http://."))
    if parts.username is not None or parts.password is not None:
        raise Invalid.field("url", _("Leave user name and password out: what is sent is signed instead."))
    if parts.fragment:
        raise Invalid.field("url", _("Leave out what stands behind the #: it is never sent."))
    _refuse_address(host)
    return url


def _refuse_address(host: str) -> None:
    """What is known to be refused when it is called is refused at once; names are judged when they are called."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    try:
        refuse_address(host, host=host, allow_private=settings.ALLOW_PRIVATE_WEBHOOKS)
    except AddressRefused as problem:
        raise Invalid.field("url", outcomes.sentence("address_refused", str(problem))) from problem


def _events(value: list[str]) -> list[str]:
    if unknown := [name for name in value if not kinds.may_be_chosen(name)]:
        raise Invalid.field("events", _("There is no such event: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    return sorted(set(value))
