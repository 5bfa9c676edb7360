"""What the tests of the pages have in common: people who are signed in, and things to look at."""

from __future__ import annotations

from typing import Any

from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console import audit, flows
from console.flows.blueprint import Blueprint, Task
from console.models import Flow, Step, StepState, User


def signed_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def part(client: Client, address: str) -> Any:
    """What htmx is answered."""
    return client.get(address, headers={"HX-Request": "true"})


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@flows.step("tests.pages.network")
@flows.step("tests.pages.nodes")
@flows.step("tests.pages.open")
def acted(context: flows.StepContext) -> flows.Done:
    return flows.Done()


def plan(arguments: dict[str, Any]) -> list[Task]:
    return [
        Task("network", "tests.pages.network", "Create the network of %(name)s", title_values={"name": "Permits"}),
        Task("nodes", "tests.pages.nodes", "Build the nodes"),
        Task("open", "tests.pages.open", "Open it"),
    ]


def started(by: User, name: str = "Permits", subject: Any = None) -> Flow:
    blueprint = Blueprint("tests.create_thing", "Create %(name)s", plan)
    with transaction.atomic():
        return flows.start(blueprint, subject=subject, requested_by=by, arguments={}, title_values={"name": name})


def stand(step: Step, state: StepState, **fields: Any) -> None:
    """Put a step where the engine would have brought it."""
    Step.objects.filter(pk=step.pk).update(state=state, **fields)


def recorded(count: int, actor: User) -> None:
    for number in range(count):
        with transaction.atomic():
            audit.record("console.token.created", actor=actor, target=actor, name=f"token {number}", sk="s3cr3t")


def queries(client: Client, address: str, **headers: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address, headers=headers).status_code == 200
    return len(captured)
