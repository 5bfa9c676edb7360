"""Addresses of this floor's pages."""

from __future__ import annotations

from django.urls import path

from platforms import views

app_name = "platforms"

urlpatterns = [
    path("platforms", views.PlatformList.as_view(), name="platform-list"),
    path("platforms/new", views.PlatformRegister.as_view(), name="platform-register"),
    path("platforms/check", views.PlatformCheck.as_view(), name="platform-check"),
    path("platforms/<int:platform_id>/row", views.PlatformByNumber.as_view(), name="platform-by-number"),
    path("platforms/<str:oemtype>", views.PlatformDetail.as_view(), name="platform-detail"),
    path("platforms/<str:oemtype>/change", views.PlatformChange.as_view(), name="platform-change"),
    path("platforms/<str:oemtype>/retire", views.RetirePlatform.as_view(), name="platform-retire"),
    path("platforms/<str:oemtype>/versions/<int:number>", views.PlatformVersionPage.as_view(), name="version-detail"),
    path("platforms/<str:oemtype>/versions/<int:number>/use", views.UseVersion.as_view(), name="version-use"),
]
