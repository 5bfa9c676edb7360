"""Pages of this floor."""

from platforms.views.files import PlatformCheck
from platforms.views.native import NativeRegister
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
