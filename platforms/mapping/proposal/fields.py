"""Fields of the standard interface and fields of an API file: which of one stand for which of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from platforms.mapping.apifile import ApiFile, ApiOperation, parameter_schema
from platforms.mapping.proposal.vocabulary import FIELDS, KEYS, THINGS, WANTED, rank_of, squeezed, words
from platforms.mapping.references import Document
from platforms.mapping.shapes import Shape, response_shape
from platforms.standard import OPERATIONS

MAX_DEPTH = 5
MAX_LEAVES = 400
PARTIES = ("creator", "member")
OF_PARTY = ("name", "orgcode", "tenantid", "tenantname", "projectid")
ENVELOPES = ("data", "result", "response", "payload", "content")
OWNERS = frozenset({"owner", "creator", "founder", "tenant", "applicant"})
Json = dict[str, Any]


@dataclass(frozen=True)
class Leaf:
    """A field of a schema: its path below the body, and what it can be."""

    path: tuple[str, ...]
    shape: Shape
    required: bool

    @property
    def name(self) -> str:
        return self.path[-1]


@dataclass(frozen=True)
class Found:
    """How much of a standard answer an operation's answer holds."""

    fields: tuple[str, ...]
    share: float  # of the fields that were looked for, 0 to 1
    form: float  # points: a list where one is wanted, one thing where one is


def thing_of(name: str) -> str:
    """The thing that a standard operation is about."""
    thing = next(iter(WANTED[name].things))
    return "chain" if "subchain" in name else thing


# --- what is sent -----------------------------------------------------------------------------------------------------


@cache
def request_fields(name: str) -> tuple[str, ...]:
    """The fields of a standard request."""
    return tuple(OPERATIONS[name].request.model_json_schema(mode="serialization").get("properties", {}))


@cache
def party_of(name: str) -> str:
    """Whose place the request names: `creator` or `member`; empty where it names none."""
    return next((each for each in PARTIES if each in request_fields(name)), "")


def source_of(name: str, written: str, around: tuple[str, ...] = ()) -> str:
    """The path of our request that a field or parameter of this name is filled from; empty when there is none.

    `around` are the names of the objects that it stands in: the name of a member is the organization's.
    """
    if squeezed(written) in KEYS:
        return "$.call.id"
    asked, party = request_fields(name), party_of(name)
    within = bool({word for each in around for word in words(each)} & (THINGS["member"] | OWNERS))
    ranked = [
        (rank + (100 if within and party else 0), f"$.in.{field}")
        for field in asked
        if field in FIELDS and (rank := rank_of(field, written, thing_of(name))) is not None
    ]
    ranked += [
        (rank + 10, f"$.in.{party}.{field}")
        for field in OF_PARTY
        if party and (rank := rank_of(field, written)) is not None
    ]
    if ranked:
        return min(ranked)[1]
    return _by_thing(asked, written)


def _by_thing(asked: tuple[str, ...], written: str) -> str:
    """`{consortium}` is a network's id, `groupId` a chain's."""
    parts = set(words(written))
    for thing in ("network", "chain", "contract", "member"):
        if f"{thing}_id" in asked and parts & THINGS[thing] and parts <= THINGS[thing] | {"id", "name", "no", "code"}:
            return f"$.in.{thing}_id"
    if "network_id" not in asked and "chain_id" in asked and parts & {"blockchain"} and parts <= {"blockchain", "id"}:
        return "$.in.chain_id"
    return ""


def meant(operation: ApiOperation, parameter: str) -> str:
    """What a parameter of the path is of: `{id}` behind `/networks/` is a network's."""
    if squeezed(parameter) not in ("id", "uuid", "uid"):
        return parameter
    parts = operation.path.split("/")
    here = next((number for number, part in enumerate(parts) if part == f"{{{parameter}}}"), 0)
    before = words(parts[here - 1]) if here else ()
    return f"{before[-1]}_id" if before else parameter


def fillable(name: str, operation: ApiOperation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Required parameters of the path and the query that our request fills, and those that it does not."""
    needed = sorted(operation.path_parameters)
    needed += [each for each, about in operation.parameters_in("query").items() if about.get("required")]
    filled = tuple(each for each in needed if source_of(name, meant(operation, each)))
    return filled, tuple(each for each in needed if each not in filled and not _says_itself(operation, each))


def _says_itself(operation: ApiOperation, name: str) -> bool:
    parameter = {**operation.parameters_in("path"), **operation.parameters_in("query")}.get(name) or {}
    schema = parameter_schema(parameter)
    return isinstance(schema, dict) and ("default" in schema or len(schema.get("enum") or ()) == 1)


# --- what comes back --------------------------------------------------------------------------------------------------


@cache
def standard_shape(name: str) -> Shape:
    schema = OPERATIONS[name].answer.model_json_schema()
    return Shape.of(schema, Document(schema))


def is_list(name: str) -> bool:
    """The standard answer is a list of things."""
    return "items" in OPERATIONS[name].answer.model_fields


def answered(api: ApiFile, name: str, operation: ApiOperation) -> Found:
    """What of the standard answer the operation's answer holds."""
    body = response_shape(api, operation)
    if is_list(name):
        rows = best_rows(name, body)
        if rows is None:
            form = -4 if _one_is_asked_for(operation) else 0 if body.kinds is None else -2
            return Found((), 0, form)
        element = rows.shape.element() or Shape()
        item = standard_shape(name).child("items")
        return _found(name, list(leaves(element)), (item and item.element()) or Shape(), 2)
    several = body.kinds == {"array"} or any(True for _each in lists(body))
    single = -2 if several and not OPERATIONS[name].writes and not _one_is_asked_for(operation) else 0
    form = 2 if _one_is_asked_for(operation) and not single else single
    return _found(name, content(body), standard_shape(name), form)


def _one_is_asked_for(operation: ApiOperation) -> bool:
    return operation.path.rstrip("/").endswith("}")


def _found(name: str, there: list[Leaf], wanted: Shape, form: float) -> Found:
    looked_for = [each for each in wanted.names if each not in ("extrainfo", "members")]
    fields = tuple(each for each in looked_for if best_leaf(name, each, there) is not None)
    return Found(fields, len(fields) / len(looked_for) if looked_for else 0, form)


def leaves(shape: Shape, path: tuple[str, ...] = (), required: bool = True) -> Iterator[Leaf]:
    """The fields below a shape that are no objects, the nearest first; not those inside of lists."""
    level = [(shape, path, required)]
    given = 0
    for _depth in range(MAX_DEPTH):
        below: list[tuple[Shape, tuple[str, ...], bool]] = []
        for current, at, sure in level:
            for name in current.names:
                child = current.child(name)
                if child is None or given >= MAX_LEAVES:
                    continue
                needed = sure and name in current.required
                if child.names:
                    below.append((child, (*at, name), needed))
                else:
                    given += 1
                    yield Leaf((*at, name), child, needed)
        level = below


def content(body: Shape) -> list[Leaf]:
    """The fields of an answer; of one in an envelope (`{code, message, data}`) those inside of it."""
    found = list(leaves(body))
    inside = [leaf for leaf in found if len(leaf.path) > 1 and leaf.path[0] in ENVELOPES]
    return inside or found


def lists(shape: Shape) -> Iterator[Leaf]:
    """The lists in an answer, the body itself among them."""
    if shape.kinds == {"array"}:
        yield Leaf(("",), shape, True)
        return
    for leaf in leaves(shape):
        if leaf.shape.kinds == {"array"}:
            yield leaf


def best_rows(name: str, body: Shape) -> Leaf | None:
    """The list whose elements look most like those of the standard answer."""
    item = standard_shape(name).child("items")
    wanted = (item and item.element()) or Shape()
    best: tuple[float, Leaf] | None = None
    for leaf in lists(body):
        share = _found(name, list(leaves(leaf.shape.element() or Shape())), wanted, 0).share
        if best is None or share > best[0]:
            best = (share, leaf)
    return best[1] if best else None


def best_leaf(name: str, field: str, there: list[Leaf]) -> Leaf | None:
    """The field of an answer that stands for a standard field: the surest name, and the nearest of that name."""
    thing = thing_of(name)
    fallback = "id" if field == f"{thing}_id" else ""
    ranked = []
    for order, leaf in enumerate(there):
        rank = rank_of(field, leaf.name, thing)
        if rank is None and field == f"{thing}_id":
            rank = _rank_as_id(leaf.name, fallback, thing)
        if rank is not None:
            ranked.append(((rank, order), leaf))
    return min(ranked, key=lambda each: each[0])[1] if ranked else None


def _rank_as_id(written: str, fallback: str, thing: str) -> int | None:
    """An `id`, or a name when there is nothing else."""
    if squeezed(written) in (fallback, f"_{fallback}", "uuid"):
        return 50
    parts = set(words(written))
    if parts & THINGS.get(thing, frozenset()) and parts <= THINGS[thing] | {"id", "name"}:
        return 60
    return 70 if squeezed(written) == "name" else None


def default_of(shape: Shape, name: str) -> Json:
    """`{"default": …}` when the schema of the shape's field has one."""
    for flat in shape.flats:
        for schema, document in flat.properties.get(name, ()):
            found = document.resolve(schema)
            if isinstance(found, dict) and "default" in found:
                return {"default": found["default"]}
    return {}


def path_to(root: str, leaf: Leaf) -> str:
    """RFC 9535, with names in brackets where they are no plain words."""
    steps = []
    for part in filter(None, leaf.path):
        plain = part.isascii() and part.replace("_", "a").isalnum() and not part[0].isdigit()
        quoted = part.replace("\\", "\\\\").replace("'", "\\'")
        steps.append(f".{part}" if plain else f"['{quoted}']")
    return root + "".join(steps)
