"""The rows of the ground floor."""

from console.models.audit import AuditEntry, AuditHead
from console.models.flows import Flow, FlowState, IdempotencyKey, Step, StepLog, StepState
from console.models.notifications import Notification
from console.models.users import ApiToken, ConsoleRole, User
from console.models.workers import WorkerSeen

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditHead",
    "ConsoleRole",
    "Flow",
    "FlowState",
    "IdempotencyKey",
    "Notification",
    "Step",
    "StepLog",
    "StepState",
    "User",
    "WorkerSeen",
]
