"""The pages of the mapping studio: who may, what is shown, what is kept, and what a mistake says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.models import ConsoleRole, Flow, User
from platforms.models import Draft, Platform
from platforms.presets import presets
from platforms.services import drafts as service
from platforms.standard import OPERATIONS
from tests.platforms.conftest import carry_through
from tests.platforms.plane import API_FILE, MAPPING, SAMPLES, TOKEN, Plane
from tests.platforms.test_drafts import begun, large
from tests.platforms.test_pages import browser, page, send

TABS = ("", "/api", "/samples", "/register", "/interfaces/get_health", "/part", "/files/mapping")


def at(draft: Draft, more: str = "") -> str:
    return f"/platforms/studio/{draft.pk}{more}"


def post(user: User, draft: Draft, more: str = "", status: int = 302, **fields: Any) -> str:
    return send(user, at(draft, more), status, revision=Draft.objects.get(pk=draft.pk).revision, **fields)


def test_who_may_enter(root: User, otto: User, alice: User) -> None:
    draft = begun(root)
    rival = User.objects.create_user("rival", "rival@example.org", console_role=ConsoleRole.ADMINISTRATOR)
    for tab in TABS:
        page(alice, at(draft, tab), 403)
        page(otto, at(draft, tab), 403)
        page(rival, at(draft, tab), 404)
    page(alice, "/platforms/studio", 403)
    page(alice, "/platforms/studio/presets/kaleido", 403)
    assert "/platforms/studio" not in page(alice, "/platforms")
    assert Client().get("/platforms/studio")["Location"].startswith("/login")
    send(rival, at(draft, "/discard"), 404)
    send(alice, at(draft, "/discard"), 403)
    assert Draft.objects.count() == 1


def test_where_it_begins(root: User) -> None:
    assert 'href="/platforms/studio"' in page(root, "/platforms")
    text = page(root, "/platforms/studio")
    assert "None yet." in text
    for each in presets():
        assert each.title in text
    assert f"8 of {len(OPERATIONS)} standard operations" in text
    service.begin_from_preset(actor=root, slug="kaleido")
    assert "Discard" in page(root, "/platforms/studio")
    assert "line" in page(root, "/platforms/new", preset="kaleido")


def test_a_preset(root: User) -> None:
    text = page(root, "/platforms/studio/presets/kaleido")
    assert "Kaleido has no tenants" in text or "Kaleido lists no accounts." in text
    assert "API key of a Kaleido account" in text
    page(root, "/platforms/studio/presets/nobody", 404)
    address = "/platforms/studio/presets/amazon-managed-blockchain"
    values = {each.place.replace(".", "__"): str(each.default) for each in presets()[0].parameters}
    said = send(root, address, 422, **{**values, "const__threshold": "many"})
    assert "A whole number is expected." in said
    assert not Draft.objects.exists()
    where = send(root, address, **{**values, "auth__region": "eu-west-1"})
    assert "region: &quot;eu-west-1&quot;" in page(root, where)


def test_own_files(root: User) -> None:
    said = send(root, "/platforms/studio", 422, title="", api_file="")
    assert "This field is required." in said
    upload = SimpleUploadedFile("api.yaml", API_FILE.encode())
    where = send(root, "/platforms/studio", title="Mine", api_file_upload=upload)
    draft = Draft.objects.get()
    assert (where, draft.api_file) == (at(draft), API_FILE)
    text = page(root, where)
    assert f"0 mapped, 0 unsupported, {len(OPERATIONS)} missing" in text
    nonsense = send(root, "/platforms/studio", 422, title="x", api_file_upload=SimpleUploadedFile("a", b"\xff\xfe\x00"))
    assert "not UTF-8" in nonsense


def test_what_is_typed_is_kept_and_checked(root: User) -> None:
    draft = begun(root)
    assert "The files can be registered." in page(root, at(draft))
    part = post(root, draft, "/part", 200, text=MAPPING.replace("op: health", "op: wealth"))
    assert "<html" not in part
    assert "The API file has no operation wealth." in part
    assert 'data-line="13"' in part
    assert 'hx-swap-oob="true"' in part
    assert 'value="2"' in part, "the next revision"
    old = browser(root).post(at(draft, "/part"), {"revision": 1, "text": "lost"}).content.decode()
    assert "changed in another window" in old
    assert Draft.objects.get().mapping.count("wealth") == 1
    torn = post(root, draft, "/part", 200, text="a: [")
    assert "line 2" in torn or "cannot be registered yet" in torn
    assert 'data-start-line="3"' in page(root, at(draft), line="3")
    without_scripts = post(root, draft, "", text=MAPPING)
    assert without_scripts == at(draft)
    assert Draft.objects.get().mapping == MAPPING
    uploaded = SimpleUploadedFile("m.yaml", b"mapping: 1\ninterfaces: {}\n")
    post(root, draft, "", text="ignored", file=uploaded)
    assert Draft.objects.get().mapping == "mapping: 1\ninterfaces: {}\n"
    assert "changed in another window" in send(root, at(draft), 422, revision=1, text="lost")


def test_operations_of_the_api_file(root: User) -> None:
    draft = begun(root)
    text = page(root, at(draft, "/api"))
    for words in ("10 operations", "createNetwork", "/v1/networks/{network}", "Used by", "cursor"):
        assert words in text
    found = page(root, at(draft, "/api"), q="post network")
    assert ">createNetwork<" in found
    assert ">listTenants<" not in found
    assert "No operation matches." in page(root, at(draft, "/api"), q="nothing")
    post(root, draft, "/api", text="a: [")
    torn = page(root, at(draft, "/api"))
    assert "What is wrong with the file" in torn
    assert "line 2" in torn
    assert "cannot be read" in page(root, at(draft))


def test_a_large_file(root: User) -> None:
    draft = begun(root, api_file=large(), mapping="", samples="")
    assert "is being read" in page(root, at(draft))
    assert 'hx-trigger="every 2s"' in page(root, at(draft, "/part"))
    assert "is being read" in page(root, at(draft, "/api"))
    assert "HX-Refresh" not in browser(root).get(at(draft, "/part")).headers
    carry_through(Flow.objects.get())
    assert browser(root).get(at(draft, "/part"))["HX-Refresh"] == "true"
    text = page(root, at(draft, "/api"))
    assert "1200 operations" in text.replace(",", "")
    assert "getThing29" in text
    assert "getThing30:" not in text, "thirty on a page"
    assert "is being read" not in page(root, at(draft))


def test_one_operation(root: User) -> None:
    draft = begun(root, mapping="", samples="")
    address = "/interfaces/get_health"
    text = page(root, at(draft, address))
    for words in ("Proposed", "Write this skeleton", "op: health", "up, degraded, down"):
        assert words in text
    assert "There is no such" not in text
    assert "The API file has no such operation." in post(root, draft, address, 422, action="sketch", call="wealth")
    post(root, draft, address, action="sketch", call="health")
    text = page(root, at(draft, address))
    assert "As it stands in the mapping" in text
    assert "data-confirm" in text
    assert post(root, draft, address, action="example") == f"{at(draft, address)}#run"
    text = page(root, at(draft, address))
    for words in ("Would be sent", "GET /v1/health", "The sample answers", "The console would read"):
        assert words in text
    assert "line 2" in post(root, draft, address, 422, action="sample", sample="a: [")
    post(root, draft, address, action="sample", sample="answers: {read: {body: {state: PURPLE}}}")
    assert "PURPLE" in page(root, at(draft, "/samples"))
    assert "Fault" in page(root, at(draft, "/samples"))
    assert "This field is required." in post(root, draft, address, 422, action="reason", reason="")
    post(root, draft, address, action="reason", reason="It has no such call.")
    assert "It has no such call." in page(root, at(draft, address))
    post(root, draft, address, action="clear")
    assert "get_health" not in Draft.objects.get().mapping
    page(root, at(draft, "/interfaces/dance"), 404)
    post(root, draft, address, 404, action="dance")
    assert "No operation of the API file looks like it." in page(root, at(draft, "/interfaces/get_monitoring"))


@pytest.mark.parametrize("each", presets(), ids=lambda each: each.slug)
def test_every_preset_can_be_looked_at(root: User, each: Any) -> None:
    draft = service.begin_from_preset(actor=root, slug=each.slug)
    assert "The files can be registered." in page(root, at(draft))
    for operation in ("create_network", "list_transactions"):
        page(root, at(draft, f"/interfaces/{operation}"))
    assert "Fault" not in page(root, at(draft, "/samples"))


def test_samples(root: User) -> None:
    draft = begun(root)
    text = page(root, at(draft, "/samples"))
    assert "POST /v1/networks" in text
    assert "with the credential of" in text
    post(root, draft, "/samples", text="dance: {}")
    assert "no such operation" in page(root, at(draft, "/samples"))
    post(root, draft, "/samples", text="")
    assert "No operation has both a mapping and a sample yet." in page(root, at(draft, "/samples"))


def test_taking_the_files_along(root: User) -> None:
    draft = begun(root)
    answer = browser(root).get(at(draft, "/files/mapping"))
    assert (answer.content.decode(), answer["Content-Disposition"]) == (MAPPING, 'attachment; filename="mapping.yaml"')
    assert answer["Content-Type"].startswith("text/plain")
    assert yaml.safe_load(browser(root).get(at(draft, "/files/samples")).content) == SAMPLES
    page(root, at(draft, "/files/secrets"), 404)
    assert 'href="/api/v1/platforms/schema"' in page(root, at(draft))


def test_registering(root: User, plane: Plane) -> None:
    draft = begun(root)
    filled = {"oemtype": "testbed", "name": "Testbed", "cloudtype": "cloud", "base_url": plane.address}
    assert "needs this" in page(root, at(draft, "/register"))
    post(root, draft, "/register", keep="1", **{**filled, "token": TOKEN})
    assert plane.address in page(root, at(draft, "/register"))
    assert TOKEN not in str(Draft.objects.values().get())
    said = post(root, draft, "/register", 422, **{**filled, "name": "Better", "oemtype": "Big One"})
    assert "Small letters, digits and single hyphens" in said
    assert "needs this credential" in said
    assert Draft.objects.get().setup["name"] == "Better", "what was typed is kept, right or wrong"
    assert post(root, draft, "/register", **{**filled, "token": TOKEN}) == "/platforms/testbed"
    assert "being registered" in page(root, "/platforms/testbed")
    assert "testbed" in page(root, at(draft))
    carry_through(Flow.objects.get())
    assert Platform.objects.get().state == "official"
    page(root, at(draft), 404)


def test_files_with_errors_are_named_and_a_refusal_leads_back(root: User, plane: Plane) -> None:
    filled = {"oemtype": "testbed", "name": "T", "cloudtype": "cloud", "base_url": plane.address, "token": TOKEN}
    torn = begun(root, mapping="mapping: 9")
    assert "There are" in page(root, at(torn, "/register")) or "There is" in page(root, at(torn, "/register"))
    said = post(root, torn, "/register", 422, **filled)
    assert 'role="alert"' in said
    assert not Platform.objects.exists()
    draft = begun(root, mapping=MAPPING.replace("op: health", "op: wealth"))
    post(root, draft, "/register", **filled)
    carry_through(Flow.objects.get())
    assert at(draft) in page(root, "/platforms/testbed")
    assert "no operation wealth" in page(root, at(draft))


def test_a_new_version(root: User, alice: User, registered: Any) -> None:
    registered()
    assert "/platforms/testbed/studio" in page(root, "/platforms/testbed/versions/1")
    assert "/platforms/testbed/studio" in page(root, "/platforms/testbed/change")
    send(alice, "/platforms/testbed/studio", 403)
    where = send(root, "/platforms/testbed/studio", number="1")
    draft = Draft.objects.get()
    assert where == at(draft)
    assert "A new version for Testbed" in page(root, at(draft, "/register"))
    assert "new version of Testbed" in page(root, "/platforms/studio")
    post(root, draft, "", text="mapping: 9")
    assert send(root, at(draft, "/version")) == at(draft, "/register"), "said as a message, nothing changed"
    assert Platform.objects.get().version.number == 1
    post(root, draft, "", text=f"{MAPPING}# two\n")
    assert send(root, at(draft, "/version")) == "/platforms/testbed"
    assert Platform.objects.get().version.number == 2
    assert not Draft.objects.exists()


def test_what_is_shown_is_text_and_no_markup(root: User) -> None:
    evil = "<script>alert(1)</script>"
    api = API_FILE.replace("operationId: health", f'operationId: "{evil}"')
    draft = begun(root, api_file=api, mapping=MAPPING.replace("op: health", f'op: "{evil}"'), title=evil)
    for tab in TABS[:-1]:
        assert evil not in page(root, at(draft, tab))


CIRCLES = """
openapi: 3.0.3
info: {title: Circles, version: "1"}
paths:
  /networks:
    get:
      operationId: listNetworks
      parameters: [{name: a, in: query, schema: {$ref: "#/components/schemas/b"}}, {in: query}, {name: 3}]
      responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/b"}}}}}
    post:
      operationId: createNetwork
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/b"}}}}
      responses: {"200": {description: ok}}
  /networks/{id}:
    get: {operationId: getNetwork, tags: x, responses: {default: {$ref: "http://elsewhere/x"}}}
components: {schemas: {b: {$ref: "#/components/schemas/c"}, c: {$ref: "#/components/schemas/b"}}}
"""


def test_files_that_lead_in_circles(root: User) -> None:
    draft = begun(root, api_file=CIRCLES, mapping="", samples="")
    for more in ("/api", "", "/samples", "/register", "/interfaces/list_networks", "/interfaces/create_network"):
        page(root, at(draft, more))
    for name, call in (("list_networks", "listNetworks"), ("create_network", "createNetwork")):
        said = post(root, draft, f"/interfaces/{name}", 422, action="sketch", call=call)
        assert "The API file cannot be followed" in said
    page(root, at(draft, "/interfaces/get_network"))
    assert Draft.objects.get().revision == 1


def test_pages_cost_the_same_however_many_drafts(root: User) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(root, path)
        return len(caught)

    draft = begun(root)
    once = queries("/platforms/studio"), queries(at(draft))
    for _more in range(4):
        begun(root, mapping="", samples="")
    assert (queries("/platforms/studio"), queries(at(draft))) == once
    with CaptureQueriesContext(connection) as caught:
        page(root, "/platforms/studio")
    assert not any("api_document" in each["sql"] for each in caught), "lists leave the files where they are"


def test_the_last_page_proposes_a_short_name_and_says_where_the_api_file_says_the_platform_is(root: User) -> None:
    """It is said, not filled in: the address is what whoever registers types."""
    paths = {"/health": {"get": {"operationId": "health", "responses": {"200": {"description": "ok"}}}}}
    api = json.dumps({"swagger": "2.0", "host": "acme.example", "basePath": "/v1", "info": {}, "paths": paths})
    mapping = "mapping: 1\nauth: {kind: oauth2-client, tokenPath: /token}\ninterfaces: {}\n"
    draft = service.begin_from_files(actor=root, title="Acme Cloud: Europe!", api_file=api, mapping=mapping)
    text = page(root, f"/platforms/studio/{draft.pk}/register")
    assert 'value="acme-cloud-europe"' in text
    assert "which says: https://acme.example/v1" in text
    assert 'value="https://acme.example' not in text
    assert "The client&#x27;s id" in text
