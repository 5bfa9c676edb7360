"""The driver of a platform, built once and kept until the platform's row changes."""

from __future__ import annotations

import json
import threading

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import NotSupported
from platforms.drivers.base import Driver, PartyCredential
from platforms.models import Platform, PlatformKind

_lock = threading.Lock()
_drivers: dict[int, tuple[int, Driver]] = {}  # platform -> (revision, driver)


def driver_for(platform: Platform) -> Driver:
    """The platform's driver; the same one until `platform.revision` grows (B8)."""
    with _lock:
        known = _drivers.get(platform.pk)
        if known is not None and known[0] == platform.revision:
            return known[1]
        driver = build_driver(platform)
        _drivers[platform.pk] = (platform.revision, driver)
    if known is not None:
        known[1].close()
    return driver


def build_driver(platform: Platform) -> Driver:
    """A new driver from the platform's row and the files of its version."""
    if platform.kind != PlatformKind.MAPPED or platform.version is None:
        raise NotSupported(_("Native drivers of the kind %(kind)s are not built yet.") % {"kind": platform.kind})
    from platforms.drivers.mapped import MappedDriver

    addresses = {"default": platform.base_url}
    if platform.on_prem_base_url:
        addresses["on_prem"] = platform.on_prem_base_url
    return MappedDriver.from_text(
        api_file=platform.version.api_file,
        mapping=platform.version.mapping,
        addresses=addresses,
        allow_private=settings.ALLOW_PRIVATE_PLATFORMS,
        ca_certificate=platform.ca_certificate,
    )


def credentials_of(platform: Platform) -> PartyCredential:
    """The platform's own credential, as it was registered."""
    text = platform.credentials.reveal() if platform.credentials else ""
    return PartyCredential(**(json.loads(text) if text else {}))
