"""An index of the mailboxes that Cloudflare refused, which go sooner than the other destroyed ones."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_refused, columns = sa.text("routing_rule_id = 'unknown'"), ["destroyed_at"]
    op.create_index("ix_mailboxes_refused", "mailboxes", columns, sqlite_where=is_refused, postgresql_where=is_refused)
