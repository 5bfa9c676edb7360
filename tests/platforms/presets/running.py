"""Carrying an operation through, as a flow's step does: position through JSON, waits not waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from platforms.drivers.base import Credentials, Finished, Pending
from platforms.drivers.mapped import MappedDriver
from platforms.presets import preset
from platforms.standard import OPERATIONS


def preset_driver(slug: str, address: str, values: Mapping[str, str] | None = None) -> MappedDriver:
    chosen = preset(slug)
    return MappedDriver.from_text(
        api_file=chosen.api_file,
        mapping=chosen.mapping_with(values or {}),
        addresses={"default": address},
        allow_private=True,
    )


def carry(
    driver: MappedDriver, operation: str, request: dict[str, Any], credentials: Credentials, key: str = "k-1"
) -> Any:
    """The operation's answer. Every wait is a crash: what goes on is what was written down as JSON."""
    return carried(driver, operation, request, credentials, key)[0]


def carried(
    driver: MappedDriver, operation: str, request: dict[str, Any], credentials: Credentials, key: str = "k-1"
) -> tuple[Any, list[Pending]]:
    """The operation's answer, and the waits before it."""
    asked = OPERATIONS[operation].request.model_validate(request)
    waits: list[Pending] = []
    position = None
    for _turn in range(200):
        result = driver.perform(operation, asked, credentials=credentials, key=key, position=position)
        if isinstance(result, Finished):
            return result.answer, waits
        waits.append(result)
        position = json.loads(json.dumps(result.position))
    raise AssertionError(f"{operation} does not end")
