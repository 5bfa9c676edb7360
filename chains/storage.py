"""What PostgreSQL is told about how to keep rows, which Django's models cannot say.

Told after every `migrate`, so that a database has it however its tables were made.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

from chains.models import Blockchain

FILL = 50  # of a hundred: a chain's row changes twice with every reading, and the new one shall fit beside the old


def leave_room(*, using: str, **_told: Any) -> None:
    """Receiver of `post_migrate`, which is also sent when only other apps were migrated.

    Pages that are filled from now on keep room. It locks out no reader and no writer.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(Blockchain._meta.db_table)
        cursor.execute(f"ALTER TABLE IF EXISTS {table} SET (fillfactor = {FILL})")
