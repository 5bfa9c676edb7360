"""`manage.py migrate`, with a short way for a new database: its tables are made from the models, at once.

The migrations tell how a database came to be what it is, and an older one walks that way. One that holds nothing yet
has no way behind it: to walk it for each start on a new data directory takes many times as long, and ends at the same
tables, which `tests/console/test_migrations.py` proves on SQLite and on PostgreSQL. What migrations do to rows, they
do to rows that such a database does not have.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.commands import migrate
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

# With one of these somebody asks for a way of his own.
OWN_WAYS = ("app_label", "fake", "fake_initial", "plan", "check_unapplied", "prune", "run_syncdb")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        connection = connections[options["database"]]
        if not any(options.get(each) for each in OWN_WAYS) and not connection.introspection.table_names():
            made = _make_from_models(connection)
            if options["verbosity"] >= 1:
                self.stdout.write(f"A new database: {made} tables made from the models.")
        return super().handle(*args, **options)


def _make_from_models(connection: BaseDatabaseWrapper) -> int:
    """All tables and the note that every migration is behind them, or nothing."""
    made: list[type[Model]] = [
        model
        for config in apps.get_app_configs()
        for model in router.get_migratable_models(config, connection.alias)
        if model._meta.can_migrate(connection)
    ]
    walked = MigrationLoader(connection).disk_migrations
    notes = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        editor.create_model(notes.Migration)
        for model in made:
            editor.create_model(model)
        notes.migration_qs.bulk_create(notes.Migration(app=app, name=name) for app, name in walked)
    return len(made)
