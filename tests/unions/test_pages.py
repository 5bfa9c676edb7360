"""Every page of this floor: who may see it, what it offers, what it says when something is wrong, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.models import AuditEntry, Flow, User
from platforms.models import Platform
from tests.unions.cast import PASSWORD, Cast, active_union, auditor, cloud, departments, on_prem, proposed, registered
from tests.unions.conftest import pem_bundle
from unions.flows import CREATE, DELETE, JOIN, QUIT
from unions.models import Machine, MemberRole, Membership, Organization, Proposal, Registration, Union, Vote
from unions.services import registrations
from unions.services.proposals import cast_vote
from unions.services.unions import propose_join

pytestmark = pytest.mark.django_db
SECRETS = ("AK-of-one", "SK-of-one", "PRIVATE KEY")


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    cache.clear()
    return departments(platform, root)


def browser(user: User | None = None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def page(user: User | None, path: str, status: int = 200, **query: str) -> str:
    """The page's text; none may ever hold a secret."""
    answer = browser(user).get(path, query)
    assert answer.status_code == status, (path, answer.status_code)
    text = answer.content.decode()
    assert not any(secret in text for secret in SECRETS)
    return text


def send(user: User | None, path: str, status: int = 302, **fields: Any) -> str:
    """What a posted form answers: the page, or where it leads."""
    answer = browser(user).post(path, fields)
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:2000])
    text = answer.content.decode()
    assert not any(secret in text for secret in SECRETS)
    return answer["Location"] if status == 302 else text


def rows() -> dict[str, int]:
    """How much there is of everything that a form here could leave behind."""
    kinds = (User, Registration, Organization, Membership, Machine, Union, Proposal, Vote, Flow, AuditEntry)
    return {kind.__name__: kind._default_manager.count() for kind in kinds}


def asked(cast: Cast) -> Registration:
    """Somebody new has registered."""
    return registrations.register(
        username="erin",
        password=PASSWORD,
        email="erin@example.gov",
        organization=cloud("Water Board", "t-3", ak="AK-of-one", sk="SK-of-one"),
    )


# --- who may see what -----------------------------------------------------------------------------------------------

PATHS: dict[str, Callable[[Cast, Union, Proposal, Registration], str]] = {
    "inbox": lambda *_: "/inbox",
    "proposals": lambda *_: "/proposals",
    "proposal": lambda _c, _u, proposal, _r: f"/proposals/{proposal.pk}",
    "vote": lambda _c, _u, proposal, _r: f"/proposals/{proposal.pk}/vote",
    "unions": lambda *_: "/unions",
    "union": lambda _c, union, _p, _r: f"/unions/{union.unionid}",
    "wizard": lambda *_: "/unions/new",
    "summary": lambda *_: "/unions/new/summary",
    "join": lambda _c, union, _p, _r: f"/unions/{union.unionid}/join",
    "quit": lambda _c, union, _p, _r: f"/unions/{union.unionid}/quit",
    "delete": lambda _c, union, _p, _r: f"/unions/{union.unionid}/delete",
    "organizations": lambda *_: "/organizations",
    "organization": lambda cast, *_: f"/organizations/{cast.tax.orgcode}",
    "change": lambda cast, *_: f"/organizations/{cast.tax.orgcode}/change",
    "members": lambda cast, *_: f"/organizations/{cast.tax.orgcode}/members",
    "registrations": lambda *_: "/registrations",
    "registration": lambda _c, _u, _p, registration: f"/registrations/{registration.pk}",
    "refuse": lambda _c, _u, _p, registration: f"/registrations/{registration.pk}/refuse",
    "rules": lambda *_: "/registration-rules",
    "register": lambda *_: "/register",
    "fields": lambda *_: "/register/fields",
}
OK = dict.fromkeys(PATHS, 200)
EXPECTED: dict[str, dict[str, int]] = {
    "nobody": dict.fromkeys(PATHS, 302) | {"register": 200, "fields": 200},
    "dan": OK
    | {"proposal": 404, "vote": 404, "registration": 404, "refuse": 404}
    | {"join": 403, "quit": 403, "delete": 403, "change": 403, "members": 403, "rules": 403},
    "alice": OK | {"join": 409, "registration": 404, "refuse": 404, "rules": 403},
    "bob": OK
    | {"join": 409, "delete": 403, "change": 403, "members": 403}
    | {"registration": 404, "refuse": 404, "rules": 403},
    "carol": OK
    | {"proposal": 404, "vote": 404, "quit": 409, "delete": 403, "change": 403, "members": 403}
    | {"registration": 404, "refuse": 404, "rules": 403},
    "root": OK,
    "otto": OK | {"join": 403, "quit": 403, "delete": 403, "change": 403, "members": 403, "refuse": 403, "rules": 403},
}


@pytest.mark.parametrize("who", EXPECTED)
def test_who_may_see_what(cast: Cast, who: str) -> None:
    union, proposal, registration = active_union(cast), proposed(cast, "Inheritance"), asked(cast)
    user = {"nobody": None, "otto": auditor()}.get(who, getattr(cast, who, None))
    found = {
        name: browser(user).get(path(cast, union, proposal, registration)).status_code for name, path in PATHS.items()
    }
    assert found == EXPECTED[who]


def test_what_does_not_exist(cast: Cast) -> None:
    for path in ("/unions/union-x", "/organizations/org-x", "/proposals/777", "/registrations/777"):
        page(cast.root, path, 404)
    page(cast.root, f"/proposals/{10**30}", 404)


def test_numbers_lead_to_names(cast: Cast) -> None:
    union = active_union(cast)
    assert browser(cast.dan).get(f"/unions/number/{union.pk}")["Location"] == f"/unions/{union.unionid}"
    assert browser(cast.dan).get(f"/organizations/number/{cast.tax.pk}")["Location"].endswith(cast.tax.orgcode)
    page(cast.dan, "/unions/number/777", 404)


def test_htmx_gets_the_live_part_alone(cast: Cast) -> None:
    union, proposal = active_union(cast), proposed(cast, "Inheritance")
    for path in ("/inbox", "/unions", f"/unions/{union.unionid}", f"/proposals/{proposal.pk}"):
        part = browser(cast.bob).get(path, headers={"HX-Request": "true"}).content.decode()
        assert 'id="live"' in part
        assert "<html" not in part
        assert 'id="live"' in page(cast.bob, path)


# --- registering ----------------------------------------------------------------------------------------------------


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "username": "erin",
        "email": "erin@example.gov",
        "password": PASSWORD,
        "name": "Water Board",
        "category": "cloud",
        "oemtype": "testbed",
        "tenantid": "t-3",
        "ak": "AK-of-one",
        "sk": "SK-of-one",
        **changes,
    }


def test_a_clerk_registers_and_sees_how_far_it_is(cast: Cast) -> None:
    clerk = browser()
    answer = clerk.post("/register", filled())
    registration = Registration.objects.latest("id")
    assert answer["Location"] == f"/registrations/{registration.pk}"
    text = clerk.get(answer["Location"]).content.decode()
    assert "It waits for an administrator" in text
    assert "hx-get" in text
    assert "Approve" not in text

    send(cast.root, f"/registrations/{registration.pk}/approve")
    text = clerk.get(answer["Location"]).content.decode()
    organization = Organization.objects.get(name="Water Board")
    assert organization.orgcode in text
    assert "/unions/new" in text
    assert "hx-get" not in text.split('id="live"')[1].split(">")[0]


def test_on_prem_by_pasting_and_by_file(cast: Cast) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    fields = filled(category="on_prem", nodelist="127.0.0.31:9001\n127.0.0.32:9001", tlscert=pem_bundle())
    send(None, "/register", **{k: v for k, v in fields.items() if k not in ("ak", "sk", "tenantid")})
    assert Registration.objects.latest("id").details["nodelist"] == [
        {"ip": "127.0.0.31", "port": 9001},
        {"ip": "127.0.0.32", "port": 9001},
    ]
    file = SimpleUploadedFile("client.pem", pem_bundle().encode())
    send(
        None,
        "/register",
        **filled(username="fay", name="Fire", category="on_prem", nodelist="127.0.0.33:9001", tlscert_file=file),
    )
    assert Registration.objects.latest("id").organization_name == "Fire"


def own_machines(**changes: Any) -> dict[str, Any]:
    """An on-prem department that nothing is wrong with, but for the changes."""
    return {"category": "on_prem", "nodelist": "127.0.0.9:9001", "tlscert": pem_bundle(), **changes}


BAD_FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "no user name": ({"username": ""}, "username"),
    "a name that is taken": ({"username": "alice"}, "username"),
    "no address": ({"email": "nobody"}, "email"),
    "a weak password": ({"password": "12345678"}, "password"),
    "an unknown tenant": ({"tenantid": "t-77"}, "tenantid"),
    "a tenant that is bound": ({"tenantid": "t-1"}, "tenantid"),
    "an organization that exists": ({"name": "Tax Bureau"}, "name"),
    "no secret key": ({"sk": ""}, "sk"),
    "no machine": ({"category": "on_prem", "tlscert": "x"}, "nodelist"),
    "a machine without port": ({"category": "on_prem", "nodelist": "127.0.0.9"}, "nodelist"),
    "port 0": ({"category": "on_prem", "nodelist": "127.0.0.9:0", "tlscert": "PEM"}, "nodelist"),
    "no certificate": ({"category": "on_prem", "nodelist": "127.0.0.9:1"}, "tlscert"),
    "rubbish for a certificate": ({"category": "on_prem", "nodelist": "127.0.0.9:1", "tlscert": "x"}, "tlscert"),
    "an expired certificate": (own_machines(tlscert=pem_bundle(days=-1)), "tlscert"),
    "the key of another certificate": (own_machines(tlscert=pem_bundle(other_key=True)), "tlscert"),
    "an address that is none": (own_machines(nodelist="somewhere over there:9001"), "nodelist"),
    "an address out of range": (own_machines(nodelist="127.0.0.9:9001\n127.0.0.256:9001"), "nodelist"),
    "a port above all": (own_machines(nodelist="127.0.0.9:65536"), "nodelist"),
    "a port of another alphabet": (own_machines(nodelist="127.0.0.9:²"), "nodelist"),
    "a port without end": (own_machines(nodelist="127.0.0.9:" + "9" * 5000), "nodelist"),
    "a machine that is bound": (own_machines(nodelist="127.0.0.9:9001\n127.0.0.11:9001"), "nodelist"),
    "an unknown platform": ({"oemtype": "nowhere"}, "oemtype"),
    "an unknown category": ({"category": "moon"}, "category"),
}


@pytest.mark.parametrize("case", BAD_FORMS)
def test_a_form_with_a_mistake_comes_back_with_the_error_at_the_field(cast: Cast, case: str) -> None:
    changes, field = BAD_FORMS[case]
    before = rows()
    text = send(None, "/register", 422, **filled(**changes))
    assert f'id="id_{field}_error"' in text
    assert 'value="erin@example.gov"' in text or "email" in changes
    assert PASSWORD not in text
    assert rows() == before


def test_the_fields_follow_the_category_and_never_carry_a_secret(cast: Cast) -> None:
    text = page(None, "/register/fields", category="on_prem", nodelist="127.0.0.9:1", ak="AK-of-one", password=PASSWORD)
    assert 'name="tlscert"' in text
    assert "Tenant id" not in text
    assert "127.0.0.9:1" in text
    assert PASSWORD not in text
    back = page(None, "/register/fields", category="cloud", tenantid="t-3", nodelist="127.0.0.9:1")
    assert 'type="hidden" name="nodelist" value="127.0.0.9:1"' in back
    text = send(None, "/register", 200, **filled(category="on_prem", switch="1"))
    assert 'name="tlscert"' in text
    assert 'value="Water Board"' in text
    assert Registration.objects.filter(organization_name="Water Board").count() == 0


def test_the_fields_follow_what_the_platform_asks_for(cast: Cast) -> None:
    fields = {"tenantid": "Twelve digits of the account", "ak": "Key id of the account", "sk": "Its secret"}
    Platform.objects.filter(pk=cast.platform.pk).update(organization_fields=fields)
    text = page(None, "/register/fields", category="cloud", oemtype=cast.platform.oemtype)
    asked, _, aside = text.partition("Fields that this platform does not ask for")
    assert all(words in asked for words in fields.values())
    assert [name for name in ("tenantid", "ak", "sk") if f'name="{name}"' in asked] == ["tenantid", "ak", "sk"]
    assert [name for name in ("projectid", "token") if f'name="{name}"' in aside] == ["projectid", "token"]
    assert "<details open" not in " ".join(text.split())
    Platform.objects.filter(pk=cast.platform.pk).update(organization_fields={})
    assert "does not ask for" not in page(None, "/register/fields", category="cloud")


def test_whoever_was_refused_reads_why_and_registers_again_with_the_same_account(cast: Cast) -> None:
    registration = asked(cast)
    text = send(cast.root, f"/registrations/{registration.pk}/refuse", 422, reason=" ")
    assert 'id="id_reason_error"' in text
    send(cast.root, f"/registrations/{registration.pk}/refuse", reason="We do not know you.")
    erin = registration.user
    assert "We do not know you." in page(erin, f"/registrations/{registration.pk}")
    form = page(erin, "/register")
    assert 'name="password"' not in form
    send(erin, "/register", **filled())
    again = Registration.objects.latest("id")
    assert (again.user, again.state) == (erin, "pending")
    text = send(erin, "/register", 422, **filled(name="Another", tenantid="t-4"))
    assert "waits for a decision" in text


def test_the_page_is_rate_limited_like_the_api(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "registrations", "1/min")
    send(None, "/register", **filled())
    text = send(None, "/register", 422, **filled(username="fay", name="Fire", tenantid="t-4"))
    assert "Too many registrations" in text


def test_rules(cast: Cast) -> None:
    send(cast.root, "/registration-rules", name="everybody in the cloud", category="cloud", oemtype="", email_domain="")
    assert "everybody in the cloud" in page(cast.root, "/registration-rules")
    clerk = browser()
    place = clerk.post("/register", filled())["Location"]
    assert "What you can do now" in clerk.get(place).content.decode()
    text = send(cast.root, "/registration-rules", 422, name="everybody in the cloud")
    assert 'id="id_name_error"' in text


# --- organizations --------------------------------------------------------------------------------------------------


def test_secrets_are_shown_as_stored_and_only_to_those_concerned(cast: Cast) -> None:
    place = f"/organizations/{cast.tax.orgcode}"
    own, stranger = page(cast.alice, place), page(cast.bob, place)
    assert "stored, sealed" in own
    assert "Tenant 1" in own
    assert "Tenant 1" not in stranger
    assert "Only members of the organization see its details." in stranger
    assert "127.0.0.11:9001" in page(cast.carol, f"/organizations/{cast.social.orgcode}")


def test_a_certificate_that_ends_soon_is_pointed_out(cast: Cast) -> None:
    place = f"/organizations/{cast.social.orgcode}"
    space = cast.social.space
    space.tlscert_expires_at = timezone.now() + timezone.timedelta(days=200)
    space.save()
    assert "expires soon" not in page(cast.carol, place)
    space.tlscert_expires_at = timezone.now() + timezone.timedelta(days=10)
    space.save()
    assert "expires soon" in page(cast.carol, place)
    space.tlscert_expires_at = timezone.now() - timezone.timedelta(days=1)
    space.save()
    assert "has expired" in page(cast.carol, place)


def test_changing_keeps_what_is_left_empty(cast: Cast) -> None:
    place = f"/organizations/{cast.tax.orgcode}/change"
    send(cast.alice, place, name="Tax Authority", projectid="p-1", ak="", sk="SK-new", token="")
    cast.tax.refresh_from_db()
    space = type(cast.tax.space).objects.get(organization=cast.tax)
    assert (cast.tax.name, space.sk.reveal(), space.ak.reveal()) == ("Tax Authority", "SK-new", "AK-of-one")
    text = send(cast.alice, place, 422, name="Housing Office", projectid="p-1")
    assert 'id="id_name_error"' in text
    assert 'value="Housing Office"' in text
    text = send(cast.alice, place, 422, name="Tax Authority", projectid="p-9")
    assert 'id="id_projectid_error"' in text


def test_a_machine_that_is_bound_is_not_taken_from_its_organization(cast: Cast) -> None:
    user, roads = registered(cast.root, "erin", on_prem("Roads", port=9002))
    before = rows(), list(Machine.objects.order_by("pk").values("space", "ip", "port"))
    place = f"/organizations/{roads.orgcode}/change"
    text = send(user, place, 422, name="Roads and Bridges", nodelist="127.0.0.11:9002\n127.0.0.11:9001")
    assert 'id="id_nodelist_error"' in text
    assert "2. This machine is bound to another organization." in text
    assert (rows(), list(Machine.objects.order_by("pk").values("space", "ip", "port"))) == before
    roads.refresh_from_db()
    assert roads.name == "Roads"


def test_people_come_and_go(cast: Cast) -> None:
    place = f"/organizations/{cast.tax.orgcode}"
    send(cast.alice, f"{place}/members", username="dan", role="viewer")
    assert "dan" in page(cast.alice, place)
    text = send(cast.alice, f"{place}/members", 422, username="nobody", role="viewer")
    assert 'id="id_username_error"' in text
    send(cast.alice, f"{place}/members/remove", username="dan")
    assert not Membership.objects.filter(user=cast.dan).exists()
    send(cast.alice, f"{place}/members/remove", username="alice")  # the last one: said on the page
    assert Membership.objects.filter(user=cast.alice).exists()


# --- unions and proposals -------------------------------------------------------------------------------------------


def test_the_wizard_asks_and_the_proposal_shows(cast: Cast) -> None:
    place = send(
        cast.alice,
        "/unions/new",
        name="Permits",
        creatororg=cast.tax.orgcode,
        oemtype="testbed",
        orgs=[cast.housing.orgcode, cast.social.orgcode],
        comment="Please",
    )
    proposal = Proposal.objects.get()
    assert place == f"/proposals/{proposal.pk}"
    text = page(cast.alice, place)
    assert "Tax Bureau invites Housing Office and Social Security to the new union “Permits”." in text
    assert "Take back" in text
    inbox = page(cast.bob, "/inbox")
    assert "Please" in inbox
    assert inbox.count("<form") > page(cast.alice, "/inbox").count("<form")


def test_the_wizard_tells_what_is_wrong(cast: Cast) -> None:
    fields = {"name": "Permits", "creatororg": cast.tax.orgcode, "oemtype": "testbed", "orgs": [cast.housing.orgcode]}
    before = rows()
    for changes, field in (
        ({"name": ""}, "name"),
        ({"orgs": []}, "orgs"),
        ({"orgs": [cast.tax.orgcode]}, "orgs"),
        ({"oemtype": "nowhere"}, "oemtype"),
        ({"orgs": ["org-nowhere"]}, "orgs"),
        ({"creatororg": cast.housing.orgcode}, "creatororg"),
        ({"creatororg": ""}, "creatororg"),
    ):
        text = send(cast.alice, "/unions/new", 422, **{**fields, **changes})
        assert f'id="id_{field}_error"' in text, field
    assert rows() == before
    proposed(cast, "Permits")
    text = send(cast.alice, "/unions/new", 422, **fields)
    assert 'id="id_name_error"' in text
    assert f'value="{cast.housing.orgcode}"\n' in text or "checked" in text


def test_the_wizard_says_why_a_platform_or_a_guest_cannot_be_taken(cast: Cast) -> None:
    capabilities = {**cast.platform.capabilities, "create_network": {"supported": False, "reason": "Only the vendor."}}
    Platform.objects.filter(pk=cast.platform.pk).update(capabilities=capabilities)
    assert "Only the vendor." in page(cast.alice, "/unions/new")
    Platform.objects.filter(pk=cast.platform.pk).update(cloudtype="cloud")
    text = page(cast.alice, "/unions/new/summary", oemtype="testbed", creatororg=cast.tax.orgcode)
    assert "The platform takes no organizations of this category." in text
    assert "hx-swap-oob" in text
    text = page(
        cast.alice,
        "/unions/new/summary",
        oemtype="testbed",
        creatororg=cast.tax.orgcode,
        orgs=cast.housing.orgcode,
    )
    assert "<strong>Housing Office</strong>" in " ".join(text.split()).replace("> ", ">").replace(" <", "<")


def test_the_wizard_begins_where_the_creator_has_its_resource_space(cast: Cast) -> None:
    other = Platform.objects.get(pk=cast.platform.pk)
    Platform.objects.filter(pk=other.pk).update(is_default=False)
    other.pk, other.oemtype, other.name, other.is_default = None, "elsewhere", "Elsewhere", True
    other.save()
    text = " ".join(page(cast.alice, "/unions/new").split())
    assert f'value="{cast.platform.oemtype}" checked' in text
    assert 'value="elsewhere" checked' not in text
    assert "on another platform" not in text


def test_voting_on_the_page(cast: Cast) -> None:
    proposal = proposed(cast)
    place = f"/proposals/{proposal.pk}"
    text = send(cast.bob, f"{place}/vote", 422, orgcode=cast.housing.orgcode, comment="no button was pressed")
    assert "no button was pressed" in text
    send(cast.bob, f"{place}/vote", orgcode=cast.housing.orgcode, agree="yes", comment="Welcome")
    text = page(cast.alice, place)
    assert "Welcome" in text
    assert "Being carried out" in text
    text = send(cast.bob, f"{place}/vote", 422, orgcode=cast.housing.orgcode, agree="no")
    assert "decided already" in text
    send(cast.alice, f"{place}/vote", 403, orgcode=cast.tax.orgcode, agree="yes")


def test_strangers_decide_nothing(cast: Cast) -> None:
    """Dan speaks for nobody, Carol for an organization that was not asked, and Erin has just asked to come in."""
    proposal, registration = proposed(cast), asked(cast)
    before = rows()
    vote = {"orgcode": cast.housing.orgcode, "agree": "yes"}
    union = {"name": "Roads", "creatororg": cast.tax.orgcode, "oemtype": "testbed", "orgs": [cast.housing.orgcode]}
    for stranger in (cast.dan, cast.carol, registration.user):
        send(stranger, f"/proposals/{proposal.pk}/vote", 404, **vote)
    assert 'id="id_creatororg_error"' in send(cast.carol, "/unions/new", 422, **union)
    assert "You do not belong to an organization yet" in send(cast.dan, "/unions/new", 422, **union)
    assert "Your registration is being looked at" in send(registration.user, "/unions/new", 422, **union)
    send(cast.alice, f"/proposals/{proposal.pk}/vote", 403, **vote)
    for number, who in ((404, cast.dan), (404, cast.carol), (403, registration.user)):
        send(who, f"/registrations/{registration.pk}/approve", number)
        send(who, f"/registrations/{registration.pk}/refuse", number, reason="No.")
    proposal.refresh_from_db()
    registration.refresh_from_db()
    assert (rows(), proposal.state, registration.state) == (before, "open", "pending")


def test_whoever_has_not_signed_in_is_asked_to_and_decides_nothing(cast: Cast) -> None:
    proposal, registration = proposed(cast), asked(cast)
    before = rows()
    union = {"name": "Roads", "creatororg": cast.tax.orgcode, "oemtype": "testbed", "orgs": [cast.housing.orgcode]}
    for path, fields in (
        (f"/proposals/{proposal.pk}/vote", {"orgcode": cast.housing.orgcode, "agree": "yes"}),
        (f"/proposals/{proposal.pk}/withdraw", {}),
        ("/unions/new", union),
        (f"/registrations/{registration.pk}/approve", {}),
        (f"/registrations/{registration.pk}/refuse", {"reason": "No."}),
        (f"/organizations/{cast.tax.orgcode}/change", {"name": "Mine"}),
    ):
        assert send(None, path, **fields).startswith("/login?"), path
    for each in (proposal, registration, cast.tax):
        each.refresh_from_db()
    assert (rows(), proposal.state, registration.state) == (before, "open", "pending")
    assert cast.tax.name == "Tax Bureau"


def test_taking_back_on_the_page(cast: Cast) -> None:
    proposal = proposed(cast)
    send(cast.bob, f"/proposals/{proposal.pk}/withdraw", 403)
    send(cast.alice, f"/proposals/{proposal.pk}/withdraw")
    assert "taken back before everyone had answered" in page(cast.bob, f"/proposals/{proposal.pk}")


FLOW_ENDS = {
    "undone": "It was agreed to, but carrying it out failed, and everything was taken back.",
    "failed": "not everything could be taken back",
    "cancelled": "An administrator stopped it",
    "done": "It was agreed to and carried out.",
}


@pytest.mark.parametrize("state", FLOW_ENDS)
def test_what_became_of_it_is_said_in_words(cast: Cast, state: str) -> None:
    proposal = proposed(cast)
    cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
    error = None if state == "done" else {"code": "x", "detail": "The disk is full."}
    Flow.objects.filter(pk=proposal.flow_id).update(state=state, ended_at=timezone.now(), error=error)
    text = page(cast.bob, f"/proposals/{proposal.pk}")
    assert FLOW_ENDS[state] in text
    assert ("The disk is full." in text) == (state != "done")
    assert ("Create the union again" in text) == (state in ("undone", "cancelled"))


def test_the_buttons_of_a_union_say_why_not(cast: Cast) -> None:
    union = active_union(cast)
    place = f"/unions/{union.unionid}"
    assert "You do not speak for Tax Bureau." in page(cast.bob, place)
    assert "Tax Bureau is a member already." in page(cast.alice, place)
    assert "You speak for no organization." in page(cast.dan, place)
    propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    assert "must be decided or taken back first" in page(cast.alice, f"{place}/delete")
    assert "Social Security asks to join the union" in page(cast.alice, f"{place}/quit")


def test_moves_by_page(cast: Cast) -> None:
    union = active_union(cast)
    place = f"/unions/{union.unionid}"
    text = send(cast.alice, f"{place}/delete", 422, confirmation="building permits")
    assert 'id="id_confirmation_error"' in text
    joined = send(cast.carol, f"{place}/join", orgcode=cast.social.orgcode, comment="We hold the records")
    assert "We hold the records" in page(cast.alice, joined)
    send(cast.carol, f"{joined}/withdraw")
    text = send(cast.bob, f"{place}/quit", 422, orgcode=cast.housing.orgcode, confirmation="")
    assert 'id="id_confirmation_error"' in text
    left = send(cast.bob, f"{place}/quit", orgcode=cast.housing.orgcode, confirmation=union.name)
    assert "Housing Office leaves the union" in page(cast.alice, left)  # members see what happens to their union
    page(cast.carol, left, 404)


def test_deleting_takes_the_name(cast: Cast) -> None:
    union = active_union(cast)
    place = send(cast.alice, f"/unions/{union.unionid}/delete", confirmation="Building permits")
    assert "Tax Bureau deletes the union" in page(cast.alice, place)
    union.refresh_from_db()
    assert union.state == "deleting"
    assert "being deleted" in page(cast.bob, f"/unions/{union.unionid}")


# --- the first look -------------------------------------------------------------------------------------------------


def test_every_empty_place_leads_to_the_next_step(cast: Cast) -> None:
    erin = asked(cast).user
    for path in ("/inbox", "/"):
        assert "You do not belong to an organization yet" in page(cast.dan, path)
        assert "/register" in page(cast.dan, path)
        assert "Your registration is being looked at" in page(erin, path)
        assert "Nothing waits for you" in page(cast.bob, path)
    assert "Create a union" in page(cast.bob, "/")
    registrations.refuse_registration(actor=cast.root, registration_id=erin.registrations.get().pk, reason="no")
    assert "Your registration was refused" in page(erin, "/inbox")
    Membership.objects.create(user=erin, organization=cast.tax, role=MemberRole.VIEWER)
    assert "You may look, not answer" in page(erin, "/inbox")


def test_the_dashboard_and_the_badges_say_what_waits(cast: Cast) -> None:
    union = active_union(cast)
    proposed(cast, "Inheritance")
    asked(cast)
    bobs, roots = page(cast.bob, "/"), page(cast.root, "/")
    assert "invites Housing Office" in bobs
    assert union.name in bobs
    assert "Water Board asks to be registered" in roots
    assert "Water Board" not in bobs


def test_search_finds_what_one_may_see(cast: Cast) -> None:
    union = active_union(cast)
    asked(cast)
    assert f"/unions/{union.unionid}" in page(cast.dan, "/search", q="permits")
    assert f"/organizations/{cast.tax.orgcode}" in page(cast.dan, "/search", q="Tax")
    assert "Water Board" in page(cast.root, "/search", q="Water")
    assert "Water Board" not in page(cast.alice, "/search", q="Water")


# --- what it costs --------------------------------------------------------------------------------------------------

LISTS = ("/inbox", "/proposals", "/unions", "/organizations", "/registrations", "/unions/new", "/")


def queries(user: User, path: str) -> int:
    made = browser(user)
    made.get(path)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert made.get(path).status_code == 200
    return len(found)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("who", ["bob", "root"])
def test_a_list_costs_the_same_for_more_rows(cast: Cast, who: str, path: str) -> None:
    user = getattr(cast, who)
    fill(cast, 1)
    few = queries(user, path)
    for number in range(2, 6):
        fill(cast, number)
    many = queries(user, path)
    assert many <= few, (few, many)
    assert many <= 30


def fill(cast: Cast, number: int) -> None:
    """One more of everything."""
    active_union(cast, name=f"Union {number}")
    proposed(cast, f"Proposal {number}")
    if number <= 3:
        registered(cast.root, f"user{number}", cloud(f"Bureau {number}", f"t-{number + 2}"))
    with transaction.atomic():
        Registration.objects.create(
            user=User.objects.create_user(f"asker{number}"), organization_name=f"Asker {number}", category="cloud"
        )


def test_a_unions_page_costs_the_same_for_more_members(cast: Cast) -> None:
    union = active_union(cast)
    few = queries(cast.root, f"/unions/{union.unionid}")
    more = [registered(cast.root, f"user{n}", cloud(f"Bureau {n}", f"t-{n}"))[1] for n in range(3, 6)]
    bigger = active_union(cast, cast.tax, cast.housing, *more, name="Bigger")
    assert queries(cast.root, f"/unions/{bigger.unionid}") <= few
    assert few <= 30


def test_every_action_and_kind_of_flow_has_words() -> None:
    """What the audit log and the flows call things is read by people."""
    from pathlib import Path
    from re import findall

    from unions.words import WORDS

    text = "".join(path.read_text() for path in Path("unions/services").glob("*.py"))
    recorded = set(findall(r'audit\.record\(\s*"([a-z_.]+)"', text))
    kinds = {f"unions.proposal.{kind}_proposed" for kind in ("create", "join", "quit", "delete")}
    assert recorded | kinds <= set(WORDS)
    assert {flow.kind for flow in (CREATE, JOIN, QUIT, DELETE)} <= set(WORDS)
