"""Pages of this floor."""

from __future__ import annotations

from django.conf import settings
from django.urls import path

from console.views import account, audit, dashboard, flows, mail, notifications, search, tokens, webhooks

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
    path("profile/mail", mail.MailList.as_view(), name="mail-list"),
    path("profile/mail/wanted", mail.MailWishes.as_view(), name="mail-wishes"),
    path("profile/mail/test", mail.TestMail.as_view(), name="mail-test"),
    path("profile/mail/<int:delivery_id>/again", mail.SendMailAgain.as_view(), name="mail-again"),
    path("webhooks", webhooks.WebhookList.as_view(), name="webhook-list"),
    path("webhooks/new", webhooks.WebhookCreate.as_view(), name="webhook-create"),
    path("webhooks/<int:webhook_id>", webhooks.WebhookDetail.as_view(), name="webhook-detail"),
    path("webhooks/<int:webhook_id>/change", webhooks.WebhookChange.as_view(), name="webhook-change"),
    path("webhooks/<int:webhook_id>/on", webhooks.SwitchOn.as_view(), name="webhook-on"),
    path("webhooks/<int:webhook_id>/off", webhooks.SwitchOff.as_view(), name="webhook-off"),
    path("webhooks/<int:webhook_id>/test", webhooks.TestWebhook.as_view(), name="webhook-test"),
    path("webhooks/<int:webhook_id>/renew-secret", webhooks.RenewSecret.as_view(), name="webhook-renew"),
    path("webhooks/<int:webhook_id>/delete", webhooks.DeleteWebhook.as_view(), name="webhook-delete"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>",
        webhooks.DeliveryDetail.as_view(),
        name="delivery-detail",
    ),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/again",
        webhooks.SendAgain.as_view(),
        name="delivery-again",
    ),
    path("search", search.Search.as_view(), name="search"),
    path("notifications", notifications.NotificationList.as_view(), name="notification-list"),
    path("notifications/read", notifications.MarkAllRead.as_view(), name="notification-read-all"),
    path("notifications/<int:notification_id>/read", notifications.MarkRead.as_view(), name="notification-read"),
    path("flows", flows.FlowList.as_view(), name="flow-list"),
    path("flows/<uuid:flow_id>", flows.FlowDetail.as_view(), name="flow-detail"),
    path("flows/<uuid:flow_id>/log", flows.FlowLog.as_view(), name="flow-log"),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/decide", flows.DecideStep.as_view(), name="step-decide"),
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
