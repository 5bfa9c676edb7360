"""Random verbs by random organizations, on a platform that answers as it likes: whatever comes, the rules hold.

Hypothesis writes the stories and shortens those that break a rule. The engine is stepped by hand, so that a story may
stop half-way, lose its worker, or go on; the platform is a real server behind the real driver. MODEL_EXAMPLES=500
writes more stories, and other ones each time.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from console.errors import ConsoleError
from console.flows import engine
from console.models import Flow, FlowState, Step, StepState, User
from console.services.flows import cancel_flow, decide_step, retry_step
from tests.chaos import truth
from tests.chaos.people import decision_on, department_on, platform_at
from tests.chaos.plane import RecordingPlane
from tests.chaos.weather import BROKEN, BUSY, GATEWAY, REFUSED
from tests.console.flowkit import hurry, run_out
from tests.tools import emptying
from tests.unions.union_plane import CREATE, DELETE, JOB, JOIN, LIST, QUIT, READ
from unions.models import (
    LIVE_MEMBER_STATES,
    Drift,
    DriftState,
    Proposal,
    ProposalState,
    Reservation,
    Union,
    UnionState,
)
from unions.services import drifts
from unions.services.proposals import cast_vote, close_stranded, expire_proposal, withdraw_proposal
from unions.services.rules import propose_rule
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))
STORIES = settings(
    max_examples=EXAMPLES or 8,
    stateful_step_count=30,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],  # to shorten a story takes minutes
    suppress_health_check=list(HealthCheck),
)

_numbers = itertools.count(1)
ORGANIZATIONS = 4
anybody = st.integers(0, ORGANIZATIONS - 1)
somewhere = st.integers(0, 1000)
routes = st.sampled_from([CREATE, LIST, READ, DELETE, JOIN, QUIT, JOB])
faults = st.sampled_from(["reset", "reset-after", "html", BUSY, BROKEN, GATEWAY, REFUSED])


class Consortium(RuleBasedStateMachine):
    """Four organizations, each with one clerk, on one platform."""

    @initialize(careful=st.booleans())
    def begin(self, careful: bool) -> None:
        emptying.empty()
        number = next(_numbers)
        self.plane = RecordingPlane(careful=careful)
        self.platform = platform_at(f"model-{number}", self.plane.address, careful=careful, default=False)
        self.organizations = [
            department_on(f"model-{number}-{each}", self.platform, quota_nodes=2) for each in range(ORGANIZATIONS)
        ]
        self.root, _made = User.objects.get_or_create(username="root", console_role="administrator")
        self._found()

    def _found(self) -> None:
        """A union of three to begin with, so that no story has to build one before it gets interesting."""
        creator, *guests = [self._code(each) for each in range(3)]
        propose_union(
            actor=self._clerk(0), name="Founded", oemtype=self.platform.oemtype, creatororg=creator, orgs=guests
        )
        self.all_agree()
        run_out()
        assert Union.objects.get(platform=self.platform).state == UnionState.ACTIVE

    def teardown(self) -> None:
        """However the story went: in calm weather everything ends, and both sides agree."""
        try:
            if hasattr(self, "plane"):
                self._end_all()
        finally:
            if hasattr(self, "plane"):
                self.plane.close()

    def _end_all(self) -> None:
        self.plane.faults.clear()
        self.plane.fails.clear()
        self._expire_leases()
        run_out()
        for proposal in self._proposals().filter(state=ProposalState.OPEN):
            self._try(lambda proposal=proposal: withdraw_proposal(actor=self.root, proposal_id=proposal.pk))
            close_stranded(proposal_id=proposal.pk)
        run_out()
        for step in Step.objects.filter(flow__state=FlowState.FAILED, undo_error__isnull=False):
            retry_step(actor=self.root, flow_id=step.flow_id, step_id=step.pk)
        run_out()
        self._decide_all()
        state = self.plane.state(settled=True)
        self._find_out_what_went_on()
        wrong = truth.faults({self.platform.oemtype: state})
        assert not wrong, "\n".join([*wrong, *(truth.story_of(flow) for flow in self._flows())])
        failed = Flow.objects.filter(state=FlowState.FAILED)
        assert all(flow.stopped_half_way for flow in failed), "what could be taken back was not"

    def _decide_all(self) -> None:
        for _turn in range(10):
            asking = list(self._asking())
            if not asking:
                return
            for step in asking:
                self._decide(step, random.Random(step.tries))
            run_out()
        raise AssertionError("a step asks for ever")

    def _find_out_what_went_on(self) -> None:
        """What stopped half-way may have gone on at the platform: a comparison finds that, and it is written off."""
        half_way = {flow.arguments["unionid"] for flow in self._flows() if flow.stopped_half_way}
        for union in Union.objects.filter(unionid__in=half_way, state=UnionState.ACTIVE):
            drifts.compare_union(actor=self.root, unionid=union.unionid)
        run_out()
        for drift in Drift.objects.filter(state=DriftState.OPEN):
            drifts.mend_drift(actor=self.root, drift_id=drift.pk, way="write_off")
        self.all_agree()
        run_out()

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(creator=anybody, guests=st.sets(anybody, min_size=1, max_size=3), name=st.sampled_from("ABC"))
    def create(self, creator: int, guests: set[int], name: str) -> None:
        self._try(
            lambda: propose_union(
                actor=self._clerk(creator),
                name=name,
                oemtype=self.platform.oemtype,
                creatororg=self._code(creator),
                orgs=[self._code(guest) for guest in guests],
            )
        )

    @rule(who=anybody, where=somewhere)
    def join(self, who: int, where: int) -> None:
        self._move(propose_join, who, where)

    @rule(who=anybody, where=somewhere)
    def quit(self, who: int, where: int) -> None:
        self._move(propose_quit, who, where)

    def _move(self, verb: Callable[..., Proposal], who: int, where: int) -> None:
        union = self._one_of(Union.objects.filter(platform=self.platform), where)
        if union is not None:
            self._try(lambda: verb(actor=self._clerk(who), unionid=union.unionid, orgcode=self._code(who)))

    @rule(who=anybody, where=somewhere)
    def delete(self, who: int, where: int) -> None:
        union = self._one_of(Union.objects.filter(platform=self.platform), where)
        if union is None:
            return
        speaks = union.acting_creator() == self.organizations[who]
        done = self._try(lambda: propose_delete(actor=self._clerk(who), unionid=union.unionid))
        assert speaks or not done, "somebody else than its creator deletes a union"

    @rule(who=anybody, other=anybody, where=somewhere)
    def speak_for_another(self, who: int, other: int, where: int) -> None:
        """Nobody moves an organization that is not theirs."""
        union = self._one_of(Union.objects.filter(platform=self.platform), where)
        if union is not None and who != other:
            for verb in (propose_join, propose_quit):
                call = lambda verb=verb: verb(  # noqa: E731
                    actor=self._clerk(who), unionid=union.unionid, orgcode=self._code(other)
                )
                assert not self._try(call)

    @rule(who=anybody, where=somewhere, agree=st.sampled_from([True, True, True, False]))
    def vote(self, who: int, where: int, agree: bool) -> None:
        proposal = self._one_of(self._proposals().filter(state=ProposalState.OPEN), where)
        if proposal is None:
            return
        has_say = proposal.electors.in_force().filter(organization=self.organizations[who]).exists()
        fresh = not proposal.votes.filter(organization=self.organizations[who]).exists()
        assert not self._vote(proposal, who, agree=agree) or (has_say and fresh)

    @rule()
    def all_agree(self) -> None:
        for proposal in self._proposals().filter(state=ProposalState.OPEN):
            for elector in proposal.electors.in_force().select_related("organization"):
                self._vote(proposal, self.organizations.index(elector.organization), agree=True)

    def _vote(self, proposal: Proposal, who: int, *, agree: bool) -> bool:
        voter = {"actor": self._clerk(who), "orgcode": self._code(who)}
        return self._try(lambda: cast_vote(proposal_id=proposal.pk, agree=agree, **voter))

    @rule(who=anybody, where=somewhere)
    def withdraw(self, who: int, where: int) -> None:
        proposal = self._one_of(self._proposals().filter(state=ProposalState.OPEN), where)
        if proposal is not None:
            done = self._try(lambda: withdraw_proposal(actor=self._clerk(who), proposal_id=proposal.pk))
            assert done == (proposal.proposer == self.organizations[who])

    @rule(where=somewhere)
    def expire(self, where: int) -> None:
        proposal = self._one_of(self._proposals().filter(state=ProposalState.OPEN), where)
        if proposal is not None:
            Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
            assert expire_proposal(proposal_id=proposal.pk).state == ProposalState.EXPIRED

    @rule(where=somewhere)
    def cancel(self, where: int) -> None:
        flow = self._one_of(self._flows().filter(state__in=[FlowState.RUNNING, FlowState.WAITING]), where)
        if flow is not None:
            self._try(lambda: cancel_flow(actor=self.root, flow_id=flow.pk))

    @rule(who=anybody, where=somewhere, rule_of=st.sampled_from(["everyone", "majority"]))
    def change_rule(self, who: int, where: int, rule_of: str) -> None:
        union = self._one_of(Union.objects.filter(platform=self.platform), where)
        if union is not None:
            wanted = {"unionid": union.unionid, "orgcode": self._code(who), "rule": rule_of}
            self._try(lambda: propose_rule(actor=self._clerk(who), **wanted))

    @rule(where=somewhere)
    def retry(self, where: int) -> None:
        """An operator tries again what failed; whether that is possible is for the service to say."""
        failed = Step.objects.filter(flow__in=self._flows().filter(state=FlowState.FAILED), state=StepState.FAILED)
        if (step := self._one_of(failed, where)) is not None:
            self._try(lambda: retry_step(actor=self.root, flow_id=step.flow_id, step_id=step.pk))

    @rule(where=somewhere, luck=st.randoms(use_true_random=False))
    def decide(self, where: int, luck: random.Random) -> None:
        if (step := self._one_of(self._asking(), where)) is not None:
            self._decide(step, luck)

    def _asking(self) -> Any:
        return Step.objects.filter(flow__in=self._flows().filter(pk__in=Flow.objects.open()), state=StepState.DECIDING)

    def _decide(self, step: Step, chance: random.Random) -> None:
        answer = decision_on(step, {"": self.plane.state()}, chance)
        self._try(lambda: decide_step(actor=self.root, flow_id=step.flow_id, step_id=step.pk, **answer))

    # --- what workers and the platform do -----------------------------------------------------------------------------

    @rule(steps=st.integers(1, 4))
    def work_a_little(self, steps: int) -> None:
        hurry()
        for step_id in engine.due_steps(steps):
            engine.run_step(step_id)

    @rule()
    def work_all(self) -> None:
        self._expire_leases()
        run_out()

    @rule(where=somewhere)
    def lose_a_worker(self, where: int) -> None:
        """A worker has claimed a step and dies before it does anything."""
        step = self._one_of(Step.objects.filter(flow__in=self._flows(), pk__in=engine.due_steps()), where)
        if step is not None and step.state in (StepState.READY, StepState.LATER):
            past = timezone.now() - timedelta(seconds=1)
            Step.objects.filter(pk=step.pk).update(
                state=StepState.RUNNING, attempts=step.attempts + 1, owner=uuid4(), lease_until=past, due_at=past
            )

    @rule(route=routes, fault=faults)
    def a_call_goes_wrong(self, route: str, fault: Any) -> None:
        self.plane.faults[route] = [fault]

    @rule(kind=st.sampled_from(["create", "join", "quit", "delete"]), how=st.sampled_from(["", "clean", "dirty"]))
    def jobs_fail(self, kind: str, how: str) -> None:
        self.plane.fails[kind] = how

    # --- what must hold at every moment -------------------------------------------------------------------------------

    @invariant()
    def votes_decide(self) -> None:
        for proposal in self._proposals().exclude(state=ProposalState.OPEN).prefetch_related("votes"):
            answers = [vote.agree for vote in proposal.votes.all()]
            if proposal.state == ProposalState.REFUSED:
                assert False in answers
            elif proposal.state == ProposalState.CARRIED and proposal.rule == "majority":
                said = proposal.electors.in_force().count()
                assert 2 * sum(answers) > said or not said
            elif proposal.state == ProposalState.CARRIED:
                assert all(answers)
                voted = {vote.organization_id for vote in proposal.votes.all()}
                said = proposal.electors.in_force().values_list("organization_id", flat=True)
                assert set(said) <= voted

    @invariant()
    def only_what_is_agreed_reaches_the_platform(self) -> None:
        flows = self._proposals().filter(state=ProposalState.CARRIED, kind="create").values("flow_id")
        agreed = {str(key) for key in Step.objects.filter(flow__in=flows).values_list("key", flat=True)}
        made = [key for verb, _network, key in self._effects() if verb == "create"]
        assert set(made) <= agreed
        assert len(made) == len(set(made)), "a step has made two networks"

    @invariant()
    def unions_are_whole(self) -> None:
        for union in Union.objects.filter(platform=self._platform()).exclude(state=UnionState.DELETED):
            live = list(union.members.filter(state__in=LIVE_MEMBER_STATES).values_list("organization", flat=True))
            assert live
            assert len(live) == len(set(live))
            if union.state == UnionState.BUILDING:
                assert self._flows().filter(state__in=[FlowState.RUNNING, FlowState.WAITING]).exists()

    @invariant()
    def places_are_kept_for_work_that_goes_on(self) -> None:
        """Whatever a story does, no space is promised to more than it holds, and an ended flow keeps nothing."""
        assert list(truth.overfull()) == []
        kept = set(Reservation.objects.values_list("flow_id", flat=True))
        for flow in self._flows().exclude(pk__in=Flow.objects.open()):
            assert flow.pk not in kept or flow.state == FlowState.FAILED, flow

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _platform(self) -> Any:
        return getattr(self, "platform", None)

    def _effects(self) -> list[list[str]]:
        return self.plane.effects if hasattr(self, "plane") else []

    def _proposals(self) -> Any:
        platform = self._platform()
        return Proposal.objects.filter(payload__platform=platform.pk if platform else None).order_by("pk")

    def _flows(self) -> Any:
        return Flow.objects.filter(pk__in=self._proposals().values("flow_id"))

    def _clerk(self, who: int) -> User:
        return User.objects.get(username=self._code(who))

    def _code(self, who: int) -> str:
        return self.organizations[who].orgcode

    @staticmethod
    def _one_of(rows: Any, where: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[where % len(found)] if found else None

    @staticmethod
    def _try(call: Callable[[], Any]) -> bool:
        """Whether the service did it; a refusal is an answer."""
        try:
            call()
        except ConsoleError:
            return False
        return True

    @staticmethod
    def _expire_leases() -> None:
        past = timezone.now() - timedelta(seconds=1)
        Step.objects.filter(lease_until__isnull=False).update(lease_until=past)


@pytest.mark.timeout(0 if EXAMPLES else 240)
@pytest.mark.django_db(transaction=True)
def test_whatever_anybody_does_the_rules_hold(settings: Any) -> None:
    settings.FLOW_MAX_ATTEMPTS = 4
    run_state_machine_as_test(Consortium, settings=STORIES)
