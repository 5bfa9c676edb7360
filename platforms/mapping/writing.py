"""Writing into the text of a mapping or of samples: one entry is put in or taken out, the rest stays as it was typed.

Comments, order and spelling of everything else are kept. Where that cannot be done (the place is inside of a text on
one line, or shared by an alias), the whole document is written anew; what it says is the same either way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from console.errors import Invalid
from platforms.mapping.documents import MAX_NODES, read_document

WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$./-]*")
_LIKE_OTHERS = re.compile(r"(?i)true|false|null|yes|no|on|off|y|n|nan|inf")
Keys = tuple[str, ...]


class Note(str):
    """A key of an object that is no key but a remark: its line is a comment."""

    __slots__ = ()


def rendered(value: Any, depth: int = 0) -> str:
    """A value as YAML: one line where it is short, blocks where it is not. Remarks become comments."""
    return "\n".join(_lines(value, "  " * depth))


def put(text: str, keys: Keys, value: Any, *, field: str = "mapping") -> str:
    """The text with the value at the place that the keys name. Invalid when the text cannot be read."""
    document = read_document(text, field=field) if text.strip() else {}
    wanted = _with(document, keys, _plain(value))
    if _is_json(text):
        return f"{json.dumps(wanted, ensure_ascii=False, indent=2)}\n"
    for attempt in _attempts(text, keys, value):
        if _says(attempt, wanted, field):
            return attempt
    return f"{rendered(_with(document, keys, value))}\n"


def removed(text: str, keys: Keys, *, field: str = "mapping") -> str:
    """The text without the entry; the same text where it was not there."""
    document = read_document(text, field=field) if text.strip() else {}
    if not _holds(document, keys):
        return text
    wanted = _without(document, keys)
    if _is_json(text):
        return f"{json.dumps(wanted, ensure_ascii=False, indent=2)}\n"
    span = _span(text, keys)
    if span is not None:
        attempt = text[: span[0]] + text[span[1] :]
        if _says(attempt, wanted, field):
            return attempt
    return f"{rendered(wanted)}\n"


def excerpt(text: str, keys: Keys) -> tuple[int, str]:
    """The first line, counted from one, and the text of an entry; (0, "") where it is not there or stands in a row."""
    span = _span(text, keys)
    if span is None:
        return 0, ""
    return text.count("\n", 0, span[0]) + 1, text[span[0] : span[1]].rstrip("\n")


# --- values as YAML ---------------------------------------------------------------------------------------------------


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            if isinstance(key, Note):
                yield f"{indent}# {key}"
            elif isinstance(each, dict) and each and all(isinstance(inner, Note) for inner in each):
                yield from (f"{indent}# {key}: {inner}" for inner in each)
                yield f"{indent}{scalar(key)}: {{}}"
            else:
                yield from _entry(f"{indent}{scalar(key)}:", each, f"{indent}  ")
    elif isinstance(value, list) and value:
        for each in value:
            yield from _element(each, indent)
    else:
        yield f"{indent}{_flow(value)}"


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    flow = _flow(value)
    if not _has_notes(value) and ((len(head) + len(flow) < WIDTH and not _is_block(value)) or _is_leaf(value)):
        yield f"{head} {flow}"
        return
    yield head
    yield from _lines(value, indent[:-2] if isinstance(value, list) else indent)


def _element(value: Any, indent: str) -> Iterator[str]:
    flow = _flow(value)
    if not _has_notes(value) and (len(indent) + len(flow) < WIDTH - 30 or _is_leaf(value)):
        yield f"{indent}- {flow}"
        return
    lines = list(_lines(value, f"{indent}  "))
    first = next((number for number, line in enumerate(lines) if not line.lstrip().startswith("#")), None)
    if first is None:  # nothing but remarks
        yield from (f"{indent}- {{}}", *lines)
        return
    yield from lines[:first]
    yield f"{indent}- {lines[first][len(indent) + 2 :]}"
    yield from lines[first + 1 :]


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, dict | list) or not value or (isinstance(value, dict) and "$from" in value)


def _is_block(value: Any) -> bool:
    """Interfaces and steps read better below each other."""
    if isinstance(value, dict):
        return "steps" in value or any(map(_is_block, value.values()))
    return isinstance(value, list) and any(isinstance(each, dict) and "op" in each for each in value)


def _has_notes(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(key, Note) or _has_notes(each) for key, each in value.items())
    return isinstance(value, list) and any(map(_has_notes, value))


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{scalar(key)}: {_flow(each)}" for key, each in value.items() if not isinstance(key, Note))
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A text, number or truth value on one line, such that it reads back as itself."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _LIKE_OTHERS.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Without remarks, as it reads back."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items() if not isinstance(key, Note)}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


# --- documents --------------------------------------------------------------------------------------------------------


def _is_json(text: str) -> bool:
    try:
        return text.lstrip()[:1] == "{" and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _says(text: str, wanted: Any, field: str) -> bool:
    try:
        return bool(read_document(text, field=field, once=True, most=MAX_NODES) == wanted)
    except Invalid:
        return False


def _holds(document: Any, keys: Keys) -> bool:
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True


def _with(document: Any, keys: Keys, value: Any) -> Any:
    if not keys:
        return value
    below = dict(document) if isinstance(document, dict) else {}
    below[keys[0]] = _with(below.get(keys[0]), keys[1:], value)
    return below


def _without(document: dict[str, Any], keys: Keys) -> dict[str, Any]:
    if len(keys) == 1:
        return {key: each for key, each in document.items() if key != keys[0]}
    return {**document, keys[0]: _without(document[keys[0]], keys[1:])}


# --- the text ---------------------------------------------------------------------------------------------------------


def _attempts(text: str, keys: Keys, value: Any) -> Iterator[str]:
    """Ways of writing it in, the one that leaves most as it is first."""
    span = _span(text, keys)
    if span is not None:
        depth = _column(text, span[0])
        yield f"{text[: span[0]]}{_written(keys[-1], value, depth)}\n{text[span[1] :]}"
    parent = _node(text, keys[:-1])
    if isinstance(parent, yaml.MappingNode) and parent.value and not parent.flow_style:
        end = _line_end(text, _content_end(parent))
        depth = parent.value[0][0].start_mark.column
        gap = "\n" if len(keys) > 1 else ""
        head = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
        yield f"{head}{gap if _is_block(value) else ''}{_written(keys[-1], value, depth)}\n{text[end:]}"
    if len(keys) == 2:
        inner = {keys[1]: value}
        document = read_document(text, field="mapping") if text.strip() else {}
        kept = document.get(keys[0])
        yield from _attempts(text, keys[:1], {**(kept if isinstance(kept, dict) else {}), **inner})
    elif not text.strip() or parent is None:
        yield f"{text.rstrip()}\n{_written(keys[-1], value, 0)}\n".lstrip("\n")


def _written(key: str, value: Any, column: int) -> str:
    return "\n".join(_entry(f"{' ' * column}{scalar(key)}:", value, " " * (column + 2)))


def _compose(text: str) -> Any:
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _node(text: str, keys: Keys) -> Any:
    node = _compose(text)
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def _span(text: str, keys: Keys) -> tuple[int, int] | None:
    """Where an entry of a block stands: from the start of its line to the end of its last one."""
    parent = _node(text, keys[:-1])
    if not isinstance(parent, yaml.MappingNode) or parent.flow_style:
        return None
    for name, value in parent.value:
        if name.value == keys[-1]:
            start = name.start_mark.index - name.start_mark.column
            end = _line_end(text, max(_content_end(value), name.end_mark.index))
            return start, _with_remarks(text, end, name.start_mark.column)
    return None


def _content_end(node: Any) -> int:
    """Where the last thing of a node ends: a block's own mark stands behind the comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return max(_content_end(each) for each in children)


def _with_remarks(text: str, end: int, column: int) -> int:
    """Comments behind an entry that stand deeper than its key belong to it."""
    while text.startswith(" " * (column + 1), end):
        following = _next_line(text, end)
        if not text[end:following].lstrip(" ").startswith("#"):
            break
        end = following
    return end


def _line_end(text: str, index: int) -> int:
    """Behind the line in which something ends; a text in several lines has ended with its last one already."""
    return index if index and text[index - 1] == "\n" else _next_line(text, index)


def _next_line(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _column(text: str, start: int) -> int:
    line = text[start : _next_line(text, start)]
    return len(line) - len(line.lstrip(" "))
