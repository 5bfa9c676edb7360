"""Does what is made fit what is wanted: by a request's schema in the API file, or by the standard answer."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from platforms.mapping.check.findings import Findings, Spot
from platforms.mapping.check.making import TIME, Made
from platforms.mapping.check.scope import BROKEN, kinds_text
from platforms.mapping.shapes import Shape
from platforms.mapping.values import enum_key

MAX_DEPTH = 30


def fit_answer(made: Shape, wanted: Shape, spot: Spot, findings: Findings) -> None:
    """A result against the standard answer: all that it needs, nothing else, types and times as it wants them."""
    _fit(made, wanted, spot, findings, strict=True, depth=0)


def fit_body(made: Shape, wanted: Shape, spot: Spot, findings: Findings) -> None:
    """A request's body against the API file."""
    _fit(made, wanted, spot, findings, strict=False, depth=0)


def fit_parameter(made: Made, wanted: Shape, spot: Spot, findings: Findings, *, in_path: bool) -> None:
    """A value in an address or a header: all of it is text there, but the platform reads a type from it."""
    shape = made.shape
    if BROKEN in shape.formats:
        return
    if in_path and made.optional:
        findings.error(spot, gettext_noop("A value in the path cannot be left out."))
    if shape.kinds and shape.kinds & ({"object", "array"} if in_path else {"object"}):
        findings.error(spot, gettext_noop("A text or a number is expected, not %(found)s."), found=kinds_text(shape))
        return
    if wanted.kinds and shape.kinds == {"string"} and not wanted.kinds & {"string", "array"}:
        _fit_text(shape, wanted, spot, findings, in_path=in_path)
    if wanted.values is not None and shape.values is not None:
        known = {enum_key(each) for each in wanted.values}
        foreign = [each for each in shape.values if enum_key(each) not in known]
        if foreign:
            _say_foreign(foreign, wanted, spot, findings)


def _fit_text(shape: Shape, wanted: Shape, spot: Spot, findings: Findings, *, in_path: bool) -> None:
    """A text where a number or a boolean is read. Ids are texts here and may well be numbers over there."""
    if shape.values is not None and all(_reads_as(str(each), wanted) for each in shape.values):
        return
    message = gettext_noop("The API file expects %(wanted)s here; convert the text with $as.")
    if in_path and shape.values is None:
        findings.warning(spot, message, wanted=kinds_text(wanted))
    else:
        findings.error(spot, message, wanted=kinds_text(wanted))


def _reads_as(text: str, wanted: Shape) -> bool:
    kinds = wanted.kinds or frozenset()
    if "boolean" in kinds and text in ("true", "false"):
        return True
    if "integer" in kinds:
        return text.lstrip("-").isdecimal()
    return "number" in kinds and text.lstrip("-").replace(".", "", 1).isdecimal()


def _fit(made: Shape, wanted: Shape, spot: Spot, findings: Findings, *, strict: bool, depth: int) -> None:
    if BROKEN in made.formats or depth > MAX_DEPTH:
        return
    if not _fit_kinds(made, wanted, spot, findings, strict=strict):
        return
    if wanted.values is not None:
        _fit_values(made, wanted, spot, findings, strict=strict)
    if strict and "date-time" in wanted.formats and TIME not in made.formats and made.kinds != frozenset():
        findings.error(spot, gettext_noop("A time is expected: pass the value through $as: {time: …}."))
    if made.kinds is None:
        return
    if "object" in made.kinds and wanted.names:
        _fit_fields(made, wanted, spot, findings, strict=strict, depth=depth)
    if "array" in made.kinds:
        element, expected = made.element(), wanted.element()
        if element is not None and expected is not None:
            _fit(element, expected, spot.item(), findings, strict=strict, depth=depth + 1)


def _fit_kinds(made: Shape, wanted: Shape, spot: Spot, findings: Findings, *, strict: bool) -> bool:
    if made.kinds is None or wanted.kinds is None:
        return True
    if made.kinds == frozenset():  # null
        if strict and not wanted.nullable:
            findings.error(spot, gettext_noop("null stands where %(wanted)s is expected."), wanted=kinds_text(wanted))
            return False
        return True
    fitting = wanted.kinds | ({"integer"} if "number" in wanted.kinds else set())
    if made.kinds <= fitting:
        return True
    message = gettext_noop("%(found)s is made where %(wanted)s is expected; convert it with $as.")
    findings.error(spot, message, found=kinds_text(made), wanted=kinds_text(wanted))
    return False


def _fit_values(made: Shape, wanted: Shape, spot: Spot, findings: Findings, *, strict: bool) -> None:
    values = wanted.values or ()
    if made.values is None:
        message = gettext_noop("One of %(values)s is expected: map the platform's values with $enum.")
        say = findings.error if strict else findings.warning
        say(spot, message, values=_listed(values))
        return
    foreign = [each for each in made.values if each not in values]
    if foreign:
        _say_foreign(foreign, wanted, spot, findings)


def _say_foreign(foreign: list[Any], wanted: Shape, spot: Spot, findings: Findings) -> None:
    message = gettext_noop("%(foreign)s is none of the values that are expected: %(values)s.")
    findings.error(spot, message, foreign=_listed(foreign), values=_listed(wanted.values or ()))


def _fit_fields(made: Shape, wanted: Shape, spot: Spot, findings: Findings, *, strict: bool, depth: int) -> None:
    for name in sorted(wanted.required):
        if made.child(name) is None:
            findings.error(spot, gettext_noop("The field %(name)s is missing."), name=name)
        elif made.is_closed and name not in made.required:
            message = gettext_noop("The field %(name)s may be left out, but it is needed; give it a $default.")
            findings.error(spot.key(name), message, name=name)
    for name in made.names:
        expected, found = wanted.child(name), made.child(name)
        if expected is None:
            _say_extra(name, wanted, spot.key(name), findings, strict=strict)
        elif found is not None:
            _fit(found, expected, spot.key(name), findings, strict=strict, depth=depth + 1)


def _say_extra(name: str, wanted: Shape, spot: Spot, findings: Findings, *, strict: bool) -> None:
    if strict:
        say, message = findings.error, gettext_noop("The standard answer has no field %(name)s; it has %(known)s.")
    elif wanted.is_closed:
        say, message = findings.error, gettext_noop("The API file allows no field %(name)s here, only %(known)s.")
    else:
        say, message = findings.warning, gettext_noop("The API file knows no field %(name)s here, only %(known)s.")
    say(spot, message, name=name, known=", ".join(wanted.names[:20]))


def _listed(values: Any) -> str:
    return ", ".join(str(each) for each in list(values)[:20])
