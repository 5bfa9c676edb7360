"""Many at the same moment, on a database with row locks: one wins, the others hear why, and nothing happens twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from console.models import AuditEntry, Flow, Notification, User
from platforms import dependants
from platforms.dependants import Dependants
from platforms.models import Draft, Platform, PlatformState, PlatformVersion
from platforms.services import drafts, registry
from platforms.services import platforms as service
from platforms.services.certificates import warn_of_certificate, warn_of_client_certificate
from tests.console.races import at_once
from tests.platforms.conftest import carry_through
from tests.platforms.plane import MAPPING, Plane
from tests.platforms.test_drafts import begun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
Register = Callable[..., Platform]
MANY = 6


def recorded(action: str) -> int:
    return AuditEntry.objects.filter(action=f"platforms.platform.{action}").count()


def test_one_name_is_registered_once(root: User, plane: Plane) -> None:
    endings = at_once(*[lambda: service.register_platform(actor=root, **plane.registration())] * MANY)
    assert endings == {"done": 1, "conflict": MANY - 1}
    assert (Platform.objects.count(), Flow.objects.count(), recorded("staged")) == (1, 1, 1)


def test_there_is_one_default(root: User, registered: Register) -> None:
    names = ["testbed", *(f"more-{number}" for number in range(MANY))]
    for name in names:
        registered(oemtype=name)

    def make_default(name: str) -> Callable[[], Any]:
        return lambda: service.update_platform(actor=root, oemtype=name, is_default=True)

    endings = at_once(*(make_default(name) for name in names[1:]))
    assert set(endings) <= {"done", "conflict"}
    assert endings["done"] >= 1
    assert Platform.objects.official().filter(is_default=True).count() == 1


def test_first_platforms_that_arrive_together_leave_one_default(root: User, plane: Plane) -> None:
    started = [
        service.register_platform(actor=root, **plane.registration(oemtype=f"first-{number}")) for number in range(4)
    ]
    for each in started:
        registry.begin_check(platform_id=each.platform.pk)
    at_once(*(lambda flow=each.flow: carry_through(flow) for each in started))
    for each in started:
        carry_through(each.flow)
    assert Platform.objects.official().count() == 4
    assert Platform.objects.official().filter(is_default=True).count() == 1


def test_two_changes_at_once_are_two_changes_or_a_conflict(root: User, registered: Register) -> None:
    before = registered()

    def change(number: int) -> Callable[[], Any]:
        mapping = MAPPING.replace("platform: testbed", f"platform: testbed {number}")
        return lambda: service.update_platform(actor=root, oemtype="testbed", mapping=mapping)

    endings = at_once(*(change(number) for number in range(MANY)))
    assert set(endings) <= {"done", "conflict"}
    after = Platform.objects.get()
    assert after.revision == before.revision + endings["done"]
    assert PlatformVersion.objects.count() == 1 + endings["done"] == 1 + recorded("updated")


def test_retired_once(root: User, registered: Register) -> None:
    registered()
    endings = at_once(*[lambda: service.retire_platform(actor=root, oemtype="testbed")] * MANY)
    assert endings == {"done": 1, "conflict": MANY - 1}
    assert recorded("retired") == 1


def test_changed_or_retired(root: User, registered: Register) -> None:
    registered()
    at_once(
        lambda: service.retire_platform(actor=root, oemtype="testbed"),
        lambda: service.update_platform(actor=root, oemtype="testbed", name="New"),
        lambda: service.update_platform(actor=root, oemtype="testbed", credentials={"token": "other-token"}),
    )
    platform = Platform.objects.get()
    if platform.state == PlatformState.RETIRED:
        assert not platform.credentials, "whatever was written meanwhile, its credentials are gone"


@pytest.fixture
def hanging() -> Iterator[None]:
    dependants.add_dependants("things", lambda platform: Dependants("things", 1))
    yield
    dependants.remove_dependants("things")


def test_nothing_is_retired_under_what_hangs_on_it(root: User, registered: Register, hanging: None) -> None:
    registered()
    endings = at_once(*[lambda: service.retire_platform(actor=root, oemtype="testbed")] * MANY)
    assert endings == {"platform_in_use": MANY}
    assert Platform.objects.get().state == PlatformState.OFFICIAL


def test_windows_that_save_together_do_not_overwrite_each_other(root: User) -> None:
    draft = begun(root)

    def save(number: int) -> Callable[[], Any]:
        return lambda: drafts.save_draft(actor=root, draft_id=draft.pk, revision=1, mapping=f"# {number}")

    assert at_once(*(save(number) for number in range(MANY))) == {"done": 1, "conflict": MANY - 1}
    assert Draft.objects.get().revision == 2


def test_a_draft_is_discarded_once(root: User) -> None:
    draft = begun(root)
    endings = at_once(*[lambda: drafts.discard_draft(actor=root, draft_id=draft.pk)] * MANY)
    assert endings["done"] == 1
    assert AuditEntry.objects.filter(action="platforms.draft.discarded").count() == 1


def test_administrators_are_told_once_of_each_certificate_that_ends(root: User, registered: Register) -> None:
    row = registered()
    soon = timezone.now() + timedelta(hours=2)
    Platform.objects.filter(pk=row.pk).update(
        certificate_expires_at=soon,
        certificate_warned_at=None,
        client_certificate_expires_at=soon,
        client_certificate_warned_at=None,
    )
    warn = [partial(each, platform_id=row.pk) for each in (warn_of_certificate, warn_of_client_certificate)]
    assert at_once(*warn * 4) == {"done": 8}
    assert Notification.objects.filter(user=root, kind="certificate").count() == 2


def test_a_version_is_used_once(root: User, registered: Register, plane: Plane) -> None:
    """Two administrators go back and forth: each change is on record once, and what is used is the last of them."""
    row = registered()
    first = row.version
    assert first is not None
    second = PlatformVersion.objects.create(
        platform=row, number=first.number + 1, api_file=first.api_file, mapping=first.mapping
    )
    use = [
        partial(service.use_version, actor=root, oemtype=row.oemtype, number=each.number) for each in (second, first)
    ]
    endings = at_once(*use * 4)
    assert set(endings) <= {"done", "conflict"}, endings
    row.refresh_from_db()
    assert row.version in (first, second)
    assert recorded("version_used") == endings["done"]
