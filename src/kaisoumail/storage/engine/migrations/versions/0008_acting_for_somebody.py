"""The owner of what an audit line is about, and the user who created an API key."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("owner_id", sa.String(48)))
    op.add_column("audit", sa.Column("owner", sa.String(320)))
    op.create_index("ix_audit_owner_id_seq", "audit", ["owner_id", "seq"])
    op.add_column("api_keys", sa.Column("created_by", sa.String(48)))
