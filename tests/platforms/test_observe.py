"""Rounds over all platforms: each asked in its own time, none holding up another, and only what is current recorded."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.errors import PlatformUnavailable
from console.models import User
from platforms import observe, standard
from platforms.drivers.base import Credentials
from platforms.drivers.mapped import MappedDriver
from platforms.models import Health, Platform, Tenant
from platforms.services import platforms as service
from platforms.services import registry
from platforms.tasks import BEAT
from tests.platforms.plane import API_FILE, MAPPING, TOKEN, Plane, running_plane

Register = Callable[..., Platform]


def health() -> dict[str, tuple[str, str]]:
    return {row.oemtype: (row.health, row.health_detail) for row in Platform.objects.all()}


def test_health_is_written_down(registered: Register, plane: Plane) -> None:
    before = registered()
    plane.health = {"state": "SLOW", "release": "1.5", "note": "much to do"}
    observe.probe_platforms()
    after = Platform.objects.get()
    assert (after.health, after.health_detail, after.platform_version) == (Health.DEGRADED, "much to do", "1.5")
    assert after.health_at > before.health_at
    assert after.revision == before.revision


def test_a_platform_that_is_gone_is_down(registered: Register, plane: Plane) -> None:
    registered()
    plane.close()
    observe.probe_platforms()
    status, detail = health()["testbed"]
    assert status == Health.DOWN
    assert "cannot be reached" in detail


def test_a_platform_that_hangs_holds_up_nobody(registered: Register, plane: Plane) -> None:
    registered()
    with running_plane() as other:
        registered(oemtype="other", base_url=other.address)
        plane.faults["GET /v1/health"] = ["hang"]
        other.health = {"state": "SLOW"}
        begun = time.monotonic()
        observe.probe_platforms(seconds=1.5)
        assert time.monotonic() - begun < 5
    assert health() == {"testbed": (Health.DOWN, "no answer within 2 s"), "other": (Health.DEGRADED, "")}


def test_nonsense_is_no_health(registered: Register, plane: Plane) -> None:
    registered()
    plane.faults["GET /v1/health"] = ["html"]
    observe.probe_platforms()
    status, detail = health()["testbed"]
    assert status == Health.DOWN
    assert "not JSON" in detail


def test_only_official_platforms_are_asked(root: User, plane: Plane) -> None:
    service.register_platform(actor=root, **plane.registration())
    observe.probe_platforms()
    assert plane.asked == []


def test_an_answer_about_an_old_address_is_dropped(root: User, registered: Register) -> None:
    platform = registered()
    service.update_platform(actor=root, oemtype="testbed", base_url="http://127.0.0.1:9")
    written = registry.record_health(platform_id=platform.pk, revision=platform.revision, status="down", detail="late")
    assert not written
    assert Platform.objects.get().health == Health.UNKNOWN


def test_tenants_come_and_go(registered: Register, plane: Plane) -> None:
    registered()
    plane.tenants = [{"id": 11, "label": "Tax Office"}, {"id": 13, "label": "Health Commission"}]
    observe.refresh_tenants()
    rows = Tenant.objects.order_by("tenantid").values_list("tenantid", "tenantname", "projectid")
    assert list(rows) == [("11", "Tax Office", ""), ("13", "Health Commission", "")]


def test_tenants_stay_when_the_platform_does_not_answer(registered: Register, plane: Plane) -> None:
    registered()
    plane.faults["GET /v1/tenants"] = [{"status": 500, "body": {}}]
    observe.refresh_tenants()
    assert Tenant.objects.count() == 2


def test_a_platform_without_get_health_is_asked_something_else(plane: Plane) -> None:
    import yaml

    mapping = yaml.safe_load(MAPPING)
    del mapping["interfaces"]["get_health"]
    driver = MappedDriver.from_text(
        api_file=API_FILE, mapping=yaml.safe_dump(mapping), addresses={"default": plane.address}, allow_private=True
    )
    from platforms.drivers.base import PartyCredential

    credentials = Credentials(platform=PartyCredential(token=TOKEN))
    assert observe.ask_health(driver, credentials) == standard.Health(status="up")
    assert plane.routes() == ["GET /v1/networks"]


def test_a_bug_in_one_answer_ends_nobodys_round(registered: Register, plane: Plane) -> None:
    registered()
    registered(oemtype="other")

    def question(driver: object, credentials: object) -> str:
        raise ZeroDivisionError("surprise")

    answers = [answer for _platform, answer in observe.ask_all(Platform.objects.all(), question, 5)]
    assert len(answers) == 2
    assert all(isinstance(each, PlatformUnavailable) and "surprise" in each.detail for each in answers)


def test_the_timetable_names_tasks_that_exist() -> None:
    from console.celery import app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT.values()} <= set(app.tasks)
