"""`make run`: one process that starts the whole console on this machine, keeps it running, and stops all of it.

Its children live in sessions of their own, so that Ctrl-C reaches the supervisor only and it stops them in order;
they end with it even when it is killed, and a child that dies is started again. For evaluation: in production the
same programs are started by containers or systemd (`deploy/`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

from pydantic import ValidationError

from console.environment import Environment
from console.processes import end_with_parent
from console.supervision import health, output
from console.supervision.child import Child, Surroundings, run_for_answer, run_to_end
from console.supervision.claim import PORTS_TRIED, Claim, Refused, free_port, is_free
from console.supervision.services import Ports, environment_of_children, manage, services

END_WITH_PARENT = "--end-with-parent"  # `make run` says so: `make` must be able to die without leaving a console behind
READY_SECONDS = 120.0
WORKERS_SECONDS = 30.0
FIRST_START_SECONDS = 900.0
STOP_ORDER = (("web", "beat"), ("worker", "observer", "messenger"), ("sandbox",))
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotStarted(Exception):
    """The console cannot be brought up; the text says what to do."""


class Supervisor:
    """Brings the console up, watches it, takes it down."""

    def __init__(self, settings: Environment, ports: Ports, lock: int) -> None:
        self.settings, self.ports = settings, ports
        self.data_dir = settings.data_dir.resolve()
        self.stopping = asyncio.Event()
        self._asked = 0
        self._surroundings = Surroundings(environment_of_children(settings), self.data_dir, lock)
        self._services = {service.name: service for service in services(settings, ports)}
        self._children: dict[str, Child] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Everything from the first process to the last; NotStarted when it does not come up."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._ask_to_stop)
        try:
            await self._unless_stopped(self._bring_up())
            await self.stopping.wait()
        finally:
            await self._take_down()

    async def _bring_up(self) -> None:
        self._start("sandbox")
        if await run_to_end(manage("migrate", "--noinput", "--skip-checks"), "migrate", self._surroundings):
            raise NotStarted(f"The database could not be set up; {self.data_dir}/logs/migrate.log says why.")
        for name in ("web", "worker", "observer", "messenger", "beat"):
            self._start(name)
        sandbox = await self._wait_for_sandbox()
        await self._wait_for_web()
        login = await self._first_start()
        await self._wait_until_work_is_done()
        sandbox_address = f"http://127.0.0.1:{self.ports.sandbox}" if sandbox else "not running"
        output.announce(f"ready: http://127.0.0.1:{self.settings.port}  login: {login}  sandbox: {sandbox_address}")

    def _start(self, name: str) -> None:
        child = Child(self._services[name], self._surroundings)
        self._children[name] = child
        watcher = asyncio.create_task(child.keep_running())
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _wait_for_sandbox(self) -> bool:
        """Up, with the files that registration needs? The console is of use without it, so its absence is said."""
        registration = self.data_dir / "sandbox" / "registration.json"
        child = self._children["sandbox"]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and child.failures < child.service.tries:
            if registration.exists() and await health.answers(self.ports.sandbox):
                return True
            await asyncio.sleep(0.1)
        output.say("supervisor", f"The sandbox does not start ({self.data_dir}/logs/sandbox.log); going on without it.")
        await child.stop()
        return False

    async def _wait_for_web(self) -> None:
        child = self._children["web"]
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and child.failures < child.service.tries:
            if await health.is_well(self.settings.port, "/healthz"):
                return
            await asyncio.sleep(0.1)
        raise NotStarted(f"The web server does not answer; {self.data_dir}/logs/web.log says why.")

    async def _wait_until_work_is_done(self) -> None:
        """The worker and its timetable may come up after the web server; a console without them is shown even so."""
        deadline = time.monotonic() + WORKERS_SECONDS
        while time.monotonic() < deadline and not await health.is_well(self.settings.port, "/readyz"):
            await asyncio.sleep(0.1)

    async def _first_start(self) -> str:
        """What a new data directory needs; then the administrator's `NAME / PASSWORD`, as far as they still hold."""
        command = manage("first_start", "--say-login")
        code, login = await run_for_answer(command, "first_start", self._surroundings, limit=FIRST_START_SECONDS)
        if code:
            output.say(
                "supervisor",
                f"The first start was not completed ({self.data_dir}/logs/first_start.log); the next one goes on.",
            )
        login = login or await health.answer_of(manage("first_login"), self._surroundings.environment)
        if not login:
            raise NotStarted(f"There is no administrator; {self.data_dir}/logs/first_start.log says why.")
        return login

    async def _unless_stopped(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def _ask_to_stop(self) -> None:
        """Once: in order. Again: at once."""
        self._asked += 1
        self.stopping.set()
        if self._asked > 1:
            for child in self._children.values():
                child.kill()

    async def _take_down(self) -> None:
        if self._children:
            output.say("supervisor", "stopping")
        for names in STOP_ORDER:
            await asyncio.gather(*(self._children[name].stop() for name in names if name in self._children))
        for watcher in list(self._watchers):
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)


def choose_ports(settings: Environment, kept: Path) -> Ports:
    """The console's port as asked for; the sandbox keeps the ones it had, so that its addresses stay true."""
    if not is_free(settings.host, settings.port):
        raise Refused(
            f"Port {settings.port} is in use. Stop what uses it, or choose another: PORT={settings.port + 1} make run"
        )
    wanted = Ports.read(kept) or Ports(*beside(settings.port))
    sandbox = free_port(wanted.sandbox, avoid={settings.port})
    ports = Ports(sandbox, free_port(wanted.sandbox_tls, avoid={settings.port, sandbox}))
    ports.write(kept)
    return ports


def beside(port: int) -> tuple[int, int]:
    """Two ports to try first: the next ones, or the two before where there is no next one."""
    return (port + 1, port + 2) if port <= 65535 - 2 * PORTS_TRIED else (port - 2 * PORTS_TRIED, port - PORTS_TRIED)


def main() -> int:
    if END_WITH_PARENT in sys.argv[1:]:
        end_with_parent()
    os.umask(0o077)
    try:
        settings = Environment()
    except ValidationError as problem:
        wrong = "; ".join(f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in problem.errors())
        print(f"make run: {wrong}. docs/settings.md says what each variable may be.", file=sys.stderr, flush=True)
        return 1
    data_dir = settings.data_dir.resolve()
    try:
        with Claim(data_dir) as claim:
            ports = choose_ports(settings, data_dir / "ports.json")
            asyncio.run(Supervisor(settings, ports, claim.descriptor).run())
    except (Refused, NotStarted) as problem:
        print(f"make run: {problem}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:  # before anything was started
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
