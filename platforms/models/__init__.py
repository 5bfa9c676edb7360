"""The registry of platforms."""

from platforms.models.platforms import (
    ENDED_PLATFORM_STATES,
    Cloudtype,
    Health,
    Kernel,
    Platform,
    PlatformKind,
    PlatformState,
    PlatformVersion,
    Tenant,
)

__all__ = [
    "ENDED_PLATFORM_STATES",
    "Cloudtype",
    "Health",
    "Kernel",
    "Platform",
    "PlatformKind",
    "PlatformState",
    "PlatformVersion",
    "Tenant",
]
