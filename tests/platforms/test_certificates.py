"""Certificates that end: read when a platform is asked, shown, and told of once at each threshold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from console.models import Notification, User
from platforms import expiry, observe, tasks
from platforms.models import Health, Platform
from platforms.services import platforms as service
from tests.platforms.plane import MAPPING
from tests.platforms.rough import Authority, Rough, answering, server_context
from tests.platforms.test_pages import page
from tests.rest import client

Register = Callable[..., Platform]
AUTH = "auth: {kind: bearer, token: token}"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEALTHY = answering(b'{"state": "OK", "release": "1", "note": ""}')


@pytest.mark.parametrize(
    ("left", "reached"), [(40, None), (30, 30), (29, 30), (8, 30), (7, 7), (1.5, 7), (0.9, 1), (0, 0), (-3, 0)]
)
def test_the_threshold_that_was_reached_last(left: float, reached: int | None) -> None:
    ends = NOW + timedelta(days=left)
    moment = expiry.latest_threshold(ends, NOW, (30, 7, 1))
    assert moment == (None if reached is None else ends - timedelta(days=reached))


def test_a_probe_reads_the_servers_certificate(registered: Register, root: User, tmp_path: Path) -> None:
    registered()
    authority = Authority.new()
    with Rough(HEALTHY, context=server_context(tmp_path, authority.issued("platform", days=20))) as server:
        service.update_platform(actor=root, oemtype="testbed", base_url=server.address, ca_certificate=authority.pem)
        observe.probe_platforms()
        platform = Platform.objects.get()
        assert (platform.health, platform.health_detail) == (Health.UP, "")
        assert platform.certificate_expires_at is not None
        left = platform.certificate_expires_at - timezone.now()
        assert timedelta(days=19) < left <= timedelta(days=20)
        shown = client(root).get("/api/v1/platforms/testbed").json()["certificate_expires_at"]
        assert datetime.fromisoformat(shown) == platform.certificate_expires_at
        assert "expires soon, on" in page(root, "/platforms/testbed")
    service.update_platform(actor=root, oemtype="testbed", base_url="http://127.0.0.1:9")
    assert Platform.objects.get().certificate_expires_at is None, "another server, another certificate"


def test_a_server_whose_certificate_has_ended(registered: Register, root: User, tmp_path: Path) -> None:
    registered()
    authority = Authority.new()
    with Rough(HEALTHY, context=server_context(tmp_path, authority.issued("platform", days=-1))) as server:
        service.update_platform(actor=root, oemtype="testbed", base_url=server.address, ca_certificate=authority.pem)
        observe.probe_platforms()
    platform = Platform.objects.get()
    assert platform.health == Health.DOWN
    assert "certificate has expired" in platform.health_detail


def test_administrators_are_told_once_at_each_threshold(
    registered: Register, root: User, alice: User, otto: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered()
    settings.CERTIFICATE_WARNING_DAYS = (30, 7, 1)
    ends = timezone.now() + timedelta(days=40)
    Platform.objects.update(certificate_expires_at=ends)
    told = Notification.objects.filter(kind="certificate").order_by("pk")
    for left, count in ((40, 0), (30, 1), (20, 1), (7, 2), (6, 2), (0.9, 3), (-0.1, 4), (-9, 4)):
        monkeypatch.setattr(timezone, "now", lambda left=left: ends - timedelta(days=left))
        for _ in range(2):
            tasks.warn_of_certificates()
        assert told.count() == count, left
    assert "expired on" in page(alice, "/platforms/testbed")
    assert {each.user for each in told} == {root}
    titles = [each.title % each.parameters for each in told]
    assert titles[0] == f"The certificate of the platform Testbed expires on {ends:%Y-%m-%d %H:%M} (UTC)"
    assert titles[3] == "The certificate of the platform Testbed has expired"
    assert told[0].link == "/platforms/testbed"
    Platform.objects.update(certificate_expires_at=ends + timedelta(days=365))
    tasks.warn_of_certificates()
    assert told.count() == 4, "the new one holds"
    Platform.objects.update(state="retired", certificate_expires_at=ends, certificate_warned_at=None)
    tasks.warn_of_certificates()
    assert told.count() == 4, "nobody speaks to it any more"


# --- our own ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def mutual(registered: Register, root: User) -> Callable[..., Platform]:
    """The testbed, opened by a client certificate that ends in so many days."""
    registered()

    def store(days: float, **more: Any) -> Platform:
        pem = Authority.new().issued("console", days=days)
        given = {"credentials": {"tlscert": pem}, **more}
        return service.update_platform(actor=root, oemtype="testbed", **given)

    mapping = MAPPING.replace(AUTH, "auth: {kind: mtls}")
    assert mapping != MAPPING
    store(90, mapping=mapping, base_url="https://127.0.0.1:9")
    return store


def test_the_end_of_our_own_certificate_is_shown_to_administrators(
    mutual: Callable[..., Platform], root: User, alice: User
) -> None:
    platform = mutual(20)
    assert platform.client_certificate_expires_at is not None
    assert timedelta(days=19) < platform.client_certificate_expires_at - timezone.now() <= timedelta(days=20)
    shown = client(root).get("/api/v1/platforms/testbed").json()["client_certificate_expires_at"]
    assert datetime.fromisoformat(shown) == platform.client_certificate_expires_at
    assert "client_certificate_expires_at" not in client(alice).get("/api/v1/platforms/testbed").json()
    text = page(root, "/platforms/testbed")
    assert "Our client certificate" in text
    assert "expires soon, on" in text
    assert "Our client certificate" not in page(alice, "/platforms/testbed")
    service.update_platform(actor=root, oemtype="testbed", mapping=MAPPING)
    assert Platform.objects.get().client_certificate_expires_at is None, "it is not shown to the platform any more"
    service.use_version(actor=root, oemtype="testbed", number=2)
    assert Platform.objects.get().client_certificate_expires_at == platform.client_certificate_expires_at


def test_the_migration_notes_the_ends_of_certificates_that_are_stored_already(mutual: Callable[..., Platform]) -> None:
    ends = mutual(20).client_certificate_expires_at
    Platform.objects.update(client_certificate_expires_at=None)
    import_module("platforms.migrations.0005_certificates_accounts_besu").note_ends(apps, None)
    assert Platform.objects.get().client_certificate_expires_at == ends is not None


def test_administrators_are_told_of_our_own_certificate(
    mutual: Callable[..., Platform], root: User, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CERTIFICATE_WARNING_DAYS = (30, 7, 1)
    ends = mutual(40).client_certificate_expires_at
    assert ends is not None
    told = Notification.objects.filter(kind="certificate").order_by("pk")
    for left, count in ((40, 0), (30, 1), (20, 1), (7, 2), (-0.1, 3), (-9, 3)):
        monkeypatch.setattr(timezone, "now", lambda left=left: ends - timedelta(days=left))
        for _ in range(2):
            tasks.warn_of_certificates()
        assert told.count() == count, left
    assert {each.user for each in told} == {root}
    titles = [each.title_text for each in told]
    assert titles[0] == f"The client certificate for the platform Testbed expires on {ends:%Y-%m-%d %H:%M} (UTC)"
    assert titles[2] == "The client certificate for the platform Testbed has expired"
    assert told[0].link == "/platforms/testbed/change"
    monkeypatch.undo()
    mutual(3)
    tasks.warn_of_certificates()
    assert told.all().count() == 4, "another certificate is warned of anew"
    service.retire_platform(actor=root, oemtype="testbed")
    assert Platform.objects.get().client_certificate_expires_at is None
