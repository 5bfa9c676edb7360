"""The driver of a platform, built once and kept until the platform's row changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Hashable

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import NotSupported
from console.secrets import Sealed
from platforms.drivers.base import Driver, PartyCredential
from platforms.models import Platform, PlatformKind, PlatformVersion

_lock = threading.Lock()
_drivers: dict[int, tuple[Hashable, Driver]] = {}  # platform -> (what it was built from, driver)


def driver_for(platform: Platform) -> Driver:
    """The platform's driver; the same one until its address, certificate or files change (B8).

    A driver that is replaced is not closed here: somebody may be in the middle of a call. Its connections go with it.
    """
    mark = (platform.revision, platform.version_id, platform.base_url, platform.on_prem_base_url)
    with _lock:
        known = _drivers.get(platform.pk)
    if known is not None and known[0] == mark:
        return known[1]
    driver = build_driver(platform)
    with _lock:
        _drivers[platform.pk] = (mark, driver)
    return driver


def forget_drivers() -> None:
    """Build every driver anew when it is next asked for."""
    with _lock:
        _drivers.clear()


def build_driver(platform: Platform, version: PlatformVersion | None = None) -> Driver:
    """A new driver from the platform's row and the files of its version, or of another one."""
    version = version or platform.version
    if platform.kind == PlatformKind.EVM:
        return _evm_driver(platform)
    if platform.kind != PlatformKind.MAPPED or version is None:
        raise NotSupported(_("Native drivers of the kind %(kind)s are not built yet.") % {"kind": platform.kind})
    from platforms.drivers.mapped import MappedDriver

    addresses = {"default": platform.base_url}
    if platform.on_prem_base_url:
        addresses["on_prem"] = platform.on_prem_base_url
    return MappedDriver.from_text(
        api_file=version.api_file,
        mapping=version.mapping,
        addresses=addresses,
        allow_private=settings.ALLOW_PRIVATE_PLATFORMS,
        ca_certificate=platform.ca_certificate,
    )


def _evm_driver(platform: Platform) -> Driver:
    """Built with what the settings say of its kernel; the platform's own credential opens the registry of images."""
    from platforms.drivers.evm.driver import EvmDriver
    from platforms.drivers.evm.programs import Settings
    from platforms.hosts.docker import Limits
    from platforms.hosts.engine import Registry
    from platforms.hosts.spaces import space_of
    from platforms.services.native import book_of

    own = credentials_of(platform)
    chosen = Settings(
        kernel=platform.kernel,
        image=settings.EVM_IMAGES[platform.kernel],
        period=settings.EVM_BLOCK_SECONDS,
        limits=Limits(memory=settings.EVM_NODE_MEMORY[platform.kernel], cpus=settings.EVM_NODE_CPUS[platform.kernel]),
        archives=settings.EVM_IMAGE_ARCHIVES,
        registry=Registry(own.username, own.password),
        allow_private=settings.ALLOW_PRIVATE_PLATFORMS,
    )
    return EvmDriver(book=book_of(platform), spaces=space_of, settings=chosen)


def credentials_of(platform: Platform) -> PartyCredential:
    """The platform's own credential, as it was registered."""
    sealed = platform.credentials
    text = sealed.reveal() if isinstance(sealed, Sealed) else ""
    return PartyCredential(**(json.loads(text) if text else {}))
