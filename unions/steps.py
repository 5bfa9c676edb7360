"""What the steps of this floor and the one above share: one call of the standard interface, carried across waits."""

from __future__ import annotations

from platforms.steps import GONE, perform, remove

__all__ = ["GONE", "perform", "remove"]
