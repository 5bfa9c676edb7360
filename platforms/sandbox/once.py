"""One effect for one key: a repeated request finds its job again, after a restart too."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import web

from platforms.sandbox.errors import BadRequest, Conflict
from platforms.sandbox.jobs import Jobs, Key, is_stuck
from platforms.sandbox.principals import Principal
from platforms.sandbox.store import Json, Store

MAX_KEY = 200


async def key_of(request: web.Request, principal: Principal) -> Key:
    """The request's key, from the header `Idempotency-Key` or the body's `requestId`. BadRequest when they differ."""
    data = _parsed(await request.read())
    header = request.headers.get("Idempotency-Key", "").strip()
    in_body = data.pop("requestId", None) if isinstance(data, dict) else None
    in_body = in_body.strip() if isinstance(in_body, str) else ""
    if header and in_body and header != in_body:
        raise BadRequest("requestId: differs from the header Idempotency-Key.")
    text = header or in_body
    if len(text) > MAX_KEY:
        raise BadRequest(f"Idempotency-Key: at most {MAX_KEY} characters.")
    asked = json.dumps([request.method, request.path_qs, data], sort_keys=True)
    return Key(f"{principal.id}|{text}" if text else "", hashlib.sha256(asked.encode()).hexdigest())


def earlier_job(store: Store, jobs: Jobs, key: Key) -> Json | None:
    """The job of the same request before. One that failed, was cancelled or is stuck is begun anew on what it made.

    Raises Conflict when the key was used for another request.
    """
    entry = store.keys.get(key.text) if key.text else None
    if entry is None:
        return None
    if entry["asked"] != key.asked:
        raise Conflict("The key was used for another request.", code="IDEMPOTENCY_MISMATCH")
    job = store.jobs[entry["jobId"]]
    if job["state"] in ("FAILED", "CANCELLED") or is_stuck(job):
        if not _is_there(store, job["subject"]):
            del store.keys[key.text]  # what it made was deleted: this is a new request
            return None
        jobs.restart(job)
    return job


def _is_there(store: Store, subject: list[str]) -> bool:
    if subject[0] == "members":
        return subject[2] in store.networks.get(subject[1], {}).get("members", {})
    table = {"networks": store.networks, "chains": store.chains, "nodes": store.nodes}
    return subject[1] in table[subject[0]]


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return None  # whoever reads the body refuses it
