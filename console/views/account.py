"""Signing in and out, the language, and one's own account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext_lazy as _

from console.forms import PasswordForm, ProfileForm, SignInForm
from console.models import User
from console.services import users as service
from console.views.base import Page, ServiceFormView
from console.views.mail import wishes


def remember_language(answer: HttpResponse, code: str) -> HttpResponse:
    """Keep the language in the browser; without one, what the browser asks for counts again."""
    if code:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    else:
        answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return answer


class Login(LoginView):
    """User name and password; the user's language comes along."""

    authentication_form = SignInForm
    template_name = "console/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        user: User = form.get_user()
        return remember_language(answer, user.language) if user.language else answer


class Logout(LogoutView):
    """Out, and back to the door."""


class SetLanguage(Page):
    """Switch the language: in the browser, and for whoever is signed in on the account."""

    public = True
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        back = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
            back = "/"
        code = request.POST.get("language", "")
        answer = HttpResponseRedirect(back)
        if code not in dict(settings.LANGUAGES) or not check_for_language(code):
            return answer
        if request.user.is_authenticated:
            service.set_language(actor=self.actor, language=code)
        return remember_language(answer, code)


class Profile(ServiceFormView):
    """Name, e-mail, language, and what mail is wanted for."""

    form_class = ProfileForm
    template_name = "console/profile.html"
    success_url = reverse_lazy("console:profile")
    success_message = _("Your profile was saved.")

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.actor.get_full_name(), "email": self.actor.email, "language": self.actor.language}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | wishes(self.actor)

    def perform(self, form: Any) -> User:
        return service.update_profile(actor=self.actor, **form.cleaned_data)

    def done(self, result: User) -> HttpResponse:
        return remember_language(super().done(result), result.language)


class ChangePassword(ServiceFormView):
    """The old one proves who asks; other sessions end, this one stays."""

    form_class = PasswordForm
    template_name = "console/password_change.html"
    success_url = reverse_lazy("console:profile")
    success_message = _("Your password was changed. Other browsers are signed out.")

    def perform(self, form: Any) -> User:
        data = form.cleaned_data
        return service.change_password(
            actor=self.actor, old_password=data["old_password"], new_password=data["new_password"]
        )

    def done(self, result: User) -> HttpResponse:
        update_session_auth_hash(self.request, result)
        return super().done(result)
