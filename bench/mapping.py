"""The parts of a mapping by themselves: reshaping rows, and the static check of a large API file. No network."""

from __future__ import annotations

import copy
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import yaml

ROWS = 100
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "200"))
CHECKS = 3
LARGE = 2 * 1024 * 1024 - 1024  # bytes of JSON; the console takes files of up to 2 MB
LARGE_IN_YAML = int(LARGE * 0.81)  # as YAML it is longer
TRANSACTIONS = {
    "total": {"$from": "$.steps.list.body.totalCount"},
    "items": {
        "$each": "$.steps.list.body.data",
        "$item": {
            "tx_id": {"$from": "@.transHash"},
            "block_height": {"$from": "@.blockNumber", "$as": "integer"},
            "time": {"$from": "@.blockTimestamp", "$as": {"time": "ms"}},
            "status": {"$from": "@.status", "$enum": {"0": "pending", "1": "committed", "2": "failed"}},
            "to": {"$from": "@.transTo", "$default": ""},
        },
    },
}


def measure() -> dict[str, Any]:
    return {**_reshaping(), **_checking()}


def _reshaping() -> dict[str, Any]:
    """Renamed, a text to a number, milliseconds to a time, numbers to words, a default; then the output check."""
    from platforms.mapping.values import evaluate
    from platforms.standard import OPERATIONS

    answer = OPERATIONS["list_transactions"].answer
    rows = [
        {"transHash": f"0x{n:064x}", "blockNumber": str(n), "blockTimestamp": 1_700_000_000_000 + n, "status": n % 3}
        for n in range(ROWS)
    ]
    document = {"steps": {"list": {"body": {"totalCount": ROWS, "data": rows}}}}
    times = [_seconds(lambda: answer.model_validate(evaluate(TRANSACTIONS, document))) for _ in range(ROUNDS)]
    return {f"reshaping {ROWS} rows with output check, ms": round(statistics.median(times) * 1000, 2)}


def _checking() -> dict[str, Any]:
    """Reading a large API file, and checking a mapping against it."""
    from platforms.mapping.apifile import ApiFile
    from platforms.mapping.check import Report, check_parsed
    from platforms.mapping.template import Template
    from tests.platforms.plane import API_FILE, MAPPING, SAMPLES

    small = yaml.safe_load(API_FILE)
    figures: dict[str, Any] = {}
    for form, text in (("JSON", json.dumps(_large(small, LARGE))), ("YAML", _as_yaml(_large(small, LARGE_IN_YAML)))):
        began = time.perf_counter()
        api = ApiFile.parse(text)
        reading = time.perf_counter() - began

        def check(api: ApiFile = api, text: str = text) -> None:
            report = Report(template=Template.parse(MAPPING), api=api)
            if not check_parsed(report, {"api_file": text, "mapping": MAPPING}, SAMPLES).passed:
                raise SystemExit("the large API file does not pass its check")

        size = f"API file of {len(text) / 1024 / 1024:.2f} MB, {form}"
        figures |= {f"{size}, reading, s": round(reading, 2)}
        figures |= {f"{size}, check after reading, s": round(min(_seconds(check) for _ in range(CHECKS)), 2)}
    return figures


def _large(small: dict[str, Any], limit: int) -> dict[str, Any]:
    """The API file with other operations and schemas around it, as vendors' files have them."""
    document = copy.deepcopy(small)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    size, number = len(json.dumps(document)), 0
    while True:
        name = f"Filler{number}"
        fields = {f"field{each}": {"type": "string", "description": "What it says"} for each in range(10)}
        schema = {"type": "object", "properties": {**fields, "next": {"$ref": f"#/components/schemas/{name}"}}}
        answer = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        path = {"get": {"operationId": name, "responses": {"200": {"description": "ok", "content": answer}}}}
        size += len(json.dumps({name: schema})) + len(json.dumps({f"/filler/{number}": path}))
        if size > limit:
            return document
        schemas[name], document["paths"][f"/filler/{number}"] = schema, path
        number += 1


def _as_yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(measure()))
