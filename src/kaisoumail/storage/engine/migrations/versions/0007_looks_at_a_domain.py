"""How often a waiting domain was checked, which decides when it is checked next."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("domains", sa.Column("looks", sa.Integer(), nullable=False, server_default=sa.text("0")))
    # A domain that waited through the upgrade has nobody watching its page: check it every quarter of an hour.
    op.execute("UPDATE domains SET looks = 65 WHERE next_look_at IS NOT NULL")
