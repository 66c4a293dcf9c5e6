"""Alembic's entrance: it runs on the connection that `storage/engine/schema_migration.py` hands it."""

from alembic import context

from kaisoumail.storage.engine.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, user_module_prefix="")
with context.begin_transaction():
    context.run_migrations()
