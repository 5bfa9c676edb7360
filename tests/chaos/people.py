"""Who asks for what: departments on two platforms, and one verb after another, drawn from the seed.

All go through the services, as pages and API do. A Conflict or a refusal is an answer like any other.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import yaml

from console.errors import ConsoleError
from console.models import User
from console.services.flows import cancel_flow
from platforms.models import Cloudtype, Health, Platform, PlatformKind, PlatformVersion
from platforms.standard import OPERATIONS
from tests.platforms.plane import TOKEN
from tests.unions.union_plane import API_FILE, CAREFUL, CARELESS
from unions.models import (
    Category,
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
from unions.services.proposals import cast_vote, withdraw_proposal
from unions.services.unions import propose_delete, propose_join, propose_quit, propose_union

DEPARTMENTS = ("tax", "housing", "water", "police")
MOST_UNIONS = 4  # of a platform that may be there at once


@dataclass
class People:
    """Everybody, and what they may be asked to do next."""

    chance: random.Random
    root: User
    platforms: list[Platform]
    asked: Counter[str] = field(default_factory=Counter)
    names: int = 0

    def act(self) -> None:
        """One verb by somebody; whether it is allowed is for the services to say."""
        platform = self.chance.choice(self.platforms)
        unions = list(Union.objects.filter(platform=platform, state=UnionState.ACTIVE).order_by("pk"))
        verbs = {"create": 4 if len(unions) < MOST_UNIONS else 0}
        if unions:
            verbs |= {"join": 4, "quit": 3, "delete": 3}
        verb = self.chance.choices(list(verbs), list(verbs.values()))[0] if any(verbs.values()) else "delete"
        union = self.chance.choice(unions) if unions else None
        try:
            proposal = self._propose(verb, platform, union)
        except ConsoleError as problem:
            self.asked[f"{verb}: {problem.code}"] += 1
            return
        self.asked[f"{verb}: proposed"] += 1
        self._answer(proposal)

    def _propose(self, verb: str, platform: Platform, union: Union | None) -> Proposal:
        if verb == "create" or union is None:
            codes = self.chance.sample(codes_on(platform), self.chance.choice((2, 2, 3)))
            self.names += 1
            return propose_union(
                actor=self.root,
                name=f"Union {self.names}",
                oemtype=platform.oemtype,
                creatororg=codes[0],
                orgs=codes[1:],
            )
        inside = set(union.members.filter(state=MemberState.ACTIVE).values_list("organization__orgcode", flat=True))
        if verb == "delete":
            return propose_delete(actor=self.root, unionid=union.unionid)
        outside = [code for code in codes_on(platform) if code not in inside]
        if verb == "join":
            orgcode = self.chance.choice(outside or codes_on(platform))
            return propose_join(actor=self.root, unionid=union.unionid, orgcode=orgcode)
        orgcode = self.chance.choice(sorted(inside) or codes_on(platform))
        return propose_quit(actor=self.root, unionid=union.unionid, orgcode=orgcode)

    def _answer(self, proposal: Proposal) -> None:
        """Most agree; a few refuse, withdraw, or are stopped by an operator."""
        whim = self.chance.random()
        try:
            if whim < 0.03 and proposal.kind in (ProposalKind.CREATE, ProposalKind.JOIN):
                withdraw_proposal(actor=self.root, proposal_id=proposal.pk)
                return
            if whim < 0.06 and proposal.flow_id is not None:
                cancel_flow(actor=self.root, flow_id=proposal.flow_id, reason="chaos")
            if whim < 0.8:  # the others take their time
                self._vote(proposal, agree=whim < 0.77)
        except ConsoleError as problem:
            self.asked[f"answer: {problem.code}"] += 1

    def answer_all(self) -> None:
        """Nobody leaves a proposal open."""
        for proposal in Proposal.objects.filter(state=ProposalState.OPEN).order_by("pk"):
            try:
                self._vote(proposal, agree=True)
            except ConsoleError as problem:
                self.asked[f"answer: {problem.code}"] += 1

    def _vote(self, proposal: Proposal, *, agree: bool) -> None:
        voted = proposal.votes.values("organization_id")
        electors = proposal.electors.in_force().exclude(organization__in=voted).select_related("organization")
        for elector in electors:
            settled = Proposal.objects.exclude(state=ProposalState.OPEN).filter(pk=proposal.pk).exists()
            if settled:
                return
            cast_vote(actor=self.root, proposal_id=proposal.pk, orgcode=elector.organization.orgcode, agree=agree)


def codes_on(platform: Platform) -> list[str]:
    return list(
        Organization.objects.filter(space__platform=platform).order_by("orgcode").values_list("orgcode", flat=True)
    )


def settle_in(addresses: dict[str, str], chance: random.Random) -> People:
    """Two platforms that do what they do with and without keys, and four departments on each."""
    root = User.objects.create_user("root", "root@example.org", "root", console_role="administrator")
    platforms = []
    for name, address in addresses.items():
        platform = platform_at(name, address, careful=name == "careful", default=name == "careful")
        platforms.append(platform)
        for department in DEPARTMENTS:
            department_on(f"{name}-{department}", platform)
    return People(chance, root, platforms)


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
