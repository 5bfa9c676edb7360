"""What signs transactions leaves the process as it was."""

from __future__ import annotations

import subprocess
import sys

from console.environment import ROOT

PROGRAM = """
import sys
from platforms import signing
bearable = sys.getrecursionlimit()
assert len(signing.account_of(signing.new_key())) == 42
print(bearable, sys.getrecursionlimit())
"""


def test_signing_lets_nothing_recurse_deeper_than_the_interpreter_bears() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = done.stdout.split()
    assert before == after
