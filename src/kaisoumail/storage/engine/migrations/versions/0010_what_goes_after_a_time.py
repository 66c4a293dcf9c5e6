"""Indexes to find rows that retention removes by their age."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_domain_events_at", "domain_events", ["at"])
    for table, column in (("messages", "deleted_at"), ("mailboxes", "destroyed_at")):
        is_set = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=is_set, postgresql_where=is_set)
