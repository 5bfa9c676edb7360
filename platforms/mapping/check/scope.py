"""What a path of a template can see, and what it finds there according to the API file and to the samples.

Files lie. Where a sample shows something that the file does not know, or knows otherwise, the sample wins, and the
registrant is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_noop
from jsonpath.filter import RootFilterQuery
from jsonpath.segments import JSONPathSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector

from platforms.mapping.check.findings import Findings, Spot
from platforms.mapping.paths import Path, compiled, queries_in
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.shapes import Shape

NEEDS_ANSWER = ("body", "status", "headers")
BROKEN = "broken"  # the format of a shape about which an error has been said already


@dataclass(frozen=True)
class View:
    """A value as the API file tells it, and as samples show it. None: not at all."""

    file: Shape | None
    sample: Shape | None = None

    def element(self) -> View:
        """A list's element."""
        return View(self.file and self.file.element(), self.sample and self.sample.element())


@dataclass(frozen=True)
class Read:
    """What a path finds."""

    view: View
    shape: Shape  # what is believed
    many: bool


@dataclass(frozen=True)
class Scope:
    """What can be seen from a place: our request, constants, earlier steps, perhaps an answer, perhaps a row."""

    roots: dict[str, View]
    steps: dict[str, View]
    later: frozenset[str] = frozenset()
    row: View | None = None
    quiet: bool = False  # of what is read here the API file says nothing, and need not

    def with_step(self, name: str, view: View) -> Scope:
        return replace(self, steps={**self.steps, name: view}, later=self.later - {name})

    def with_row(self, row: View) -> Scope:
        return replace(self, row=row)

    def with_answer(self, answer: View) -> Scope:
        """Inside `expect`, `poll` and the like: the answer of the step itself."""
        return replace(self, roots={**self.roots, "status": INTEGER, "headers": HEADERS, "body": answer})

    def document(self, world: str) -> Shape:
        """The whole document in one of the worlds: `file` or `sample`."""
        roots = {name: getattr(view, world) for name, view in self.roots.items()}
        steps = {name: getattr(view, world) for name, view in self.steps.items()}
        return _object({**_there(roots), "steps": _object(_there(steps))})


def _there(shapes: dict[str, Shape | None]) -> dict[str, Shape]:
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _object(properties: dict[str, Shape]) -> Shape:
    return Shape.of(
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    )


def both(shape: Shape) -> View:
    """Known for sure, whatever files say."""
    return View(shape, shape)


INTEGER = both(Shape.of({"type": "integer"}))
HEADERS = both(Shape.of({"type": "object", "additionalProperties": {"type": "string"}}))
BROKEN_SHAPE = Shape.of({"format": BROKEN})


@dataclass
class NoSuch(Exception):
    """A path that leads nowhere: the name that is not there, and those that are."""

    name: str
    known: list[str] = field(default_factory=list)
    empty: bool = False


def read_path(text: Any, scope: Scope, spot: Spot, findings: Findings) -> Read | None:
    """What the path finds; None when it is wrong, and then that has been said."""
    try:
        path = compiled(text)
    except (ValueError, TypeError) as problem:
        findings.error(spot, gettext_noop("The path %(path)s cannot be read: %(problem)s"), path=text, problem=problem)
        return None
    if path.from_row and scope.row is None:
        findings.error(spot, gettext_noop("%(path)s stands outside of a list: @ is an element of $each."), path=text)
        return None
    file, sample = _in(path, scope, "file"), _in(path, scope, "sample")
    if isinstance(file, NoSuch) and not isinstance(sample, Shape):
        _say_missing(path, file, scope, spot, findings)
        return None
    return Read(
        View(file if isinstance(file, Shape) else None, sample if isinstance(sample, Shape) else None),
        _believed(text, file, sample, scope, spot, findings),
        not path.singular,
    )


def _in(path: Path, scope: Scope, world: str) -> Shape | NoSuch | None:
    """What the path finds in one world; None where that world does not even know where it starts."""
    document = scope.document(world)
    start = getattr(scope.row, world) if path.from_row else document
    if start is None or _is_dark(path, scope, world):
        return None
    segments = path.query.segments[1:] if path.needs_document else path.query.segments
    try:
        return _follow(segments, start, document)
    except NoSuch as problem:
        return problem
    except (BadReference, TooTangled):
        return None


def _is_dark(path: Path, scope: Scope, world: str) -> bool:
    """The path begins at an answer of which this world shows nothing."""
    first, second, *_rest = (*(path.keys or _names(path)), "", "")
    if path.from_row:
        return False
    view = scope.steps.get(str(second)) if first == "steps" else scope.roots.get(str(first))
    return view is not None and getattr(view, world) is None


def _names(path: Path) -> tuple[str | int, ...]:
    """The names that a path of many values goes through; empty for what is no name."""
    first = (segment.selectors[0] for segment in path.query.segments)
    return tuple(each.name if isinstance(each, NameSelector) else "" for each in first)


def _follow(segments: Sequence[JSONPathSegment], start: Shape, document: Shape) -> Shape:
    node = start
    for segment in segments:
        if BROKEN in node.formats:
            return node
        node = Shape.any_of(_selected(node, selector, document) for selector in segment.selectors)
    return node


def _selected(node: Shape, selector: Any, document: Shape) -> Shape:
    if isinstance(selector, NameSelector):
        found = node.child(selector.name)
        if found is None:
            raise NoSuch(selector.name, node.names, empty=node.kinds == frozenset())
        return found
    found = node.element() or (None if isinstance(selector, IndexSelector) else node.children())
    if found is None:
        raise NoSuch(str(selector))
    if isinstance(selector, Filter):
        for query in queries_in(selector.expression):
            _follow(query.path.segments, document if isinstance(query, RootFilterQuery) else found, document)
    return found


def is_known(shape: Shape) -> bool:
    return shape.kinds is not None


def disagree(file: Shape, sample: Shape) -> bool:
    """No kind in common; whole numbers are numbers."""
    a, b = file.kinds or frozenset(), sample.kinds or frozenset()
    a = a | {"number"} if "integer" in a else a
    b = b | {"number"} if "integer" in b else b
    return bool(a and b) and not a & b


def _believed(
    text: str, file: Shape | NoSuch | None, sample: Shape | NoSuch | None, scope: Scope, spot: Spot, findings: Findings
) -> Shape:
    shown = sample if isinstance(sample, Shape) and is_known(sample) else None
    if isinstance(file, Shape) and is_known(file):
        if shown is None or not disagree(file, shown):
            return file
        findings.warning(
            spot,
            gettext_noop(
                "The API file says that %(path)s is %(file)s, the sample shows %(sample)s. The sample counts."
            ),
            path=text,
            file=kinds_text(file),
            sample=kinds_text(shown),
        )
        return shown
    if isinstance(file, NoSuch) and isinstance(sample, Shape):
        findings.warning(
            spot,
            gettext_noop("The API file does not know %(path)s, the sample shows it. The sample counts."),
            path=text,
        )
        return sample
    if shown is not None:
        return shown
    if isinstance(file, Shape) and BROKEN in file.formats:
        return file
    if not scope.quiet:
        findings.warning(
            spot, gettext_noop("The API file does not say what %(path)s is; a sample would show it."), path=text
        )
    return Shape()


def kinds_text(shape: Shape) -> str:
    """`string or integer`."""
    return " or ".join(sorted(shape.kinds or ())) or "null"


def _say_missing(path: Path, missing: NoSuch, scope: Scope, spot: Spot, findings: Findings) -> None:
    keys = path.keys or _names(path)
    if not path.from_row and keys[:1] == ("steps",) and len(keys) > 1 and keys[1] not in scope.steps:
        if keys[1] in scope.later:
            message = gettext_noop("%(path)s reads the step %(name)s, which comes later.")
        else:
            message = gettext_noop("%(path)s reads the step %(name)s, which does not exist.")
        findings.error(spot, message, path=path.text, name=keys[1])
    elif not path.from_row and keys[:1] and keys[0] in NEEDS_ANSWER and keys[0] not in scope.roots:
        message = gettext_noop("%(path)s: an answer can be read in expect, poll, errors and walk only.")
        findings.error(spot, message, path=path.text)
    elif missing.empty:
        message = gettext_noop("%(path)s: according to the API file there is nothing at this place.")
        findings.error(spot, message, path=path.text)
    else:
        message = gettext_noop("%(path)s: there is no %(name)s; there is %(known)s.")
        known = ", ".join(missing.known[:15]) or "-"
        findings.error(spot, message, path=path.text, name=missing.name, known=known)
