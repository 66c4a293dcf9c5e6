"""Alembic's entry point; runs on the connection that `storage/engine/schema_migration.py` passes in."""

from alembic import context

from kaisoumail.storage.engine.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, user_module_prefix="")
with context.begin_transaction():
    context.run_migrations()
