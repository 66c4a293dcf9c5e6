"""The channel a message came by, which decides whether its trace fields can be trusted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("door", sa.String(length=16), nullable=False, server_default="smtp"))
