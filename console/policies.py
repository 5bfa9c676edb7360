"""What a policy answers: yes, or no with the sentence that the button's tooltip and the 403 both say."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from console.errors import Conflict, NotAllowed
from console.models import Delivery, DeliveryState, Flow, Step, StepState, User, Webhook, WebhookState


@dataclass(frozen=True)
class Verdict:
    """The answer of a `may_…` policy; true when allowed."""

    allowed: bool
    reason: str = ""
    because_of_state: bool = False  # not a matter of rights: the object is in the wrong state for it

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED = Verdict(True)


def denied(reason: object) -> Verdict:
    return Verdict(False, str(reason))


def not_now(reason: object) -> Verdict:
    """A no that has nothing to do with who asks."""
    return Verdict(False, str(reason), because_of_state=True)


def require(verdict: Verdict) -> None:
    """Go on, or raise with the reason: NotAllowed for the wrong person, Conflict for the wrong state."""
    if not verdict:
        raise (Conflict if verdict.because_of_state else NotAllowed)(verdict.reason)


def may_administer(actor: User | AnonymousUser | None) -> Verdict:
    """Only the console's administrators."""
    if actor is not None and getattr(actor, "is_administrator", False):
        return ALLOWED
    return denied(_("Only administrators of the console may do this."))


def may_read_audit(actor: User) -> Verdict:
    """Administrators and auditors."""
    if actor.is_administrator or actor.is_auditor:
        return ALLOWED
    return denied(_("Only administrators and auditors may read the audit log."))


def may_operate_flow(actor: User) -> Verdict:
    """Retry, skip and cancel are for administrators: they reach into running work."""
    return may_administer(actor)


def may_cancel_flow(actor: User, flow: Flow) -> Verdict:
    """Administrators, as long as the flow goes on and is not being taken back already."""
    if flow.is_final or flow.undoing:
        return may_operate_flow(actor) and not_now(_("The flow has ended or is being taken back already."))
    return may_operate_flow(actor)


def may_retry_step(actor: User, step: Step) -> Verdict:
    """Administrators: a step that waits for its next attempt, whose undoing has failed, or which stopped half-way."""
    waits = step.state in (StepState.LATER, StepState.UNDOING) and step.lease_until is None
    if waits or (step.is_stuck and step.undo_action) or step.stopped_half_way:
        return may_operate_flow(actor)
    return may_operate_flow(actor) and not_now(
        _("Only a step that waits for its next attempt, or whose undoing failed, can be tried again.")
    )


def may_skip_step(actor: User, step: Step) -> Verdict:
    """Administrators: a step that waits for its next attempt, or whose undoing has failed and was seen to by hand.

    What waits for people's answers is never skipped: that would decide in their place.
    """
    waits = step.state == StepState.LATER and not step.topic and not step.flow.undoing
    if waits or step.is_stuck:
        return may_operate_flow(actor)
    return may_operate_flow(actor) and not_now(_("This step cannot be skipped now."))


def may_decide_step(actor: User, step: Step) -> Verdict:
    """Administrators, while the step asks and its flow is not being taken back."""
    if step.state == StepState.DECIDING and not step.flow.undoing:
        return may_operate_flow(actor)
    return may_operate_flow(actor) and not_now(_("This step does not need a decision, or not any more."))


# --- telling people and programs --------------------------------------------------------------------------------------


def may_own_webhook(actor: User, for_console: bool) -> Verdict:
    """Everybody one's own; administrators those of the console, which get what anybody is told."""
    return may_administer(actor) if for_console else ALLOWED


def may_change_webhook(actor: User, webhook: Webhook) -> Verdict:
    """The owner; administrators those of the console."""
    if webhook.is_of_console:
        return may_administer(actor)
    return ALLOWED if webhook.owner_id == actor.pk else denied(_("This webhook belongs to somebody else."))


def may_test_webhook(actor: User, webhook: Webhook) -> Verdict:
    """Whoever may change it, while it is on: a paused one is tested by switching it on."""
    if webhook.state != WebhookState.ACTIVE:
        return may_change_webhook(actor, webhook) and not_now(_("Switch the webhook on first."))
    return may_change_webhook(actor, webhook)


def may_send_again(actor: User, delivery: Delivery) -> Verdict:
    """Whoever may test the webhook, or the reader of a letter; not while it is being sent."""
    allowed = may_test_webhook(actor, delivery.webhook) if delivery.webhook else may_send_mail_to(actor)
    if allowed and delivery.state == DeliveryState.SENDING:
        return not_now(_("It is being sent at this moment."))
    return allowed


def may_send_mail_to(reader: User) -> Verdict:
    """Whether mail reaches a user at all."""
    if not settings.MAIL_ENABLED:
        return not_now(_("This console sends no mail: its operators have not named a mail server."))
    if not reader.email:
        return not_now(_("Enter your e-mail address first."))
    return ALLOWED
