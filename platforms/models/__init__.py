"""The registry of platforms, and what native drivers have built."""

from platforms.models.drafts import ApiState, Draft
from platforms.models.native import NativeChain, NativeMember, NativeNetwork, NativeNode
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
    "ApiState",
    "Cloudtype",
    "Draft",
    "Health",
    "Kernel",
    "NativeChain",
    "NativeMember",
    "NativeNetwork",
    "NativeNode",
    "Platform",
    "PlatformKind",
    "PlatformState",
    "PlatformVersion",
    "Tenant",
]
