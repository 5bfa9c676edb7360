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
from console.errors import ConsoleError
from console.models import Flow, FlowState, User
from platforms.models import Platform
from unions.models import (
    Organization,
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
    RegistrationState,
    Union,
    UnionState,
)
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
    """Plays what is missing of the scenario; what people have made of it since is left alone."""

    def __init__(self, administrator: User, folder: Path, say: Callable[[str], Any]) -> None:
        self.administrator, self.folder, self.say = administrator, folder, say

    def play(self) -> None:
        """Go on where the last run stopped. Raises ScenarioStuck; the next start tries again."""
        if self._is_played() or not self._may_begin():
            return
        platform = Platform.objects.official().filter(oemtype="sandbox").first()
        if platform is None:
            raise ScenarioStuck("the platform sandbox is not registered, so there is nothing to build on")
        # The last tenants of the list: whoever tries the console by hand starts with the first.
        tenants = json.loads((self.folder / "tenants.json").read_text())[-2:]
        try:
            tax = self._department(TAX, platform, tenants[0])
            housing = self._department(HOUSING, platform, tenants[1])
            social = self._department(SOCIAL, platform, None)
            union = self._union(platform, tax, housing)
            if union is not None:
                self._join(union, social, (tax, housing))
        except ConsoleError as problem:
            raise ScenarioStuck(problem.detail) from problem

    def _is_played(self) -> bool:
        """The last thing that happens in it has happened, or people have said no to a part of it."""
        ours = Proposal.objects.filter(subject_name=UNION_NAME, proposer__name__in=[TAX.name, SOCIAL.name])
        joined = Q(kind=ProposalKind.JOIN, flow__state=FlowState.DONE)
        stopped = ~Q(state__in=[ProposalState.OPEN, ProposalState.CARRIED])
        return ours.filter(joined | stopped).exists()

    def _may_begin(self) -> bool:
        """It has begun, or nobody works here yet."""
        begun = Registration.objects.filter(user__username=TAX.username, organization_name=TAX.name)
        return begun.exists() or not Registration.objects.exists()

    def _department(self, department: Department, platform: Platform, tenant: dict[str, str] | None) -> Organization:
        registered = Registration.objects.filter(user__username=department.username).order_by("pk").first()
        if registered is not None:
            return self._approved(registered)
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
        self.say(f"registered {department.name}")
        return self._approved(registration)

    def _approved(self, registration: Registration) -> Organization:
        if registration.state == RegistrationState.PENDING:
            registration = approve_registration(actor=self.administrator, registration_id=registration.pk)
        if registration.organization is None:
            raise ScenarioStuck(f"the registration of {registration} was refused")
        return registration.organization

    def _union(self, platform: Platform, creator: Organization, invited: Organization) -> Union | None:
        """The union of tax and housing; None when somebody has deleted it since."""
        asked = self._asked(ProposalKind.CREATE, creator)
        if asked is None:
            asked = propose_union(
                actor=_user(TAX),
                name=UNION_NAME,
                oemtype=platform.oemtype,
                creatororg=creator.orgcode,
                orgs=[creator.orgcode, invited.orgcode],
                comment="Residence permits need a tax record and a housing record.",
            )
        self._agree(asked, [(HOUSING, invited)])
        return Union.objects.filter(unionid=asked.payload["unionid"], state=UnionState.ACTIVE).first()

    def _join(self, union: Union, newcomer: Organization, present: tuple[Organization, Organization]) -> None:
        asked = self._asked(ProposalKind.JOIN, newcomer)
        if asked is None:
            asked = propose_join(
                actor=_user(SOCIAL),
                unionid=union.unionid,
                orgcode=newcomer.orgcode,
                comment="We keep the social-security records.",
            )
        self._agree(asked, [(TAX, present[0]), (HOUSING, present[1])])

    def _asked(self, kind: ProposalKind, proposer: Organization) -> Proposal | None:
        """What an earlier run asked for, unless that came to nothing."""
        asked = Proposal.objects.filter(kind=kind, proposer=proposer, subject_name=UNION_NAME)
        alive = Q(flow__ended_at=None) | Q(flow__state=FlowState.DONE)
        return asked.filter(alive).order_by("-pk").first()

    def _agree(self, proposal: Proposal, voters: list[tuple[Department, Organization]]) -> None:
        for department, organization in voters:
            proposal.refresh_from_db()
            if proposal.state == ProposalState.OPEN and not proposal.votes.filter(organization=organization).exists():
                cast_vote(actor=_user(department), proposal_id=proposal.pk, orgcode=organization.orgcode, agree=True)
        if self._wait(proposal):
            self.say(f"done: {proposal}")

    def _wait(self, proposal: Proposal) -> bool:
        """Whether there was anything to wait for."""
        waited, deadline = False, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            flow = Flow.objects.get(pk=proposal.flow_id)
            if flow.state == FlowState.DONE:
                return waited
            if flow.is_final:
                raise ScenarioStuck(f"the flow {flow.pk} ended as {flow.state}: {flow.error}")
            waited = True
            time.sleep(0.3)
        raise ScenarioStuck(f"the flow {proposal.flow_id} did not end in {PATIENCE_SECONDS} s")


def password_of(username: str) -> str:
    """A seeded clerk's password, made at the first start and kept beside the administrator's."""
    return load_or_create(Path(settings.KEYS_DIR) / f"{username}-password", lambda: secrets.token_urlsafe(12))


def _user(department: Department) -> User:
    return User.objects.get(username=department.username)
