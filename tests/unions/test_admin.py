"""The support site: everything to read, nothing to type, each button a service, never a secret."""

from __future__ import annotations

import pytest
from django.test import Client

from console.models import AuditEntry, User
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, cloud, departments, proposed
from unions.models import Organization, Proposal, Registration, RegistrationRule, ResourceSpace, Union
from unions.services.registrations import create_rule, register

pytestmark = pytest.mark.django_db
MODELS = (Organization, ResourceSpace, Registration, RegistrationRule, Union, Proposal)


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    root.refresh_from_db()
    return departments(platform, root)


@pytest.fixture
def site(cast: Cast) -> Client:
    made = Client()
    made.force_login(cast.root)
    return made


def waiting() -> Registration:
    return register(
        username="erin", password="a-Long-passw0rd", email="erin@example.gov", organization=cloud("Water Board", "t-3")
    )


def test_every_list_and_row_can_be_read_and_none_typed_into(cast: Cast, site: Client) -> None:
    active_union(cast)
    proposed(cast, "Inheritance")
    waiting()
    create_rule(actor=cast.root, name="all")
    for model in MODELS:
        place = f"/admin/unions/{model._meta.model_name}/"
        row = model.objects.first()
        assert row is not None
        shown = site.get(place), site.get(f"{place}{row.pk}/change/")
        for answer in shown:
            assert answer.status_code == 200, place
            text = answer.content.decode()
            assert not any(secret in text for secret in ("AK-of-one", "SK-of-one", "PRIVATE KEY"))
            assert 'name="_save"' not in text
        assert site.get(f"{place}add/").status_code == 403
        assert site.post(f"{place}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def press(site: Client, model: type, action: str, *rows: object) -> None:
    place = f"/admin/unions/{model._meta.model_name}/"  # type: ignore[attr-defined]
    answer = site.post(place, {"action": action, "_selected_action": [row.pk for row in rows]})  # type: ignore[attr-defined]
    assert answer.status_code == 302


def test_buttons_call_services(cast: Cast, site: Client) -> None:
    registration, proposal = waiting(), proposed(cast)
    rule = create_rule(actor=cast.root, name="all")
    press(site, Registration, "approve_registrations", registration)
    press(site, Proposal, "withdraw_proposals", proposal)
    press(site, RegistrationRule, "delete_rules", rule)
    registration, proposal = Registration.objects.get(pk=registration.pk), Proposal.objects.get(pk=proposal.pk)
    assert (registration.state, proposal.state) == ("approved", "withdrawn")
    assert not RegistrationRule.objects.exists()
    actions = set(AuditEntry.objects.filter(actor=cast.root).values_list("action", flat=True))
    assert {
        "unions.registration.approved",
        "unions.proposal.withdrawn",
        "unions.registration_rule.deleted",
    } <= actions


def test_what_a_service_refuses_is_said_and_the_others_go_on(cast: Cast, site: Client) -> None:
    first, second = proposed(cast, "First"), proposed(cast, "Second")
    press(site, Proposal, "withdraw_proposals", first)
    press(site, Proposal, "withdraw_proposals", first, second)
    second = Proposal.objects.get(pk=second.pk)
    assert second.state == "withdrawn"
    text = site.get("/admin/unions/proposal/").content.decode()
    assert "decided already" in text


def test_others_have_no_way_in(cast: Cast) -> None:
    made = Client()
    made.force_login(cast.alice)
    assert made.get("/admin/unions/organization/").status_code == 302
