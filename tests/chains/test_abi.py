"""ABIs: values that fit, values that do not and why, and what is read back from calls, answers, errors and logs."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import abi
from console.errors import Invalid

ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TRANSFER = {
    "type": "function",
    "name": "transfer",
    "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}],
    "outputs": [{"name": "", "type": "bool"}],
    "stateMutability": "nonpayable",
}
PERMIT = {
    "name": "permit",
    "type": "tuple",
    "components": [
        {"name": "holder", "type": "address"},
        {"name": "years", "type": "uint16[]"},
        {"name": "note", "type": "string"},
    ],
}
FILE = {"type": "function", "name": "file", "inputs": [PERMIT, {"name": "tag", "type": "bytes4"}], "outputs": []}
MOVED = {
    "type": "event",
    "name": "Transfer",
    "inputs": [
        {"name": "from", "type": "address", "indexed": True},
        {"name": "amount", "type": "uint256", "indexed": False},
        {"name": "memo", "type": "string", "indexed": True},
    ],
}
POOR = {"type": "error", "name": "Poor", "inputs": [{"name": "has", "type": "uint256"}]}
ABI = [TRANSFER, FILE, MOVED, POOR]


def problems(inputs: list[dict[str, Any]], values: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        abi.read_arguments(inputs, values)
    return dict(caught.value.errors)


def test_a_known_call_is_what_everybody_else_makes_of_it() -> None:
    data = abi.encode_call(TRANSFER, [ADDRESS, "1000000000000000000"])
    assert data == (
        "0xa9059cbb"
        "0000000000000000000000005aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
        "0000000000000000000000000000000000000000000000000de0b6b3a7640000"
    )
    found = abi.decode_input(ABI, data)
    assert found is not None
    assert found.signature == "transfer(address,uint256)"
    assert [each.as_json() for each in found.arguments] == [
        {"name": "to", "type": "address", "value": ADDRESS},
        {"name": "amount", "type": "uint256", "value": "1000000000000000000"},
    ]


def test_tuples_and_arrays_by_name_by_place_and_as_a_form_sends_them() -> None:
    permit = {"holder": ADDRESS, "years": [2026, "2027"], "note": "营业执照"}
    by_name = abi.encode_call(FILE, {"permit": permit, "tag": "0x01020304"})
    by_place = abi.encode_call(FILE, [[ADDRESS, [2026, 2027], "营业执照"], "0x01020304"])
    by_form = abi.encode_call(FILE, [json.dumps(permit), " 0x01020304 "])
    assert by_name == by_place == by_form
    found = abi.decode_input(ABI, by_name)
    assert found is not None
    assert found.arguments[0].value == {"holder": ADDRESS, "years": ["2026", "2027"], "note": "营业执照"}
    assert found.arguments[1].value == "0x01020304"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("uint8", 256, "0 … 255"),
        ("uint8", -1, "0 … 255"),
        ("int8", -129, "-128 … 127"),
        ("uint256", 2**256, "2^256 - 1"),
        ("int256", 2**255, "2^255 - 1"),
        ("uint256", "1.5", "whole number"),
        ("uint256", True, "whole number"),
        ("uint256", "", "whole number"),
        ("bool", "yes", "true or false"),
        ("bool", 1, "true or false"),
        ("address", "0x12", "40 hexadecimal digits"),
        ("address", ADDRESS.replace("aA", "AA"), "one of its digits"),
        ("bytes", "0x123", "pairs"),
        ("bytes", "1234", "0x"),
        ("bytes4", "0x010203", "Exactly 4"),
        ("string", 5, "text"),
        ("string", "\ud800", "text"),
        ("uint8[2]", [1], "list of 2"),
        ("uint8[]", "nothing", "JSON"),
        ("uint8[]", {"0": 1}, "list"),
        ("function", "0x" + "00" * 24, "cannot be entered"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(kind: str, value: Any, words: str) -> None:
    found = problems([{"name": "x", "type": kind}], [value])
    assert list(found) == ["arguments.0"]
    assert words in found["arguments.0"][0]


def test_every_wrong_value_is_named_at_once_however_deep() -> None:
    found = problems(FILE["inputs"], [[ADDRESS, [1, 70000], 5], "0x"])
    assert set(found) == {"arguments.0.1.1", "arguments.0.2", "arguments.1"}
    assert set(problems(TRANSFER["inputs"], {"to": ADDRESS, "sum": 1})) == {"arguments.sum", "arguments.amount"}
    assert "2 values" in problems(TRANSFER["inputs"], [ADDRESS])["arguments"][0]


def test_an_event_is_told_with_its_indexed_values_in_their_places() -> None:
    topics = [abi.topic_of(MOVED), "0x" + "00" * 12 + ADDRESS[2:].lower(), "0x" + "ab" * 32]
    found = abi.decode_log(ABI, topics, "0x" + f"{7:064x}")
    assert found is not None
    assert [(each.name, each.type, each.value, each.indexed) for each in found.arguments] == [
        ("from", "address", ADDRESS, True),
        ("amount", "uint256", "7", False),
        ("memo", "bytes32", "0x" + "ab" * 32, True),  # of a text a log keeps the hash only
    ]
    assert abi.decode_log(ABI, topics[:2], "0x" + f"{7:064x}") is None
    assert abi.decode_log(ABI, [], "0x") is None


def test_errors_of_the_contract_and_of_the_language() -> None:
    own = abi.decode_error(ABI, abi.selector_of(POOR) + f"{5:064x}")
    assert own is not None
    assert (own.name, own.arguments[0].value) == ("Poor", "5")
    text = "0x08c379a0" + f"{32:064x}{2:064x}" + b"no".hex().ljust(64, "0")
    spoken = abi.decode_error([], text)
    assert spoken is not None
    assert spoken.arguments[0].value == "no"


@pytest.mark.parametrize("data", ["", "0x", "0x12", "0xa9059cbb", "0xa9059cbbzz", "0xdeadbeef" + "00" * 64, None, 5])
def test_what_is_no_call_of_the_contract_is_none_and_no_error(data: Any) -> None:
    assert abi.decode_input(ABI, data) is None


def test_a_little_data_that_would_become_a_lot_of_values_is_left_alone() -> None:
    """Two thousand places that all point to the same list of two thousand texts."""
    function = {"type": "function", "name": "f", "inputs": [{"name": "x", "type": "uint256[][][]"}]}
    count = 700
    inner = f"{count:064x}" + f"{0:064x}" * count
    middle = f"{count:064x}" + f"{32 * count:064x}" * count + inner
    outer = f"{count:064x}" + f"{32 * count:064x}" * count + middle
    data = abi.selector_of(function) + f"{32:064x}" + outer
    tracemalloc.start()
    try:
        assert abi.decode_input([function], data) is None
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100 * len(data), "343 million values"


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        {},
        [1],
        [{"type": "planet"}],
        [{"type": "function"}],
        [{"type": "function", "name": "f", "inputs": [{"type": "uint7"}]}],
        [{"type": "function", "name": "f", "inputs": [{"type": "bytes33"}]}],
        [{"type": "function", "name": "f", "inputs": [{"type": "tuple"}]}],
        [{"type": "function", "name": "f", "inputs": [{"type": "tuple", "components": []}]}],
        [{"type": "function", "name": "f", "inputs": [{"name": 5, "type": "bool"}]}],
    ],
)
def test_what_is_no_abi_is_refused(wrong: Any) -> None:
    with pytest.raises(Invalid) as caught:
        abi.read_abi(wrong)
    assert list(caught.value.errors) == ["abi"]


def test_a_function_is_found_by_its_signature_or_by_a_name_that_is_the_only_one() -> None:
    other = {**TRANSFER, "inputs": [{"name": "to", "type": "address"}]}
    assert abi.function_of([TRANSFER, FILE], "transfer") == TRANSFER
    assert abi.function_of([TRANSFER, other], "transfer") is None
    assert abi.function_of([TRANSFER, other], "transfer(address)") == other


VALUES = {
    "uint256": st.integers(0, 2**256 - 1).map(str),
    "int64": st.integers(-(2**63), 2**63 - 1).map(str),
    "bool": st.booleans(),
    "string": st.text(max_size=40),
    "bytes": st.binary(max_size=40).map(lambda raw: f"0x{raw.hex()}"),
    "bytes32": st.binary(min_size=32, max_size=32).map(lambda raw: f"0x{raw.hex()}"),
}


@st.composite
def typed(draw: st.DrawFn, depth: int = 0) -> tuple[dict[str, Any], Any]:
    """A parameter, and a value of it as it is read back."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    wrap = draw(st.sampled_from(["", "[]", "[2]", "tuple"])) if depth < 2 else ""
    if wrap == "tuple":
        parts = draw(st.lists(typed(depth=depth + 1), min_size=1, max_size=3))
        components = [{**parameter, "name": f"part{at}"} for at, (parameter, _value) in enumerate(parts)]
        return {"type": "tuple", "components": components}, {f"part{at}": each[1] for at, each in enumerate(parts)}
    if wrap:
        size = {"min_size": 2, "max_size": 2} if wrap == "[2]" else {"max_size": 3}
        return {"type": kind + wrap}, draw(st.lists(VALUES[kind], **size))
    return {"type": kind}, draw(VALUES[kind])


@given(st.lists(typed(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_what_is_encoded_is_read_back(parameters: list[tuple[dict[str, Any], Any]]) -> None:
    inputs = [{**parameter, "name": f"p{at}"} for at, (parameter, _value) in enumerate(parameters)]
    function = {"type": "function", "name": "f", "inputs": inputs}
    values = [value for _parameter, value in parameters]
    found = abi.decode_input([function], abi.encode_call(function, values))
    assert found is not None
    assert [each.value for each in found.arguments] == values
