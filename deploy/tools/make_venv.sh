#!/usr/bin/env bash
# Set-up: a virtual environment in .venv that holds exactly what a lock file says. An existing one is brought up to date.
# usage: deploy/tools/make_venv.sh LOCK...
set -euo pipefail
cd "$(dirname "$0")/../.."

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

pick_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "set-up: Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3" >&2
    exit 1
}

if ! { [ -x .venv/bin/python ] && new_enough .venv/bin/python; }; then
    python=$(pick_python)
    echo "set-up: making .venv with $("$python" --version)"
    # Some systems ship Python without the means to put pip into a new environment; theirs then serves from outside.
    "$python" -m venv --clear .venv 2>/dev/null || "$python" -m venv --clear --without-pip .venv
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        echo "set-up: no ensurepip here; putting pip in by the pip outside"
        "$python" -m pip --python .venv/bin/python install --quiet pip
    fi
fi

for lock in "$@"; do
    echo "set-up: installing $lock"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
done
