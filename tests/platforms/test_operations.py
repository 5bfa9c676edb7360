"""The standard interface, raw: for administrators, audited, reading at once and changing by a flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.errors import Conflict, Invalid, Missing, NotAllowed, NotSupported, PlatformUnavailable
from console.models import AuditEntry, Flow, User
from platforms.models import Platform
from platforms.services import platforms as service
from platforms.services.operations import operate
from tests.platforms.conftest import carry_through
from tests.platforms.plane import Plane

Register = Callable[..., Platform]
TAX = {"orgcode": "org-tax", "name": "Tax Bureau", "category": "cloud", "tenantid": "11"}


def test_reading_answers_at_once(root: User, registered: Register) -> None:
    registered()
    answer = operate(actor=root, oemtype="testbed", operation="get_health", request={})
    assert answer == {"status": "up", "version": "1.4.2", "detail": ""}
    entry = AuditEntry.objects.get(action="platforms.platform.operated")
    assert (entry.actor, entry.data) == (root, {"operation": "get_health", "request": {}})
    assert Flow.objects.count() == 1, "the registration's, and none for reading"


def test_changing_is_a_flow(root: User, registered: Register, plane: Plane) -> None:
    registered()
    request = {"name": "Permits", "creator": TAX}
    flow = operate(actor=root, oemtype="testbed", operation="create_network", request=request)
    assert isinstance(flow, Flow)
    assert plane.networks == {}, "nothing is asked before the commit"
    carry_through(flow)
    step = flow.steps.get()
    network = next(iter(plane.networks))
    assert (flow.state, step.outcome["answer"]["network_id"]) == ("done", network)
    assert step.log.first().message == "POST /v1/networks → 202"
    assert flow.title_text == "Operation create_network on Testbed"


def test_a_crash_between_two_calls_makes_nothing_twice(root: User, registered: Register, plane: Plane) -> None:
    from console.flows import StepContext
    from platforms.flows import operate as action

    registered()
    request = {"name": "Permits", "creator": TAX}
    flow = operate(actor=root, oemtype="testbed", operation="create_network", request=request)
    for _ in range(2):
        action(StepContext(flow.steps.get(), undoing=False))  # the position of the first go is lost
    carry_through(flow)
    assert len(plane.networks) == 1


def test_what_the_flow_knows_stays_when_the_job_fails(root: User, registered: Register, plane: Plane) -> None:
    registered()
    plane.job_ends = "BROKEN"
    request = {"name": "Permits", "creator": TAX}
    flow = operate(actor=root, oemtype="testbed", operation="create_network", request=request)
    assert carry_through(flow).state == "undone"
    step = flow.steps.get()
    assert step.position["known"] == {"network_id": next(iter(plane.networks))}
    assert "BROKEN" in step.error["detail"]
    assert [line.message.split(" → ")[0] for line in step.log.all()][:2] == ["POST /v1/networks", "GET /v1/jobs/j-2"]


@pytest.mark.parametrize(
    ("operation", "request_", "error", "fields"),
    [
        ("dance", {}, Missing, []),
        ("create_chain", {}, NotSupported, []),
        ("get_monitoring", {"chain_id": "c"}, NotSupported, []),
        ("get_network", {}, Invalid, ["request.network_id"]),
        ("get_network", {"network_id": "n", "mood": 1}, Invalid, ["request.mood"]),
        ("get_network", [], Invalid, ["request"]),
        ("create_network", {"name": "x", "creator": {"orgcode": "o"}}, Invalid, None),
        ("get_network", {"network_id": "n-9"}, Missing, []),
    ],
)
def test_what_cannot_be_asked(
    root: User, registered: Register, operation: str, request_: Any, error: type[Exception], fields: list[str] | None
) -> None:
    registered()
    flows = Flow.objects.count()
    with pytest.raises(error) as problem:
        operate(actor=root, oemtype="testbed", operation=operation, request=request_)
    if fields is not None:
        assert list(problem.value.errors) == fields  # type: ignore[attr-defined]
    assert Flow.objects.count() == flows


def test_who_may_ask(root: User, alice: User, otto: User, registered: Register, plane: Plane) -> None:
    registered()
    asked = len(plane.asked)
    for actor in (alice, otto):
        with pytest.raises(NotAllowed):
            operate(actor=actor, oemtype="testbed", operation="get_health", request={})
    assert len(plane.asked) == asked
    assert not AuditEntry.objects.filter(action="platforms.platform.operated").exists()


def test_only_official_platforms_are_asked(root: User, plane: Plane) -> None:
    service.register_platform(actor=root, **plane.registration())
    with pytest.raises(Conflict):
        operate(actor=root, oemtype="testbed", operation="get_health", request={})


def test_a_platform_in_trouble_says_so(root: User, registered: Register, plane: Plane) -> None:
    registered()
    plane.faults["GET /v1/health"] = [{"status": 503, "body": {"error": {"text": "come back later"}}}]
    with pytest.raises(PlatformUnavailable, match="come back later"):
        operate(actor=root, oemtype="testbed", operation="get_health", request={})
