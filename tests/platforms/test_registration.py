"""Registering: staged, checked, asked, official; or refused with a reason, and nothing else left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.utils import translation

from console.audit import cleansed
from console.errors import Conflict, Invalid, NotAllowed, NotSupported
from console.flows import StepContext, engine
from console.flows.blueprint import action_named
from console.models import AuditEntry, Flow, Notification, Step, StepLog, User
from console.services import flows as flow_service
from platforms.flows import for_the_requester
from platforms.models import Health, Platform, PlatformState, PlatformVersion, Tenant
from platforms.services import platforms as service
from platforms.services import registry
from platforms.standard import OPERATIONS
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, MAPPING, TOKEN, Plane
from tests.platforms.rough import Authority
from tests.unions.conftest import pem_bundle

Register = Callable[..., Platform]


def register(actor: User, given: dict[str, Any]) -> tuple[Platform, Flow]:
    started = service.register_platform(actor=actor, **given)
    flow = carry_through(started.flow)
    started.platform.refresh_from_db()
    return started.platform, flow


def broken(change: Callable[[dict[str, Any]], None]) -> str:
    mapping = yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    change(mapping)
    return yaml.safe_dump(mapping)


# --- the way in -----------------------------------------------------------------------------------------------------


def test_a_platform_is_staged_before_anybody_asks_it(root: User, alice: User, plane: Plane) -> None:
    started = service.register_platform(actor=root, **plane.registration())
    assert started.platform.state == PlatformState.STAGED
    assert plane.asked == []
    assert not Platform.objects.visible_to(alice).exists(), "the staging area is not for everybody"
    assert Platform.objects.visible_to(root).exists()
    assert [step.name for step in started.flow.steps.all()] == ["stage", "check", "probe", "read", "accept"]


def test_and_becomes_official(root: User, alice: User, plane: Plane) -> None:
    platform, flow = register(root, plane.registration())
    assert flow.state == "done"
    assert platform.state == PlatformState.OFFICIAL
    assert platform.is_default, "the first one"
    assert (platform.health, platform.platform_version) == (Health.UP, "1.4.2")
    assert platform.health_at is not None
    assert Platform.objects.visible_to(alice).get() == platform
    assert set(platform.capabilities) == set(OPERATIONS)
    assert platform.capability("create_network") == (True, "")
    assert platform.capability("create_chain") == (False, "This platform makes one chain with each network.")
    assert platform.capability("get_monitoring") == (False, "The platform does not offer this operation.")
    assert {each["level"] for each in platform.version.findings} == {"note"}
    tenants = Tenant.objects.order_by("tenantid").values_list("tenantid", "tenantname", "projectid")
    assert list(tenants) == [("11", "Tax Bureau", "p-1"), ("12", "Housing Office", "")]
    assert flow.steps.get(name="read").outcome == {"tenants": 2, "networks": 0}
    assert AuditEntry.objects.filter(action="platforms.platform.accepted", actor=root).count() == 1
    note = Notification.objects.get(user=root)
    assert (note.title, note.link) == ("The platform %(name)s is registered", "/platforms/testbed")


def test_secrets_are_nowhere_in_the_record(root: User, plane: Plane) -> None:
    platform, flow = register(root, plane.registration())
    written = [
        *AuditEntry.objects.values_list("data", flat=True),
        *StepLog.objects.values_list("data", "message"),
        *flow.steps.values_list("arguments", "outcome", "position"),
        flow.arguments,
    ]
    assert TOKEN not in str(written)
    assert TOKEN not in repr(platform.__dict__)
    assert cleansed({"platform": platform.credentials}) == {"platform": "••••••"}


def test_the_second_is_not_the_default_unless_asked(root: User, registered: Register) -> None:
    first = registered()
    second = registered(oemtype="second")
    third = registered(oemtype="third", is_default=True)
    first.refresh_from_db()
    assert (first.is_default, second.is_default, third.is_default) == (False, False, True)


def test_a_registration_can_be_carried_through_twice(root: User, plane: Plane) -> None:
    """A worker that dies after its step's effect runs the step again."""
    started = service.register_platform(actor=root, **plane.registration())
    for _ in range(2):
        for step in started.flow.steps.filter(name__in=["check", "probe", "read"]):
            action_named(step.action).run(StepContext(step, undoing=False))
    assert Tenant.objects.count() == 2
    assert carry_through(started.flow).state == "done"


# --- refusals in the flow -------------------------------------------------------------------------------------------


def assert_refused(platform: Platform, flow: Flow, *words: str) -> None:
    assert flow.state == "undone"
    assert platform.state == PlatformState.REFUSED
    for each in words:
        assert each in platform.reason, platform.reason
    assert not platform.credentials
    assert not platform.is_default
    assert Tenant.objects.count() == 0
    assert not Platform.objects.official().exists()
    note = Notification.objects.get()
    assert note.title == "The platform %(name)s was refused"
    assert note.parameters["reason"]
    assert AuditEntry.objects.filter(action="platforms.platform.refused").count() == 1


def test_files_with_errors_are_refused_with_line_and_place(root: User, plane: Plane) -> None:
    text = broken(lambda mapping: mapping["interfaces"]["get_health"]["result"].update(mood="good"))
    platform, flow = register(root, plane.registration(mapping=text))
    assert_refused(platform, flow, "The files have an error.", "get_health.result.mood", "no field mood")
    assert plane.asked == [], "nobody asks a platform whose files are wrong"
    finding = platform.version.findings[0]
    assert (finding["level"], finding["place"]) == ("error", "get_health.result.mood")
    assert text.splitlines()[finding["line"] - 1].strip() == "mood: good"


def test_a_platform_that_is_not_there(root: User, plane: Plane) -> None:
    plane.close()
    platform, flow = register(root, plane.registration())
    assert_refused(platform, flow, "cannot be reached")
    assert flow.steps.get(name="probe").attempts == 3


def test_a_credential_that_opens_nothing(root: User, plane: Plane) -> None:
    platform, flow = register(root, plane.registration(credentials={"token": "another-token"}))
    assert_refused(platform, flow, "does not accept the credential")
    assert "another-token" not in platform.reason
    assert len(plane.asked) == 1, "not asked again: that would not help"


def test_a_platform_that_is_down(root: User, plane: Plane) -> None:
    plane.health = {"state": "BAD", "note": "the disk is full"}
    platform, flow = register(root, plane.registration())
    assert_refused(platform, flow, "says that it is down", "the disk is full")


def test_a_platform_whose_answers_do_not_fit_the_mapping(root: User, plane: Plane) -> None:
    plane.tenants = [{"label": "no id"}]
    platform, flow = register(root, plane.registration())
    assert_refused(platform, flow, "MAPPING at list_tenants.result.items[0].tenantid", "is not there")


def test_a_flow_that_is_cancelled(root: User, plane: Plane) -> None:
    started = service.register_platform(actor=root, **plane.registration())
    engine.run_step(started.flow.steps.get(name="check").pk)
    flow_service.cancel_flow(actor=root, flow_id=started.flow.pk, reason="Wrong machine.")
    flow = carry_through(started.flow)
    platform = Platform.objects.get()
    assert (flow.state, platform.state, platform.reason) == ("cancelled", PlatformState.REFUSED, "Wrong machine.")


def test_a_flow_that_is_cancelled_before_anything_ran(root: User, plane: Plane) -> None:
    started = service.register_platform(actor=root, **plane.registration())
    flow_service.cancel_flow(actor=root, flow_id=started.flow.pk, reason="Never mind.")
    assert carry_through(started.flow).state == "cancelled"
    assert Platform.objects.get().state == PlatformState.REFUSED
    assert plane.asked == []


def test_what_an_operator_skips(root: User, plane: Plane) -> None:
    """Without its health a platform may go into service, without its files' check it may not."""
    for skipped, state, health in (("probe", "official", "unknown"), ("check", "refused", "unknown")):
        started = service.register_platform(actor=root, **plane.registration(oemtype=f"no-{skipped}"))
        if skipped == "probe":
            engine.run_step(started.flow.steps.get(name="check").pk)
            plane.faults["GET /v1/health"] = ["reset"]
            engine.run_step(started.flow.steps.get(name="probe").pk)
        else:
            registry.begin_check(platform_id=started.platform.pk)
            Step.objects.filter(flow=started.flow, name="check").update(state="later", attempts=1)
        flow_service.skip_step(actor=root, flow_id=started.flow.pk, step_id=started.flow.steps.get(name=skipped).pk)
        carry_through(started.flow)
        platform = Platform.objects.get(pk=started.platform.pk)
        assert (platform.state, platform.health) == (state, health)


def test_after_a_refusal_the_name_is_free_again(root: User, plane: Plane) -> None:
    register(root, plane.registration(credentials={"token": "another-token"}))
    platform, flow = register(root, plane.registration())
    assert (flow.state, platform.state) == ("done", PlatformState.OFFICIAL)
    assert Platform.objects.count() == 2


def test_reasons_are_in_the_language_of_whoever_asked(root: User, plane: Plane) -> None:
    started = service.register_platform(actor=root, **plane.registration())
    step = started.flow.steps.get(name="check")
    tell_language = for_the_requester(lambda context: translation.get_language())
    for language, expected in (("zh-hans", "zh-hans"), ("", "en")):
        User.objects.filter(pk=root.pk).update(language=language)
        assert tell_language(StepContext(step, undoing=False)) == expected


# --- bad input ------------------------------------------------------------------------------------------------------


def untouched() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Platform, PlatformVersion, Flow, AuditEntry, Notification))


LONG = "x" * 301


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"oemtype": ""}, ["oemtype"]),
        ({"oemtype": "Acme Cloud"}, ["oemtype"]),
        ({"oemtype": "-acme"}, ["oemtype"]),
        ({"oemtype": "a--b"}, ["oemtype"]),
        ({"oemtype": "中文"}, ["oemtype"]),
        ({"oemtype": "a" * 61}, ["oemtype"]),
        ({"oemtype": "check"}, ["oemtype"]),
        ({"oemtype": "new"}, ["oemtype"]),
        ({"name": " "}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "a\x00b"}, ["name"]),
        ({"kind": "magic"}, ["kind"]),
        ({"cloudtype": "sky"}, ["cloudtype"]),
        ({"kernel": "cobol"}, ["kernel"]),
        ({"base_url": ""}, ["base_url"]),
        ({"base_url": "platform.example"}, ["base_url"]),
        ({"base_url": "ftp://platform.example"}, ["base_url"]),
        ({"base_url": "javascript:alert(1)"}, ["base_url"]),
        ({"base_url": "http://user:secret@platform.example"}, ["base_url"]),
        ({"base_url": "http://platform.example/?a=b"}, ["base_url"]),
        ({"base_url": "http://platform.example/#top"}, ["base_url"]),
        ({"base_url": "http://platform.example:0"}, ["base_url"]),
        ({"base_url": "http://platform.example:99999"}, ["base_url"]),
        ({"base_url": "http://platform.example:http"}, ["base_url"]),
        ({"base_url": "http:///path"}, ["base_url"]),
        ({"base_url": "http://[::1"}, ["base_url"]),
        ({"base_url": "http://platform.example/../admin"}, ["base_url"]),
        ({"base_url": "http://platform.example/a\nHost: b"}, ["base_url"]),
        ({"base_url": f"http://{LONG}"}, ["base_url"]),
        ({"on_prem_base_url": "nowhere"}, ["on_prem_base_url"]),
        ({"ca_certificate": "no certificate"}, ["ca_certificate"]),
        ({"ca_certificate": "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"}, ["ca_certificate"]),
        ({"ca_certificate": "KEY"}, ["ca_certificate"]),
        ({"credentials": "token"}, ["credentials"]),
        ({"credentials": ["token"]}, ["credentials"]),
        ({"credentials": {}}, ["credentials.token"]),
        ({"credentials": {"token": ""}}, ["credentials.token"]),
        ({"credentials": {"token": "x", "pin": "y"}}, ["credentials.pin"]),
        ({"credentials": {"token": 5}}, ["credentials.token"]),
        ({"credentials": {"token": "a\r\nX-Admin: yes"}}, ["credentials.token"]),
        ({"credentials": {"token": "x", "tlscert": "no PEM"}}, ["credentials.tlscert"]),
        ({"credentials": {"token": "x", "tlscert": "EXPIRED"}}, ["credentials.tlscert"]),
        ({"api_file": ""}, ["api_file"]),
        ({"api_file": "openapi: [3.0.0"}, ["api_file"]),
        ({"api_file": {"openapi": "9"}}, ["api_file"]),
        ({"mapping": ""}, ["mapping"]),
        ({"mapping": "mapping: 1"}, ["mapping"]),
        ({"mapping": "- a"}, ["mapping"]),
        ({"samples": ["x"]}, ["samples"]),
        ({"samples": {"dance": {}}}, ["samples"]),
        ({"mapping": "MTLS"}, ["base_url", "credentials.tlscert", "on_prem_base_url"]),
        ({"oemtype": "A", "name": "", "base_url": "x", "mapping": "y: ["}, ["base_url", "mapping", "name", "oemtype"]),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(
    root: User, plane: Plane, changes: dict[str, Any], fields: list[str]
) -> None:
    given = plane.registration(**changes)
    if given.get("ca_certificate") == "KEY":
        given["ca_certificate"] = Authority.new().issued("x")
    if given["credentials"] == {"token": "x", "tlscert": "EXPIRED"}:
        given["credentials"]["tlscert"] = pem_bundle(days=-1)
    if given["mapping"] == "MTLS":
        doors = {"platform": {"kind": "mtls"}, "on_prem": {"kind": "mtls", "address": "on_prem"}}
        given["mapping"] = broken(lambda mapping: mapping.update(auth=doors))
    before = untouched()
    with pytest.raises(Invalid) as problem:
        service.register_platform(actor=root, **given)
    assert sorted(problem.value.errors) == fields, problem.value.errors
    assert all(text for texts in problem.value.errors.values() for text in texts)
    assert untouched() == before
    assert plane.asked == []


def test_the_line_of_a_malformed_file_is_named(root: User, plane: Plane) -> None:
    with pytest.raises(Invalid) as problem:
        service.register_platform(actor=root, **plane.registration(api_file="openapi: 3.0.0\npaths: ["))
    assert problem.value.errors["api_file"][0].startswith("line 3: ")
    text = broken(lambda mapping: mapping["interfaces"]["get_health"].update(speed=1))
    with pytest.raises(Invalid) as problem:
        service.register_platform(actor=root, **plane.registration(mapping=text))
    words = problem.value.errors["mapping"][0]
    assert words.startswith("line ")
    assert "interfaces.get_health: " in words
    assert "'speed' was unexpected" in words


def test_native_fabric_is_for_later_and_it_is_said(root: User, plane: Plane) -> None:
    before = untouched()
    with pytest.raises(NotSupported, match="not supported yet") as problem:
        service.register_platform(actor=root, **plane.registration(kind="fabric"))
    assert list(problem.value.errors) == ["kind"]
    assert untouched() == before


@pytest.mark.parametrize("given", ["n-1", [""], [5], ["x" * 201], ["a\nb"], [f"n-{each}" for each in range(501)]])
def test_networks_to_take_over_are_named_by_their_ids(root: User, plane: Plane, given: Any) -> None:
    with pytest.raises(Invalid) as problem:
        service.register_platform(actor=root, **plane.registration(network_ids=given))
    assert list(problem.value.errors) == ["network_ids"]
    assert not Platform.objects.exists()


@pytest.mark.parametrize("state", ["staged", "official"])
def test_an_oemtype_that_is_taken(root: User, plane: Plane, state: str) -> None:
    started = service.register_platform(actor=root, **plane.registration())
    if state == "official":
        carry_through(started.flow)
    before = untouched()
    with pytest.raises(Conflict) as problem:
        service.register_platform(actor=root, **plane.registration(name="Another"))
    assert list(problem.value.errors) == ["oemtype"]
    assert untouched() == before


def test_only_administrators_register(alice: User, otto: User, plane: Plane) -> None:
    for actor in (alice, otto):
        before = untouched()
        with pytest.raises(NotAllowed, match="Only administrators"):
            service.register_platform(actor=actor, **plane.registration())
        assert untouched() == before


def test_files_may_come_as_json(root: User, plane: Plane) -> None:
    given = plane.registration(
        api_file=yaml.load(API_FILE, Loader=yaml.CSafeLoader), mapping=yaml.load(MAPPING, Loader=yaml.CSafeLoader)
    )
    platform, _flow = register(root, given)
    assert platform.state == PlatformState.OFFICIAL
