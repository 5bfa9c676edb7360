"""The registry of platforms."""

from platforms.models.platforms import (
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
    "Cloudtype",
    "Health",
    "Kernel",
    "Platform",
    "PlatformKind",
    "PlatformState",
    "PlatformVersion",
    "Tenant",
]
