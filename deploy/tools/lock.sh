#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml: versions that fit stay, new ones are pinned with their hashes.
# `deploy/tools/lock.sh --upgrade` takes the newest versions that the bounds allow.
set -euo pipefail
cd "$(dirname "$0")/../.."

TOOL=var/tools/lock
if [ ! -x "$TOOL/bin/uv" ]; then
    python3 -m venv "$TOOL"
    "$TOOL/bin/pip" install --quiet "uv>=0.9"
fi
export UV_CUSTOM_COMPILE_COMMAND="make lock"

pin() {
    "$TOOL/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}

pin pyproject.toml --output-file requirements.lock "${@}"
pin pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock "${@}"
pin --group node --output-file requirements-node.lock "${@}"
