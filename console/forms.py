"""Forms of this floor: they read what a person typed; whether it is allowed, services say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console import kinds
from console.services.webhooks import MAX_NAME, MAX_URL


class SecretInput(forms.PasswordInput):
    """A field for a credential: hidden, never filled in again, no password manager."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"})


class SecretText(forms.Textarea):
    """A credential of many lines, like a certificate with its private key: never filled in again either."""

    def format_value(self, value: Any) -> None:
        return None


class SignInForm(AuthenticationForm):
    """User name and password."""

    use_required_attribute = False

    error_messages = {
        "invalid_login": _("Unknown user name or wrong password. Check both; capital letters count."),
        "inactive": _("This account has been switched off. Ask an administrator of the console."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["password"].label = _("Password")


class ProfileForm(forms.Form):
    """How one is called, where mail goes, and the language of pages and mail."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("As colleagues know you. Without it, your user name is shown."),
    )
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As the browser asks for")), *settings.LANGUAGES],
        help_text=_("Of these pages and of what is sent to you."),
    )


class PasswordForm(forms.Form):
    """The old password, and a new one twice."""

    old_password = forms.CharField(
        label=_("Your password now"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not only digits, not a common word."),
    )
    again = forms.CharField(
        label=_("New password, again"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new_password"):
            raise forms.ValidationError(_("The two new passwords differ."))
        return again


class TokenForm(forms.Form):
    """A token for a program."""

    DAYS = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("Never"))]

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Permit server")}),
        help_text=_("What will use it, so that you know later."),
    )
    days = forms.ChoiceField(label=_("Expires after"), choices=DAYS, initial="90", required=False)
    read_only = forms.BooleanField(
        label=_("Read only"), required=False, help_text=_("It can look at everything you see, and change nothing.")
    )

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def _events() -> list[tuple[str, Any]]:
    return [(kind.name, kind.title) for kind in kinds.events()]


class WebhookForm(forms.Form):
    """An address, and what it is told."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Permit server")}),
        help_text=_("What receives it, so that you know later."),
    )
    url = forms.CharField(
        label=_("Address"),
        max_length=MAX_URL,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://permits.example.gov/concord"}),
        help_text=_("The console sends a POST request there for each notification. Redirects are not followed."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=_events,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose none to get every event."),
    )


class NewWebhookForm(WebhookForm):
    """A new one; administrators say whose it is."""

    for_console = forms.BooleanField(
        label=_("For the whole console"),
        required=False,
        help_text=_("It gets what anybody is told, and every administrator looks after it."),
    )


class MailForm(forms.Form):
    """What mail is wanted for."""

    wanted = forms.MultipleChoiceField(
        label=_("Send me mail about"),
        choices=kinds.Group.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def by_group(self) -> dict[str, bool]:
        return {group: group in self.cleaned_data["wanted"] for group in kinds.Group.values}
