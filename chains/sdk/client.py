"""Reach the chain through the console. Needs Python 3.9 or newer and nothing else.

    CONCORD_TOKEN=concord_... python client.py
    CONCORD_TOKEN=concord_... python client.py eth_getBalance 0x00000000000000000000000000000000000000ff latest

The token is that of a user with an access grant for this chain; make one on the page "API tokens" of the console.
`connection.json` must lie beside this file; CONCORD_GATEWAY, if set, is used instead of the address in it.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PROFILE = json.loads((Path(__file__).parent / "connection.json").read_text(encoding="utf-8"))
TIMEOUT = 30  # seconds


class Refused(Exception):
    """The gateway, or the node behind it, said no; the text says why."""


def call(method: str, *params: Any) -> Any:
    """The result of one JSON-RPC call."""
    return batch([(method, list(params))])[0]


def batch(calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """The results of several calls, asked in one request, in order."""
    body = [{"jsonrpc": "2.0", "id": n, "method": name, "params": params} for n, (name, params) in enumerate(calls)]
    answers = {each["id"]: each for each in _post(body)}
    for number in range(len(calls)):
        if "error" in answers[number]:
            raise Refused(f"{calls[number][0]}: {answers[number]['error']['message']}")
    return [answers[number]["result"] for number in range(len(calls))]


def _post(body: Any) -> Any:
    token = os.environ.get(PROFILE["gateway"]["token_variable"], "")
    if not token:
        raise Refused(f"Set {PROFILE['gateway']['token_variable']} to an API token of the console.")
    address = os.environ.get("CONCORD_GATEWAY") or PROFILE["gateway"]["url"]
    request = urllib.request.Request(  # noqa: S310 - the console's own address
        address,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        said = json.loads(problem.read() or b"{}")
        raise Refused(f"{problem.code}: {said.get('detail', problem.reason)}") from problem


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(call(sys.argv[1], *sys.argv[2:]), indent=1))
        return
    chain_id, block = batch([("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False])])
    print(f"chain {PROFILE['blockchain']['name']}, chain id {int(chain_id, 16)}")
    print(f"block {int(block['number'], 16)}, {block['hash']}, transactions {len(block['transactions'])}")


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError) as problem:
        sys.exit(str(problem))
