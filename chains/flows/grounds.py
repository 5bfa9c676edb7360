"""Where an application lives and runs: packages on the worker's own machine, images on the container engine.

Both are the same to a flow: made ready, run to an outcome, stopped, removed. What takes long goes on without the step
that began it: a step starts it, comes back, and reads how it ended.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from django.utils.translation import gettext_lazy, gettext_noop

from chains.applications import environments, jobs, protocol
from chains.applications.engine import NoEngine, address, engine
from chains.applications.manifest import BadManifest, Manifest, manifest_of, read, warehouse
from chains.models import Installation
from console.errors import ConsoleError
from console.flows import Later, StepContext
from console.sentences import kept

Json = dict[str, Any]
MOST_STARTS = 3  # of one job, when its program was lost
LOOK_SECONDS = 1.0
WAIT_SECONDS = 3.0

NOT_BUILT = kept(gettext_noop("Its packages could not be installed: %(problem)s"))
NOT_HERE = gettext_noop("This machine does not have it, and the warehouse has another version by now; upgrade it.")
NO_NPM = gettext_noop("It needs npm, and there is none on this machine.")
LOST = gettext_noop("The program was lost again and again, together with its worker.")
LEFT = gettext_noop("No container engine is named any more; what the one before has of it stays there.")
IN_USE = gettext_noop("Something else on the engine uses the image; it stays there without our name.")


class ApplicationFailed(ConsoleError):
    status, code, title = 409, "application_failed", gettext_lazy("The application does not work")


class Ground(Protocol):
    """`wanted` is a build of an application, as `services.applications.named` says it."""

    @property
    def host(self) -> str:
        """The machine, for people."""

    def ready(self, context: StepContext, wanted: Json) -> Manifest | Later:
        """The application as it stands here; made so where it is not."""

    def run(
        self, context: StepContext, job: str, manifest: Manifest, request: Json, shown: Iterable[str] = ()
    ) -> tuple[jobs.Outcome, bytes | None] | Later:
        """How the run ended and what it reported; nothing of it is left then."""

    def stop(self, job: str) -> Later | None:
        """Have a run end, and forget it; None once it has."""

    def unbuild(self, wanted: Json) -> Later | None:
        """Take back what `ready` has made, or half of it; None once it is gone."""

    def remove(self, context: StepContext, wanted: Json) -> None:
        """Nobody uses it any more."""


def ground_of(wanted: Json) -> Ground:
    return OnEngine() if wanted.get("image") else OnMachine()


def starts_of(context: StepContext) -> Json:
    """The position of a step that begins its run; ApplicationFailed when it was lost too often."""
    starts = (context.position or {}).get("starts", 0)
    if starts >= MOST_STARTS:
        raise ApplicationFailed(LOST)
    return {"starts": starts + 1}


class OnMachine:
    """Packages: built into a folder of this machine, run behind walls here."""

    host = property(lambda self: socket.gethostname())

    def ready(self, context: StepContext, wanted: Json) -> Manifest | Later:
        name, label, digest = wanted["name"], wanted["label"], wanted["digest"]
        job = _build_of(wanted)
        if jobs.look(job) == jobs.ABSENT and environments.is_built(name, label, digest):
            try:
                return read(environments.home_of(name, label) / "app", name)
            except BadManifest as problem:
                raise ApplicationFailed(str(problem)) from None
        manifest = warehouse().manifests.get(name)
        if manifest is None or manifest.digest != digest:
            raise ApplicationFailed(NOT_HERE)
        if manifest.npm and not environments.npm_command():
            raise ApplicationFailed(NO_NPM)
        outcome = _driven(context, job, lambda: environments.build_spec(manifest))
        if isinstance(outcome, Later):
            return outcome
        jobs.forget(job)
        said = protocol.seen(outcome.log)
        context.log(gettext_noop("What the installation said"), output=said[-4000:], seconds=outcome.seconds)
        if not environments.is_built(name, label, digest):
            ending = protocol.ENDINGS.get(outcome.ended, "")
            raise ApplicationFailed(NOT_BUILT % {"problem": ending or _last_words(said)})
        return Later(0, {})

    def run(
        self, context: StepContext, job: str, manifest: Manifest, request: Json, shown: Iterable[str] = ()
    ) -> tuple[jobs.Outcome, bytes | None] | Later:
        outcome = _driven(context, job, lambda: environments.run_spec(manifest, shown=shown), request)
        if isinstance(outcome, Later):
            return outcome
        raw = jobs.report_of(job) if outcome.report == "there" else None
        jobs.forget(job)
        return outcome, raw

    def stop(self, job: str) -> Later | None:
        if not jobs.stop(job):
            return Later(LOOK_SECONDS)
        jobs.forget(job)
        return None

    def unbuild(self, wanted: Json) -> Later | None:
        ending = self.stop(_build_of(wanted))
        if ending is None:
            environments.remove(wanted["name"], wanted["label"])
        return ending

    def remove(self, context: StepContext, wanted: Json) -> None:
        environments.remove(wanted["name"], wanted["label"])


def _build_of(wanted: Json) -> str:
    return f"build-{wanted['name']}-{wanted['label']}"


def _driven(
    context: StepContext, job: str, spec: Callable[[], Json], request: Json | None = None
) -> jobs.Outcome | Later:
    """The outcome of the job, which is started where it is not there; until then, when to come back."""
    found = jobs.look(job)
    if isinstance(found, jobs.Outcome):
        return found
    if found == jobs.RUNNING:
        return Later(LOOK_SECONDS, context.position or {})
    position = starts_of(context)
    jobs.start(job, spec(), request)
    return Later(LOOK_SECONDS / 2, position)


def _last_words(log: str) -> str:
    """The lines that say what went wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return " ".join([line for line in lines if "error" in line.lower()][-2:] or lines[-2:])[:600] or "–"


class OnEngine:
    """Images: on the container engine that the settings name, whichever worker asks."""

    host = property(lambda self: address())

    def ready(self, context: StepContext, wanted: Json) -> Manifest | Later:
        from chains.applications import images

        manifest = _manifest(wanted)
        at = engine()
        if images.is_there(at, manifest):
            return manifest
        context.log(gettext_noop("The engine fetches the image"), engine=at.name, **_about(manifest))
        if not images.fetch(at, manifest):
            return Later(0, context.position or {})
        context.log(gettext_noop("The image is there"), engine=at.name, id=images.is_there(at, manifest))
        return Later(0, {})

    def run(
        self, context: StepContext, job: str, manifest: Manifest, request: Json, shown: Iterable[str] = ()
    ) -> tuple[jobs.Outcome, bytes | None] | Later:
        from chains.applications import images

        at = engine()
        found = images.look(at, job)
        if found == jobs.RUNNING:
            return Later(LOOK_SECONDS, context.position or {})
        if not isinstance(found, jobs.Outcome):
            images.reap(at)
            if images.are_too_many(at):
                return Later(WAIT_SECONDS, context.position or {})
            position = starts_of(context)
            images.start(at, job, manifest, request)
            return Later(LOOK_SECONDS / 2, position)
        raw = images.report_of(at, job) if found.report == "there" else None
        at.forget(job)
        return found, raw

    def stop(self, job: str) -> Later | None:
        if address():
            engine().forget(job)
        return None

    def unbuild(self, wanted: Json) -> Later | None:
        from chains.applications import images

        if address():
            images.remove(engine(), wanted["name"], wanted["label"])
        return None

    def remove(self, context: StepContext, wanted: Json) -> None:
        from chains.applications import images

        try:
            if not images.remove(engine(), wanted["name"], wanted["label"]):
                context.log(IN_USE)
        except NoEngine:
            context.log(LEFT)


def _manifest(wanted: Json) -> Manifest:
    """By which it was or is to be installed: the warehouse's, or the one that was kept with the installation."""
    found = warehouse().manifests.get(wanted["name"])
    if found is not None and found.digest == wanted["digest"]:
        return found
    row = Installation.objects.filter(name=wanted["name"], digest=wanted["digest"]).first()
    if row is None or "image" not in row.manifest:
        raise ApplicationFailed(NOT_HERE)
    return manifest_of(row.manifest, Path("/nonexistent"), row.digest)


def _about(manifest: Manifest) -> Json:
    image = manifest.image
    return {"image": image.source, "digest": image.digest} if image else {}
