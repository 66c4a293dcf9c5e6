"""When Cloudflare reported the status of a domain's zone."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("domains", sa.Column("zone_status_at", sa.BigInteger()))
    # The status was reported then or earlier, and is asked for again when anybody opens the page.
    op.execute("UPDATE domains SET zone_status_at = updated_at WHERE zone_status IS NOT NULL")
