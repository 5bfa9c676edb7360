"""Which client a node runs, in words: from what it calls itself (`web3_clientVersion`)."""

from __future__ import annotations

import re

_QUORUM = re.compile(r"\(quorum-v([\w.]+)\)")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)(-[A-Za-z]+)?")
MAX_LENGTH = 100


def client_in_words(said: str) -> str:
    """`Geth/v1.13.15-stable/linux-amd64/go1.22` is Geth 1.13.15; what is of no such form stays as it is."""
    if quorum := _QUORUM.search(said):
        return f"GoQuorum {quorum[1]}"
    name, *parts = said.split("/")
    found = next((match for part in parts if (match := _VERSION.match(part))), None)
    if not name or found is None:
        return said[:MAX_LENGTH]
    stage = "" if found[2] in (None, "-stable") else found[2]
    return f"{name[0].upper()}{name[1:]} {found[1]}{stage}"[:MAX_LENGTH]
