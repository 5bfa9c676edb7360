"""Drafts of the mapping studio: nothing typed is lost, nobody else sees it, and old windows do not overwrite."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from console.errors import Conflict, ConsoleError, Invalid, Missing, NotAllowed
from console.models import AuditEntry, ConsoleRole, Flow, User
from platforms.mapping.template import read_mapping
from platforms.models import ApiState, Draft, Platform
from platforms.services import drafts as service
from platforms.services import platforms
from platforms.standard import OPERATIONS
from platforms.workbench import look, matching, used_by
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES, TOKEN, Plane

Json = dict[str, Any]


@pytest.fixture
def rival(db: None) -> User:
    return User.objects.create_user("rival", "rival@example.org", console_role=ConsoleRole.ADMINISTRATOR)


def begun(actor: User, **changes: str) -> Draft:
    given = {
        "title": "Testbed",
        "api_file": API_FILE,
        "mapping": MAPPING,
        "samples": yaml.safe_dump(SAMPLES),
        **changes,
    }
    return service.begin_from_files(actor=actor, **given)


def saved(draft: Draft, actor: User, **changes: Any) -> Draft:
    return service.save_draft(actor=actor, draft_id=draft.pk, revision=draft.revision, **changes)


def large() -> str:
    """An API file in YAML that takes long to read."""
    row = "  /t{n}: {{get: {{operationId: getThing{n}, summary: {words}, responses: {{'200': {{description: ok}}}}}}}}"
    rows = "\n".join(row.format(n=number, words="x" * 150) for number in range(1200))
    return f"openapi: 3.0.3\ninfo: {{title: Large, version: '1'}}\npaths:\n{rows}\n"


def test_a_draft_is_kept_as_it_was_typed(root: User) -> None:
    draft = begun(root)
    assert (draft.api_state, draft.revision) == (ApiState.READY, 1)
    torn = saved(draft, root, mapping="interfaces: [", samples="{", title="Torn")
    again = Draft.objects.get()
    assert (again.mapping, again.samples, again.title, again.revision) == ("interfaces: [", "{", "Torn", 2)
    assert saved(torn, root, mapping="interfaces: [").revision == 2, "nothing new, nothing changed"
    bench = look(again)
    assert {each.file for each in bench.report.errors} == {"mapping", "samples"}  # type: ignore[union-attr]
    assert bench.counts == {"mapped": 0, "unsupported": 0, "missing": len(OPERATIONS)}
    unread = saved(again, root, api_file="a: [")
    assert (unread.api_state, unread.api_document) == (ApiState.UNREADABLE, "")
    assert [each.line for each in look(unread).findings_in("api_file")] == [2]
    assert saved(unread, root, api_file=" ").api_state == ApiState.NONE
    assert AuditEntry.objects.filter(action="platforms.draft.begun").count() == 1


def test_an_old_window_does_not_overwrite(root: User) -> None:
    draft = begun(root)
    saved(draft, root, mapping="mapping: 1")
    with pytest.raises(Conflict):
        service.save_draft(actor=root, draft_id=draft.pk, revision=1, mapping="mapping: 2")
    assert Draft.objects.get().mapping == "mapping: 1"


def test_whose_drafts_they_are(root: User, rival: User, otto: User, alice: User) -> None:
    draft = begun(root)
    verbs = (
        lambda who: saved(draft, who, title="Mine"),
        lambda who: service.discard_draft(actor=who, draft_id=draft.pk),
    )
    for verb in verbs:
        for who in (rival, otto, alice):
            with pytest.raises((Missing, NotAllowed)):
                verb(who)
    for who in (otto, alice):
        with pytest.raises(NotAllowed):
            begun(who)
        with pytest.raises(NotAllowed):
            service.begin_from_preset(actor=who, slug="kaleido")
    assert Draft.objects.get().title == "Testbed"
    root.console_role = ""
    root.save()
    assert not Draft.objects.visible_to(root).exists(), "who is no administrator any more has none"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"api_file": "a\x00b"}, "api_file"),
        ({"mapping": "x" * (2 * 1024 * 1024 + 1)}, "mapping"),
        ({"samples": "a: " + "x" * 600_000}, "samples"),
    ],
)
def test_what_cannot_be_kept(root: User, changes: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        begun(root, **changes)
    assert list(caught.value.errors) == [field]
    assert not Draft.objects.exists()


def test_there_is_an_end_to_drafts(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_DRAFTS", 1)
    draft = begun(root)
    with pytest.raises(Conflict):
        begun(root)
    service.discard_draft(actor=root, draft_id=draft.pk)
    assert not Draft.objects.exists()
    assert AuditEntry.objects.filter(action="platforms.draft.discarded").get().data == {"title": "Testbed"}
    with pytest.raises(Missing):
        service.discard_draft(actor=root, draft_id=draft.pk)


def test_a_large_file_is_read_by_a_flow(root: User) -> None:
    draft = begun(root, api_file=large(), mapping="", samples="")
    assert (draft.api_state, draft.api_document, draft.mapping) == (ApiState.READING, "", "")
    assert look(draft).report is None
    flow = carry_through(Flow.objects.get())
    assert flow.state == "done"
    draft.refresh_from_db()
    assert draft.api_state == ApiState.READY
    assert read_mapping(draft.mapping)["platform"] == "Large"
    api = look(draft).api
    assert api is not None
    assert [each.id for each in matching(api, "get t1199")] == ["getThing1199"]


def test_a_file_that_was_replaced_meanwhile_is_not_taken_in(root: User) -> None:
    draft = begun(root, api_file=large(), mapping="", samples="")
    saved(draft, root, api_file=API_FILE)
    carry_through(Flow.objects.get())
    draft.refresh_from_db()
    assert (draft.api_state, len(look(draft).api.operations)) == (ApiState.READY, 10)  # type: ignore[union-attr]
    other = begun(root, api_file=large(), mapping="", samples="")
    service.discard_draft(actor=root, draft_id=other.pk)
    assert carry_through(Flow.objects.latest("created_at")).state == "done"


def test_a_mapping_is_made_operation_by_operation(root: User) -> None:
    draft = begun(root, mapping="", samples="")
    assert read_mapping(draft.mapping)["interfaces"] == {}

    def done(verb: Any, operation: str, **given: str) -> Json:
        nonlocal draft
        verb(actor=root, draft=draft, revision=draft.revision, operation=operation, **given)
        draft = Draft.objects.get()
        return read_mapping(draft.mapping)

    assert "steps" in done(service.sketch_interface, "get_health", call="health")["interfaces"]["get_health"]
    assert look(draft).lines["get_health"].state == "mapped"
    assert used_by(look(draft)) == {"health": ["get_health"]}
    done(service.put_example, "get_health")
    run = look(draft).lines["get_health"].run
    assert run is not None
    assert (run.fault, run.result["status"]) == (None, "up")  # type: ignore[index]
    done(service.put_sample, "get_health", text="request: {}\nanswers: {read: {body: {state: BAD}}}")
    assert look(draft).lines["get_health"].run.result["status"] == "down"  # type: ignore[union-attr,index]
    said = done(service.say_unsupported, "get_health", reason="Nobody  knows.")
    assert (said["interfaces"], said["unsupported"]) == ({}, {"get_health": "Nobody knows."})
    assert "get_health" in done(service.sketch_interface, "get_health", call="GET /v1/health")["interfaces"]
    assert "get_health" not in read_mapping(draft.mapping).get("unsupported", {})
    assert done(service.take_out, "get_health")["interfaces"] == {}
    done(service.put_sample, "get_health", text=" ")
    assert draft.samples.strip() in ("", "{}")


@pytest.mark.parametrize(
    ("verb", "given", "field"),
    [
        (service.sketch_interface, {"operation": "get_health", "call": "wealth"}, "call"),
        (service.sketch_interface, {"operation": "dance", "call": "health"}, None),
        (service.say_unsupported, {"operation": "get_health", "reason": " "}, "reason"),
        (service.say_unsupported, {"operation": "get_health", "reason": "x" * 501}, "reason"),
        (service.put_sample, {"operation": "get_health", "text": "a: ["}, "sample"),
        (service.put_example, {"operation": "get_chain"}, None),
    ],
)
def test_what_is_refused_changes_nothing(root: User, verb: Any, given: dict[str, str], field: str | None) -> None:
    draft = begun(root)
    with pytest.raises(ConsoleError) as caught:
        verb(actor=root, draft=draft, revision=1, **given)
    assert list(caught.value.errors) == ([field] if field else [])
    assert (Draft.objects.get().revision, Draft.objects.get().mapping) == (1, MAPPING)


def test_a_preset_with_its_parameters(root: User) -> None:
    draft = service.begin_from_preset(actor=root, slug="kaleido", values={"const.node_size": "large"})
    assert read_mapping(draft.mapping)["const"]["node_size"] == "large"
    assert (draft.setup["oemtype"], draft.preset, look(draft).report.passed) == ("kaleido", "kaleido", True)  # type: ignore[union-attr]
    with pytest.raises(Invalid):
        service.begin_from_preset(actor=root, slug="kaleido", values={"const.nothing": "1"})
    with pytest.raises(Missing):
        service.begin_from_preset(actor=root, slug="nobody")
    assert Draft.objects.count() == 1


def test_from_a_draft_to_a_platform(root: User, plane: Plane) -> None:
    draft = begun(root)
    setup = {"oemtype": "testbed", "name": "Testbed", "base_url": plane.address, "is_default": False}
    draft = saved(draft, root, setup={**setup, "token": TOKEN, "credentials": {"token": TOKEN}})
    assert draft.setup == setup, "credentials are never kept"
    with pytest.raises(Invalid):
        service.register_from_draft(actor=root, draft=draft, **setup)
    assert not Platform.objects.exists()
    started = service.register_from_draft(actor=root, draft=draft, **setup, credentials={"token": TOKEN})
    assert Draft.objects.get().registration == started.platform
    assert carry_through(started.flow).state == "done"
    assert not Draft.objects.exists(), "the files are the platform's first version now"
    assert Platform.objects.get().version.samples == SAMPLES


def test_a_refused_registration_leaves_the_draft(root: User, plane: Plane) -> None:
    draft = begun(root, mapping=MAPPING.replace("op: health", "op: wealth"))
    setup = {"oemtype": "testbed", "name": "Testbed", "base_url": plane.address, "credentials": {"token": TOKEN}}
    started = service.register_from_draft(actor=root, draft=draft, **setup)
    carry_through(started.flow)
    assert Draft.objects.get().registration.state == "refused"
    again = service.begin_from_platform(actor=root, oemtype="testbed")
    assert (again.platform, again.mapping) == (None, draft.mapping), "what was refused is no platform to be changed"


def test_a_new_version(root: User, registered: Any) -> None:
    platform = registered()
    draft = service.begin_from_platform(actor=root, oemtype="testbed")
    assert (draft.platform, draft.mapping, json.loads(draft.samples)) == (platform, MAPPING, SAMPLES)
    bad = saved(draft, root, mapping=MAPPING.replace("op: health", "op: wealth"))
    with pytest.raises(Invalid):
        service.make_version(actor=root, draft=bad)
    good = saved(bad, root, mapping=f"{MAPPING}\n# better\n")
    assert service.make_version(actor=root, draft=good).version.number == 2
    assert not Draft.objects.exists()
    platforms.retire_platform(actor=root, oemtype="testbed")
    with pytest.raises(Missing):
        service.begin_from_platform(actor=root, oemtype="testbed", number=9)
    assert service.begin_from_platform(actor=root, oemtype="testbed", number=1).platform is None


def test_a_draft_without_a_platform_makes_no_version(root: User) -> None:
    with pytest.raises(Conflict):
        service.make_version(actor=root, draft=begun(root))
