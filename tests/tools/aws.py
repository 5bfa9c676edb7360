"""Amazon Managed Blockchain on this machine, to try its preset with: `python -m tests.tools.aws [PORT]`.

A real moto server, and before it the shim that the tests use (`tests/platforms/presets/amb.py`): it checks every
signature, keeps the accounts apart, and lets things take their time. All of it is forgotten when it ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import django

PORT = 8300


def main(port: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    from tests.platforms.presets.amb import ACCOUNTS, Shim, moto_server

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with moto_server() as moto, Shim(moto, port=port) as shim:
        print(f"address: {shim.address}\n")
        print(f"{'AWS account':14}{'access key':26}secret key")
        for key, (secret, account) in ACCOUNTS.items():
            print(f"{account:14}{key:26}{secret}")
        print("\nCtrl-C ends it.", flush=True)
        ended.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT)
