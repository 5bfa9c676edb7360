"""The support site: everything to read, nothing to type, each button a service, never a secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from console.models import AuditEntry, User
from platforms.models import Platform, PlatformState, PlatformVersion, Tenant
from platforms.services import platforms as service
from tests.platforms.plane import MAPPING, TOKEN

Register = Callable[..., Platform]


@pytest.fixture
def site(root: User) -> Client:
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    made = Client()
    made.force_login(User.objects.get(pk=root.pk))
    return made


def press(site: Client, model: type, action: str, *rows: object) -> None:
    place = f"/admin/platforms/{model._meta.model_name}/"  # type: ignore[attr-defined]
    answer = site.post(place, {"action": action, "_selected_action": [row.pk for row in rows]})  # type: ignore[attr-defined]
    assert answer.status_code == 302


def test_everything_can_be_read_and_nothing_typed(site: Client, registered: Register) -> None:
    registered()
    for model in (Platform, PlatformVersion, Tenant):
        place = f"/admin/platforms/{model._meta.model_name}/"
        row = model.objects.first()
        assert row is not None
        for answer in (site.get(place), site.get(f"{place}{row.pk}/change/")):
            assert answer.status_code == 200, place
            text = answer.content.decode()
            assert TOKEN not in text
            assert 'name="_save"' not in text
        assert site.get(f"{place}add/").status_code == 403
        assert site.post(f"{place}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_buttons_are_services(site: Client, root: User, registered: Register) -> None:
    first, second = registered(), registered(oemtype="second")
    press(site, Platform, "make_default", second)
    assert list(Platform.objects.filter(is_default=True)) == [second]
    service.update_platform(actor=root, oemtype="testbed", mapping=MAPPING.replace("platform: testbed", "platform: x"))
    press(site, PlatformVersion, "use_version", first.versions.get(number=1))
    assert Platform.objects.get(pk=first.pk).version.number == 1
    press(site, Platform, "retire", first)
    assert Platform.objects.get(pk=first.pk).state == PlatformState.RETIRED
    assert AuditEntry.objects.filter(action="platforms.platform.retired", actor=root).count() == 1


def test_what_a_service_refuses_is_said(site: Client, registered: Register) -> None:
    platform = registered()
    press(site, PlatformVersion, "use_version", platform.version)
    assert "uses this version already" in site.get("/admin/platforms/platformversion/").content.decode()
