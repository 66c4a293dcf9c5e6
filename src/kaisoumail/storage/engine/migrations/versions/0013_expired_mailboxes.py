"""When a mailbox expired and its rule was last confirmed, and when its clean-up is tried again."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailboxes", sa.Column("rule_checked_at", Instant(), nullable=True))
    op.add_column("mailboxes", sa.Column("expired_at", Instant(), nullable=True))
    op.add_column("mailboxes", sa.Column("cleanup_next_attempt_at", Instant(), nullable=True))
    attempts = sa.Column("cleanup_attempts", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("mailboxes", attempts)
    _index("ix_mailboxes_receiving_until", "expires_at", "status = 'active' AND expired_at IS NULL")
    _index("ix_mailboxes_expired", "expired_at", "status = 'active' AND expired_at IS NOT NULL")


def _index(name: str, column: str, condition: str) -> None:
    only = sa.text(condition)
    op.create_index(name, "mailboxes", [column], sqlite_where=only, postgresql_where=only)
