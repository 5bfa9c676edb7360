"""The support site's view of this floor. Whatever is changed here is changed by a service; secrets are not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as django_groups  # noqa: F401 - registers what is taken off the site below
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget

from console.errors import ConsoleError
from console.models import (
    ApiToken,
    AuditEntry,
    Delivery,
    DeliveryAttempt,
    Flow,
    Notification,
    Step,
    StepLog,
    User,
    Webhook,
    WorkerSeen,
)
from console.services import flows, tokens, users, webhooks

admin.site.unregister(Group)  # rights follow from roles and memberships, not from Django's groups


class LookOnly:
    """Rows are looked at; services change them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SupportAdmin(LookOnly, ModelAdmin):
    """A support view, with actions that call a service for each chosen row."""

    list_per_page = 50
    show_full_result_count = False

    @admin.display(description=_("title"))
    def told_title(self, row: Any) -> str:
        """For rows whose title is a msgid."""
        return str(row.title_text)

    def carry_out(self, request: HttpRequest, rows: QuerySet[Any], service: Callable[[Any], object]) -> None:
        """Call the service for each chosen row; what it refuses is said, and the others go on."""
        done = 0
        for row in rows:
            try:
                service(row)
                done += 1
            except ConsoleError as problem:
                self.message_user(request, f"{row}: {problem.detail}", messages.ERROR)
        if done:
            self.message_user(request, gettext("Done for %(count)s.") % {"count": done}, messages.SUCCESS)


class _NoTransaction(admin.ModelAdmin):
    """Django wraps a form's saving in a transaction; a service opens its own, and wants to be the outermost."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]


class ServiceAdmin(ModelAdmin, _NoTransaction):
    """A form whose input goes to services; what they refuse is said above the form. The audit log keeps the record."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ConsoleError as problem:
            for text in [text for texts in problem.errors.values() for text in texts] or [problem.detail]:
                self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, *args: Any, **kwargs: Any) -> None: ...

    def log_change(self, *args: Any, **kwargs: Any) -> None: ...

    def save_related(self, *args: Any, **kwargs: Any) -> None: ...


# --- people -----------------------------------------------------------------------------------------------------------


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    password = forms.CharField(
        label=_("new password"), required=False, strip=False, widget=UnfoldAdminPasswordWidget(render_value=False)
    )

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "console_role", "language", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["password"] = ""
        if self.instance.pk is None:
            self.fields["password"].required = True


@admin.register(User)
class UserAdmin(ServiceAdmin):
    form = UserForm
    fields = ("username", "email", "first_name", "console_role", "language", "is_active", "password")
    list_display = ("username", "first_name", "email", "console_role", "is_active", "last_login")
    list_filter = ("console_role", "is_active")
    search_fields = ("username", "first_name", "email")
    ordering = ("username",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Name, address and language are the user's own, who keeps them on the profile page."""
        return ("is_active",) if obj is None else ("username", "email", "first_name", "language")

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> User:
        return User.objects.get(pk=form.instance.pk) if change else form.instance

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        data, actor = form.cleaned_data, request.user
        if not change:
            made = users.create_user(
                actor=actor,  # type: ignore[arg-type]
                username=data["username"],
                password=data["password"],
                email=data["email"],
                name=data["first_name"],
                console_role=data["console_role"],
                language=data["language"],
            )
            obj.pk = made.pk
            return
        if "console_role" in form.changed_data:
            users.set_role(actor=actor, user_id=obj.pk, console_role=data["console_role"])  # type: ignore[arg-type]
        if "is_active" in form.changed_data:
            switch = users.enable_user if data["is_active"] else users.disable_user
            switch(actor=actor, user_id=obj.pk)  # type: ignore[arg-type]
        if data["password"]:
            users.reset_password(actor=actor, user_id=obj.pk, new_password=data["password"])  # type: ignore[arg-type]


@admin.register(ApiToken)
class ApiTokenAdmin(SupportAdmin):
    list_display = ("name", "user", "hint", "read_only", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    list_filter = ("read_only",)
    search_fields = ("name", "user__username", "hint")
    exclude = ("digest",)
    actions = ("revoke_tokens",)

    @admin.action(description=_("Revoke the chosen tokens"))
    def revoke_tokens(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        self.carry_out(request, rows, lambda row: tokens.revoke_any_token(actor=request.user, token_id=row.pk))  # type: ignore[arg-type]


@admin.register(Notification)
class NotificationAdmin(SupportAdmin):
    list_display = ("told_title", "user", "kind", "created_at", "read_at")
    list_select_related = ("user",)
    list_filter = ("kind",)
    search_fields = ("user__username", "title")


@admin.register(Webhook)
class WebhookAdmin(SupportAdmin):
    list_display = ("name", "owner", "url", "state", "failures", "last_success_at", "last_failure_at")
    list_select_related = ("owner",)
    list_filter = ("state",)
    search_fields = ("name", "url", "owner__username")
    exclude = ("secret", "previous_secret")
    actions = ("switch_off_webhooks",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return super().get_queryset(request).defer("secret", "previous_secret")

    @admin.action(description=_("Switch the chosen webhooks off"))
    def switch_off_webhooks(self, request: HttpRequest, rows: QuerySet[Webhook]) -> None:
        self.carry_out(
            request,
            rows,
            lambda row: webhooks.switch_off_any_webhook(actor=request.user, webhook_id=row.pk),  # type: ignore[arg-type]
        )


class AttemptInline(LookOnly, TabularInline):
    model = DeliveryAttempt
    fields = ("number", "began_at", "ended_at", "status", "code", "detail")
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(SupportAdmin):
    list_display = (
        "told_title",
        "channel",
        "webhook",
        "user",
        "state",
        "attempts_made",
        "due_at",
        "code",
        "created_at",
    )
    list_select_related = ("notification", "webhook", "user")
    list_filter = ("channel", "state")
    search_fields = ("user__username", "webhook__name")
    exclude = ("owner",)
    inlines = (AttemptInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("webhook__secret", "webhook__previous_secret")


# --- work -------------------------------------------------------------------------------------------------------------


class StepInline(LookOnly, TabularInline):
    model = Step
    fields = ("number", "name", "state", "tries", "due_at", "started_at", "ended_at", "error", "undo_error")
    extra = 0
    show_change_link = True


class StepLogInline(LookOnly, TabularInline):
    model = StepLog
    fields = ("at", "message", "data")
    extra = 0


@admin.register(Flow)
class FlowAdmin(SupportAdmin):
    list_display = ("told_title", "kind", "state", "requested_by", "subject_label", "created_at", "ended_at", "page")
    list_select_related = ("requested_by",)
    list_filter = ("state", "kind")
    search_fields = ("id", "subject_label", "kind", "requested_by__username")
    inlines = (StepInline,)
    actions = ("cancel_flows",)

    @admin.display(description=_("page"))
    def page(self, flow: Flow) -> SafeString:
        address = reverse("console:flow-detail", args=[flow.pk])
        return format_html('<a href="{}">{}</a>', address, gettext("in the console"))

    @admin.action(description=_("Cancel the chosen flows and take back what they did"))
    def cancel_flows(self, request: HttpRequest, rows: QuerySet[Flow]) -> None:
        self.carry_out(request, rows, lambda row: flows.cancel_flow(actor=request.user, flow_id=row.pk))  # type: ignore[arg-type]


@admin.register(Step)
class StepAdmin(SupportAdmin):
    list_display = ("name", "flow", "state", "tries", "due_at", "lease_until", "worker")
    list_select_related = ("flow",)
    list_filter = ("state", "action")
    search_fields = ("flow__id", "name", "action")
    ordering = ("-flow__created_at", "number")
    exclude = ("owner",)
    inlines = (StepLogInline,)
    actions = ("retry_steps", "skip_steps")

    @admin.action(description=_("Try the chosen steps again now"))
    def retry_steps(self, request: HttpRequest, rows: QuerySet[Step]) -> None:
        self._each(request, rows, flows.retry_step)

    @admin.action(description=_("Skip the chosen steps"))
    def skip_steps(self, request: HttpRequest, rows: QuerySet[Step]) -> None:
        self._each(request, rows, flows.skip_step)

    def _each(self, request: HttpRequest, rows: QuerySet[Step], service: Callable[..., object]) -> None:
        self.carry_out(request, rows, lambda row: service(actor=request.user, flow_id=row.flow_id, step_id=row.pk))


@admin.register(WorkerSeen)
class WorkerSeenAdmin(SupportAdmin):
    list_display = ("name", "started_at", "seen_at", "swept_at")


# --- the record -------------------------------------------------------------------------------------------------------


@admin.register(AuditEntry)
class AuditEntryAdmin(SupportAdmin):
    list_display = ("number", "at", "action", "actor_label", "target_label")
    list_filter = ("action",)
    search_fields = ("action", "actor_label", "target_label", "target_id")
    date_hierarchy = "at"
    exclude = ("actor",)  # whoever it was may be gone; the label stays
