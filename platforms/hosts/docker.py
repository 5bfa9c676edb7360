"""One host of an on-prem organization: its Docker Engine, told what should be there and made so.

Everything that is made here carries labels, and is found again by its name: asking twice makes nothing twice. What a
container should be is kept as a digest among its labels, so that a changed wish replaces it and an unchanged one does
not. Data lie in named volumes, which outlive their containers. Errors: see `connection.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.volumes import Volume

from console.errors import PlatformRefused, PlatformUnavailable
from platforms.hosts import words as w
from platforms.hosts.connection import connect, in_our_words, knock
from platforms.hosts.engine import OWNER, Engine

WISH = f"{OWNER}.wish"
RUN_SECONDS = 60.0
STOP_SECONDS = 10
LOG_LINES = 200


@dataclass(frozen=True)
class Limits:
    """What a container may use: memory in bytes, processors as a fraction; 0 means as much as there is."""

    memory: int = 0
    cpus: float = 0.0


@dataclass(frozen=True)
class Wish:
    """A container as it should be. It shares the host's network; `volumes` are name → path inside, and `reads` those
    that it may not change."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    environment: dict[str, str] = field(default_factory=dict)
    restart: bool = True
    user: str = ""  # none: the image's own
    reads: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        wished = asdict(self)
        for later in ("user", "reads"):  # as before there were any: nothing is replaced for that
            if not wished[later]:
                del wished[later]
        return hashlib.sha256(json.dumps(wished, sort_keys=True).encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Found:
    """A container as it is. `state` is Docker's word: created, running, paused, restarting, exited, dead."""

    name: str
    state: str
    image: str
    labels: dict[str, str]
    restarts: int = 0
    exit_code: int = 0

    @property
    def running(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class Usage:
    """What a container uses: memory in bytes, processor as a share of one (1.0 is one whole processor)."""

    memory: int
    memory_limit: int
    cpu: float


class DockerHost(Engine):
    """The engine of one host, and the containers that go on there."""

    def __init__(self, ip: str, port: int, tlscert: str, *, allow_private: bool) -> None:
        self.ip, self.port = ip, port
        client = connect(ip, port, tlscert, allow_private=allow_private)
        super().__init__(f"{ip}:{port}", client, knocking=lambda: knock(ip, port, tlscert))

    # --- containers ---------------------------------------------------------------------------------------------------

    def ensure_container(self, wish: Wish) -> Found:
        """The container as wished, running. One that is there and fits stays as it is; another wish replaces it.

        What is replaced is stopped first: the next one finds the data whole, and nobody's lock on them.
        """
        with self.speaking(wish.image) as client:
            container = self._container(client, wish.name)
            if container is not None and container.labels.get(WISH) != wish.digest:
                self._refuse_others(container, wish)
                _take_away(container)
                container = None
            if container is None:
                container = self._create(client, wish)
            if container.status != "running":
                container.start()
                container.reload()
            return _found(container)

    def run_once(self, wish: Wish) -> str:
        """Run the container to its end and remove it; what it printed. PlatformRefused with its words if it failed.

        What an earlier go has left behind is removed first: the command itself has to bear being run twice.
        """
        with self.speaking(wish.image) as client:
            left = self._container(client, wish.name)
            if left is not None:
                self._refuse_others(left, wish)
                left.remove(force=True)
            container = self._create(client, wish)
            try:
                container.start()
                code = int(container.wait(timeout=RUN_SECONDS)["StatusCode"])
                printed = container.logs(stdout=True, stderr=False).decode(errors="replace")
                complained = container.logs(stdout=False, stderr=True).decode(errors="replace")
            finally:
                container.remove(force=True)
        if code:
            _complain(self.name, wish.name, complained or printed)
        return printed

    def remove_container(self, name: str) -> bool:
        """Stop and remove; False when there is none of ours: it was gone already, or is somebody else's, and stays."""
        with _while_full(), self.speaking() as client:
            container = self._container(client, name)
            if container is None or WISH not in container.labels:
                return False
            _take_away(container)
            return True

    def containers(self, **labels: str) -> list[Found]:
        """Those that carry all these labels of ours."""
        wanted = [f"{OWNER}.{name}={value}" for name, value in labels.items()] or [WISH]
        with self.speaking() as client:
            return [_found(each) for each in client.containers.list(all=True, filters={"label": wanted})]

    def container(self, name: str) -> Found | None:
        with self.speaking() as client:
            found = self._container(client, name)
            return None if found is None else _found(found)

    def logs(self, name: str, lines: int = LOG_LINES) -> str:
        with self.speaking() as client:
            return client.containers.get(name).logs(tail=lines).decode(errors="replace")

    def usage(self, name: str) -> Usage:
        with self.speaking() as client:
            return _usage(client.containers.get(name).stats(stream=False))

    def free_disk(self, name: str, path: str) -> int:
        """Bytes that are left where this path of the running container lies."""
        last = self.execute(name, "df", "-Pk", path).splitlines()[-1].split()
        try:
            return int(last[3]) * 1024
        except (IndexError, ValueError) as problem:
            words = {"host": self.name, "name": name, "problem": " ".join(last)[:200]}
            raise PlatformRefused(w.RUN_FAILED % words, code="bad_answer") from problem

    def execute(self, name: str, *command: str) -> str:
        """What a command prints inside the running container. PlatformRefused with its words if it fails."""
        with self.speaking() as client:
            code, output = client.containers.get(name).exec_run(list(command))
        text = (output or b"").decode(errors="replace")
        if code:
            _complain(self.name, name, text)
        return text

    def put_file(self, name: str, path: str, content: str) -> None:
        """Write a small file inside the container, replacing what was there."""
        folder, _slash, base = path.rpartition("/")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo(base)
            entry.size, entry.mode, entry.mtime = len(content.encode()), 0o600, int(time.time())
            tar.addfile(entry, io.BytesIO(content.encode()))
        with self.speaking() as client:
            client.containers.get(name).put_archive(folder or "/", out.getvalue())

    # --- volumes ------------------------------------------------------------------------------------------------------

    def has_volume(self, name: str) -> bool:
        with self.speaking() as client:
            return self._volume(client, name) is not None

    def ensure_volume(self, name: str, labels: dict[str, str]) -> None:
        """PlatformRefused when somebody else has one of this name: nothing of ours is written into it."""
        with self.speaking() as client:
            volume = self._volume(client, name)
            if volume is None:
                client.volumes.create(name, labels=labels)
            elif not _is_ours(volume):
                raise PlatformRefused(w.OTHERS % {"host": self.name, "name": name}, code="name_taken")

    def remove_volume(self, name: str) -> bool:
        """Remove it with its data; False when there is none of ours: it was gone already, or is somebody else's, and
        stays."""
        with _while_full(), self.speaking() as client:
            volume = self._volume(client, name)
            if volume is None or not _is_ours(volume):
                return False
            with contextlib.suppress(NotFound):
                volume.remove(force=True)
            return True

    # --- inside -------------------------------------------------------------------------------------------------------

    def _create(self, client: docker.DockerClient, wish: Wish) -> Container:
        for name in wish.volumes:  # the engine would make one that is lost anew, without a label: nobody's
            if self._volume(client, name) is None:
                client.volumes.create(name, labels=wish.labels)
        return client.containers.create(
            wish.image,
            list(wish.command) or None,
            entrypoint=list(wish.entrypoint) or None,
            name=wish.name,
            labels={**wish.labels, WISH: wish.digest},
            volumes={
                name: {"bind": path, "mode": mode}
                for mode, volumes in (("rw", wish.volumes), ("ro", wish.reads))
                for name, path in volumes.items()
            },
            environment=wish.environment,
            network_mode="host",
            restart_policy={"Name": "unless-stopped"} if wish.restart else None,
            mem_limit=wish.limits.memory or None,
            nano_cpus=int(wish.limits.cpus * 1e9) or None,
            user=wish.user or None,
        )

    def _container(self, client: docker.DockerClient, name: str) -> Container | None:
        try:
            return client.containers.get(name)
        except NotFound:
            return None

    def _volume(self, client: docker.DockerClient, name: str) -> Volume | None:
        try:
            return client.volumes.get(name)
        except NotFound:
            return None

    def _refuse_others(self, container: Container, wish: Wish) -> None:
        if WISH not in container.labels:
            raise PlatformRefused(w.OTHERS % {"host": self.name, "name": wish.name}, code="name_taken")


def _is_ours(volume: Volume) -> bool:
    return any(name.startswith(f"{OWNER}.") for name in volume.attrs.get("Labels") or ())


def _take_away(container: Container) -> None:
    """Stop and remove. One that cannot be stopped in peace, as on a disk without any room to write that down, is
    killed."""
    with contextlib.suppress(APIError):
        container.stop(timeout=STOP_SECONDS)
    with contextlib.suppress(NotFound):
        container.remove(force=True)


def _complain(host: str, name: str, words: str) -> None:
    """Raise what a failed command's own words mean."""
    last = " ".join(words.split())[-300:]
    with in_our_words(host):
        if "No space left" in words or "address already in use" in words:
            raise APIError(last)
    raise PlatformRefused(w.RUN_FAILED % {"host": host, "name": name, "problem": last}, code="command_failed")


def _found(container: Container) -> Found:
    state: dict[str, Any] = container.attrs.get("State") or {}
    if isinstance(state, str):
        state = {"Status": state}
    return Found(
        name=str(container.name),
        state=str(state.get("Status") or container.status),
        image=str(container.attrs.get("Config", {}).get("Image") or container.attrs.get("ImageName") or ""),
        labels=dict(container.labels),
        restarts=int(container.attrs.get("RestartCount") or 0),
        exit_code=int(state.get("ExitCode") or 0),
    )


def _usage(said: dict[str, Any]) -> Usage:
    memory, now, before = said.get("memory_stats") or {}, said.get("cpu_stats") or {}, said.get("precpu_stats") or {}
    used = _total(now) - _total(before)
    passed = int(now.get("system_cpu_usage") or 0) - int(before.get("system_cpu_usage") or 0)
    cpus = int(now.get("online_cpus") or 1)
    share = used / passed * cpus if passed > 0 and used > 0 else 0.0
    return Usage(int(memory.get("usage") or 0), int(memory.get("limit") or 0), share)


def _total(stats: dict[str, Any]) -> int:
    return int((stats.get("cpu_usage") or {}).get("total_usage") or 0)


@contextlib.contextmanager
def _while_full() -> Iterator[None]:
    """An engine needs room to remove anything, too: once somebody has made some, it goes on."""
    try:
        yield
    except PlatformRefused as problem:
        if problem.code != "no_disk":
            raise
        raise PlatformUnavailable(problem.detail, code=problem.code) from problem
