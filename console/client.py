"""A thin command-line client of the REST API: registering, and any other call with a token.

    python -m console.client register --username tax --email tax@gov.example --name "Tax Bureau" \\
        --category cloud --tenantid tenant-01 --ak AK… --sk-file sk.txt
    python -m console.client register --username social --email s@gov.example --name "Social Security" \\
        --category on_prem --machine 10.0.0.5:9001 --tlscert client.pem --tlscert ca.pem
    python -m console.client token --username tax
    CONCORD_TOKEN=concord_… python -m console.client get "proposals?waiting_for=me"
    CONCORD_TOKEN=concord_… python -m console.client post proposals/7/votes '{"orgcode": "org-…", "agree": true}'

The console's address is `--url` or `CONCORD_URL`. Passwords are asked for, or read from `CONCORD_PASSWORD`. Prints the
answer as JSON; on an error its sentence and the fields at fault, with exit code 1. It knows nothing that the API does
not say, so it needs no settings and no database.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx

TIMEOUT = 30.0  # seconds


class Refused(Exception):
    """The console said no; the text is what to tell the person."""


def call(url: str, method: str, path: str, body: Any = None, token: str = "") -> Any:
    """One call; the answer's JSON. Raises Refused with the problem in words."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{url.rstrip('/')}/api/v1/{path.lstrip('/')}"
    try:
        answer = httpx.request(method, address, json=body, headers=headers, timeout=TIMEOUT)
    except httpx.HTTPError as problem:
        raise Refused(f"{url} cannot be reached: {problem}") from problem
    try:
        found = answer.json() if answer.content else None
    except ValueError as problem:
        raise Refused(f"{address} answered {answer.status_code} with something that is not JSON") from problem
    if answer.is_success:
        return found
    raise Refused(in_words(found if isinstance(found, dict) else {}, answer.status_code))


def in_words(problem: dict[str, Any], status: int) -> str:
    """Problem details as lines of text."""
    lines = [str(problem.get("detail") or f"the console answered {status}")]
    for field, texts in (problem.get("errors") or {}).items():
        lines += [f"  {field}: {text}" for text in texts]
    return "\n".join(lines)


def registration(options: argparse.Namespace) -> dict[str, Any]:
    """The body of `POST registrations`, from the command line's words."""
    wanted = {name: getattr(options, name) for name in ("name", "category", "oemtype", "tenantid", "projectid", "ak")}
    wanted["sk"] = options.sk_file.read_text().strip() if options.sk_file else os.environ.get("CONCORD_SK", "")
    wanted["tlscert"] = "".join(path.read_text() for path in options.tlscert)
    wanted["nodelist"] = [machine(text) for text in options.machine]
    return {
        "username": options.username,
        "password": password(),
        "email": options.email,
        "organization": {name: value for name, value in wanted.items() if value},
    }


def machine(text: str) -> dict[str, Any]:
    """`address:port`; whether it is one is for the console to say."""
    ip, _colon, port = text.rpartition(":")
    return {"ip": ip.strip("[]"), "port": int(port) if port.isdigit() else port}


def password() -> str:
    return os.environ.get("CONCORD_PASSWORD") or getpass.getpass("Password: ")


def run(options: argparse.Namespace) -> Any:
    token = os.environ.get("CONCORD_TOKEN", "")
    match options.command:
        case "register":
            return call(options.url, "POST", "registrations", registration(options))
        case "token":
            asked = {"username": options.username, "password": password(), "name": options.name}
            return call(options.url, "POST", "tokens", asked)
        case "get" | "delete":
            return call(options.url, options.command.upper(), options.path, token=token)
    return call(options.url, options.command.upper(), options.path, json.loads(options.body), token)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m console.client", description="A thin client of the REST API.")
    parser.add_argument("--url", default=os.environ.get("CONCORD_URL", "http://127.0.0.1:8000"))
    commands = parser.add_subparsers(dest="command", required=True)
    register = commands.add_parser("register", help="ask for an account and an organization")
    for name in ("username", "email", "name"):
        register.add_argument(f"--{name}", required=True)
    register.add_argument("--category", choices=["cloud", "on_prem"])
    for name in ("oemtype", "tenantid", "projectid", "ak"):
        register.add_argument(f"--{name}", default="")
    register.add_argument("--sk-file", type=Path, help="file that holds the secret key; else CONCORD_SK")
    register.add_argument("--machine", action="append", default=[], metavar="IP:PORT")
    register.add_argument("--tlscert", action="append", default=[], type=Path, metavar="PEM")
    token = commands.add_parser("token", help="get a token for CONCORD_TOKEN")
    token.add_argument("--username", required=True)
    token.add_argument("--name", default="command line")
    for method in ("get", "delete", "post", "patch"):
        other = commands.add_parser(method, help=f"{method.upper()} a path of the API")
        other.add_argument("path")
        if method in ("post", "patch"):
            other.add_argument("body", nargs="?", default="{}")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 with JSON on standard output, or 1 with the reason on standard error."""
    try:
        print(json.dumps(run(arguments().parse_args(argv)), indent=2, ensure_ascii=False))
    except (Refused, OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
