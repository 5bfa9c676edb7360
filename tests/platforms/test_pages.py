"""The pages of platforms: who sees what, what is offered and why not, what a form says, and what a page costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console import shell
from console.models import AuditEntry, Flow, User
from platforms import dependants
from platforms.dependants import Dependants
from platforms.frame import find_platforms, platforms_panel
from platforms.models import Platform, PlatformState, PlatformVersion
from platforms.services import platforms as service
from platforms.views import panels
from platforms.views.panels import Figure, add_figure, figure_titles
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES, TOKEN, Plane

Register = Callable[..., Platform]


def browser(user: User | None = None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def page(user: User | None, path: str, status: int = 200, *, part: bool = False, **query: str) -> str:
    """The page's text; none may ever hold a secret."""
    answer = browser(user).get(path, query, headers={"HX-Request": "true"} if part else {})
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:1500])
    text = answer.content.decode()
    assert TOKEN not in text
    return text


def send(user: User, path: str, status: int = 302, **fields: Any) -> str:
    """What a posted form answers: the page, or where it leads."""
    answer = browser(user).post(path, fields)
    text = answer.content.decode()
    assert answer.status_code == status, (path, answer.status_code, text[:3000])
    assert "wrong-token" not in text
    return answer["Location"] if status == 302 else text


def form(plane: Plane, **changes: Any) -> dict[str, Any]:
    """What an administrator fills in."""
    return {
        "oemtype": "testbed",
        "name": "Testbed",
        "cloudtype": "cloud",
        "kernel": "ethereum",
        "base_url": plane.address,
        "token": TOKEN,
        "api_file": API_FILE,
        "mapping": MAPPING,
        "samples": yaml.safe_dump(SAMPLES),
        **changes,
    }


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Platform, PlatformVersion, Flow, AuditEntry))


# --- the list -------------------------------------------------------------------------------------------------------


def test_nothing_there_yet(root: User, alice: User) -> None:
    assert "No platforms yet" in page(root, "/platforms")
    assert 'href="/platforms/new"' in page(root, "/platforms")
    text = page(alice, "/platforms")
    assert "An administrator registers the first one." in text
    assert 'href="/platforms/new"' not in text
    assert "Only administrators" in text, "the button says why it is off"


def test_the_list(root: User, alice: User, registered: Register, plane: Plane) -> None:
    registered()
    service.register_platform(actor=root, **plane.registration(oemtype="second", name="Second"))
    text = page(root, "/platforms")
    assert all(words in text for words in ("Testbed", "Second", "Staged", "(default)"))
    assert 'hx-trigger="every 2s"' in text, "a registration is under way"
    seen = page(alice, "/platforms")
    assert "Testbed" in seen
    assert "Second" not in seen
    assert 'hx-trigger="every 15s"' in seen
    assert 'name="state"' not in seen
    assert "No platform matches" in page(root, "/platforms", q="nothing")
    assert "Second" not in page(root, "/platforms", state="official")


def test_the_past_is_shown_on_request(root: User, registered: Register) -> None:
    registered()
    service.retire_platform(actor=root, oemtype="testbed")
    assert "Testbed" not in page(root, "/platforms")
    assert "Testbed" in page(root, "/platforms", state="retired")
    assert "What stands here is history" in page(root, "/platforms/testbed")


def test_the_live_part_is_the_part_alone(root: User, registered: Register) -> None:
    registered()
    for path in ("/platforms", "/platforms/testbed"):
        whole, part = page(root, path), page(root, path, part=True)
        assert "<html" in whole
        assert "<html" not in part
        assert part.strip().startswith("<div")
        assert 'id="live"' in part


def test_upper_floors_add_figures_and_parts(root: User, registered: Register) -> None:
    registered()
    add_figure(Figure("Things", lambda user, ids: dict.fromkeys(ids, 4711)))
    try:
        assert "Things" in [str(title) for title in figure_titles()]
        assert "4711" in page(root, "/platforms")
    finally:
        panels._figures.pop()


# --- one platform ---------------------------------------------------------------------------------------------------


def test_what_everybody_reads(alice: User, registered: Register, plane: Plane) -> None:
    registered()
    text = page(alice, "/platforms/testbed")
    assert "This platform makes one chain with each network." in text
    assert "Create a network" in text
    for hidden in (plane.address, "Tax Bureau", "Version 1", "/platforms/testbed/change", "create_network"):
        assert hidden not in text


def test_what_administrators_read(root: User, otto: User, registered: Register, plane: Plane) -> None:
    registered()
    for reader in (root, otto):
        text = page(reader, "/platforms/testbed")
        for shown in (plane.address, "Tax Bureau", "Version 1", "stored, sealed", "Register the platform Testbed"):
            assert shown in text
    assert 'href="/platforms/testbed/change"' in page(root, "/platforms/testbed")
    assert 'href="/platforms/testbed/change"' not in page(otto, "/platforms/testbed")


@pytest.mark.parametrize(
    ("health", "words"),
    [("down", "The platform does not answer"), ("degraded", "not everything is well"), ("up", "asked")],
)
def test_health_is_said_in_words(root: User, alice: User, registered: Register, health: str, words: str) -> None:
    registered()
    Platform.objects.update(health=health, health_detail="http://10.1.2.3 is away", health_at=timezone.now())
    assert words in page(alice, "/platforms/testbed")
    assert "10.1.2.3" not in page(alice, "/platforms/testbed")
    assert ("10.1.2.3" in page(root, "/platforms/testbed")) == (health != "up")


def test_a_registration_under_way_shows_its_steps(root: User, alice: User, plane: Plane) -> None:
    service.register_platform(actor=root, **plane.registration())
    text = page(root, "/platforms/testbed")
    assert "Check API file and mapping" in text
    assert "Nobody can use it yet" in text
    page(alice, "/platforms/testbed", 404)


def test_a_refusal_says_why_and_offers_another_try(root: User, plane: Plane) -> None:
    mapping = MAPPING.replace("op: health", "op: wealth")
    started = service.register_platform(actor=root, **plane.registration(mapping=mapping))
    carry_through(started.flow)
    text = page(root, "/platforms/testbed")
    assert "The API file has no operation wealth." in text
    again = f"/platforms/new?from={started.platform.pk}"
    assert again in text
    filled = page(root, again)
    assert "op: wealth" in filled
    assert 'value="testbed"' in filled
    for nonsense in ("x", "999999", "9" * 30, "-1"):
        assert "op: wealth" not in page(root, f"/platforms/new?from={nonsense}")


def test_rows_of_the_record_lead_to_the_page(root: User, alice: User, registered: Register, plane: Plane) -> None:
    platform = registered()
    address = shell.address_of("platforms.platform", str(platform.pk))
    assert address == f"/platforms/{platform.pk}/row"
    answer = browser(alice).get(address)
    assert (answer.status_code, answer["Location"]) == (302, "/platforms/testbed")
    page(alice, "/platforms/999/row", 404)
    page(root, "/platforms/nobody", 404)


def test_a_version(root: User, alice: User, registered: Register) -> None:
    registered()
    service.update_platform(
        actor=root, oemtype="testbed", mapping=MAPPING.replace("platform: testbed", "platform: two")
    )
    text = page(root, "/platforms/testbed/versions/1")
    assert "platform: testbed" in text
    assert "Use this version" in text
    assert "Use this version" not in page(root, "/platforms/testbed/versions/2")
    assert send(root, "/platforms/testbed/versions/1/use") == "/platforms/testbed"
    assert Platform.objects.get().version.number == 1
    page(alice, "/platforms/testbed/versions/1", 403)
    page(root, "/platforms/testbed/versions/9", 404)
    send(alice, "/platforms/testbed/versions/2/use", 403)
    assert send(root, "/platforms/testbed/versions/1/use") == "/platforms/testbed", "said as a message, nothing changed"


# --- registering ----------------------------------------------------------------------------------------------------


def test_registering(root: User, plane: Plane) -> None:
    page(root, "/platforms/new")
    assert send(root, "/platforms/new", **form(plane)) == "/platforms/testbed"
    carry_through(Flow.objects.get())
    platform = Platform.objects.get()
    assert (platform.state, platform.kernel, platform.version.samples) == ("official", "ethereum", SAMPLES)
    assert json.loads(platform.credentials.reveal()) == {"token": TOKEN}


def test_files_may_be_uploaded(root: User, plane: Plane) -> None:
    uploads = {
        "api_file_upload": SimpleUploadedFile("api.yaml", API_FILE.encode()),
        "mapping_upload": SimpleUploadedFile("mapping.yaml", MAPPING.encode()),
    }
    send(root, "/platforms/new", **form(plane, api_file="", mapping="mapping: 9", **uploads))
    version = PlatformVersion.objects.get()
    assert (version.api_file, version.mapping) == (API_FILE, MAPPING)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"oemtype": ""}, "This field is required."),
        ({"oemtype": "Big One"}, "Small letters, digits and single hyphens"),
        ({"base_url": "platform.example"}, "starts with http://"),
        ({"base_url": "http://a:b@platform.example"}, "do not belong into the address"),
        ({"token": ""}, "needs this credential"),
        ({"cloudtype": "sky"}, "Select a valid choice"),
        ({"api_file": ""}, "This file is needed"),
        ({"api_file": "a: ["}, "line 2"),
        ({"mapping": "mapping: 1"}, "is a required property"),
        ({"samples": "a: ["}, "line 2"),
        ({"samples": "dance: {}"}, "no such operation"),
        ({"ca_certificate": "x"}, "No certificate found"),
        ({"tlscert": "x"}, "No certificate found"),
        ({"mapping_upload": SimpleUploadedFile("m.yaml", b"\xff\xfe\x00")}, "not UTF-8"),
    ],
)
def test_what_a_form_says(root: User, plane: Plane, changes: dict[str, Any], words: str) -> None:
    before = counts()
    text = send(root, "/platforms/new", 422, **form(plane, **{"token": "wrong-token", **changes}))
    assert words in text
    assert 'aria-invalid="true"' in text
    assert counts() == before
    assert plane.asked == []


def test_no_credential_comes_back_with_a_mistake(root: User, plane: Plane) -> None:
    credentials = {"token": "TOKEN-of-one", "sk": "SK-of-one", "tlscert": "-----BEGIN PRIVATE KEY-----"}
    text = send(root, "/platforms/new", 422, **form(plane, oemtype="", **credentials))
    assert "This field is required." in text
    assert not any(secret in text for secret in credentials.values())


def test_what_was_uploaded_is_not_lost_by_a_mistake(root: User, plane: Plane) -> None:
    upload = SimpleUploadedFile("mapping.yaml", b"mapping: 1\nbetter: luck")
    text = send(root, "/platforms/new", 422, **form(plane, mapping="", mapping_upload=upload))
    assert "better: luck" in text


def test_the_check_beside_the_form(root: User, plane: Plane) -> None:
    before = counts()
    good = send(root, "/platforms/check", 200, **form(plane))
    assert "The files can be registered." in good
    assert "Would be sent" in good
    assert "<html" not in good
    bad = send(root, "/platforms/check", 200, **form(plane, mapping=MAPPING.replace("op: health", "op: wealth")))
    assert "There is 1 error." in bad
    assert "line 13" in bad
    assert "op: wealth" in bad, "the line itself"
    torn = send(root, "/platforms/check", 200, **form(plane, samples="a: ["))
    assert "cannot be read" in torn
    without_scripts = send(root, "/platforms/new", 200, check="1", **form(plane))
    assert "The files can be registered." in without_scripts
    assert "<html" in without_scripts
    assert counts() == before


def test_what_is_shown_is_text_and_no_markup(root: User, plane: Plane) -> None:
    evil = "<script>alert(1)</script>"
    text = send(root, "/platforms/check", 200, **form(plane, mapping=MAPPING.replace("op: health", f'op: "{evil}"')))
    assert evil not in text
    assert "&lt;script&gt;" in text


# --- changing and retiring ------------------------------------------------------------------------------------------


def test_changing(root: User, registered: Register, plane: Plane) -> None:
    registered()
    text = page(root, "/platforms/testbed/change")
    assert plane.address in text
    assert "Leave empty to keep" in text
    fields = form(plane, name="Another name", token="")
    del fields["oemtype"]
    assert send(root, "/platforms/testbed/change", **fields) == "/platforms/testbed"
    platform = Platform.objects.get()
    assert (platform.name, platform.is_default) == ("Another name", True)
    assert json.loads(platform.credentials.reveal()) == {"token": TOKEN}, "left empty: kept"
    assert PlatformVersion.objects.count() == 1, "the same files are no new version"
    refused = send(
        root, "/platforms/testbed/change", 422, **{**fields, "mapping": MAPPING.replace("id: read", "id: raed")}
    )
    assert "reads the step read, which does not exist" in refused
    assert PlatformVersion.objects.count() == 1


def test_retiring_takes_the_name(root: User, registered: Register) -> None:
    registered()
    assert "Type it" in page(root, "/platforms/testbed/retire")
    wrong = send(root, "/platforms/testbed/retire", 422, confirmation="testbed")
    assert "Type the name exactly" in wrong
    assert Platform.objects.get().state == PlatformState.OFFICIAL
    assert send(root, "/platforms/testbed/retire", confirmation="Testbed") == "/platforms/testbed"
    assert Platform.objects.get().state == PlatformState.RETIRED


def test_retiring_asks_what_becomes_of_what_hangs_on_it(root: User, registered: Register) -> None:
    platform = registered()
    registered(oemtype="second", name="Second")
    dependants.add_dependants("things", lambda asked: Dependants("unions", 2) if asked.pk == platform.pk else None)
    try:
        text = page(root, "/platforms/testbed/retire")
        assert "2 unions" in text
        assert "Hand it over to Second" in text
        assert "This field is required" in send(root, "/platforms/testbed/retire", 422, confirmation="Testbed")
        assert "Select a valid choice" in send(
            root, "/platforms/testbed/retire", 422, confirmation="Testbed", outcome="to:nobody"
        )
        assert Platform.objects.get(oemtype="testbed").state == PlatformState.OFFICIAL
        send(root, "/platforms/testbed/retire", confirmation="Testbed", outcome="to:second")
    finally:
        dependants.remove_dependants("things")
    assert Platform.objects.get(oemtype="testbed").state == PlatformState.RETIRED
    assert Platform.objects.get(oemtype="second").is_default


def test_who_may(alice: User, otto: User, registered: Register, plane: Plane) -> None:
    registered()
    before = counts()
    for actor in (alice, otto):
        for path in ("/platforms/new", "/platforms/testbed/change", "/platforms/testbed/retire"):
            page(actor, path, 403)
            send(actor, path, 403, **form(plane))
        send(actor, "/platforms/check", 403, **form(plane))
    for path in ("/platforms", "/platforms/testbed", "/platforms/new"):
        assert browser().get(path)["Location"].startswith("/login")
    assert counts() == before


# --- the frame ------------------------------------------------------------------------------------------------------


def test_the_dashboard_shows_trouble_first(root: User, alice: User, registered: Register) -> None:
    registered()
    registered(oemtype="second", name="Second")
    Platform.objects.filter(oemtype="second").update(health="down")
    shown = platforms_panel(alice)
    assert [row.oemtype for row in shown["platforms"]] == ["second", "testbed"]
    assert "Second" in page(alice, "/")


def test_the_search_finds_platforms(root: User, alice: User, registered: Register, plane: Plane) -> None:
    registered()
    service.register_platform(actor=root, **plane.registration(oemtype="second", name="Testing soon"))
    assert [hit.title for hit in find_platforms(alice, "test", 5)] == ["Testbed"]
    assert len(list(find_platforms(root, "test", 5))) == 2
    assert len(list(find_platforms(root, "test", 1))) == 1
    assert [entry.url_name for entry in shell.entries_for(alice)].count("platforms:platform-list") == 1


@pytest.mark.parametrize("path", ["/platforms", "/platforms/testbed", "/platforms/testbed/versions/1"])
def test_the_number_of_queries_does_not_grow(root: User, registered: Register, path: str) -> None:
    platform, signed = registered(), browser(root)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert signed.get(path).status_code == 200
        return len(captured)

    queries()
    first = queries()
    for number in range(4):
        registered(oemtype=f"more-{number}")
        PlatformVersion.objects.create(platform=platform, number=number + 2, api_file="x", mapping="y", created_by=root)
    assert queries() == first
    assert first <= 14
