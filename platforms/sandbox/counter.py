"""A counter, written by hand in EVM assembly: what the traffic generator deploys and calls.

function increment()            // adds one, emits Incremented(uint256 value)
function get() returns (uint256)
anything else reverts
"""

from __future__ import annotations

INCREMENT = "0xd09de08a"  # the first four bytes of keccak256("increment()")
GET = "0x6d4ce63c"  # of keccak256("get()")
INCREMENTED = "0x20d8a6f5a693f9d1d627a598e8820f7a55ee74c183aa8f1a30e8d4e8dd9a8d84"  # keccak256("Incremented(uint256)")

_RUNTIME = (
    "5f35" "60e01c"  # the selector: calldata shifted right by 28 bytes
    "80" "63d09de08a" "14" "601c57"  # increment() → 0x1c
    "80" "636d4ce63c" "14" "604d57"  # get() → 0x4d
    "5f5ffd"  # revert
    "5b" "5f54600101" "805f55"  # 0x1c: slot 0 plus one, kept
    "5f52" "7f" + INCREMENTED[2:] + "60205fa1" "00"  # the event with the new value
    "5b" "5f54" "5f52" "60205ff3"  # 0x4d: slot 0
)  # fmt: skip
_LENGTH = len(_RUNTIME) // 2
CODE = f"0x60{_LENGTH:02x}8060095f395ff3{_RUNTIME}"  # copies the above into place and returns it
