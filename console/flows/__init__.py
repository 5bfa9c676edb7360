"""The flow engine: promises kept as rows, and the only way that work leaves the database.

Apps describe work here (`Blueprint`, `Task`, `step`) and start it in the transaction that gives the reason for it
(`start`). A worker keeps the promise (`engine.run_step`). `docs/how-to-add-a-step.md` walks through one.
"""

from console.flows.blueprint import (
    Ask,
    Asleep,
    Blueprint,
    Done,
    Later,
    Plan,
    Task,
    blueprint_named,
    extend,
    register,
    step,
)
from console.flows.context import StepContext
from console.flows.promise import cancel_waiting, fail_waiting, start, wake

__all__ = [
    "Ask",
    "Asleep",
    "Blueprint",
    "Done",
    "Later",
    "Plan",
    "StepContext",
    "Task",
    "blueprint_named",
    "cancel_waiting",
    "extend",
    "fail_waiting",
    "register",
    "start",
    "step",
    "wake",
]
