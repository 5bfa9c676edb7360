"""A union whose nodes' image comes from a private registry: the platform's credential opens it, and nobody sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.models import AuditEntry, Flow, FlowState, Step, StepLog, User
from platforms.drivers import forget_drivers
from platforms.services.platforms import update_platform
from tests.platforms.hosts.registry import PASSWORD, USERNAME, missing_for_registry, private_registry
from tests.stack.estate import ended, estate, told
from tests.tools.engines import missing_for_engines, running_hosts
from tests.tools.images import missing_for, named
from tests.unions.conftest import root  # noqa: F401 - a fixture

REASON = missing_for_engines() or missing_for_registry() or missing_for("ethereum")
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(480),  # a machine that does other things as well is slow
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(REASON), reason=REASON),
]


def test_a_unions_image_comes_from_a_private_registry(root: User, settings: Any, tmp_path: Path) -> None:  # noqa: F811
    kernel = named("ethereum")
    with private_registry("127.0.54.9") as registry:
        with running_hosts("127.0.54.8", registries=registry.trusted) as (workshop,):
            image = registry.push(workshop, kernel.archive, kernel.tag, "kernels/geth:1.13.15")
        with estate(
            root,
            settings,
            "Tax",
            "Library",
            ips=("127.0.54.1", "127.0.54.2"),
            image=image,
            archives=tmp_path,
            registries=registry.trusted,
            credentials={"username": USERNAME, "password": "wrong"},
        ) as made:
            proposal = made.propose()
            made.agree(proposal)
            refused = ended(proposal.flow_id)
            assert refused.state == FlowState.UNDONE, told(refused)
            assert (refused.error or {})["code"] == "no_image"
            assert made.left() == [[], []]

            right = {"username": USERNAME, "password": PASSWORD}
            update_platform(actor=root, oemtype=made.platform.oemtype, credentials=right)
            forget_drivers()
            made.unite("Loans")
            assert [office.host.podman("ps", "--format", "{{.Image}}").strip() for office in made.offices] == [
                image
            ] * 2
            assert PASSWORD not in _everything_that_was_written_down()


def _everything_that_was_written_down() -> str:
    rows = [*Flow.objects.values(), *Step.objects.values(), *AuditEntry.objects.values(), *StepLog.objects.values()]
    return json.dumps(rows, default=str)
