"""After a change that takes time: which call says how far it is, and which of its words mean what."""

from __future__ import annotations

from typing import Any

from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.proposal.fields import Leaf, best_leaf, leaves, meant, path_to, source_of
from platforms.mapping.proposal.vocabulary import THINGS, WANTED, squeezed, state_of, words
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.shapes import Shape, response_shape

Json = dict[Any, Any]
JOBS = frozenset({"job", "task", "operation", "progress", "work", "workflow"})
EVERY, LIMIT = 10, 360  # an hour
OVER = frozenset({"done", "completed", "finished", "succeeded", "success", "successful"})
BUSY, GOOD, BAD = ("creating",), ("running",), ("failed", "deleting", "deleted", "stopped")


def poll_after(api: ApiFile, name: str, operation: ApiOperation, step: Json, answer: Shape) -> Json | None:
    """A step that polls until what was begun is through; None when the API file shows no call for it."""
    best: tuple[int, str, Json] | None = None
    there = list(leaves(answer))
    for other in api.operations.values():
        if other.method != "GET" or not other.path_parameters or other.id == operation.id:
            continue
        rank = _rank(name, other)
        if rank is None:
            continue
        try:
            made = _step(api, name, other, step, there)
        except (BadReference, TooTangled):
            continue
        if made is not None and (best is None or (rank, other.id) < best[:2]):
            best = (rank, other.id, made)
    return best[2] if best else None


def _rank(name: str, operation: ApiOperation) -> int | None:
    """A call about jobs first, then one about the thing itself; anything else says nothing of the change."""
    named = set(words(operation.path.replace("{", "/").replace("}", ""))[-3:])
    if named & JOBS:
        return 0
    wanted = WANTED[name]
    itself = any(named & THINGS[thing] for thing in wanted.things)
    return 1 if itself and wanted.verb in ("create", "join") else None


def _step(api: ApiFile, name: str, operation: ApiOperation, before: Json, answer: list[Leaf]) -> Json | None:
    path: Json = {}
    taken = False
    for each in sorted(operation.path_parameters):
        named = meant(operation, each)
        leaf = _leaf_for(name, named, answer)
        if leaf is not None:
            path[each], taken = {"$from": path_to(f"$.steps.{before['id']}.body", leaf)}, True
        elif each in before.get("path", {}):
            path[each] = before["path"][each]
        elif source_of(name, named):
            path[each] = {"$from": source_of(name, named)}
        else:
            return None
    if not taken:
        return None
    poll = _poll(response_shape(api, operation))
    if poll is None:
        return None
    made: Json = {"id": "through", "op": operation.id}
    if "cred" in before:
        made["cred"] = before["cred"]
    return {**made, "path": path, "poll": poll}


def _leaf_for(name: str, parameter: str, answer: list[Leaf]) -> Leaf | None:
    """`{job}` is filled from `job`, `job_id`, `jobId`, from the id of a thing of this name, or from what was made."""
    wanted = squeezed(parameter)
    for suffix in ("", "id"):
        for leaf in answer:
            written = squeezed(leaf.name)
            if written in (f"{wanted}{suffix}", wanted.removesuffix("id") if suffix else wanted):
                return leaf
    parts = set(words(parameter)) - {"id", "name"}
    kin = next((each for each in THINGS.values() if parts & each), frozenset())
    found = next((leaf for leaf in answer if kin & set(words(leaf.name)) and words(leaf.name)[-1] == "id"), None)
    made = any(parts & THINGS[thing] for thing in WANTED[name].things)
    return found or (next((leaf for leaf in answer if squeezed(leaf.name) == "id"), None) if made else None)


def _poll(body: Shape) -> Json | None:
    leaf = best_leaf("get_network", "status", list(leaves(body)))
    if leaf is None or leaf.shape.values is None:
        return None
    path = path_to("$.body", leaf)
    ours = ("running", "creating", "failed", "stopped", "deleting", "deleted")
    named: dict[str, list[Any]] = {}
    ends = {str(each).lower() for each in leaf.shape.values} & OVER
    for value in leaf.shape.values:
        state = str(state_of(value, ours) or "")
        kind = "until" if state in GOOD else "while" if state in BUSY else "fail" if state in BAD else ""
        if ends and kind == "until" and str(value).lower() not in ends:
            kind = "while"  # where jobs are done, one that is running is not
        named.setdefault(kind, []).append(value)
    if not named.get("until"):
        return None
    poll: Json = {"every": EVERY, "limit": LIMIT, "until": {path: named["until"]}}
    poll |= {kind: {path: named[kind]} for kind in ("fail", "while") if named.get(kind)}
    return poll
