"""Recorded samples: for a standard interface an example of our request, and what the platform answered to each step.

```yaml
create_network:
  request: {name: Permits, creator: {orgcode: org-1, name: Tax Bureau, category: cloud}}
  answers:
    create: {status: 202, headers: {location: /jobs/7}, body: {job: 7}}
    built: [{body: {state: RUNNING}}, {body: {state: DONE}}]        # successive polls, or pages
```

An answer that has none of `status`, `headers`, `body` is taken for the body of an answer with status 200.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import Invalid
from console.sentences import kept
from platforms.http import Incoming
from platforms.mapping.documents import read_document
from platforms.standard import OPERATIONS

PARTS = frozenset({"status", "headers", "body"})
MAX_ANSWERS = 200  # of one step

NO_SAMPLES = gettext_noop("an object is expected: operation -> {request, answers}")
MALFORMED = kept(gettext_noop("The samples are malformed: %(problem)s"))
NO_OPERATION = gettext_noop("no such operation of the standard interface")
NO_SAMPLE = gettext_noop("an object with request and answers is expected")
NO_OBJECT = gettext_noop("an object is expected")
NO_ANSWERS = gettext_noop("an object is expected: step -> answer")
NO_STATUS = gettext_noop("a number from 100 to 599 is expected")


@dataclass(frozen=True)
class Sample:
    """One interface's."""

    operation: str
    request: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[Incoming, ...]] = field(default_factory=dict)

    def bodies(self, step: str) -> list[Any]:
        """What successful answers to the step held."""
        return [each.body for each in self.answers.get(step, ()) if each.status < 300 and each.body is not None]


def parse_samples(text: str) -> dict[str, Any]:
    """A YAML or JSON text as plain JSON; Invalid names the line."""
    return read_document(text, field="samples") if text.strip() else {}


def read_samples(document: Any) -> dict[str, Sample]:
    """Samples by operation; Invalid names every place that has the wrong shape."""
    problems: list[str] = []
    if not isinstance(document, dict):
        raise Invalid.field("samples", NO_SAMPLES)
    found = {str(name): _sample(str(name), body, problems) for name, body in document.items()}
    if problems:
        raise Invalid(MALFORMED % {"problem": problems[0]}, errors={"samples": problems[:50]})
    return found


def _sample(name: str, body: Any, problems: list[str]) -> Sample:
    if name not in OPERATIONS:
        problems.append(f"{name}: {NO_OPERATION}")
        return Sample(name)
    if not isinstance(body, dict) or set(body) - {"request", "answers"}:
        problems.append(f"{name}: {NO_SAMPLE}")
        return Sample(name)
    request, answers = body.get("request") or {}, body.get("answers") or {}
    if not isinstance(request, dict):
        problems.append(f"{name}.request: {NO_OBJECT}")
        request = {}
    if not isinstance(answers, dict):
        problems.append(f"{name}.answers: {NO_ANSWERS}")
        answers = {}
    steps = {str(step): tuple(_answers(f"{name}.answers.{step}", each, problems)) for step, each in answers.items()}
    return Sample(name, request, steps)


def _answers(place: str, given: Any, problems: list[str]) -> Iterator[Incoming]:
    """A list of answers, one, or bodies alone."""
    several = isinstance(given, list) and all(_is_envelope(each) for each in given)
    for index, each in enumerate(given[:MAX_ANSWERS] if several else [given]):
        if not _is_envelope(each):
            yield Incoming(200, {}, each)
            continue
        status, headers = each.get("status", 200), each.get("headers") or {}
        if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
            problems.append(f"{place}[{index}].status: {NO_STATUS}")
        elif not isinstance(headers, dict):
            problems.append(f"{place}[{index}].headers: {NO_OBJECT}")
        else:
            yield Incoming(status, {str(k).lower(): str(v) for k, v in headers.items()}, each.get("body"))


def _is_envelope(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= PARTS
