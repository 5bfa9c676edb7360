"""Asynchronous jobs: accepted at once, done in the background, asked for by id; taken up again after a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from platforms.sandbox.errors import Conflict, NotFound
from platforms.sandbox.faults import Faults
from platforms.sandbox.principals import Principal
from platforms.sandbox.store import Json, Store, new_id, now_ms

logger = logging.getLogger(__name__)

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
STUCK_MS = 45_000  # a job that has not moved for so long may be begun anew, or another put in its place


@dataclass(frozen=True)
class Key:
    """An idempotency key with its owner, and a fingerprint of what was asked; empty when there is none."""

    text: str
    asked: str


class JobFailed(Exception):
    """The job cannot be done; what it made so far stays."""

    def __init__(self, message: str, code: str = "JOB_FAILED") -> None:
        super().__init__(message)
        self.code = code


class Progress:
    """What a job's work reports to."""

    def __init__(self, job: Json, store: Store, pace: float) -> None:
        self._job, self._store, self._pace = job, store, pace

    async def stage(self, percent: int) -> None:
        self._job.update(progress=percent, updatedAt=now_ms())
        self._store.save()
        await asyncio.sleep(self._pace)

    async def half_way(self) -> None:
        """Where a fault strikes: what the job makes is there, but not ready."""
        await self.stage(50)
        if self._job["fault"] == "fail":
            raise JobFailed("The sandbox was told to let this job fail half-way.", "INJECTED_FAULT")
        if self._job["fault"] == "hang":
            await asyncio.Event().wait()


Work = Callable[[Json, Progress], Awaitable[None]]


class Jobs:
    """Runs jobs. `register` the work of each kind first; work must bear being begun again from the start.

    `pace` is the pause between two stages in seconds, so that a job can be seen at work.
    """

    def __init__(self, store: Store, faults: Faults, pace: float) -> None:
        self._store, self._faults, self._pace = store, faults, pace
        self._work: dict[str, tuple[Work, Callable[[Json], None]]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def kinds(self) -> list[str]:
        return sorted(self._work)

    def register(self, kind: str, work: Work, when_failed: Callable[[Json], None]) -> None:
        """`when_failed` marks what the job worked on; it takes nothing back."""
        self._work[kind] = (work, when_failed)

    def start(self, kind: str, principal: Principal, key: Key, **fields: Any) -> Json:
        """A new job, saved together with its key, and begun."""
        now = now_ms()
        job = {
            "jobId": new_id("job"),
            "kind": kind,
            "state": "QUEUED",
            "progress": 0,
            "error": None,
            "createdAt": now,
            "updatedAt": now,
            "principal": principal.id,
            "fault": self._faults.take(kind),
            "asked": 0,
            **fields,
        }
        self._store.jobs[job["jobId"]] = job
        if key.text:
            self._store.keys[key.text] = {"jobId": job["jobId"], "asked": key.asked}
        self._store.save()
        self._begin(job)
        return job

    def restart(self, job: Json) -> None:
        """Once more from the start, for a repeated request whose job had failed, was cancelled or is stuck."""
        task = self._running.pop(job["jobId"], None)
        if task is not None:
            task.cancel()
        job.update(state="QUEUED", progress=0, error=None, fault=self._faults.take(job["kind"]), asked=0)
        job["updatedAt"] = now_ms()
        self._store.save()
        self._begin(job)

    def must_be_free(self, kind: str, field: str, value: str) -> None:
        """Raises Conflict while a job of this kind is at work on the thing."""
        for job in self._store.jobs.values():
            if job["kind"] == kind and job.get(field) == value and job["state"] not in ENDED and not is_stuck(job):
                raise Conflict(f"The job {job['jobId']} is at work on this already.", code="JOB_IN_PROGRESS")

    def resume(self) -> None:
        """After a restart of the sandbox: everything that had not ended."""
        for job in self._store.jobs.values():
            if job["state"] not in ENDED:
                self._begin(job)

    def find(self, principal: Principal, job_id: str) -> Json:
        """One's own job; NotFound for everybody else's."""
        job = self._store.jobs.get(job_id)
        if job is None or not (principal.is_operator or job["principal"] == principal.id):
            raise NotFound(f"There is no job {job_id}.", code="JOB_NOT_FOUND")
        return job

    def cancel(self, job: Json) -> None:
        """End a job that has not ended; what it made so far stays. Raises Conflict."""
        if job["state"] in ENDED:
            raise Conflict(f"The job has ended already: {job['state']}.", code="JOB_ENDED")
        self._cancel(job, "Cancelled by request.")

    def cancel_about(self, field: str, value: str, *, but: str = "") -> None:
        """End every open job about a thing that is being deleted."""
        for job in list(self._store.jobs.values()):
            if job.get(field) == value and job["state"] not in ENDED and job["jobId"] != but:
                self._cancel(job, "What the job worked on was deleted.")

    async def stop(self) -> None:
        """Leave the open jobs as they are; `resume` takes them up."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _cancel(self, job: Json, message: str) -> None:
        task = self._running.pop(job["jobId"], None)
        if task is not None:
            task.cancel()
        self._end(job, "CANCELLED", {"code": "CANCELLED", "message": message})
        self._work[job["kind"]][1](job)
        self._store.save()

    def _begin(self, job: Json) -> None:
        self._running[job["jobId"]] = asyncio.create_task(self._run(job))

    async def _run(self, job: Json) -> None:
        work, when_failed = self._work[job["kind"]]
        job["state"] = "RUNNING"
        try:
            await work(job, Progress(job, self._store, self._pace))
            self._end(job, "SUCCEEDED", None)
        except JobFailed as problem:
            self._end(job, "FAILED", {"code": problem.code, "message": str(problem)})
            when_failed(job)
        except Exception:
            logger.exception("job %s (%s) broke", job["jobId"], job["kind"])
            self._end(job, "FAILED", {"code": "INTERNAL", "message": "The job broke; the sandbox's log says why."})
            when_failed(job)
        self._running.pop(job["jobId"], None)
        self._store.save()

    def _end(self, job: Json, state: str, error: Json | None) -> None:
        progress = 100 if state == "SUCCEEDED" else job["progress"]
        job.update(state=state, error=error, progress=progress, updatedAt=now_ms())
        logger.info("job %s (%s) %s", job["jobId"], job["kind"], state, extra={"about": job.get("networkId")})


def is_stuck(job: Json) -> bool:
    return job["state"] not in ENDED and now_ms() - job["updatedAt"] > STUCK_MS
