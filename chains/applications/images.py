"""Applications that are images: fetched, held against what the manifest pins, run once, and removed from the engine.

A run is a container of the engine's, so it outlasts a step as a job does: whoever comes next finds it by its name and
reads how it ended. What nobody comes back for is ended in time and removed later (`reap`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from chains.applications.engine import NO_ARCHIVE, OTHER_CONTENT, OTHER_DIGEST, credentials_for
from chains.applications.environments import REPORT_KB
from chains.applications.jobs import ABSENT, KEPT_SECONDS, RUNNING, Outcome
from chains.applications.manifest import Image, Manifest
from console.errors import ConsoleError
from platforms.hosts.engine import OWNER
from platforms.hosts.runs import Run, Runs, RunWish

REPOSITORY = "localhost/concord-applications"  # no registry has this name, so nothing is pulled by mistake
APPLICATION, SECONDS = f"{OWNER}.application", f"{OWNER}.seconds"
LATE_SECONDS = 30.0  # after its time somebody else than its own step ends a run
START_SECONDS = 5.0  # that making the container may take of the console's clock
CHUNK = 2**20
TAIL_BYTES = 16_000
KILLED, OUT_OF_CPU = 137, 152  # 128 and the signal's number
Json = dict[str, Any]


class BadImage(ConsoleError):
    status, code, title = 409, "bad_image", gettext_lazy("The image is not the one that the manifest names")


def name_of(name: str, label: str) -> tuple[str, str]:
    """What the engine knows an application's build by: repository and tag."""
    return f"{REPOSITORY}/{name}", label.replace("+", "_")


def is_there(engine: Runs, manifest: Manifest) -> str:
    """The image's id on the engine; empty when it has to be fetched."""
    image = _image(manifest)
    digest = image.digest if image.reference else ""  # of an archive the engine knows no digest
    return engine.image_id(":".join(name_of(manifest.name, manifest.label)), digest=digest)


def fetch(engine: Runs, manifest: Manifest) -> bool:
    """Have the engine have it: pulled by digest, or loaded from the archive. False: not through, ask again.

    BadImage when it is not what the manifest names; then nothing of it is kept under our name.
    """
    if is_there(engine, manifest):
        return True
    image = _image(manifest)
    if image.archive:
        _load(engine, manifest, image)
        return True
    if not engine.ensure_image(image.reference, registry=credentials_for(image.registry)):
        return False
    found = engine.image_id(image.reference, digest=image.digest)
    if not found:
        raise BadImage(OTHER_DIGEST % {"reference": image.reference})
    engine.name_image(found, *name_of(manifest.name, manifest.label))
    return True


def _load(engine: Runs, manifest: Manifest, image: Image) -> None:
    """Nothing is sent before the whole file was held against its hash."""
    try:
        file = (manifest.folder / image.archive).open("rb")
    except OSError:
        raise BadImage(NO_ARCHIVE % {"file": image.archive}) from None
    with file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != image.sha256:
            raise BadImage(OTHER_CONTENT % {"file": image.archive, "found": found})
        file.seek(0)
        engine.load(_chunks(file), *name_of(manifest.name, manifest.label))


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def remove(engine: Runs, name: str, label: str) -> bool:
    """False when something else on the engine uses the image still; our name for it is gone either way."""
    return engine.drop_image(":".join(name_of(name, label)))


# --- runs -------------------------------------------------------------------------------------------------------------


def start(engine: Runs, job: str, manifest: Manifest, request: Json) -> None:
    """Begin the run, anew if something was left of it."""
    needs, image = manifest.needs, _image(manifest)
    engine.begin(
        RunWish(
            name=job,
            image=is_there(engine, manifest),
            request=json.dumps(request).encode(),
            until=time.time() + needs.seconds + START_SECONDS,
            memory=needs.memory_mb * 2**20,
            disk=needs.disk_mb * 2**20,
            cpus=needs.cpus,
            cpu_seconds=needs.cpu_seconds,
            processes=needs.processes,
            command=image.command,
            entrypoint=image.entrypoint,
            labels={APPLICATION: manifest.name, SECONDS: str(needs.seconds)},
        )
    )


def look(engine: Runs, job: str) -> Outcome | str:
    """The outcome, or ABSENT, RUNNING. A run whose time is over is ended here."""
    run = engine.find(job)
    if run is None or not run.began:
        return ABSENT
    late = run.running and time.time() > run.until
    if late:
        engine.end(job)
        run = engine.find(job)
        if run is None:
            return ABSENT
    if run.running:
        return RUNNING
    printed = engine.printed(job, REPORT_KB * 1024 + 1)
    report = "too_large" if len(printed) > REPORT_KB * 1024 else "there" if printed.strip() else "missing"
    log = engine.complained(job, TAIL_BYTES)
    return Outcome(_ended(run, late), run.exit_code, log, report, round(run.seconds, 1))


def report_of(engine: Runs, job: str) -> bytes:
    """What the run has printed."""
    return engine.printed(job, REPORT_KB * 1024)


def _ended(run: Run, late: bool) -> str:
    """In the words of `protocol.ENDINGS`, where it was not the program that ended it."""
    if run.out_of_memory:
        return "memory"
    if run.exit_code == KILLED:
        return "time" if late or run.seconds >= float(run.labels.get(SECONDS, "inf")) else "killed"
    if run.exit_code == OUT_OF_CPU:
        return "cpu"
    return "failed" if run.exit_code else "done"


def are_too_many(engine: Runs) -> bool:
    """Whether as many run on the engine as may at once."""
    return sum(run.running for run in engine.all()) >= settings.APPLICATIONS_AT_ONCE


def reap(engine: Runs) -> int:
    """End what runs past its time, and remove what nobody came back for; how many were removed."""
    removed = 0
    for run in engine.all():
        late = time.time() - run.until
        if run.running and late > LATE_SECONDS:
            engine.end(run.name)
        elif not run.running and late > (KEPT_SECONDS if run.began else LATE_SECONDS):
            engine.forget(run.name)
            removed += 1
    return removed


def _image(manifest: Manifest) -> Image:
    if manifest.image is None:
        raise ValueError(f"{manifest.name} is no image")
    return manifest.image
