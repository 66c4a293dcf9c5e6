"""Runs of jobs, open ones and outcomes of ended ones; the status of a domain before its deletion."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("key", sa.String(320), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("outcome", sa.JSON()),
        sa.Column("has_failed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index("uq_runs_key_open", "runs", ["key"], unique=True, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("ix_runs_job_key_number", "runs", ["job", "key", "number"])
    op.create_index("ix_runs_ended_at", "runs", ["ended_at"])
    op.add_column("domains", sa.Column("status_before_deletion", sa.String(24)))
