"""Table of rejected messages."""

import sqlalchemy as sa
from alembic import op

from kaisoumail.storage.engine.schema import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rejections",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejections")),
    )
    op.create_index(op.f("ix_rejections_at_id"), "rejections", ["at", "id"], unique=False)
