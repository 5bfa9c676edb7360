"""Every address of the console. A floor above brings its own: `<app>.urls` for pages, `<app>.api.urls` for REST."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

FLOORS = ("console", "platforms", "unions", "chains")


def _addresses(name: str) -> list[URLPattern | URLResolver]:
    """What the floors have under `<app>.<name>`; a floor without the file has none of it."""
    modules = [f"{floor}.{name}" for floor in FLOORS if _is_there(f"{floor}.{name}") and f"{floor}.{name}" != __name__]
    return [path("", include(module)) for module in modules]


def _is_there(module: str) -> bool:
    return bool(find_spec(module.rpartition(".")[0]) and find_spec(module))


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(_addresses("api.urls"))),
    path("admin/", admin.site.urls),
    *_addresses("pages"),
    *_addresses("urls"),
]
