"""The embedded broker: kombu's filesystem transport, made fit for several processes that write and read at once.

A message appears whole (written aside, then renamed), is taken by one rename within its own file system, is found
without listing the folder for each, and is thrown away when it has grown stale: messages are nudges, and the rows
that they nudge about are swept anyway. Meant for one machine; production has Redis.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from queue import Empty
from typing import Any

from celery import current_app
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.utils.json import dumps, loads

SCHEME = "embedded"
STALE_SECONDS = 300
PUTS_BETWEEN_CLEANINGS = 100


class Channel(filesystem.Channel):
    """One process's view of the folder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: dict[str, deque[str]] = {}
        self._puts = 0
        self._reader = uuid.uuid4().hex

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        written = os.path.join(self.processed_folder, name)
        try:
            with open(written, "w") as file:
                file.write(dumps(payload))
            os.rename(written, os.path.join(self.data_folder_out, name))
        except OSError as problem:
            raise ChannelError(f"cannot add {name} to the broker's folder") from problem
        self._puts += 1
        if self._puts % PUTS_BETWEEN_CLEANINGS == 1:
            self._drop_stale()

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of the queue, from the last listing of the folder while that lasts."""
        names = self._listed.setdefault(queue, deque())
        if not names:
            names.extend(sorted(name for name in self._names() if name.partition(".")[2] == f"{queue}.msg"))
        while names:
            payload = self._take(names.popleft())
            if payload is not None:
                return payload
        raise Empty

    def _take(self, name: str) -> Any | None:
        """The message, if this reader is the one that gets hold of it.

        It is taken under a name of the reader's own: who comes too late cleans up after itself only.
        """
        taken = os.path.join(self.processed_folder, f"{name.removesuffix('.msg')}.{self._reader}.msg")
        try:
            os.rename(os.path.join(self.data_folder_in, name), taken)
            with open(taken, "rb") as file:
                return loads(file.read().decode())
        except (OSError, ValueError):
            return None
        finally:
            _remove(taken)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.data_folder_in)
        except OSError as problem:
            raise ChannelError("cannot read the broker's folder") from problem

    def _drop_stale(self) -> None:
        oldest = f"{time.time_ns() - STALE_SECONDS * 1_000_000_000:020d}"
        for folder in (self.data_folder_in, self.processed_folder):
            for name in os.listdir(folder):
                if name.endswith(".msg") and name < oldest:
                    _remove(os.path.join(folder, name))


class Transport(filesystem.Transport):
    """What `embedded://` stands for."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = virtual.BrokerState()  # what is bound is in the folder, not in the memory of a process


def waiting(queue: str) -> int:
    """How many messages wait in a queue of the console's broker, whichever it is; 0 when it does not say."""
    with current_app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:  # nobody has put anything into it yet
            return 0


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
