"""What the supervisor starts, in words of the command line."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from console.environment import ROOT, Environment
from console.processes import SUPERVISED
from console.supervision.child import Service

THREADS = 4
PROCESSES = 2


@dataclass(frozen=True)
class Ports:
    """Where the sandbox listens, kept in the data directory."""

    sandbox: int
    sandbox_tls: int

    @classmethod
    def read(cls, path: Path) -> Ports | None:
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def services(settings: Environment, ports: Ports) -> list[Service]:
    data_dir = settings.data_dir.resolve()
    celery = [sys.executable, "-m", "celery", "--app", "console", "--quiet"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Service(
            "sandbox",
            [
                *(sys.executable, "-m", "platforms.sandbox", "--data-dir", str(data_dir)),
                *("--port", str(ports.sandbox), "--tls-port", str(ports.sandbox_tls)),
            ],
            stop_seconds=8.0,
        ),
        Service(
            "web",
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"),
                *("--host", settings.host, "--port", str(settings.port)),
                *("--workers", "1", "--blocking-threads", str(THREADS), "--respawn-failed-workers"),
                *("--workers-kill-timeout", "3", "console.wsgi:application"),
            ],
            stop_seconds=5.0,
        ),
        Service(
            "worker",
            [*worker, "--queues", "flows", "--concurrency", str(PROCESSES), "--hostname", "flows@%h"],
            stop_seconds=8.0,
            soft_stop=True,
        ),
        Service(
            "observer",
            [*worker, "--queues", "observe", "--concurrency", str(PROCESSES), "--hostname", "observe@%h"],
            stop_seconds=8.0,
            soft_stop=True,
        ),
        Service(
            "messenger",
            [*worker, "--queues", "deliver", "--pool", "solo", "--hostname", "deliver@%h"],
            stop_seconds=8.0,
            soft_stop=True,
        ),
        Service(
            "beat",
            [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(data_dir / "beat"), "--pidfile="],
            stop_seconds=3.0,
        ),
    ]


def environment_of_children(settings: Environment) -> dict[str, str]:
    """Ours, with what makes children write nowhere but into the data directory, and at once."""
    data_dir = settings.data_dir.resolve()
    temporary = data_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "TMPDIR": str(temporary),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        "PYTHONPATH": str(ROOT),
        SUPERVISED: "1",
    }
