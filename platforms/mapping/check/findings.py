"""What a check has found: level, place, line, and words in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext

from console.sentences import told
from platforms.mapping.documents import Lines, Path

ERROR, WARNING, NOTE = "error", "warning", "note"
LEVELS = (ERROR, WARNING, NOTE)
MAX_FINDINGS = 300
LINES_UP_TO = 512 * 1024  # characters; finding lines means reading the file once more


@dataclass(frozen=True)
class Spot:
    """A part of a file: where it lies in the document, and what it is called."""

    path: Path = ()
    place: str = ""
    file: str = "mapping"

    def key(self, name: str, *, shown: str | None = None) -> Spot:
        """A field of it; `shown` is what people call it, empty when it goes without saying."""
        label = name if shown is None else shown
        place = f"{self.place}.{label}" if self.place and label else self.place or label
        return replace(self, path=(*self.path, name), place=place)

    def index(self, number: int, *, shown: str | None = None) -> Spot:
        """An element of it; `shown` is its name, where it has one."""
        place = f"{self.place}[{number}]" if shown is None else f"{self.place}.{shown}"
        return replace(self, path=(*self.path, number), place=place)

    def item(self) -> Spot:
        """Any element of a list that is made by `$each`."""
        return replace(self, path=(*self.path, "$item"), place=f"{self.place}[]")


@dataclass(frozen=True)
class Finding:
    """One of them. An `error` refuses the files, a `warning` says what is not sure, a `note` what is worth knowing."""

    level: str
    file: str
    place: str
    message: str  # a msgid
    values: dict[str, Any] = field(default_factory=dict)
    line: int | None = None

    @property
    def text(self) -> str:
        """The words in the reader's language."""
        if not self.values:
            return gettext(self.message)
        problem = self.values.get("problem")
        values = {**self.values, "problem": told(problem)} if isinstance(problem, str) else self.values
        return gettext(self.message) % values

    @property
    def whole(self) -> str:
        """Line, place and words in one."""
        line = f"{gettext('line')} {self.line}: " if self.line else ""
        return f"{line}{self.place}: {self.text}" if self.place else f"{line}{self.text}"

    def as_dict(self) -> dict[str, Any]:
        """For a record: the words are chosen when it is read."""
        return {
            "level": self.level,
            "file": self.file,
            "place": self.place,
            "line": self.line,
            "message": self.message,
            "values": self.values,
        }

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Finding:
        return cls(**kept)


class Findings:
    """Collects them, each once, in the order in which they were found."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._found: dict[tuple[Any, ...], tuple[Finding, Spot]] = {}

    def error(self, spot: Spot, message: str, **values: Any) -> None:
        self._add(ERROR, spot, message, values)

    def warning(self, spot: Spot, message: str, **values: Any) -> None:
        self._add(WARNING, spot, message, values)

    def note(self, spot: Spot, message: str, **values: Any) -> None:
        self._add(NOTE, spot, message, values)

    def _add(self, level: str, spot: Spot, message: str, values: dict[str, Any]) -> None:
        if len(self._found) < MAX_FINDINGS:
            shown = {name: value if isinstance(value, int) else str(value)[:300] for name, value in values.items()}
            key = (level, spot, message, tuple(shown.items()))
            self._found.setdefault(key, (Finding(level, spot.file, spot.place, message, shown), spot))

    def all(self) -> list[Finding]:
        """Errors first, each with its line."""
        lines: dict[str, Lines | None] = {}
        placed = []
        for finding, spot in self._found.values():
            if spot.file not in lines:
                text = self._texts.get(spot.file, "")
                lines[spot.file] = Lines(text) if 0 < len(text) <= LINES_UP_TO else None
            known = lines[spot.file]
            placed.append(replace(finding, line=known.of(spot.path) if known and spot.path else None))
        return sorted(placed, key=lambda each: LEVELS.index(each.level))
