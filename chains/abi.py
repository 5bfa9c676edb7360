"""A contract's ABI: what it offers, values read and checked for it, and what was sent to it or told by it in words.

Integers come out as decimal texts (JSON's numbers lose digits), bytes as `0x…`, addresses with their checksum, tuples
as objects where every component has a name. What does not fit the ABI is `None`, never an error: anybody may send
anything to a contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from eth_abi.codec import ABICodec
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_utils import is_checksum_address, keccak, to_checksum_address
from eth_utils.abi import collapse_if_tuple

from console.errors import Invalid

Json = dict[str, Any]
Abi = Sequence[Json]

MAX_ENTRIES = 2000
MAX_DATA = 512 * 1024  # bytes that are decoded
MAX_VALUE = 128 * 1024  # characters of one argument
MAX_DEPTH = 8
READS = ("view", "pure")
KINDS = ("function", "constructor", "event", "error", "fallback", "receive")
_TYPE = re.compile(r"^(tuple|address|bool|string|function|bytes(\d+)?|u?int(\d+)|u?fixed\d*x?\d*)((?:\[\d*\])*)$")
_ARRAY = re.compile(r"^(.*)\[(\d*)\]$", re.DOTALL)
_HEX = re.compile(r"^0x(?:[0-9a-fA-F]{2})*$")
_NUMBER = re.compile(r"^-?[0-9]{1,80}$")
_HEX_NUMBER = re.compile(r"^0x[0-9a-fA-F]{1,64}$")
_codec = ABICodec(registry)


@dataclass(frozen=True)
class Argument:
    """One value with its name and type; `value` as JSON has it."""

    name: str
    type: str
    value: Any
    indexed: bool = False

    def as_json(self) -> Json:
        return {"name": self.name, "type": self.type, "value": self.value}


@dataclass(frozen=True)
class Decoded:
    """A call, an event or an error in words: `transfer(address,uint256)` and what was given."""

    name: str
    signature: str
    arguments: tuple[Argument, ...]

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "signature": self.signature,
            "arguments": [each.as_json() for each in self.arguments],
        }


# --- what it offers -------------------------------------------------------------------------------------------------


def read_abi(value: Any, *, field: str = "abi") -> list[Json]:
    """The ABI as a list of entries, or as JSON text of one; Invalid when it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Invalid.field(field, _("This is not JSON.")) from None
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Invalid.field(field, _("An ABI is a list of objects."))
    if len(value) > MAX_ENTRIES:
        raise Invalid.field(field, _("An ABI has at most %(limit)s entries.") % {"limit": MAX_ENTRIES})
    for number, entry in enumerate(value):
        if problem := _fault(entry):
            raise Invalid.field(field, _("Entry %(number)s: %(problem)s") % {"number": number, "problem": problem})
    return value


def _fault(entry: Json) -> str:
    kind = entry.get("type", "function")
    if kind not in KINDS:
        return _("an unknown type.")
    if kind in ("function", "event", "error") and not _is_name(entry.get("name")):
        return _("it has no name.")
    for parameters in (entry.get("inputs", []), entry.get("outputs", [])):
        if not isinstance(parameters, list) or not all(_is_parameter(each, 0) for each in parameters):
            return _("its parameters cannot be read.")
    return ""


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200


def _is_parameter(each: Any, depth: int) -> bool:
    if not isinstance(each, dict) or not isinstance(each.get("type"), str) or depth > MAX_DEPTH:
        return False
    found = _TYPE.match(each["type"])
    if found is None or not isinstance(each.get("name", ""), str):
        return False
    if found.group(1) == "tuple":
        inner = each.get("components")
        return isinstance(inner, list) and inner != [] and all(_is_parameter(part, depth + 1) for part in inner)
    bits, size = found.group(3), found.group(2)
    return not (bits and (int(bits) % 8 or not 8 <= int(bits) <= 256)) and not (size and not 1 <= int(size) <= 32)


def entries(abi: Abi, kind: str) -> Iterator[Json]:
    return (each for each in abi if each.get("type", "function") == kind)


def constructor_of(abi: Abi) -> Json:
    """Its constructor; one that takes nothing where none is declared."""
    return next(entries(abi, "constructor"), {"type": "constructor", "inputs": [], "stateMutability": "nonpayable"})


def signature_of(entry: Json) -> str:
    """`transfer(address,uint256)`"""
    return f"{entry.get('name', '')}({','.join(collapse_if_tuple(each) for each in entry.get('inputs', []))})"  # type: ignore[arg-type]


def function_of(abi: Abi, signature: str) -> Json | None:
    """The function of this signature; a bare name will do where it is the only one."""
    functions = list(entries(abi, "function"))
    exact = next((each for each in functions if signature_of(each) == signature), None)
    named = [each for each in functions if each["name"] == signature]
    return exact or (named[0] if len(named) == 1 else None)


def reads_only(function: Json) -> bool:
    return function.get("stateMutability") in READS or function.get("constant") is True


def selector_of(entry: Json) -> str:
    """The first four bytes of a call, or of an error."""
    return f"0x{keccak(text=signature_of(entry))[:4].hex()}"


def topic_of(event: Json) -> str:
    return f"0x{keccak(text=signature_of(event)).hex()}"


# --- values read ----------------------------------------------------------------------------------------------------


def read_arguments(inputs: Sequence[Json], values: Any, *, field: str = "arguments") -> list[Any]:
    """The values as `encode` wants them, checked one by one; Invalid names every one that does not fit.

    `values` is a list, or an object by the parameters' names. Whole numbers may be texts; arrays and tuples may be
    JSON texts, as a form sends them.
    """
    if isinstance(values, Mapping):
        values = _by_name(inputs, values, field)
    if not isinstance(values, list | tuple):
        raise Invalid.field(field, _("A list of values is expected."))
    if len(values) != len(inputs):
        text = _("%(wanted)s values are expected; there are %(given)s.")
        raise Invalid.field(field, text % {"wanted": len(inputs), "given": len(values)})
    errors: dict[str, list[str]] = {}
    read = [
        _read(parameter, value, f"{field}.{number}", errors)
        for number, (parameter, value) in enumerate(zip(inputs, values, strict=True))
    ]
    if errors:
        raise Invalid(_("The arguments have errors."), errors=errors)
    return read


def _by_name(inputs: Sequence[Json], values: Mapping[str, Any], field: str) -> list[Any]:
    names = [each.get("name", "") for each in inputs]
    if "" in names or len(set(names)) != len(names):
        raise Invalid.field(field, _("Not every parameter has a name of its own: give a list of values."))
    errors = {f"{field}.{name}": [_("There is no such parameter.")] for name in sorted(set(values) - set(names))[:20]}
    errors |= {f"{field}.{name}": [_("This value is missing.")] for name in names if name not in values}
    if errors:
        raise Invalid(_("The arguments have errors."), errors=errors)
    return [values[name] for name in names]


class _Wrong(Exception):
    """One value does not fit; the text says why."""


def _read(parameter: Json, value: Any, place: str, errors: dict[str, list[str]]) -> Any:
    try:
        if isinstance(value, str) and len(value) > MAX_VALUE:
            raise _Wrong(_("At most %(limit)s characters.") % {"limit": MAX_VALUE})
        array = _ARRAY.match(parameter["type"])
        if array is not None:
            return _read_array(parameter, array, value, place, errors)
        if parameter["type"] == "tuple":
            return _read_tuple(parameter, value, place, errors)
        return _read_plain(parameter["type"], value)
    except _Wrong as problem:
        errors.setdefault(place, []).append(str(problem))
        return None


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _Wrong(_("JSON is expected, such as [1, 2].")) from None


def _read_array(parameter: Json, found: re.Match[str], value: Any, place: str, errors: dict[str, list[str]]) -> Any:
    items, size = _from_json(value), found.group(2)
    if not isinstance(items, list):
        raise _Wrong(_("A list is expected."))
    if size and len(items) != int(size):
        raise _Wrong(_("A list of %(number)s values is expected.") % {"number": size})
    inner = {**parameter, "type": found.group(1)}
    return [_read(inner, item, f"{place}.{number}", errors) for number, item in enumerate(items)]


def _read_tuple(parameter: Json, value: Any, place: str, errors: dict[str, list[str]]) -> Any:
    given, parts = _from_json(value), parameter["components"]
    if isinstance(given, dict):
        names = [part.get("name", "") for part in parts]
        if set(given) != set(names):
            raise _Wrong(_("An object with exactly these fields is expected: %(names)s.") % {"names": ", ".join(names)})
        given = [given[name] for name in names]
    if not isinstance(given, list) or len(given) != len(parts):
        raise _Wrong(_("A list of %(number)s values is expected.") % {"number": len(parts)})
    pairs = zip(parts, given, strict=True)
    return tuple(_read(part, item, f"{place}.{number}", errors) for number, (part, item) in enumerate(pairs))


def _read_plain(kind: str, value: Any) -> Any:
    if kind == "bool":
        return _read_bool(value)
    if kind == "string":
        return _read_text(value)
    if kind == "address":
        return _read_address(value)
    if kind.startswith(("uint", "int")):
        return _read_integer(kind, value)
    if kind.startswith("bytes"):
        return _read_bytes(kind, value)
    raise _Wrong(_("Values of the type %(type)s cannot be entered here.") % {"type": kind})


def _read_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise _Wrong(_("true or false is expected."))


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong(_("A text is expected."))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Wrong(_("A text is expected.")) from None
    return value


def _read_address(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise _Wrong(_("An address is expected: 0x and 40 hexadecimal digits."))
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise _Wrong(_("The address's capital letters do not fit it: one of its digits is wrong."))
    return text.lower()


def _read_integer(kind: str, value: Any) -> int:
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            value = int(text)
        elif _HEX_NUMBER.fullmatch(text):
            value = int(text, 16)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Wrong(_("A whole number is expected."))
    signed = kind.startswith("int")
    bits = int(kind.removeprefix("u").removeprefix("int") or 256)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if not low <= value <= high:
        shown = (
            f"{low} … {high}" if bits <= 64 else f"{'-2^' + str(bits - 1) if signed else '0'} … 2^{bits - signed} - 1"
        )
        raise _Wrong(_("%(type)s goes from %(range)s.") % {"type": kind, "range": shown})
    return value


def _read_bytes(kind: str, value: Any) -> bytes:
    text = value.strip() if isinstance(value, str) else ""
    if not _HEX.fullmatch(text):
        raise _Wrong(_("Bytes are expected: 0x and pairs of hexadecimal digits."))
    found, size = bytes.fromhex(text[2:]), kind.removeprefix("bytes")
    if size and len(found) != int(size):
        raise _Wrong(_("Exactly %(number)s bytes are expected.") % {"number": size})
    return found


# --- encoding -------------------------------------------------------------------------------------------------------


def encode_arguments(inputs: Sequence[Json], values: Any, *, field: str = "arguments") -> bytes:
    """The values behind each other as the EVM wants them. Raises Invalid."""
    read = read_arguments(inputs, values, field=field)
    try:
        return _codec.encode([collapse_if_tuple(each) for each in inputs], read)  # type: ignore[arg-type]
    except (EncodingError, ValueError, TypeError) as problem:
        raise Invalid.field(field, _("The values cannot be encoded: %(problem)s") % {"problem": problem}) from problem


def encode_call(function: Json, values: Any, *, field: str = "arguments") -> str:
    """What is sent to the contract to call the function. Raises Invalid."""
    return selector_of(function) + encode_arguments(function.get("inputs", []), values, field=field).hex()


def encode_creation(abi: Abi, bytecode: str, values: Any, *, field: str = "arguments") -> str:
    """What is sent to create the contract. Raises Invalid."""
    inputs = constructor_of(abi).get("inputs", [])
    return f"0x{bytecode.removeprefix('0x')}{encode_arguments(inputs, values, field=field).hex()}"


# --- decoding -------------------------------------------------------------------------------------------------------


def decode_input(abi: Abi, data: str) -> Decoded | None:
    """The call that `data` is; None when it is none of the ABI's."""
    raw = _raw(data)
    if raw is None or len(raw) < 4:
        return None
    return _decoded_by_selector(entries(abi, "function"), raw)


def decode_error(abi: Abi, data: str) -> Decoded | None:
    """Why a call was reverted: an error of the ABI, or the language's `Error(string)` or `Panic(uint256)`."""
    raw = _raw(data)
    if raw is None or len(raw) < 4:
        return None
    return _decoded_by_selector((*entries(abi, "error"), *_OWN_ERRORS), raw)


_OWN_ERRORS: tuple[Json, ...] = (
    {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


def decode_output(function: Json, data: str) -> tuple[Argument, ...] | None:
    """What a function gave back."""
    raw = _raw(data)
    return None if raw is None else _decoded(function.get("outputs", []), raw)


def decode_log(abi: Abi, topics: Sequence[str], data: str) -> Decoded | None:
    """The event behind a log's topics and data; None when it is none of the ABI's.

    Of an indexed text, array or tuple a log holds the hash only: its type is then `bytes32`.
    """
    raw, marks = _raw(data), [_raw(each) for each in topics]
    if raw is None or None in marks:
        return None
    for event in entries(abi, "event"):
        hashed = [mark for mark in marks if mark is not None]
        if not event.get("anonymous"):
            if not hashed or hashed[0] != keccak(text=signature_of(event)):
                continue
            hashed = hashed[1:]
        found = _decoded_event(event, hashed, raw)
        if found is not None:
            return Decoded(event["name"], signature_of(event), found)
    return None


def _decoded_event(event: Json, topics: Sequence[bytes], data: bytes) -> tuple[Argument, ...] | None:
    inputs = event.get("inputs", [])
    indexed = [_as_topic(each) for each in inputs if each.get("indexed")]
    if len(indexed) != len(topics):
        return None
    first = _decoded(indexed, b"".join(topics))
    rest = _decoded([each for each in inputs if not each.get("indexed")], data)
    if first is None or rest is None:
        return None
    one, other = iter(first), iter(rest)
    return tuple(
        Argument(found.name, found.type, found.value, indexed=True) if each.get("indexed") else found
        for each in inputs
        for found in [next(one) if each.get("indexed") else next(other)]
    )


def _as_topic(parameter: Json) -> Json:
    """What a topic holds of an indexed parameter: itself, or where it does not fit its hash."""
    kind = parameter["type"]
    if kind in ("string", "bytes", "tuple") or kind.endswith("]"):
        return {"name": parameter.get("name", ""), "type": "bytes32"}
    return parameter


def _decoded_by_selector(candidates: Any, raw: bytes) -> Decoded | None:
    for entry in candidates:
        if bytes.fromhex(selector_of(entry)[2:]) == raw[:4]:
            found = _decoded(entry.get("inputs", []), raw[4:])
            if found is not None:
                return Decoded(entry["name"], signature_of(entry), found)
    return None


def _decoded(parameters: Sequence[Json], raw: bytes) -> tuple[Argument, ...] | None:
    if len(raw) > _MOST_BYTES[min(max(map(_levels, parameters), default=0), len(_MOST_BYTES) - 1)]:
        return None
    types = [collapse_if_tuple(each) for each in parameters]  # type: ignore[arg-type]
    try:
        values = _codec.decode(types, raw)
    except (DecodingError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        return None
    pairs = zip(parameters, types, values, strict=True)
    return tuple(Argument(each.get("name", ""), kind, _shown(each, value)) for each, kind, value in pairs)


# Lists of lists may point to the same place again and again, so that a little data becomes a lot of values.
_MOST_BYTES = (MAX_DATA, MAX_DATA, 32 * 1024, 4 * 1024)


def _levels(parameter: Json) -> int:
    """How many times something of unknown length stands within something of unknown length."""
    kind = parameter["type"]
    array = _ARRAY.match(kind)
    if array is not None:
        inner = _levels({**parameter, "type": array.group(1)})
        return inner + (inner > 0 or not array.group(2))
    if kind == "tuple":
        inner = max(map(_levels, parameter["components"]))
        return inner + (inner > 0)
    return int(kind in ("string", "bytes"))


def _shown(parameter: Json, value: Any) -> Any:
    """The value as JSON has it."""
    kind = parameter["type"]
    array = _ARRAY.match(kind)
    if array is not None:
        return [_shown({**parameter, "type": array.group(1)}, each) for each in value]
    if kind == "tuple":
        parts = parameter["components"]
        names = [part.get("name", "") for part in parts]
        inner = [_shown(part, each) for part, each in zip(parts, value, strict=True)]
        return dict(zip(names, inner, strict=True)) if all(names) and len(set(names)) == len(names) else inner
    if kind == "address":
        return to_checksum_address(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return value if isinstance(value, bool | str) else str(value)


def _raw(data: Any) -> bytes | None:
    text = data if isinstance(data, str) else ""
    if len(text) > 2 + 2 * MAX_DATA or not _HEX.fullmatch(text):
        return None
    return bytes.fromhex(text[2:])
