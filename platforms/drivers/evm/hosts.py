"""The driver's hands on the machines: one engine client for each machine and certificate, and what is done inside."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from console.errors import ConsoleError, Missing, PlatformRefused
from platforms.drivers.evm import programs
from platforms.drivers.evm import words as say
from platforms.drivers.evm.book import Chain, Node, Spaces
from platforms.drivers.evm.kernels import Kernel
from platforms.hosts import words as w
from platforms.hosts.docker import DockerHost, Found

MAX_CLIENTS = 64
ROOM_KIB = 4096  # with less no node comes up
HOSTS_AT_ONCE = 8
DEATHS = 2  # a node that has died so often within one operation will not come up


class Hosts:
    """Clients are kept and shared. Raises PlatformRefused, PlatformUnavailable."""

    def __init__(self, spaces: Spaces, kernel: Kernel, *, allow_private: bool) -> None:
        self._spaces, self.kernel, self._allow_private = spaces, kernel, allow_private
        self._clients: OrderedDict[tuple[str, int, str], DockerHost] = OrderedDict()
        self._lock = threading.Lock()

    def machine(self, orgcode: str, ip: str, port: int) -> DockerHost:
        """The engine there, opened with the certificate that the organization has now."""
        tlscert = self._spaces(orgcode).tlscert
        key = (ip, port, tlscert)
        with self._lock:
            client = self._clients.pop(key, None)
        client = client or DockerHost(ip, port, tlscert, allow_private=self._allow_private)
        with self._lock:
            self._clients[key] = client
            if len(self._clients) > MAX_CLIENTS:
                self._clients.popitem(last=False)
        return client

    def of(self, node: Node) -> DockerHost:
        """The node's host. It may listen on another port than when the node was built."""
        port = next((port for ip, port in self._spaces(node.orgcode).machines if ip == node.ip), None)
        if port is None:
            raise PlatformRefused(say.NOT_THEIRS % {"host": node.ip}, code="no_machine")
        return self.machine(node.orgcode, node.ip, port)

    def all_of(self, orgcode: str) -> list[DockerHost]:
        return [self.machine(orgcode, ip, port) for ip, port in self._spaces(orgcode).machines]

    def close(self) -> None:
        with self._lock:
            clients, self._clients = list(self._clients.values()), OrderedDict()
        for client in clients:
            client.close()

    # --- inside a node's container ------------------------------------------------------------------------------------

    def ask(self, node: Node, question: str) -> Any:
        """What the node answers to a question in its kernel's words, asked inside its container."""
        command = self.kernel.command(node, question)
        return self.kernel.answer(node, self.of(node).execute(programs.container_name(node), *command))

    def tell_peers(self, chain: Chain, node: Node, *, without: Sequence[str] = ()) -> None:
        """Write down the node's peers where it finds them after a restart, and have it call them now, and part with
        those `without` whom it goes on."""
        host, name = self.of(node), programs.container_name(node)
        for path, content in self.kernel.peer_files(chain, node).items():
            host.put_file(name, path, content)
        peers = programs.enodes(chain, besides=node)
        for question in (*(self.kernel.part(without) if without else ()), *(self.kernel.meet(peers) if peers else ())):
            self.ask(node, question)

    def call_anew(self, node: Node, peers: list[str]) -> None:
        """Have it hang up on these peers, and call them again."""
        for question in (*self.kernel.part(peers), *self.kernel.meet(peers)):
            self.ask(node, question)

    def refuse_dead(self, chain: Chain, node: Node, found: Found, restarts: int) -> None:
        """PlatformRefused with the node's last words when it keeps dying: it was started again since `restarts`."""
        if found.restarts < restarts + DEATHS:
            return
        host = self.of(node)
        self._refuse_full(host, chain, node)
        lines = [line for line in host.logs(programs.container_name(node), 30).splitlines() if line.strip()]
        fatal = [line for line in lines if "Fatal" in line or "already in use" in line] or lines[-1:]
        words = " ".join(fatal)[-300:]
        if "already in use" in words:
            raise PlatformRefused(w.PORT_TAKEN % {"host": host.name, "problem": words}, code="port_taken")
        raise PlatformRefused(
            say.NODE_DIED % {"node": node.node_id, "host": host.name, "problem": words}, code="node_died"
        )

    @contextlib.contextmanager
    def told_of_a_full_disk(self, chain: Chain, node: Node) -> Iterator[None]:
        """What the node's host refuses in this block for want of room is called that: an engine without room fails in
        many words, and few of them name it."""
        try:
            yield
        except PlatformRefused as problem:
            if problem.code != "no_disk":
                self._refuse_full(self.of(node), chain, node)
            raise

    def why_silent(self, chain: Chain, node: Node, seconds: float) -> PlatformRefused:
        """Why a node has not answered for so long, as far as its host can tell: one that has no room may hang, or die
        too slowly to be seen dying twice."""
        try:
            self._refuse_full(self.of(node), chain, node)
        except PlatformRefused as problem:
            return problem
        words = say.NOT_UP % {"node": node.node_id, "seconds": round(seconds)}
        return PlatformRefused(words, code="node_silent")

    def _refuse_full(self, host: DockerHost, chain: Chain, node: Node) -> None:
        """PlatformRefused where there is no room: a node that dies of that has none for its last words either."""
        try:
            printed = host.run_once(programs.measuring(chain, node)).strip()
            # It ended well, and the engine could keep nothing of what it said.
            full = not printed or int(printed.splitlines()[-1].split()[3]) < ROOM_KIB
        except (IndexError, ValueError):
            return
        except ConsoleError as problem:
            if problem.code != "no_disk":
                return
            full = True
        if full:
            raise PlatformRefused(w.NO_DISK % {"host": host.name}, code="no_disk")

    def state_of(self, node: Node) -> str:
        """The node's state in the words of the standard interface, as its host sees it."""
        try:
            found = self.of(node).container(programs.container_name(node))
        except Missing:
            return "failed"
        except ConsoleError:
            return "unknown"
        if found is None:
            return "failed"
        return {"running": "running", "created": "creating", "restarting": "failed"}.get(found.state, "stopped")


def at_once(question: Callable[[Node], Any], nodes: Iterable[Node]) -> list[Any]:
    """The answers, in order; a ConsoleError stands where one was raised."""

    def asked(node: Node) -> Any:
        try:
            return question(node)
        except ConsoleError as problem:
            return problem

    every = list(nodes)
    if len(every) < 2:
        return [asked(node) for node in every]
    with ThreadPoolExecutor(min(HOSTS_AT_ONCE, len(every)), thread_name_prefix="hosts") as pool:
        return list(pool.map(asked, every))
