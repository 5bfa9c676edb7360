"""Official platforms: changed without harm to what hangs on them, gone back to an earlier version, retired."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.db import IntegrityError, transaction

from console.errors import Conflict, Invalid, Missing, NotAllowed
from console.models import AuditEntry, User
from console.secrets import Sealed
from platforms import dependants, standard
from platforms.dependants import Dependants, hanging_on
from platforms.drivers import credentials_of, driver_for
from platforms.drivers.base import Credentials, read
from platforms.models import Health, Platform, PlatformState, PlatformVersion
from platforms.services import platforms as service
from platforms.services import registry
from tests.platforms.plane import MAPPING, TOKEN, Plane, running_plane

Register = Callable[..., Platform]


def renamed_result(name: str = "extra") -> str:
    """Another mapping that is in order."""
    mapping = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    mapping["platform"] = name
    mapping["unsupported"]["get_chain"] = "There is one chain only."
    del mapping["interfaces"]["delete_network"]
    return yaml.safe_dump(mapping)


def health_of(platform: Platform) -> Any:
    return read(
        driver_for(platform), "get_health", standard.EmptyRequest(), Credentials(platform=credentials_of(platform))
    )


# --- states -----------------------------------------------------------------------------------------------------------

EDGES = {
    ("staged", "checking"),
    ("checking", "official"),
    ("staged", "refused"),
    ("checking", "refused"),
    ("official", "retired"),
}


def test_the_state_diagram() -> None:
    found = set()
    for transition_ in Platform._meta.get_field("state").get_all_transitions(Platform):
        found.add((str(transition_.source), str(transition_.target)))
    assert found == EDGES


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["check_in", "accept", "refuse", "retire"])
@pytest.mark.parametrize("state", PlatformState.values)
def test_every_other_change_of_state_is_refused(verb: str, state: str) -> None:
    from django_fsm import TransitionNotAllowed

    targets = {"check_in": "checking", "accept": "official", "refuse": "refused", "retire": "retired"}
    row = Platform(oemtype="x", name="X", kind="mapped", base_url="http://x", state=state)
    arguments = ("why",) if verb == "refuse" else ()
    if (state, targets[verb]) in EDGES:
        getattr(row, verb)(*arguments)
        assert row.state == targets[verb]
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, verb)(*arguments)


def test_the_database_has_the_last_word(registered: Register) -> None:
    platform = registered()
    for changes in ({"is_default": True}, {"oemtype": "testbed"}):
        values = {"oemtype": "other", "name": "Other", "kind": "mapped", "base_url": "http://x", **changes}
        state = PlatformState.OFFICIAL if "is_default" in changes else PlatformState.STAGED
        with pytest.raises(IntegrityError), transaction.atomic():
            Platform.objects.create(state=state, version=platform.version, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Platform.objects.filter(pk=platform.pk).update(version=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Platform.objects.filter(pk=platform.pk).update(state="sleeping")


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_new_name(root: User, registered: Register) -> None:
    before = registered()
    after = service.update_platform(actor=root, oemtype="testbed", name="  The   testbed ")
    assert (after.name, after.revision, after.version) == ("The testbed", before.revision + 1, before.version)
    assert after.health == Health.UP, "a name says nothing about health"
    entry = AuditEntry.objects.get(action="platforms.platform.updated")
    assert entry.data == {"changed": ["name"]}


def test_nothing_new(root: User, registered: Register, plane: Plane) -> None:
    before = registered()
    given = {k: v for k, v in plane.registration().items() if k not in ("oemtype", "kind")}
    after = service.update_platform(actor=root, oemtype="testbed", **given)
    assert after.revision == before.revision
    assert not AuditEntry.objects.filter(action="platforms.platform.updated").exists()
    assert PlatformVersion.objects.count() == 1


def test_a_new_address_is_called_at_once(root: User, registered: Register) -> None:
    platform = registered()
    assert health_of(platform).status == "up"
    with running_plane() as other:
        other.health = {"state": "SLOW"}
        after = service.update_platform(actor=root, oemtype="testbed", base_url=other.address + "/")
        assert (after.base_url, after.health, after.health_at) == (other.address, Health.UNKNOWN, None)
        assert health_of(after).status == "degraded"


def test_new_credentials_are_used_at_once(root: User, registered: Register, plane: Plane) -> None:
    platform = registered()
    plane.tokens = {"second-token": "operator"}
    after = service.update_platform(actor=root, oemtype="testbed", credentials={"token": "second-token"})
    assert isinstance(after.credentials, Sealed)
    assert json.loads(after.credentials.reveal()) == {"token": "second-token"}
    assert health_of(after).status == "up"
    entry = AuditEntry.objects.get(action="platforms.platform.updated")
    assert "second-token" not in json.dumps(entry.data)
    assert platform.version_id == after.version_id


def test_new_files_are_a_new_version(root: User, registered: Register) -> None:
    before = registered()
    after = service.update_platform(actor=root, oemtype="testbed", mapping=renamed_result())
    assert (after.version.number, before.version.number) == (2, 1)
    assert after.capability("delete_network")[0] is False
    assert after.capability("get_chain") == (False, "There is one chain only.")
    assert after.version.api_file == before.version.api_file, "what is not given stays"
    assert after.version.created_by == root
    back = service.use_version(actor=root, oemtype="testbed", number=1)
    assert (back.version.number, back.capability("delete_network")[0]) == (1, True)
    assert back.revision == before.revision + 2
    assert AuditEntry.objects.filter(action="platforms.platform.version_used").get().data == {"version": 1}
    assert PlatformVersion.objects.count() == 2


def test_files_that_are_wrong_change_nothing(root: User, registered: Register) -> None:
    before = registered()
    mapping = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    del mapping["interfaces"]["get_network"]["result"]["name"]
    with pytest.raises(Invalid) as problem:
        service.update_platform(actor=root, oemtype="testbed", name="New", mapping=yaml.safe_dump(mapping))
    assert "The field name is missing" in problem.value.errors["mapping"][0]
    after = Platform.objects.get()
    assert (after.revision, after.name, after.version_id) == (before.revision, before.name, before.version_id)
    assert PlatformVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"base_url": "x"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"credentials": {"token": ""}}, "credentials.token"),
        ({"mapping": ""}, "mapping"),
        ({"api_file": "x: ["}, "api_file"),
        ({"is_default": False}, "is_default"),
        ({"cloudtype": "x"}, "cloudtype"),
    ],
)
def test_bad_changes(root: User, registered: Register, changes: dict[str, Any], field: str) -> None:
    before = registered()
    entries = AuditEntry.objects.count()
    with pytest.raises(Invalid) as problem:
        service.update_platform(actor=root, oemtype="testbed", **changes)
    assert list(problem.value.errors) == [field]
    assert Platform.objects.get().revision == before.revision
    assert AuditEntry.objects.count() == entries


def test_another_default(root: User, registered: Register) -> None:
    registered()
    registered(oemtype="second")
    service.update_platform(actor=root, oemtype="second", is_default=True)
    assert dict(Platform.objects.values_list("oemtype", "is_default")) == {"testbed": False, "second": True}


def test_who_may_change(root: User, alice: User, otto: User, registered: Register) -> None:
    registered()
    for actor in (alice, otto):
        for attempt in (
            lambda actor=actor: service.update_platform(actor=actor, oemtype="testbed", name="Mine"),
            lambda actor=actor: service.use_version(actor=actor, oemtype="testbed", number=1),
            lambda actor=actor: service.retire_platform(actor=actor, oemtype="testbed"),
        ):
            with pytest.raises(NotAllowed):
                attempt()
    assert Platform.objects.get().name == "Testbed"


def test_what_is_not_official_cannot_be_changed(root: User, plane: Plane) -> None:
    service.register_platform(actor=root, **plane.registration())
    with pytest.raises(Conflict, match="still being registered"):
        service.update_platform(actor=root, oemtype="testbed", name="New")
    with pytest.raises(Missing):
        service.update_platform(actor=root, oemtype="nobody", name="New")


def test_what_changed_in_the_meantime_is_looked_at_again(root: User, registered: Register) -> None:
    stale = registered()
    service.update_platform(actor=root, oemtype="testbed", name="First")
    with pytest.raises(Conflict, match="at the same moment"):
        service._change(root, stale, service.setup_of(stale), ["name"], None)


def test_versions_that_cannot_be_used(root: User, registered: Register) -> None:
    registered()
    with pytest.raises(Missing, match="no version 7"):
        service.use_version(actor=root, oemtype="testbed", number=7)
    with pytest.raises(Conflict, match="already"):
        service.use_version(actor=root, oemtype="testbed", number=1)


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hanging() -> Iterator[dict[str, Dependants]]:
    """What an upper floor says that hangs on the platform."""
    said: dict[str, Dependants] = {}
    dependants.add_dependants("things", lambda platform: said.get(platform.oemtype))
    yield said
    dependants.remove_dependants("things")


def test_a_platform_is_retired(root: User, alice: User, registered: Register, hanging: dict[str, Dependants]) -> None:
    registered()
    retired = service.retire_platform(actor=root, oemtype="testbed")
    assert (retired.state, retired.is_default, bool(retired.credentials)) == (PlatformState.RETIRED, False, False)
    assert not Platform.objects.visible_to(alice).exists()
    assert AuditEntry.objects.filter(action="platforms.platform.retired").count() == 1
    with pytest.raises(Conflict, match="not in service"):
        service.retire_platform(actor=root, oemtype="testbed")
    assert registered().state == PlatformState.OFFICIAL, "its name is free again"


def test_what_hangs_on_it_is_named(root: User, registered: Register, hanging: dict[str, Dependants]) -> None:
    platform = registered()
    hanging["testbed"] = Dependants("unions", 7, tuple(f"Union {n}" for n in range(1, 8)))
    assert [str(each) for each in hanging_on(platform)] == [
        "7 unions (Union 1, Union 2, Union 3, Union 4, Union 5 and 2 more)"
    ]
    entries = AuditEntry.objects.count()
    with pytest.raises(Conflict, match=r"moved or ended: 7 unions \(Union 1") as problem:
        service.retire_platform(actor=root, oemtype="testbed")
    assert problem.value.code == "platform_in_use"
    assert Platform.objects.get().state == PlatformState.OFFICIAL
    assert AuditEntry.objects.count() == entries
    hanging["testbed"] = Dependants("unions", 0)
    assert service.retire_platform(actor=root, oemtype="testbed").state == PlatformState.RETIRED


def test_a_refusal_that_comes_late_changes_nothing(root: User, registered: Register) -> None:
    platform = registered()
    with transaction.atomic():
        after = registry.refuse_platform(platform_id=platform.pk, actor=root, reason="late")
    assert after.state == PlatformState.OFFICIAL
    with transaction.atomic(), pytest.raises(Conflict):
        registry.accept_platform(platform_id=platform.pk, actor=root, is_default=False, capabilities={}, health={})


def test_the_driver_is_built_once(registered: Register, root: User) -> None:
    platform = registered()
    driver = driver_for(platform)
    assert driver_for(Platform.objects.get()) is driver
    after = service.update_platform(actor=root, oemtype="testbed", base_url="http://127.0.0.1:9")
    assert driver_for(after) is not driver


def test_the_token_is_kept_sealed(registered: Register) -> None:
    from django.db import connection

    platform = registered()
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM platforms_platform WHERE id = %s", [platform.pk])
        (stored,) = cursor.fetchone()
    assert TOKEN not in stored
    assert credentials_of(platform).token == TOKEN
