"""The registry of platforms, and what native drivers have built."""

from platforms.models.drafts import ApiState, Draft
from platforms.models.native import (
    NativeAccount,
    NativeChain,
    NativeMember,
    NativeNetwork,
    NativeNode,
    NativeSending,
)
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
    "NativeAccount",
    "NativeChain",
    "NativeMember",
    "NativeNetwork",
    "NativeNode",
    "NativeSending",
    "Platform",
    "PlatformKind",
    "PlatformState",
    "PlatformVersion",
    "Tenant",
]
