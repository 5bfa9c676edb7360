"""Addresses of this floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from platforms.api import views

urlpatterns = [
    path("platforms", views.Platforms.as_view()),
    path("platforms/check", views.CheckFiles.as_view()),
    path("platforms/dry-run", views.DryRunFiles.as_view()),
    path("platforms/schema", views.MappingSchema.as_view(), name="mapping-schema"),
    path("platform-presets", views.Presets.as_view()),
    path("platform-presets/<str:name>", views.PresetDetail.as_view()),
    path("platforms/<str:oemtype>", views.PlatformDetail.as_view()),
    path("platforms/<str:oemtype>/dependants", views.PlatformDependants.as_view()),
    path("platforms/<str:oemtype>/retire", views.RetirePlatform.as_view()),
    path("platforms/<str:oemtype>/upgrade-nodes", views.UpgradeNodes.as_view()),
    path("platforms/<str:oemtype>/versions/<int:number>", views.PlatformVersionDetail.as_view()),
    path("platforms/<str:oemtype>/use-version", views.UsePlatformVersion.as_view()),
    path("platforms/<str:oemtype>/operations/<str:operation>", views.Operate.as_view()),
]
