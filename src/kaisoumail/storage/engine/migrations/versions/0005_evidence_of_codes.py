"""The evidence for a verification code, and the link a message asks to follow."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("verification_evidence", sa.String(length=120), nullable=True))
    op.add_column("messages", sa.Column("verification_word", sa.String(length=64), nullable=True))
    op.add_column("messages", sa.Column("verification_confidence", sa.Float(), nullable=True))
    op.add_column("messages", sa.Column("link", sa.JSON(none_as_null=True), nullable=True))
