"""Departments with machines of their own, wholly in this process: the services, the flows, and real engines.

Nothing is stood in for: promises are kept by the engine's own steps, as the workers keep them, and only the pauses
between two attempts are cut short.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from chains.models import Blockchain
from console.flows import engine
from console.models import Flow, FlowState, Step, StepLog, StepState, User
from platforms.drivers import forget_drivers
from platforms.models import Platform
from platforms.services.platforms import register_platform
from tests.tools.engines import Host, running_hosts
from tests.tools.images import TARGET, named
from tests.unions.cast import registered
from unions.models import Organization, Proposal, Union
from unions.services.proposals import cast_vote
from unions.services.unions import propose_union

PATIENCE = 180.0  # seconds; a machine that does other things as well is slow
BETWEEN_ATTEMPTS = 0.5
OEMTYPE = "own"


@dataclass
class Office:
    """A department, who speaks for it, and its machine."""

    organization: Organization
    clerk: User
    host: Host

    @property
    def orgcode(self) -> str:
        return self.organization.orgcode


@dataclass
class Estate:
    """The offices, and whoever runs the console."""

    administrator: User
    platform: Platform
    offices: list[Office] = field(default_factory=list)

    def open_office(self, name: str, host: Host, *, tlscert: str = "") -> Office:
        machines = {"nodelist": [{"ip": host.ip, "port": host.port}], "tlscert": tlscert or host.tlscert}
        about = {"name": name, "category": "on_prem", **machines}
        clerk, organization = registered(self.administrator, f"clerk-{len(self.offices)}", about)
        self.offices.append(Office(organization, clerk, host))
        return self.offices[-1]

    def propose(self, name: str = "Permits", *offices: Office) -> Proposal:
        creator, *others = offices or self.offices
        return propose_union(
            actor=creator.clerk,
            name=name,
            oemtype=OEMTYPE,
            creatororg=creator.orgcode,
            orgs=[other.orgcode for other in others],
        )

    def agree(self, proposal: Proposal) -> None:
        for office in self.offices:
            if proposal.electors.filter(organization=office.organization).exists():
                cast_vote(actor=office.clerk, proposal_id=proposal.pk, orgcode=office.orgcode, agree=True)

    def unite(self, name: str = "Permits", *offices: Office) -> Union:
        """A union that is built."""
        proposal = self.propose(name, *offices)
        self.agree(proposal)
        flow = ended(proposal.flow_id)
        assert flow.state == FlowState.DONE, told(flow)
        return Union.objects.get(name=name)

    def chain(self, union: Union) -> Blockchain:
        return Blockchain.objects.get(business_chain__union=union)

    def left(self) -> list[list[str]]:
        """Containers and volumes on every host, as the engines themselves say."""
        return [office.host.left() for office in self.offices]


@contextlib.contextmanager
def estate(
    administrator: User,
    settings: Any,
    *names: str,
    ips: Sequence[str],
    kernel: str = "ethereum",
    image: str = "",
    archives: Path = TARGET,
    disk: str = "",
    registries: str = "",
    credentials: dict[str, str] | None = None,
) -> Iterator[Estate]:
    """A native platform and offices on hosts of these addresses; without an image, of the kernel built here."""
    settings.EVM_IMAGES = {**settings.EVM_IMAGES, kernel: image or named(kernel).tag}
    settings.EVM_IMAGE_ARCHIVES = archives
    settings.EVM_NODE_MEMORY = {**settings.EVM_NODE_MEMORY, kernel: 512 * 2**20}
    settings.EVM_BLOCK_SECONDS, settings.FLOW_MAX_ATTEMPTS = 1, 3
    forget_drivers()
    with running_hosts(*ips, disk=disk, registries=registries) as hosts:
        about = {"oemtype": OEMTYPE, "name": "Own machines", "kind": "evm", "kernel": kernel}
        register_platform(actor=administrator, **about, credentials=credentials or {})
        ended(Flow.objects.latest("created_at").pk)
        made = Estate(administrator, Platform.objects.official().get(oemtype=OEMTYPE))
        for name, host in zip(names, hosts, strict=True):
            made.open_office(name, host)
        try:
            yield made
        finally:
            forget_drivers()


def use_image(settings: Any, kernel: str, image: str) -> None:
    """What an operator does with an environment variable and a restart."""
    settings.EVM_IMAGES = {**settings.EVM_IMAGES, kernel: image}
    forget_drivers()


def work_until(reached: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Keep promises when they are due, as the workers do; pauses after a failure are short."""
    deadline = time.monotonic() + patience
    while not reached():
        assert time.monotonic() < deadline, (
            f"waited {patience:.0f} s for {what}: {told(Flow.objects.latest('created_at'))}"
        )
        soon = timezone.now() + timedelta(seconds=BETWEEN_ATTEMPTS)
        Step.objects.filter(due_at__gt=soon, lease_until=None).update(due_at=soon)
        for step_id in engine.due_steps():
            engine.run_step(step_id)
        time.sleep(0.05)


def ended(flow_id: Any) -> Flow:
    """The flow once it is over, or waits for an operator."""
    work_until(lambda: Flow.objects.get(pk=flow_id).state not in GOING_ON, "the flow to end")
    return Flow.objects.get(pk=flow_id)


GOING_ON = (FlowState.RUNNING, FlowState.WAITING)


def told(flow: Flow) -> str:
    """What the flow says of itself, for a failing test."""
    steps = flow.steps.order_by("number").values_list("name", "state", "error", "undo_error")
    open_steps = [each for each in steps if each[1] not in (StepState.DONE, StepState.UNDONE)]
    log = StepLog.objects.filter(step__flow=flow).order_by("-id")[:12]
    last_words = "\n".join(f"  {line.at:%X} {line.step.name}: {line.message} {line.data}" for line in reversed(log))
    return f"{flow.kind} is {flow.state}: {flow.error} {open_steps}\n{last_words}"
