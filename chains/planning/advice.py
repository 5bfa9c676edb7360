"""Which mode fits whom: how far the members trust each other, and what they need most."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chains.planning.values import ISOLATED, MULTI_SUBCHAIN, PRIVATE


class Trust(models.TextChoices):
    WEAK = "weak", gettext_lazy("Each wants its own copy, in its own space")
    STRONG = "strong", gettext_lazy("One of us may keep it for all")


class Priority(models.TextChoices):
    COST = "cost", gettext_lazy("Few nodes: it should cost little")
    ISOLATION = "isolation", gettext_lazy("Separation: one matter must not touch another")
    THROUGHPUT = "throughput", gettext_lazy("Speed: chains must not slow each other down")


@dataclass(frozen=True)
class Advice:
    """The mode that fits, and why."""

    createmode: str
    reasons: tuple[str, ...]


def advise(trust: str, priority: str, *, chains: int = 1) -> Advice:
    """Weak trust: a space for each member, shared nodes where cost counts, separate ones otherwise.

    Trust: one space, unless matters have to be kept apart or several chains are wanted.
    """
    if trust == Trust.STRONG and priority != Priority.ISOLATION and chains <= 1:
        return Advice(
            PRIVATE,
            (
                _("You trust one organization to keep the chain: one space is enough."),
                _("Nobody else has to provide nodes, and transactions do not travel between spaces."),
            ),
        )
    if priority == Priority.COST:
        return Advice(
            MULTI_SUBCHAIN,
            (
                _("Each keeps its own copy, in its own space: nobody has to trust anybody else's machines."),
                _("Chains share nodes, so a further chain costs no further node."),
            ),
        )
    need = (
        _("What must not touch each other is kept on nodes of its own.")
        if priority == Priority.ISOLATION
        else _("Each chain has nodes of its own, so a busy one does not slow down another.")
    )
    return Advice(ISOLATED, (need, _("Each chain needs a node of every member: it costs more.")))
