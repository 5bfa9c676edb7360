"""Addresses of the ground floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from console.api.views import audit, flows, notifications, operation, tokens

urlpatterns = [
    path("me", operation.Me.as_view()),
    path("tokens", tokens.Tokens.as_view()),
    path("tokens/<int:token_id>", tokens.TokenDetail.as_view()),
    path("flows", flows.Flows.as_view()),
    path("flows/<uuid:flow_id>", flows.FlowDetail.as_view(), name="api-flow"),
    path("flows/<uuid:flow_id>/log", flows.FlowLog.as_view()),
    path("flows/<uuid:flow_id>/cancel", flows.CancelFlow.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/retry", flows.RetryStep.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/skip", flows.SkipStep.as_view()),
    path("runtime-logs", operation.RuntimeLogs.as_view()),
    path("notifications", notifications.Notifications.as_view()),
    path("notifications/read", notifications.ReadNotifications.as_view()),
    path("notifications/<int:notification_id>/read", notifications.ReadNotification.as_view()),
    path("audit", audit.AuditLog.as_view()),
    path("audit/verify", audit.AuditVerification.as_view()),
    path("audit/export", audit.AuditExport.as_view()),
]
