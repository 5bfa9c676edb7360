"""Every address of the console. A floor brings its own: `<app>.urls` for pages, `<app>.api.urls` for REST."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.functional import lazy
from django.views.generic import RedirectView

from console import probes
from console.api.views import documentation

FLOORS_ABOVE = ("platforms", "unions", "chains")
FLOORS = ("console", *FLOORS_ABOVE)

MARK = lazy(static, str)("console/favicon.svg")  # its name in production is known once the static files are collected

handler400 = "console.handlers.bad_request"
handler403 = "console.handlers.permission_denied"
handler404 = "console.handlers.page_not_found"
handler500 = "console.handlers.server_error"


def _addresses(*modules: str) -> list[URLPattern | URLResolver]:
    """What the modules list; a floor without the file has none of it."""
    return [path("", include(module)) for module in modules if _is_there(module)]


def _is_there(module: str) -> bool:
    return bool(find_spec(module.rpartition(".")[0]) and find_spec(module))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("metrics", probes.metrics),
    path("favicon.ico", RedirectView.as_view(url=MARK)),
    path("api/schema/", documentation.Schema.as_view(), name="api-schema"),
    path("api/docs/", documentation.Docs.as_view(), name="api-docs"),
    path("api/v1/", include(_addresses(*(f"{floor}.api.urls" for floor in FLOORS)))),
    re_path(r"^api/", documentation.NotThere.as_view()),
    path("admin/", admin.site.urls),
    *_addresses("console.pages", *(f"{floor}.urls" for floor in FLOORS_ABOVE)),
]
