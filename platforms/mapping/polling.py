"""Judging a job: through, failed, still at work, or something that no job says.

A platform that answers nonsense would otherwise be asked until the limit. `while` names the states of a job that is
still at work; without it, a state counts as "at work" if the API file names it, or names none.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused
from console.sentences import kept
from platforms.mapping.apifile import ApiFile
from platforms.mapping.paths import compiled
from platforms.mapping.references import BadReference, TooTangled
from platforms.mapping.shapes import Shape, kind_of, response_shape
from platforms.mapping.values import SAYS, Unfit, found_by, holds, same

Json = dict[str, Any]
REPORTS = kept(gettext_noop("The platform reports that it failed: %(state)s"))
MEANINGLESS = kept(gettext_noop("the platform reports %(state)s, which means nothing"))
NOT_ANSWERED = kept(gettext_noop("%(paths)s is not in the platform's answer"))
STRANGE = kept(gettext_noop("%(path)s is %(value)s; the API file knows %(known)s"))
OTHER_TYPE = kept(gettext_noop("%(path)s is %(value)s where %(kinds)s is expected"))


def settled(step: Json, document: Json, api: ApiFile, place: str, message: str) -> bool:
    """Whether the job is through. PlatformRefused when it failed; Unfit, with the place, for nonsense."""
    poll = step["poll"]
    if holds(poll["until"], document, place=f"{place}.poll.until"):
        return True
    if "fail" in poll and holds(poll["fail"], document, place=f"{place}.poll.fail"):
        seen = _seen(poll["fail"], document)
        words = SAYS % {"problem": message} if message else REPORTS % {"state": _values(poll["fail"], document)}
        raise PlatformRefused(words, code="job_failed", note=f"{place}: {message or seen}")
    if "while" in poll:
        if not holds(poll["while"], document, place=f"{place}.poll.while"):
            raise Unfit(f"{place}.poll", MEANINGLESS % {"state": _seen(poll["until"], document)})
        return False
    _recognise(step, document, api, place)
    return False


def _recognise(step: Json, document: Json, api: ApiFile, place: str) -> None:
    """A state that the API file names, or at least one of the right type where `until` looks for it."""
    poll = step["poll"]
    expected = _body_paths(poll["until"])
    if not expected:
        return
    for path in expected:
        for found in found_by(path, document, f"{place}.poll.until"):
            _refuse_strange(found, expected[path], _named(api, step["op"], path), f"{place}.poll.until", path)
            return
    raise Unfit(f"{place}.poll.until", NOT_ANSWERED % {"paths": ", ".join(expected)})


def _refuse_strange(found: Any, wanted: list[Any], named: tuple[Any, ...] | None, place: str, path: str) -> None:
    if named is not None and not any(same(found, each) for each in named):
        known = ", ".join(str(each) for each in named[:20])
        raise Unfit(place, STRANGE % {"path": path, "value": _short(found), "known": known})
    kinds = {kind_of(each) for each in wanted}
    if named is None and kind_of(found) not in kinds:
        wanted_kinds = ", ".join(sorted(kinds))
        raise Unfit(place, OTHER_TYPE % {"path": path, "value": _short(found), "kinds": wanted_kinds})


def _body_paths(condition: Any) -> dict[str, list[Any]]:
    """The paths into the body that a condition looks at, with the values that it looks for."""
    paths: dict[str, list[Any]] = {}
    for each in condition if isinstance(condition, list) else [condition]:
        for path, wanted in each.items():
            if path.startswith("$.body"):
                paths.setdefault(path, []).extend(wanted if isinstance(wanted, list) else [wanted])
    return paths


def _named(api: ApiFile, op: str, path: str) -> tuple[Any, ...] | None:
    """The values that the API file lists for a place of the answer's body; None when it lists none."""
    operation = api.find(op)
    keys = compiled(path).keys
    if operation is None or keys is None:
        return None
    try:
        shape: Shape | None = response_shape(api, operation)
        for key in keys[1:]:
            shape = shape and (shape.child(key) if isinstance(key, str) else shape.element())
        return shape.values if shape is not None else None
    except (BadReference, TooTangled):
        return None


def _seen(condition: Any, document: Json) -> str:
    seen = [f"{path} = {_short(found)}" for path in _body_paths(condition) for found in found_by(path, document)]
    return ", ".join(seen) or f"status {document['status']}"


def _values(condition: Any, document: Json) -> str:
    """What it reports, without where."""
    seen = [str(found)[:60] for path in _body_paths(condition) for found in found_by(path, document)]
    return ", ".join(seen) or f"status {document['status']}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
