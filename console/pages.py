"""Pages of this floor."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from console.views import account, audit, dashboard, flows, notifications, search, tokens

app_name = "console"

urlpatterns = [
    path("", dashboard.Dashboard.as_view(), name="dashboard"),
    path("login", account.Login.as_view(), name="login"),
    path("logout", account.Logout.as_view(), name="logout"),
    path("language", account.SetLanguage.as_view(), name="set-language"),
    path("profile", account.Profile.as_view(), name="profile"),
    path("profile/password", account.ChangePassword.as_view(), name="password-change"),
    path("profile/tokens", tokens.TokenList.as_view(), name="token-list"),
    path("profile/tokens/<int:token_id>/revoke", tokens.RevokeToken.as_view(), name="token-revoke"),
    path("search", search.Search.as_view(), name="search"),
    path("notifications", notifications.NotificationList.as_view(), name="notification-list"),
    path("notifications/read", notifications.MarkAllRead.as_view(), name="notification-read-all"),
    path("notifications/<int:notification_id>/read", notifications.MarkRead.as_view(), name="notification-read"),
    path("flows", flows.FlowList.as_view(), name="flow-list"),
    path("flows/<uuid:flow_id>", flows.FlowDetail.as_view(), name="flow-detail"),
    path("flows/<uuid:flow_id>/cancel", flows.CancelFlow.as_view(), name="flow-cancel"),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/retry", flows.RetryStep.as_view(), name="step-retry"),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/skip", flows.SkipStep.as_view(), name="step-skip"),
    path("audit", audit.AuditList.as_view(), name="audit-list"),
    path("audit/verify", audit.VerifyAudit.as_view(), name="audit-verify"),
    path("audit/export", audit.ExportAudit.as_view(), name="audit-export"),
    path("audit/<int:number>", audit.AuditDetail.as_view(), name="audit-detail"),
]

if settings.DEBUG:
    from console.views import style

    urlpatterns.append(path("style", style.StyleGuide.as_view(), name="style"))
