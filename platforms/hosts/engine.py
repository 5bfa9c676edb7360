"""A container engine as everything here needs it: how it is met, what it says of itself, and the images that it has."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from console.errors import PlatformRefused
from platforms.hosts import words as w
from platforms.hosts.connection import in_our_words, settle_version

OWNER = "concord"  # every label of ours begins with it
LONG_SECONDS = 60.0  # of one go at a pull or a load; a step's worker has its step for 85 s


@dataclass(frozen=True)
class HostInfo:
    """What a host says of itself. Memory in bytes."""

    name: str
    version: str
    cpus: int
    memory: int
    containers: int
    running: int


@dataclass(frozen=True, repr=False)
class Registry:
    """Who we are at the registry that images are pulled from; empty for a public one."""

    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "Registry(…)"


class Engine:
    """One engine. Safe to use from several threads. Raises PlatformRefused, PlatformUnavailable, Missing.

    `knocking` finds out why an engine has hung up on us, and raises that.
    """

    def __init__(self, name: str, client: docker.DockerClient, *, knocking: Callable[[], object] | None = None) -> None:
        self.name = name
        self._client = client
        self._knocking = knocking
        self._lock = threading.Lock()
        self._settled = False

    def close(self) -> None:
        self._client.close()

    # --- the host -----------------------------------------------------------------------------------------------------

    def info(self) -> HostInfo:
        with self.speaking() as client:
            said = client.info()
            return HostInfo(
                name=str(said.get("Name", "")),
                version=str(said.get("ServerVersion", "")),
                cpus=int(said.get("NCPU") or 0),
                memory=int(said.get("MemTotal") or 0),
                containers=int(said.get("Containers") or 0),
                running=int(said.get("ContainersRunning") or 0),
            )

    @contextlib.contextmanager
    def speaking(self, image: str = "", *, pulling: bool = False) -> Iterator[docker.DockerClient]:
        """The client, met; what goes wrong in the block is raised in our words."""
        with in_our_words(self.name, image, pulling=pulling):
            with self._lock:
                if not self._settled:
                    self._meet()
            yield self._client

    def _meet(self) -> None:
        """The first words with the engine; where it hangs up on us, find out whether it is for our certificate."""
        try:
            settle_version(self._client)
        except (DockerException, requests.exceptions.RequestException):
            if self._knocking is not None:
                self._knocking()
            raise
        self._settled = True

    # --- images -------------------------------------------------------------------------------------------------------

    def has_image(self, image: str) -> bool:
        with self.speaking() as client:
            try:
                client.images.get(image)
            except ImageNotFound:
                return False
            return True

    def ensure_image(self, image: str, *, archive: Path | None = None, registry: Registry | None = None) -> bool:
        """Have the image: as it is there, from an archive of ours, or pulled. False: not through, ask again.

        A pull that was cut off goes on where it was: the engine keeps the layers that it has.
        """
        if self.has_image(image):
            return True
        if archive is not None:
            self._load(archive)
        elif not self._pull(image, registry or Registry()):
            return False
        if not self.has_image(image):
            words = {"host": self.name, "image": image, "problem": w.NOT_PRESENT}
            raise PlatformRefused(w.NO_IMAGE % words, code="no_image")
        return True

    def _load(self, archive: Path) -> None:
        with self.speaking() as client, archive.open("rb") as file:
            client.images.load(file)

    def _pull(self, image: str, registry: Registry) -> bool:
        deadline = time.monotonic() + LONG_SECONDS
        auth = {"username": registry.username, "password": registry.password} if registry.username else None
        with self.speaking(image, pulling=True) as client:
            for line in client.api.pull(image, stream=True, decode=True, auth_config=auth):
                if line.get("error"):
                    raise APIError(str(line["error"]))
                if time.monotonic() > deadline:
                    return False
        return True
