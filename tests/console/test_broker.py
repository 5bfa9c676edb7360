"""The embedded broker: every message to exactly one reader, whole, oldest first, and none kept for ever."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from console import broker

WRITERS, READERS, EACH = 3, 3, 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("messages", "processed", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def connect(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,
    }
    return Connection(f"{broker.SCHEME}://localhost", transport_options=options)


def write(folder: Path, writer: int) -> None:
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        for number in range(EACH):
            queue.put(f"{writer}-{number}")


def read(folder: Path, taken: Any, enough: Any) -> None:
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        while not enough.is_set():
            try:
                message = queue.get(timeout=0.2)
            except Empty:
                continue
            message.ack()
            taken.put(message.payload)


def test_each_message_reaches_one_reader_while_others_write(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    taken, enough = context.Queue(), context.Event()
    processes = [context.Process(target=read, args=(folder, taken, enough)) for _ in range(READERS)]
    processes += [context.Process(target=write, args=(folder, writer)) for writer in range(WRITERS)]
    for process in processes:
        process.start()
    everything = [taken.get(timeout=60) for _ in range(WRITERS * EACH)]
    time.sleep(0.3)  # time for a message that is read twice to show
    enough.set()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert taken.empty()
    assert sorted(everything) == sorted(f"{writer}-{number}" for writer in range(WRITERS) for number in range(EACH))
    assert list((folder / "messages").iterdir()) == []
    assert list((folder / "processed").iterdir()) == []


def test_the_oldest_comes_first(folder: Path) -> None:
    write(folder, 1)
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        assert [queue.get(timeout=1).payload for _ in range(EACH)] == [f"1-{number}" for number in range(EACH)]


def test_queues_are_kept_apart(folder: Path) -> None:
    write(folder, 1)
    with connect(folder) as connection, connection.SimpleQueue("other") as queue, pytest.raises(Empty):
        queue.get(timeout=0.2)


def test_what_is_broken_is_left_out(folder: Path) -> None:
    write(folder, 1)
    first = min((folder / "messages").iterdir())
    first.write_text("{ no message")
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        assert queue.get(timeout=1).payload == "1-1"


def test_what_nobody_takes_is_thrown_away(folder: Path) -> None:
    write(folder, 1)
    old = time.time_ns() - (broker.STALE_SECONDS + 10) * 1_000_000_000
    for number, path in enumerate(sorted((folder / "messages").iterdir())):
        _, _, rest = path.name.partition("_")
        os.rename(path, path.with_name(f"{old + number:020d}_{rest}"))
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        queue.put("new")  # a process's first message cleans up
        message = queue.get(timeout=1)
        assert message.payload == "new"
        message.ack()
    assert list((folder / "messages").iterdir()) == []


def test_how_many_wait_is_known() -> None:
    from celery import current_app

    before = broker.waiting("nobody-listens")
    with current_app.connection_for_write() as connection, connection.SimpleQueue("nobody-listens") as queue:
        queue.put("one")
        queue.put("two")
        try:
            assert broker.waiting("nobody-listens") == before + 2
        finally:
            queue.clear()
