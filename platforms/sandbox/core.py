"""The sandbox's parts, put together; started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from aiohttp import web

from platforms.sandbox.anvil import find_anvil
from platforms.sandbox.chains import Chains
from platforms.sandbox.contracts import Contracts
from platforms.sandbox.faults import Faults
from platforms.sandbox.identities import Authority
from platforms.sandbox.jobs import Jobs
from platforms.sandbox.networks import Networks
from platforms.sandbox.principals import Keyring
from platforms.sandbox.store import Json, Store, now_ms
from platforms.sandbox.traffic import Traffic

VERSION = "1.0"


class Core:
    """Everything that the calls speak to. To be made inside of the event loop."""

    def __init__(self, folder: Path, pace: float, cloud_port: int) -> None:
        self.folder = folder
        self.binary = find_anvil()
        self.keyring, self.authority = Keyring(folder), Authority(folder)
        self.store = Store(folder / "state.json")
        self.faults = Faults(self.store)
        self.jobs = Jobs(self.store, self.faults, pace)
        self._http = aiohttp.ClientSession(trust_env=False)
        self.chains = Chains(self.store, self.jobs, self.keyring, folder, self.binary, self._http, cloud_port)
        self.networks = Networks(self.store, self.jobs, self.keyring, self.chains)
        self.contracts = Contracts(self.store, self.jobs, self.chains, folder)
        self.traffic = Traffic(self.store, lambda: self.chains.kernels)
        self._started = now_ms()

    async def start(self) -> None:
        """Chains first: a job that is taken up again finds them running."""
        await self.chains.start()
        self.jobs.resume()
        self.traffic.start()

    async def stop(self) -> None:
        """Nothing is lost: chains save their state, open jobs are taken up at the next start."""
        await self.traffic.stop()
        await self.jobs.stop()
        await self.chains.stop()
        await asyncio.shield(self._http.close())

    def health(self) -> Json:
        built = [name for name, chain in self.store.chains.items() if chain["state"] == "RUNNING"]
        kernels = self.chains.kernels
        running = sum(1 for name in built if name in kernels and kernels[name].running)
        down = len(built) - running
        messages = [] if self.binary else ["no anvil on this computer: no chain can run"]
        if down:
            messages.append(f"{down} of {len(built)} chains are not running")
        return {
            "status": "DEGRADED" if messages else "UP",
            "version": VERSION,
            "message": "; ".join(messages),
            "chains": {"running": running, "down": down},
            "uptimeMillis": now_ms() - self._started,
        }


CORE = web.AppKey("core", Core)
