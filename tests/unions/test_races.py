"""Many at the same moment, on a database with row locks: one wins, the others hear why, and nothing happens twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from console.errors import ConsoleError
from console.flows import engine
from console.models import AuditEntry, Flow, User
from console.transactions import whole
from platforms.models import Platform
from tests.unions.cast import Cast, active_union, cloud, departments, on_prem, proposed, registered
from unions import quotas as quota_figures
from unions.models import (
    MemberRole,
    Membership,
    MemberState,
    Organization,
    Proposal,
    Registration,
    Reservation,
    ResourceSpace,
    Union,
)
from unions.services import quotas, unions
from unions.services.endings import release_union
from unions.services.organizations import close_organization
from unions.services.placeholders import hand_over, placeholder_for, propose_claim
from unions.services.proposals import cast_vote, expire_proposal, remind_electors, withdraw_proposal
from unions.services.registrations import approve_registration, refuse_registration, register
from unions.services.rules import propose_rule
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
THREADS = 8


@pytest.fixture
def cast(platform: Platform, root: User) -> Cast:
    return departments(platform, root)


def at_once(*calls: Callable[[], Any]) -> Counter[str]:
    """Run all calls as nearly at the same moment as threads allow; how each ended: "done", or the error's code."""
    barrier, endings = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=20)
            call()
            endings.append("done")
        except ConsoleError as problem:
            endings.append(problem.code)
        except Exception as problem:
            endings.append(repr(problem))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(endings) == len(calls)
    return Counter(endings)


def recorded(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def vote(cast: Cast, proposal: Proposal, agree: bool = True) -> Callable[[], Any]:
    return lambda: cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=agree)


def test_the_same_vote_eight_times(cast: Cast) -> None:
    proposal = proposed(cast)
    endings = at_once(*[vote(cast, proposal)] * THREADS)
    assert endings["done"] == 1, endings
    assert set(endings) <= {"done", "conflict", "voted_already"}
    assert proposal.votes.count() == recorded("unions.proposal.voted") == recorded("unions.proposal.carried") == 1


def test_yes_and_no_at_once(cast: Cast) -> None:
    proposal = proposed(cast)
    endings = at_once(*[vote(cast, proposal, agree=number % 2 == 0) for number in range(THREADS)])
    assert endings["done"] == 1, endings
    proposal.refresh_from_db()
    assert proposal.state == ("carried" if proposal.votes.get().agree else "refused")


def test_a_vote_against_a_withdrawal(cast: Cast) -> None:
    proposal = proposed(cast)
    withdraw = [lambda: withdraw_proposal(actor=cast.alice, proposal_id=proposal.pk)] * (THREADS // 2)
    endings = at_once(*withdraw, *[vote(cast, proposal)] * (THREADS // 2))
    assert endings["done"] == 1, endings
    decided = recorded("unions.proposal.withdrawn") + recorded("unions.proposal.carried")
    assert decided == 1


def test_the_last_two_members_vote_at_once(cast: Cast) -> None:
    """Neither may think that the other is still missing: that would leave the proposal open for ever."""
    union = active_union(cast)
    proposal = propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
    endings = at_once(
        lambda: cast_vote(actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True),
        lambda: cast_vote(actor=cast.bob, proposal_id=proposal.pk, orgcode=cast.housing.orgcode, agree=True),
    )
    assert endings == {"done": 2}
    proposal.refresh_from_db()
    assert proposal.state == "carried"
    assert recorded("unions.proposal.carried") == 1


def test_a_vote_while_the_flow_falls_asleep(cast: Cast) -> None:
    """A vote that comes while the step is about to sleep must not be slept through."""
    for number in range(6):
        proposal = proposed(cast, f"Union {number}")
        invite, approval = proposal.flow.steps.order_by("number")[:2]
        engine.run_step(invite.pk)
        endings = at_once(lambda step=approval: engine.run_step(step.pk), vote(cast, proposal))
        assert endings == {"done": 2}
        approval.refresh_from_db()
        assert approval.state == "done", "the flow sleeps although everyone has agreed"


def test_the_same_union_proposed_eight_times(cast: Cast) -> None:
    call = lambda: propose_union(  # noqa: E731
        actor=cast.alice, name="P", oemtype="", creatororg=cast.tax.orgcode, orgs=[cast.housing.orgcode]
    )
    assert at_once(*[call] * THREADS) == {"done": 1, "conflict": THREADS - 1}
    assert Proposal.objects.count() == Flow.objects.count() == 1


def test_deleting_against_joining_and_quitting(cast: Cast) -> None:
    for number in range(4):
        union = active_union(cast, name=f"Union {number}")
        endings = at_once(
            lambda union=union: propose_delete(actor=cast.alice, unionid=union.unionid),
            lambda union=union: propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode),
            lambda union=union: propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode),
        )
        union.refresh_from_db()
        kinds = set(Proposal.objects.filter(union=union).values_list("kind", flat=True))
        assert set(endings) <= {"done", "conflict", "blocked"}, endings
        assert kinds in ({"delete"}, {"join", "quit"}, {"join"}, {"quit"}), kinds
        assert (union.state == "deleting") == (kinds == {"delete"})


def test_both_members_quit_at_once(cast: Cast) -> None:
    for number in range(4):
        union = active_union(cast, name=f"Union {number}")
        endings = at_once(
            lambda union=union: propose_quit(actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode),
            lambda union=union: propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode),
        )
        assert endings == {"done": 1, "conflict": 1}
        assert union.members.filter(state=MemberState.ACTIVE).count() == 1


def test_a_member_leaves_while_the_other_votes(cast: Cast) -> None:
    """However they interleave, the join is settled: nobody waits for a say that has ended."""
    for number in range(6):
        union = active_union(cast, name=f"Union {number}")
        proposal = propose_join(actor=cast.carol, unionid=union.unionid, orgcode=cast.social.orgcode)
        propose_quit(actor=cast.bob, unionid=union.unionid, orgcode=cast.housing.orgcode)

        def leave(union: Union = union) -> None:
            with transaction.atomic():
                unions.release_member(union_id=union.pk, orgcode=cast.housing.orgcode, actor=cast.bob)

        yes = lambda proposal=proposal: cast_vote(  # noqa: E731
            actor=cast.alice, proposal_id=proposal.pk, orgcode=cast.tax.orgcode, agree=True
        )
        assert at_once(leave, yes) == {"done": 2}
        proposal.refresh_from_db()
        assert proposal.state == "carried"


def test_expiry_against_eight_clocks(cast: Cast) -> None:
    proposal = proposed(cast)
    Proposal.objects.update(expires_at=proposal.opened_at)
    assert at_once(*[lambda: expire_proposal(proposal_id=proposal.pk)] * THREADS) == {"done": THREADS}
    assert recorded("unions.proposal.expired") == 1


def test_approving_and_refusing_at_once(cast: Cast) -> None:
    asked = register(
        username="erin", password="a-Long-passw0rd", email="e@example.gov", organization=cloud("Water", "t-3")
    )
    yes = [lambda: approve_registration(actor=cast.root, registration_id=asked.pk)] * (THREADS // 2)
    no = [lambda: refuse_registration(actor=cast.root, registration_id=asked.pk, reason="no")] * (THREADS // 2)
    assert at_once(*yes, *no) == {"done": 1, "conflict": THREADS - 1}
    asked = Registration.objects.get(pk=asked.pk)
    assert Organization.objects.filter(name="Water").exists() == (asked.state == "approved")


@pytest.mark.parametrize("body", [lambda: cloud("Water", "t-3"), lambda: on_prem("Water", port=9777)])
def test_one_space_for_eight_who_want_it(cast: Cast, body: Callable[[], dict[str, Any]]) -> None:
    bodies = [{**body(), "name": f"Water {number}"} for number in range(THREADS)]
    asked = at_once(
        *[
            lambda number=number: register(
                username=f"w{number}",
                password="a-Long-passw0rd",
                email="w@example.gov",
                organization=bodies[number],
            )
            for number in range(THREADS)
        ]
    )
    assert set(asked) <= {"done", "conflict"}, asked
    pending = list(Registration.objects.filter(state="pending"))
    approved = at_once(
        *[lambda row=row: approve_registration(actor=cast.root, registration_id=row.pk) for row in pending]
    )
    assert approved["done"] == 1, approved
    assert Organization.objects.filter(name__startswith="Water").count() == 1


def test_the_cast_is_registered_once(cast: Cast) -> None:
    calls = [lambda: registered(cast.root, "frank", cloud("Fire Brigade", "t-4"))] * THREADS
    assert at_once(*calls)["done"] == 1
    assert User.objects.filter(username="frank").count() == 1


def test_the_last_place_of_a_space_is_promised_once(cast: Cast) -> None:
    """Eight unions at once, by one creator with room for three: three are promised, and nobody is over the quota."""
    ResourceSpace.objects.filter(organization=cast.tax).update(quota_nodes=3)

    def propose(number: int) -> Callable[[], Any]:
        return lambda: propose_union(
            actor=cast.alice, name=f"U{number}", oemtype="", creatororg=cast.tax.orgcode, orgs=[cast.housing.orgcode]
        )

    endings = at_once(*[propose(number) for number in range(THREADS)])
    assert endings == {"done": 3, "quota_exceeded": THREADS - 3}
    assert Reservation.objects.filter(space__organization=cast.tax).count() == 3
    assert Proposal.objects.count() == Flow.objects.count() == 3


def test_a_place_that_is_turned_into_use_is_never_counted_twice_nor_missed(cast: Cast) -> None:
    """While promises become nodes, others ask for the rest: never more than the quota, never less than there is."""
    ResourceSpace.objects.filter(organization=cast.tax).update(quota_nodes=THREADS)
    flows = [proposed(cast, f"First {number}").flow for number in range(THREADS // 2)]

    def settle(flow: Flow) -> Callable[[], Any]:
        def call() -> None:
            with transaction.atomic():
                quotas.turn_into_use(flow.pk)
                Membership.objects.create(
                    user=User.objects.create_user(f"node-{flow.pk}"), organization=cast.tax, role=MemberRole.VIEWER
                )

        return call

    def count(ids: list[int]) -> dict[int, quota_figures.Amount]:
        """A viewer of the organization stands for a node: the floor that knows nodes is above this one."""
        number = Membership.objects.filter(organization=cast.tax, role=MemberRole.VIEWER).count()
        return {cast.tax.pk: quota_figures.Amount(nodes=number)}

    quota_figures.count_with(count)
    try:
        endings = at_once(
            *[settle(flow) for flow in flows],
            *[lambda number=number: proposed(cast, f"More {number}") for number in range(THREADS)],
        )
    finally:
        quota_figures._counters.remove(count)
    assert endings == {"done": THREADS, "quota_exceeded": THREADS // 2}


def test_an_organization_is_closed_or_invited_never_both(cast: Cast) -> None:
    close = lambda: close_organization(actor=cast.bob, orgcode=cast.housing.orgcode)  # noqa: E731
    invite = [lambda number=number: proposed(cast, f"U{number}") for number in range(THREADS // 2)]
    endings = at_once(*[close] * (THREADS // 2), *invite)
    cast.housing.refresh_from_db()
    if cast.housing.is_closed:
        assert endings["done"] == 1, endings
        assert not Proposal.objects.exists()
    else:
        assert endings == {"done": THREADS // 2, "blocked": THREADS // 2}
    assert Reservation.objects.filter(space__kind="released").count() == 0


@pytest.fixture
def stranger(cast: Cast) -> Organization:
    """A placeholder of which the platform names no tenant: anybody may say that it is theirs."""
    with transaction.atomic():
        return placeholder_for(platform=cast.platform, name="Water Board", tenantid="", key="m-9")


def test_an_organization_is_closed_or_claims_never_both(cast: Cast, stranger: Organization) -> None:
    active_union(cast, stranger, cast.tax)
    close = lambda: close_organization(actor=cast.bob, orgcode=cast.housing.orgcode)  # noqa: E731
    claim = lambda: propose_claim(actor=cast.bob, placeholder=stranger.orgcode, orgcode=cast.housing.orgcode)  # noqa: E731
    endings = at_once(*[close, claim] * (THREADS // 2))
    assert endings["done"] == 1, endings
    cast.housing.refresh_from_db()
    assert cast.housing.is_closed != Proposal.objects.filter(proposer=cast.housing).exists()


def test_a_placeholder_is_handed_over_once(cast: Cast, stranger: Organization) -> None:
    union = active_union(cast, stranger, cast.tax)
    claimants = [cast.housing.orgcode, cast.social.orgcode]
    calls = [
        partial(whole, partial(hand_over, placeholder=stranger.orgcode, orgcode=code, actor=None)) for code in claimants
    ]
    assert at_once(*calls * (THREADS // 2)) == {"done": 1, "conflict": THREADS - 1}
    assert recorded("unions.placeholder.claimed") == 1
    assert union.members.exclude(organization=cast.tax).get().organization.orgcode in claimants


def test_a_union_is_let_go_of_once_or_its_placeholder_is_claimed(cast: Cast, stranger: Organization) -> None:
    union = active_union(cast, stranger, cast.tax)
    let_go = partial(release_union, actor=cast.root, unionid=union.unionid, reason="Nobody came")
    claim = partial(propose_claim, actor=cast.bob, placeholder=stranger.orgcode, orgcode=cast.housing.orgcode)
    endings = at_once(*[let_go, claim] * (THREADS // 2))
    assert endings["done"] == 1, endings
    union.refresh_from_db()
    stranger.refresh_from_db()
    released = union.state == "deleted"
    assert stranger.is_closed == released
    assert Proposal.objects.filter(kind="claim").exists() != released
    assert recorded("unions.union.released") == int(released)


def test_those_who_are_silent_are_reminded_once_by_eight(cast: Cast) -> None:
    proposal = proposed(cast)
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() + timedelta(hours=1))
    assert at_once(*[lambda: remind_electors(proposal_id=proposal.pk)] * THREADS) == {"done": THREADS}
    assert recorded("unions.proposal.reminded") == 1


def test_a_rule_is_proposed_once(cast: Cast) -> None:
    union = active_union(cast)
    call = lambda: propose_rule(  # noqa: E731
        actor=cast.alice, unionid=union.unionid, orgcode=cast.tax.orgcode, rule="majority"
    )
    assert at_once(*[call] * THREADS) == {"done": 1, "conflict": THREADS - 1}
    assert Proposal.objects.filter(kind="rule").count() == 1
