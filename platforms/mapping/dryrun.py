"""A dry run: the interpreter of the real run on recorded samples. Nothing is sent.

What comes out is what would be sent, and the standard answer, or the first fault with its place.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop
from pydantic import ValidationError

from console.errors import ConsoleError
from platforms.http import Incoming
from platforms.mapping.apifile import ApiFile
from platforms.mapping.interpreter import Call, Wait, run
from platforms.mapping.samples import Sample
from platforms.mapping.template import Template
from platforms.mapping.values import UNFIT
from platforms.standard import OPERATIONS

Json = dict[str, Any]
NOT_OFFERED = gettext_noop("the mapping does not offer this operation")
NO_SAMPLE = gettext_noop("no sample answer is left for this call")
KEY = "00000000-0000-4000-8000-000000000000"  # stands for the idempotency key


@dataclass
class DryRun:
    """What one interface would do with its sample."""

    operation: str
    requests: list[Json] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    known: Json = field(default_factory=dict)
    result: Json | None = None
    fault: Json | None = None  # {place, text, code}

    def as_dict(self) -> Json:
        return {
            "operation": self.operation,
            "requests": self.requests,
            "waits": self.waits,
            "known": self.known,
            "result": self.result,
            "fault": self.fault,
        }


class _OutOfSamples(Exception):
    def __init__(self, step: str) -> None:
        self.step = step
        super().__init__(step)


def dry_run(template: Template, api: ApiFile, sample: Sample) -> DryRun:
    """Run an interface on its sample."""
    outcome = DryRun(sample.operation)
    interface = template.interfaces.get(sample.operation)
    if interface is None:
        outcome.fault = _fault(sample.operation, NOT_OFFERED, "not_supported")
        return outcome
    operation = OPERATIONS[sample.operation]
    try:
        request = operation.request.model_validate(sample.request)
    except ValidationError as problem:
        outcome.fault = _unfit(problem, f"samples.{sample.operation}.request")
        return outcome
    try:
        result = _carried(outcome, template, api, request.model_dump(mode="json"), sample)
        outcome.result = operation.answer.model_validate(result).model_dump(mode="json")
    except _OutOfSamples as problem:
        place = f"{sample.operation}.{problem.step}"
        outcome.fault = _fault(place, NO_SAMPLE, "no_sample")
    except ValidationError as problem:
        outcome.fault = _unfit(problem, f"{sample.operation}.result")
    except ConsoleError as problem:
        outcome.fault = _placed(problem, sample.operation)
    return outcome


def _carried(outcome: DryRun, template: Template, api: ApiFile, request: Json, sample: Sample) -> Any:
    """As a flow's step does it: after each wait another run goes on from a position that has been through JSON."""
    interface = template.interfaces[sample.operation]
    left = {step: deque(answers) for step, answers in sample.answers.items()}
    position: Json | None = None
    while True:
        steps = run(template, api, interface, request, key=KEY, position=position)
        try:
            event = next(steps)
            while not isinstance(event, Wait):
                outcome.requests.append(_shown(event))
                event = steps.send(_next(left, event.step))
        except StopIteration as end:
            return end.value
        outcome.waits.append(event.seconds)
        outcome.known |= event.known
        position = json.loads(json.dumps(event.position))


def _next(left: dict[str, deque[Incoming]], step: str) -> Incoming:
    if not left.get(step):
        raise _OutOfSamples(step)
    return left[step].popleft()


def _shown(call: Call) -> Json:
    request = call.request
    shown: Json = {
        "step": call.step,
        "cred": call.cred,
        "method": request.method,
        "path": request.path + (f"?{request.query_string}" if request.query else ""),
        "headers": dict(request.headers),
        "body": request.body,
    }
    return json.loads(json.dumps(shown))  # a secret's name is a text of its own kind


def _fault(place: str, text: str, code: str) -> Json:
    return {"place": place, "text": text, "code": code}


def _unfit(problem: ValidationError, place: str) -> Json:
    first = problem.errors()[0]
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return _fault(f"{place}{parts}", first["msg"], "mapping_failed")


def _placed(problem: ConsoleError, operation: str) -> Json:
    """A note is `MAPPING at list.result.items[0]: words`, or `list.read: words`; an error without one has no place."""
    place, colon, text = problem.note.removeprefix("MAPPING at ").partition(": ")
    if not colon:
        return _fault(operation, problem.detail, problem.code)
    return _fault(place, text if problem.code == UNFIT else problem.detail, problem.code)
