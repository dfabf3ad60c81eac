"""What alembic runs: the steps that a database lacks, on the connection that it is handed."""

from __future__ import annotations

from alembic import context

from serving.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
context.run_migrations()
