"""Pages of this floor."""

from platforms.views.files import PlatformCheck
from platforms.views.native import NativeRegister, NodesUpgrade
from platforms.views.platforms import (
    PlatformByNumber,
    PlatformChange,
    PlatformDetail,
    PlatformList,
    PlatformRegister,
    PlatformVersionPage,
    RetirePlatform,
    UseVersion,
)

__all__ = [
    "NativeRegister",
    "NodesUpgrade",
    "PlatformByNumber",
    "PlatformChange",
    "PlatformCheck",
    "PlatformDetail",
    "PlatformList",
    "PlatformRegister",
    "PlatformVersionPage",
    "RetirePlatform",
    "UseVersion",
]
