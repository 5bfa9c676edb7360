"""Log lines for machines: one JSON object each, with whatever a caller handed in as `extra`."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Django's server and Celery's hand in whole objects under these names.
_OBJECTS = frozenset({"request", "data", "server_time"})


class JsonLines(logging.Formatter):
    """`LOG_JSON=true` chooses this."""

    def format(self, record: logging.LogRecord) -> str:
        more = {name: value for name, value in vars(record).items() if name not in _PLAIN | _OBJECTS}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **more,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)
