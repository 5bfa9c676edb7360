"""Addresses of this floor's pages."""

from __future__ import annotations

from django.urls import path

from platforms import views
from platforms.views import studio

app_name = "platforms"

urlpatterns = [
    path("platforms", views.PlatformList.as_view(), name="platform-list"),
    path("platforms/new", views.PlatformRegister.as_view(), name="platform-register"),
    path("platforms/new/native", views.NativeRegister.as_view(), name="native-register"),
    path("platforms/check", views.PlatformCheck.as_view(), name="platform-check"),
    path("platforms/studio", studio.StudioStart.as_view(), name="studio"),
    path("platforms/studio/presets/<str:slug>", studio.BeginFromPreset.as_view(), name="studio-preset"),
    path("platforms/studio/<int:draft_id>", studio.DraftMapping.as_view(), name="studio-draft"),
    path("platforms/studio/<int:draft_id>/part", studio.MappingPart.as_view(), name="studio-part"),
    path("platforms/studio/<int:draft_id>/api", studio.DraftApi.as_view(), name="studio-api"),
    path("platforms/studio/<int:draft_id>/samples", studio.DraftSamples.as_view(), name="studio-samples"),
    path("platforms/studio/<int:draft_id>/register", studio.DraftRegister.as_view(), name="studio-register"),
    path("platforms/studio/<int:draft_id>/version", studio.DraftVersion.as_view(), name="studio-version"),
    path("platforms/studio/<int:draft_id>/discard", studio.DiscardDraft.as_view(), name="studio-discard"),
    path("platforms/studio/<int:draft_id>/files/<str:name>", studio.DraftFile.as_view(), name="studio-file"),
    path(
        "platforms/studio/<int:draft_id>/interfaces/<str:operation>",
        studio.InterfacePage.as_view(),
        name="studio-interface",
    ),
    path("platforms/<int:platform_id>/row", views.PlatformByNumber.as_view(), name="platform-by-number"),
    path("platforms/<str:oemtype>", views.PlatformDetail.as_view(), name="platform-detail"),
    path("platforms/<str:oemtype>/change", views.PlatformChange.as_view(), name="platform-change"),
    path("platforms/<str:oemtype>/studio", studio.BeginFromPlatform.as_view(), name="studio-platform"),
    path("platforms/<str:oemtype>/retire", views.RetirePlatform.as_view(), name="platform-retire"),
    path("platforms/<str:oemtype>/upgrade", views.NodesUpgrade.as_view(), name="nodes-upgrade"),
    path("platforms/<str:oemtype>/versions/<int:number>", views.PlatformVersionPage.as_view(), name="version-detail"),
    path("platforms/<str:oemtype>/versions/<int:number>/use", views.UseVersion.as_view(), name="version-use"),
]
