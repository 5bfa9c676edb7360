"""Who asks for what: departments on two platforms, and one verb after another, drawn from the seed.

All ask by REST, at once and again until they are answered. A conflict or a refusal is an answer like any other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import yaml
from django.db import connection

from console.models import DecisionChoice, Flow, Step, StepState, User
from console.services.tokens import create_token
from platforms.models import Cloudtype, Health, Platform, PlatformKind, PlatformVersion
from platforms.standard import OPERATIONS
from tests.chaos.callers import Caller, Heard
from tests.platforms.plane import TOKEN, Json
from tests.unions.union_plane import API_FILE, CAREFUL, CARELESS
from unions.models import (
    Category,
    Drift,
    DriftState,
    MemberRole,
    Membership,
    MemberState,
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    ResourceSpace,
    SpaceKind,
    Union,
    UnionState,
)

DEPARTMENTS = ("tax", "housing", "water", "police")
MOST_UNIONS = 4  # of a platform that may be there at once


@dataclass
class People:
    """Everybody, and what they may be asked to do next. They ask by REST, several at once."""

    seed: str
    root: User
    caller: Caller
    platforms: list[Platform]
    asked: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)  # the flows of which somebody was told that they are under way
    acts: int = 0

    def act(self) -> Callable[[], None]:
        """One verb by somebody, for a thread of its own; whether it is allowed is for the console to say."""
        self.acts += 1
        return partial(self._act, self.acts, random.Random(f"{self.seed} act {self.acts}"))

    def _act(self, number: int, chance: random.Random) -> None:
        try:
            platform = chance.choice(self.platforms)
            unions = list(Union.objects.filter(platform=platform, state=UnionState.ACTIVE).order_by("pk"))
            verbs = {"create": 4 if len(unions) < MOST_UNIONS else 0}
            if unions:
                verbs |= {"join": 4, "quit": 3, "delete": 3}
            verb = chance.choices(list(verbs), list(verbs.values()))[0] if any(verbs.values()) else "delete"
            union = chance.choice(unions) if unions else None
            heard = self._propose(chance, number, verb, platform, union)
            self.asked[f"{verb}: {heard.problem or 'proposed'}"] += 1
            if not heard.problem:
                self._remember(heard)
                self._answer(chance, Proposal.objects.get(pk=heard.body["proposal"]))
        finally:
            connection.close()

    def _propose(self, chance: random.Random, number: int, verb: str, platform: Platform, union: Union | None) -> Heard:
        key = f"{self.seed}-{number}"
        if verb == "create" or union is None:
            codes = chance.sample(codes_on(platform), chance.choice((2, 2, 3)))
            wanted = {"name": f"Union {number}", "oemtype": platform.oemtype, "creatororg": codes[0], "orgs": codes[1:]}
            return self.caller.ask("POST", "unions", wanted, key=key)
        inside = set(union.members.filter(state=MemberState.ACTIVE).values_list("organization__orgcode", flat=True))
        if verb == "delete":
            return self.caller.ask("DELETE", f"unions/{union.unionid}", key=key)
        outside = [code for code in codes_on(platform) if code not in inside]
        candidates = outside if verb == "join" else sorted(inside)
        orgcode = chance.choice(candidates or codes_on(platform))
        return self.caller.ask("POST", f"unions/{union.unionid}/{verb}", {"orgcode": orgcode}, key=key)

    def _remember(self, heard: Heard) -> None:
        """A client that was told twice was told of one flow; how often the first attempt had done it already."""
        flow = Flow.objects.get(pk=heard.body["flow"])
        self.told.append(str(flow.pk))
        if heard.attempts > 1:
            done = flow.created_at < heard.asked_at
            self.asked["asked again: " + ("the first time had done it" if done else "nothing was done before")] += 1

    def _answer(self, chance: random.Random, proposal: Proposal) -> None:
        """Most agree; a few refuse, withdraw, or are stopped by an operator."""
        whim = chance.random()
        if whim < 0.03 and proposal.kind in (ProposalKind.CREATE, ProposalKind.JOIN):
            self._say("POST", f"proposals/{proposal.pk}/withdraw", {})
            return
        if whim < 0.06:
            self._say("POST", f"flows/{proposal.flow_id}/cancel", {"reason": "chaos"})
        if whim < 0.8:  # the others take their time
            self._vote(proposal, agree=whim < 0.77)

    def answer_all(self, look: Callable[[], dict[str, Json]]) -> None:
        """Nobody leaves a proposal open, or a flow without the decision that it waits for."""
        try:
            for proposal in Proposal.objects.filter(state=ProposalState.OPEN).order_by("pk"):
                self._vote(proposal, agree=True)
            asking = Step.objects.filter(state=StepState.DECIDING, flow__in=Flow.objects.open()).order_by("pk")
            for step in asking:
                self._decide(step, look())
        finally:
            connection.close()

    def compare(self, unionids: set[str]) -> None:
        """Have the console look at these unions: what was left half-way may have gone on behind its back."""
        for unionid in sorted(unionids):
            self._say("POST", f"unions/{unionid}/reconcile", None)

    def mend(self) -> None:
        """What differs is written off; the members are asked, and answer when everybody does."""
        for drift in Drift.objects.filter(state=DriftState.OPEN).order_by("pk"):
            heard = self.caller.ask("POST", f"drifts/{drift.pk}/mend", {"way": "write_off"}, key=f"mend-{drift.pk}")
            self.asked[f"mend {drift.kind}: {heard.problem or 'proposed'}"] += 1
            if not heard.problem:
                self._remember(heard)

    def _decide(self, step: Step, planes: dict[str, Json]) -> None:
        answer = decision_on(step, planes, random.Random(f"{self.seed} {step.action} {step.tries}"))
        self.asked[f"decided: {answer['choice']}"] += 1
        self._say("POST", f"flows/{step.flow_id}/decide", {"step": step.pk, **answer})

    def _vote(self, proposal: Proposal, *, agree: bool) -> None:
        voted = proposal.votes.values("organization_id")
        electors = proposal.electors.in_force().exclude(organization__in=voted).select_related("organization")
        for elector in electors:
            settled = Proposal.objects.exclude(state=ProposalState.OPEN).filter(pk=proposal.pk).exists()
            if settled:
                return
            self._say(
                "POST", f"proposals/{proposal.pk}/votes", {"orgcode": elector.organization.orgcode, "agree": agree}
            )

    def _say(self, method: str, path: str, body: Json | None) -> None:
        heard = self.caller.ask(method, path, body)
        if heard.problem:
            self.asked[f"answer: {heard.problem}"] += 1


def decision_on(step: Step, planes: dict[str, Json], chance: random.Random) -> dict[str, str]:
    """What an operator answers who looks at the platform itself: what this step has made there, if anything."""
    effects = [effect for plane in planes.values() for effect in plane["effects"]]
    made = {network for verb, network, key in effects if verb == "create" and key == str(step.key)}
    found = {str(each["id"]) for each in (step.decision or {}).get("candidates", [])}
    if ours := sorted(made & found):
        return {"choice": chance.choice((DecisionChoice.ADOPT, DecisionChoice.GIVE_UP)), "candidate": ours[0]}
    if step.action == "unions.create_network" and not made and chance.random() < 0.3:
        return {"choice": DecisionChoice.GIVE_UP}
    return {"choice": DecisionChoice.AGAIN}


def codes_on(platform: Platform) -> list[str]:
    return list(
        Organization.objects.filter(space__platform=platform).order_by("orgcode").values_list("orgcode", flat=True)
    )


def settle_in(addresses: dict[str, str], seed: str, web: str) -> People:
    """Two platforms that do what they do with and without keys, and four departments on each."""
    root = User.objects.create_user("root", "root@example.org", "root", console_role="administrator")
    _token, text = create_token(actor=root, name="chaos")
    platforms = []
    for name, address in addresses.items():
        platform = platform_at(name, address, careful=name == "careful", default=name == "careful")
        platforms.append(platform)
        for department in DEPARTMENTS:
            department_on(f"{name}-{department}", platform)
    return People(seed, root, Caller(web, text), platforms)


def platform_at(name: str, address: str, *, careful: bool, default: bool) -> Platform:
    """An official platform that speaks to the plane at this address."""
    mapping = CAREFUL if careful else CARELESS
    offered = yaml.safe_load(mapping)["interfaces"]
    row = Platform.objects.create(
        oemtype=name,
        name=name.title(),
        kind=PlatformKind.MAPPED,
        cloudtype=Cloudtype.BOTH,
        kernel="ethereum",
        base_url=address,
        is_default=default,
        health=Health.UP,
        credentials=f'{{"ak": "{TOKEN}"}}',
        capabilities={each: {"supported": each in offered, "reason": "cannot"} for each in OPERATIONS},
    )
    row.version = PlatformVersion.objects.create(platform=row, number=1, api_file=API_FILE, mapping=mapping)
    row.check_in()
    row.accept()
    row.save()
    return row


def department_on(name: str, platform: Platform, *, quota_nodes: int = 3) -> Organization:
    """An organization with a tenant space on the platform, and a clerk who is named like it."""
    row = Organization.objects.create(orgcode=name, name=name.title(), category=Category.CLOUD)
    credentials: dict[str, Any] = {"ak": "AK-of-one", "sk": "SK-of-one"}
    ResourceSpace.objects.create(
        organization=row,
        kind=SpaceKind.TENANT,
        platform=platform,
        tenantid=f"space-{name}",
        quota_nodes=quota_nodes,
        **credentials,
    )
    clerk = User.objects.create_user(name, f"{name}@example.org", name)
    Membership.objects.create(user=clerk, organization=row, role=MemberRole.ADMINISTRATOR)
    return row
