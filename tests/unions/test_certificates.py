"""An organization is told that its client certificate ends: those who act for it, once at each threshold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.models import Notification, User
from platforms.models import Platform
from tests.rest import client
from tests.unions.cast import departments
from unions import tasks
from unions.models import MemberRole, Membership, ResourceSpace


def test_those_who_act_for_it_are_told_once_at_each_threshold(
    platform: Platform, root: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CERTIFICATE_WARNING_DAYS = (30, 7, 1)
    cast = departments(platform, root)
    Membership.objects.create(user=cast.dan, organization=cast.social, role=MemberRole.VIEWER)
    ends = timezone.now() + timedelta(days=40)
    ResourceSpace.objects.filter(organization=cast.social).update(tlscert_expires_at=ends)
    told = Notification.objects.filter(kind="certificate").order_by("pk")
    for left, count in ((40, 0), (29, 1), (28, 1), (6, 2), (0.5, 3), (-1, 4), (-2, 4)):
        monkeypatch.setattr(timezone, "now", lambda left=left: ends - timedelta(days=left))
        for _ in range(2):
            tasks.warn_of_certificates()
        assert told.count() == count, left
    assert {each.user for each in told} == {cast.carol}
    assert told[0].title % told[0].parameters == (
        f"The client certificate of Social Security expires on {ends:%Y-%m-%d %H:%M} (UTC)"
    )
    assert told[3].title % told[3].parameters == "The client certificate of Social Security has expired"
    assert told[0].link == f"/organizations/{cast.social.orgcode}"
    shown = client(cast.carol).get(f"/api/v1/organizations/{cast.social.orgcode}").json()
    assert shown["tlscert_expires_at"].startswith(f"{ends:%Y-%m-%dT%H:%M}")
