"""Who is united with whom, as a picture over the unions of every platform."""

from __future__ import annotations

import pytest

from console.models import User
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, departments
from unions.models import MemberState, Union, UnionMember
from unions.views import topology
from unions.views.topology import Tie, web


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def drawn(*unions: Union) -> topology.Web:
    found = web(unions)
    assert found is not None
    return found


def test_unions_and_their_members_are_tied(cast: Cast) -> None:
    permits = active_union(cast, cast.tax, cast.housing, name="Permits")
    benefits = active_union(cast, cast.housing, cast.social, name="Benefits")
    permits.members.filter(organization=cast.tax).update(state=MemberState.QUITTING)
    picture = drawn(permits, benefits)
    assert [row.label for row in picture.unions] == ["Benefits", "Permits"]
    assert {row.hint for row in picture.unions} == {cast.platform.name}
    at = {row.label: row.y for row in (*picture.unions, *picture.organizations)}
    assert set(picture.ties) == {
        Tie(at["Benefits"], at["Social Security"], settled=True),
        Tie(at["Benefits"], at["Housing Office"], settled=True),
        Tie(at["Permits"], at["Housing Office"], settled=True),
        Tie(at["Permits"], at["Tax Bureau"], settled=False),
    }
    assert at["Social Security"] < at["Housing Office"] < at["Tax Bureau"], (
        "beside their unions: no line crosses another"
    )
    assert all(0 < y < picture.height for y in at.values())


def test_one_union_and_very_many_are_not_drawn(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = active_union(cast, name="One"), active_union(cast, name="Other")
    assert web([]) is None
    assert web([one]) is None
    assert drawn(one, other).organizations
    monkeypatch.setattr(topology, "MAX_ORGANIZATIONS", 1)
    assert web([one, other]) is None
    monkeypatch.undo()
    monkeypatch.setattr(topology, "MAX_UNIONS", 1)
    assert web([one, other]) is None
    monkeypatch.undo()
    UnionMember.objects.update(state=MemberState.LEFT)
    assert web(Union.objects.all()) is None, "nobody is in them any more"
