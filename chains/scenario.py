"""The government scenario (G4), played through the services like anybody's: what a new evaluation console shows.

The tax office and the housing authority (cloud) and the social-security office (on-prem) register; tax creates a
union with housing; social security joins it. Every wait is a wait on a row, so an interrupted run goes on from
where it stopped.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from console.environment import load_or_create
from console.models import Flow, User
from platforms.models import Platform
from unions.models import LIVE_MEMBER_STATES, Organization, Proposal, ProposalState, Union, UnionState
from unions.services.proposals import cast_vote
from unions.services.registrations import approve_registration, register
from unions.services.unions import propose_join, propose_union

UNION_NAME = "Residence permits"
PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Department:
    """One of the three."""

    username: str
    name: str
    machines: tuple[str, ...] = ()  # addresses; empty for a cloud department


TAX = Department("tax", "Tax Office")
HOUSING = Department("housing", "Housing Authority")
SOCIAL = Department("social", "Social Security Office", ("127.0.0.111", "127.0.0.112"))


class ScenarioStuck(RuntimeError):
    """A flow of the scenario did not end well; the flow's page says why."""


class Scenario:
    """Plays what is missing of the scenario; does nothing when all of it is there."""

    def __init__(self, administrator: User, folder: Path, say: Callable[[str], Any]) -> None:
        self.administrator, self.folder, self.say = administrator, folder, say

    def play(self) -> None:
        if Union.objects.filter(name=UNION_NAME).exclude(state=UnionState.BUILDING).exists():
            return
        if Organization.objects.exclude(name__in=[each.name for each in (TAX, HOUSING, SOCIAL)]).exists():
            return  # somebody works here already
        platform = Platform.objects.official().get(oemtype="sandbox")
        # The last tenants of the list: whoever tries the console by hand starts with the first.
        tenants = json.loads((self.folder / "tenants.json").read_text())[-2:]
        tax = self._department(TAX, platform, tenants[0])
        housing = self._department(HOUSING, platform, tenants[1])
        social = self._department(SOCIAL, platform, None)
        union = self._union(platform, tax, housing)
        self._join(union, social, (tax, housing))

    def _department(self, department: Department, platform: Platform, tenant: dict[str, str] | None) -> Organization:
        existing = Organization.objects.filter(name=department.name).first()
        if existing is not None:
            return existing
        wanted: dict[str, Any] = {"name": department.name, "oemtype": platform.oemtype}
        if tenant is not None:
            wanted |= {"category": "cloud", **{key: tenant[key] for key in ("tenantid", "projectid", "ak", "sk")}}
        else:
            onprem = self.folder / "onprem"
            wanted |= {
                "category": "on_prem",
                "tlscert": (onprem / "client.pem").read_text() + (onprem / "ca.pem").read_text(),
                "nodelist": [{"ip": ip, "port": 9001} for ip in department.machines],
            }
        registration = register(
            username=department.username,
            password=password_of(department.username),
            email=f"{department.username}@departments.example",
            organization=wanted,
        )
        if registration.organization is None:
            registration = approve_registration(actor=self.administrator, registration_id=registration.pk)
        self.say(f"registered {department.name}")
        return Organization.objects.get(name=department.name)

    def _union(self, platform: Platform, creator: Organization, invited: Organization) -> Union:
        union = Union.objects.filter(name=UNION_NAME, state=UnionState.ACTIVE).first()
        if union is not None:
            return union
        proposal = self._open_proposal(creator) or propose_union(
            actor=_user(TAX),
            name=UNION_NAME,
            oemtype=platform.oemtype,
            creatororg=creator.orgcode,
            orgs=[creator.orgcode, invited.orgcode],
            comment="Residence permits need a tax record and a housing record.",
        )
        self._agree(proposal, [(HOUSING, invited)])
        return Union.objects.get(name=UNION_NAME, state=UnionState.ACTIVE)

    def _join(self, union: Union, newcomer: Organization, present: tuple[Organization, Organization]) -> None:
        if union.members.filter(organization=newcomer, state__in=LIVE_MEMBER_STATES).exists():
            return
        proposal = self._open_proposal(newcomer) or propose_join(
            actor=_user(SOCIAL),
            unionid=union.unionid,
            orgcode=newcomer.orgcode,
            comment="We keep the social-security records.",
        )
        self._agree(proposal, [(TAX, present[0]), (HOUSING, present[1])])

    def _open_proposal(self, proposer: Organization) -> Proposal | None:
        """What an interrupted run left open or under way."""
        under_way = Q(state=ProposalState.OPEN) | Q(state=ProposalState.CARRIED, flow__ended_at=None)
        return Proposal.objects.filter(under_way, proposer=proposer).first()

    def _agree(self, proposal: Proposal, voters: list[tuple[Department, Organization]]) -> None:
        for department, organization in voters:
            proposal.refresh_from_db()
            if proposal.state == ProposalState.OPEN and not proposal.votes.filter(organization=organization).exists():
                cast_vote(actor=_user(department), proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
        self._wait(proposal)
        self.say(f"done: {proposal}")

    def _wait(self, proposal: Proposal) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            flow = Flow.objects.get(pk=proposal.flow_id)
            if flow.state == "done":
                return
            if flow.is_final:
                raise ScenarioStuck(f"the flow {flow.pk} ended as {flow.state}: {flow.error}")
            time.sleep(0.3)
        raise ScenarioStuck(f"the flow {proposal.flow_id} did not end in {PATIENCE_SECONDS} s")


def password_of(username: str) -> str:
    """A seeded clerk's password, made at the first start and kept beside the administrator's."""
    return load_or_create(Path(settings.KEYS_DIR) / f"{username}-password", lambda: secrets.token_urlsafe(12))


def _user(department: Department) -> User:
    return User.objects.get(username=department.username)
