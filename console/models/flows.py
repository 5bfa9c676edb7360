"""Flows and their steps: the record of promised work, the queue it is taken from, and the page that shows it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransitionMixin, FSMField, transition

if TYPE_CHECKING:
    from console.models.users import User


class FlowState(models.TextChoices):
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")  # every open step is asleep: somebody has to act
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")  # left half-way: something could not be undone, or never can be
    UNDONE = "undone", _("Undone")  # failed, and everything that was done has been taken back
    CANCELLED = "cancelled", _("Cancelled")  # stopped by a person, and taken back


class StepState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    READY = "ready", _("Ready")
    RUNNING = "running", _("Running")
    LATER = "later", _("Later")
    ASLEEP = "asleep", _("Asleep")
    DECIDING = "deciding", _("Needs a decision")  # nobody can know by machine: an operator chooses
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")
    UNDOING = "undoing", _("Undoing")
    UNDONE = "undone", _("Undone")


class DecisionChoice(models.TextChoices):
    """What an operator may answer when nobody knows what an attempt has done."""

    ADOPT = "adopt", _("Go on with what was found")
    AGAIN = "again", _("Look once more and try again")
    GIVE_UP = "give_up", _("Give up and take back")


CANNOT_UNDO = "cannot_undo"
OPEN_FLOW_STATES = (FlowState.RUNNING, FlowState.WAITING)
CLAIMED = {  # what a step is while a worker has it; running ones are taken over when their lease has run out
    StepState.READY: StepState.RUNNING,
    StepState.LATER: StepState.RUNNING,
    StepState.RUNNING: StepState.RUNNING,
    StepState.UNDOING: StepState.UNDOING,
}
ENDED_STEP_STATES = (StepState.DONE, StepState.SKIPPED)


class FlowQuerySet(models.QuerySet["Flow"]):
    def visible_to(self, user: User) -> FlowQuerySet:
        """Administrators and auditors see all; others what they asked for or what an app shares with them."""
        if user.is_administrator or user.is_auditor:
            return self
        # A subquery, not a join: rows of a DISTINCT cannot be locked.
        watched = Flow.watchers.through.objects.filter(user=user).values("flow_id")
        return self.filter(models.Q(requested_by=user) | models.Q(pk__in=watched))

    def open(self) -> FlowQuerySet:
        return self.filter(state__in=OPEN_FLOW_STATES)

    def needing_decision(self, wanted: bool = True) -> FlowQuerySet:
        """Flows with a step that an operator has to decide about; or all others."""
        asking = Step.objects.filter(state=StepState.DECIDING).values("flow_id")
        return self.filter(pk__in=asking) if wanted else self.exclude(pk__in=asking)


class Flow(ConcurrentTransitionMixin, models.Model):
    """One piece of promised work: a graph of steps that is carried through, or taken back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=100, db_index=True)
    title = models.CharField(_("title"), max_length=300)
    state = FSMField(_("state"), max_length=20, choices=FlowState.choices, default=FlowState.RUNNING, protected=True)
    undoing = models.BooleanField(default=False)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    subject_type = models.CharField(max_length=100, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(_("subject"), max_length=300, blank=True)
    arguments = models.JSONField(default=dict)
    error = models.JSONField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="requested_flows"
    )
    watchers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="watched_flows")
    created_at = models.DateTimeField(_("started"), default=timezone.now, db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = FlowQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="flow_state_known", condition=models.Q(state__in=FlowState.values)),
            models.CheckConstraint(
                name="flow_ended_when_final",
                condition=models.Q(state__in=OPEN_FLOW_STATES, ended_at=None)
                | (~models.Q(state__in=OPEN_FLOW_STATES) & models.Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["created_at"], name="flow_open", condition=models.Q(state__in=OPEN_FLOW_STATES)),
        ]

    def __str__(self) -> str:
        return self.title_text

    @property
    def title_text(self) -> str:
        """The title in the reader's language: a msgid filled from `arguments["title"]`."""
        try:
            return gettext(self.title) % self.arguments.get("title", {})
        except (KeyError, TypeError, ValueError):
            return self.title

    @transition(state, source=FlowState.WAITING, target=FlowState.RUNNING)
    def go_on(self) -> None:
        """Somebody has acted."""

    @transition(state, source=FlowState.RUNNING, target=FlowState.WAITING)
    def wait(self) -> None:
        """Every open step sleeps."""

    @transition(state, source=OPEN_FLOW_STATES, target=FlowState.DONE)
    def complete(self) -> None:
        self.ended_at = timezone.now()

    @transition(state, source=OPEN_FLOW_STATES, target=FlowState.UNDONE)
    def take_back(self) -> None:
        self.ended_at = timezone.now()

    @transition(state, source=OPEN_FLOW_STATES, target=FlowState.CANCELLED)
    def call_off(self) -> None:
        self.ended_at = timezone.now()

    @transition(state, source=OPEN_FLOW_STATES, target=FlowState.FAILED)
    def give_up(self) -> None:
        self.ended_at = timezone.now()

    @transition(state, source=FlowState.FAILED, target=FlowState.RUNNING)
    def resume(self) -> None:
        """An operator has seen to what could not be taken back, or has it tried once more."""
        self.ended_at = None

    @property
    def is_final(self) -> bool:
        return self.state not in OPEN_FLOW_STATES

    @property
    def stopped_half_way(self) -> bool:
        """It failed, and some of what it did is there to stay."""
        undo = (self.error or {}).get("undo") or {}
        return self.state == FlowState.FAILED and undo.get("code") == CANNOT_UNDO

    @property
    def needs_decision(self) -> bool:
        """Whether a step asks an operator; one query unless the steps were prefetched."""
        return any(step.state == StepState.DECIDING for step in self.steps.all())

    @property
    def progress(self) -> dict[str, int]:
        """How many steps are through, of how many; one query unless the steps were prefetched."""
        steps = list(self.steps.all())
        return {"done": sum(step.state in ENDED_STEP_STATES for step in steps), "total": len(steps)}


class Step(ConcurrentTransitionMixin, models.Model):
    """One call of a registered action. Its row is history, page and queue; its lease says who works on it.

    A worker takes a step by one conditional UPDATE (`CLAIMED`), so that two of them never both have it; every other
    move is a transition below, made under the flow's lock.
    """

    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    name = models.CharField(_("name"), max_length=200)
    title = models.CharField(_("title"), max_length=300)
    action = models.CharField(max_length=200)
    undo_action = models.CharField(max_length=200, blank=True)
    lasting = models.CharField(max_length=300, blank=True)
    arguments = models.JSONField(default=dict)
    needs = models.JSONField(default=list)
    state = FSMField(_("state"), max_length=20, choices=StepState.choices, default=StepState.WAITING, protected=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    attempts = models.PositiveIntegerField(default=0)  # claims since it last got on: what the limits count
    tries = models.PositiveIntegerField(_("attempts"), default=0)  # one, and one more after each failure: what is shown
    undo_attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    owner = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    nudged_at = models.DateTimeField(null=True, blank=True)
    topic = models.CharField(max_length=200, blank=True, db_index=True)
    decision = models.JSONField(null=True, blank=True)  # what an operator is asked, and has answered
    position = models.JSONField(null=True, blank=True)
    undo_position = models.JSONField(null=True, blank=True)
    outcome = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    undo_error = models.JSONField(null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ["flow", "number"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "name"], name="step_name_once_per_flow"),
            models.UniqueConstraint(fields=["flow", "number"], name="step_number_once_per_flow"),
            models.CheckConstraint(name="step_state_known", condition=models.Q(state__in=StepState.values)),
            models.CheckConstraint(
                name="step_running_has_lease",
                condition=~models.Q(state=StepState.RUNNING) | models.Q(lease_until__isnull=False, owner__isnull=False),
            ),
            models.CheckConstraint(
                name="step_deciding_has_question",
                condition=~models.Q(state=StepState.DECIDING) | models.Q(decision__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="step_due",
                condition=models.Q(state__in=[StepState.READY, StepState.LATER, StepState.RUNNING, StepState.UNDOING]),
            ),
            models.Index(fields=["flow"], name="step_deciding", condition=models.Q(state=StepState.DECIDING)),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"

    @transition(state, source=StepState.WAITING, target=StepState.READY)
    def make_ready(self) -> None:
        self.due_at = timezone.now()

    @transition(state, source=[StepState.UNDONE, StepState.FAILED, StepState.SKIPPED], target=StepState.WAITING)
    def begin_again(self) -> None:
        """The flow goes on where it stopped. What is asked of a platform once more is another request."""
        self.key, self.attempts, self.tries, self.undo_attempts, self.topic = uuid.uuid4(), 0, 0, 0, ""
        self.position = self.undo_position = self.outcome = self.error = self.undo_error = self.decision = None
        self.due_at = self.started_at = self.ended_at = None
        self._release()

    @transition(state, source=StepState.RUNNING, target=StepState.DONE)
    def finish(self, outcome: dict[str, Any]) -> None:
        self.outcome, self.error, self.topic = outcome, None, ""
        self._end()

    @transition(state, source=StepState.ASLEEP, target=StepState.DONE)
    def wake(self, outcome: dict[str, Any]) -> None:
        self.outcome = outcome
        self._end()

    @transition(state, source=StepState.RUNNING, target=StepState.LATER)
    def postpone(self, due_at: datetime) -> None:
        self.due_at = due_at
        self._release()

    @transition(state, source=StepState.RUNNING, target=StepState.ASLEEP)
    def fall_asleep(self) -> None:
        """Sleep on `topic`, which has been announced before."""
        self.error = None
        self._release()

    @transition(state, source=StepState.RUNNING, target=StepState.DECIDING)
    def ask(self, decision: dict[str, Any]) -> None:
        """Only a person can know how to go on."""
        self.decision = decision
        self._release()

    @transition(state, source=StepState.DECIDING, target=StepState.READY)
    def take_answer(self, decision: dict[str, Any]) -> None:
        """An operator has chosen; the attempts are counted anew, from one: it may have an effect already."""
        self.decision, self.attempts, self.due_at = decision, 1, timezone.now()

    @transition(state, source=[StepState.RUNNING, StepState.ASLEEP, StepState.DECIDING], target=StepState.FAILED)
    def fail(self, error: dict[str, Any]) -> None:
        self.error = error
        self._end()

    @transition(
        state,
        source=[StepState.WAITING, StepState.READY, StepState.RUNNING, StepState.LATER],
        target=StepState.SKIPPED,
    )
    def skip(self) -> None:
        self._end()

    @transition(
        state,
        source=[
            StepState.DONE,
            StepState.LATER,
            StepState.ASLEEP,
            StepState.DECIDING,
            StepState.FAILED,
            StepState.SKIPPED,
        ],
        target=StepState.UNDOING,
    )
    def begin_undoing(self) -> None:
        self.due_at, self.undo_attempts, self.undo_error = timezone.now(), 0, None
        self._release()

    @transition(
        state,
        source=[
            StepState.UNDOING,
            StepState.DONE,
            StepState.LATER,
            StepState.ASLEEP,
            StepState.DECIDING,
            StepState.FAILED,
        ],
        target=StepState.UNDONE,
    )
    def finish_undoing(self) -> None:
        """Taken back: by its undoing, by hand, or because there was nothing to take back."""
        self.undo_error = None
        self._release()

    @transition(state, source=StepState.UNDOING, target=StepState.UNDOING)
    def postpone_undoing(self, due_at: datetime) -> None:
        self.due_at = due_at
        self._release()

    @transition(
        state,
        source=[
            StepState.UNDOING,
            StepState.DONE,
            StepState.LATER,
            StepState.ASLEEP,
            StepState.FAILED,
            StepState.SKIPPED,
        ],
        target=StepState.FAILED,
    )
    def stay(self, undo_error: dict[str, Any]) -> None:
        """It cannot be taken back."""
        self.undo_error = undo_error
        self._end()

    def _end(self) -> None:
        self.ended_at = timezone.now()
        self._release()

    def _release(self) -> None:
        self.lease_until, self.owner, self.worker = None, None, ""

    @property
    def is_stuck(self) -> bool:
        """Its undoing has failed: an operator has to look."""
        return self.state == StepState.FAILED and self.undo_error is not None

    @property
    def stopped_half_way(self) -> bool:
        """It has a lasting effect and has failed, and all that can be taken back is: the flow may go on from here."""
        return self.state == StepState.FAILED and bool(self.lasting) and self.flow.stopped_half_way

    @property
    def title_text(self) -> str:
        try:
            return gettext(self.title) % self.arguments.get("title", {})
        except (KeyError, TypeError, ValueError):
            return self.title


class StepLog(models.Model):
    """One line of a step's runtime log: an attempt, a request and its answer (secrets cleansed), a wait."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    attempt = models.PositiveIntegerField(null=True, blank=True)  # none for what is written between two attempts
    undoing = models.BooleanField(default=False)
    message = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="step_log_at")]

    def __str__(self) -> str:
        return self.message


class IdempotencyKey(models.Model):
    """A client's `Idempotency-Key`, bound to the request it came with and to the flow that the request started."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+")
    answer = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
