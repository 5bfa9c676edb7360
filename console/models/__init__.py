"""The rows of the ground floor."""

from console.models.audit import AuditEntry, AuditHead
from console.models.deliveries import Channel, Delivery, DeliveryAttempt, DeliveryState, MailPreference
from console.models.flows import DecisionChoice, Flow, FlowState, IdempotencyKey, Step, StepLog, StepState
from console.models.notifications import Notification
from console.models.users import ApiToken, ConsoleRole, User
from console.models.webhooks import Webhook, WebhookState
from console.models.workers import WorkerSeen

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditHead",
    "Channel",
    "ConsoleRole",
    "DecisionChoice",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "Flow",
    "FlowState",
    "IdempotencyKey",
    "MailPreference",
    "Notification",
    "Step",
    "StepLog",
    "StepState",
    "User",
    "Webhook",
    "WebhookState",
    "WorkerSeen",
]
