"""Checking one interface: its steps one after the other, each seeing the answers of those before it, and its result."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_noop

from platforms.mapping.apifile import ApiFile, ApiOperation, parameter_schema
from platforms.mapping.check.conditions import check_condition
from platforms.mapping.check.findings import Findings, Spot
from platforms.mapping.check.fitting import fit_answer, fit_body, fit_parameter
from platforms.mapping.check.making import make
from platforms.mapping.check.scope import (
    BROKEN_SHAPE,
    HEADERS,
    INTEGER,
    Scope,
    View,
    both,
    kinds_text,
    read_path,
)
from platforms.mapping.references import Document
from platforms.mapping.samples import Sample
from platforms.mapping.shapes import Shape, literal_schema, response_shape
from platforms.standard import OPERATIONS, Operation, schema_of

Json = dict[str, Any]
UNSAID_HEADERS = frozenset({"accept", "content-type", "authorization", "user-agent", "host"})
ANYTHING = View(Shape(), None)


@dataclass(frozen=True)
class Files:
    """What the interfaces of one mapping have in common."""

    api: ApiFile
    document: Json
    samples: dict[str, Sample]
    findings: Findings
    signed: frozenset[str]  # names of headers and query parameters that the authentication fills


def check_interface(files: Files, name: str, body: Json) -> None:
    """Everything about one interface of the mapping."""
    _Interface(files, name, body).check()


class _Interface:
    def __init__(self, files: Files, name: str, body: Json) -> None:
        self.files, self.findings, self.api = files, files.findings, files.api
        self.operation: Operation = OPERATIONS[name]
        self.body, self.sample = body, files.samples.get(name, Sample(name))
        self.spot = Spot(("interfaces", name), name)
        request = schema_of(self.operation.request, "serialization")
        self.scope = Scope(
            roots={
                "in": both(Shape.of(request, Document(request))),
                "const": both(Shape.of(literal_schema(files.document.get("const") or {}))),
                "call": both(Shape.of({"type": "object", "properties": {"id": {"type": "string"}}})),
            },
            steps={},
            later=frozenset(str(step["id"]) for step in body["steps"]),
        )

    def check(self) -> None:
        for index, step in enumerate(self.body["steps"]):
            spot = self.spot.key("steps", shown="").index(index, shown=step["id"])
            if step["id"] in self.scope.steps:
                self.findings.error(spot.key("id"), gettext_noop("There is a step %(name)s already."), name=step["id"])
            answer = self._check_step(step, spot)
            self.scope = self.scope.with_step(step["id"], answer)
        standard = schema_of(self.operation.answer)
        made = make(self.body["result"], self.scope, self.spot.key("result"), self.findings)
        fit_answer(made.shape, Shape.of(standard, Document(standard)), self.spot.key("result"), self.findings)
        if "gone" in self.body:
            self._check_unsure(self.body["gone"], self.spot.key("gone"))
        make(self.body.get("known") or {}, self.scope, self.spot.key("known"), self.findings)
        self._check_samples()

    # --- one step ---------------------------------------------------------------------------------------------------

    def _check_step(self, step: Json, spot: Spot) -> View:
        """The step's answer, as later steps see it."""
        operation = self.api.find(step["op"])
        if operation is None:
            message = gettext_noop("The API file has no operation %(name)s.")
            self.findings.error(spot.key("op"), message, name=step["op"])
            return both(BROKEN_SHAPE)
        self._check_parameters(step, operation, spot)
        self._check_body(step, operation, spot)
        body = self._answer_body(step, operation, spot)
        scope = self.scope.with_answer(body)
        if "expect" in step:
            check_condition(step["expect"], scope, spot.key("expect"), self.findings)
        for index, rule in enumerate(step.get("errors") or ()):
            self._check_unsure(rule["when"], spot.key("errors").index(index).key("when"))
        if "poll" in step:
            for name in ("until", "fail", "while"):
                if name in step["poll"]:
                    check_condition(step["poll"][name], scope, spot.key("poll").key(name), self.findings)
        items = self._check_walk(step, operation, scope, spot) if "walk" in step else None
        if "gone" in step:
            seen = replace(scope, roots={**scope.roots, "items": items}) if items else scope
            check_condition(step["gone"], seen, spot.key("gone"), self.findings)
        self._check_repetition(step, operation, spot)
        self._check_lookup(step, spot)
        return _step_view(body, items)

    def _check_parameters(self, step: Json, operation: ApiOperation, spot: Spot, place: str = "path") -> None:
        for name in sorted(operation.path_parameters - set(step.get("path") or {})):
            message = gettext_noop("The path %(path)s needs a value for %(name)s.")
            self.findings.error(spot.key("path"), message, path=operation.path, name=name)
        for name, value in (step.get("path") or {}).items():
            at = spot.key("path").key(name)
            if name not in operation.path_parameters:
                message = gettext_noop("The path %(path)s has no %(name)s.")
                self.findings.error(at, message, path=operation.path, name=name)
            self._check_value(value, operation.parameters_in("path").get(name), at, in_path=True)
        self._check_named(step, operation, spot, "query")
        self._check_named(step, operation, spot, "header")

    def _check_named(self, step: Json, operation: ApiOperation, spot: Spot, place: str) -> None:
        """Query parameters or headers: those that are required, and those that are given."""
        known = operation.parameters_in(place)
        if place == "header":
            known = {name.lower(): each for name, each in known.items()}
        given = {name.lower() if place == "header" else name: name for name in step.get(place) or {}}
        filled = self.files.signed | (UNSAID_HEADERS if place == "header" else {step.get("walk", {}).get("into", "")})
        for name, parameter in known.items():
            if parameter.get("required") and name not in given and name.lower() not in filled and name not in filled:
                message = gettext_noop("The API file requires the %(place)s parameter %(name)s.")
                self.findings.error(spot.key(place), message, place=place, name=name)
        for name, written in given.items():
            at = spot.key(place).key(written)
            if place == "query" and name not in known and known:
                message = gettext_noop("The API file knows no query parameter %(name)s, only %(known)s.")
                self.findings.warning(at, message, name=written, known=", ".join(sorted(known)))
            self._check_value(step[place][written], known.get(name), at, in_path=False)

    def _check_value(self, value: Any, parameter: Json | None, spot: Spot, *, in_path: bool) -> None:
        wanted = Shape.of(parameter_schema(parameter), self.api) if parameter is not None else Shape()
        fit_parameter(make(value, self.scope, spot, self.findings), wanted, spot, self.findings, in_path=in_path)

    def _check_body(self, step: Json, operation: ApiOperation, spot: Spot) -> None:
        wanted = self.api.request_body(operation)
        if wanted.schemas and not wanted.json_schemas:
            message = gettext_noop("%(name)s takes %(media)s only; a mapping sends JSON.")
            self.findings.error(spot.key("op"), message, name=operation.id, media=", ".join(wanted.schemas))
            return
        if "body" not in step:
            if wanted.required:
                self.findings.error(spot, gettext_noop("%(name)s requires a body."), name=operation.id)
            return
        made = make(step["body"], self.scope, spot.key("body"), self.findings)
        if not wanted.schemas:
            message = gettext_noop("The API file does not say that %(name)s takes a body.")
            self.findings.warning(spot.key("body"), message, name=operation.id)
            return
        shape = Shape.any_of(Shape.of(each, self.api) for each in wanted.json_schemas)
        fit_body(made.shape, shape, spot.key("body"), self.findings)

    def _answer_body(self, step: Json, operation: ApiOperation, spot: Spot) -> View:
        """What the step's answer holds: by the file, and by its samples."""
        seen = self.sample.bodies(step["id"])
        sample = Shape.of_sample(seen) if seen else None
        bodies = self.api.success_bodies(operation)
        if not any(body.schemas for body in bodies):
            if not seen:
                return View(Shape.of({"type": "null"}))
            message = gettext_noop("The API file says that %(name)s answers nothing, the sample shows a body.")
            self.findings.warning(spot.key("op"), message, name=operation.id)
            return View(None, sample)
        shape = response_shape(self.api, operation)
        if shape.is_binary or not _may_be_json(bodies):
            message = gettext_noop("%(name)s answers with a file (%(media)s), not with JSON.")
            media = ", ".join(media for body in bodies for media in body.schemas)
            say = self.findings.warning if seen else self.findings.error
            say(spot.key("op"), message, name=operation.id, media=media)
            return View(None if seen else BROKEN_SHAPE, sample)
        return View(shape, sample)

    def _check_walk(self, step: Json, operation: ApiOperation, scope: Scope, spot: Spot) -> View | None:
        walk, at = step["walk"], spot.key("walk")
        if "poll" in step:
            self.findings.error(spot, gettext_noop("A step either polls or walks, not both."))
        known = operation.parameters_in("query")
        if known and walk["into"] not in known:
            message = gettext_noop("The API file knows no query parameter %(name)s, only %(known)s.")
            self.findings.warning(at.key("into"), message, name=walk["into"], known=", ".join(sorted(known)))
        if "next" in walk:
            read_path(walk["next"], scope, at.key("next"), self.findings)
        read = read_path(walk["items"], scope, at.key("items"), self.findings)
        if read is None:
            return both(BROKEN_SHAPE)
        if read.shape.kinds is not None and "array" not in read.shape.kinds and not read.many:
            message = gettext_noop("%(path)s is %(found)s where a list is expected.")
            self.findings.error(at.key("items"), message, path=walk["items"], found=kinds_text(read.shape))
            return both(BROKEN_SHAPE)
        return read.view

    def _check_repetition(self, step: Json, operation: ApiOperation, spot: Spot) -> None:
        """May the step be sent twice? If its answer is lost, somebody has to know."""
        if operation.method not in ("POST", "PATCH") or not self.operation.writes:
            return
        if step.get("idempotent") is True and "$.call.id" not in json.dumps(step):
            message = gettext_noop(
                "Said to be idempotent, but $.call.id is not sent. If it is true, write why instead."
            )
            self.findings.warning(spot.key("idempotent"), message)
        if not step.get("idempotent") and "lookup" not in step:
            message = gettext_noop(
                "If this call's answer is lost, nobody knows whether it took effect: say idempotent, or lookup."
            )
            self.findings.warning(spot, message)

    def _check_lookup(self, step: Json, spot: Spot) -> None:
        if "lookup" not in step:
            return
        lookup, at = step["lookup"], spot.key("lookup")
        operation = self.api.find(lookup["op"])
        if operation is None:
            message = gettext_noop("The API file has no operation %(name)s.")
            self.findings.error(at.key("op"), message, name=lookup["op"])
            return
        self._check_parameters(lookup, operation, at)
        body = View(response_shape(self.api, operation), None)
        scope = self.scope.with_answer(body)
        found = read_path(lookup["found"], scope, at.key("found"), self.findings)
        if found is not None and "body" in lookup:
            make(lookup["body"], scope.with_row(found.view), at.key("body"), self.findings)

    # --- the rest ---------------------------------------------------------------------------------------------------

    def _check_unsure(self, condition: Any, spot: Spot) -> None:
        """A condition on answers that the file hardly ever describes: errors."""
        check_condition(condition, replace(self.scope.with_answer(ANYTHING), quiet=True), spot, self.findings)

    def _check_samples(self) -> None:
        known = {str(step["id"]) for step in self.body["steps"]}
        for name in sorted(set(self.sample.answers) - known):
            spot = Spot((self.sample.operation, "answers", name), f"{self.sample.operation}.answers.{name}", "samples")
            message = gettext_noop("There is no step %(name)s; there is %(known)s.")
            self.findings.warning(spot, message, name=name, known=", ".join(sorted(known)))


def _may_be_json(bodies: list[Any]) -> bool:
    """JSON by name, or a text of some kind: platforms are careless with labels, and the bytes decide."""
    media = [name.lower() for body in bodies for name in body.schemas]
    return any(body.json_schemas for body in bodies) or any(name.startswith("text/") for name in media)


def _step_view(body: View, items: View | None) -> View:
    """A step as `$.steps.<id>` shows it, in both worlds."""
    listed = items or View(None)
    return View(_step_shape(body.file, listed.file), _step_shape(body.sample, listed.sample))


def _step_shape(body: Shape | None, items: Shape | None) -> Shape | None:
    if body is None:
        return None
    properties = {"body": body, "status": INTEGER.file, "headers": HEADERS.file}
    if items is not None:
        properties["items"] = items
    return Shape.of(
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    )
