"""The rule of a union: set when it is created, changed by proposal only, and what it means for who may come in.

And what belongs to a vote besides: the reminder, the reason of a withdrawal, one person for several organizations.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console.errors import Conflict, Invalid, NotAllowed
from console.flows import engine
from console.models import AuditEntry, Flow, Notification, User
from platforms.models import Platform
from tests.rest import assert_problem, client
from tests.unions.cast import Cast, active_union, cloud, departments, registered
from tests.unions.test_pages import page, send
from unions.models import MemberRole, Membership, Proposal, ProposalState, Rule, Union
from unions.services import unions
from unions.services.proposals import cast_vote, remind_electors, withdraw_proposal
from unions.services.rules import propose_rule
from unions.services.unions import propose_join, propose_quit, propose_union
from unions.tasks import remind_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


@pytest.fixture
def three(cast: Cast) -> Union:
    return active_union(cast, cast.tax, cast.housing, cast.social)


def work() -> None:
    """Keep every promise that needs no platform."""
    for _round in range(4):
        for step_id in engine.due_steps():
            engine.run_step(step_id)


def ruled(union: Union, rule: str, threshold: int | None = None) -> Union:
    Union.objects.filter(pk=union.pk).update(rule=rule, threshold=threshold)
    union.refresh_from_db()
    return union


def newcomer(cast: Cast) -> tuple[User, Any]:
    return registered(cast.root, "nora", cloud("Water Board", "t-4"))


def test_the_rule_is_set_at_creation_and_read_with_care(cast: Cast) -> None:
    wanted: dict[str, Any] = {
        "actor": cast.alice,
        "name": "Permits",
        "oemtype": "",
        "creatororg": cast.tax.orgcode,
        "orgs": [cast.housing.orgcode],
    }
    bad: list[tuple[Any, Any, str]] = [
        ("loudest", None, "rule"),
        ("threshold", None, "threshold"),
        ("threshold", 0, "threshold"),
        ("threshold", 101, "threshold"),
        ("threshold", True, "threshold"),
        ("majority", 60, "threshold"),
    ]
    before = (Proposal.objects.count(), AuditEntry.objects.count())
    for rule, threshold, field in bad:
        with pytest.raises(Invalid) as problem:
            propose_union(**wanted, rule=rule, threshold=threshold)
        assert list(problem.value.errors) == [field]
    assert (Proposal.objects.count(), AuditEntry.objects.count()) == before

    proposal = propose_union(**wanted, rule="threshold", threshold=60)
    assert (proposal.rule, proposal.payload["rule"], proposal.payload["threshold"]) == ("everyone", "threshold", 60)
    with transaction.atomic():
        union = unions.save_union(
            payload={**proposal.payload, "proposal": proposal.pk}, network_id="n", member_ids={}, actor=None
        )
    assert (union.rule, union.threshold) == (Rule.THRESHOLD, 60)


def test_another_rule_is_decided_by_the_rule_of_today(cast: Cast, three: Union) -> None:
    with pytest.raises(NotAllowed):
        propose_rule(actor=cast.bob, unionid=three.unionid, orgcode=cast.tax.orgcode, rule="majority")
    nora, water = newcomer(cast)
    with pytest.raises(Conflict):
        propose_rule(actor=nora, unionid=three.unionid, orgcode=water.orgcode, rule="majority")
    with pytest.raises(Conflict):
        propose_rule(actor=cast.alice, unionid=three.unionid, orgcode=cast.tax.orgcode, rule="everyone")

    asked = propose_rule(actor=cast.alice, unionid=three.unionid, orgcode=cast.tax.orgcode, rule="majority")
    with pytest.raises(Conflict):  # two on one subject
        propose_rule(
            actor=cast.bob, unionid=three.unionid, orgcode=cast.housing.orgcode, rule="threshold", threshold=60
        )
    assert [vote.organization for vote in asked.votes.all()] == [cast.tax]
    cast_vote(actor=cast.bob, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=True)
    work()
    three.refresh_from_db()
    assert three.rule == Rule.EVERYONE  # Carol has not answered
    cast_vote(actor=cast.carol, proposal_id=asked.pk, orgcode=cast.social.orgcode, agree=True)
    work()
    three.refresh_from_db()
    assert three.rule == Rule.MAJORITY
    assert Flow.objects.get(pk=asked.flow_id).state == "done"
    entry = AuditEntry.objects.get(action="unions.union.rule_changed")
    assert entry.data["before"] == {"rule": "everyone", "threshold": None}

    again = propose_rule(
        actor=cast.alice, unionid=three.unionid, orgcode=cast.tax.orgcode, rule="threshold", threshold=30
    )
    assert again.rule == Rule.MAJORITY
    assert (
        cast_vote(actor=cast.bob, proposal_id=again.pk, orgcode=cast.housing.orgcode, agree=True).state
        == ProposalState.CARRIED
    )


def test_a_share_lets_in_as_early_as_it_is_certain(cast: Cast, three: Union) -> None:
    nora, water = newcomer(cast)
    ruled(three, Rule.THRESHOLD, 60)  # 2 of 3
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    ruled(three, Rule.EVERYONE)  # what is being asked already is not touched
    cast_vote(actor=cast.alice, proposal_id=asked.pk, orgcode=cast.tax.orgcode, agree=False)
    cast_vote(actor=cast.bob, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=True)
    done = cast_vote(actor=cast.carol, proposal_id=asked.pk, orgcode=cast.social.orgcode, agree=True)
    assert done.state == ProposalState.CARRIED

    ruled(three, Rule.THRESHOLD, 60)
    Flow.objects.filter(pk=asked.flow_id).delete()
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    cast_vote(actor=cast.alice, proposal_id=asked.pk, orgcode=cast.tax.orgcode, agree=False)
    refused = cast_vote(actor=cast.bob, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=False)
    assert refused.state == ProposalState.REFUSED  # Carol's answer could not change it


def test_who_leaves_shrinks_the_electorate_and_it_is_decided_anew(cast: Cast, three: Union) -> None:
    nora, water = newcomer(cast)
    ruled(three, Rule.THRESHOLD, 60)
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    rule = propose_rule(actor=cast.alice, unionid=three.unionid, orgcode=cast.tax.orgcode, rule="majority")
    cast_vote(actor=cast.alice, proposal_id=asked.pk, orgcode=cast.tax.orgcode, agree=True)
    for user, organization in ((cast.carol, cast.social), (cast.bob, cast.housing)):
        propose_quit(actor=user, unionid=three.unionid, orgcode=organization.orgcode)
        with transaction.atomic():
            unions.release_member(union_id=three.pk, orgcode=organization.orgcode, actor=user)
        asked.refresh_from_db()
        expected = ProposalState.OPEN if user == cast.carol else ProposalState.CARRIED  # 1 of 2, then 1 of 1
        assert asked.state == expected
    rule.refresh_from_db()
    assert rule.state == ProposalState.CARRIED


def test_one_person_answers_for_several_organizations_one_by_one(cast: Cast, three: Union) -> None:
    Membership.objects.create(user=cast.bob, organization=cast.social, role=MemberRole.OPERATOR)
    nora, water = newcomer(cast)
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    work()
    text = page(cast.bob, f"/proposals/{asked.pk}")
    assert text.count('name="orgcode"') == 2
    assert Notification.objects.filter(user=cast.bob, kind="invitation").count() == 1  # one person, one letter
    cast_vote(actor=cast.bob, proposal_id=asked.pk, orgcode=cast.housing.orgcode, agree=True)
    assert list(Proposal.objects.waiting_for(cast.bob)) == [asked]
    cast_vote(actor=cast.bob, proposal_id=asked.pk, orgcode=cast.social.orgcode, agree=False, comment="no room")
    asked.refresh_from_db()
    assert asked.state == ProposalState.REFUSED


def test_those_who_are_silent_are_reminded_once(cast: Cast, three: Union, settings: Any) -> None:
    nora, water = newcomer(cast)
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    cast_vote(actor=cast.alice, proposal_id=asked.pk, orgcode=cast.tax.orgcode, agree=True)
    told = Notification.objects.filter(kind="reminder")
    remind_all()
    assert not told.exists()  # there is time yet
    late = timezone.now() + timedelta(hours=settings.PROPOSAL_REMINDER_HOURS - 1)
    Proposal.objects.filter(pk=asked.pk).update(expires_at=late)
    remind_all()
    remind_all()
    remind_electors(proposal_id=asked.pk)
    assert {each.user for each in told} == {cast.bob, cast.carol}
    assert told.count() == 2
    assert AuditEntry.objects.filter(action="unions.proposal.reminded").count() == 1
    Proposal.objects.filter(pk=asked.pk).update(reminded_at=None, expires_at=timezone.now() - timedelta(seconds=1))
    remind_electors(proposal_id=asked.pk)
    assert told.count() == 2  # too late: it has expired


def test_a_withdrawal_has_a_reason_that_those_asked_read(cast: Cast, three: Union) -> None:
    nora, water = newcomer(cast)
    asked = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    assert "Take back" in page(nora, f"/proposals/{asked.pk}/withdraw")
    page(cast.bob, f"/proposals/{asked.pk}/withdraw", 403)
    send(nora, f"/proposals/{asked.pk}/withdraw", reason="next year")
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (ProposalState.WITHDRAWN, "next year")
    assert "next year" in page(cast.bob, f"/proposals/{asked.pk}")
    assert Notification.objects.filter(user=cast.bob, parameters__reason="next year").exists()
    page(nora, f"/proposals/{asked.pk}/withdraw", 409)
    again = propose_join(actor=nora, unionid=three.unionid, orgcode=water.orgcode)
    with pytest.raises(NotAllowed):
        withdraw_proposal(actor=cast.bob, proposal_id=again.pk)
    answer = client(nora).post(f"/api/v1/proposals/{again.pk}/withdraw", {"reason": "moved"}, format="json")
    assert (answer.json()["state"], answer.json()["reason"]) == ("withdrawn", "moved")


def test_the_rule_by_rest_and_on_the_pages(cast: Cast, three: Union) -> None:
    alice, address = client(cast.alice), f"/api/v1/unions/{three.unionid}/rule"
    for body, field in (
        ({"orgcode": cast.tax.orgcode}, "rule"),
        ({"orgcode": cast.tax.orgcode, "rule": "threshold"}, "threshold"),
        ({"orgcode": cast.tax.orgcode, "rule": "threshold", "threshold": 101}, "threshold"),
        ({"orgcode": "org-nobody", "rule": "majority"}, "orgcode"),
    ):
        assert_problem(alice.post(address, body, format="json"), 422, field)
    assert_problem(
        client(cast.dan).post(address, {"orgcode": cast.tax.orgcode, "rule": "majority"}, format="json"), 403
    )
    answer = alice.post(
        address,
        {"orgcode": cast.tax.orgcode, "rule": "threshold", "threshold": 60},
        format="json",
        HTTP_IDEMPOTENCY_KEY="k",
    )
    assert answer.status_code == 202
    shown = alice.get(f"/api/v1/proposals/{answer.json()['proposal']}").json()
    assert (shown["kind"], shown["rule"], shown["threshold"], shown["waiting_for"]) == (
        "rule",
        "everyone",
        None,
        [cast.housing.orgcode, cast.social.orgcode],
    )
    assert "at least 60 %" in page(cast.bob, "/inbox")
    withdraw_proposal(actor=cast.alice, proposal_id=int(shown["id"]))

    ruled(three, Rule.THRESHOLD, 67)
    union = alice.get(f"/api/v1/unions/{three.unionid}").json()
    assert (union["rule"], union["threshold"]) == ("threshold", 67)
    assert "at least 67 %" in page(cast.alice, f"/unions/{three.unionid}")
    path = f"/unions/{three.unionid}/rule"
    page(cast.dan, path, 403)
    assert "67" in page(cast.alice, path)
    wrong = send(cast.alice, path, 422, orgcode=cast.tax.orgcode, rule="threshold", threshold="")
    assert "Say how many percent." in wrong
    send(cast.alice, path, orgcode=cast.tax.orgcode, rule="majority", threshold="12", comment="please")
    asked = Proposal.objects.get(state=ProposalState.OPEN)
    assert (asked.payload["rule"], asked.payload["threshold"], asked.rule) == ("majority", None, "threshold")
    assert "3 of 3 must agree" in page(cast.bob, f"/proposals/{asked.pk}")
