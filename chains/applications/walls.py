"""Walls around a program of somebody else's: namespaces, a root folder of its own, limits. Linux only.

Part of the program `cell`: imports nothing of the console. Everything goes through the C library, for Python knows
`unshare` from 3.12 on only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import sys
from pathlib import Path
from typing import Any

NEW_MOUNTS, NEW_HOSTNAME, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
NO_ATIME, NO_DIRATIME, REL_ATIME = 1024, 2048, 1 << 21
TOLD_REL_ATIME = 4096  # statvfs has another number for it
DETACH = 2
DROP_CAPABILITY, NO_NEW_PRIVILEGES, END_WITH_PARENT = 24, 38, 1
CAPABILITY_VERSION = 0x20080522
SIGKILL = 9
INSIDE = 1000  # who the program is, as it sees itself, without root outside
FIRST_USER = 0x70000000  # with root outside every run is a user of its own, somewhere behind this number
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
DEVICES = ("null", "zero", "full", "random", "urandom")
ROOT_MB, SHARED_MB = 16, 64
PLACE = "/cell"  # where a program works; must be the name of nothing else

_libc = ctypes.CDLL(None, use_errno=True)


class NoWalls(Exception):
    """This machine does not let them be built; the text says what it refused."""


def _call(what: str, *arguments: Any) -> None:
    function = getattr(_libc, what, None)
    if function is None:
        raise NoWalls(f"{what} is not known on {sys.platform}")
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise NoWalls(f"{what}: {os.strerror(number)}")


def _mount(source: str, target: Path | str, kind: str | None, flags: int, data: str = "") -> None:
    _call(
        "mount",
        source.encode(),
        str(target).encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent dies."""
    if sys.platform == "linux":
        _libc.prctl(END_WITH_PARENT, SIGKILL, 0, 0, 0)


def enter() -> int:
    """Leave the outer world's network, mounts and processes; returns the user that the program is to become.

    The next process that is forked is the first of the new process namespace; only one may be.
    """
    if sys.platform != "linux":
        raise NoWalls(f"applications run on Linux only, not on {sys.platform}")
    apart = NEW_MOUNTS | NEW_NETWORK | NEW_PIDS | NEW_IPC | NEW_HOSTNAME
    user, group = os.geteuid(), os.getegid()
    if user == 0 and _libc.unshare(apart) == 0:
        _mount("none", "/", None, RECURSIVE | PRIVATE)
        return FIRST_USER + secrets.randbelow(0x0FFFFFFF)
    _call("unshare", apart | NEW_USER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{INSIDE} {user} 1")
    _write("/proc/self/gid_map", f"{INSIDE} {group} 1")
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    return INSIDE


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text)
    except OSError as problem:
        raise NoWalls(f"{path}: {problem.strerror}") from None


def furnish(root: Path, *, shown: list[str], hidden: list[str], work_mb: int, owner: int) -> Path:
    """A root folder in memory: the system's programs and what is `shown`, all read-only, and a place to work in.

    Returns that place, `PLACE` inside. What is `hidden` is empty, whatever it lies in, but for what is `shown` of it.
    """
    root.mkdir(exist_ok=True)
    _mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICES, f"size={ROOT_MB}m,mode=755")
    deeper = [path for path in shown if any(Path(path).is_relative_to(each) for each in hidden)]
    for path in (*SYSTEM, *SETTINGS, *(each for each in shown if each not in deeper)):
        _show(root, path)
    for path in hidden:
        if _inside(root, path).exists():
            _mount("tmpfs", _inside(root, path), "tmpfs", NO_SUID | NO_DEVICES, "size=1m,mode=755")
    for path in deeper:
        _show(root, path)
    for name, text in (("passwd", f"app:x:{owner}:{owner}::{PLACE}:/bin/false\n"), ("group", f"app:x:{owner}:\n")):
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc" / name).write_text(text)
    _devices(root)
    for name in ("proc", PLACE.strip("/"), "tmp"):
        (root / name).mkdir(exist_ok=True)
    work = _inside(root, PLACE)
    _mount("tmpfs", work, "tmpfs", NO_SUID | NO_DEVICES, f"size={work_mb}m,mode=700")
    if os.geteuid() == 0 and owner != INSIDE:
        os.chown(work, owner, owner)
    return work


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _show(root: Path, path: str) -> None:
    """The same path inside, read-only; a link stays a link, and what is not there is left out."""
    source, target = Path(path), _inside(root, path)
    if source.is_symlink() and not target.exists() and path in SYSTEM:
        target.symlink_to(os.readlink(source))
        return
    if not source.exists():
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(str(source.resolve()), target, None, BIND | RECURSIVE)
    _mount("none", target, None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES | _flags(target))


def _flags(path: Path) -> int:
    """What a remount must keep, or the kernel refuses it to who is not root outside."""
    told = os.statvfs(path).f_flag
    kept = told & (NO_SUID | NO_DEVICES | NO_EXEC | NO_ATIME | NO_DIRATIME)
    return kept | (REL_ATIME if told & TOLD_REL_ATIME else 0)


def _devices(root: Path) -> None:
    (root / "dev").mkdir()
    for name in DEVICES:
        place = root / "dev" / name
        place.touch()
        _mount(f"/dev/{name}", place, None, BIND)
    (root / "dev/shm").mkdir()
    _mount("tmpfs", root / "dev/shm", "tmpfs", NO_SUID | NO_DEVICES | NO_EXEC, f"size={SHARED_MB}m,mode=1777")


def move_in(root: Path) -> None:
    """In the first process inside: the furnished folder becomes `/`, and the outer one is gone."""
    _call("unshare", NEW_MOUNTS)
    with contextlib.suppress(
        NoWalls
    ):  # where part of the outer one is covered: then there is none, which is no less safe
        _mount("proc", root / "proc", "proc", NO_SUID | NO_DEVICES | NO_EXEC)
    os.chdir(root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", DETACH)
    os.chdir("/")
    _mount("none", "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES)


def give_up_rights(user: int) -> None:
    """Become the program's user, with no capability and no way to get one."""
    for capability in range(64):
        _libc.prctl(DROP_CAPABILITY, capability, 0, 0, 0)
    if os.geteuid() != user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    nobody, nothing = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    _call("capset", nobody, nothing)
    _libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    os.umask(0o077)


def limit(*, cpu_seconds: int, memory_mb: int, file_mb: int, processes: int) -> None:
    """Limits that the kernel holds for each process; those of all processes together are the cell's."""
    wanted = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_DATA: memory_mb * 2**20,
        resource.RLIMIT_FSIZE: file_mb * 2**20,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 1024,
    }
    for kind, most in wanted.items():
        _soft, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
