"""Pages of the mapping studio."""

from platforms.views.studio.draft import (
    DiscardDraft,
    DraftApi,
    DraftFile,
    DraftMapping,
    DraftSamples,
    MappingPart,
)
from platforms.views.studio.ending import DraftRegister, DraftVersion
from platforms.views.studio.interface import InterfacePage
from platforms.views.studio.start import BeginFromPlatform, BeginFromPreset, StudioStart

__all__ = [
    "BeginFromPlatform",
    "BeginFromPreset",
    "DiscardDraft",
    "DraftApi",
    "DraftFile",
    "DraftMapping",
    "DraftRegister",
    "DraftSamples",
    "DraftVersion",
    "InterfacePage",
    "MappingPart",
    "StudioStart",
]
