"""The REST layer of this floor: each view parses, calls a service, answers."""

from platforms.api.views.files import CheckFiles, DryRunFiles, MappingSchema
from platforms.api.views.native import UpgradeNodes
from platforms.api.views.operations import Operate
from platforms.api.views.platforms import (
    PlatformDependants,
    PlatformDetail,
    Platforms,
    PlatformVersionDetail,
    RetirePlatform,
    UsePlatformVersion,
)
from platforms.api.views.presets import PresetDetail, Presets

__all__ = [
    "CheckFiles",
    "DryRunFiles",
    "MappingSchema",
    "Operate",
    "PlatformDependants",
    "PlatformDetail",
    "PlatformVersionDetail",
    "Platforms",
    "PresetDetail",
    "Presets",
    "RetirePlatform",
    "UpgradeNodes",
    "UsePlatformVersion",
]
