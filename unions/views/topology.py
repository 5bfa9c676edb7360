"""A union as a picture: its members around it. Places are worked out here, drawn by an SVG in the template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unions.models import UnionMember

WIDTH, HEIGHT = 640, 260
RADIUS_X, RADIUS_Y = 230, 88
MAX_DRAWN = 12  # beyond that a picture says less than the list below it
MAX_LABEL = 22  # characters


@dataclass(frozen=True)
class Spot:
    """One member's place in the picture."""

    member: UnionMember
    x: int
    y: int
    label: str
    label_y: int


def topology(members: Sequence[UnionMember]) -> list[Spot]:
    """Members on an ellipse, the first at the left; nothing when they are too many or only one."""
    if not 2 <= len(members) <= MAX_DRAWN:
        return []
    return [_spot(member, number, len(members)) for number, member in enumerate(members)]


def _spot(member: UnionMember, number: int, count: int) -> Spot:
    angle = math.pi + 2 * math.pi * number / count
    x = round(WIDTH / 2 + RADIUS_X * math.cos(angle))
    y = round(HEIGHT / 2 + RADIUS_Y * math.sin(angle))
    name = member.organization.name
    label = name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"
    return Spot(member, x, y, label, y - 22 if y < HEIGHT / 2 - 10 else y + 32)
