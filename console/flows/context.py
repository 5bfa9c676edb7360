"""What an action gets in hand: its arguments, its key, what came before it, and a log to write on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from console.cleansing import cleansed, storable
from console.flows.advance import is_unsure, lasting_effects
from console.flows.blueprint import Json
from console.models import DecisionChoice, Step, StepLog, StepState


def only_known(position: Json | None) -> Json | None:
    """What is known of the thing, without where a run stopped: a new run begins there."""
    known = (position or {}).get("known")
    return {"known": known} if known else None


class StepContext:
    """One attempt of one step. Reads are queries made when asked for; only `log` and `remember` write.

    `unsure` says that an attempt may have had its effect without telling us: look before doing it again.
    `decision` is what an operator was asked last, and has answered: `{"choice", "candidate", …}`.
    `position` is where this run goes on. `known` is what a run that has not finished found out about the thing it
    makes, such as its id on the platform; the undoing reads that of the forward run.
    """

    def __init__(self, step: Step, *, undoing: bool) -> None:
        self._step = step
        self.undoing = undoing
        self.flow_id: UUID = step.flow_id  # type: ignore[assignment]
        self.step_id: int = step.pk
        self.arguments: Json = step.arguments
        self.flow_arguments: Json = step.flow.arguments
        self.requested_by_id: int | None = step.flow.requested_by_id
        self.attempt: int = step.undo_attempts if undoing else step.attempts
        self.position: Json | None = step.undo_position if undoing else step.position
        self.forward_position: Json | None = step.position
        self.unsure: bool = is_unsure(step.error)
        self.own_outcome: Json = step.outcome or {}
        self.decision: Json = step.decision or {}
        self.known: Json = dict((step.position or {}).get("known") or {})

    @property
    def key(self) -> str:
        """The platform's idempotency key: the same on every attempt, another one for the undoing."""
        return f"undo-{self._step.key}" if self.undoing else str(self._step.key)

    @property
    def forward_key(self) -> str:
        """The key under which the step that is now being undone created things."""
        return str(self._step.key)

    @property
    def told_to_try_again(self) -> bool:
        """An operator has just said so. It holds for one attempt: what that does may be unknown again."""
        return self.decision.get("choice") == DecisionChoice.AGAIN and self.attempt == 2 and not self.undoing

    @property
    def given_up(self) -> bool:
        """An operator has been asked, and has given the flow up."""
        return self.decision.get("choice") == DecisionChoice.GIVE_UP

    @property
    def not_ours(self) -> frozenset[str]:
        """Candidates that an operator has seen and has not chosen."""
        return frozenset(self.decision.get("refused", ())) - {self.chosen}

    @property
    def chosen(self) -> str:
        """The candidate that an operator has chosen, to go on with or to take back; empty when none was."""
        return str(self.decision.get("candidate") or "")

    def outcome(self, name: str) -> Json:
        """What the step `name` of this flow gave; empty when it has not run."""
        row = Step.objects.filter(flow_id=self.flow_id, name=name).values("outcome").first()
        return (row and row["outcome"]) or {}

    def outcomes(self, prefix: str) -> dict[str, Json]:
        """The outcomes of all steps that are done and whose name starts with `prefix`, by name."""
        rows = Step.objects.filter(flow_id=self.flow_id, name__startswith=prefix, state=StepState.DONE)
        return {row["name"]: row["outcome"] or {} for row in rows.values("name", "outcome")}

    def leaves_lasting_effects(self) -> bool:
        """Whether this flow has done, or may have done, what nothing takes back."""
        return bool(lasting_effects(list(Step.objects.filter(flow_id=self.flow_id))))

    def remember(self, **known: Any) -> None:
        """Keep at once what has become known, for whoever goes on or takes back when this attempt does not end well.

        A worker that has lost its lease keeps nothing.
        """
        if self.undoing:
            raise RuntimeError("an undoing keeps what it knows in its position")
        self.known |= storable(known)
        self.position = {**(self.position or {}), "known": self.known}
        mine = Step.objects.filter(pk=self.step_id, owner=self._step.owner, state=StepState.RUNNING)
        mine.update(position=self.position)

    def log(self, message: str, **data: Any) -> None:
        """Write a line of the step's runtime log. Secrets are cleansed; still, never put one into the message."""
        StepLog.objects.create(
            step_id=self.step_id,
            attempt=self._step.undo_attempts if self.undoing else self._step.tries,
            undoing=self.undoing,
            message=cleansed(message)[:2000],
            data=cleansed(data),
        )
