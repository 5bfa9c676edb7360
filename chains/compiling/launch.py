"""Starts the compiler with nothing around it: limits, no network, an end with its parent. Run as a program.

usage: python -I -S launch.py SECONDS MEGABYTES NODE ARGUMENT…
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38


def main(seconds: int, megabytes: int, *command: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):  # Linux only
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A network of its own, in which there is nothing. Where the system does not allow that, the program still
        # opens no connection: it is given no address and reads nothing but its input.
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    memory = megabytes * 1024 * 1024
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))
    kept = {name: os.environ[name] for name in ("SOLC_HOME",) if name in os.environ}
    os.execve(command[0], list(command), kept)  # noqa: S606 - chosen by our own code


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
