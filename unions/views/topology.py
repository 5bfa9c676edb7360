"""Who is united with whom, as pictures: one union with its members around it, and many unions beside each other.

Places are worked out here, drawn by an SVG in the template.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from unions.models import Organization, Union, UnionMember

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
    return Spot(member, x, y, _label(member.organization.name), y - 22 if y < HEIGHT / 2 - 10 else y + 32)


def _label(name: str) -> str:
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1]}…"


# --- many unions: they stand at the left, whoever is in them at the right, and lines say who is in which -------------

MAX_UNIONS, MAX_ORGANIZATIONS = 15, 24
ROW = 40  # from one line of text to the next


@dataclass(frozen=True)
class Row:
    """A union, with the platform that it is on, or an organization."""

    label: str
    hint: str
    y: int


@dataclass(frozen=True)
class Tie:
    """A membership: from a union's place to an organization's."""

    y_union: int
    y_organization: int
    settled: bool  # else it comes or goes


@dataclass(frozen=True)
class Web:
    height: int
    unions: list[Row]
    organizations: list[Row]
    ties: list[Tie]


def web(unions: Sequence[Union]) -> Web | None:
    """Unions by their platforms, and their members; None for too many, none, and one, which has its own page."""
    ordered = sorted(unions, key=lambda union: (union.platform.name, union.name))
    everyone = {member.organization for union in ordered for member in union.present}
    if not 2 <= len(ordered) <= MAX_UNIONS or not 1 <= len(everyone) <= MAX_ORGANIZATIONS:
        return None
    height = ROW * max(len(ordered), len(everyone))
    at = dict(zip([union.pk for union in ordered], _spread(len(ordered), height), strict=True))
    members = [(union, member) for union in ordered for member in union.present]
    near = {each: fmean(at[union.pk] for union, member in members if member.organization == each) for each in everyone}
    beside: list[Organization] = sorted(everyone, key=lambda each: (near[each], each.name))  # so that few lines cross
    place = dict(zip(beside, _spread(len(beside), height), strict=True))
    return Web(
        height,
        [Row(_label(union.name), _label(union.platform.name), at[union.pk]) for union in ordered],
        [Row(_label(each.name), "", place[each]) for each in beside],
        [Tie(at[union.pk], place[member.organization], member.state == "active") for union, member in members],
    )


def _spread(count: int, height: int) -> list[int]:
    return [round(height * (number + 0.5) / count) for number in range(count)]
