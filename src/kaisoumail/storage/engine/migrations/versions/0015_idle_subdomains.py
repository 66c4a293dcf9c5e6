"""Which subdomains are ours and have no mailbox; an index of the mailboxes that have a routing rule."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subdomains", sa.Column("is_ours", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("subdomains", sa.Column("idle_since", Instant(), nullable=True))
    op.add_column("subdomains", sa.Column("is_retiring", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("subdomains", sa.Column("cleanup_next_attempt_at", Instant(), nullable=True))
    only = sa.text("routing_rule_id IS NOT NULL")
    op.create_index("ix_mailboxes_routed", "mailboxes", ["domain_id"], sqlite_where=only, postgresql_where=only)
