"""The skeleton of an interface: what is sent to a chosen operation, and where the fields of the answer come from.

What cannot be told from names and schemas is left out, and a remark stands in its place: the check then names it.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from platforms.mapping.apifile import ApiFile, ApiOperation, parameter_schema
from platforms.mapping.proposal.fields import (
    Leaf,
    best_leaf,
    best_rows,
    content,
    default_of,
    is_list,
    leaves,
    meant,
    party_of,
    path_to,
    request_fields,
    source_of,
    standard_shape,
    thing_of,
)
from platforms.mapping.proposal.polling import poll_after
from platforms.mapping.proposal.vocabulary import KERNELS, rank_of, squeezed, state_of
from platforms.mapping.shapes import Shape, response_shape
from platforms.mapping.values import same
from platforms.mapping.writing import Note, scalar
from platforms.standard import OPERATIONS

Json = dict[Any, Any]
MAX_DEPTH = 4
NOTHING_FITS = gettext_noop("nothing in the request fits; write a value")
NOT_FOUND = gettext_noop("not found in the answer; write where it is")
MAX_LOOKS = 200_000  # at schemas, for one sketch
FIRST_PAGE, PAGE_SIZE = 1, 100
STATUS_AFTER = {"delete": "deleted", "quit": "deleted"}
NEXT = ("nexttoken", "next", "cursor", "nextcursor", "continuationtoken", "marker", "nextpage")


def sketch(api: ApiFile, name: str, operation: ApiOperation) -> Json:
    """The interface's part of the mapping, with remarks where something is left to do.

    Raises BadReference and TooTangled when the operation's schemas cannot be followed.
    """
    api = api.counted(MAX_LOOKS)
    verb = name.split("_")[0]
    step_id = "read" if verb == "get" else verb
    step: Json = {"id": step_id, "op": operation.id}
    party = party_of(name)
    if party and OPERATIONS[name].writes:
        step["cred"] = party
    step |= _parameters(name, operation)
    _put_body(api, name, operation, step)
    body = response_shape(api, operation)
    if _says_code(body):
        step[Note(_("The answer has a code: check that 0 means success."))] = None
        step["expect"] = {"status": [200], "$.body.code": [0]}
    if OPERATIONS[name].writes and operation.method == "POST" and "$.call.id" in str(step):
        step["idempotent"] = True
    steps = [step]
    if OPERATIONS[name].writes:
        poll = poll_after(api, name, operation, step, body)
        steps += [poll] if poll else []
    else:
        _put_walk(name, operation, step, body)
    made: Json = {"steps": steps}
    if not OPERATIONS[name].writes and operation.path_parameters:
        made["gone"] = {"status": [404]}
    made["result"] = _result(api, name, step, body)
    if name.startswith("create") and f"{thing_of(name)}_id" in made["result"]:
        made["known"] = {key: each for key, each in made["result"].items() if str(key).endswith("_id")}
    return made


# --- what is sent -----------------------------------------------------------------------------------------------------


def _parameters(name: str, operation: ApiOperation) -> Json:
    made: Json = {}
    for place in ("path", "query", "header"):
        values: Json = {}
        known = operation.parameters_in(place)
        names = sorted(operation.path_parameters) if place == "path" else list(known)
        for each in names:
            about = known.get(each) or {}
            source = source_of(name, meant(operation, each)) if place == "path" else ""
            if source and not source_of(name, each):
                values[each] = {"$from": source}
                continue
            _put_value(values, name, each, parameter_schema(about), bool(about.get("required")) or place == "path")
            if place == "path" and each not in values:
                values[each] = {"$from": f"$.const.{each}"}
        if values:
            made[place] = values
    return made


def _put_value(values: Json, name: str, written: str, schema: Any, required: bool) -> None:
    """One parameter or field: from our request, as the file says, or a remark."""
    shape = Shape.of(schema) if isinstance(schema, dict) and "$ref" not in schema else Shape()
    _put(values, name, written, shape, schema if isinstance(schema, dict) else {}, required)


def _put(
    values: Json,
    name: str,
    written: str,
    shape: Shape,
    schema: Json,
    required: bool,
    around: tuple[str, ...] = (),
) -> None:
    source = source_of(name, written, around)
    if source and shape.names == []:
        values[written] = _sent(name, source, shape, required)
    elif required and rank_of("page", written) is not None:
        values[written] = FIRST_PAGE
    elif required and rank_of("page_size", written) is not None:
        values[written] = PAGE_SIZE
    elif "default" in schema and required:
        values[written] = schema["default"]
    elif required and shape.values is not None and len(shape.values) == 1:
        values[written] = shape.values[0]
    elif required:
        choices = f" ({', '.join(map(str, shape.values[:8]))})" if shape.values else ""
        values[Note(f"{written}: {_(NOTHING_FITS)}{choices}")] = None


def _sent(name: str, source: str, shape: Shape, required: bool) -> Json:
    value: Json = {"$from": source}
    field = source.rpartition(".")[2]
    if field == "kernel" and shape.values:
        theirs = {ours: v for ours in KERNELS for v in shape.values if ours in squeezed(str(v))}
        evm = next((v for v in shape.values if squeezed(str(v)) == "evm"), None)
        theirs |= {ours: evm for ours in ("quorum", "ethereum") if evm is not None and ours not in theirs}
        if theirs:
            value["$enum"] = theirs
    elif shape.kinds == {"string"} and field in ("abi", "arguments"):
        value["$as"] = "json"
    elif shape.kinds == {"integer"} and field not in ("page", "page_size", "offset") and "height" not in field:
        value["$as"] = "integer"
    elif shape.kinds == {"string"} and ("height" in field or field in ("page", "page_size", "offset")):
        value["$as"] = "string"
    asked = OPERATIONS[name].request.model_json_schema(mode="serialization")
    if not required and field in asked.get("properties", {}) and "height" in field:
        value["$optional"] = True
    return value


def _put_body(api: ApiFile, name: str, operation: ApiOperation, step: Json) -> None:
    wanted = api.request_body(operation)
    if not wanted.json_schemas:
        return
    shape = Shape.any_of(Shape.of(each, api) for each in wanted.json_schemas)
    body = _body(name, shape, ())
    if body or wanted.required:
        step["body"] = body


def _body(name: str, shape: Shape, around: tuple[str, ...]) -> Json:
    made: Json = {}
    for each in shape.names:
        child = shape.child(each)
        if child is None:
            continue
        required = each in shape.required
        if child.names and len(around) < MAX_DEPTH:
            inner = _body(name, child, (*around, each))
            if inner and (required or any(not isinstance(key, Note) for key in inner)):
                made[each] = inner
        else:
            _put(made, name, each, child, default_of(shape, each), required, around)
    return made


def _put_walk(name: str, operation: ApiOperation, step: Json, body: Shape) -> None:
    """All pages, where the standard operation wants the whole list and the platform gives pages."""
    rows = best_rows(name, body) if is_list(name) else None
    if rows is None or "page" in request_fields(name):
        return
    query = operation.parameters_in("query")
    into = next((each for each in query if squeezed(each) in NEXT), "")
    following = next((leaf for leaf in leaves(body) if squeezed(leaf.name) in NEXT), None)
    if into and following is not None:
        step["walk"] = {"items": path_to("$.body", rows), "next": path_to("$.body", following), "into": into}
        return
    numbered = next((each for each in query if squeezed(each) in ("page", "pagenumber", "pageno", "pagenum")), "")
    if numbered:
        step["walk"] = {"items": path_to("$.body", rows), "first": 1, "into": numbered}


def _says_code(body: Shape) -> bool:
    """HTTP 200, and whether it went well stands in the body."""
    code = body.child("code") if "code" in body.names else None
    return code is not None and "data" in body.names and code.kinds == {"integer"}


# --- what comes back --------------------------------------------------------------------------------------------------


def _result(api: ApiFile, name: str, step: Json, body: Shape) -> Json:
    root = f"$.steps.{step['id']}.body"
    wanted = standard_shape(name)
    if not is_list(name):
        return _fields(name, wanted, content(body), root, step)
    item = wanted.child("items")
    rows = best_rows(name, body)
    made: Json = {}
    if "total" in wanted.names:
        total = best_leaf(name, "total", [each for each in leaves(body) if not each.shape.names])
        if total is not None:
            made["total"] = {"$from": path_to(root, total), "$as": "integer", "$optional": True}
    if rows is None or item is None:
        made[Note(_("items: no list was found in the answer; write where it is"))] = None
        return made
    walked = f"$.steps.{step['id']}.items" if "walk" in step else path_to(root, rows)
    element = rows.shape.element() or Shape()
    made["items"] = {
        "$each": walked,
        "$item": _fields(name, item.element() or Shape(), list(leaves(element)), "@", step),
    }
    return made


def _fields(name: str, wanted: Shape, there: list[Leaf], root: str, step: Json) -> Json:
    made: Json = {}
    for field in wanted.names:
        shape = wanted.child(field) or Shape()
        leaf = best_leaf(name, field, there) if shape.kinds != {"array"} else None
        required = field in wanted.required
        if leaf is not None:
            made[field] = _read(field, leaf, shape, root, required)
        elif f"$.in.{field}" in str(step) or (required and field in request_fields(name)):
            made[field] = {"$from": f"$.in.{field}"}
        elif name == "get_health" and field == "status":
            made[Note(_("status: the answer does not say how the platform is; that it answers counts as up"))] = None
            made[field] = "up"
        elif field in ("status", "state") and OPERATIONS[name].writes:
            made[field] = STATUS_AFTER.get(name.split("_")[0], "running")
        elif required:
            made[Note(f"{field}: {_(NOT_FOUND)}")] = None
    return made


def _read(field: str, leaf: Leaf, wanted: Shape, root: str, required: bool) -> Json:
    value: Json = {"$from": path_to(root, leaf)}
    if wanted.values is not None:
        value |= _states(leaf.shape, wanted.values)
    elif "date-time" in wanted.formats:
        value["$as"] = {"time": "ms" if leaf.shape.kinds == {"integer"} else "iso"}
    elif leaf.shape.kinds == {"array"}:
        value = {"$from": f"{value['$from']}[*]", "$pick": "count"}
    elif wanted.kinds and leaf.shape.kinds != wanted.kinds and len(wanted.kinds) == 1:
        value["$as"] = next(iter(wanted.kinds))
    if not required and not leaf.required and "$pick" not in value:
        value["$optional"] = True
    return value


def _states(theirs: Shape, ours: tuple[Any, ...]) -> Json:
    """`$enum` from the platform's words for states to ours."""
    other = "unknown" if "unknown" in ours else "degraded" if "degraded" in ours else ours[-1]
    listed = theirs.values if theirs.values is not None else tuple(each for each in ours if each != other)
    if theirs.kinds == {"boolean"}:
        listed, named = (True, False), {"true": "running", "false": "stopped"}
    else:
        named = {str(each): state for each in listed if (state := state_of(each, ours))}
    if theirs.values is not None and all(any(same(each, key) or str(each) == key for key in named) for each in listed):
        return {"$enum": named}
    return {"$enum": named or {"ok": ours[0]}, "$else": other}


# --- a whole mapping --------------------------------------------------------------------------------------------------


def first_mapping(api: ApiFile) -> str:
    """The beginning of a mapping for an API file: its name and how its calls are signed, no interfaces yet."""
    info = api.root.get("info")
    title = str(info.get("title") or "") if isinstance(info, dict) else ""
    lines = ["mapping: 1"]
    if title and title.isprintable():
        lines.append(f"platform: {scalar(title[:100])}")
    lines += [f"auth: {_auth(api)}", "interfaces: {}"]
    return "\n".join(lines) + "\n"


def _auth(api: ApiFile) -> str:
    """From the file's first security scheme; a bearer token where it names none that is known."""
    components = api.root.get("components")
    holder = components.get("securitySchemes") if isinstance(components, dict) else None
    schemes = api.root.get("securityDefinitions") if api.is_swagger else holder
    for scheme in schemes.values() if isinstance(schemes, dict) else ():
        kind = scheme.get("type") if isinstance(scheme, dict) else None
        if kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
            return "{kind: basic}"
        if kind == "apiKey" and scheme.get("in") in ("header", "query"):
            if squeezed(str(scheme.get("name"))) == "authorization":
                break
            return f"{{kind: apiKey, in: {scheme['in']}, name: {scalar(str(scheme.get('name')))}, token: token}}"
        if kind == "mutualTLS":
            return "{kind: mtls}"
    return "{kind: bearer, token: token}"
