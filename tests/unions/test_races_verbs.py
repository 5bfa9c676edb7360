"""Every locked verb of this floor, by eight at the same moment: one wins, the others hear why, one line on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from console import audit
from console.models import AuditEntry, Flow, Notification, User
from console.services.flows import cancel_flow
from platforms.models import Platform
from tests.console.conftest import person
from tests.console.flowkit import run_out
from tests.console.races import at_once
from tests.unions.cast import Cast, active_union, departments, proposed
from unions.drifts.findings import network_missing
from unions.models import (
    Drift,
    DriftKind,
    Machine,
    MemberRole,
    Membership,
    MemberState,
    Organization,
    Proposal,
    RegistrationRule,
)
from unions.services import drifts, unions
from unions.services.certificates import warn_of_certificate
from unions.services.organizations import add_member, remove_member, update_organization
from unions.services.placeholders import placeholder_for, propose_claim
from unions.services.proposals import answer_for_console, cast_vote, close_stranded, withdraw_proposal
from unions.services.quotas import set_quota
from unions.services.registrations import create_rule, delete_rule
from unions.services.unions import propose_delete, propose_join, propose_quit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 8
ONE = {"done": 1, "conflict": THREADS - 1}


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def recorded(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def eight(call: Callable[[], Any]) -> dict[str, int]:
    return dict(at_once(*[call] * THREADS))


# --- unions -----------------------------------------------------------------------------------------------------------


def test_the_same_join_proposed_eight_times(cast: Cast) -> None:
    union = active_union(cast)
    call = partial(propose_join, actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    assert eight(call) == ONE
    assert (Proposal.objects.count(), Flow.objects.count(), recorded("unions.proposal.join_proposed")) == (1, 1, 1)


def test_the_same_quit_proposed_eight_times(cast: Cast) -> None:
    union = active_union(cast)
    call = partial(propose_quit, actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    endings = eight(call)
    assert endings.pop("done") == 1
    assert sum(endings.values()) == THREADS - 1
    assert set(endings) <= {"conflict", "not_found"}
    assert (Flow.objects.count(), recorded("unions.proposal.quit_proposed")) == (1, 1)
    assert union.members.get(organization=cast.housing).state == MemberState.QUITTING


def test_the_same_deletion_proposed_eight_times(cast: Cast) -> None:
    union = active_union(cast)
    assert eight(partial(propose_delete, actor=cast.alice, unionid=union.unionid)) == ONE
    assert (Flow.objects.count(), recorded("unions.proposal.delete_proposed")) == (1, 1)


def test_three_members_quit_at_once_and_one_stays(cast: Cast) -> None:
    union = active_union(cast, cast.tax, cast.housing, cast.social)
    people = [(cast.alice, cast.tax), (cast.bob, cast.housing), (cast.carol, cast.social)]
    calls = [partial(propose_quit, actor=who, unionid=union.unionid, orgcode=org.orgcode) for who, org in people]
    assert at_once(*calls) == {"done": 2, "conflict": 1}
    assert union.members.filter(state=MemberState.ACTIVE).count() == 1


@pytest.mark.parametrize("verb", ["delete_union", "open_union", "release_member", "settle_member", "keep_member"])
def test_what_the_platform_did_is_written_down_once(cast: Cast, verb: str) -> None:
    """Two workers that both hold the step for theirs are told apart by the lease; the rows are not fooled either."""
    union = active_union(cast)
    member = union.members.get(organization=cast.housing)
    proposal = propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)
    before = {"delete_union": "deleting", "open_union": "building"}
    type(union).objects.filter(pk=union.pk).update(state=before.get(verb, "active"))
    states = {"release_member": "quitting", "keep_member": "quitting", "settle_member": "joining"}
    type(member).objects.filter(pk=member.pk).update(state=states.get(verb, "active"))
    arguments: dict[str, Any] = {"union_id": union.pk}
    if verb in states:
        arguments["orgcode"] = cast.housing.orgcode
    if verb == "keep_member":
        arguments["proposal_id"] = proposal.pk
    else:
        arguments["actor"] = cast.root
    endings = eight(partial(_in_a_transaction, getattr(unions, verb), arguments))
    done = THREADS if verb == "keep_member" else 1  # nothing left to keep is no fault
    assert endings.pop("done") == done, endings
    member.refresh_from_db()
    union.refresh_from_db()
    ends = {"delete_union": "deleted", "open_union": "active"}
    assert union.state == ends.get(verb, "active")
    assert member.state == {"release_member": "left", "delete_union": "left"}.get(verb, "active")
    told = AuditEntry.objects.filter(action__startswith="unions.union.").count()
    assert told == (0 if verb == "keep_member" else 1)


def _in_a_transaction(verb: Callable[..., Any], arguments: dict[str, Any]) -> None:
    from console.transactions import whole

    whole(lambda: verb(**arguments))


# --- proposals --------------------------------------------------------------------------------------------------------


def test_withdrawn_once(cast: Cast) -> None:
    proposal = proposed(cast)
    assert eight(partial(withdraw_proposal, actor=cast.alice, proposal_id=proposal.pk)) == ONE
    assert recorded("unions.proposal.withdrawn") == 1


def test_a_vote_against_an_operator_who_cancels(cast: Cast) -> None:
    """Either the vote counts or the flow is stopped; never an agreed proposal that nobody carries out."""
    for number in range(6):
        proposal = proposed(cast, f"Union {number}")
        vote = partial(cast_vote, actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True)
        cancel = partial(cancel_flow, actor=cast.root, flow_id=proposal.flow_id)
        endings = at_once(vote, cancel)
        proposal.refresh_from_db()
        assert endings["done"] + endings["stopped"] == 2, endings
        assert (proposal.state == "open") == (endings["stopped"] == 1)
        run_out()
        proposal.flow.refresh_from_db()
        assert proposal.flow.state == "cancelled"


def test_a_stranded_proposal_is_closed_once(cast: Cast) -> None:
    proposal = proposed(cast)
    cancel_flow(actor=cast.root, flow_id=proposal.flow_id)
    assert eight(partial(close_stranded, proposal_id=proposal.pk)) == {"done": THREADS}
    assert recorded("unions.proposal.withdrawn") == 1


# --- organizations ----------------------------------------------------------------------------------------------------


def test_two_administrators_of_an_organization_remove_each_other(cast: Cast) -> None:
    for number in range(4):
        person(f"second{number}")
        add_member(actor=cast.alice, orgcode=cast.tax.orgcode, username=f"second{number}", role="administrator")
        second = User.objects.get(username=f"second{number}")
        endings = at_once(
            partial(remove_member, actor=cast.alice, orgcode=cast.tax.orgcode, username=second.username),
            partial(remove_member, actor=second, orgcode=cast.tax.orgcode, username=cast.alice.username),
        )
        assert endings["done"] == 1, endings
        left = Membership.objects.get(organization=cast.tax, role=MemberRole.ADMINISTRATOR)
        Membership.objects.filter(organization=cast.tax).delete()
        Membership.objects.create(user=cast.alice, organization=cast.tax, role=MemberRole.ADMINISTRATOR)
        assert left.user in (cast.alice, second)


def test_one_role_for_eight_who_give_it(cast: Cast) -> None:
    roles = ["viewer", "operator", "administrator", "viewer"] * 2
    calls = [
        partial(add_member, actor=cast.alice, orgcode=cast.tax.orgcode, username="dan", role=role) for role in roles
    ]
    assert at_once(*calls) == {"done": THREADS}
    assert Membership.objects.filter(user=cast.dan, organization=cast.tax).count() == 1


def test_removed_once(cast: Cast) -> None:
    add_member(actor=cast.alice, orgcode=cast.tax.orgcode, username="dan", role="viewer")
    call = partial(remove_member, actor=cast.alice, orgcode=cast.tax.orgcode, username="dan")
    endings = eight(call)
    assert endings.pop("done") == 1
    assert recorded("unions.member.removed") == 1


def test_one_name_for_two_organizations_that_want_it(cast: Cast) -> None:
    for number in range(4):
        name = {"name": f"Bureau {number}"}
        endings = at_once(
            partial(update_organization, actor=cast.alice, orgcode=cast.tax.orgcode, changes=name),
            partial(update_organization, actor=cast.bob, orgcode=cast.housing.orgcode, changes=name),
        )
        assert endings == {"done": 1, "conflict": 1}
        assert Organization.objects.filter(name=name["name"]).count() == 1


def test_eight_lists_of_machines_leave_one_of_them(cast: Cast) -> None:
    lists = [[{"ip": f"127.0.1.{number}", "port": 9000 + extra} for extra in range(3)] for number in range(THREADS)]
    calls = [
        partial(update_organization, actor=cast.carol, orgcode=cast.social.orgcode, changes={"nodelist": nodes})
        for nodes in lists
    ]
    assert at_once(*calls) == {"done": THREADS}
    there = list(Machine.objects.filter(space=cast.social.space).values("ip", "port"))
    assert there in lists


# --- rules ------------------------------------------------------------------------------------------------------------


def test_one_rule_of_a_name(cast: Cast) -> None:
    assert eight(partial(create_rule, actor=cast.root, name="Ministries")) == ONE
    assert recorded("unions.registration_rule.created") == 1
    rule = RegistrationRule.objects.get()
    endings = eight(partial(delete_rule, actor=cast.root, rule_id=rule.pk))
    assert endings.pop("done") == 1
    assert recorded("unions.registration_rule.deleted") == 1
    assert list(audit.verify()) == []


# --- differences ------------------------------------------------------------------------------------------------------


def drift_of(cast: Cast) -> Drift:
    union = active_union(cast)
    return Drift.objects.create(
        platform=cast.platform, union=union, kind=DriftKind.NETWORK_MISSING, key=union.network_id, name=union.name
    )


def test_a_difference_is_mended_or_ignored_once(cast: Cast) -> None:
    drift = drift_of(cast)
    mend = partial(drifts.mend_drift, actor=cast.root, drift_id=drift.pk, way="write_off")
    ignore = partial(drifts.ignore_drift, actor=cast.root, drift_id=drift.pk, reason="known")
    assert at_once(*[mend, ignore] * 4) == ONE
    drift.refresh_from_db()
    asked = Proposal.objects.count()
    assert (drift.state, asked, recorded("unions.drift.ignored")) in [("mending", 1, 0), ("ignored", 0, 1)]


def test_an_ignored_difference_is_opened_once(cast: Cast) -> None:
    drift = drift_of(cast)
    drifts.ignore_drift(actor=cast.root, drift_id=drift.pk, reason="known")
    assert eight(partial(drifts.reopen_drift, actor=cast.root, drift_id=drift.pk)) == ONE
    assert recorded("unions.drift.reopened") == 1


def test_one_comparison_at_a_time(cast: Cast) -> None:
    union = active_union(cast)
    for call in (
        partial(drifts.compare_platform, actor=cast.root, oemtype=cast.platform.oemtype),
        partial(drifts.compare_union, actor=cast.alice, unionid=union.unionid),
    ):
        assert eight(call) == ONE
    assert Flow.objects.filter(kind="unions.reconcile").count() == 2


def test_a_finding_of_two_comparisons_is_written_down_once(cast: Cast) -> None:
    """A comparison of the platform and one of the union end at the same moment."""
    union = active_union(cast)
    finding = network_missing(union)

    @transaction.atomic(durable=True)
    def record() -> None:
        drifts.record_findings(
            platform_id=cast.platform.pk, kinds=[finding.kind], findings=[finding], settled=Drift.objects.none()
        )

    assert eight(record) == {"done": THREADS}
    assert Drift.objects.count() == 1


# --- what only the console decides ------------------------------------------------------------------------------------


def test_the_console_answers_once(cast: Cast) -> None:
    with transaction.atomic():
        stranger = placeholder_for(platform=cast.platform, name="Water Board", tenantid="", key="m-9")
    active_union(cast, stranger)
    claim = propose_claim(actor=cast.bob, placeholder=stranger.orgcode, orgcode=cast.housing.orgcode)
    answers = [
        partial(answer_for_console, actor=cast.root, proposal_id=claim.pk, agree=agree) for agree in (True, False)
    ]
    assert at_once(*answers * (THREADS // 2)) == ONE
    claim.refresh_from_db()
    assert claim.state == ("carried" if claim.console_agrees else "refused")
    assert recorded("unions.proposal.console_answered") == 1


def test_every_change_of_a_quota_is_on_record_with_what_it_replaced(cast: Cast) -> None:
    numbers = range(1, THREADS + 1)
    change = partial(set_quota, actor=cast.root, orgcode=cast.tax.orgcode)
    first = cast.tax.space.quota_nodes
    assert at_once(*[partial(change, changes={"nodes": number}) for number in numbers]) == {"done": THREADS}
    entries = AuditEntry.objects.filter(action="unions.resource_space.quota_set").order_by("pk")
    told = [(entry.data["before"]["nodes"], entry.data["nodes"]) for entry in entries]
    assert [before for before, _after in told] == [first, *(after for _before, after in told[:-1])]
    cast.tax.space.refresh_from_db()
    assert cast.tax.space.quota_nodes == told[-1][1]


def test_an_organization_is_told_once_that_its_certificate_ends(cast: Cast) -> None:
    space = cast.social.space
    space.tlscert_expires_at, space.tlscert_warned_at = timezone.now() + timedelta(hours=2), None
    space.save()
    assert eight(partial(warn_of_certificate, space_id=space.pk)) == {"done": THREADS}
    assert Notification.objects.filter(user=cast.carol, kind="certificate").count() == 1
