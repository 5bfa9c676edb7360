"""The support site: for administrators of the console, behind the console's own sign-in, with a policy of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from unfold.sites import UnfoldAdminSite

from console.policies import may_administer, require

# Its pages are drawn with Alpine, which reads expressions out of attributes. Only administrators ever see them.
POLICY = {"script-src": [UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


class ConsoleAdminSite(UnfoldAdminSite):
    """Django's admin site with the console's rights: being an administrator is what counts, not flags of Django's."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(may_administer(request.user))  # type: ignore[arg-type]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        return csp_update(POLICY)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The console's own sign-in; who is signed in and no administrator is told so."""
        if request.user.is_authenticated:
            require(may_administer(request.user))  # type: ignore[arg-type]
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", resolve_url("admin:index")), resolve_url(settings.LOGIN_URL))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        logout(request)
        return redirect(settings.LOGIN_URL)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("console:password-change")
