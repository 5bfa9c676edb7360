"""`python -m platforms.sandbox --data-dir DIR [--host H] [--port P] [--tls-port Q]`: run until told to end."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from platforms.sandbox.chains import CLOUD_PORT
from platforms.sandbox.core import Core
from platforms.sandbox.identities import ensure_identities
from platforms.sandbox.ports import choose_ports
from platforms.sandbox.registration import write_registration
from platforms.sandbox.server import Server

logger = logging.getLogger("platforms.sandbox")
ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound to
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _PLAIN and value is not None},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def main() -> int:
    options = _options()
    os.umask(0o077)
    _log_to_stderr(options.log_level)
    folder = options.data_dir.resolve() / "sandbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.stderr.write(f"Another sandbox is running on {folder}.\n")
            return 1
        try:
            return asyncio.run(_serve(folder, options))
        except OSError as problem:
            sys.stderr.write(f"The sandbox cannot start: {problem}\n")
            return 1


async def _serve(folder: Path, options: argparse.Namespace) -> int:
    """Up, the ready line, and down again at SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    host = options.host
    ensure_identities(folder, host)
    port, tls_port = choose_ports(folder, host, options.port, options.tls_port)
    core = Core(folder, options.pace, options.cloud_port)
    server = Server(core, folder)
    try:
        await core.start()
        await server.listen(host, port, tls_port)
        shown = "127.0.0.1" if host in ANYWHERE else host
        plain, mutual = f"http://{shown}:{port}", f"https://{shown}:{tls_port}"
        write_registration(folder, plain, mutual)
        print(f"sandbox: {plain}  {mutual}", flush=True)
        await told.wait()
        logger.info("ending")
    finally:
        await server.close()
        await core.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m platforms.sandbox", description="The evaluation platform.")
    parser.add_argument("--data-dir", type=Path, required=True, help="everything is kept in DIR/sandbox")
    parser.add_argument("--host", default="127.0.0.1", help="address of both listeners")
    parser.add_argument("--port", type=_port, default=0, help="HTTP; without it last time's, else a free one")
    parser.add_argument("--tls-port", type=_port, default=0, help="HTTPS with client certificates")
    parser.add_argument("--cloud-port", type=_port, default=CLOUD_PORT, help="the first port of cloud tenants' nodes")
    parser.add_argument("--pace", type=float, default=0.15, help="seconds between two stages of a job")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port from 1 to 65535 is expected")
    return int(text)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("asyncio").setLevel(logging.WARNING)


if __name__ == "__main__":
    raise SystemExit(main())
