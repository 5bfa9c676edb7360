"""Parsed files, kept by their text: a registration reads the same files for its fields, its check and its driver.

What is kept is shared, so nobody may change it. Long texts are not kept: what they unfold to takes too much memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

Parsed = TypeVar("Parsed")
KEPT_TEXTS = 32
KEPT_LENGTH = 256 * 1024  # characters


def remembered(parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """`parse`, which is not asked again for one of the last texts. What it refuses is read again each time."""
    known = functools.lru_cache(maxsize=KEPT_TEXTS)(parse)

    @functools.wraps(parse)
    def read(text: str) -> Parsed:
        return known(text) if len(text) <= KEPT_LENGTH else parse(text)

    return read
