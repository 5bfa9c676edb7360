"""Examples made from schemas: a request of ours and an answer to each step, to run dry before anything was recorded.

They prove that a mapping holds together, not that the platform answers so: recorded samples do.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.proposal.vocabulary import rank_of
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.shapes import Shape, response_shape
from platforms.standard import OPERATIONS

Json = dict[str, Any]
MAX_DEPTH = 6
MAX_LOOKS = 200_000  # at schemas, for one sample
NUMBERS = ("height", "block_height", "transactions", "index", "total", "nodes")
TIMES = ("time", "block_time", "created")
TIME = "2026-01-02T03:04:05Z"
PARTY = {"orgcode": "org-a2b3c4d5e6", "name": "Tax Bureau", "category": "cloud", "tenantid": "11"}
OURS: Json = {
    "name": "Permits",
    "kernel": "fabric",
    "creator": PARTY,
    "member": {**PARTY, "orgcode": "org-f7g8h9j2k3", "name": "Housing Office", "tenantid": "12"},
    "inviter": PARTY,
    "network_id": "17",
    "chain_id": "1",
    "member_id": "m-1",
    "contract_id": "3",
    "tx_id": "0xaa",
    "bytecode": "0x00",
}


def example_sample(api: ApiFile, name: str, steps: list[Json]) -> Json:
    """A sample of the interface: our request, and for each step an answer as the API file describes it."""
    api = api.counted(MAX_LOOKS)
    asked, read = OPERATIONS[name].request.model_fields, json.dumps(steps)
    request = {
        field: OURS[field]
        for field, about in asked.items()
        if field in OURS and (about.is_required() or f"$.in.{field}" in read)
    }
    answers = {str(step["id"]): _answer(api, step) for step in steps if isinstance(step, dict) and "id" in step}
    return {"request": request, "answers": answers}


def _answer(api: ApiFile, step: Json) -> Any:
    operation = api.find(str(step.get("op", "")))
    if operation is None:
        return {"status": 200, "body": {}}
    try:
        body = _given(api, operation)
        body = value_of(response_shape(api, operation), 0) if body is None else body
    except (BadReference, TooTangled):
        body = {}
    answer = {"status": _status(operation), "body": _steered(step, body)}
    if "walk" in step and "next" in step["walk"]:
        _set(answer["body"], step["walk"]["next"], None)
    return [answer, {"status": 200, "body": _emptied(step, body)}] if "first" in step.get("walk", {}) else answer


def _given(api: ApiFile, operation: ApiOperation) -> Any:
    """An example that the file itself gives; None where it gives none."""
    responses = operation.definition.get("responses")
    for code, response in (responses if isinstance(responses, dict) else {}).items():
        response = api.resolve(response)
        if not str(code).startswith("2") or not isinstance(response, dict):
            continue
        content = response.get("content")
        for each in content.values() if isinstance(content, dict) else ():
            if isinstance(each, dict) and each.get("example") is not None:
                return each["example"]
        examples = response.get("examples")
        if api.is_swagger and isinstance(examples, dict) and examples:
            return next(iter(examples.values()))
    return None


def _status(operation: ApiOperation) -> int:
    responses = operation.definition.get("responses")
    codes = [str(each) for each in responses] if isinstance(responses, dict) else []
    return next((int(each) for each in codes if each.isdigit() and each.startswith("2")), 200)


def value_of(shape: Shape, depth: int, named: str = "") -> Any:
    """A value that the shape allows: the first of those listed, else one that stands for its kind and its name."""
    if shape.values:
        return shape.values[0]
    if shape.names and depth < MAX_DEPTH:
        return {
            name: value_of(child, depth + 1, name) for name in shape.names if (child := shape.child(name)) is not None
        }
    kinds = shape.kinds or frozenset()
    if "array" in kinds:
        element = shape.element()
        return [value_of(element, depth + 1)] if element is not None and depth < MAX_DEPTH else []
    if "object" in kinds:
        return {}
    if "integer" in kinds or "number" in kinds:
        return 1
    if "boolean" in kinds:
        return True
    if "date-time" in shape.formats or _is_called(named, TIMES):
        return TIME
    return "1" if _is_called(named, NUMBERS) else "text"


def _is_called(name: str, fields: tuple[str, ...]) -> bool:
    return bool(name) and any(rank_of(field, name) is not None for field in fields)


def _steered(step: Json, body: Any) -> Any:
    """So that the step goes on: what `expect` and `poll.until` want stands in the answer."""
    for condition in (step.get("expect"), (step.get("poll") or {}).get("until")):
        first = condition[0] if isinstance(condition, list) and condition else condition
        for path, wanted in (first if isinstance(first, dict) else {}).items():
            if str(path).startswith("$.body."):
                _set(body, path, wanted[0] if isinstance(wanted, list) and wanted else wanted)
    return body


def _emptied(step: Json, body: Any) -> Any:
    """The page after the last one."""
    rest = copy.deepcopy(body)
    path = str(step["walk"]["items"])
    if path == "$.body":
        return []
    _set(rest, path, [])
    return rest


def _set(body: Any, path: str, value: Any) -> None:
    """Put a value at a plain path below the body; anything else is left as it is."""
    parts = path.removeprefix("$.body").strip(".").split(".")
    for part in parts[:-1]:
        if not isinstance(body, dict) or not isinstance(body.get(part), dict):
            return
        body = body[part]
    if isinstance(body, dict) and parts[-1] and "[" not in parts[-1]:
        body[parts[-1]] = value
