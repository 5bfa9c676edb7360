"""What is believed of a platform's answers: numbers in their bounds, texts as long as their columns, times that may be.

A number out of bounds ends the reading; a text is cut, and a time that cannot be is no time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from console.errors import PlatformRefused
from console.sentences import kept
from platforms.standard import BlockInfo, BlockRow, LedgerSummary, TransactionInfo, TransactionRow

MAX_HEIGHT = 2**63 - 1
MAX_COUNT = 2**31 - 1
MAX_PATIENCE = 365 * 86_400.0  # seconds; who waits longer for a block does not wait
YEARS = range(1990, 2200)  # a block's time outside is no time

BAD_NUMBER = kept(gettext_noop("The platform answered with %(value)s as %(name)s."))


def sound_summary(summary: LedgerSummary) -> LedgerSummary:
    _require_number("height", summary.height, MAX_HEIGHT)
    _require_number("transactions", summary.transactions, MAX_HEIGHT)
    sound = {
        "block_hash": text(summary.block_hash, 100),
        "block_time": plausible(summary.block_time),
        "patience": summary.patience if summary.patience and 0 < summary.patience < MAX_PATIENCE else None,
    }
    return summary.model_copy(update=sound)


def sound_block(block: BlockInfo | BlockRow) -> BlockRow:
    _require_number("height", block.height, MAX_HEIGHT)
    _require_number("transactions", block.transactions, MAX_COUNT)
    return BlockRow(
        height=block.height,
        hash=text(block.hash, 100),
        parent_hash=text(block.parent_hash, 100),
        time=plausible(block.time),
        transactions=block.transactions,
    )


TEXTS = {  # of a transaction, and how long they may be
    "tx_id": 100,
    "sender": 100,
    "to": 100,
    "value": 100,
    "input": 1_000_000,
    "contract": 100,
    "extrainfo": 1_000_000,
}
_TEXTS_AT = [(TransactionRow._fields.index(name), length) for name, length in TEXTS.items()]


def sound_transaction(found: TransactionInfo | TransactionRow) -> TransactionRow:
    _require_number("index", found.index, MAX_COUNT)
    texts = {name: text(getattr(found, name), length) for name, length in TEXTS.items()}
    return TransactionRow(
        block_height=found.block_height,
        index=found.index,
        time=plausible(found.time),
        status=found.status,
        **texts,
    )


def sound_transactions(found: list[TransactionRow]) -> list[TransactionRow]:
    """Each as by `sound_transaction`. Nearly always all are sound, which looking along the columns tells at once."""
    columns = list(zip(*found, strict=True))
    return found if not found or _all_sound(columns) else [sound_transaction(each) for each in found]


def _all_sound(columns: list[tuple[Any, ...]]) -> bool:
    indexes, times = (columns[TransactionRow._fields.index(name)] for name in ("index", "time"))
    return (
        min(indexes) >= 0
        and max(indexes) <= MAX_COUNT
        and all(plausible(each) is each for each in set(times))
        and all(max(map(len, columns[at])) <= length for at, length in _TEXTS_AT)
        and not any("\x00" in "".join(columns[at]) for at, _length in _TEXTS_AT)
    )


def _require_number(name: str, value: int, limit: int) -> None:
    if not 0 <= value <= limit:
        raise PlatformRefused(BAD_NUMBER % {"value": value, "name": name}, code="bad_answer")


def text(value: str, limit: int) -> str:
    """No longer than the column, and without the one character that PostgreSQL does not store."""
    return value if len(value) <= limit and "\x00" not in value else value.replace("\x00", "")[:limit]


def plausible(value: datetime | None) -> datetime | None:
    if value is None or value.year not in YEARS:
        return None
    return value if value.tzinfo is UTC else value.astimezone(UTC)
