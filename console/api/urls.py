"""Addresses of the ground floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from console.api.views import audit, flows, notifications, operation, tokens, webhooks

urlpatterns = [
    path("me", operation.Me.as_view()),
    path("tokens", tokens.Tokens.as_view()),
    path("tokens/<int:token_id>", tokens.TokenDetail.as_view()),
    path("flows", flows.Flows.as_view()),
    path("flows/<uuid:flow_id>", flows.FlowDetail.as_view(), name="api-flow"),
    path("flows/<uuid:flow_id>/log", flows.FlowLog.as_view()),
    path("flows/<uuid:flow_id>/decide", flows.Decide.as_view()),
    path("flows/<uuid:flow_id>/cancel", flows.CancelFlow.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/retry", flows.RetryStep.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/skip", flows.SkipStep.as_view()),
    path("runtime-logs", operation.RuntimeLogs.as_view()),
    path("notifications", notifications.Notifications.as_view()),
    path("notifications/read", notifications.ReadNotifications.as_view()),
    path("notifications/<int:notification_id>/read", notifications.ReadNotification.as_view()),
    path("mail", webhooks.Mail.as_view()),
    path("webhook-events", webhooks.Events.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<int:webhook_id>", webhooks.WebhookDetail.as_view()),
    path("webhooks/<int:webhook_id>/switch-on", webhooks.SwitchOn.as_view()),
    path("webhooks/<int:webhook_id>/switch-off", webhooks.SwitchOff.as_view()),
    path("webhooks/<int:webhook_id>/renew-secret", webhooks.RenewSecret.as_view()),
    path("webhooks/<int:webhook_id>/test", webhooks.TestWebhook.as_view()),
    path("webhooks/<int:webhook_id>/deliveries", webhooks.WebhookDeliveries.as_view()),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>", webhooks.WebhookDelivery.as_view()),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/send-again", webhooks.SendAgain.as_view()),
    path("audit", audit.AuditLog.as_view()),
    path("audit/verify", audit.AuditVerification.as_view()),
    path("audit/export", audit.AuditExport.as_view()),
]
