"""What a new evaluation console shows is played through the services, and goes on after it was killed anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chains.management.commands.first_start import ensure_administrator
from chains.models import Blockchain, Node
from chains.scenario import HOUSING, SOCIAL, TAX, UNION_NAME, Scenario, ScenarioStuck, password_of
from console.flows import engine
from console.models import Flow, Step, User
from platforms.models import Platform, Tenant
from tests.chains.conftest import speak_to
from tests.chains.ledger_plane import Plane
from tests.unions.conftest import pem_bundle
from unions.models import MemberState, Organization, Registration, Union
from unions.services.proposals import cast_vote
from unions.services.registrations import register
from unions.services.unions import propose_quit, propose_union

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """kill -9, as far as a test can."""


@pytest.fixture
def folder(tmp_path: Path, settings: Any, platform: Platform, plane: Plane) -> Path:
    """What the sandbox leaves for the console, and its platform, registered."""
    settings.DATA_DIR, settings.KEYS_DIR, settings.SEED = tmp_path, tmp_path / "keys", "scenario"
    made = tmp_path / "sandbox"
    (made / "onprem").mkdir(parents=True)
    tenants = [
        {"tenantid": f"t-{n}", "tenantname": f"T{n}", "projectid": f"p-{n}", "ak": "A", "sk": "S"} for n in "123"
    ]
    (made / "tenants.json").write_text(json.dumps(tenants))
    (made / "onprem/client.pem").write_text(pem_bundle())
    (made / "onprem/ca.pem").write_text(pem_bundle().split("-----BEGIN PRIVATE")[0])
    platform.oemtype = "sandbox"
    platform.save()
    speak_to(platform, plane)
    return made


def keep_promises() -> None:
    """What the worker does meanwhile: every step that is due, one round."""
    Step.objects.filter(state="later").update(due_at=timezone.now())
    for step_id in engine.due_steps():
        engine.run_step(step_id)


@pytest.fixture
def play(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Play the scenario while the worker works; `says` or `waits` is how often it does so before it is killed."""

    def run(*, says: int = 99, waits: int = 999) -> list[str]:
        said: list[str] = []
        slept: list[float] = []

        def say(text: str) -> None:
            said.append(text)
            if len(said) >= says:
                raise Killed

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) >= waits:
                raise Killed
            keep_promises()

        monkeypatch.setattr("chains.scenario.time.sleep", sleep)
        Scenario(ensure_administrator(), folder, say).play()
        return said

    return run


def assert_played() -> None:
    """Once, wholly."""
    union = Union.objects.get()
    assert (union.name, union.state) == (UNION_NAME, "active")
    members = union.members.order_by("pk").values_list("organization__name", "state")
    assert list(members) == [(each.name, MemberState.ACTIVE) for each in (TAX, HOUSING, SOCIAL)]
    assert Organization.objects.count() == Registration.objects.count() == 3
    assert Blockchain.objects.get().business_chain.uid == union.uid
    assert Node.objects.count() == 3
    assert set(Organization.objects.values_list("space__tenantid", flat=True)) == {"t-2", "t-3", ""}
    assert not Flow.objects.open().exists()


def test_the_scenario_is_played(play: Callable[..., list[str]]) -> None:
    play()
    assert_played()
    machines = Organization.objects.get(name=SOCIAL.name).space.machines
    assert list(machines.values_list("ip", "port")) == [("127.0.0.111", 9001), ("127.0.0.112", 9001)]
    for department in (TAX, HOUSING, SOCIAL):
        assert User.objects.get(username=department.username).check_password(password_of(department.username))


@pytest.mark.parametrize("death", [{"says": 1}, {"says": 3}, {"says": 5}])
@pytest.mark.parametrize("worker", ["works on", "is killed too"])
def test_a_run_that_was_killed_is_gone_on_with(
    play: Callable[..., list[str]], death: dict[str, int], worker: str
) -> None:
    with pytest.raises(Killed):
        play(**death)
    if worker == "works on":
        for _ in range(20):
            keep_promises()
    play()
    assert_played()


@pytest.mark.parametrize("waits", [1, 4, 9])
def test_a_run_that_was_killed_while_it_waited_is_gone_on_with(play: Callable[..., list[str]], waits: int) -> None:
    with pytest.raises(Killed):
        play(waits=waits)
    play()
    assert_played()


def test_a_second_start_does_nothing_and_costs_next_to_nothing(play: Callable[..., list[str]]) -> None:
    play()
    before = Step.objects.count()
    with CaptureQueriesContext(connection) as captured:
        assert play() == []
    assert len(captured) <= 5
    assert Step.objects.count() == before
    assert_played()


def test_what_people_have_changed_since_stays_as_it_is(play: Callable[..., list[str]]) -> None:
    play()
    union, social = Union.objects.get(), Organization.objects.get(name=SOCIAL.name)
    clerk = User.objects.get(username=SOCIAL.username)
    propose_quit(actor=clerk, unionid=union.unionid, orgcode=social.orgcode)
    for _ in range(20):
        keep_promises()
    assert play() == []
    assert union.members.get(organization=social).state == MemberState.LEFT


def test_a_no_of_people_is_taken_as_a_no(play: Callable[..., list[str]]) -> None:
    with pytest.raises(Killed):
        play(says=3)  # all three are registered
    tax, housing = (Organization.objects.get(name=each.name).orgcode for each in (TAX, HOUSING))
    tax_clerk, housing_clerk = (User.objects.get(username=each.username) for each in (TAX, HOUSING))
    asked = propose_union(actor=tax_clerk, name=UNION_NAME, oemtype="", creatororg=tax, orgs=[housing])
    cast_vote(actor=housing_clerk, proposal_id=asked.pk, orgcode=housing, agree=False, comment="not now")
    assert play() == []
    assert not Union.objects.exists()


def test_nothing_is_seeded_where_somebody_works_already(play: Callable[..., list[str]], folder: Path) -> None:
    register(
        username="eve",
        password="a long Password 1",
        email="eve@example.org",
        organization={"name": "Eve's", "category": "cloud", "tenantid": "t-1", "ak": "A", "sk": "S"},
    )
    assert play() == []
    assert not Union.objects.exists()


def test_a_platform_that_breaks_is_said_and_tried_again_at_the_next_start(
    play: Callable[..., list[str]], plane: Plane
) -> None:
    plane.fail_next["create_chain"] = "after"
    with pytest.raises(ScenarioStuck, match="the job broke"):
        play()
    assert not Union.objects.exists()
    play()
    assert_played()


def test_without_the_platform_there_is_nothing_to_build_on(play: Callable[..., list[str]]) -> None:
    Platform.objects.update(oemtype="other")
    with pytest.raises(ScenarioStuck, match="not registered"):
        play()


def test_the_first_administrator_is_made_once(folder: Path, settings: Any) -> None:
    settings.SEED = "none"
    for _ in range(2):
        call_command("first_start")
    admin = User.objects.get()
    assert admin.is_administrator
    assert admin.check_password((folder.parent / "keys/admin-password").read_text())
    assert not Tenant.objects.exclude(tenantid__startswith="t-").exists()
    assert not Registration.objects.exists()
