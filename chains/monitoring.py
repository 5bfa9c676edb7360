"""What a platform's monitoring said of a chain last: usual figures in usual words and units, all others as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from chains.models import Blockchain, Sample

# In the order in which they are shown. The height and the age of the newest block stand above all figures already.
LABELS: dict[str, str | Promise] = {
    "nodes_running": _("Nodes that run"),
    "peers": _("Peers of a node"),
    "block_time": _("Time between blocks"),
    "pending_transactions": _("Transactions that wait"),
    "cpu": _("Processors in use"),
    "memory": _("Memory in use"),
    "disk_free": _("Free disk, where it is least"),
    "blocks_per_minute": _("Blocks per minute"),
    "transactions_per_minute": _("Transactions per minute"),
    "head_gas_used": _("Gas in the newest block"),
    "state_bytes": _("Stored state"),
    "cpu_seconds": _("Processor time"),
    "uptime": _("Running for"),
}
ALSO_CALLED = {"memory_bytes": "memory"}
ELSEWHERE = ("height", "head_age", "nodes", "transactions", "transaction_count")
MOST = 12
SHORT, LONG = 120.0, 1e9  # seconds; between these a length of time is said in days, hours, minutes


@dataclass(frozen=True)
class ShownFigure:
    """One figure, ready to be shown."""

    name: str
    text: str


def newest_figures(blockchain: Blockchain) -> list[ShownFigure]:
    """The figures of the last monitoring: those that are known first, in one order, then others by name."""
    if blockchain.details_read_at is None:
        return []
    rows = Sample.objects.filter(blockchain=blockchain, at=blockchain.details_read_at)
    order = {name: place for place, name in enumerate(LABELS)}
    named = sorted(
        ((_usual(row.name), row) for row in rows), key=lambda each: (order.get(each[0], len(order)), each[0])
    )
    shown = [(name, row) for name, row in named if name not in ELSEWHERE]
    return [ShownFigure(str(LABELS.get(name, row.name)), _in_words(row)) for name, row in shown[:MOST]]


def _usual(name: str) -> str:
    """Platforms write names in their own ways: `pendingTransactions` is `pending_transactions`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    return ALSO_CALLED.get(snake, snake)


def _in_words(row: Sample) -> str:
    say = _UNITS.get(row.unit)
    return say(row.value) if say else f"{_number(row.value)} {row.unit}".strip()


def _number(value: float) -> str:
    whole = value == int(value)
    return number_format(int(value) if whole else round(value, 2), use_l10n=True, force_grouping=True)


def _seconds(value: float) -> str:
    if not SHORT <= value <= LONG:
        return str(_("%(seconds)s s") % {"seconds": _number(value)})
    return timesince(timezone.now() - timedelta(seconds=value), depth=1)


_UNITS: dict[str, Callable[[float], str]] = {
    "bytes": lambda value: str(filesizeformat(value)),
    "s": _seconds,
    "nodes": _number,
    "transactions": _number,
    "cpus": _number,
    "1/min": _number,
    "gas": _number,
}
