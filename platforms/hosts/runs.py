"""Programs of others, run once in a container of their own: an engine that is asked for this and nothing else.

The container has no network, a root file system that nobody can write, no capability, a user without rights, and
limits of memory, processors, processes and processor time. What it is asked stands in a volume that it can read only;
what it answers is what it prints. Everything carries labels, so whoever comes next finds it and can end it: the one
that began it may be gone by then.
"""

from __future__ import annotations

import contextlib
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.models.images import Image
from docker.types import LogConfig, Mount, Ulimit

from console.errors import ConsoleError, PlatformRefused
from platforms.hosts import words as w
from platforms.hosts.engine import OWNER, Engine

RUN = f"{OWNER}.run"  # its name, on everything that belongs to a run
UNTIL = f"{OWNER}.until"  # when it has to be over, in seconds since 1970
ASKED, WORK = "/concord", "/tmp"  # noqa: S108 - where it finds what it is asked, and the only place it may write
REQUEST = "request.json"
LOG_MB = 32  # that the engine keeps of what one run prints
FIRST_USER, USERS = 20_000, 40_000  # nobody's numbers, that engines with namespaces of users have as well
EMPTY = ("/run", "/var/tmp")  # noqa: S108 - which Podman would else let it write to, without measure
FILES = 1024  # that may be open at once
GRACE_CPU_SECONDS = 5  # between the signal that a program may hear and the one that ends it
CONFLICT, GONE = 409, 404


@dataclass(frozen=True)
class RunWish:
    """One run: the image by its id, what it is asked, and what it may use. Memory and disk in bytes."""

    name: str
    image: str
    request: bytes
    until: float
    memory: int
    disk: int
    cpus: float
    cpu_seconds: int
    processes: int
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """A number of its own, so that limits of processes count this run's only."""
        number = FIRST_USER + sum(self.name.encode()) * 7919 % USERS
        return f"{number}:{number}"


@dataclass(frozen=True)
class Run:
    """A run as the engine has it. `began` says whether its program was started."""

    name: str
    began: bool
    running: bool
    exit_code: int
    out_of_memory: bool
    until: float
    labels: dict[str, str]
    seconds: float = 0.0  # that it took, by the engine's clock


class Runs(Engine):
    """An engine on which runs begin, are looked at, read and forgotten; each by its name, as often as one likes."""

    # --- images -------------------------------------------------------------------------------------------------------

    def image_id(self, name: str, *, digest: str = "") -> str:
        """What the engine calls the image of this name; empty when it has none, or not that of the digest."""
        with self.speaking(name) as client:
            try:
                image = client.images.get(name)
            except ImageNotFound:
                return ""
            return str(image.id) if not digest or _has_digest(image, digest) else ""

    def load(self, chunks: Iterator[bytes], repository: str, tag: str) -> str:
        """The id of the one image of an archive, sent to the engine as it comes, and named so, and not otherwise.

        An archive brings names of its own. Somebody else may have them here: they keep what they have.
        """
        with self.speaking() as client:
            before = client.api.images()
            names = {name: str(each["Id"]) for each in before for name in each.get("RepoTags") or ()}
            loaded = _loaded(client, chunks)
            if len(loaded) == 1:
                loaded[0].tag(repository, tag)
            for image in loaded:
                _give_back(client, image, names)
            if len(loaded) == 1:
                return str(loaded[0].id)
            for image in loaded:
                if image.id not in {each["Id"] for each in before}:
                    with contextlib.suppress(ImageNotFound):
                        client.images.remove(image.id)
            raise PlatformRefused(w.NOT_ONE_IMAGE % {"host": self.name, "number": len(loaded)}, code="no_image")

    def name_image(self, image: str, repository: str, tag: str) -> None:
        with self.speaking(image) as client:
            client.images.get(image).tag(repository, tag)

    def drop_image(self, name: str) -> bool:
        """Take the name away, and the image with it unless somebody else uses it: then False.

        What is gone already counts as gone.
        """
        with self.speaking(name) as client:
            try:
                image = client.images.get(name)
                client.images.remove(name)
                if client.images.get(image.id).tags:
                    return False
                client.images.remove(image.id)
            except ImageNotFound:
                return True
            except APIError as problem:
                if problem.status_code != CONFLICT:
                    raise
                return False
            return True

    # --- runs ---------------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Run | None:
        with self.speaking() as client:
            container = _container(client, name)
            return None if container is None else _run(container)

    def all(self) -> list[Run]:
        """Every run that the engine has anything of, running or not; those of which only the volume is left, too."""
        with self.speaking() as client:
            containers = client.containers.list(all=True, filters={"label": RUN}, ignore_removed=True)
            found = {each.labels[RUN]: _run(each) for each in containers if each.name == each.labels[RUN]}
            for each in (*containers, *client.volumes.list(filters={"label": RUN})):
                labels = dict(each.labels if isinstance(each, Container) else each.attrs.get("Labels") or {})
                found.setdefault(labels[RUN], Run(labels[RUN], False, False, 0, False, _until(labels), labels))
            return list(found.values())

    def begin(self, wish: RunWish) -> None:
        """Start it; what an earlier go has left of it is removed first, and what this one leaves when it fails."""
        self.forget(wish.name)
        try:
            self._begin(wish)
        except ConsoleError:
            with contextlib.suppress(ConsoleError):
                self.forget(wish.name)
            raise

    def _begin(self, wish: RunWish) -> None:
        labels = {**wish.labels, RUN: wish.name, UNTIL: str(int(wish.until))}
        with self.speaking(wish.image) as client:
            client.volumes.create(wish.name, labels=labels)
            _ask(client, wish, labels)
            client.containers.create(
                wish.image,
                list(wish.command) or None,
                entrypoint=list(wish.entrypoint) or None,
                name=wish.name,
                labels=labels,
                mounts=[Mount(ASKED, wish.name, type="volume", read_only=True)],
                **_walls(wish),
            ).start()

    def end(self, name: str) -> None:
        """Kill it, if it runs."""
        with self.speaking() as client, contextlib.suppress(NotFound):
            try:
                client.containers.get(name).kill()
            except APIError as problem:
                if problem.status_code not in (CONFLICT, GONE) and "not running" not in str(problem.explanation):
                    raise  # over in the meantime is as good

    def printed(self, name: str, most: int) -> bytes:
        """What it has printed, no more than `most` bytes of it."""
        return self._said(name, most, stdout=True, stderr=False)

    def complained(self, name: str, most: int) -> str:
        """The end of what it has said beside."""
        return self._said(name, LOG_MB * 2**20, stdout=False, stderr=True)[-most:].decode(errors="replace")

    def _said(self, name: str, most: int, *, stdout: bool, stderr: bool) -> bytes:
        said = b""
        with self.speaking() as client:
            stream = client.containers.get(name).logs(stdout=stdout, stderr=stderr, stream=True, follow=False)
            for chunk in stream:
                said += chunk
                if len(said) >= most:
                    return said[:most]
        return said

    def forget(self, name: str) -> None:
        """End it if it runs, and remove everything that belongs to it."""
        with self.speaking() as client:
            for each in (name, _helper(name)):
                container = _container(client, each)
                if container is None:
                    continue
                if RUN not in container.labels:
                    raise PlatformRefused(w.OTHERS % {"host": self.name, "name": each}, code="name_taken")
                with contextlib.suppress(NotFound):
                    container.remove(force=True)
            with contextlib.suppress(NotFound):
                client.volumes.get(name).remove(force=True)


def _loaded(client: docker.DockerClient, chunks: Iterator[bytes]) -> list[Image]:
    """The images that the engine says it has found in an archive; Podman says all of them in one line."""
    found: dict[str, Image] = {}
    for line in client.api.load_image(chunks):
        if "errorDetail" in line:
            raise APIError(str(line["errorDetail"].get("message", "")))
        for name in re.findall(r"^Loaded image(?: ID)?: (.+)$", line.get("stream", ""), re.MULTILINE):
            for each in name.split(","):
                image = client.images.get(each.strip())
                found[str(image.id)] = image
    return list(found.values())


def _give_back(client: docker.DockerClient, image: Image, names: dict[str, str]) -> None:
    """The names that an archive has brought are nobody's again, or whose they were."""
    for name in image.tags:
        if name not in names:
            client.images.remove(name)
        elif names[name] != image.id:
            client.images.get(names[name]).tag(*name.rsplit(":", 1))


def _walls(wish: RunWish) -> dict[str, Any]:
    cpu = Ulimit(name="cpu", soft=wish.cpu_seconds, hard=wish.cpu_seconds + GRACE_CPU_SECONDS)
    held = {"core": 0, "nofile": FILES, "nproc": wish.processes}
    return {
        "user": wish.user,
        "working_dir": WORK,
        "environment": {"HOME": WORK, "TMPDIR": WORK, "CONCORD_REQUEST": f"{ASKED}/{REQUEST}"},
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "tmpfs": {
            WORK: f"size={wish.disk},mode=1777,exec,nosuid,nodev",
            **{place: "ro,size=4k,mode=555" for place in EMPTY},
        },
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "init": True,
        "mem_limit": wish.memory,
        "memswap_limit": wish.memory,
        "nano_cpus": int(wish.cpus * 1e9),
        "pids_limit": wish.processes + 1,
        "ulimits": [cpu, *(Ulimit(name=name, soft=most, hard=most) for name, most in held.items())],
        "log_config": LogConfig(type="json-file", config={"max-size": f"{LOG_MB}m"}),
    }


def _ask(client: docker.DockerClient, wish: RunWish, labels: dict[str, str]) -> None:
    """Lay down what it is asked, by way of a container that never runs: the run itself may only read it."""
    mount = Mount(ASKED, wish.name, type="volume")
    helper = client.containers.create(
        wish.image, ["-"], name=_helper(wish.name), labels=labels, mounts=[mount], network_mode="none"
    )
    try:
        if not helper.put_archive(ASKED, _packed(wish.request)):
            raise APIError("the engine did not take what the run is asked")
    finally:
        helper.remove(force=True)


def _packed(request: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo(REQUEST)
        entry.size, entry.mode = len(request), 0o444
        tar.addfile(entry, io.BytesIO(request))
    return out.getvalue()


def _helper(name: str) -> str:
    return f"{name}-asks"


def _container(client: docker.DockerClient, name: str) -> Container | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def _run(container: Container) -> Run:
    state: dict[str, Any] = container.attrs.get("State") or {}
    if isinstance(state, str):  # in lists
        container.reload()
        state = container.attrs.get("State") or {}
    labels = dict(container.labels)
    return Run(
        name=str(container.name),
        began=str(state.get("Status")) not in ("created", "configured", "initialized"),
        running=bool(state.get("Running")),
        exit_code=int(state.get("ExitCode") or 0),
        out_of_memory=bool(state.get("OOMKilled")),
        until=_until(labels),
        labels=labels,
        seconds=max(_at(state, "FinishedAt") - _at(state, "StartedAt"), 0.0),
    )


def _at(state: dict[str, Any], name: str) -> float:
    try:
        return datetime.fromisoformat(str(state.get(name, ""))).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _until(labels: dict[str, str]) -> float:
    try:
        return float(labels.get(UNTIL, 0))
    except ValueError:
        return 0.0


def _has_digest(image: Image, digest: str) -> bool:
    names: list[str] = image.attrs.get("RepoDigests") or []
    return any(name.endswith(f"@{digest}") for name in names)
