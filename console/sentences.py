"""Sentences that are written down before anybody reads them: by a worker in a row, by a driver in an error.

They are kept in English, whole, for programs and logs. `told` says them in the reader's language. One that was filled
with values is known again by what stands between them, so it is declared with `kept` where it is defined, at import.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import get_language, gettext, override

INNER = frozenset({"problem", "reason", "detail", "found", "wanted"})  # values that may be sentences themselves
FEWEST_LETTERS = 8  # of its own
_BLANK = re.compile(r"%\((\w+)\)[sd]")
_PLACE = re.compile(r"(?P<place>\S+): (?P<rest>.+)", re.DOTALL)


@dataclass(frozen=True)
class _Sentence:
    """`literals` stand before, between and after the values that `names` names."""

    msgid: str
    literals: tuple[str, ...]
    names: tuple[str, ...]

    def values_in(self, text: str) -> dict[str, str] | None:
        """What the sentence was filled with; None when the text is another one. Takes one look at each character."""
        first, *others = self.literals
        if not (text.startswith(first) and text.endswith(others[-1])):
            return None
        values: dict[str, str] = {}
        begin, stop = len(first), len(text) - len(others[-1])
        for name, literal in zip(self.names, [*others[:-1], None], strict=True):
            end = stop if literal is None else text.find(literal, begin + 1, stop)
            if end <= begin or values.setdefault(name, text[begin:end]) != text[begin:end]:
                return None
            begin = end + len(literal or "")
        return values


_sentences: list[_Sentence] = []


def kept(msgid: str) -> str:
    """Declare a msgid, so that `told` knows it again once `%` has filled it. Returns it."""
    parts = _BLANK.split(msgid)
    if len(parts) == 1:
        return msgid  # without values the catalogue alone knows it
    if sum(map(str.isalpha, "".join(parts[::2]))) < FEWEST_LETTERS:
        raise ValueError(f"too little of “{msgid}” is left beside its values to know it again")
    _sentences.append(_Sentence(msgid, tuple(parts[::2]), tuple(parts[1::2])))
    _sentences.sort(key=lambda each: -sum(map(len, each.literals)))  # whichever says most itself is tried first
    return msgid


def told(text: str) -> str:
    """A sentence that was kept, in the reader's language; any other text as it is."""
    if not text or (get_language() or "en").startswith("en"):
        return text
    if "\n" in text:
        return "\n".join(told(line) for line in text.split("\n"))
    translation = gettext(text)
    if translation != text:
        return translation
    return _filled(text) or _placed(text) or text


def name_of(thing: object) -> str:
    """What a thing is called where it is written down: in English, whoever makes the record."""
    with override("en"):
        return str(thing)


def _filled(text: str) -> str:
    for sentence in _sentences:
        values = sentence.values_in(text)
        if values is not None:
            return _with_values(gettext(sentence.msgid), values)
    return ""


def _with_values(msgid: str, values: dict[str, str]) -> str:
    words = {name: told(value) if name in INNER else value for name, value in values.items()}
    return _BLANK.sub(lambda blank: words[blank[1]], msgid)


def _placed(text: str) -> str:
    """`create_network.create: words`: the place stays, the words are told."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return ""
    rest = told(match["rest"])
    return f"{match['place']}: {rest}" if rest != match["rest"] else ""
