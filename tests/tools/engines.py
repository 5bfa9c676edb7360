"""Hosts for tests: real container engines (Podman's Docker API), each on a loopback address of its own, behind TLS.

Podman speaks no TLS by itself, so a terminator of ours stands before each engine and demands a client certificate of
the host's authority, as a Docker Engine with `--tlsverify` does. All containers are real processes of this machine;
they share its network and stand on the host's address. `cut` takes a host off the network: its engine cannot be
reached and its nodes stand still; `mend` brings it back.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.tools.machine import find

PROGRAMS = ("podman", "runc", "catatonit", "busybox")
START_SECONDS = 20.0


def missing_for_engines() -> str:
    """Why no engine can run here; empty when one can."""
    if sys.platform != "linux":
        return "container engines for tests need Linux"
    lacking = [name for name in PROGRAMS if not find(name)]
    if lacking:
        return f"no container engine: {', '.join(lacking)} missing"
    if os.geteuid() != 0:
        return "the container engines of the tests are run by root"
    return ""


class Authority:
    """Signs the certificates of hosts and of whoever may speak to them."""

    def __init__(self, name: str = "Machines CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._signed(self._name, self._key, authority=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, name: str, ip: str = "") -> str:
        """PEM text of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key, ip=ip)
        form = serialization.PrivateFormat.PKCS8
        private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        return certificate.public_bytes(serialization.Encoding.PEM).decode() + private

    def bundle(self, name: str) -> str:
        """What an on-prem organization gives as `tlscert`: client certificate, key, authority."""
        return self.issue(name) + self.pem

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ip: str = "", authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = self._key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        if ip:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ip))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


class Terminator:
    """Takes TLS with client certificates on an address, and passes it on to a socket of this machine."""

    def __init__(self, ip: str, port: int, target: Path, authority: Authority, folder: Path) -> None:
        self._ip, self.port, self._target = ip, port, target
        server, trusted = folder / "server.pem", folder / "ca.pem"
        server.write_text(authority.issue("host", ip))
        trusted.write_text(authority.pem)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(trusted))
        self._context.load_cert_chain(server)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()

    def open(self) -> None:
        self._listener = socket.create_server((self._ip, self.port), backlog=50)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        listener, self._listener = self._listener, None
        for each in [*([listener] if listener else []), *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                outside, _address = listener.accept()
                threading.Thread(target=self._serve, args=(outside,), daemon=True).start()

    def _serve(self, outside: socket.socket) -> None:
        self._open.add(outside)
        with contextlib.suppress(OSError, ValueError), outside, socket.socket(socket.AF_UNIX) as inside:
            outside.settimeout(10)
            with self._context.wrap_socket(outside, server_side=True) as wrapped:
                self._open.add(wrapped)
                wrapped.settimeout(60)
                inside.connect(str(self._target))
                _pass_on(wrapped, inside)
                self._open.discard(wrapped)
        self._open.discard(outside)


def _pass_on(outside: ssl.SSLSocket, inside: socket.socket) -> None:
    """Both ways, until either side ends. One thread: an SSL socket bears no two."""
    while True:
        ready = [outside] if outside.pending() else select.select([outside, inside], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (inside if source is outside else outside).sendall(data)


class Host:
    """One machine of an on-prem organization: an engine with storage of its own, on an address of its own."""

    def __init__(self, ip: str, folder: Path, *, registries: str = "") -> None:
        self.ip, self.folder, self._registries = ip, folder, registries
        self.authority = Authority()
        self.tlscert = self.authority.bundle("department")
        self._socket = folder / "engine.sock"
        self._engine: subprocess.Popen[bytes] | None = None
        self.terminator = Terminator(ip, 0, self._socket, self.authority, folder)
        self._configure()

    @property
    def port(self) -> int:
        return self.terminator.port

    def start(self) -> None:
        """Begin, or begin again after `stop`: what the host had is there still."""
        command = ["podman", "system", "service", "--time=0", f"unix://{self._socket}"]
        with (self.folder / "engine.log").open("wb") as log:
            # A container that runs out of memory leaves a file where its engine was started.
            self._engine = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd=self.folder)
        self._await_engine()
        self.terminator.open()

    def stop(self) -> None:
        """The host dies: its engine, and every container with it. `start` brings it back."""
        self.terminator.close()
        self._signal_containers(signal.SIGCONT)
        self._signal_containers(signal.SIGKILL)
        if self._engine is not None:
            self._engine.terminate()
            self._engine.wait(10)

    def end(self) -> None:
        """For good, and nothing of it stays."""
        self.terminator.close()
        if self._engine is not None:
            self._engine.kill()
            self._engine.wait(10)
        _kill_those_of(self.folder)  # the monitors first: they would start their containers again
        self._signal_containers(signal.SIGKILL)

    def cut(self) -> None:
        """Off the network: nobody reaches the engine, and the nodes stand still."""
        self.terminator.close()
        self._signal_containers(signal.SIGSTOP)

    def mend(self) -> None:
        self._signal_containers(signal.SIGCONT)
        self.terminator.open()

    def podman(self, *arguments: str) -> str:
        """What Podman's own command line says of this host: a second opinion."""
        done = subprocess.run(
            ["podman", *arguments], env=self._environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def left(self) -> list[str]:
        """Containers, volumes and networks that are on the host, but for the network that every engine has."""
        containers = self.podman("ps", "--all", "--format", "{{.Names}}").split()
        volumes = self.podman("volume", "ls", "--format", "{{.Name}}").split()
        networks = self.podman("network", "ls", "--format", "{{.Name}}").split()
        return [*containers, *volumes, *(each for each in networks if each != "podman")]

    def _configure(self) -> None:
        storage, settings = self.folder / "storage.conf", self.folder / "containers.conf"
        storage.write_text(
            f'[storage]\ndriver = "vfs"\nrunroot = "{self.folder}/run"\ngraphroot = "{self.folder}/graph"\n'
        )
        settings.write_text(
            "[containers]\n"
            'default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]\n'
            'netns = "host"\ncgroupns = "host"\n'
            "[engine]\n"
            'runtime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            f'tmp_dir = "{self.folder}/tmp"\nvolume_path = "{self.folder}/volumes"\n'
            f'[network]\nnetwork_config_dir = "{self.folder}/networks"\n'
        )
        (self.folder / "registries.conf").write_text(self._registries)
        self._environment = {
            **os.environ,
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
            "CONTAINERS_CONF": str(settings),
            "CONTAINERS_STORAGE_CONF": str(storage),
            "TMPDIR": str(self.folder),
        }

    def _await_engine(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._socket))
                return
            if self._engine is not None and self._engine.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the engine does not start: {(self.folder / 'engine.log').read_text()[-500:]}")

    def _signal_containers(self, signal_number: signal.Signals) -> None:
        """To every process in a container of this host: conmon keeps the pid of each in a file of the run root."""
        for pid_file in (self.folder / "run").rglob("pidfile"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(pid_file.read_text()), signal_number)


@contextlib.contextmanager
def running_hosts(*ips: str, registries: str = "", disk: str = "") -> Iterator[list[Host]]:
    """Hosts on these loopback addresses, gone with all that they ran when the block ends.

    `registries` is Podman's configuration of image registries; `disk` the size of each host's disk, such as `60m`.
    """
    base = Path(tempfile.mkdtemp(prefix="hosts-"))
    hosts: list[Host] = []
    try:
        for ip in ips:
            folder = base / ip
            folder.mkdir()
            if disk:
                mount = ["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", str(folder)]
                subprocess.run(mount, check=True, capture_output=True)
            host = Host(ip, folder, registries=registries)
            hosts.append(host)
            host.start()
        yield hosts
    finally:
        for host in hosts:
            host.end()
        _kill_those_of(base)
        for mount in sorted(_mounts_below(base), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(base, ignore_errors=True)


def _kill_those_of(folder: Path) -> None:
    """Every process that was started with this folder on its command line: monitors of containers, their clean-up.

    They start each other, so this is done again until there are none.
    """
    mark, own = f"{folder}/".encode(), os.getpid()
    for _round in range(20):
        found = [
            pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if pid != own and mark in _line(pid)
        ]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _line(pid: int) -> bytes:
    """The process's command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]
