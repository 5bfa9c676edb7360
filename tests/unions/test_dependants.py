"""What hangs on a platform keeps it from being retired, and is named."""

from __future__ import annotations

import pytest
from django.test import Client

from console.errors import Conflict
from console.models import User
from platforms.dependants import hanging_on
from platforms.models import Platform, PlatformState
from platforms.services.platforms import retire_platform
from tests.unions.cast import active_union, cloud, departments
from unions.frame import unions_by_platform
from unions.models import UnionState
from unions.services import registrations


def test_unions_spaces_and_registrations_hang_on_it(platform: Platform, root: User) -> None:
    assert hanging_on(platform) == []
    cast = departments(platform, root)
    active_union(cast)
    registrations.register(
        username="erin", password="correct horse battery", email="e@x.example", organization=cloud("Health", "t-3")
    )
    assert [str(each) for each in hanging_on(platform)] == [
        "1 registration that waits for a decision (Health)",
        "2 organizations with a tenant space (Housing Office, Tax Bureau)",
        "1 union (Building permits)",
    ]
    with pytest.raises(Conflict, match="Building permits"):
        retire_platform(actor=root, oemtype="testbed")
    assert platform.state == PlatformState.OFFICIAL


def test_a_deleted_union_is_history(platform: Platform, root: User) -> None:
    cast = departments(platform, root)
    union = active_union(cast)
    type(union).objects.filter(pk=union.pk).update(state=UnionState.DELETED)
    assert "unions" not in {str(each.title) for each in hanging_on(platform)}


def test_a_platforms_page_shows_the_unions_that_the_reader_sees(platform: Platform, root: User) -> None:
    cast = departments(platform, root)
    active_union(cast)
    for reader, seen in ((root, True), (cast.alice, True)):
        browser = Client()
        browser.force_login(reader)
        assert ("Building permits" in browser.get("/platforms/testbed").content.decode()) is seen
    assert unions_by_platform(cast.alice, [platform.pk]) == {platform.pk: 1}
    type(active_union(cast, name="Second")).objects.update(state=UnionState.DELETED)
    assert unions_by_platform(root, [platform.pk]) == {}
