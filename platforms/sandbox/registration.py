"""What the sandbox hands to whoever registers it: the body of a registration, as a platform's owner would write it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from platforms.sandbox.identities import operator_key, write_private

HERE = Path(__file__).parent
NAME = "Sandbox"


def write_registration(folder: Path, base_url: str, on_prem_base_url: str) -> None:
    """`registration.json`, replaced as a whole; written when the listeners answer, never before."""
    write_private(folder / "registration.json", json.dumps(registration(folder, base_url, on_prem_base_url), indent=1))


def registration(folder: Path, base_url: str, on_prem_base_url: str) -> dict[str, Any]:
    return {
        "oemtype": "sandbox",
        "name": NAME,
        "kind": "mapped",
        "cloudtype": "both",
        "kernel": "ethereum",
        "base_url": base_url,
        "on_prem_base_url": on_prem_base_url,
        "ca_certificate": (folder / "tls/ca.pem").read_text(),
        "credentials": {"token": operator_key(folder)},
        "api_file": (HERE / "openapi.yaml").read_text(),
        "mapping": (HERE / "mapping.yaml").read_text(),
        "samples": json.loads((HERE / "samples.json").read_text()),
        "is_default": True,
    }
