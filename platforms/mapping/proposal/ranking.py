"""Which operation of an API file probably answers an operation of the standard interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from platforms.mapping.apifile import ApiFile, ApiOperation
from platforms.mapping.proposal.fields import answered, fillable, meant, source_of
from platforms.mapping.proposal.vocabulary import (
    INSTEAD,
    OPPOSITES,
    OTHER_THINGS,
    STRICT,
    THINGS,
    VERBS,
    WANTED,
    Wanted,
    words,
)
from platforms.mapping.references import BadReference, TooTangled
from platforms.standard import OPERATIONS

ENOUGH = 5.0  # points from which a candidate is proposed
SHOWN = 5
MAX_LOOKS = 200_000  # at schemas, for one question
OWN_IDS = {"get_network": "network_id", "get_transaction": "tx_id"}
HOPELESS = ("get_health", "list_networks", "list_tenants")  # asked with nothing: what needs a parameter is not it
CHANGING = dict.fromkeys(("create", "join", "share", "deploy"), ("POST", "PUT")) | {"upgrade": ("POST", "PUT", "PATCH")}


@dataclass(frozen=True)
class Candidate:
    """An operation of the API file, and why it may be the one."""

    operation: ApiOperation
    points: float
    verb: str = ""  # the word of its name that says what it does
    thing: str = ""  # the word that says to what
    fields: tuple[str, ...] = ()  # of the standard answer, found in its answer
    filled: tuple[str, ...] = ()  # its parameters that our request can fill
    unfilled: tuple[str, ...] = ()  # required parameters that it cannot
    instead: str = ""  # it is proposed because it answers another standard operation

    @property
    def is_likely(self) -> bool:
        return self.points >= ENOUGH


def candidates(api: ApiFile, name: str) -> list[Candidate]:
    """Those that may answer the standard operation, the likeliest first; equal points in the order of the names."""
    if name not in WANTED:
        return []
    counted = api.counted(MAX_LOOKS)
    found = [each for each in (_judged(counted, name, operation) for operation in api.operations.values()) if each]
    if not any(each.is_likely for each in found):
        found += _instead(api, name)
    return sorted(found, key=lambda each: (-each.points, len(each.operation.path), each.operation.id))


def proposals(api: ApiFile) -> dict[str, Candidate]:
    """For each standard operation the likeliest one, where there is one that is likely."""
    best = {name: next(iter(candidates(api, name)), None) for name in OPERATIONS}
    return {name: each for name, each in best.items() if each is not None and each.is_likely}


def _instead(api: ApiFile, name: str) -> Iterator[Candidate]:
    """Those that answer something else from which the answer can be made."""
    for other in INSTEAD.get(name, ()):
        for each in candidates(api, other):
            if each.is_likely and len(each.unfilled) < 2:
                yield Candidate(each.operation, ENOUGH, each.verb, each.thing, (), each.filled, each.unfilled, other)


def _judged(api: ApiFile, name: str, operation: ApiOperation) -> Candidate | None:
    wanted = WANTED[name]
    reads = not OPERATIONS[name].writes
    if reads and operation.method not in ("GET", "POST"):
        return None
    if not reads and operation.method in ("GET", "HEAD", "OPTIONS"):
        return None
    try:
        return points_of(api, name, wanted, operation)
    except (BadReference, TooTangled):
        return None


def points_of(api: ApiFile, name: str, wanted: Wanted, operation: ApiOperation) -> Candidate | None:
    """The candidate with its points, or None when it is about something else.

    The thing counts up to 5, as the head of the name (what stands last in it) or of the path. The verb counts 3, its
    opposite takes 4. A method that is usual for the verb counts 1.5, another one takes 1, PATCH, which only changes, 4.
    An answer of the right form (a list, one thing) counts 2, of the wrong one it takes 2; fields of the standard answer
    that are found in it count up to 3. Each required parameter that our request fills counts half a point, each that it
    cannot fill takes one, or two where we ask with nothing. One thing that is asked for without its id takes 2.
    """
    thing, share = _thing(wanted, operation)
    if not share:
        return None
    named = words(operation.id) if "/" not in operation.id else ()
    last = words(_literal(operation)[-1]) if _literal(operation) else ()
    verb = next((word for word in (*named, *last) if word in VERBS[wanted.verb]), "")
    points = 5 * share + (3 if verb else 0)
    if not _is_meant(wanted.verb, thing, verb):
        return None
    points -= 4 if _is_opposite(wanted.verb, verb, named or last) else 0
    if name in ("join_network", "quit_network") and set(named) & THINGS["chain"]:
        points -= 2
    points += _method(wanted.verb, operation)
    answer = answered(api, name, operation)
    points += answer.form + 3 * answer.share
    filled, unfilled = fillable(name, operation)
    points += 0.5 * len(filled) - (2 if name in HOPELESS else 1) * len(unfilled)
    own = f"$.in.{OWN_IDS[name]}" if name in OWN_IDS else ""
    if own and not any(source_of(name, meant(operation, each)) == own for each in filled):
        points -= 2
    return Candidate(operation, round(points, 2), verb, thing, answer.fields, filled, unfilled)


def _is_meant(verb: str, thing: str, found: str) -> bool:
    """Where the thing itself is named, to join it is not to create it."""
    itself = thing in THINGS["network"] | THINGS["chain"] | THINGS["contract"] or verb == "share"
    return verb not in STRICT or not itself or found in STRICT[verb]


def _is_opposite(verb: str, found: str, named: tuple[str, ...]) -> bool:
    """The name says the contrary: it begins with it, or says nothing better."""
    against = OPPOSITES[verb]
    return named[:1] != () and (named[0] in against or (not found and any(word in against for word in named)))


def _thing(wanted: Wanted, operation: ApiOperation) -> tuple[str, float]:
    """The word that names the wanted thing, and how sure it is, 0 to 1."""
    literal = _literal(operation)
    named = words(operation.id) if "/" not in operation.id else ()
    around = {word for part in literal for word in words(part)} | set(named)
    around |= {word for each in operation.path_parameters for word in words(each)}
    if wanted.around and not around & THINGS[wanted.around]:
        return "", 0
    heads = [_head(named)] if _head(named) else []
    heads += [_head(words(part)) for part in reversed(literal) if _head(words(part))][:1]
    best: tuple[str, float] = ("", 0)
    for place, head in enumerate(heads):
        for thing, sure in wanted.things.items():
            if head in THINGS[thing]:
                agreed = len(set(heads)) == 1 or all(each in THINGS[thing] for each in heads)
                share = sure * (1 if agreed else 0.8 if place == 0 else 0.6)
                best = max(best, (head, share), key=lambda each: each[1])
    return best


def _head(named: tuple[str, ...]) -> str:
    """The last word that names a thing: of `ListBlockchainChannels` the channel."""
    known = [word for word in named if word in OTHER_THINGS or any(word in each for each in THINGS.values())]
    return known[-1] if known else ""


def _literal(operation: ApiOperation) -> list[str]:
    """The path's own words. `Microsoft.Blockchain` is whose it is, not what it is about."""
    return [part for part in operation.path.split("/") if part and "{" not in part and "." not in part]


def _method(verb: str, operation: ApiOperation) -> float:
    if verb in ("get", "list"):
        return 1.5 if operation.method == "GET" else 0
    usual = CHANGING.get(verb, ("DELETE",))
    return 1.5 if operation.method in usual else -4 if operation.method == "PATCH" else -1
